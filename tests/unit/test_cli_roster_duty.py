"""`jiaoying roster` publish, swap, stand-in, leave, spot-check: what is typed is written down and comes into force."""

from __future__ import annotations

import json
import re
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
WALL = datetime.now(UTC)
COMMANDS = (
    *("import", "export", "make", "check", "ready", "show", "who", "publish", "versions", "diff"),
    *("swap", "stand-in", "leave", "changes", "agree", "refuse", "withdraw"),
    *("handover", "sign", "measure", "lift", "zero-report", "spot-check"),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "COUNTY_FOLDER": str(folder),
        "STORY_ORIGIN": STORY,
        "WALL_ORIGIN": WALL.isoformat(),
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


def test_the_check_exits_1_where_something_blocks_and_tells_machines_the_same(run):
    hole = ("--at", "2021-07-10T21:00", "--days", "3")
    told, machine = run("check", *hole), run("check", *hole, "--json")
    assert (told.exit_code, machine.exit_code) == (1, 1)
    assert "无人值班：石桥河镇值班员（t104-duty），2021-07-11 08:00 – 2021-07-12 08:00" in told.output
    body = json.loads(machine.output)
    gap = body["findings"][0]
    assert (body["publishable"], gap["flaw"], gap["severity"], gap["posts"]) == (False, "gap", "blocks", ["t104-duty"])
    assert (gap["from"], gap["until"]) == ("2021-07-11T08:00:00+08:00", "2021-07-12T08:00:00+08:00")
    assert run("check", "--days", "3").exit_code == 0


def test_the_readiness_digest_says_nothing_at_all_when_all_is_well(run):
    well, hole = run("ready"), run("ready", "--at", "2021-07-10T21:00")
    assert (well.exit_code, well.output) == (0, "")
    assert hole.exit_code == 1
    assert "t104-duty" in hole.output


def test_publishing_names_what_blocks_and_wants_a_reason(run, tmp_path: Path):
    file = tmp_path / "county" / "shifts.csv"
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text(
        "".join(row for row in rows if not (row.startswith("t101-duty,") and ",2021-07-22 08:00,2021" in row)),
        encoding="utf-8",
    )
    refused = run("publish", "--by", "周主任")
    assert refused.exit_code == 1
    assert "t101-duty），2021-07-22 08:00 – 2021-07-23 08:00" in str(refused.exception)
    assert "第 1 版" in run("publish", "--by", "周主任", "--despite", "县值班室代值").output
    assert "理由：县值班室代值" in run("versions").output


def test_a_swap_is_asked_for_agreed_and_taken_back_by_its_number(run, leader: str):
    times = ("2021-07-21T09:00", "2021-07-23T09:00")
    asked = run("swap", "c-duty", *times, "--asked-by", "值班员", "--why", "家中有事")
    assert asked.exit_code == 0, asked.output
    assert "待带班领导同意" in asked.output
    assert "swap" not in run("who", "c-duty", "--at", times[0]).output
    row_id = re.search(r"real\|ask\|[0-9a-f]+", run("changes").output)[0]
    assert run("agree", row_id, "--by", leader).exit_code == 0
    assert "swap" in run("who", "c-duty", "--at", times[0]).output
    change_id = re.search(r"real\|change\|[0-9a-f]+", run("changes").output)[0]
    assert run("withdraw", change_id, "--by", "值班员", "--why", "不换了", "--agreed-by", leader).exit_code == 0
    assert "shift" in run("who", "c-duty", "--at", times[0]).output


def test_who_says_what_was_known_then_and_exits_1_where_nobody_is(run, leader: str):
    run("publish", "--by", "周主任")
    run("stand-in", "c-duty", "p0100", "--asked-by", "值班员", "--agreed-by", leader, "--why", "送医")
    at = ("--at", "2021-07-20T07:00")
    now = json.loads(run("who", "c-duty", *at, "--json").output)
    assert (now["person"], now["because"], now["version"]) == ("p0100", "stand_in", 1)
    unpublished = run("who", "c-duty", *at, "--as-known-at", "2021-07-19T20:00")
    assert unpublished.exit_code == 2
    assert "还没有发布过" in unpublished.output
    assert run("who", "c-duty", "--at", "2031-01-01T00:00").exit_code == 1


def test_measures_and_reports_are_typed_too(run):
    person = load_county(SAMPLE, around=AT).who("c-duty", AT).person
    assert "未报：县应急值班室值班员" in run("zero-report").output
    assert "无情况" in run("zero-report", "c-duty", person.name).output
    said = run("measure", "c-duty", "砂石厂停工", "--on-word-of", "县防指", "--by", "值班员")
    assert said.exit_code == 1
    assert "还没有交接班记录" in str(said.exception)


def test_the_roster_is_shown_with_its_changes(run, leader: str):
    run("stand-in", "c-duty", "p0100", "--asked-by", "值班员", "--agreed-by", leader, "--why", "送医")
    said = run("show", "--days", "2", "--unit", "county")
    assert said.exit_code == 0, said.output
    assert "顶班" in said.output


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=lambda words: " ".join(words) or "roster")
def test_every_command_tells_what_it_does(words: tuple[str, ...]):
    said = CliRunner().invoke(app, ["roster", *words, "--help"])
    assert said.exit_code == 0
    assert len(said.output.splitlines()) > 5
