"""A tiny county with gauges, and short words for readings, shared by the tests of SENSE and of its door."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.rules import Hazard, Knobs, Ladder, LadderStep, Rule, RuleBook, Selector, Threshold
from rosters.county import County
from rosters.model import Region, Station
from streams.letters import Reading, ReadingsArrived
from streams.words import Colour, Level

NIGHT = datetime(2021, 7, 19, 12, 0, tzinfo=UTC)
SHIMEN, HEKOU, YUNLING = "419926001000", "419926001001", "419926002000"

REGIONS = (
    Region(code=SHIMEN, name="石门镇", level=Level.TOWNSHIP),
    Region(code=HEKOU, name="河口村", level=Level.VILLAGE, parent=SHIMEN),
    Region(code="419926001002", name="石门村", level=Level.VILLAGE, parent=SHIMEN),
    Region(code=YUNLING, name="云岭乡", level=Level.TOWNSHIP),
)
GAUGES = (
    Station(id="R1", name="石门村雨量站", quantity="rain_mm", region="419926001002"),
    Station(id="R2", name="河口村雨量站", quantity="rain_mm", region=HEKOU),
    Station(id="R3", name="云岭雨量站", quantity="rain_mm", region=YUNLING),
    Station(id="L1", name="石门水位站", quantity="level_m", region=SHIMEN, guarantee_m=102.0),
    Station(id="L2", name="云岭水位站", quantity="level_m", region=YUNLING, alarm_level_m=50.0),
    Station(id="L3", name="无名水位站", quantity="level_m", region=YUNLING),
)
COUNTY = County(
    "419926000000", "禾溪县", ZoneInfo("Asia/Shanghai"), REGIONS, (), (), (), (), stations=GAUGES, version="test"
)

LIMITS_MM = {1: (35, 45, 60, 80), 3: (55, 75, 100, 120), 6: (70, 95, 120, 150), 24: (100, 130, 160, 200)}
RAIN = tuple(
    Threshold(hazard="flash_flood", quantity="rain_mm", window_h=window_h, at_least=limit_mm, colour=colour)
    for window_h, limits_mm in LIMITS_MM.items()
    for limit_mm, colour in zip(limits_mm, Colour, strict=True)
)
LEVELS = tuple(
    Threshold(hazard="flood", quantity="level_m", at_least=at_least, colour=colour)
    for at_least, colour in ((-0.5, Colour.YELLOW), (0.0, Colour.ORANGE), (1.0, Colour.RED))
)


def rule_book(thresholds: Iterable[Threshold] = RAIN + LEVELS, knobs: Knobs | None = None) -> RuleBook:
    """Return a rule book in which only thresholds and knobs matter."""
    ladder = Ladder(title="一步", steps=(LadderStep(to="holder", calls=1, gap_s=60, window_s=60),))
    selector = Selector(level=Level.TOWNSHIP, kinds=("duty_officer",), ladder="one")
    return RuleBook(
        preset="test",
        hazards=(Hazard(key="flash_flood", name="山洪", valid_h=24, action="立即转移"),),
        ladders={"one": ladder},
        rules=(Rule(id="all", hazards=("any",), colours=tuple(Colour), posts=(selector,)),),
        thresholds=tuple(thresholds),
        knobs=knobs or Knobs(),
    )


def rain(minutes: float, value: float, station: str = "R1", *, historical: bool = False) -> Reading:
    """Return a rain reading so many minutes after the night began."""
    return Reading(
        station=station,
        quantity="rain_mm",
        at=NIGHT + timedelta(minutes=minutes),
        value=value,
        historical=historical,
    )


def level(minutes: float, value: float, station: str = "L1") -> Reading:
    """Return a level reading so many minutes after the night began."""
    return Reading(station=station, quantity="level_m", at=NIGHT + timedelta(minutes=minutes), value=value)


def page(*readings: Reading, received: datetime | None = None, realm: str = "real") -> ReadingsArrived:
    """Return readings of one station as a door hands them in, by default received with the newest of them."""
    return ReadingsArrived(
        realm=realm,
        station=readings[0].station,
        readings=readings,
        received_at=received or max(reading.at for reading in readings if reading.at.tzinfo),
    )
