"""Small files that would take gigabytes or hours are refused, or read for what really stands in them."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from rosters.io.grid import COLUMNS_MAX, ROWS_MAX, UNPACKED_BYTES_MAX, grids_of_xlsx
from rosters.io.names import CELL_CHARS_MAX, mentions
from rosters.io.report import RosterFileError, UnclearError

SHEET = "xl/worksheets/sheet1.xml"


def workbook() -> bytes:
    book, target = Workbook(), io.BytesIO()
    book.active["A1"] = "值班表"
    book.save(target)
    return target.getvalue()


def changed(old: bytes, new: bytes, content: bytes | None = None) -> bytes:
    """A workbook whose sheet says something else."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content or workbook())) as packed, zipfile.ZipFile(target, "w") as other:
        for name in packed.namelist():
            part = packed.read(name)
            assert name != SHEET or old in part
            other.writestr(name, part.replace(old, new) if name == SHEET else part)
    return target.getvalue()


def with_cell(ref: str) -> bytes:
    row = ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    cell = f'<row r="{row}"><c r="{ref}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return changed(b"</sheetData>", cell.encode())


def with_merge(ref: str) -> bytes:
    merged = f'<mergeCells count="1"><mergeCell ref="{ref}"/></mergeCells><pageMargins'
    return changed(b"<pageMargins", merged.encode())


def test_a_value_in_the_last_corner_of_a_sheet_is_left_out_and_costs_nothing():
    (grid,) = grids_of_xlsx(with_cell("XFD1048576"))
    assert grid.rows == [["值班表"]]


def test_a_value_at_the_limit_is_read():
    (grid,) = grids_of_xlsx(with_cell(f"GR{ROWS_MAX}"))
    assert (len(grid.rows), len(grid.rows[0])) == (ROWS_MAX, COLUMNS_MAX)
    assert grid.cell(ROWS_MAX - 1, COLUMNS_MAX - 1) == "x"


@pytest.mark.parametrize("ref", ["A1:XFD1048576", "A1:D1048576", "$A$1:$XFD$900000"])
def test_a_sheet_that_is_one_merged_cell_is_refused_before_it_is_read(ref: str):
    with pytest.raises(RosterFileError, match=r"合并单元格.*merged cells reach too far"):
        grids_of_xlsx(with_merge(ref))


@pytest.mark.parametrize("ref", ["A1:C1", "A1:A40000"])
def test_titles_and_long_columns_may_be_merged(ref: str):
    (grid,) = grids_of_xlsx(with_merge(ref))
    assert grid.cell(0, 0) == "值班表"


def test_a_workbook_that_unpacks_to_very_much_is_refused_unread():
    target = io.BytesIO(workbook())
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/zeros", bytes(UNPACKED_BYTES_MAX))
    with pytest.raises(RosterFileError, match="50 MB"):
        grids_of_xlsx(target.getvalue())


def test_a_sheet_in_another_encoding_hides_nothing():
    content = changed(b"<", b"<")
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(target, "w") as other:
        for name in packed.namelist():
            part = packed.read(name)
            other.writestr(name, part.decode().encode("utf-16") if name == SHEET else part)
    with pytest.raises(RosterFileError, match="UTF-8"):
        grids_of_xlsx(target.getvalue())


def test_a_cell_of_a_hundred_thousand_letters_names_nobody():
    assert mentions("李" * CELL_CHARS_MAX)
    with pytest.raises(UnclearError, match="100000 个字，不像姓名"):
        mentions("李" * 100_000)
