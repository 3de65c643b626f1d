"""Every way an attempt can end, met in every state that a callout can be in: what moves, and what never does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.outcomes import CONSEQUENCES, Next
from agents.callout.state import ANSWERED, OPEN, UNANSWERED, Callout, CalloutState
from streams.rooms import Decision
from streams.words import Channel, Outcome
from tests.unit.callout_samples import NOW, after, claimed, ended, opened

S = CalloutState
TEXTS = (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED, Outcome.TEXT_FAILED)
CALLS = tuple(outcome for outcome in Outcome if outcome not in TEXTS)
RINGING = (S.CALLING, S.HEARD_NO_KEY)
RECEIPTS = {Outcome.CONFIRMED: S.CONFIRMED, Outcome.SPOKEN: S.SPOKEN, Outcome.PROXY: S.VOUCHED}
LATER = timedelta(seconds=40)
AT = NOW + LATER


def standing(state: CalloutState) -> Callout:
    """Return a callout in a state, with a call that began 40 s ago as its present one."""
    ringing = claimed(opened(), NOW)
    closed = {"closed_at": NOW, "due_at": None} if state not in OPEN else {}
    return ringing.model_copy(update={"state": state, "text_at": None, **closed})


def meets(state: CalloutState, outcome: Outcome, attempt_id: str = "", **more: object) -> tuple[Callout, Decision]:
    callout = standing(state).model_copy(update=more)
    message = ended(callout, outcome, AT, attempt_id)
    message = message.model_copy(update={"by": "李某", "spoken_to": "本人"})
    decision = after(callout, message, AT)
    return decision.state or callout, decision


def of_receipt(state: CalloutState, outcome: Outcome) -> CalloutState:
    """Return where a receipt leads: key 1 outdoes every word for it; a person's word ends what nothing else ended."""
    if outcome is Outcome.CONFIRMED:
        return S.CONFIRMED if state in (*OPEN, *UNANSWERED, *ANSWERED) else state
    return state if state in (*ANSWERED, S.CANCELLED, S.SUPERSEDED) else RECEIPTS[outcome]


@pytest.mark.parametrize("state", CalloutState, ids=str)
def test_a_receipt_counts_in_every_state_in_which_it_can_and_in_no_other(state: CalloutState) -> None:
    found = {outcome: meets(state, outcome)[0].state for outcome in RECEIPTS}
    assert found == {outcome: of_receipt(state, outcome) for outcome in RECEIPTS}


@pytest.mark.parametrize("state", CalloutState, ids=str)
def test_a_receipt_of_an_earlier_call_counts_as_one_of_the_present_call_does(state: CalloutState) -> None:
    found = {outcome: meets(state, outcome, "real|attempt|earlier")[0].state for outcome in RECEIPTS}
    assert found == {outcome: of_receipt(state, outcome) for outcome in RECEIPTS}


@pytest.mark.parametrize("state", [state for state in CalloutState if state not in OPEN], ids=str)
def test_whatever_else_a_call_ends_with_moves_nothing_that_is_closed(state: CalloutState) -> None:
    for outcome in set(Outcome) - set(RECEIPTS):
        callout, decision = meets(state, outcome)
        assert (outcome, callout.state, callout.call_at) == (outcome, state, None)
        assert decision.letters == ()


@pytest.mark.parametrize("state", OPEN, ids=str)
def test_how_an_earlier_call_ended_moves_nothing_but_by_a_receipt(state: CalloutState) -> None:
    for outcome in set(CALLS) - set(RECEIPTS):
        before = standing(state)
        callout, _ = meets(state, outcome, "real|attempt|earlier")
        moved = before.model_copy(update={"unreachable": callout.unreachable})
        assert callout == moved, outcome


@pytest.mark.parametrize("state", OPEN, ids=str)
def test_news_of_a_text_moves_no_callout_that_is_called(state: CalloutState) -> None:
    for outcome in TEXTS:
        assert meets(state, outcome)[0] == standing(state)


@pytest.mark.parametrize("outcome", CALLS, ids=str)
def test_no_open_callout_is_left_without_a_time_and_no_closed_one_wants_a_call(outcome: Outcome) -> None:
    for state in CalloutState:
        callout, _ = meets(state, outcome)
        assert not callout.is_open or callout.due_at is not None, state
        assert callout.is_open or callout.call_at is None, state


@pytest.mark.parametrize("outcome", CALLS, ids=str)
def test_after_one_more_call_that_was_owed_every_end_in_vain_leads_to_the_next_person(outcome: Outcome) -> None:
    callout, _ = meets(S.HEARD_NO_KEY, outcome)
    consequence = CONSEQUENCES[outcome]
    stays = outcome in RECEIPTS or consequence.next in (Next.FETCH, Next.NOTHING) or not consequence.counts
    assert callout.step == (0 if stays else 1)


@pytest.mark.parametrize("state", RINGING, ids=str)
def test_the_same_phone_never_rings_again_within_a_minute_whatever_happened(state: CalloutState) -> None:
    for outcome in CALLS:
        callout, _ = meets(state, outcome)
        same = callout.phone == 0 and callout.step == 0 and callout.call_at is not None
        if same and callout.call_at is not None and callout.last_dial_at is not None:
            assert (callout.call_at - callout.last_dial_at).total_seconds() >= 60, outcome


def test_a_number_that_is_dead_is_marked_once_for_its_person_and_not_once_for_each_callout() -> None:
    for outcome in (Outcome.OUT_OF_SERVICE, Outcome.WRONG_NUMBER, Outcome.BARRED):
        (one,) = meets(S.CALLING, outcome)[1].troubles
        (other,) = meets(S.CALLING, outcome, id="real|callout|2")[1].troubles
        assert one.kind == "number_wrong"
        assert one.id == other.id


def test_what_a_person_told_about_a_call_by_hand_beside_the_ladder_never_takes_the_machines_own_call_away() -> None:
    hand = "real|attempt|hand"
    for outcome in set(CALLS) - set(RECEIPTS):
        callout = standing(S.CALLING).model_copy(update={"hand_ids": (hand,)})
        message = ended(callout, outcome, AT, hand).model_copy(update={"channel": Channel.HAND})
        moved = after(callout, message, AT).state or callout
        assert (moved.state, moved.attempt_id, moved.step) == (S.CALLING, callout.attempt_id, 0), outcome


def test_every_state_is_open_answered_unanswered_told_or_stopped() -> None:
    stopped = {S.SUPERSEDED, S.CANCELLED, S.CORRECTED, S.EXPIRED}
    assert {*OPEN, *ANSWERED, *UNANSWERED, S.TOLD} | stopped == set(CalloutState)
