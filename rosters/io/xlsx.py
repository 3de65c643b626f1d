"""Rosters in .xlsx workbooks: read in the layouts offices use, written with one row per day.

What is written can be read back into the same shifts. It must never write a formula: what stands in a cell is data.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from rosters.county import DUTY_LEADER, DUTY_OFFICER, County
from rosters.io.days import DAY_AND_NIGHT, Hours
from rosters.io.grid import grids_of_xlsx
from rosters.io.mapping import Mapping
from rosters.io.names import Directory
from rosters.io.office import Expected, Found, SheetReader
from rosters.io.report import Imported, settle
from rosters.model import Post, Shift

_WEEKDAYS = "一二三四五六日"
_HEAD = PatternFill("solid", fgColor="DDEBF7")


def read_xlsx(content: bytes, county: County, expected: Expected, mapping: Mapping | None = None) -> Imported:
    """Read the shifts of a workbook.

    Args:
        content: Of the .xlsx file.
        county: Its posts and people are the only ones that are found.
        expected: Whose roster it is where no title says, near which day, and the usual hours.
        mapping: What a person says about columns that the headers leave unclear.

    Raises:
        RosterFileError: It is no workbook.
    """
    found = Found()
    reader = SheetReader(county, expected, found)
    for grid in grids_of_xlsx(content):
        reader.read(grid, (mapping or Mapping()).of(grid.name))
    return settle(found.placed, found.refused, found.notes)


def write_xlsx(shifts: Iterable[Shift], county: County, usual: Hours = DAY_AND_NIGHT) -> bytes:
    """Return a workbook with one sheet per unit and one row per day and hours.

    Args:
        shifts: Of posts of the county; times to the minute.
        county: Names the posts and people.
        usual: Hours that need not be written beside the day.
    """
    by_unit: dict[str, list[Shift]] = {}
    for shift in shifts:
        by_unit.setdefault(county.posts[shift.post].unit, []).append(shift)
    book = Workbook()
    book.remove(book.worksheets[0])
    directory = Directory(county)
    for unit in sorted(by_unit):
        sheet = book.create_sheet(_sheet_name(county.units[unit].name, {each.title for each in book.worksheets}))
        _write_unit(sheet, by_unit[unit], county, directory, usual)
    if not book.worksheets:
        book.create_sheet("值班表")
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write_unit(sheet: Worksheet, shifts: list[Shift], county: County, directory: Directory, usual: Hours) -> None:
    posts = [county.posts[post] for post in sorted({shift.post for shift in shifts})]
    posts.sort(key=lambda post: (post.kind != DUTY_LEADER, post.kind != DUTY_OFFICER, post.id))
    headings = ["日期", "星期", "班次", *(_heading(post, county) for post in posts), "电话"]
    sheet.append([f"{county.units[posts[0].unit].name}值班表"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(headings))
    sheet["A1"].font, sheet["A1"].alignment = Font(bold=True, size=14), Alignment(horizontal="center")
    sheet.append(headings)
    for cell in sheet[2]:
        cell.font, cell.fill = Font(bold=True), _HEAD
    for (starts_at, ends_at, _), row in sorted(_rows(shifts).items()):
        starts, ends = starts_at.astimezone(county.zone), ends_at.astimezone(county.zone)
        people = ["、".join(directory.written(one) for one in _people(row.get(post.id))) for post in posts]
        phones = [_first_phone(row[post.id].person, county) for post in posts if post.id in row]
        told = "、".join(dict.fromkeys(phone for phone in phones if phone))
        weekday = _WEEKDAYS[starts.weekday()]
        sheet.append([starts.date(), weekday, _hours(starts, ends, usual), *people, told])
        sheet.cell(sheet.max_row, 1).number_format = "yyyy-mm-dd"
    sheet.freeze_panes = "A3"
    for n in range(1, len(headings) + 1):
        sheet.column_dimensions[get_column_letter(n)].width = 14 if n != 2 else 6


def _rows(shifts: Iterable[Shift]) -> dict[tuple[datetime, datetime, int], dict[str, Shift]]:
    """Group shifts that begin and end together into rows; what would stand in one cell twice gets a row of its own."""
    rows: dict[tuple[datetime, datetime, int], dict[str, Shift]] = {}
    for shift in shifts:
        n = 0
        while shift.post in rows.setdefault((shift.starts_at, shift.ends_at, n), {}):
            n += 1
        rows[shift.starts_at, shift.ends_at, n][shift.post] = shift
    return rows


def _people(shift: Shift | None) -> list[str]:
    return list(shift.people) if shift else []


def _hours(starts: datetime, ends: datetime, usual: Hours) -> str:
    midnight = starts.replace(hour=0, minute=0, tzinfo=None)
    hours = Hours(starts.hour * 60 + starts.minute, int((ends.replace(tzinfo=None) - midnight) / timedelta(minutes=1)))
    if hours == usual:
        return str(usual)
    same_clock = (ends - starts) == (ends.astimezone(UTC) - starts.astimezone(UTC))
    if same_clock and hours.starts_min < hours.ends_min < 2880:
        return str(hours)
    return f"{starts:%Y-%m-%d %H:%M} 至 {ends:%Y-%m-%d %H:%M}"


def _first_phone(person_id: str, county: County) -> str:
    person = county.people.get(person_id)
    return person.phones[0].number if person and person.phones else ""


def _heading(post: Post, county: County) -> str:
    alike = [one for one in county.posts.values() if one.on_shift and (one.unit, one.kind) == (post.unit, post.kind)]
    units = [unit for unit in county.units.values() if unit.name == county.units[post.unit].name]
    if len(alike) == 1 and len(units) == 1 and post.kind in {DUTY_LEADER, DUTY_OFFICER}:
        return "带班领导" if post.kind == DUTY_LEADER else "值班人员"
    return f"{post.name}({post.id})"


def _sheet_name(name: str, taken: set[str]) -> str:
    # Excel allows 31 characters and none of these in the name of a sheet.
    bare = re.sub(r"[\\/*?:\[\]]", " ", name).strip(" '")[:28] or "值班表"
    unique = bare
    n = 2
    while unique in taken:
        unique, n = f"{bare}{n}", n + 1
    return unique
