"""What a sheet says outside its rows of duty: year and month in its title, repeated headers, notes below the table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from rosters.io.days import DayReader, plain
from rosters.io.grid import Grid
from rosters.io.layout import Layout, Role
from rosters.io.mapping import SheetMapping

_TITLE_MONTH = re.compile(r"(?:(20\d{2})[年.\-/]?)?(?:度)?(?<!\d)(1[0-2]|0?[1-9])月(?:份)?")
_TITLE_YEAR = re.compile(r"(20\d{2})\s*年")
NAMES_MAX = 12
_OFFICE = re.compile(r"[镇乡局委办所站院]|街道|中心|政府")
_NOTE = re.compile(r"备注|注:|说明|制表|审核|填表|值班电话|联系电话|值班要求")


def is_footnote(grid: Grid, row: int, day: str, people: Collection[int]) -> bool:
    """Return whether a row is one sentence that stands across the sheet, or begins like 备注: and 制表:.

    A name that stands alone in a column of people is none: it is a day's duty without its day, and must be refused.
    """
    texts = [(n, plain(cell)) for n, cell in enumerate(grid.rows[row]) if plain(cell)]
    if _NOTE.match(day) or (texts and _NOTE.match(texts[0][1])):
        return True
    alone = len(texts) == 1 and texts[0][0] in people and len(texts[0][1]) <= NAMES_MAX
    sentence = len({text for _, text in texts}) == 1 and not re.search(r"^\d", day) and len(texts[0][1]) > 1
    return sentence and not alone


def rows_of_days(grid: Grid, layout: Layout, by_role: Mapping[Role, int]) -> Iterator[tuple[int, ...]]:
    """Yield the rows below a header, those together whose day is one merged cell and whose hours are the same."""
    together: tuple[int, ...] = ()
    for row in range(layout.first_row, len(grid.rows)):
        if together and _is_one_day(grid, together[-1], row, by_role):
            together += (row,)
            continue
        if together:
            yield together
        together = (row,)
    if together:
        yield together


def _is_one_day(grid: Grid, above: int, below: int, by_role: Mapping[Role, int]) -> bool:
    day = by_role["date"]
    merged = (above, day) in grid.merged and (below, day) in grid.merged
    same = [place for role, place in by_role.items() if role in {"date", "hours", "unit"}]
    fits = all(plain(grid.cell(above, place)) == plain(grid.cell(below, place)) for place in same)
    # A sentence merged down over two rows is no day.
    return merged and fits and len({plain(cell) for cell in grid.rows[below] if plain(cell)}) > 1


def section_heading(grid: Grid, row: int, layout: Layout) -> str:
    """Return what a row says that stands right above a repeated header: whose rows follow; "" where it is none."""
    texts = {plain(cell) for cell in grid.rows[row] if plain(cell)}
    if len(texts) != 1 or row + 1 >= len(grid.rows):
        return ""
    below = {place: plain(grid.cell(row + 1, place)) for place in layout.columns}
    return next(iter(texts)) if is_header(below, layout) else ""


def names_an_office(heading: str) -> bool:
    """Return whether a heading seems to name an office, be it known or not: 柳林镇, 水利局值班表."""
    return _OFFICE.search(heading) is not None


def phones_beside(place: int, layout: Layout) -> tuple[int, ...]:
    """Return the columns of phones that belong to a column of people: of several, those up to the next people."""
    phones = [n for n, column in layout.columns.items() if column.role == "phone"]
    if len(phones) < 2:
        return tuple(phones)
    following = [n for n, column in layout.columns.items() if column.role == "people" and n > place]
    return tuple(n for n in phones if place < n < min(following, default=n + 1))


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
