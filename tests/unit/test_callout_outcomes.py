"""What each outcome of a call leads to, in each state in which a call can be under way: the whole table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.outcomes import CONSEQUENCES
from agents.callout.state import Callout, CalloutState
from streams.words import Outcome
from tests.unit.callout_samples import NOW, after, claimed, ended, opened, state_after

ENDED_AT = NOW + timedelta(seconds=40)
TEXTS = (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED, Outcome.TEXT_FAILED)

# What happens next: "again 100" rings the same phone 100 s after the last dialling; "person" is the B角 at once;
# "phone" the second phone at once; "+text" sends the message by SMS as well; "!" asks people to correct the number.
FIRST_CALL = {
    Outcome.CONFIRMED: "confirmed",
    Outcome.FETCHING: "fetching",
    Outcome.CANNOT: "person",
    Outcome.HEARD_NO_KEY: "heard_no_key 100 +text",
    Outcome.HUNG_UP_EARLY: "again 100",
    Outcome.NO_ANSWER: "again 100",
    Outcome.BUSY: "again 60",
    Outcome.REJECTED: "again 100",
    Outcome.VOICEMAIL: "again 100 +text",
    Outcome.SWITCHED_OFF: "phone",
    Outcome.NO_COVERAGE: "phone",
    Outcome.OUT_OF_SERVICE: "phone !",
    Outcome.WRONG_NUMBER: "phone !",
    Outcome.BARRED: "phone !",
    Outcome.VENDOR_BUSY: "again 60",
    Outcome.VENDOR_FAILED: "again 60",
    Outcome.NO_NEWS: "again 100",
    Outcome.STOPPED: "nothing",
}
# The one more call that hearing without a key earns: whatever uses it up goes to the next person.
ONE_MORE_CALL = dict.fromkeys(FIRST_CALL, "person") | {
    Outcome.CONFIRMED: "confirmed",
    Outcome.FETCHING: "fetching",
    Outcome.HEARD_NO_KEY: "person +text",
    Outcome.VOICEMAIL: "person +text",
    Outcome.OUT_OF_SERVICE: "person !",
    Outcome.WRONG_NUMBER: "person !",
    Outcome.BARRED: "person !",
    Outcome.VENDOR_BUSY: "heard_no_key 60",
    Outcome.VENDOR_FAILED: "heard_no_key 60",
    Outcome.STOPPED: "nothing",
}
LAST_CALL_OF_STEP = FIRST_CALL | {
    Outcome.HUNG_UP_EARLY: "person",
    Outcome.NO_ANSWER: "person",
    Outcome.BUSY: "person",
    Outcome.REJECTED: "person",
    Outcome.VOICEMAIL: "person +text",
    Outcome.NO_NEWS: "person",
}


def first_call() -> Callout:
    return claimed(opened().model_copy(update={"text_at": None}), NOW)


def one_more_call() -> Callout:
    heard = first_call()
    waiting = state_after(heard, ended(heard, Outcome.HEARD_NO_KEY, NOW), NOW)
    return claimed(waiting.model_copy(update={"text_at": None}), NOW)


def last_call() -> Callout:
    return first_call().model_copy(update={"calls_in_step": 3, "calls": 3})


def told(before: Callout, outcome: Outcome) -> str:
    """Say in the table's words what an outcome led to."""
    decision = after(before, ended(before, outcome, ENDED_AT), ENDED_AT)
    state = decision.state
    if state.state in (CalloutState.CONFIRMED, CalloutState.FETCHING):
        return str(state.state)
    if state.attempt_id == before.attempt_id:
        return "nothing"
    if state.step > before.step:
        words = "person"
    elif state.phone > before.phone:
        words = "phone"
    else:
        name = "heard_no_key" if state.state is CalloutState.HEARD_NO_KEY else "again"
        words = f"{name} {(state.call_at - NOW).total_seconds():.0f}"
    # The B角's step begins with a text only where its ladder says so; here it does not.
    words += " +text" if state.text_at is not None else ""
    return words + (" !" if "number_wrong" in [item.kind for item in decision.troubles] else "")


@pytest.mark.parametrize("outcome", FIRST_CALL)
def test_after_the_first_call(outcome):
    assert told(first_call(), outcome) == FIRST_CALL[outcome]


@pytest.mark.parametrize("outcome", ONE_MORE_CALL)
def test_after_the_one_more_call_that_hearing_without_a_key_earns(outcome):
    assert told(one_more_call(), outcome) == ONE_MORE_CALL[outcome]


@pytest.mark.parametrize("outcome", LAST_CALL_OF_STEP)
def test_after_the_last_call_of_a_step(outcome):
    assert told(last_call(), outcome) == LAST_CALL_OF_STEP[outcome]


def test_every_outcome_has_its_consequence_and_its_row_here():
    assert set(CONSEQUENCES) == set(Outcome)
    assert set(FIRST_CALL) | set(TEXTS) == set(Outcome)


@pytest.mark.parametrize("outcome", FIRST_CALL)
@pytest.mark.parametrize("state", [state for state in CalloutState if state not in (CalloutState.CONFIRMED,)])
def test_news_of_an_old_call_moves_nothing_but_a_confirmation_does(outcome, state):
    callout = first_call().model_copy(update={"state": state})
    told_late = ended(callout, outcome, ENDED_AT, attempt_id="real|attempt|old")
    changed = after(callout, told_late, ENDED_AT).state
    if outcome is not Outcome.CONFIRMED:
        assert changed.state is state


@pytest.mark.parametrize("state", ["superseded", "cancelled", "corrected", "expired"])
def test_a_receipt_after_the_end_is_kept_and_the_end_stays(state):
    callout = first_call().model_copy(update={"state": CalloutState(state), "call_at": None})
    changed = after(callout, ended(callout, Outcome.CONFIRMED, ENDED_AT), ENDED_AT).state
    assert changed.state == state
    assert changed.receipt is not None
