"""The witness of the end-to-end nights speaks up: each thing that he watches for is shown to him once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.callout.state import Callout, CalloutState, Receipt
from agents.dial.state import Attempt
from tests.e2e.blows import Blow
from tests.e2e.witness import Call, Journal, Witness

T0 = datetime(2021, 7, 19, 14, tzinfo=UTC)
Keys = tuple[tuple[str, bool], ...]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def call(
    sid: str, begins_s: float, ends_s: float, *, attempt: str = "a", keys: tuple[tuple[str, bool], ...] = ()
) -> Call:
    return Call(sid, attempt, "+15000000001", at(begins_s), at(ends_s), list(keys))


def callout(state: CalloutState, *, key_s: float | None = None, read_s: float | None = None, calls: int = 1) -> Callout:
    receipt = key_s is not None and Receipt.model_construct(
        attempt_id="a", played_at=at(key_s), key="1", key_at=at(key_s)
    )
    return Callout.model_construct(
        id="c",
        state=state,
        calls=calls,
        visit_id="",
        receipt=receipt or None,
        closed_at=None if read_s is None else at(read_s),
    )


def attempt(claimed_s: float = 0, name: str = "a") -> Attempt:
    return Attempt.model_construct(
        id=name, callouts=("c",), dialled_at=at(claimed_s), channel="voice", direction="outbound"
    )


def complaints(calls: list[Call], callouts: list[Callout], attempts: list[Attempt], **more: Any) -> list[str]:
    blows = more.pop("blows", ())
    pressed = frozenset(one.attempt for one in calls for key, _ in one.keys if key == "1")
    return Witness(Journal(calls, 0, ()), callouts, attempts, blows, pressed, **more).complaints()


CONFIRMED = callout(CalloutState.CONFIRMED, key_s=20, read_s=22)
PRESSED = (("1", True),)


def test_a_night_in_which_all_went_well_has_nothing_to_say():
    assert complaints([call("1", 1, 30, keys=PRESSED)], [CONFIRMED], [attempt()]) == []


@pytest.mark.parametrize(
    ("calls", "callouts", "attempts", "word"),
    [
        ([], [callout(CalloutState.CALLING)], [], "still calling"),
        ([], [callout(CalloutState.UNREACHED, calls=0)], [], "no person was told"),
        ([call("1", 1, 30, attempt="?")], [], [], "does not know"),
        ([call("1", 1, 9), call("2", 70, 80)], [], [attempt()], "dialled 2 times with 0 blows"),
        ([call("1", 1, 30), call("2", 20, 40)], [], [attempt()], "before 1 for a was over"),
        ([call("1", 1, 30)], [CONFIRMED], [attempt()], "saw no key"),
        ([call("1", 1, 30, keys=PRESSED)], [callout(CalloutState.UNREACHED)], [attempt()], "key 1 was pressed"),
        (
            [call("1", 1, 30, keys=PRESSED), call("2", 300, 309, attempt="b")],
            [CONFIRMED],
            [attempt(), attempt(300, "b")],
            "claimed after everything",
        ),
    ],
)
def test_what_must_not_be_is_said(calls, callouts, attempts, word):
    assert [said for said in complaints(calls, callouts, attempts) if word in said]


def test_a_second_call_for_an_attempt_is_excused_by_a_blow_in_its_window():
    blow = Blow("worker killed", at(10), at(11), 1.0)
    calls = [call("1", 1, 9), call("2", 70, 80, keys=PRESSED)]
    assert complaints(calls, [CONFIRMED], [attempt()], blows=[blow]) == []


def test_a_call_claimed_before_the_key_was_read_may_still_ring():
    calls = [call("1", 1, 30, keys=PRESSED), call("2", 90, 99, attempt="b")]
    read_late = callout(CalloutState.CONFIRMED, key_s=20, read_s=95)
    assert complaints(calls, [read_late], [attempt(), attempt(89, "b")]) == []
