"""A sheet as rows of cells, whatever file it came from: merged cells filled in, every cell knowing its name.

Nothing is understood here. A file that is not what its name says, or larger than any office's, is refused whole.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from rosters.io.days import SERIAL_EPOCH
from rosters.io.report import RosterFileError

FILE_BYTES_MAX = 10_000_000
UNPACKED_BYTES_MAX = 50_000_000
ROWS_MAX = 20_000
COLUMNS_MAX = 200
SHEETS_MAX = 400
MERGED_MAX = 2_000_000
"""Cells in merged ranges: a whole column is a million, and each of them costs as much as if it stood there."""
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Za-z0-9:$]{1,30})[\"']")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Grid:
    """One sheet: `rows[r][c]` from 0, all rows of one length, merged cells holding the value of their first one.

    Args:
        formats: Number formats of cells that hold fractions: 7.20 and 7.2 are told apart by nothing else.
        merged: Cells that are part of a merged range.
        epoch: Day 0 of its serial numbers.
    """

    name: str
    rows: Sequence[Sequence[Any]]
    formats: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merged: frozenset[tuple[int, int]] = frozenset()
    epoch: date = SERIAL_EPOCH

    def cell(self, row: int, column: int) -> Any:
        """Return a cell's value, None outside the sheet."""
        return self.rows[row][column] if row < len(self.rows) and column < len(self.rows[row]) else None

    def name_of(self, row: int, column: int) -> str:
        """Return the name of a cell as spreadsheets show it, B7."""
        return f"{get_column_letter(column + 1)}{row + 1}"


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        RosterFileError: It is not there, or larger than 10 MB.
    """
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise RosterFileError(f"{path} 有 {size} 字节，超过 10 MB，不像值班表 / {path} is too large for a roster")
        return path.read_bytes()
    except OSError as error:
        raise RosterFileError(f"读不了 {path}：{error.strerror} / cannot read {path}") from error


def grids_of_xlsx(content: bytes) -> tuple[Grid, ...]:
    """Return the visible sheets of a workbook; of formulas the values that were saved with them.

    Raises:
        RosterFileError: It is no .xlsx workbook, or an absurdly large one.
    """
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise RosterFileError(
            "这是旧的 .xls 或加了密码的文件，请另存为不加密的 .xlsx / an old .xls or encrypted: save it as .xlsx"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            # Looked at before anything is unpacked: a small file can hold gigabytes.
            _refuse_bombs(packed)
        book = load_workbook(io.BytesIO(content), data_only=True)
    except RosterFileError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"[:120]
        raise RosterFileError(f"不是合格的 .xlsx 工作簿（{why}） / not a sound .xlsx workbook") from error
    epoch = date(1904, 1, 1) if book.epoch == CALENDAR_MAC_1904 else SERIAL_EPOCH
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if len(sheets) > SHEETS_MAX:
        raise RosterFileError(f"有 {len(sheets)} 个工作表，超过 {SHEETS_MAX} / more than {SHEETS_MAX} sheets")
    return tuple(_grid(sheet, epoch) for sheet in sheets)


def _refuse_bombs(packed: zipfile.ZipFile) -> None:
    """Refuse what would take gigabytes or hours to read.

    Raises:
        RosterFileError: It would.
    """
    size_mb = UNPACKED_BYTES_MAX // 1_000_000
    if sum(part.file_size for part in packed.infolist()) > UNPACKED_BYTES_MAX:
        raise RosterFileError(f"解压后超过 {size_mb} MB，不像值班表 / unpacks to more than {size_mb} MB: no roster")
    for name in packed.namelist():
        if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
            continue
        part = packed.read(name)
        if part.startswith(_UTF16):
            raise RosterFileError(f"{name} 不是 UTF-8，请另存一份 / a sheet is not in UTF-8: save it again")
        if sum(_cells_of(ref) for ref in _MERGE.findall(part)) > MERGED_MAX:
            raise RosterFileError(
                "合并单元格的范围大得不像值班表，请取消整表合并 / merged cells reach too far: take the merging back"
            )


def _cells_of(ref: bytes) -> int:
    """Return how many cells a range of a workbook spans; 0 for what is none, which the reader itself refuses."""
    try:
        left, top, right, bottom = range_boundaries(ref.decode("ascii").upper())
    except (ValueError, TypeError):
        return 0
    if left is None or top is None or right is None or bottom is None:
        return MERGED_MAX
    return max(0, right - left + 1) * max(0, bottom - top + 1)


def _grid(sheet: Worksheet, epoch: date) -> Grid:
    # What openpyxl read, and not `iter_rows`, which makes every empty cell up to the last one: one value in the corner
    # of a sheet would cost gigabytes. What stands beyond the limits is formatting that reaches to the end.
    filled = [
        cell
        for (row, column), cell in sheet._cells.items()
        if row <= ROWS_MAX and column <= COLUMNS_MAX and cell.value is not None
    ]
    height = max((cell.row for cell in filled), default=0)
    width = max((cell.column for cell in filled), default=0)
    rows: list[list[Any]] = [[None] * width for _ in range(height)]
    formats: dict[tuple[int, int], str] = {}
    for cell in filled:
        rows[cell.row - 1][cell.column - 1] = cell.value
        if isinstance(cell.value, float):
            formats[cell.row - 1, cell.column - 1] = cell.number_format
    merged: set[tuple[int, int]] = set()
    for span in sheet.merged_cells.ranges:
        top, left = span.min_row - 1, span.min_col - 1
        for row in range(top, min(span.max_row, height)):
            for column in range(left, min(span.max_col, width)):
                rows[row][column] = rows[top][left]
                merged.add((row, column))
    return Grid(sheet.title, rows, formats, frozenset(merged), epoch)


def grid_of_csv(content: bytes, name: str) -> Grid:
    """Return a CSV file as a sheet; UTF-8 or, as spreadsheets in China save it, GB 18030.

    Raises:
        RosterFileError: It is text in neither, or not well-formed.
    """
    text = text_of(content)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise RosterFileError(f"CSV 格式有误：{error} / not well-formed CSV") from error
    if len(rows) > 20 * ROWS_MAX:
        raise RosterFileError(f"超过 {20 * ROWS_MAX} 行 / more than {20 * ROWS_MAX} rows")
    width = max((len(row) for row in rows), default=0)
    return Grid(name, [[*(cell.strip() or None for cell in row), *[None] * (width - len(row))] for row in rows])


def text_of(content: bytes) -> str:
    """Return text from bytes in UTF-8 (with or without a mark) or GB 18030.

    Raises:
        RosterFileError: It is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RosterFileError("文字编码认不出来，请另存为 UTF-8 / neither UTF-8 nor GB 18030: save it as UTF-8")
