"""The commands that read and write rosters and counties, as a person types them, on the sample county."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner, Result

from streams.cli.county import app as county_app
from streams.cli.roster import app as roster_app

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
JULY = ("--first", "2021-07-01", "--last", "2021-07-31")


def run(app: object, *words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["xlsx", "csv", "yaml"])
def test_the_sample_roster_goes_out_and_comes_back_the_same(tmp_path: Path, kind: str) -> None:
    direct, sheet, back = tmp_path / "direct.csv", tmp_path / f"out.{kind}", tmp_path / "back.csv"
    assert run(roster_app, "export", direct, *JULY).exit_code == 0
    assert run(roster_app, "export", sheet, *JULY).exit_code == 0
    assert run(roster_app, "import", sheet, *JULY, "--to", back).exit_code == 0
    assert back.read_text(encoding="utf-8") == direct.read_text(encoding="utf-8")


def test_a_calendar_is_written_only_when_asked_for_and_then_without_names(tmp_path: Path) -> None:
    file = tmp_path / "duty.ics"
    refused = run(roster_app, "export", file, *JULY)
    assert (refused.exit_code, file.exists()) == (1, False)
    assert run(roster_app, "export", file, *JULY, "--calendar", "--unit", "t100").exit_code == 0
    text = file.read_bytes().decode()
    assert "SUMMARY:溪口镇值班员\r\n" in text
    assert "X-JIAOYING-PEOPLE" not in text


def test_a_sheet_with_an_unknown_name_tells_its_cell_and_writes_nothing(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["溪口镇2021年7月值班表"], ["日期", "值班人员"], [date(2021, 7, 19), "查无此人"]):
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    file, out = tmp_path / "sheet.xlsx", tmp_path / "out.csv"
    file.write_bytes(packed.getvalue())
    told = run(roster_app, "import", file, "--to", out)
    assert told.exit_code == 1
    assert "B3" in told.output
    assert "查无此人" in told.output
    assert not out.exists()


def test_a_file_that_is_no_roster_is_one_plain_sentence(tmp_path: Path) -> None:
    file = tmp_path / "broken.xlsx"
    file.write_bytes(b"no workbook")
    told = run(roster_app, "import", file)
    assert told.exit_code == 1
    assert told.exception is None or isinstance(told.exception, SystemExit)


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "419926.xlsx"
    file.write_text("mine")
    assert run(county_app, "new", "419926", "--to", file).exit_code == 1
    assert run(roster_app, "export", file, *JULY).exit_code == 1
    assert file.read_text() == "mine"


def test_a_new_workbook_is_checked_until_nothing_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "new.xlsx"
    assert run(county_app, "new", "419926", "--to", file).exit_code == 0
    told = run(county_app, "check", file)
    assert told.exit_code == 1
    assert "没有填县名" in told.output
    assert run(county_app, "build", file, tmp_path / "county").exit_code == 1


def test_the_sample_county_is_checked_and_its_score_explained() -> None:
    told = run(county_app, "check", SAMPLE, "--at", "2021-07-10T08:00")
    assert told.exit_code == 0
    assert "得分 90/100" in told.output
    assert "石桥河镇值班员" in told.output


def test_a_rehearsal_tells_calls_minutes_and_cost_for_a_named_township() -> None:
    told = run(
        county_app,
        "rehearse",
        "暴雨红",
        "--township",
        "溪口镇",
        "--at",
        "2021-07-19T22:00",
        "--pace",
        2,
        "--price",
        0.1,
    )
    assert told.exit_code == 0
    assert "电话最少 60 个" in told.output
    assert "费用：6.00 至" in told.output


@pytest.mark.parametrize(
    "words", [("rehearse", "坏天气红"), ("rehearse", "暴雨红", "--township", "没有的镇"), ("new", "12")]
)
def test_a_word_that_is_none_is_refused_with_what_there_is(words: tuple[str, ...]) -> None:
    assert run(county_app, *words).exit_code == 2


def test_a_sheet_without_shifts_never_takes_the_place_of_a_roster(tmp_path: Path) -> None:
    sheet, shifts = tmp_path / "empty.csv", tmp_path / "shifts.csv"
    sheet.write_text("post,person,deputy,starts_at,ends_at\n", encoding="utf-8")
    shifts.write_text("mine", encoding="utf-8")
    assert run(roster_app, "import", sheet, "--to", shifts).exit_code == 1
    assert shifts.read_text(encoding="utf-8") == "mine"
