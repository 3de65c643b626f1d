"""A county for sheets: three offices with leaders and officers on duty, people with everyday names, two namesakes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from rosters.county import County
from rosters.io.office import Expected
from rosters.io.report import Imported
from rosters.io.xlsx import read_xlsx
from rosters.model import Person, Phone, Post, Region, Shift, Unit
from streams.words import Level

ZONE = ZoneInfo("Asia/Shanghai")
CODE, XIKOU, LIULIN = "419926000000", "419926100000", "419926102000"
EXPECTED = Expected(near=date(2021, 7, 15))
PEOPLE = {
    "p1": ("张三", "+8613800000001"),
    "p2": ("李四", "+8613800000002"),
    "p3": ("王建国", "+8613800000003"),
    "p4": ("赵敏", "+8613800000004"),
    "p5": ("欧阳锋", "+8613800000005"),
    "w1": ("王伟", "+8613900000001"),
    "w2": ("王伟", "+8613900000002"),
}
POSTS = {
    "c-leader": ("county", "县带班领导", "duty_leader", Level.COUNTY, CODE),
    "c-duty": ("county", "县值班室值班员", "duty_officer", Level.COUNTY, CODE),
    "t100-leader": ("t100", "溪口镇带班领导", "duty_leader", Level.TOWNSHIP, XIKOU),
    "t100-duty": ("t100", "溪口镇值班员", "duty_officer", Level.TOWNSHIP, XIKOU),
    "t102-leader": ("t102", "柳林镇带班领导", "duty_leader", Level.TOWNSHIP, LIULIN),
    "t102-duty": ("t102", "柳林镇值班员", "duty_officer", Level.TOWNSHIP, LIULIN),
}


def duty_county(
    shifts: Iterable[Shift] = (), people: dict[str, tuple[str, str]] | None = None, handover: time = time(8)
) -> County:
    return County(
        CODE,
        "禾溪县",
        ZONE,
        regions=[
            Region(code=XIKOU, name="溪口镇", level=Level.TOWNSHIP, parent=CODE),
            Region(code=LIULIN, name="柳林镇", level=Level.TOWNSHIP, parent=CODE),
        ],
        units=[
            Unit(id="county", name="禾溪县应急管理局", region=CODE),
            Unit(id="t100", name="溪口镇人民政府", region=XIKOU, parent="county"),
            Unit(id="t102", name="柳林镇人民政府", region=LIULIN, parent="county"),
        ],
        posts=[
            Post(id=post, unit=unit, name=name, kind=kind, level=level, region=region, on_shift=True)
            for post, (unit, name, kind, level, region) in POSTS.items()
        ],
        people=[
            Person(id=key, name=name, phones=(Phone(number=number, verified=True),))
            for key, (name, number) in (PEOPLE if people is None else people).items()
        ],
        shifts=shifts,
        handover=handover,
    )


def workbook(sheets: dict[str, Sequence[Sequence[Any]]], merged: dict[str, Sequence[str]] | None = None) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for span in (merged or {}).get(name, ()):
            sheet.merge_cells(span)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def read(rows: Sequence[Sequence[Any]], name: str = "7月", merged: Sequence[str] = (), **given: Any) -> Imported:
    expected = Expected(near=given.pop("near", EXPECTED.near), unit=given.pop("unit", ""))
    return read_xlsx(workbook({name: rows}, {name: merged}), duty_county(), expected, **given)


def told(imported: Imported) -> set[tuple[str, str, str, str, str]]:
    """Shifts as (post, person, deputy, local start, local end)."""
    return {
        (
            shift.post,
            shift.person,
            shift.deputy,
            f"{shift.starts_at.astimezone(ZONE):%m-%d %H:%M}",
            f"{shift.ends_at.astimezone(ZONE):%m-%d %H:%M}",
        )
        for shift in imported.shifts
    }


def a_shift(
    post: str, person: str, starts: str, hours: float = 24, deputy: str = "", others: tuple[str, ...] = ()
) -> Shift:
    starts_at = datetime.fromisoformat(starts).replace(tzinfo=ZONE).astimezone(UTC)
    return Shift(
        id=f"{post}@{datetime.fromisoformat(starts):%Y-%m-%dT%H:%M}",
        post=post,
        person=person,
        deputy=deputy,
        others=others,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
    )
