"""Sound documents to be spoiled: our own for every door, and real ones of public places where they are at hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.load import OWN_FOLDER
from rosters.io.csv_ import write_csv
from rosters.io.ical import write_ical
from rosters.io.workbook import new_workbook
from rosters.io.xlsx import write_xlsx
from rosters.io.yaml_ import write_yaml
from streams.codec import write_page
from streams.topics import TOPICS
from tests.small_county import FIRST_SHIFT, small_county
from tests.unit.warning_samples import CAP, DIALECT

SHARED = Path(__file__).parents[3] / "shared" / "data"
NIGHT = datetime(2021, 7, 19, 21, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
PLAIN = "禾溪县气象台2021年07月19日21时59分发布暴雨红色预警信号：预计未来3小时溪口镇、柳林镇降雨量将达100毫米以上。"
OFFICE = (
    "溪口镇人民政府2021年7月值班表\n日期,带班领导,值班员\n"
    "7月19日,t100-leader-1,t100-duty-1\n7月20日,t100-leader-2,t100-duty-2\n"
)


class Seed(NamedTuple):
    """A document, and what its sender says it is."""

    content: bytes
    hint: str


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _shared(pattern: str, hint: str) -> list[Seed]:
    """Real documents, none where the folder is not at hand."""
    return [Seed(file.read_bytes(), hint) for file in sorted(SHARED.glob(pattern)) if file.is_file()]


def _mixed(own: list[Seed], real: list[Seed]) -> tuple[Seed, ...]:
    """Half of what is spoiled is ours: what a door knows nothing about is refused before much of it is read."""
    return (*own * max(1, len(real) // len(own)), *real)


@cache
def warnings() -> tuple[Seed, ...]:
    """CAP, the dialect of 12379, JSON as three sites serve it, plain words."""
    served = {
        "alertid": "41992641600000_20210719215900",
        "title": "禾溪县气象台发布暴雨红色预警信号",
        "issuecontent": PLAIN,
    }
    own = [Seed(CAP.encode(), "application/cap+xml"), Seed(DIALECT.encode(), "application/xml")]
    own += [Seed(_json(served), "application/json"), Seed(_json([served] * 2), "application/json")]
    own += [Seed(PLAIN.encode(), "text/plain"), Seed(PLAIN.encode("gb18030"), "text/plain")]
    real = [*_shared("cap/*/*.*", "application/xml"), *_shared("nws/*.*", "application/json")]
    real += _shared("cn/*.json", "application/json")
    lines = (SHARED / "cn" / "warnings.jsonl").read_bytes().splitlines() if (SHARED / "cn").is_dir() else []
    real += [Seed(_json(json.loads(line).get("raw") or {}), "application/json") for line in lines[::7]]
    return _mixed(own, [seed for seed in real if len(seed.content) < 1_000_000])


@cache
def readings() -> tuple[Seed, ...]:
    """SenML and plain lists."""
    now_s = NIGHT.timestamp()
    packed = [
        {"bn": "urn:heqi:", "bt": now_s, "n": "R1", "u": "mm", "v": 12.5},
        {"n": "R2", "t": -60, "u": "mm", "v": 3},
    ]
    listed = [
        {"station": station, "quantity": quantity, "at": NIGHT.isoformat(), "value": value}
        for station, quantity, value in (("R1", "rain_mm", 30), ("R2", "rain_mm", 61.5), ("L1", "level_m", 87.2))
    ]
    own = [Seed(_json(packed), "application/senml+json"), Seed(_json(listed), "application/json")]
    real = [*_shared("sensors/senml/*.json", "application/senml+json"), *_shared("sensors/usgs-nwis/*.json", "")]
    return _mixed(own, real)


@cache
def rosters() -> tuple[Seed, ...]:
    """Rosters as people keep them; the hint is the suffix of the file."""
    county = small_county()
    shifts = county.shifts
    own = [
        Seed(write_xlsx(shifts, county), ".xlsx"),
        Seed(new_workbook(county.code, county.name), ".xlsx"),
        Seed(write_csv(shifts, county).encode(), ".csv"),
        Seed(OFFICE.encode(), ".csv"),
        Seed(OFFICE.encode("gb18030"), ".csv"),
        Seed(write_yaml(shifts, county).encode(), ".yaml"),
        Seed(write_ical(shifts, county, at=FIRST_SHIFT, with_names=True), ".ics"),
    ]
    return _mixed(own, _shared("ical/*/*.ics", ".ics"))


@cache
def county_files() -> tuple[Seed, ...]:
    """The sheets of the sample county; the hint is the name of the file."""
    names = (
        "county.yaml",
        "duty_year.yaml",
        "regions.csv",
        "units.csv",
        "posts.csv",
        "people.csv",
        "sites.csv",
        "stations.csv",
        "pattern.csv",
    )
    return tuple(Seed((OWN_FOLDER / "sample" / name).read_bytes(), name) for name in names)


@cache
def rule_files() -> tuple[Seed, ...]:
    """The files of the rules; the hint is the name of the file."""
    names = ("presets/mianxian.yaml", "thresholds.yaml", "hazards.yaml", "speech.yaml")
    return tuple(Seed((OWN_FOLDER / name).read_bytes(), name) for name in names)


@cache
def pages() -> tuple[Seed, ...]:
    """Messages on our topics; the hint is the topic."""
    ids = tuple(f"real|letter|{n:020x}" for n in range(5))
    read = [topic.name for topic in TOPICS if topic.reader and topic.carries == "ids"]
    newer = _json({"kind": "page", "schema_version": 9, "topic": "warnings", "ids": ids, "compressed": True})
    return (*(Seed(write_page(name, ids), name) for name in read), Seed(newer, "warnings"))


def window_of(now: datetime) -> tuple[datetime, datetime]:
    """The days that calendars are read for."""
    return now - timedelta(days=400), now + timedelta(days=399)
