"""The one way in which decisions reach the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.callout.course import CalloutReason
from agents.callout.state import CALLOUTS
from streams import topics
from streams.ledger.memory import MemoryLedger
from streams.letters import ReadingsArrived, Stopped, write_letter
from streams.rooms import (
    ERRORS_MAX,
    RETRY_AFTER,
    TROUBLES,
    Decision,
    fold,
    messages_of,
    record_troubles,
    take_due,
    trouble,
)
from streams.wiring import TABLES
from tests.unit.callout_samples import opened

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TABLES)


def due_callouts(ledger: MemoryLedger, *names: str) -> None:
    rows = [
        opened().model_copy(update={"id": f"real|callout|{name}", "version": 0, "due_at": NOW, "place": name})
        for name in names
    ]
    ledger.step(lambda step: step.save(CALLOUTS, rows))


def decide_or_raise(row, now):
    if row.place == "bad":
        raise ValueError("a fault in decide")
    return Decision(CalloutReason.ENDED, row.model_copy(update={"due_at": None}))


def tick(ledger: MemoryLedger, now: datetime) -> int:
    return ledger.step(lambda step: take_due(step, CALLOUTS, decide_or_raise, now, 100))


def test_a_due_step_that_raises_holds_up_no_other(ledger):
    due_callouts(ledger, "a", "bad", "c")
    assert tick(ledger, NOW) == 3
    rows = {row.place: row.due_at for row in ledger.step(lambda step: step.find(CALLOUTS))}
    assert rows == {"a": None, "bad": NOW + RETRY_AFTER, "c": None}


def test_a_due_step_that_raises_is_told_to_people_and_written_down(ledger):
    due_callouts(ledger, "bad")
    tick(ledger, NOW)
    assert [item.kind for item in ledger.step(lambda step: step.find(TROUBLES))] == ["step_failed"]
    assert [entry.what for entry in ledger.step(lambda step: step.entries("real|callout|bad"))] == ["step_failed"]


def test_a_due_step_that_raises_for_ever_is_tried_once_an_hour_in_the_end(ledger):
    due_callouts(ledger, "bad")
    at = NOW
    for _ in range(ERRORS_MAX + 1):
        tick(ledger, at)
        last, at = at, ledger.step(lambda step: step.find(CALLOUTS))[0].due_at
    assert at - last == timedelta(hours=1)


def test_several_messages_about_one_state_see_what_the_ones_before_left(ledger):
    due_callouts(ledger, "a")
    seen = []

    def decide(state, message, now):
        seen.append(state.calls)
        return Decision(CalloutReason.ENDED, state.model_copy(update={"calls": state.calls + 1}))

    ledger.step(lambda step: fold(step, CALLOUTS, [("real|callout|a", "x")] * 3, decide, NOW))
    assert seen == [0, 1, 2]
    assert ledger.step(lambda step: step.find(CALLOUTS))[0].calls == 3


def test_a_trouble_met_twice_is_one(ledger):
    for _ in range(2):
        ledger.step(lambda step: record_troubles(step, [trouble("k", "real|x|1", "text", NOW)]))
    assert len(ledger.step(lambda step: step.find(TROUBLES))) == 1


def test_a_trouble_that_a_person_closed_is_shown_again_when_it_is_met_again(ledger):
    ledger.step(lambda step: record_troubles(step, [trouble("k", "real|x|1", "text", NOW)]))
    (known,) = ledger.step(lambda step: step.find(TROUBLES))
    closed = known.model_copy(update={"closed_at": NOW, "closed_by": "值班员"})
    ledger.step(lambda step: step.save(TROUBLES, [closed]))
    later = NOW + timedelta(hours=1)
    ledger.step(lambda step: record_troubles(step, [trouble("k", "real|x|1", "text", later)]))
    (again,) = ledger.step(lambda step: step.find(TROUBLES))
    assert (again.closed_at, again.at) == (None, later)


def test_a_letter_a_room_does_not_read_is_refused_by_name():
    message = Stopped(callout_ids=(), why="expired", at=NOW)
    letter = write_letter(topics.CALLOUTS, "real|callout|x", message, NOW, cause="x")
    with pytest.raises(TypeError, match="stopped, which is not read under callouts"):
        messages_of([letter], ReadingsArrived)
