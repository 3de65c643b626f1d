"""Loading a county from its folder of sheets, strictly, and saying whether it is ready to call.

A folder with a fault is refused whole, with every fault at once: half a roster calls half a county. What the sheets
allow but a night would not forgive (nobody on duty on Thursday) is told by `check_county` and refuses nothing.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import Field, ValidationError, field_validator

from rosters.county import County
from rosters.crosscheck import Sheets, cross_check
from rosters.model import Knocker, Person, Post, Region, Shift, Site, Station, Unit
from rosters.pattern import Turn, shifts_of_pattern
from rosters.sheets import HINTS, CountyError, Fault, Folder, line_of_key
from streams.ids import digest
from streams.words import Model

CARD = "county.yaml"


class Card(Model):
    """County.yaml: the county itself. `handover` is the local time at which the turns of pattern.csv change."""

    code: str = Field(pattern=r"^\d{6}0{6}$")
    name: str
    timezone: str = "Asia/Shanghai"
    handover: time = time(8, 0)

    @field_validator("code", mode="before")
    @classmethod
    def _code_is_text(cls, code: Any) -> Any:
        return str(code) if isinstance(code, int) else code

    @field_validator("handover", mode="before")
    @classmethod
    def _time_is_quoted(cls, written: Any) -> Any:
        # Unquoted, YAML reads 10:00 as the number 600, which would pass for ten past midnight.
        if isinstance(written, str) and re.fullmatch(r"\d\d:\d\d", written):
            return written
        raise ValueError(written)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(name)
        return name


def load_county(folder: Path, around: datetime | None = None) -> County:
    """Load a county from county.yaml and its CSV sheets; config/sample/README.md tells what stands in them.

    Args:
        folder: Holds county.yaml, regions.csv, units.csv, posts.csv and people.csv, and where there are any
            sites.csv, shifts.csv, pattern.csv, knockers.csv and stations.csv.
        around: Aware. Given, the turns of pattern.csv become shifts from 35 days before it to 100 days after it, where
            shifts.csv says nothing; without it only written shifts exist. A long-running service loads anew each day.

    Returns:
        The county. Its version names the content of the files and does not depend on `around`.

    Raises:
        CountyError: The folder has faults; all of them are in it.
    """
    with _uncollected():
        return _load(folder, around)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector still: of the millions of rows being made none is garbage, and looking costs as much again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(folder: Path, around: datetime | None) -> County:
    files = Folder(folder)
    card = _read_card(files)
    zone = ZoneInfo(card.timezone if card else "Asia/Shanghai")
    sheets = _read_sheets(files, zone)
    # A row that could not be read would make everything that names it look dangling too.
    if card and not files.faults:
        cross_check(files, sheets, card.code)
    if card is None or files.faults:
        raise CountyError(folder, files.faults)
    shifts = [row.item for row in sheets.shifts]
    if around is not None:
        shifts += shifts_of_pattern((row.item for row in sheets.turns), shifts, card.handover, zone, around)
    return County(
        code=card.code,
        name=card.name,
        timezone=zone,
        regions=[row.item for row in sheets.regions],
        units=[row.item for row in sheets.units],
        posts=[row.item for row in sheets.posts],
        people=[row.item for row in sheets.people],
        shifts=shifts,
        sites=[row.item for row in sheets.sites],
        knockers=[row.item for row in sheets.knockers],
        stations=[row.item for row in sheets.stations],
        handover=card.handover,
        version=digest(*(part for file in sorted(files.contents) for part in (file, files.contents[file]))),
    )


def check_county(county: County, at: datetime, days: int, language: Literal["zh", "en"] = "zh") -> tuple[str, ...]:
    """Return what stands between this county and a night of calls, one sentence each; nothing = ready.

    Looked at: shifts without anybody in the `days` days from `at` (aware), standing posts without a holder, people who
    stand somewhere and have no phone, and mobile phones that several people share (information: one call speaks for
    all of them).
    """
    chinese = language == "zh"
    found = [*_empty_posts(county, at, at + timedelta(days=days)), *_silent_people(county), *_shared_mobiles(county)]
    return tuple(in_chinese if chinese else in_english for in_chinese, in_english in found)


def _empty_posts(county: County, from_at: datetime, until_at: datetime) -> Iterator[tuple[str, str]]:
    for post in county.posts.values():
        if not post.on_shift and not post.holders:
            yield f"没有责任人：{post.name}（{post.id}）", f"no holder: {post.id}"
        for gap in county.gaps(post.id, from_at, until_at):
            span = " – ".join(f"{bound.astimezone(county.zone):%Y-%m-%d %H:%M}" for bound in gap)
            yield f"无人值班：{post.name}（{post.id}），{span}", f"nobody on duty: {post.id}, {span}"


def _silent_people(county: County) -> Iterator[tuple[str, str]]:
    for person in county.people.values():
        if not person.phones and county.stands(person.id):
            yield f"没有电话：{person.name}（{person.id}）", f"no phone: {person.id}"


def _shared_mobiles(county: County) -> Iterator[tuple[str, str]]:
    owners: dict[str, list[Person]] = {}
    for person in county.people.values():
        for phone in person.phones:
            if phone.kind == "mobile":
                owners.setdefault(phone.number, []).append(person)
    for sharing in owners.values():
        if len(sharing) > 1:
            names, ids = "、".join(one.name for one in sharing), ", ".join(one.id for one in sharing)
            yield f"共用一部手机（提示）：{names}（{ids}）", f"one mobile shared (for information): {ids}"


def _read_card(files: Folder) -> Card | None:
    text = files.text_of(CARD, must_exist=True)
    if CARD not in files.contents:
        return None
    try:
        return Card.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        for problem in error.errors():
            files.faults.append(_card_fault(text, str(next(iter(problem["loc"]), "")), problem["type"]))
    # A day that is none is a ValueError to the YAML reader, and brackets without end are too deep for it.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        files.faults.append(Fault(CARD, line, "不是合格的 YAML", "not well-formed YAML"))
    return None


def _card_fault(text: str, key: str, problem: str) -> Fault:
    if not key:
        return Fault(CARD, 1, "应逐行写“键: 值”", "should hold lines of the form key: value")
    reason, english = {
        "missing": ("不能缺少", "must not be missing"),
        "extra_forbidden": ("不认识的键", "unknown key"),
    }.get(problem, HINTS.get(key, ("值不合规定", "is not an accepted value")))
    return Fault(CARD, line_of_key(text, key), f"{key}：{reason}", f"{key}: {english}")


def _read_sheets(files: Folder, zone: ZoneInfo) -> Sheets:
    @cache  # All posts hand over at the same few instants, and reading a time costs more than all else in a row.
    def local(cell: str) -> datetime:
        return datetime.strptime(cell, "%Y-%m-%d %H:%M").replace(tzinfo=zone).astimezone(UTC)

    @cache
    def day_of(starts_at: datetime) -> str:
        return starts_at.astimezone(zone).isoformat(timespec="minutes")[:16]

    def shift_id(row: Mapping[str, Any]) -> str:
        # A row without post or start has a fault of its own, which is told where they are checked.
        return f"{row.get('post')}@{day_of(row['starts_at'])}" if "starts_at" in row else ""

    return Sheets(
        regions=files.rows("regions.csv", Region, {"danger": _yes_or_no}, must_exist=True),
        units=files.rows("units.csv", Unit, must_exist=True),
        sites=files.rows("sites.csv", Site),
        posts=files.rows("posts.csv", Post, {"on_shift": _yes_or_no, "holders": _joined}, must_exist=True),
        people=files.rows("people.csv", Person, {"phones": _phones}, must_exist=True),
        shifts=files.rows(
            "shifts.csv", Shift, {"starts_at": local, "ends_at": local, "others": _joined}, {"id": shift_id}
        ),
        turns=files.rows("pattern.csv", Turn),
        knockers=files.rows("knockers.csv", Knocker),
        stations=files.rows("stations.csv", Station),
    )


def _yes_or_no(cell: str) -> bool:
    words = {"yes": True, "是": True, "no": False, "否": False}
    if cell.lower() not in words:
        raise ValueError(cell)
    return words[cell.lower()]


def _joined(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _phones(cell: str) -> tuple[dict[str, Any], ...]:
    phones = []
    for part in _joined(cell):
        # A simulated number has a colon of its own, so the kind is what stands behind the last one.
        number, _, kind = part.rpartition(":")
        if kind not in {"mobile", "landline"}:
            raise ValueError("kind")
        phones.append({"number": number, "kind": kind})
    return tuple(phones)
