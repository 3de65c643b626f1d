"""`jiaoying phone` and `jiaoying county try-call` as they are typed, and what a service makes of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agents.dial.carriers.simulated import Habit, Kind, SimulatedCarrier
from agents.facts import Facts
from agents.phones.codes import phone_code
from agents.phones.record import note_verified
from agents.phones.state import VERIFICATIONS, VERIFIED_PHONES, Verification, VerifiedHow
from config.load import load_rules
from config.settings import read_settings
from rosters.load import load_county
from rosters.numbers import number_digest
from streams.cli.county_try import said, tried
from streams.cli.root import app
from streams.clock import VirtualClock
from streams.installation import number_key, prepare
from streams.ledger.contract import FullStep
from streams.ledger.sql import SqlLedger
from streams.replay.runner import Runner
from streams.wiring import TABLES, build
from streams.words import Channel

T = TypeVar("T")
SAMPLE = Path(__file__).parents[2] / "config" / "sample"
REAL = "+8613800000100"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a county's folder, in the morning; p0100 has a simulated phone, p0101 a real one."""
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    people = (folder / "people.csv").read_text(encoding="utf-8")
    (folder / "people.csv").write_text(people.replace("sim:m0101:", f"{REAL}:"), encoding="utf-8")
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "COUNTY_FOLDER": str(folder),
        "STORY_ORIGIN": "2021-07-19T10:00:00+08:00",
        "WALL_ORIGIN": datetime.now(UTC).isoformat(),
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"JIAOYING_{name}", value)
    return folder


class InPlace(SqlLedger):
    """The installation's ledger for virtual time: every step runs where it is asked for."""

    async def run(self, work: Callable[[FullStep], T]) -> T:
        return self.step(work)

    async def look(self, work: Callable[[FullStep], T]) -> T:
        return self.step(work)


def type_in(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=answer)


def serve(minutes: float = 3, habits: dict[str, Habit] | None = None, look: Callable[[Any], Any] | None = None) -> Any:
    """Let a service run for some minutes over the installation's ledger, then look at it."""
    chosen = read_settings()
    now = chosen.clock().now() + timedelta(seconds=1)
    ledger = InPlace(chosen.ledger, TABLES)
    clock = VirtualClock(now)
    facts = Facts(load_county(chosen.county_folder, around=now), load_rules())
    key = number_key(chosen)
    carrier = SimulatedCarrier(habits or {}, number_key=key, pace_per_s=5, texts_per_s=5)
    house = build(ledger=ledger, clock=clock, facts=facts, carriers=[carrier], number_key=key, owner="test")
    try:
        Runner(house, clock).run_until(now + timedelta(minutes=minutes))
        return ledger.step(look) if look else None
    finally:
        ledger.close()


def verified(step: Any) -> list[VerifiedHow]:
    return [row.how for row in step.find(VERIFIED_PHONES)]


def asked_code(step: Any) -> str:
    (row,) = step.find(VERIFICATIONS)
    return phone_code(row.callout_id, number_key(read_settings()))


@pytest.mark.usefixtures("installed")
def test_a_number_is_asked_by_name_rung_and_verified():
    told = type_in("phone", "verify", "p0100", "--by", "张文书", "--yes", "--no-wait")
    assert told.exit_code == 0, told.output
    assert serve(look=verified) == [VerifiedHow.KEY]


@pytest.mark.usefixtures("installed")
def test_the_code_that_was_told_is_entered_and_a_wrong_one_is_not():
    type_in("phone", "verify", "p0100", "--by", "张文书", "--yes", "--no-wait")
    code = serve(habits={"sim:m0100": Habit(kind=Kind.CHILD)}, look=asked_code)

    wrong = type_in("phone", "enter", "p0100", "0000" if code != "0000" else "1111", "--by", "张文书")
    right = type_in("phone", "enter", "p0100", code, "--by", "张文书")

    assert (wrong.exit_code, right.exit_code) == (1, 0), right.output
    assert "已核实" in right.output
    assert serve(minutes=0, look=verified) == [VerifiedHow.CODE]


@pytest.mark.usefixtures("installed")
def test_nobody_is_asked_without_a_yes():
    told = type_in("phone", "verify", "p0100", "--by", "张文书", answer="n\n")
    assert told.exit_code == 1
    assert serve(minutes=0, look=lambda step: step.find(VERIFICATIONS)) == []


@pytest.mark.usefixtures("installed")
def test_everyone_means_those_with_a_real_number_that_is_not_verified_and_shows_no_number():
    told = type_in("phone", "verify", "--everyone", "--by", "张文书", "--yes", "--no-wait")
    assert "已交办 1 个" in told.output, told.output
    assert "138****0100" in told.output
    assert REAL not in told.output
    shown = type_in("phone", "show")
    assert "号码 1 个，已核实 0 个" in shown.output
    assert REAL not in shown.output


def test_nobody_is_disturbed_at_night_for_a_number(installed: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JIAOYING_STORY_ORIGIN", "2021-07-19T22:30:00+08:00")
    assert installed.exists()
    assert type_in("phone", "verify", "p0100", "--by", "张文书", "--yes", "--no-wait").exit_code == 1
    late = type_in("phone", "verify", "p0100", "--by", "张文书", "--yes", "--no-wait", "--at-night")
    assert late.exit_code == 0


@pytest.mark.usefixtures("installed")
def test_what_was_verified_is_withdrawn_by_name():
    type_in("phone", "verify", "p0100", "--by", "张文书", "--yes", "--no-wait")
    serve()
    assert type_in("phone", "withdraw", "p0100", "--by", "张文书", "--why", "换号").exit_code == 0
    again = type_in("phone", "withdraw", "p0100", "--by", "张文书", "--why", "换号")
    assert again.exit_code == 1
    assert "没有核实过" in str(again.exception)


def test_a_check_of_the_county_tells_what_is_not_verified_until_it_is(installed: Path):
    def told() -> str:
        return type_in("county", "check", str(installed), "--at", "2021-07-19T10:00").output

    assert "p0101" in told()
    chosen = read_settings()
    prepare(chosen)
    person = load_county(installed).people["p0101"]
    asked = Verification(
        id="check:phones|verification|1",
        person_id=person.id,
        name=person.name,
        post_id="c-duty",
        number_key=number_digest(REAL, number_key(chosen)),
        masked="138****0100",
        channel=Channel.VOICE,
        asked_by="张文书",
        asked_at=chosen.clock().now(),
        how=VerifiedHow.KEY,
    )
    ledger = SqlLedger(chosen.ledger, TABLES)
    ledger.step(lambda step: note_verified(step, asked, "张文书", asked.asked_at))
    ledger.close()
    assert "p0101" not in told()


@pytest.mark.usefixtures("installed")
def test_a_try_call_rings_the_one_person_and_says_what_came_of_it():
    told = type_in("county", "try-call", "p0100", "--by", "王某", "--yes", "--no-wait")
    assert told.exit_code == 0, told.output
    callout_id = next(word for word in told.output.split() if word.startswith("check:try|"))

    lines = serve(look=lambda step: said(tried(step, callout_id)))

    assert len(lines) == 1
    assert "按 1：通了" in lines[0]


@pytest.mark.usefixtures("installed")
def test_a_try_call_that_nobody_answers_says_so():
    told = type_in("county", "try-call", "p0100", "--by", "王某", "--yes", "--no-wait")
    callout_id = next(word for word in told.output.split() if word.startswith("check:try|"))
    seen = serve(habits={"sim:m0100": Habit(kind=Kind.SLEEPS)}, look=lambda step: tried(step, callout_id))
    assert "没人接" in said(seen)[0]
    assert (seen.is_over, seen.got_through) == (True, False)


@pytest.mark.usefixtures("installed")
def test_a_real_number_is_not_tried_while_the_county_rehearses():
    told = type_in("county", "try-call", "p0101", "--by", "王某", "--yes", "--no-wait")
    assert told.exit_code == 1
    assert "试运行" in told.output


def test_a_real_number_is_not_tried_before_it_is_approved(installed: Path, monkeypatch: pytest.MonkeyPatch):
    assert installed.exists()
    monkeypatch.setenv("JIAOYING_REHEARSAL", "false")
    told = type_in("county", "try-call", "p0101", "--by", "王某", "--yes", "--no-wait")
    assert told.exit_code == 1
    assert "没有批准" in told.output


@pytest.mark.usefixtures("installed")
def test_without_a_yes_nobody_is_tried():
    assert type_in("county", "try-call", "p0100", "--by", "王某", answer="n\n").exit_code == 1
