"""What a sheet says outside its rows of duty: year and month in its title, repeated headers, notes below the table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from rosters.io.days import DayReader, plain
from rosters.io.grid import Grid
from rosters.io.layout import Layout
from rosters.io.mapping import SheetMapping

_TITLE_MONTH = re.compile(r"(?:(20\d{2})[年.\-/]?)?(?:度)?(?<!\d)(1[0-2]|0?[1-9])月(?:份)?")
_TITLE_YEAR = re.compile(r"(20\d{2})\s*年")
_NOTE = re.compile(r"备注|注:|说明|制表|审核|填表|值班电话|联系电话|值班要求")


def is_footnote(grid: Grid, row: int, day: str) -> bool:
    """Return whether a row is one sentence merged across the sheet, or begins like 备注: and 制表:."""
    cells = {plain(cell) for cell in grid.rows[row] if plain(cell)}
    sentence = len(cells) == 1 and not re.search(r"^\d", day) and len(next(iter(cells))) > 1
    return sentence or _NOTE.match(day) is not None


def day_reader(grid: Grid, titles: Iterable[str], said: SheetMapping, near: date) -> DayReader:
    """Return a reader of days that knows what the titles say, and the day near which the roster lies."""
    year, month = said.year, said.month
    for title in titles:
        if len(title) > 60 or (found := _TITLE_MONTH.search(title)) is None:
            continue
        if re.search(r"月\d", title):
            # A day, not a month: 7月19日 in a data row says nothing about the sheet.
            continue
        month = month or int(found[2])
        year = year or (int(found[1]) if found[1] else None)
        break
    if year is None:
        years = {found[1] for title in titles if len(title) <= 60 and (found := _TITLE_YEAR.search(title))}
        year = int(years.pop()) if len(years) == 1 else None
    near = date(year or near.year, month, 15) if month else near
    return DayReader(year, month, near, grid.epoch)


def is_header(cells: dict[int, str], layout: Layout) -> bool:
    """Return whether a row repeats the header, as printed lists do on every page."""
    said = [cells[place] == column.heading for place, column in layout.columns.items() if cells[place]]
    return len(said) > 1 and all(said)


def starts_block(grid: Grid, row: int) -> bool:
    """Return whether a row with a single day begins a block: its label says 日期 or 星期 or nothing."""
    return plain(grid.cell(row, 0)) in {"", "日期", "时间", "星期"}


def has_year(grid: Grid, row: int) -> bool:
    """Return whether a row of days says its year."""
    return any(not isinstance(cell, str) or re.search(r"\d{4}", cell) for cell in grid.rows[row] if cell is not None)
