"""Rosters in the sheets that offices keep: each layout, each way to write a day or a person, and what is refused."""

from __future__ import annotations

import contextlib
import io
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from rosters.io.csv_ import read_csv, write_csv
from rosters.io.days import DayReader, Hours
from rosters.io.mapping import read_mapping
from rosters.io.office import Expected
from rosters.io.report import RosterFileError, UnclearError
from rosters.io.xlsx import read_xlsx, write_xlsx
from rosters.io.yaml_ import read_yaml, write_yaml
from rosters.model import Shift
from tests.unit.duty_county import EXPECTED, POSTS, ZONE, a_shift, duty_county, read, told, workbook

TITLE = ["溪口镇2021年7月值班表"]
HEADER = ["日期", "星期", "带班领导", "值班人员", "电话"]
DAY = ("07-19 08:00", "07-20 08:00")
NIGHTS = {
    ("t100-leader", "p1", "", *DAY),
    ("t100-duty", "p2", "", *DAY),
}


def test_a_row_per_day_gives_the_leader_and_the_officer_of_the_unit_in_the_title() -> None:
    found = read([TITLE, HEADER, [date(2021, 7, 19), "星期一", "张三", "李四", "13800000002"]])
    assert told(found) == NIGHTS
    assert not found.refused
    assert not found.notes


@pytest.mark.parametrize(
    "day",
    [
        "7月19日",
        "2021.7.19",
        "2021-07-19",
        "2021/7/19",
        "2021年7月19日",
        "二〇二一年七月十九日",
        "19日",
        "19号",
        "7/19",
        "7.19",
        "7月19日(周一)",
        "７月１９日",
        "20210719",
        "44396",
        44396,
        7.19,
        19,
        datetime.fromisoformat("2021-07-19"),
    ],
)
def test_a_day_may_be_written_in_many_ways(day: object) -> None:
    found = read([TITLE, HEADER, [day, "一", "张三", "李四", None]])
    assert told(found) == NIGHTS
    assert not found.refused


@pytest.mark.parametrize(("day", "said"), [(7.2, "7月20日"), ("7月32日", "看不出"), ("周一", "看不出")])
def test_a_day_that_nobody_can_read_is_refused_with_its_cell(day: object, said: str) -> None:
    found = read([TITLE, HEADER, [day, None, "张三", "李四", None]])
    assert not found.shifts
    assert [(remark.sheet, remark.cell) for remark in found.refused] == [("7月", "A3")]
    assert said in found.refused[0].reason


def test_a_weekday_that_does_not_fit_its_day_refuses_the_row() -> None:
    found = read([TITLE, HEADER, ["7月19日", "星期二", "张三", "李四", None]])
    assert not found.shifts
    assert "星期一" in found.refused[0].reason


def test_a_row_for_several_days_is_one_shift_each_day() -> None:
    found = read([TITLE, HEADER, ["7月19日-7月21日", None, "张三", None, None]])
    assert [f"{shift.starts_at.astimezone(ZONE):%d}" for shift in found.shifts] == ["19", "20", "21"]


def test_december_and_january_in_one_sheet_lie_in_two_years() -> None:
    found = read([["溪口镇2021年12月值班表"], HEADER, ["12月31日", None, "张三"], ["1月1日", None, "李四"]], name="表")
    assert [shift.starts_at.astimezone(ZONE).year for shift in found.shifts] == [2021, 2022]


def test_a_year_that_stands_nowhere_is_the_nearest_and_is_told() -> None:
    found = read([["溪口镇值班表"], HEADER, ["7月19日", None, "张三", "李四", None]], name="表")
    assert told(found) == NIGHTS
    assert "2021" in found.notes[0].reason


def test_a_column_per_post_is_found_by_the_names_of_posts() -> None:
    rows = [["日期", "县值班室值班员", "溪口镇值班员", "柳林镇带班领导"], ["2021-7-19", "张三", "李四", "赵敏"]]
    assert told(read(rows, name="全县")) == {
        ("c-duty", "p1", "", *DAY),
        ("t100-duty", "p2", "", *DAY),
        ("t102-leader", "p4", "", *DAY),
    }


def test_a_header_of_two_rows_joins_the_office_above_with_the_post_below() -> None:
    rows = [
        ["日期", "溪口镇", None, "柳林镇", None],
        [None, "带班领导", "值班人员", "带班领导", "值班人员"],
        ["2021-7-19", "张三", "李四", "王建国", "赵敏"],
    ]
    found = read(rows, name="全县", merged=("A1:A2", "B1:C1", "D1:E1"))
    assert told(found) == NIGHTS | {("t102-leader", "p3", "", *DAY), ("t102-duty", "p4", "", *DAY)}


def test_day_and_night_columns_have_their_hours() -> None:
    rows = [TITLE, ["日期", "白班", "夜班(18:00-次日8:00)"], ["7月19日", "张三", "李四"]]
    found = read(rows)
    assert told(found) == {
        ("t100-duty", "p1", "", "07-19 08:00", "07-19 20:00"),
        ("t100-duty", "p2", "", "07-19 18:00", "07-20 08:00"),
    }
    assert ["白班" in note.reason for note in found.notes] == [True]


def test_a_day_merged_over_its_two_shifts_counts_for_both() -> None:
    rows = [TITLE, ["日期", "班次", "值班人员"], ["7月19日", "8:00-20:00", "张三"], [None, "20:00-8:00", "李四"]]
    assert told(read(rows, merged=("A3:A4",))) == {
        ("t100-duty", "p1", "", "07-19 08:00", "07-19 20:00"),
        ("t100-duty", "p2", "", "07-19 20:00", "07-20 08:00"),
    }


def test_a_leader_merged_over_a_week_stands_on_each_day() -> None:
    rows = [TITLE, HEADER[:4], ["7月19日", "一", "张三", "李四"], ["7月20日", "二", None, "赵敏"]]
    found = read(rows, merged=("C3:C4",))
    leaders = [shift for shift in found.shifts if shift.post == "t100-leader"]
    assert [shift.person for shift in leaders] == ["p1", "p1"]


def test_week_blocks_have_the_days_across_and_the_posts_down() -> None:
    rows = [
        TITLE,
        ["日期", "7月19日", "7月20日"],
        ["星期", "一", "二"],
        ["带班领导", "张三", "李四"],
        ["值班人员", "李四", "王建国"],
        ["日期", "7月26日", "7月27日"],
        ["星期", "一", "二"],
        ["带班领导", "赵敏", "张三"],
    ]
    found = read(rows)
    assert not found.refused
    assert told(found) == NIGHTS | {
        ("t100-leader", "p2", "", "07-20 08:00", "07-21 08:00"),
        ("t100-duty", "p3", "", "07-20 08:00", "07-21 08:00"),
        ("t100-leader", "p4", "", "07-26 08:00", "07-27 08:00"),
        ("t100-leader", "p1", "", "07-27 08:00", "07-28 08:00"),
    }


def test_each_month_sheet_has_its_own_days() -> None:
    content = workbook({f"{n}月": [["溪口镇2021年值班表"], HEADER, ["1日", None, "张三"]] for n in (7, 8)})
    found = read_xlsx(content, duty_county(), EXPECTED)
    assert [f"{shift.starts_at.astimezone(ZONE):%m-%d}" for shift in found.shifts] == ["07-01", "08-01"]


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("张三、李四", ("p1", "p2")),
        ("张三，李四", ("p1", "p2")),
        ("张三 李四", ("p1", "p2")),
        ("张三\n李四", ("p1", "p2")),
        ("张三/李四", ("p1", "p2")),
        ("张 三 欧阳锋", ("p1", "p5")),
        ("李　四", ("p2", "")),
        ("张三（副镇长）", ("p1", "")),
        ("王建国副书记", ("p3", "")),
        ("张三13800000001李四13800000002", ("p1", "p2")),
        ("张三（138 0000 0001）", ("p1", "")),
        ("张三\n13800000001", ("p1", "")),
        ("带班：张三", ("p1", "")),
        ("王伟（13900000002）", ("w2", "")),
        ("王伟(w1)", ("w1", "")),
        ("张三13800000001", ("p1", "")),
    ],
)
def test_a_cell_may_name_several_people_with_titles_and_phones(cell: str, people: tuple[str, str]) -> None:
    found = read([TITLE, HEADER, ["7月19日", None, None, cell, None]])
    assert not found.refused
    assert [(shift.person, shift.deputy) for shift in found.shifts] == [people]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("王伟", "有 2 人都叫 王伟"),
        ("王建军", "相近的有 王建国"),
        ("张三（李四代）", "直接写当班人"),
        ("张三13811112222", "与名册不符"),
        ("张三、张三", "写了两次"),
        ("带班:张三 值班:李四", "分列"),
        ("张三(p2)", "不是 张三"),
    ],
)
def test_a_name_that_could_be_anybody_is_refused_and_never_guessed(cell: str, said: str) -> None:
    found = read([TITLE, HEADER, ["7月19日", None, "李四", cell, None]])
    assert told(found) == {("t100-leader", "p2", "", *DAY)}
    assert [remark.cell for remark in found.refused] == ["D3"]
    assert said in found.refused[0].reason


def test_a_phone_in_its_own_column_tells_namesakes_apart() -> None:
    found = read([TITLE, HEADER, ["7月19日", None, None, "王伟", "13900000002"]])
    assert [shift.person for shift in found.shifts] == ["w2"]


def test_a_third_person_in_a_cell_is_on_the_shift_in_reserve_and_told() -> None:
    found = read([TITLE, HEADER, ["7月19日", None, None, "张三、李四、赵敏、王建国", None]])
    assert [shift.people for shift in found.shifts] == [("p1", "p2", "p4", "p3")]
    assert "赵敏、王建国" in found.notes[0].reason


def test_a_day_merged_over_its_people_is_one_shift_of_all_of_them() -> None:
    rows = [
        TITLE,
        ["日期", "带班领导", "值班人员", "电话"],
        ["7月19日", "赵敏", "张三", "13800000001"],
        [None, None, "王伟", "13900000002"],
        [None, None, "李四", None],
        ["7月20日", "赵敏", "李四", None],
    ]
    found = read(rows, merged=("A3:A5", "B3:B5"))
    assert not found.refused
    assert [(shift.post, shift.people) for shift in found.shifts] == [
        ("t100-duty", ("p1", "w2", "p2")),
        ("t100-leader", ("p4",)),
        ("t100-duty", ("p2",)),
        ("t100-leader", ("p4",)),
    ]


def test_an_unknown_name_among_the_rows_of_one_day_is_refused_by_its_own_cell() -> None:
    rows = [TITLE, ["日期", "带班领导", "值班人员"], ["7月19日", "赵敏", "张三"], [None, None, "查无此人"]]
    found = read(rows, merged=("A3:A4", "B3:B4"))
    assert [remark.cell for remark in found.refused] == ["C4"]
    assert [shift.post for shift in found.shifts] == ["t100-leader"]


def test_a_name_without_a_day_is_refused_and_never_passed_over() -> None:
    found = read([TITLE, HEADER[:4], ["7月19日", None, "张三", "李四"], [None, None, None, "王建国"]])
    assert told(found) == NIGHTS
    assert [remark.cell for remark in found.refused] == ["A4"]


def test_each_of_two_phone_columns_speaks_for_the_people_on_its_left() -> None:
    rows = [TITLE, ["日期", "带班领导", "电话", "值班人员", "电话"]]
    found = read([*rows, ["7月19日", "王伟", "13900000001", "王伟", "13900000002"]])
    assert [(shift.post, shift.person) for shift in found.shifts] == [("t100-duty", "w2"), ("t100-leader", "w1")]


def test_one_sheet_of_several_offices_one_below_the_other() -> None:
    head = ["日期", "带班领导", "值班人员"]
    rows = [
        ["全县2021年7月值班表"],
        ["溪口镇"],
        head,
        ["7月19日", "张三", "李四"],
        ["柳林镇"],
        head,
        ["7月19日", "王建国", "赵敏"],
    ]
    found = read(rows, name="全县")
    assert not found.refused
    assert told(found) == NIGHTS | {("t102-leader", "p3", "", *DAY), ("t102-duty", "p4", "", *DAY)}


def test_rows_below_an_office_that_is_not_known_are_nobodys_and_told() -> None:
    head = ["日期", "带班领导"]
    rows = [["溪口镇2021年7月值班表"], head, ["7月19日", "张三"], ["水利局"], head, ["7月20日", "王建国"]]
    found = read(rows)
    assert told(found) == {("t100-leader", "p1", "", *DAY)}
    assert [remark.cell for remark in found.refused] == ["A4", "A6"]


def test_the_same_title_on_every_page_changes_nothing() -> None:
    head = ["日期", "带班领导"]
    rows = [TITLE, head, ["7月19日", "张三"], ["溪口镇2021年7月值班表（续）"], head, ["7月20日", "李四"]]
    found = read(rows)
    assert not found.refused
    assert {shift.post for shift in found.shifts} == {"t100-leader"}
    assert len(found.shifts) == 2


def test_a_wall_calendar_without_headings_is_refused_cell_by_cell() -> None:
    found = read([TITLE, ["星期一", "星期二"], ["19", "20"], ["张三", "李四"], ["备注：请提前到岗"] * 2])
    assert not found.shifts
    assert [remark.cell for remark in found.refused] == ["A4", "B4"]


def test_a_wall_calendar_with_its_headings_is_read() -> None:
    rows = [TITLE, ["", "星期一", "星期二"], ["日期", "19", "20"], ["带班", "张三", "李四"], ["值班", "李四", "张三"]]
    assert told(read(rows)) == NIGHTS | {
        ("t100-leader", "p2", "", "07-20 08:00", "07-21 08:00"),
        ("t100-duty", "p1", "", "07-20 08:00", "07-21 08:00"),
    }


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        ("7月19日8:00-7月20日8:00", "07-20 08:00"),
        ("7月19日8时至20日8时", "07-20 08:00"),
        ("19日8:00—20日8:00", "07-20 08:00"),
        ("2021-07-19 8:00至2021-07-20 8:00", "07-20 08:00"),
        ("7月19日（周一）8:00-次日8:00", "07-20 08:00"),
        ("7月19日8:00-20:00", "07-19 20:00"),
    ],
)
def test_a_day_may_bring_its_hours_along(day: str, ends: str) -> None:
    found = read([TITLE, HEADER, [day, None, "张三", None, None]])
    assert told(found) == {("t100-leader", "p1", "", "07-19 08:00", ends)}


@pytest.mark.parametrize("day", ["7月19日25:00-20日8:00", "7月19日8:00-32日8:00", "7月19日 夜"])
def test_hours_that_no_clock_shows_are_refused(day: str) -> None:
    found = read([TITLE, HEADER, [day, None, "张三", None, None]])
    assert not found.shifts
    assert [remark.cell for remark in found.refused] == ["A3"]


def test_in_a_county_that_hands_over_at_six_in_the_evening_a_day_is_from_six_to_six() -> None:
    county = duty_county(handover=time(18))
    content = workbook({"7月": [TITLE, HEADER, ["7月19日", None, "张三", None, None]]})
    expected = Expected(near=EXPECTED.near, hours=Hours.from_handover(county.handover))
    found = read_xlsx(content, county, expected)
    assert told(found) == {("t100-leader", "p1", "", "07-19 18:00", "07-20 18:00")}


@pytest.mark.parametrize("starts", ["00:00", "08:00", "09:30", "18:00", "23:59"])
@pytest.mark.parametrize("hours", [0.5, 8, 12, 23.5, 24])
def test_shifts_of_any_hours_are_written_as_hours_and_read_back(starts: str, hours: float) -> None:
    county, shift = duty_county(), a_shift("t100-duty", "p1", f"2021-07-19T{starts}", hours)
    content = write_xlsx([shift], county, Hours.from_handover(time(18)))
    assert "至" not in str(load_workbook(io.BytesIO(content)).worksheets[0]["C3"].value)
    assert read_xlsx(content, county, EXPECTED).shifts == (shift,)


def test_two_rows_that_put_different_people_at_one_post_and_time_refuse_the_second() -> None:
    found = read([TITLE, HEADER, ["7月19日", None, "张三"], ["7月19日", None, "李四"], ["7月19日", None, "张三"]])
    assert told(found) == {("t100-leader", "p1", "", *DAY)}
    assert [(remark.cell, "C3" in remark.reason) for remark in found.refused] == [("C4", True)]


def test_no_phone_number_stands_in_any_remark() -> None:
    found = read([TITLE, HEADER, ["7月19日", None, "张三13811112222", "李四", "13811112222"]])
    assert "1381111" not in "".join(map(str, (*found.refused, *found.notes)))


def test_a_sheet_of_no_known_office_is_refused_until_somebody_says_whose_it_is() -> None:
    rows = [["值班表"], HEADER, ["2021-7-19", None, "张三", "李四", None]]
    assert [remark.cell for remark in read(rows, name="表").refused] == ["C3", "D3"]
    assert told(read(rows, name="表", unit="t100")) == NIGHTS


def test_a_unit_column_says_whose_row_it_is() -> None:
    rows = [["日期", "单位", "带班领导"], ["2021-7-19", "溪口镇", "张三"], ["2021-7-19", "没有的镇", "李四"]]
    found = read(rows, name="全县")
    assert told(found) == {("t100-leader", "p1", "", *DAY)}
    assert "没有的镇" in found.refused[0].reason


def test_a_column_headed_time_is_the_day_where_days_stand_in_it() -> None:
    assert told(read([TITLE, ["时间", "带班领导", "值班人员"], ["7月19日", "张三", "李四"]])) == NIGHTS


def test_notes_below_the_table_are_no_rows_of_duty() -> None:
    rows = [TITLE, HEADER, ["7月19日", None, "张三", "李四", None], ["备注：值班电话24小时畅通"] * 5]
    found = read(rows, merged=("A1:E1", "A4:E4"))
    assert told(found) == NIGHTS
    assert not found.refused


def test_a_sheet_without_a_header_is_refused_whole() -> None:
    found = read([["张三", "李四"], ["王五", "赵六"]])
    assert [(remark.cell, "表头" in remark.reason) for remark in found.refused] == [("", True)]


def test_a_mapping_file_says_what_a_header_does_not(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(
        "sheets:\n  表:\n    year: 2021\n    header_row: 1\n    columns: {A: date, B: t100-leader, C: t100-duty}\n",
        encoding="utf-8",
    )
    mapping = read_mapping(file, duty_county())
    assert told(read([["甲", "乙", "丙"], ["7.19日", "张三", "李四"]], name="表", mapping=mapping)) == NIGHTS


def test_a_mapping_that_names_no_post_of_the_county_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("sheets: {表: {columns: {A: date, B: nobody}}}\n", encoding="utf-8")
    with pytest.raises(RosterFileError, match="B: nobody"):
        read_mapping(file, duty_county())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0old", b"a,b\n1,2\n"])
def test_a_file_that_is_no_workbook_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(RosterFileError, match="xlsx"):
        read_xlsx(content, duty_county(), EXPECTED)


@given(cut=st.integers(0, 6000), flip=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_workbook_is_read_or_refused_but_never_crashes(cut: int, flip: int) -> None:
    content = bytearray(workbook({"7月": [TITLE, HEADER, ["7月19日", None, "张三", "李四", None]]}))
    content[cut % len(content)] ^= flip
    with contextlib.suppress(RosterFileError):
        read_xlsx(bytes(content), duty_county(), EXPECTED)


@given(st.one_of(st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False), st.integers()))
def test_any_cell_is_a_day_or_is_unclear(cell: object) -> None:
    with contextlib.suppress(UnclearError):
        assert DayReader(2021, 7, date(2021, 7, 1)).days(cell)


def test_an_exported_workbook_opens_with_a_title_a_header_and_real_dates() -> None:
    county = duty_county()
    content = write_xlsx([a_shift("t100-leader", "p1", "2021-07-19T08:00")], county)
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    assert [cell.value for cell in sheet[2]] == ["日期", "星期", "班次", "带班领导", "电话"]
    assert [cell.value for cell in sheet[3]][1:4] == ["一", "08:00-次日08:00", "张三"]


_MINUTES = st.integers(0, 60 * 24 * 20)
_A_SHIFT = st.tuples(
    st.sampled_from(sorted(POSTS)),
    st.permutations(["p1", "p2", "p5", "w1", "w2"]),
    st.integers(1, 5),
    st.one_of(st.integers(0, 20).map(lambda day: day * 1440 + 480), _MINUTES),
    st.one_of(st.just(1440), st.integers(1, 60 * 24 * 4)),
)


def _shifts(drawn: list[tuple[str, list[str], int, int, int]]) -> tuple[Shift, ...]:
    made: dict[str, Shift] = {}
    for post, people, count, start, length in drawn:
        starts = datetime.fromisoformat("2021-07-01") + timedelta(minutes=start)
        deputy, others = people[1] if count > 1 else "", tuple(people[2:count])
        shift = a_shift(post, people[0], starts.isoformat(), length / 60, deputy, others)
        made.setdefault(shift.id, shift)
    return tuple(sorted(made.values(), key=lambda shift: (shift.starts_at, shift.post)))


@given(st.lists(_A_SHIFT, max_size=12).map(_shifts))
@settings(max_examples=60, deadline=None)
def test_a_roster_written_as_a_workbook_reads_back_the_same(shifts: tuple[Shift, ...]) -> None:
    county = duty_county()
    found = read_xlsx(write_xlsx(shifts, county), county, EXPECTED)
    assert not found.refused
    assert found.shifts == shifts


@given(st.lists(_A_SHIFT, max_size=12).map(_shifts))
@settings(max_examples=40, deadline=None)
def test_a_roster_written_as_csv_or_yaml_reads_back_the_same(shifts: tuple[Shift, ...]) -> None:
    county = duty_county()
    for found in (
        read_csv(write_csv(shifts, county).encode(), county, EXPECTED),
        read_yaml(write_yaml(shifts, county).encode(), county),
    ):
        assert not found.refused
        assert found.shifts == shifts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_sheet_saved_as_csv_is_read_in_the_encodings_of_spreadsheets(encoding: str) -> None:
    text = "溪口镇2021年7月值班表,,,,\n日期,星期,带班领导,值班人员,电话\n7月19日,星期一,张三,李四,\n"
    found = read_csv(text.encode(encoding), duty_county(), EXPECTED)
    assert told(found) == NIGHTS


def test_rows_of_shifts_csv_with_unknown_ids_are_refused_one_by_one() -> None:
    text = (
        "post,person,deputy,starts_at,ends_at\n"
        "t100-duty,p1,,2021-07-19 08:00,2021-07-20 08:00\n"
        "t100-duty,nobody,,2021-07-20 08:00,2021-07-21 08:00\n"
        "t100-duty,p1,,yesterday,2021-07-21 08:00\n"
        "no-post,p1,,2021-07-20 08:00,2021-07-21 08:00\n"
    )
    found = read_csv(text.encode(), duty_county(), EXPECTED)
    assert len(found.shifts) == 1
    assert [remark.cell for remark in found.refused] == ["A3", "A4", "A5"]


@pytest.mark.parametrize("text", ["[", "a: 1", "shifts: 3", "- x", "", "shifts: &a [*a]"])
def test_yaml_that_is_no_roster_is_refused(text: str) -> None:
    try:
        found = read_yaml(text.encode(), duty_county())
    except RosterFileError:
        return
    assert not found.shifts
    assert found.refused
