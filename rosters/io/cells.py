"""The cells of a county's workbook: its filled rows by heading, and every cell that must be corrected.

Nothing here knows what a county is; see `compile.py`. It must never repeat a phone number in a remark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rosters.county import County
from rosters.io.days import plain
from rosters.io.grid import Grid
from rosters.io.report import Remark, RosterFileError
from rosters.io.workbook import CARD, EXAMPLE, HEADER_ROW, SHEETS

COLUMNS = {
    "regions.csv": ("code", "name", "level", "parent", "danger"),
    "units.csv": ("id", "name", "region", "parent"),
    "people.csv": ("id", "name", "phones"),
    "posts.csv": ("id", "unit", "name", "kind", "level", "region", "site", "on_shift", "holders"),
    "sites.csv": ("id", "name", "kind", "region"),
    "knockers.csv": ("region", "name", "role", "phone"),
}

_NUMBER = re.compile(r"(?:sim|hand):[a-z0-9-]+|\+[1-9]\d{6,14}")


@dataclass
class Compiled:
    """A county folder in the making: the text of its files, and what must be corrected in the workbook first.

    `county` is what the files load as; None while anything is refused.
    """

    files: dict[str, str] = field(default_factory=dict)
    county: County | None = None
    refused: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class FilledRow:
    """One filled row of a sheet of the workbook, by heading."""

    grid: Grid
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, heading: str) -> str:
        return self.cells.get(heading, "")

    def place(self, heading: str) -> str:
        """Return the name of the cell under a heading."""
        headings = [plain(cell) for cell in self.grid.rows[HEADER_ROW - 1]]
        return self.grid.name_of(self.number, headings.index(heading))


class Book:
    """The workbook while it is read: its filled rows, the rows made of them, and every cell to correct."""

    def __init__(self, grids: Mapping[str, Grid]) -> None:
        missing = [name for name in (CARD, *(sheet.name for sheet in SHEETS)) if name not in grids]
        if missing:
            shown = "、".join(missing)
            raise RosterFileError(
                f"缺少工作表 {shown}；用 jiaoying county new 生成一份 / sheets are missing: {shown}; see county new"
            )
        self.grids = grids
        self.out = Compiled()
        self.origins: dict[tuple[str, int], FilledRow] = {}
        self.tables: dict[str, list[dict[str, str]]] = {file: [] for file in COLUMNS}

    def rows(self, sheet: str) -> list[FilledRow]:
        """Return the filled rows of a sheet, without its examples; none where a heading is missing."""
        grid = self.grids[sheet]
        known = next(each for each in SHEETS if each.name == sheet)
        headings = [plain(cell) for cell in grid.rows[HEADER_ROW - 1]] if len(grid.rows) >= HEADER_ROW else []
        missing = [heading.text for heading in known.columns if heading.text not in headings]
        if missing:
            reason = f"第 {HEADER_ROW} 行表头缺少 {'、'.join(missing)}"
            self.out.refused.append(Remark(sheet, "", reason, f"row {HEADER_ROW} lacks headings: {', '.join(missing)}"))
            return []
        return [
            FilledRow(grid, n, dict(zip(headings, map(plain, cells), strict=False)))
            for n, cells in enumerate(grid.rows)
            if n >= HEADER_ROW and any(plain(cell) for cell in cells) and not is_example(cells)
        ]

    def add(self, file: str, row: FilledRow, cells: dict[str, str]) -> None:
        """Add a row to a file of the folder, and remember which row of the workbook it came from."""
        self.tables[file].append(cells)
        self.origins[file, len(self.tables[file]) + 1] = row

    def refuse(self, row: FilledRow, heading: str, reason: str, english: str) -> None:
        """Say that a cell must be corrected."""
        self.out.refused.append(Remark(row.grid.name, row.place(heading), reason, english))

    def has(self, row: FilledRow, heading: str) -> bool:
        """Return whether a cell that must be filled is; refuse it where it is not."""
        if not row[heading]:
            self.refuse(row, heading, f"没有填{heading}", f"{heading} is empty")
        return bool(row[heading])

    def chosen(self, row: FilledRow, heading: str, words: Mapping[str, str]) -> str:
        """Return what a word of a drop-down stands for; refuse any other word."""
        if row[heading] not in words:
            shown = "、".join(words)
            self.refuse(row, heading, f"{heading}“{row[heading]}”应为 {shown} 之一", f"{heading} is one of {shown}")
        return words.get(row[heading], "")

    def number(self, row: FilledRow, heading: str) -> str:
        """Return a phone number as it is kept, from how it is written in an office; refuse what is none."""
        if not row[heading] or _NUMBER.fullmatch(row[heading]):
            return row[heading]
        written = re.sub(r"[\s\-()]", "", row[heading])
        if re.fullmatch(r"(86)?1\d{10}", written):
            return f"+86{written[-11:]}"
        if re.fullmatch(r"0\d{9,11}", written):
            return f"+86{written[1:]}"
        self.refuse(
            row, heading, "号码应为 11 位手机号或带区号的座机号", "an 11-digit mobile or a landline with area code"
        )
        return ""


def is_example(cells: Sequence[Any]) -> bool:
    """Return whether a row is one of the examples, which begin with 例."""
    return bool(cells) and plain(cells[0]).startswith(EXAMPLE)
