"""`jiaoying roster` publish, swap, stand-in, leave, spot-check: what is typed is written down and comes into force."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rosters.load import load_county
from streams.cli.root import app

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
STORY = "2021-07-19T21:00:00+08:00"
AT = datetime(2021, 7, 19, 13, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "COUNTY_FOLDER": str(folder),
        "STORY_ORIGIN": STORY,
        "WALL_ORIGIN": datetime.now(UTC).isoformat(),
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"JIAOYING_{name}", value)

    def invoke(*words: str):
        return CliRunner().invoke(app, ["roster", *words])

    return invoke


@pytest.fixture(scope="module")
def leader() -> str:
    return load_county(SAMPLE, around=AT).who("c-leader", AT).person.name


def test_a_stand_in_that_was_typed_is_who_holds_the_post(run, leader: str):
    said = run("stand-in", "c-duty", "p0100", "--asked-by", "值班员", "--agreed-by", leader, "--why", "送医")
    assert said.exit_code == 0, said.output
    assert "顶班" in said.output
    assert "stand_in" in run("who", "c-duty", "--at", "2021-07-19T21:30").output


def test_a_leave_names_the_shift_that_nobody_covers(run, leader: str):
    person = load_county(SAMPLE, around=AT).who("c-duty", AT).person.id
    said = run("leave", person, "--until", "2021-07-20T08:00:00", "--agreed-by", leader, "--why", "就医")
    assert said.exit_code == 0, said.output
    assert "无人顶班：c-duty" in said.output


def test_what_was_not_agreed_is_refused_in_words(run):
    said = run("stand-in", "c-duty", "p0100", "--asked-by", "值班员", "--agreed-by", "路人", "--why", "送医")
    assert said.exit_code == 1
    assert "带班领导同意" in str(said.exception)


def test_a_roster_is_published_and_compared_with_itself(run):
    assert "第 1 版" in run("publish", "--by", "周主任", "--despite", "样例").output
    assert "没有不同" in run("diff").output


def test_spot_checks_are_planned_from_a_seed_once_and_shown(run):
    words = ("spot-check", "plan", "--by", "督查室", "--seed", "2021-7", "--from", "2021-07-20", "--days", "5")
    first, again = run(*words), run(*words)
    assert "已安排 13 次" in first.output, first.output
    assert "已安排 0 次" in again.output
    assert "禾溪县人民政府" in run("spot-check", "show", "--month", "2021-07").output


def test_handovers_are_listed(run):
    assert run("handover").exit_code == 0


def test_a_roster_that_was_made_can_be_read_back_as_shifts(run, tmp_path: Path):
    out = tmp_path / "made.csv"
    span = ("--from", "2025-09-28", "--to", "2025-10-12", "--out", str(out))
    said = run("make", "c-duty", "--people", "p0001,p0002,p0003", *span, "--leave", "p0002:2025-10-01..2025-10-03")
    assert said.exit_code == 0, said.output
    folder = tmp_path / "county"
    (folder / "shifts.csv").write_bytes(out.read_bytes())
    county = load_county(folder)
    assert county.who("c-duty", datetime(2025, 10, 5, tzinfo=UTC)) is not None
    assert county.gaps("c-duty", datetime(2025, 9, 29, tzinfo=UTC), datetime(2025, 10, 12, tzinfo=UTC)) == ()


def test_a_year_whose_holidays_are_not_announced_is_not_guessed(run, tmp_path: Path):
    span = ("--from", "2098-12-30", "--to", "2099-01-03", "--out", str(tmp_path / "made.csv"))
    said = run("make", "c-duty", "--people", "p0001,p0002", *span)
    assert said.exit_code == 2
    assert not (tmp_path / "made.csv").exists()


def test_nobody_is_put_in_two_places_by_a_roster_that_is_made(run, tmp_path: Path):
    """p0088 leads 溪口镇 in July by the sheet: another of those who are named takes those days."""
    county = load_county(SAMPLE, around=AT)
    led = [shift for shift in county.shifts if shift.post == "t100-leader" and shift.person == "p0088"]
    day = next(shift.starts_at.astimezone(county.zone).date() for shift in led if shift.starts_at > AT)
    out = tmp_path / "made.csv"
    said = run(
        "make", "t101-leader", "--people", "p0088,p0142,p0144", "--from", f"{day}", "--to", f"{day}", "--out", str(out)
    )
    assert said.exit_code == 0, said.output
    assert ",p0142," in out.read_text(encoding="utf-8")
