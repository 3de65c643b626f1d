"""With the engine sabotaged in many ways the auditor notices within 10 s; while all is well it beats and is silent."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agents.dial.carriers.simulated import SimulatedCarrier
from tests.agents.auditor_house import START, MuteCarrier, SabotagedHouse, play

WITHIN_S = 10


def test_while_all_is_well_it_beats_at_every_look_and_says_nothing(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        await house.go_on(400)

    house = play(tmp_path, night)
    assert house.found == {}
    assert house.alarms() == []
    assert house.beaten_at() == START + timedelta(seconds=398)


def test_no_worker_running_is_noticed_by_the_letter_nobody_takes(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.clear()
        await house.order()
        await house.go_on(12)

    house = play(tmp_path, night)
    assert house.noticed_after_s("letter_late", START) <= WITHIN_S
    assert "没有人处理" in house.alarms()[0]["text"]


def test_an_idle_night_without_a_worker_is_noticed_too(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(40)
        house.working.clear()
        await house.go_on(30)

    house = play(tmp_path, night)
    assert house.noticed_after_s("no_worker", START + timedelta(seconds=36 + 15)) <= WITHIN_S


def test_a_ticker_that_is_off_is_noticed_by_the_step_that_nobody_takes(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("ticker")
        house.working.discard("dialler")
        await house.order()
        await house.go_on(200)

    house = play(tmp_path, night)
    due = START + timedelta(seconds=180)
    assert 0 < house.noticed_after_s("callout_late", due) <= WITHIN_S


def test_a_dialler_that_is_off_is_noticed_by_the_queue_that_stands_still(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("dialler")
        await house.order()
        await house.go_on(15)

    house = play(tmp_path, night)
    assert house.noticed_after_s("calls_stand_still", START) <= WITHIN_S
    assert house.noticed_after_s("texts_stand_still", START) <= WITHIN_S


def test_a_slow_pace_is_not_taken_for_a_queue_that_stands_still(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        await house.go_on(100)

    house = play(tmp_path, night, carrier=SimulatedCarrier({}, pace_per_s=0.2, texts_per_s=0.2))
    assert house.found == {}


def test_one_letter_that_is_never_handled_is_noticed_among_those_that_are(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        await house.go_on(20)
        house.working.discard("letters")
        await house.go_on(4)
        house.sql("UPDATE letters SET schema_version = 99 WHERE handled_at IS NULL")
        house.working.add("letters")
        await house.go_on(60)

    house = play(tmp_path, night)
    assert "letter_late" in house.found
    stuck = house.sql("SELECT min(not_before) FROM letters WHERE handled_at IS NULL")[0][0]
    assert house.noticed_after_s("letter_late", datetime.fromisoformat(stuck)) <= WITHIN_S


def test_a_claim_abandoned_by_a_worker_is_noticed_when_its_lease_ends(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("dialler")
        await house.order()
        await house.go_on(2)
        now = house.clock.now()
        await house.ledger.run(lambda step: house.house.dialler.desk.claim(step, "voice", now, now))
        house.working.discard("recover")
        await house.go_on(80)

    house = play(tmp_path, night)
    assert house.noticed_after_s("claim_abandoned", START + timedelta(seconds=62)) <= WITHIN_S


def test_a_call_that_nobody_asks_about_is_noticed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        house.working.discard("recover")
        await house.order()
        await house.go_on(260)

    house = play(tmp_path, night, carrier=MuteCarrier({}))
    assert house.noticed_after_s("attempt_silent", START + timedelta(seconds=240)) <= WITHIN_S


def test_a_callout_whose_next_time_was_erased_is_noticed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        await house.go_on(20)
        open_ones = house.sql("SELECT id FROM callouts WHERE state = 'calling' LIMIT 1")
        house.sql("UPDATE callouts SET due_at = NULL WHERE id = ?", open_ones[0][0])
        await house.go_on(10)

    house = play(tmp_path, night)
    assert house.noticed_after_s("callout_undated", START + timedelta(seconds=20)) <= WITHIN_S


def test_an_entry_removed_from_the_end_of_a_chain_is_noticed(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        await house.go_on(20)
        house.sql("DELETE FROM entries WHERE (subject, n) IN (SELECT subject, n FROM heads LIMIT 1)")
        await house.go_on(10)

    house = play(tmp_path, night)
    assert house.noticed_after_s("head_broken", START + timedelta(seconds=20)) <= WITHIN_S


def test_a_serious_trouble_that_nobody_closes_is_told_again(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.order()
        house.working.discard("letters")
        house.sql("UPDATE letters SET topic = 'warnings'")
        house.working.add("letters")
        await house.go_on(780)

    house = play(tmp_path, night)
    told = [alarm for alarm in house.alarms() if alarm["kind"] == "trouble_open"]
    assert told
    assert "已存入死信" in told[0]["text"]


def test_a_ledger_that_cannot_be_read_is_an_alarm_by_itself(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(2)
        house.path.rename(house.path.with_suffix(".gone"))
        house.auditor.look_once()
        house.path.with_suffix(".gone").rename(house.path)

    house = play(tmp_path, night)
    assert [alarm["kind"] for alarm in house.alarms()] == ["blind"]


def test_after_an_alarm_the_heart_stands_still_until_all_is_well_again(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        await house.go_on(4)
        house.working.discard("letters")
        await house.order()
        await house.go_on(30)
        assert house.beaten_at() < START + timedelta(seconds=4 + WITHIN_S)
        house.working.add("letters")
        await house.go_on(10)

    house = play(tmp_path, night)
    states = [alarm["state"] for alarm in house.alarms() if alarm["kind"] == "letter_late"]
    assert states == ["raised", "cleared"]
    assert house.beaten_at() == START + timedelta(seconds=42)


def test_the_eye_cannot_write(tmp_path: Path) -> None:
    async def night(house: SabotagedHouse) -> None:
        with (
            house.auditor.eye._engine.connect() as connection,
            pytest.raises(Exception, match="readonly"),
        ):
            connection.exec_driver_sql("DELETE FROM letters")

    play(tmp_path, night)
