"""A test warning goes in at the door, rings the line check phone and nobody else, and is missed if it stays away."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from agents.dial.carriers.simulated import Habit, Kind, SimulatedCarrier
from streams.doors.warnings import read_warning
from streams.words import Status
from tests.agents.auditor_house import ALL, START, MuteCarrier, SabotagedHouse, play

FIRST_S = 30
"""Workers have half a minute to appear, then the first check is posted."""
WITHIN_S = 120
NOTICED_S = 10
EVERY_S, AGAIN_S = 600, 900


def missed_after_s(house: SabotagedHouse) -> float:
    """How long after its posting, beyond the time it has, a check was missed."""
    return house.noticed_after_s("line_check_missed", START + timedelta(seconds=FIRST_S + WITHIN_S))


def rung(house: SabotagedHouse) -> list[tuple[str, str]]:
    return [tuple(row) for row in house.sql("SELECT DISTINCT realm, post_id FROM callouts ORDER BY post_id")]


def test_on_a_healthy_night_each_check_comes_back_rings_one_phone_and_nothing_is_said(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(FIRST_S + 2 * EVERY_S + WITHIN_S)

    house = play(tmp_path, night, line_check=True)
    assert house.found == {}
    assert house.alarms() == []
    assert rung(house) == [("check:cap", "c-line")]
    assert house.sql("SELECT count(*), min(state), max(state) FROM callouts") == [(3, "confirmed", "confirmed")]
    assert house.sql("SELECT count(*) FROM chains WHERE realm = 'real'") == [(0,)]


def test_what_is_posted_says_in_every_way_that_it_is_a_test(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.clear()
        for _ in range(20):
            house.auditor.look_once()
            house.clock.advance(2)
        (content,) = house.posted
        (warning,) = read_warning(
            content, "application/json", house.house.facts.book.hazards, realm="check:cap", received_at=START
        )
        assert (warning.status, warning.hazard) == (Status.TEST, "line_check")
        assert warning.headline.startswith("【测试】")

    play(tmp_path, night, line_check=True)


@pytest.mark.parametrize("part", ["letters", "dialler"])
def test_with_a_part_of_the_engine_dead_the_check_is_missed(tmp_path: Path, part: str) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard(part)
        await house.go_on(FIRST_S + WITHIN_S + 20)

    assert missed_after_s(play(tmp_path, night, line_check=True)) <= NOTICED_S


def test_with_every_worker_dead_the_check_is_missed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.clear()
        await house.go_on(FIRST_S + WITHIN_S + 20)

    assert missed_after_s(play(tmp_path, night, line_check=True)) <= NOTICED_S


def test_with_a_carrier_that_rings_nobody_the_check_is_missed_though_every_step_is_in_time(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(FIRST_S + WITHIN_S + 20)

    house = play(tmp_path, night, carrier=MuteCarrier({}), line_check=True)
    assert missed_after_s(house) <= NOTICED_S
    assert set(house.found) == {"line_check_missed"}, "nothing else would have noticed"


def test_with_a_phone_that_is_not_answered_the_check_is_missed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(FIRST_S + WITHIN_S + 20)

    carrier = SimulatedCarrier({"sim:c-line": Habit(kind=Kind.SLEEPS)})
    assert missed_after_s(play(tmp_path, night, carrier=carrier, line_check=True)) <= NOTICED_S


def test_a_letter_lost_behind_everybodys_back_is_missed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(FIRST_S)
        house.working.discard("letters")
        await house.go_on(4)
        # Gone without a trace: no open letter, no late row, nothing that anybody could find due.
        house.sql("UPDATE letters SET handled_at = at WHERE handled_at IS NULL AND topic = 'warnings.raw'")
        house.working.update(ALL)
        await house.go_on(WITHIN_S + 20)

    house = play(tmp_path, night, line_check=True)
    assert missed_after_s(house) <= NOTICED_S
    assert set(house.found) == {"line_check_missed"}, "nothing else would have noticed"


def test_a_claim_that_nobody_finishes_is_missed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working -= {"dialler", "recover"}
        await house.go_on(FIRST_S + 4)
        now = house.clock.now()
        await house.ledger.run(lambda step: house.house.dialler.desk.claim(step, "voice", now, now))
        await house.go_on(WITHIN_S + 20)

    assert missed_after_s(play(tmp_path, night, line_check=True)) <= NOTICED_S


def test_a_receipt_without_its_entry_in_the_chain_does_not_count(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("dialler")
        await house.go_on(FIRST_S + 4)
        house.sql("UPDATE callouts SET state = 'confirmed', due_at = NULL, call_at = NULL, text_at = NULL")
        await house.go_on(WITHIN_S + 20)

    assert missed_after_s(play(tmp_path, night, line_check=True)) <= NOTICED_S


def test_a_closed_door_is_told_at_once_and_tried_again_until_it_opens(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.door = "HTTP 503"
        await house.go_on(FIRST_S + 60)
        assert house.beaten_at() < START + timedelta(seconds=FIRST_S + NOTICED_S)
        house.door = ""
        await house.go_on(120)

    house = play(tmp_path, night, line_check=True)
    assert house.noticed_after_s("door_closed", START + timedelta(seconds=FIRST_S)) <= NOTICED_S
    states = [alarm["state"] for alarm in house.alarms() if alarm["kind"] == "door_closed"]
    assert (states[0], states[-1]) == ("raised", "cleared")
    assert "HTTP 503" in house.alarms()[0]["text"]
    assert "line_check_missed" not in house.found


def test_a_check_that_was_missed_stays_an_alarm_until_one_comes_back(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("dialler")
        await house.go_on(FIRST_S + WITHIN_S + 40)
        assert "line_check_missed" in house.found
        house.working.add("dialler")
        await house.go_on(AGAIN_S)

    house = play(tmp_path, night, line_check=True)
    states = [alarm["state"] for alarm in house.alarms() if alarm["kind"] == "line_check_missed"]
    assert (states[0], states[-1], states.count("raised")) == ("raised", "cleared", 1)
    assert house.beaten_at() is not None


def test_an_auditor_that_is_started_again_goes_on_with_the_check_under_way(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.clear()
        await house.go_on(FIRST_S + 60)
        house.auditor.line_check = house.new_line_check()
        await house.go_on(WITHIN_S - 60 + 20)

    house = play(tmp_path, night, line_check=True)
    assert missed_after_s(house) <= NOTICED_S
    assert json.loads((tmp_path / "line_check.json").read_text("utf-8"))["number"] == 1


def test_a_test_that_comes_late_wakes_nobody(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.clear()
        await house.go_on(FIRST_S + WITHIN_S + 20)
        house.working.update(ALL)
        house.auditor.line_check = None
        await house.go_on(60)

    assert rung(play(tmp_path, night, line_check=True)) == []


def test_a_real_warning_that_is_read_as_a_line_check_wakes_the_duty_officer(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("letters")
        await house.go_on(FIRST_S + 4)
        house.sql("""UPDATE letters SET body = replace(body, '"Test"', '"Actual"')""")
        house.working.add("letters")
        await house.go_on(60)

    assert [post for _, post in rung(play(tmp_path, night, line_check=True))] == ["c-duty"]
