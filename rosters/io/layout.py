"""What the columns of a sheet are: found in its header row, or said by a mapping file.

Three layouts are known: one row per day, one column per post, and blocks with the days across the top. A heading that
might mean two posts is refused by name; a mapping file then says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from openpyxl.utils import column_index_from_string

from rosters.county import DUTY_LEADER, DUTY_OFFICER, County
from rosters.io.days import DAY_AND_NIGHT, DayReader, Hours, hours_of, plain, weekday_of
from rosters.io.grid import Grid
from rosters.io.mapping import ROLES, SheetMapping
from rosters.io.report import UnclearError
from streams.words import Level

HEADER_ROWS_MAX = 15
Role = Literal["date", "weekday", "hours", "phone", "unit", "ignore", "people"]
_PLAIN_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("date", re.compile(r"(?:值班|值守)?(?:日期|日子)|date")),
    ("weekday", re.compile(r"星期|周几|周次|礼拜|weekday")),
    ("hours", re.compile(r"班次|时段|(?:值班|值守|起止)?时间|hours")),
    ("phone", re.compile(r".*(?:电话|手机|联系方式|联系号码)(?:号码)?|phone")),
    ("unit", re.compile(r"(?:值班)?(?:单位|部门)|乡镇(?:\(?街道\)?)?|unit")),
    ("ignore", re.compile(r"备注|说明|序号|序|编号|签名|签字|带班地点|职务|note")),
)
_LEADER = re.compile(r"带班|值班领导|领导")
_DEPUTY = re.compile(r"副班|备班|副值|[Bb]角|替班")
_OFFICER = re.compile(r"值班|值守|主班|[Aa]角|白班|夜班|全天")
_LEVELS = (Level.SITE, Level.VILLAGE, Level.TOWNSHIP, Level.COUNTY)


@dataclass(frozen=True)
class Column:
    """What one column (or one row of a block) holds.

    `post` is known where the heading names it; else the post is the one of this `kind` in the row's unit. `deputy`
    marks a column of people who stand beside the holder. `assumed_hours` = the hours follow from a bare word (夜班).
    """

    role: Role
    heading: str = ""
    post: str = ""
    kind: str = ""
    hours: Hours | None = None
    deputy: bool = False
    assumed_hours: bool = False


@dataclass(frozen=True)
class Layout:
    """Where the header ends and what each column holds; `across` = the days stand in the rows, not the columns."""

    first_row: int
    columns: dict[int, Column]
    across: bool = False


class Headings:
    """Understands headings in the words of one county."""

    def __init__(self, county: County, usual: Hours = DAY_AND_NIGHT) -> None:
        self._county, self._usual = county, usual
        self.on_shift = tuple(post for post in county.posts.values() if post.on_shift)
        self._units = {post.unit for post in self.on_shift}

    def unit_in(self, texts: Iterable[str]) -> str:
        """Return the one unit with posts on shift that texts name, the lowest level and longest name first; "" else."""
        found: set[tuple[int, int, str]] = set()
        for text in texts:
            for unit_id in self._units:
                unit = self._county.units[unit_id]
                region = self._county.regions.get(unit.region)
                names = {unit.name} | ({region.name} if region else set())
                length = max((len(name) for name in names if name in text), default=0)
                level = _LEVELS.index(region.level) if region else len(_LEVELS)
                if length:
                    found.add((level, -length, unit_id))
        best = sorted(found)
        if not best:
            return next(iter(self._units)) if len(self._units) == 1 else ""
        tied = [unit for level, length, unit in best if (level, length) == best[0][:2]]
        if len(tied) == 1:
            return tied[0]
        # Of offices that share a region and were named by it, the one that has a duty room is meant.
        rooms = [unit for unit in tied if self._county.duty_post(unit)]
        return rooms[0] if len(rooms) == 1 else ""

    def column(self, heading: str) -> Column | None:
        """Return what a heading says, None where it says nothing that is known.

        Raises:
            UnclearError: It names hours that are none.
        """
        text = re.sub(r"\s", "", plain(heading))
        if not text:
            return None
        if post := self._post_named(text):
            return self._people(text, post, "")
        for role, pattern in _PLAIN_ROLES:
            if pattern.fullmatch(text):
                return Column(role, text)
        people = _LEADER.search(text) or _DEPUTY.search(text) or _OFFICER.search(text)
        if not people:
            return None
        kind = DUTY_LEADER if _LEADER.search(text) else DUTY_OFFICER
        unit = self._unit_exactly_in(text)
        post = self.post_of(unit, kind) if unit else ""
        return self._people(text, post, kind)

    def post_of(self, unit: str, kind: str) -> str:
        """Return the id of the one post on shift of a kind in a unit.

        Raises:
            UnclearError: There is none, or there are several.
        """
        found = [post.id for post in self.on_shift if post.unit == unit and post.kind == kind]
        if len(found) == 1:
            return found[0]
        name = self._county.units[unit].name if unit in self._county.units else unit
        word = "带班领导" if kind == DUTY_LEADER else "值班员"
        if not found:
            raise UnclearError(
                f"{name or '（没写单位）'}没有轮班的{word}岗位", f"{unit or 'no unit'} has no {kind} on shift"
            )
        shown = "、".join(found)
        raise UnclearError(
            f"{name}有几个{word}岗位：{shown}，请在表头写岗位名称", f"{unit} has several {kind}: {shown}"
        )

    def _people(self, text: str, post: str, kind: str) -> Column:
        hours = hours_of(text, self._usual)
        assumed = hours is not None and not re.search(r"\d", text)
        return Column("people", text, post, kind, hours, deputy=bool(_DEPUTY.search(text)), assumed_hours=assumed)

    def _post_named(self, text: str) -> str:
        in_brackets = re.search(r"\(([^()]+)\)", text)
        if in_brackets and in_brackets[1] in self._county.posts:
            return in_brackets[1]
        if text in self._county.posts:
            return text
        named = [post.id for post in self.on_shift if re.sub(r"\s", "", plain(post.name)) == text]
        if len(named) > 1:
            reason = f"表头 {text} 可指 {'、'.join(named)}，请写岗位编号"
            raise UnclearError(reason, f"the heading {text} may mean {', '.join(named)}; write the id of the post")
        return named[0] if named else ""

    def _unit_exactly_in(self, text: str) -> str:
        named = any(self._names_unit(unit, text) for unit in self._units)
        return self.unit_in([text]) if named else ""

    def _names_unit(self, unit_id: str, text: str) -> bool:
        unit = self._county.units[unit_id]
        region = self._county.regions.get(unit.region)
        return unit.name in text or (region is not None and region.name in text)


def find_layout(grid: Grid, headings: Headings, said: SheetMapping, days: DayReader) -> Layout | None:
    """Return the layout of a sheet, None where no row of it looks like a header.

    Raises:
        UnclearError: A heading might mean two posts, or a mapped column does not exist.
    """
    if said.columns:
        return _said_layout(grid, headings, said)
    top = (said.header_row or 1) - 1
    last = top + 1 if said.header_row else min(HEADER_ROWS_MAX, len(grid.rows))
    for row in range(top, last):
        if _is_day_row(grid, row, days):
            return Layout(row, {}, across=True)
        for height in (2, 1):
            columns = _with_date(grid, _columns(grid, headings, row, height), row + height, days)
            roles = [column.role for column in columns.values()]
            if "date" in roles and "people" in roles:
                return Layout(row + height, columns)
    return None


def _columns(grid: Grid, headings: Headings, row: int, height: int) -> dict[int, Column]:
    """Read a header of one row, or of two where the upper one is merged over what the lower one tells apart."""
    if height == 2:
        below = [plain(cell) for cell in grid.rows[row + 1]] if row + 1 < len(grid.rows) else []
        upper = [plain(cell) for cell in grid.rows[row]]
        split = any(cell and cell != upper[n] and (row, n) in grid.merged for n, cell in enumerate(below))
        if not split or not all(not cell or _heading(headings, cell) for cell in below):
            return {}
    found: dict[int, Column] = {}
    for n, cell in enumerate(grid.rows[row]):
        words = [plain(cell)]
        if height == 2 and plain(grid.cell(row + 1, n)) != words[0]:
            words.append(plain(grid.cell(row + 1, n)))
        column = _heading(headings, "".join(words)) or (_heading(headings, words[-1]) if len(words) > 1 else None)
        if column is not None:
            found[n] = column
    return found


def _with_date(grid: Grid, columns: dict[int, Column], below: int, days: DayReader) -> dict[int, Column]:
    """Where no column is headed 日期, take the one headed 时间 for it if a day stands right below."""
    times = [place for place, column in columns.items() if column.role == "hours"]
    if len(times) != 1 or any(column.role == "date" for column in columns.values()):
        return columns
    reader = DayReader(days.year, days.month, days.near, days.epoch)
    try:
        reader.days(grid.cell(below, times[0]), grid.formats.get((below, times[0]), ""))
    except UnclearError:
        return columns
    return columns | {times[0]: Column("date", columns[times[0]].heading)}


def _heading(headings: Headings, text: str) -> Column | None:
    return headings.column(text) if len(text) <= 40 else None


def _said_layout(grid: Grid, headings: Headings, said: SheetMapping) -> Layout:
    columns: dict[int, Column] = {}
    for letter, role in said.columns.items():
        hours = hours_of(said.hours.get(letter, ""))
        place = column_index_from_string(letter) - 1
        if role in ROLES:
            columns[place] = Column(role, letter)  # type: ignore[arg-type]  # ROLES holds the words of Role.
        else:
            columns[place] = Column("people", letter, post=role, hours=hours)
    if said.header_row:
        return Layout(said.header_row, columns)
    dates = [place for place, column in columns.items() if column.role == "date"]
    if not dates:
        raise UnclearError("映射文件没有说哪一列是日期", "the mapping names no date column")
    for row in range(min(HEADER_ROWS_MAX, len(grid.rows))):
        if (heading := headings.column(plain(grid.cell(row, dates[0])))) and heading.role == "date":
            return Layout(row + 1, columns)
    return Layout(0, columns)


def _is_day_row(grid: Grid, row: int, days: DayReader) -> bool:
    """Return whether a row has days across it: at least two cells that are days, and no more than labels before."""
    return len({tuple(found) for found in days_across(grid, row, days).values()}) >= 2


def days_across(grid: Grid, row: int, days: DayReader) -> dict[int, tuple[date, ...]]:
    """Return the days across a row by column; empty where the row holds anything else beside labels."""
    reader = DayReader(days.year, days.month, days.near, days.epoch)
    found: dict[int, tuple[date, ...]] = {}
    for n, cell in enumerate(grid.rows[row]):
        text = plain(cell)
        if not text or (not found and (weekday_of(text) is None and not re.search(r"\d", text))):
            continue
        try:
            found[n] = reader.days(cell, grid.formats.get((row, n), ""))
        except UnclearError:
            return {}
    return found
