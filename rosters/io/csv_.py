"""Rosters as CSV: the house's own shifts.csv, and what an office's spreadsheet saves as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from rosters.county import County
from rosters.io.grid import Grid, grid_of_csv
from rosters.io.mapping import Mapping
from rosters.io.office import Expected, Found, SheetReader, shift_id
from rosters.io.report import Imported, Placed, Remark, UnclearError, settle
from rosters.model import Shift

COLUMNS = ("post", "person", "deputy", "starts_at", "ends_at")
_CLOCK = "%Y-%m-%d %H:%M"


def read_csv(
    content: bytes, county: County, expected: Expected, mapping: Mapping | None = None, name: str = "CSV"
) -> Imported:
    """Read the shifts of a CSV file; one without the columns of shifts.csv is read as an office's sheet.

    Args:
        content: Of the file, in UTF-8 or GB 18030.
        county: Its posts and people are the only ones that are found.
        expected: As for a workbook.
        mapping: As for a workbook; its sheet is `name` or "*".
        name: What the file is called in remarks.

    Raises:
        RosterFileError: It is no CSV.
    """
    grid = grid_of_csv(content, name)
    found = Found()
    header = [str(cell or "").strip() for cell in grid.rows[0]] if grid.rows else []
    if {"post", "person", "starts_at", "ends_at"} <= set(header):
        _read_own(grid, header, county, found)
    else:
        SheetReader(county, expected, found).read(grid, (mapping or Mapping()).of(name))
    return settle(found.placed, found.refused, found.notes)


def write_csv(shifts: Iterable[Shift], county: County) -> str:
    """Return shifts.csv as `rosters/load.py` reads it: times in the county's zone."""
    text = io.StringIO(newline="")
    ordered = sorted(shifts, key=lambda shift: (shift.post, shift.starts_at))
    more = ("others",) if any(shift.others for shift in ordered) else ()
    writer = csv.DictWriter(text, (*COLUMNS, *more), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for shift in ordered:
        writer.writerow(row_of(shift, county))
    return text.getvalue()


def row_of(shift: Shift, county: County) -> dict[str, str]:
    """Return a shift as the columns of shifts.csv."""
    starts, ends = shift.starts_at.astimezone(county.zone), shift.ends_at.astimezone(county.zone)
    times = {"starts_at": f"{starts:{_CLOCK}}", "ends_at": f"{ends:{_CLOCK}}"}
    others = {"others": "|".join(shift.others)}
    return {"post": shift.post, "person": shift.person, "deputy": shift.deputy, **times, **others}


def shift_of(row: dict[str, str], county: County) -> Shift:
    """Return the shift of a row of shifts.csv.

    Raises:
        UnclearError: The post or a person is not in the county, or a time is not written 2021-07-19 08:00.
    """
    post = county.posts.get(row.get("post", ""))
    if post is None or not post.on_shift:
        shown = row.get("post", "")
        raise UnclearError(f"没有轮班岗位 {shown!r}", f"no post on shift called {shown!r}")
    person, deputy = row.get("person", ""), row.get("deputy", "")
    others = tuple(part.strip() for part in row.get("others", "").split("|") if part.strip())
    for one in (person, deputy, *others):
        if one not in county.people and (one or one is person):
            raise UnclearError(f"没有编号为 {one!r} 的人员", f"nobody on file has the id {one!r}")
    if len({person, deputy, *others}) < len(others) + 2:
        raise UnclearError(
            "同一人不能写两次，也不能没有 B 角就有其他人", "one person twice, or others without a deputy"
        )
    starts_at, ends_at = (_local(row.get(column, ""), county) for column in ("starts_at", "ends_at"))
    if ends_at <= starts_at:
        raise UnclearError("班次的结束不晚于开始", "the shift ends no later than it starts")
    return Shift(
        id=shift_id(county, post.id, starts_at),
        post=post.id,
        person=person,
        deputy=deputy,
        others=others,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def _read_own(grid: Grid, header: list[str], county: County, found: Found) -> None:
    for n, cells in enumerate(grid.rows[1:], start=1):
        row = {column: str(cell or "").strip() for column, cell in zip(header, cells, strict=False)}
        if not any(row.values()):
            continue
        try:
            found.placed.append(Placed(shift_of(row, county), grid.name, grid.name_of(n, 0)))
        except UnclearError as error:
            found.refused.append(Remark(grid.name, grid.name_of(n, 0), error.reason, error.english))


def _local(written: str, county: County) -> datetime:
    try:
        return datetime.strptime(written, _CLOCK).replace(tzinfo=county.zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        reason = f"时间 {written!r} 应写作 2021-07-19 08:00"
        raise UnclearError(reason, f"the time {written!r} should be written 2021-07-19 08:00") from error
