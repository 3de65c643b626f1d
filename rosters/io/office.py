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
from rosters.io.titles import (
    day_reader,
    has_year,
    is_footnote,
    is_header,
    names_an_office,
    phones_beside,
    rows_of_days,
    section_heading,
    starts_block,
)
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


@dataclass(frozen=True)
class _Written:
    """A cell that names people: what it is called, what stands in it, and the phones written beside it."""

    cell: str
    text: str
    phones: tuple[str, ...] = ()


class _CellError(Exception):
    """A cell, of several that belong together, that nobody but a person can read."""

    def __init__(self, cell: str, unclear: UnclearError) -> None:
        self.cell, self.unclear = cell, unclear
        super().__init__(cell)


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
        phones = {place: phones_beside(place, layout) for place in people}
        here: str | None = unit
        for rows in rows_of_days(grid, layout, by_role):
            row = rows[0]
            cells = {place: plain(grid.cell(row, place)) for place in layout.columns}
            if heading := section_heading(grid, row, layout):
                here = self._unit_of_section(heading, here, grid.name_of(row, 0))
                continue
            written = {place: self._written(rows, place, phones[place]) for place in people}
            if not any(written.values()) or is_header(cells, layout):
                continue
            if is_footnote(grid, row, cells.get(by_role["date"], ""), set(people)):
                continue
            try:
                line = self._line(row, cells, by_role, here, days)
            except UnclearError as error:
                self._refuse(grid.name_of(row, by_role["date"]), error)
                continue
            self._place_people(people, written, line)
            for place in (place for place, column in layout.columns.items() if column.role == "phone"):
                for each in rows:
                    self._look_at_phones(grid.name_of(each, place), plain(grid.cell(each, place)))

    def _unit_of_section(self, heading: str, before: str | None, cell: str) -> str | None:
        """Return whose rows follow a heading within the sheet; None where it names an office that is not known."""
        named = self._headings.unit_in([heading])
        if named or not names_an_office(heading):
            return named or before
        self._refuse(cell, UnclearError(f"没有单位“{heading}”，下面的行没有读", f"no unit {heading!r}: rows left out"))
        return None

    def _written(self, rows: Sequence[int], place: int, phones: Sequence[int]) -> list[_Written]:
        """Return the cells of one column that belong to one day; a cell that is merged over them counts once."""
        grid, found = self._grid, []
        for n, row in enumerate(rows):
            text = plain(grid.cell(row, place))
            again = n > 0 and (row, place) in grid.merged and text == plain(grid.cell(rows[n - 1], place))
            if text and not again:
                beside = tuple(number for column in phones for number in phones_in(grid.cell(row, column)))
                found.append(_Written(grid.name_of(row, place), text, beside))
        return found

    def _line(
        self, row: int, cells: dict[int, str], by_role: Mapping[Role, int], unit: str | None, days: DayReader
    ) -> _Line:
        grid, place = self._grid, by_role["date"]
        written_hours = cells.get(by_role.get("hours", -1), "")
        row_unit = unit
        if "unit" in by_role and cells[by_role["unit"]]:
            row_unit = self._headings.unit_in([cells[by_role["unit"]]]) or self._unknown_unit(cells[by_role["unit"]])
        if row_unit is None:
            raise UnclearError("不知是哪个单位的", "it is not known whose row this is")
        if span := span_of(written_hours) or days.span(grid.cell(row, place)):
            return _Line(row_unit, [span], None)
        hours = hours_of(written_hours, self._expected.hours) if written_hours else None
        if written_hours and hours is None and written_hours not in {"全天", "-"}:
            raise UnclearError(f"班次“{written_hours}”看不出几点到几点", f"the shift {written_hours!r} names no hours")
        if not cells[place]:
            if hours is None or days.last is None:
                raise UnclearError("没有日期（若是公式，请先在表格软件里重算并保存）", "no date in this row")
            return _Line(row_unit, [days.last], hours)
        told = days.days(grid.cell(row, place), grid.formats.get((row, place), ""))
        weekday = cells.get(by_role.get("weekday", -1), "") or cells[place]
        self._check_weekday(told, weekday)
        return _Line(row_unit, told, hours)

    def _unknown_unit(self, written: str) -> NoReturn:
        raise UnclearError(f"没有单位“{written}”，或它没有轮班岗位", f"no unit {written!r} with a post on shift")

    def _check_weekday(self, told: Sequence[date], written: str) -> None:
        said = weekday_of(written)
        if said is not None and len(told) == 1 and told[0].weekday() != said:
            day, real = told[0], _WEEKDAYS[told[0].weekday()]
            reason = f"{day:%Y-%m-%d} 是星期{real}，表里写的是星期{_WEEKDAYS[said]}"
            raise UnclearError(reason, f"{day:%Y-%m-%d} is a {day:%A}; the sheet says another weekday")

    def _place_people(self, people: dict[int, Column], written: Mapping[int, list[_Written]], line: _Line) -> None:
        beside: dict[str, list[_Written]] = {}
        for place, column in people.items():
            if column.deputy and written[place]:
                beside[column.kind or column.post] = written[place]
        used: set[str] = set()
        for place, column in people.items():
            if not column.deputy:
                key = column.kind or column.post
                used.add(key)
                self._place(column, written[place], line, beside.get(key, ()))
        for key, cells in beside.items():
            if key not in used:
                error = UnclearError("有副班，没有主班的列", "a deputy without a column for the holder")
                self._refuse(cells[0].cell, error)

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
            if not across or self._is_weekday_row(row, across):
                continue
            if not labels:
                if not is_footnote(grid, row, "", set(across)):
                    self._refuse_unlabelled(row, across)
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
                self._place(column, self._written([row], place, ()), line, ())

    def _refuse_unlabelled(self, row: int, across: Mapping[int, object]) -> None:
        """Refuse names below days with nothing beside them that says whose duty it is, as wall calendars have them."""
        for place in across:
            if plain(self._grid.cell(row, place)):
                reason = "没有行标题，不知是带班还是值班：请在左边加一列写明"
                english = "no heading says whose duty this is: add a column on the left that does"
                self._refuse(self._grid.name_of(row, place), UnclearError(reason, english))

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

    def _place(self, column: Column, written: Sequence[_Written], line: _Line, beside: Sequence[_Written]) -> None:
        if not written:
            return
        cell = written[0].cell
        try:
            people = self._people(written, beside)
            if not people:
                return
            post = column.post or self._headings.post_of(line.unit, column.kind)
        except _CellError as error:
            self._refuse(error.cell, error.unclear)
            return
        except UnclearError as error:
            self._refuse(cell, error)
            return
        if len(people) > 2:
            rest = "、".join(self._county.people[person].name for person in people[2:])
            self._note(cell, f"依次叫前两人，其余备补：{rest}", f"the first two are called; in reserve: {rest}")
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
                others=tuple(people[2:]),
                starts_at=starts_at,
                ends_at=ends_at,
            )
            self._found.placed.append(Placed(shift, self._grid.name, cell))

    def _people(self, written: Sequence[_Written], beside: Sequence[_Written]) -> list[str]:
        people = [person for one in written for person in self._found_in(one)]
        if people:
            people[1:1] = [person for one in beside for person in self._found_in(one)]
        if len(set(people)) < len(people):
            raise UnclearError("同一人写了两次", "one person is written twice")
        return people

    def _found_in(self, written: _Written) -> list[str]:
        try:
            return [self._directory.find(one, written.phones) for one in mentions(written.text)]
        except UnclearError as error:
            raise _CellError(written.cell, error) from error

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
