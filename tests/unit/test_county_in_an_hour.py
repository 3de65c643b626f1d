"""A new county as its people do it: a workbook filled in, checked, built, rehearsed, published and changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from openpyxl import load_workbook
from typer.testing import CliRunner

from rosters.load import load_county
from streams.cli.root import app

FIRST = date(2021, 7, 19)
DAYS = 16
UNITS = [
    ["禾溪县应急管理局", "县级", "419926000000", "禾溪县", None, "带班领导", None, "是", None, None, None],
    ["禾溪县应急管理局", "县级", None, None, None, "值班员", None, "是", None, None, None],
    ["溪口镇人民政府", "乡镇", "419926100000", "溪口镇", "禾溪县应急管理局", "带班领导", None, "是", None, None, "否"],
    ["溪口镇人民政府", None, None, None, None, "值班员", None, "是", None, None, None],
    [
        "上湾村村委会",
        "村级",
        "419926100201",
        "上湾村",
        "溪口镇人民政府",
        "防汛责任人",
        None,
        "否",
        "孙村",
        "周副",
        "是",
    ],
]
PEOPLE = ["张局", "李局", "王值", "赵值", "钱镇", "吴镇", "郑员", "冯员", "孙村", "周副"]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a duty room works, on the morning of the day before the roster begins."""
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "COUNTY_FOLDER": str(tmp_path / "county"),
        "STORY_ORIGIN": "2021-07-19T09:00:00+08:00",
        "WALL_ORIGIN": datetime.now(UTC).isoformat(),
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"JIAOYING_{name}", value)
    return tmp_path


def type_in(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def fill(book: Path, days: int = DAYS) -> None:
    """Write what a clerk types into the workbook."""
    read = load_workbook(book)
    for name, rows in {
        "单位岗位": UNITS,
        "人员": [[person, f"1380000{n:04d}", None, None, None] for n, person in enumerate(PEOPLE)],
        "值班表": [row for n in range(days) for row in duty(FIRST + timedelta(days=n), n)],
    }.items():
        for n, row in enumerate(rows, start=4):
            for column, value in enumerate(row, start=1):
                read[name].cell(n, column, value)
    read.save(book)


def duty(day: date, n: int) -> list[list[object]]:
    pairs = (
        ("禾溪县应急管理局", ("张局", "李局"), ("王值", "赵值")),
        ("溪口镇人民政府", ("钱镇", "吴镇"), ("郑员", "冯员")),
    )
    return [
        [day, unit, None, leaders[n % 2], f"{officers[n % 2]}、{officers[1 - n % 2]}"]
        for unit, leaders, officers in pairs
    ]


def built(office: Path, days: int = DAYS) -> Path:
    book, folder = office / "419926.xlsx", office / "county"
    assert type_in("county", "new", "419926", "--name", "禾溪县", "--to", book).exit_code == 0
    fill(book, days)
    told = type_in("county", "check", book)
    assert told.exit_code == 0, told.output
    assert type_in("county", "build", book, folder).exit_code == 0
    return folder


def test_the_workbook_becomes_a_county_that_is_rehearsed_and_published_without_a_call(office: Path) -> None:
    county = load_county(built(office))
    assert (len(county.posts), len(county.people), len(county.shifts)) == (5, 10, 4 * DAYS)

    rehearsed = type_in("county", "rehearse", "暴雨红", "--at", "2021-07-19T22:00", "--each")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "钱镇" in rehearsed.output

    assert type_in("roster", "check").exit_code == 0
    published = type_in("roster", "publish", "--by", "周主任")
    assert published.exit_code == 0, published.output
    who = type_in("roster", "who", "t100-duty", "--at", "2021-07-20T07:59")
    assert (who.exit_code, "郑员" in who.output) == (0, True)


def test_a_workbook_without_posts_is_not_called_sound(office: Path) -> None:
    book = office / "419926.xlsx"
    type_in("county", "new", "419926", "--name", "禾溪县", "--to", book)
    told = type_in("county", "check", book)
    assert told.exit_code == 1
    assert "还没有岗位" in told.output


def test_a_roster_with_a_hole_is_refused_with_the_hole_and_goes_through_with_a_reason(office: Path) -> None:
    built(office, days=5)
    told = type_in("roster", "publish", "--by", "周主任")
    assert told.exit_code == 1
    assert "07-24 08:00" in told.output + str(told.exception)
    assert type_in("roster", "publish", "--by", "周主任", "--despite", "下周的表周五补").exit_code == 0


def test_a_swap_is_asked_for_agreed_and_in_force(office: Path) -> None:
    built(office)
    type_in("roster", "publish", "--by", "周主任")
    span = ("2021-07-21T12:00", "2021-07-22T12:00")
    asked = type_in("roster", "swap", "t100-duty", *span, "--asked-by", "郑员", "--why", "家中有事")
    assert asked.exit_code == 0, asked.output
    before = type_in("roster", "who", "t100-duty", "--at", span[0]).output
    row = next(word for word in type_in("roster", "changes").output.split() if "|" in word and word.startswith("real"))
    agreed = type_in("roster", "agree", row, "--by", "钱镇")
    assert agreed.exit_code == 0, agreed.output
    after = type_in("roster", "who", "t100-duty", "--at", span[0]).output
    assert before != after


def test_next_weeks_sheet_is_read_into_the_shifts_and_the_next_version_says_what_is_different(office: Path) -> None:
    folder = built(office)
    type_in("roster", "publish", "--by", "周主任")
    sheet, shifts = office / "next.xlsx", folder / "shifts.csv"
    assert type_in("roster", "export", sheet, "--first", "2021-07-19", "--last", "2021-08-03").exit_code == 0
    read = load_workbook(sheet)
    page = read["溪口镇人民政府"]
    page["D3"] = "吴镇"
    read.save(sheet)
    shifts.unlink()
    told = type_in("roster", "import", sheet, "--first", "2021-07-19", "--to", shifts)
    assert told.exit_code == 0, told.output
    assert "吴镇" in type_in("roster", "diff").output
