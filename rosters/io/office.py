"""A sheet as an office keeps it, read into shifts: its title, its header, its rows, every refusal with its cell.

A cell that cannot be read costs its own shift and nothing else; what was left out is always told. Where nobody stands
in a cell nobody is on duty: the hole is found by the checks of the roster, not filled here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn

from rosters.county import County
from rosters.io.days import DAY_AND_NIGHT, DayReader, Hours, hours_of, plain, span_of, weekday_of
from rosters.io.grid import Grid
from rosters.io.layout import Column, Headings, Layout, Role, days_across, find_layout
from rosters.io.mapping import SheetMapping
from rosters.io.names import Directory, mentions, phones_in
from rosters.io.report import Placed, Remark, UnclearError
from rosters.io.titles import day_reader, has_year, is_footnote, is_header, starts_block
from rosters.model import Shift

_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Expected:
    """What the caller knows beforehand: whose roster it is ("" = the sheet says), near which day, the usual hours."""

    near: date
    unit: str = ""
    hours: Hours = DAY_AND_NIGHT


@dataclass
class Found:
    """What has been read so far, of all sheets of a file."""

    placed: list[Placed] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    """What one row, or one column of a block, says beside its people."""

    unit: str
    spans: Sequence[tuple[datetime, datetime] | date]
    hours: Hours | None
    phones: tuple[str, ...] = ()


class SheetReader:
    """Reads the sheets of one file into one `Found`."""

    def __init__(self, county: County, expected: Expected, found: Found) -> None:
        self._county, self._expected, self._found = county, expected, found
        self._headings = Headings(county, expected.hours)
        self._directory = Directory(county)
        self._grid = Grid("", ())
        self._deputies: dict[str, tuple[str, str]] = {}

    def read(self, grid: Grid, said: SheetMapping) -> None:
        """Read one sheet; an empty one says nothing and is passed over."""
        if not any(any(cell is not None for cell in row) for row in grid.rows):
            return
        self._grid = grid
        titles = [grid.name, *(plain(cell) for row in grid.rows[:4] for cell in dict.fromkeys(row) if cell)]
        days = day_reader(grid, titles, said, self._expected.near)
        unit = said.unit or self._expected.unit or self._headings.unit_in(titles)
        try:
            layout = find_layout(grid, self._headings, said, days)
        except UnclearError as error:
            self._refuse("", error)
            return
        if layout is None:
            reason = "没有找到表头（要有“日期”和“带班领导”“值班人员”等列），可用映射文件说明各列"
            self._found.refused.append(
                Remark(
                    grid.name, "", reason, "no header row with a date and a post; a mapping file can say the columns"
                )
            )
            return
        if layout.across:
            self._read_blocks(layout, unit, days)
        else:
            self._read_rows(layout, unit, days)
        if days.guessed_year:
            self._note("", f"没有写年份，按最近的读作 {days.last:%Y} 年", f"no year written; read as {days.last:%Y}")
        for column in layout.columns.values():
            if column.assumed_hours:
                self._note(
                    "", f"“{column.heading}”没写时间，按 {column.hours} 读", f"{column.heading} = {column.hours}"
                )

    # Days down the side

    def _read_rows(self, layout: Layout, unit: str, days: DayReader) -> None:
        grid = self._grid
        by_role = {column.role: place for place, column in reversed(layout.columns.items())}
        people = {place: column for place, column in layout.columns.items() if column.role == "people"}
        for row in range(layout.first_row, len(grid.rows)):
            cells = {place: plain(grid.cell(row, place)) for place in layout.columns}
            if not any(cells[place] for place in people) or is_header(cells, layout):
                continue
            if is_footnote(grid, row, cells.get(by_role["date"], "")):
                continue
            try:
                line = self._line(row, cells, by_role, unit, days)
            except UnclearError as error:
                self._refuse(grid.name_of(row, by_role["date"]), error)
                continue
            self._place_people(row, people, cells, line)
            for place in (place for place, column in layout.columns.items() if column.role == "phone"):
                self._look_at_phones(grid.name_of(row, place), cells[place])

    def _line(self, row: int, cells: dict[int, str], by_role: Mapping[Role, int], unit: str, days: DayReader) -> _Line:
        grid, place = self._grid, by_role["date"]
        written_hours = cells.get(by_role.get("hours", -1), "")
        phones = tuple(number for role in by_role if role == "phone" for number in phones_in(cells[by_role[role]]))
        row_unit = unit
        if "unit" in by_role and cells[by_role["unit"]]:
            row_unit = self._headings.unit_in([cells[by_role["unit"]]]) or self._unknown_unit(cells[by_role["unit"]])
        if span := span_of(written_hours):
            return _Line(row_unit, [span], None, phones)
        hours = hours_of(written_hours, self._expected.hours) if written_hours else None
        if written_hours and hours is None and written_hours not in {"全天", "-"}:
            raise UnclearError(f"班次“{written_hours}”看不出几点到几点", f"the shift {written_hours!r} names no hours")
        if not cells[place]:
            if hours is None or days.last is None:
                raise UnclearError("没有日期（若是公式，请先在表格软件里重算并保存）", "no date in this row")
            return _Line(row_unit, [days.last], hours, phones)
        told = days.days(grid.cell(row, place), grid.formats.get((row, place), ""))
        weekday = cells.get(by_role.get("weekday", -1), "") or cells[place]
        self._check_weekday(told, weekday)
        return _Line(row_unit, told, hours, phones)

    def _unknown_unit(self, written: str) -> NoReturn:
        raise UnclearError(f"没有单位“{written}”，或它没有轮班岗位", f"no unit {written!r} with a post on shift")

    def _check_weekday(self, told: Sequence[date], written: str) -> None:
        said = weekday_of(written)
        if said is not None and len(told) == 1 and told[0].weekday() != said:
            day, real = told[0], _WEEKDAYS[told[0].weekday()]
            reason = f"{day:%Y-%m-%d} 是星期{real}，表里写的是星期{_WEEKDAYS[said]}"
            raise UnclearError(reason, f"{day:%Y-%m-%d} is a {day:%A}; the sheet says another weekday")

    def _place_people(self, row: int, people: dict[int, Column], cells: dict[int, str], line: _Line) -> None:
        beside: dict[str, tuple[str, str]] = {}
        for place, column in people.items():
            if column.deputy and cells[place]:
                beside[column.kind or column.post] = (cells[place], self._grid.name_of(row, place))
        used: set[str] = set()
        for place, column in people.items():
            if not column.deputy:
                key = column.kind or column.post
                used.add(key)
                self._place(self._grid.name_of(row, place), column, cells[place], line, beside.get(key))
        for key, (_, cell) in beside.items():
            if key not in used:
                self._refuse(cell, UnclearError("有副班，没有主班的列", "a deputy without a column for the holder"))

    # Days across the top

    def _read_blocks(self, layout: Layout, unit: str, days: DayReader) -> None:
        grid = self._grid
        across: dict[int, tuple[date, ...]] = {}
        block_unit = unit
        for row in range(layout.first_row, len(grid.rows)):
            found = days_across(grid, row, days)
            if len(set(found.values())) >= 2 or (across and found and starts_block(grid, row)):
                across = found
                days.last = next(reversed(found.values()))[-1]
                days.guessed_year = days.guessed_year or (days.year is None and not has_year(grid, row))
                continue
            first = min(across, default=0)
            labels = list(dict.fromkeys(plain(cell) for cell in grid.rows[row][:first] if plain(cell)))
            if not across or not labels:
                continue
            if self._is_weekday_row(row, across):
                continue
            try:
                column = self._headings.column("".join(labels)) or self._headings.column(labels[-1])
                named = self._headings.unit_in(labels[:1]) if len(labels) > 1 else ""
            except UnclearError as error:
                self._refuse(grid.name_of(row, 0), error)
                continue
            if column is None or column.role != "people":
                if column is None and any(plain(grid.cell(row, place)) for place in across) and len(labels[0]) < 20:
                    reason = f"看不懂行标题“{''.join(labels)}”"
                    self._refuse(grid.name_of(row, 0), UnclearError(reason, f"unknown heading {''.join(labels)!r}"))
                continue
            for place, told in across.items():
                line = _Line(named or block_unit, told, column.hours)
                self._place(grid.name_of(row, place), column, plain(grid.cell(row, place)), line, None)

    def _is_weekday_row(self, row: int, across: dict[int, tuple[date, ...]]) -> bool:
        said = {place: weekday_of(plain(self._grid.cell(row, place))) for place in across}
        if all(weekday is None for weekday in said.values()):
            return False
        for place, told in list(across.items()):
            try:
                self._check_weekday(told, plain(self._grid.cell(row, place)))
            except UnclearError as error:
                self._refuse(self._grid.name_of(row, place), error)
                del across[place]
        return True

    # People

    def _place(self, cell: str, column: Column, written: str, line: _Line, beside: tuple[str, str] | None) -> None:
        try:
            people = self._people(written, line, beside)
            if not people:
                return
            post = column.post or self._headings.post_of(line.unit, column.kind)
        except UnclearError as error:
            self._refuse(cell, error)
            return
        if len(people) > 2:
            rest = "、".join(self._county.people[person].name for person in people[2:])
            self._note(
                cell, f"一个岗位只叫两人，没有排入：{rest}", f"a post has a holder and a deputy; left out: {rest}"
            )
        for span in line.spans:
            starts_at, ends_at = self._bounds(span, column.hours or line.hours or self._expected.hours)
            if ends_at <= starts_at:
                self._refuse(cell, UnclearError("班次的结束不晚于开始", "the shift ends no later than it starts"))
                continue
            shift = Shift(
                id=shift_id(self._county, post, starts_at),
                post=post,
                person=people[0],
                deputy=people[1] if len(people) > 1 else "",
                starts_at=starts_at,
                ends_at=ends_at,
            )
            self._found.placed.append(Placed(shift, self._grid.name, cell))

    def _people(self, written: str, line: _Line, beside: tuple[str, str] | None) -> list[str]:
        people = [self._directory.find(one, line.phones) for one in mentions(written)]
        if people and beside is not None:
            people[1:1] = [self._directory.find(one) for one in mentions(beside[0])]
        if len(set(people)) < len(people):
            raise UnclearError("同一人写了两次", "one person is written twice")
        return people

    def _bounds(self, span: tuple[datetime, datetime] | date, hours: Hours) -> tuple[datetime, datetime]:
        zone = self._county.zone
        if isinstance(span, tuple):
            starts, ends = span
        else:
            midnight = datetime.combine(span, time())
            starts = midnight + timedelta(minutes=hours.starts_min)
            ends = midnight + timedelta(minutes=hours.ends_min)
        return starts.replace(tzinfo=zone).astimezone(UTC), ends.replace(tzinfo=zone).astimezone(UTC)

    def _look_at_phones(self, cell: str, written: str) -> None:
        if not all(self._directory.knows_number(one) for one in phones_in(written)):
            self._note(cell, "这里的电话名册里没有，没有采用", "a phone that is not on file was not taken")

    def _refuse(self, cell: str, error: UnclearError) -> None:
        self._found.refused.append(Remark(self._grid.name, cell, error.reason, error.english))

    def _note(self, cell: str, reason: str, english: str) -> None:
        self._found.notes.append(Remark(self._grid.name, cell, reason, english))


def shift_id(county: County, post: str, starts_at: datetime) -> str:
    """Return the id of a shift: its post and its local start, as `rosters/load.py` makes it."""
    return f"{post}@{starts_at.astimezone(county.zone):%Y-%m-%dT%H:%M}"
