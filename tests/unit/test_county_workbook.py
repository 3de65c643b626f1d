"""A new county's workbook: what is offered to choose, what each wrong cell is told, and the folder that comes of it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from config.kinds import POST_KINDS, SITE_KINDS
from rosters.crosscheck import SITE_KINDS as KNOWN_SITE_KINDS
from rosters.io.cells import Compiled
from rosters.io.compile import compile_workbook, write_folder
from rosters.io.report import RosterFileError
from rosters.io.workbook import KIND_WORDS, SHEETS, SITE_WORDS, new_workbook
from rosters.load import load_county
from tests.unit.duty_county import ZONE

CODE = "419926000000"
NEAR = date(2021, 7, 1)
ROWS: dict[str, list[list[Any]]] = {
    "单位岗位": [
        ["县应急局", "县级", None, None, None, "值班员", "县值班员", "是", None, None, None],
        ["县应急局", None, None, None, None, "主要负责人", None, "否", "赵敏", "张三", None],
        ["溪口镇政府", "乡镇", 419926100000, "溪口镇", "县应急局", "值班员", None, "是", None, None, None],
        ["溪口镇政府", None, None, None, None, "带班领导", None, "是", None, None, None],
        ["上湾村委会", "村级", "419926100201", "上湾村", "溪口镇政府", "防汛责任人", None, None, "黄满仓", None, "是"],
    ],
    "人员": [
        ["张三", 13800000001, "0916-3210000", None, None],
        ["李四", "138 0000 0002", None, None, None],
        ["赵敏", "+8613800000003", None, None, None],
        ["黄满仓", "sim:m0001", None, None, None],
        ["王伟", "13900000001", None, None, None],
        ["王伟", "13900000002", None, None, "ww2"],
    ],
    "值班表": [
        [date(2021, 7, 19), "溪口镇政府", None, "张三", "李四、王伟(ww2)", None],
        ["7月19日", "县应急局", "20:00-8:00", None, "赵敏", None],
    ],
    "点位": [["石灰窑滑坡点", "地质灾害隐患点", "上湾村", "黄满仓", "李四"]],
    "上门人员": [["上湾村", "丁长河", "一组组长", "13900000009"]],
}


def book_with(rows: dict[str, list[list[Any]]] | None = None, name: str = "禾溪县") -> Workbook:
    book = load_workbook(io.BytesIO(new_workbook(CODE, name)))
    for sheet, filled in (ROWS if rows is None else rows).items():
        for n, cells in enumerate(filled, start=4):
            for column, value in enumerate(cells, start=1):
                book[sheet].cell(n, column, value)
    return book


def compiled(book: Workbook) -> Compiled:
    packed = io.BytesIO()
    book.save(packed)
    return compile_workbook(packed.getvalue(), NEAR)


def test_the_new_workbook_offers_every_kind_that_rules_may_name() -> None:
    assert set(KIND_WORDS.values()) | {"site_keeper"} == set(POST_KINDS)
    assert {word: SITE_KINDS[kind].zh for word, kind in SITE_WORDS.items()} == {word: word for word in SITE_WORDS}
    assert set(SITE_WORDS.values()) == set(KNOWN_SITE_KINDS)


def test_the_new_workbook_has_its_sheets_with_drop_downs_and_examples() -> None:
    book = load_workbook(io.BytesIO(new_workbook(CODE)))
    assert book.sheetnames == ["说明", *(sheet.name for sheet in SHEETS)]
    for sheet in SHEETS:
        assert str(book[sheet.name]["A3"].value).startswith("例")
        assert book[sheet.name].data_validations.dataValidation or sheet.name == "人员"


def test_an_empty_workbook_asks_only_for_the_name_of_the_county() -> None:
    told = compile_workbook(new_workbook(CODE), NEAR)
    assert [(remark.sheet, remark.cell) for remark in told.refused] == [("说明", "B2")]


def test_a_filled_workbook_becomes_a_county_that_loads(tmp_path: Path) -> None:
    made = compiled(book_with())
    assert made.refused == []
    write_folder(made.files, tmp_path / "county")
    county = load_county(tmp_path / "county")
    night = datetime(2021, 7, 19, 22, tzinfo=ZONE)
    held = county.who("t100-duty", night)
    deputy = county.who("t100-duty", night, "deputy")
    assert held is not None
    assert deputy is not None
    assert (held.person.name, deputy.person.id) == ("李四", "ww2")
    assert county.danger(county.posts["v100201-head"])
    assert [knocker.phone for knocker in county.knockers("419926100201")] == ["+8613900000009"]
    assert [str(phone.number) for phone in county.people[county.posts["county-main"].holders[1]].phones] == [
        "+8613800000001",
        "+869163210000",
    ]


def test_hours_written_beside_a_day_are_the_shifts_hours() -> None:
    made = compiled(book_with())
    assert made.county is not None
    shift = next(shift for shift in made.county.shifts if shift.post == "county-duty")
    assert (shift.starts_at, shift.ends_at) == (
        datetime(2021, 7, 19, 12, tzinfo=UTC),
        datetime(2021, 7, 20, 0, tzinfo=UTC),
    )


def test_the_order_of_rows_changes_no_id() -> None:
    turned = ROWS | {"人员": list(reversed(ROWS["人员"]))}
    one, other = compiled(book_with()).files, compiled(book_with(turned)).files
    assert sorted(one["people.csv"].splitlines()) == sorted(other["people.csv"].splitlines())
    assert one["shifts.csv"] == other["shifts.csv"]


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "where", "said"),
    [
        ("单位岗位", "B4", "省级", ("单位岗位", "B4"), "级别"),
        ("单位岗位", "C6", "4199", ("单位岗位", "C6"), "12 位"),
        ("单位岗位", "E6", "没有的局", ("单位岗位", "E6"), "没有的局"),
        ("单位岗位", "F7", "镇长", ("单位岗位", "F7"), "带班领导"),
        ("单位岗位", "I5", "没有的人", ("单位岗位", "I5"), "没有的人"),
        ("人员", "B5", "12345", ("人员", "B5"), "11 位"),
        ("人员", "E9", None, ("值班表", "E4"), "王伟"),
        ("值班表", "A4", "某日", ("值班表", "A4"), "哪一天"),
        ("值班表", "B4", "没有的镇", ("值班表", "A4"), "没有的镇"),
        ("点位", "B4", "山", ("点位", "B4"), "水库"),
        ("点位", "C4", "没有的村", ("点位", "C4"), "没有的村"),
        ("上门人员", "A4", "没有的村", ("上门人员", "A4"), "没有的村"),
        ("说明", "B2", None, ("说明", "B2"), "县名"),
    ],
)
def test_each_wrong_cell_is_named_with_its_reason_in_chinese(
    sheet: str, cell: str, value: object, where: tuple[str, str], said: str
) -> None:
    book = book_with()
    book[sheet][cell] = value
    refused = compiled(book).refused
    assert any((remark.sheet, remark.cell) == where and said in remark.reason for remark in refused)


def test_a_fault_that_only_the_whole_county_shows_is_blamed_on_its_row() -> None:
    book = book_with()
    book["单位岗位"]["C8"] = "419926999201"
    refused = compiled(book).refused
    assert ("单位岗位", "第 8 行") in {(remark.sheet, remark.cell) for remark in refused}


def test_no_remark_repeats_a_phone_number() -> None:
    book = book_with()
    book["人员"]["B5"] = "1380000000245"
    assert "138000" not in "".join(map(str, compiled(book).refused))


def test_a_workbook_without_its_sheets_says_how_to_get_one() -> None:
    packed = io.BytesIO()
    Workbook().save(packed)
    with pytest.raises(RosterFileError, match="county new"):
        compile_workbook(packed.getvalue(), NEAR)


def test_a_folder_that_holds_something_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(RosterFileError, match="不是空文件夹"):
        write_folder({"county.yaml": ""}, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
