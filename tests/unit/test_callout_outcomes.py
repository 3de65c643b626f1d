"""The whole table of outcomes: what follows each way in which a call can end, and the nights they make."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest

from agents.callout.outcomes import CONSEQUENCES
from agents.callout.state import CalloutState
from agents.dial.carriers.simulated import Kind
from streams.words import Outcome
from tests.unit.callout_samples import NOW, after, claimed, ended, opened

TEXTS = (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED, Outcome.TEXT_FAILED)
RUNG_FOR_S = 40
GAP_S, SOON_S = 100, 60


class Next(NamedTuple):
    """What follows the first call: state, step of the ladder, which phone, seconds from that call to the next one
    (None: none), calls used up in the step, and whether a text and a trouble follow."""

    state: CalloutState
    step: int
    phone: int
    call_after_s: int | None
    used: int
    text: bool = False
    trouble: str = ""


CALLING = CalloutState.CALLING
TABLE = {
    Outcome.CONFIRMED: Next(CalloutState.CONFIRMED, 0, 0, None, 1),
    Outcome.FETCHING: Next(CalloutState.FETCHING, 0, 0, None, 1),
    Outcome.CANNOT: Next(CALLING, 1, 0, RUNG_FOR_S, 0),
    Outcome.HEARD_NO_KEY: Next(CalloutState.HEARD_NO_KEY, 0, 0, GAP_S, 1, text=True),
    Outcome.HUNG_UP_EARLY: Next(CALLING, 0, 0, GAP_S, 1),
    Outcome.NO_ANSWER: Next(CALLING, 0, 0, GAP_S, 1),
    Outcome.BUSY: Next(CALLING, 0, 0, SOON_S, 1),
    Outcome.REJECTED: Next(CALLING, 0, 0, GAP_S, 1),
    Outcome.VOICEMAIL: Next(CALLING, 0, 0, GAP_S, 1, text=True),
    Outcome.SWITCHED_OFF: Next(CALLING, 0, 1, RUNG_FOR_S, 1),
    Outcome.NO_COVERAGE: Next(CALLING, 0, 1, RUNG_FOR_S, 1),
    Outcome.OUT_OF_SERVICE: Next(CALLING, 0, 1, RUNG_FOR_S, 1, trouble="number_wrong"),
    Outcome.WRONG_NUMBER: Next(CALLING, 0, 1, RUNG_FOR_S, 1, trouble="number_wrong"),
    Outcome.BARRED: Next(CALLING, 0, 1, RUNG_FOR_S, 1, trouble="number_wrong"),
    Outcome.VENDOR_BUSY: Next(CALLING, 0, 0, SOON_S, 0),
    Outcome.VENDOR_FAILED: Next(CALLING, 0, 0, SOON_S, 0),
    Outcome.NO_NEWS: Next(CALLING, 0, 0, GAP_S, 1),
    Outcome.STOPPED: Next(CALLING, 0, 0, None, 1),
    Outcome.SPOKEN: Next(CalloutState.SPOKEN, 0, 0, None, 1),
    Outcome.PROXY: Next(CalloutState.VOUCHED, 0, 0, None, 1),
}


def test_every_outcome_has_its_consequence_and_its_line_here() -> None:
    assert set(CONSEQUENCES) == set(Outcome)
    assert set(TABLE) == set(Outcome) - set(TEXTS)


@pytest.mark.parametrize("outcome", TABLE, ids=str)
def test_each_way_a_call_can_end_has_its_next_step(outcome: Outcome) -> None:
    ringing = claimed(opened().model_copy(update={"text_at": None}), NOW)
    decision = after(ringing, ended(ringing, outcome, NOW), NOW + timedelta(seconds=RUNG_FOR_S))
    state = decision.state
    assert state is not None
    due = state.call_at and round((state.call_at - NOW).total_seconds())
    text = state.text_at is not None
    trouble = next((item.kind for item in decision.troubles), "")
    told = Next(state.state, state.step, state.phone, due, state.calls_in_step, text, trouble)
    assert told == TABLE[outcome]


@pytest.mark.parametrize("outcome", TABLE, ids=str)
def test_no_way_a_call_can_end_leaves_a_callout_open_that_nothing_will_ever_move(outcome: Outcome) -> None:
    ringing = claimed(opened(), NOW)
    state = after(ringing, ended(ringing, outcome, NOW), NOW + timedelta(seconds=RUNG_FOR_S)).state
    assert state is not None
    assert not state.is_open or state.due_at is not None


@pytest.mark.parametrize(
    "outcome", [item for item, line in TABLE.items() if line.call_after_s not in (None, RUNG_FOR_S)]
)
def test_the_same_phone_is_rung_again_between_one_and_three_minutes_after_the_first_time(outcome: Outcome) -> None:
    ringing = claimed(opened(), NOW)
    state = after(ringing, ended(ringing, outcome, NOW), NOW + timedelta(seconds=RUNG_FOR_S)).state
    assert state is not None
    assert state.call_at is not None
    assert 60 <= (state.call_at - NOW).total_seconds() <= 180


def test_a_claim_that_a_clock_an_hour_ahead_wrote_makes_nobody_wait_for_that_hour() -> None:
    callout = claimed(opened(), NOW + timedelta(hours=1))
    told_at = NOW + timedelta(seconds=RUNG_FOR_S)
    again = after(callout, ended(callout, Outcome.NO_ANSWER, told_at), told_at).state
    assert again is not None
    assert again.call_at == told_at + timedelta(seconds=GAP_S)


@pytest.mark.parametrize("outcome", TEXTS, ids=str)
def test_news_of_a_text_beside_a_call_moves_nothing(outcome: Outcome) -> None:
    ringing = claimed(opened(), NOW)
    state = after(ringing, ended(ringing, outcome, NOW), NOW).state
    assert state is not None
    assert state.model_copy(update={"version": ringing.version}) == ringing


# As nights: what the holder's phone meets, whether the deputy is rung, what is told, how it stands in the end when the
# deputy does not wake either, and how often the holder was rung.
NIGHTS = {
    Kind.ANSWERS: (1, False, CalloutState.CONFIRMED, ""),
    Kind.SLOW: (1, False, CalloutState.CONFIRMED, ""),
    Kind.SLEEPS: (3, True, CalloutState.UNREACHED, ""),
    Kind.HANGS_UP_EARLY: (3, True, CalloutState.UNREACHED, ""),
    Kind.VOICEMAIL: (3, True, CalloutState.UNREACHED, ""),
    Kind.CHILD: (2, True, CalloutState.UNREACHED, ""),
    Kind.SWITCHED_OFF: (1, True, CalloutState.UNREACHED, ""),
    Kind.NO_COVERAGE: (1, True, CalloutState.UNREACHED, ""),
    Kind.OUT_OF_SERVICE: (1, True, CalloutState.UNREACHED, "number_wrong"),
    Kind.CANNOT: (1, True, CalloutState.UNREACHED, ""),
    Kind.FETCHES: (2, False, CalloutState.CONFIRMED, ""),
    Kind.REPLIES_BY_SMS: (1, False, CalloutState.REPLIED, ""),
}


def test_every_habit_of_a_telephone_has_its_night_here() -> None:
    assert set(NIGHTS) == set(Kind)


@pytest.mark.parametrize("kind", NIGHTS, ids=str)
def test_the_night_of_each_telephone(night, kind: Kind) -> None:
    calls, deputy, state, trouble = NIGHTS[kind]
    night.phone("v201-head").habit(kind.value)
    night.phone("sim:v201-head-b").habit("sleeps")
    night.warning().advance(minutes=15)

    rung = night.phone("v201-head").calls
    times = [call.dialled_at for call in rung]
    assert len(rung) == calls
    assert bool(night.phone("sim:v201-head-b").calls) is deputy
    assert night.post("v201-head").state is state
    assert {item.kind for item in night.troubles()} == ({trouble} if trouble else set())
    assert all(60 <= (later - earlier).total_seconds() <= 240 for earlier, later in pairwise(times))
