"""A county and rules small enough for thousands of nights, different for each seed.

Two townships, three villages and a hazard point; duty posts change hands in the middle of the night. Some posts are
empty, some share a phone, some have a second one or none. All phones are simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from agents.dial.carriers.simulated import Habit, Kind
from config.rules import Hazard, Knobs, Ladder, LadderStep, Quiet, Rule, RuleBook, Selector, Threshold
from rosters.county import County
from rosters.model import Knocker, Person, Phone, Post, Region, Shift, Site, Station, Unit
from streams.sim.faults import Chance, faulty_s_of
from streams.sim.people import with_radio
from streams.words import Colour, Level

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2021, 7, 19, 14, tzinfo=UTC)
"""22:00 in the county."""
SHIFT_AT = 0.8
"""Duty posts change hands while things still go wrong, late enough for rounds that began under the one before."""
COUNTY, XIKOU, LIULIN = "419926000000", "419926100000", "419926102000"
SHANGWAN, XIAWAN, JINPEN = "419926100201", "419926100202", "419926102208"
AREAS = (COUNTY, XIKOU, LIULIN, LIULIN, SHANGWAN, SHANGWAN, JINPEN, JINPEN)
HAZARDS = ("rainstorm", "flash_flood")

_REGIONS = (
    Region(code=XIKOU, name="溪口镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=SHANGWAN, name="上湾村", level=Level.VILLAGE, parent=XIKOU),
    Region(code=XIAWAN, name="下湾村", level=Level.VILLAGE, parent=XIKOU, danger=True),
    Region(code=LIULIN, name="柳林镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=JINPEN, name="金盆村", level=Level.VILLAGE, parent=LIULIN),
)
_UNITS = (
    Unit(id="county", name="禾溪县人民政府", region=COUNTY),
    Unit(id="t100", name="溪口镇人民政府", region=XIKOU, parent="county"),
    Unit(id="t102", name="柳林镇人民政府", region=LIULIN, parent="county"),
    Unit(id="v201", name="上湾村村委会", region=SHANGWAN, parent="t100"),
    Unit(id="v202", name="下湾村村委会", region=XIAWAN, parent="t100"),
    Unit(id="v208", name="金盆村村委会", region=JINPEN, parent="t102"),
)
_ON_SHIFT = {
    "c-duty": ("county", "duty_officer", Level.COUNTY, COUNTY, ""),
    "t100-duty": ("t100", "duty_officer", Level.TOWNSHIP, XIKOU, ""),
    "t100-leader": ("t100", "duty_leader", Level.TOWNSHIP, XIKOU, ""),
    "t102-duty": ("t102", "duty_officer", Level.TOWNSHIP, LIULIN, ""),
}
_STANDING = {
    "v201-head": ("v201", "village_head", Level.VILLAGE, SHANGWAN, ""),
    "v202-head": ("v202", "village_head", Level.VILLAGE, XIAWAN, ""),
    "hz1-keeper": ("v202", "site_keeper", Level.SITE, XIAWAN, "hz1"),
    "v208-head": ("v208", "village_head", Level.VILLAGE, JINPEN, ""),
}
_NAMES = (
    *(f"{post}-{turn}" for post in _ON_SHIFT for turn in (1, 2)),
    *_STANDING,
    *(f"{post}-b" for post in _STANDING),
)
_HABITS = (Kind.ANSWERS, Kind.ANSWERS, Kind.ANSWERS, Kind.SLEEPS, Kind.SLEEPS, *Kind)


def county_of(seed: int, edition: int = 0) -> County:
    """Return the county of a seed; another edition is the roster after it was edited that many times."""
    chance = Chance(seed, f"county {edition}")
    often = 0.08 if edition == 0 else 0.2
    vacant = set(chance.some_of(tuple(_ON_SHIFT), often))
    people = tuple(with_radio(_person(name, chance), seed) for name in _NAMES)
    posts = [_post(post, facts, on_shift=True) for post, facts in _ON_SHIFT.items()]
    posts += [_post(post, facts, on_shift=False) for post, facts in _STANDING.items()]
    change = START + timedelta(seconds=faulty_s_of(seed) * SHIFT_AT)
    shifts = [shift for post in _ON_SHIFT for shift in _shifts(post, change)[post in vacant :]]
    return County(
        COUNTY,
        "禾溪县",
        ZONE,
        _REGIONS,
        _UNITS,
        posts,
        people,
        shifts,
        sites=(Site(id="hz1", name="鹰嘴岩滑坡点", kind="hazard_point", region=XIAWAN),),
        knockers=(Knocker(region=SHANGWAN, name="上湾组长", role="组长"),),
        stations=(
            Station(id="R1", name="溪口雨量站", quantity="rain_mm", region=XIKOU),
            Station(id="R2", name="下湾雨量站", quantity="rain_mm", region=XIAWAN),
        ),
        version=f"{seed}.{edition}",
    )


def habits_of(seed: int) -> Mapping[str, Habit]:
    """Return what each telephone of a seed's county does."""
    chance = Chance(seed, "habits")
    numbers = sorted({phone.number for person in county_of(seed).people.values() for phone in person.phones})
    return {number: Habit(kind=chance.one_of(_HABITS), after=chance.whole(0, 3)) for number in numbers}


@cache
def rules() -> RuleBook:
    """Return the rules: short ladders, a quiet rule, a gate, thresholds of two gauges."""
    village = Selector(level=Level.VILLAGE, kinds=("village_head",), ladder="village", priority=3)
    site = Selector(
        level=Level.SITE, kinds=("site_keeper",), site_kinds=("hazard_point",), ladder="village", priority=5
    )
    duty = Selector(level=Level.TOWNSHIP, kinds=("duty_officer",), ladder="duty", priority=7)
    county = Selector(level=Level.COUNTY, kinds=("duty_officer",), ladder="county", priority=8)
    leader = Selector(level=Level.TOWNSHIP, kinds=("duty_leader",), mode="message", ladder="notice")
    holder = LadderStep(to="holder", calls=2, gap_s=60, window_s=240, text=True)
    deputy = LadderStep(to="deputy", calls=1, gap_s=60, window_s=120, text=True)
    once = LadderStep(to="holder", calls=1, gap_s=60, window_s=120, text=True)
    hazards = tuple(
        Hazard(key=key, name=name, codes=(code,), words=(name,), valid_h=12, action="请查看低洼处住户")
        for key, name, code in (("rainstorm", "暴雨", "11B03"), ("flash_flood", "山洪", "11A03"))
    )
    return RuleBook(
        preset="simulated",
        hazards=hazards,
        ladders={
            "village": Ladder(title="村级", dial_within_s=120, steps=(holder, deputy), fetch_s=60),
            "duty": Ladder(
                title="值班",
                dial_within_s=120,
                steps=(
                    holder,
                    LadderStep(to="leader", calls=1, gap_s=60, window_s=120),
                    LadderStep(to="superior", calls=1, gap_s=60, window_s=120),
                ),
            ),
            "county": Ladder(title="县级", dial_within_s=120, steps=(holder, deputy), then="none"),
            "notice": Ladder(title="告知", dial_within_s=120, steps=(once,), then="none"),
        },
        rules=(
            Rule(
                id="call",
                hazards=HAZARDS,
                colours=(Colour.ORANGE, Colour.RED),
                posts=(county, duty, site, village, leader),
            ),
            Rule(
                id="watch",
                hazards=HAZARDS,
                colours=(Colour.BLUE, Colour.YELLOW),
                posts=(county, duty, site, village),
            ),
        ),
        quiet=(
            Quiet(
                id="night",
                hazards=HAZARDS,
                colours=(Colour.BLUE, Colour.YELLOW),
                levels=(Level.VILLAGE, Level.SITE),
                digest_at="23:00",
                reason="夜间蓝黄不响铃",
            ),
        ),
        thresholds=(Threshold(hazard="rainstorm", quantity="rain_mm", window_h=1, at_least=30, colour=Colour.ORANGE),),
        knobs=Knobs(gate_s=60, visit_gather_s=30, visit_knock_s=300, order_ladder="county", notice_ladder="notice"),
        hash="simulated",
    )


def _person(name: str, chance: Chance) -> Person:
    """Return a person with a phone, sometimes two, one shared with somebody else, a landline, or none."""
    number = f"sim:{name}"
    draw = chance.between(0, 1)
    if draw < 0.04:
        return Person(id=name, name=name)
    phones = [Phone(number=f"sim:{chance.one_of(_NAMES)}" if draw < 0.16 else number)]
    if draw > 0.85:
        phones.append(Phone(number=f"{number}-2", kind="mobile" if draw < 0.95 else "landline"))
    return Person(id=name, name=name, phones=tuple(phones))


def _post(post: str, facts: tuple[str, str, Level, str, str], *, on_shift: bool) -> Post:
    unit, kind, level, region, site = facts
    holders = () if on_shift else (post, f"{post}-b")
    return Post(
        id=post,
        unit=unit,
        name=post,
        kind=kind,
        level=level,
        region=region,
        site=site,
        on_shift=on_shift,
        holders=holders,
    )


def _shifts(post: str, change: datetime) -> list[Shift]:
    return [
        Shift(id=f"{post}@1", post=post, person=f"{post}-1", starts_at=change - timedelta(days=1), ends_at=change),
        Shift(id=f"{post}@2", post=post, person=f"{post}-2", starts_at=change, ends_at=change + timedelta(days=1)),
    ]
