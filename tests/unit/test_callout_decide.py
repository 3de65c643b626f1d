"""What one message or the passing of time does to a callout: the awkward orders, one by one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.course import CalloutReason
from agents.callout.decide import decide_due
from agents.callout.state import CalloutState
from config.rules import Ladder, LadderStep
from streams.letters import Mode, Stopped, VisitNeeded, VisitSettled, Vouched
from streams.words import Outcome
from tests.unit.callout_samples import (
    NOW,
    after,
    claimed,
    ended,
    facts,
    nobody,
    opened,
    saved,
    state_after,
)

ONE_CALL = Ladder(title="one", steps=(LadderStep(to="holder", calls=1, gap_s=60, window_s=60),))


def vouched(callout_id, at):
    return Vouched(
        callout_id=callout_id, order_id="o", by="值班员", heard_by="本人", how="电话", at_the_door=False, at=at
    )


def given_up(vacant=False):
    """Return a callout that is on the visit list, and what was written when it was put there."""
    callout = claimed(opened(ladder=ONE_CALL).model_copy(update={"vacant": vacant}), NOW)
    decision = after(callout, ended(callout, Outcome.NO_ANSWER, NOW), NOW + timedelta(seconds=40))
    return saved(decision.state), decision.letters


def test_a_callout_given_up_is_put_on_the_list_of_the_superior_unit():
    callout, letters = given_up()
    assert callout.state is CalloutState.UNREACHED
    assert [type(letter.message) for letter in letters] == [VisitNeeded]


def test_a_callout_that_is_rung_again_from_the_list_and_answers_is_taken_off_it():
    callout, _ = given_up(vacant=True)
    again = saved(decide_due(callout, callout.due_at, facts()).state)
    assert again.state is CalloutState.CALLING
    ringing = claimed(again, callout.due_at)
    confirmed = after(ringing, ended(ringing, Outcome.CONFIRMED, ringing.last_dial_at), ringing.last_dial_at)
    assert VisitSettled in [type(letter.message) for letter in confirmed.letters]


def test_a_callout_listed_a_second_time_writes_another_letter_than_the_first_time():
    callout, first = given_up(vacant=True)
    again = saved(decide_due(callout, callout.due_at, facts()).state)
    ringing = claimed(again, callout.due_at)
    second = after(ringing, ended(ringing, Outcome.NO_ANSWER, ringing.last_dial_at), ringing.last_dial_at)
    assert second.state.state is CalloutState.UNREACHED
    assert not {letter.id for letter in first} & {letter.id for letter in second.letters}


def test_an_empty_post_is_looked_up_again():
    waiting, message = nobody(opened(), "nobody_on_duty", NOW)
    assert after(waiting, message, NOW).state.vacant


def test_a_number_that_may_not_be_dialled_is_not_an_empty_post_and_is_not_met_every_five_minutes():
    waiting, message = nobody(opened(ladder=ONE_CALL), "number_not_approved", NOW)
    decision = after(waiting, message, NOW)
    assert decision.state.state is CalloutState.UNREACHED
    assert decision.state.due_at is None


def test_nobody_held_counts_though_a_text_was_claimed_beside_the_call():
    waiting, message = nobody(opened(), "nobody_on_duty", NOW)
    texted = saved(waiting.model_copy(update={"text_at": None, "texts": 1}))
    decision = after(texted, message, NOW)
    assert decision.reason is CalloutReason.NOBODY_HOLDS
    assert decision.state.step == 1


def test_nobody_held_that_comes_after_a_new_call_is_stale():
    waiting, message = nobody(opened(), "nobody_on_duty", NOW)
    assert after(claimed(waiting, NOW), message, NOW).reason is CalloutReason.STALE


def test_nobody_held_that_comes_while_somebody_is_being_fetched_is_stale():
    waiting, message = nobody(opened(), "nobody_on_duty", NOW)
    ringing = claimed(waiting, NOW)
    fetching = state_after(ringing, ended(ringing, Outcome.FETCHING, NOW), NOW)
    assert after(fetching, message, NOW).reason is CalloutReason.STALE


def test_nobody_held_that_comes_after_the_message_was_claimed_is_stale():
    callout = opened(mode=Mode.MESSAGE)
    _, message = nobody(callout, "no_mobile", NOW)
    texted = callout.model_copy(update={"text_at": None, "texts": 1})
    assert after(texted, message, NOW).reason is CalloutReason.STALE


def test_a_callout_never_stays_open_without_a_due_time_when_heard_without_a_key_comes_after_its_window():
    ladder = Ladder(title="slow", steps=(LadderStep(to="holder", calls=1, gap_s=180, window_s=60),))
    callout = claimed(opened(ladder=ladder), NOW)
    state = after(callout, ended(callout, Outcome.HEARD_NO_KEY, NOW), NOW + timedelta(seconds=30)).state
    assert not state.is_open


def heard_once():
    callout = claimed(opened(), NOW)
    state = state_after(callout, ended(callout, Outcome.HEARD_NO_KEY, NOW), NOW + timedelta(seconds=30))
    assert state.state is CalloutState.HEARD_NO_KEY
    return claimed(state, state.call_at)


def test_key_2_at_the_one_more_call_still_means_that_somebody_is_fetched():
    ringing = heard_once()
    fetched = after(ringing, ended(ringing, Outcome.FETCHING, ringing.last_dial_at), ringing.last_dial_at)
    assert fetched.state.state is CalloutState.FETCHING


def test_a_busy_vendor_does_not_use_up_the_one_more_call():
    ringing = heard_once()
    again = after(ringing, ended(ringing, Outcome.VENDOR_BUSY, ringing.last_dial_at), ringing.last_dial_at).state
    assert (again.step, again.state) == (0, CalloutState.HEARD_NO_KEY)
    assert again.call_at is not None


def test_hearing_it_a_second_time_without_a_key_goes_to_the_next_person():
    ringing = heard_once()
    assert state_after(ringing, ended(ringing, Outcome.HEARD_NO_KEY, NOW), ringing.last_dial_at).step == 1


def test_an_empty_post_of_a_stopped_round_is_not_rung_when_somebody_takes_it():
    callout, _ = given_up(vacant=True)
    decision = decide_due(callout, callout.due_at, facts(), stopped="cancelled")
    assert decision.state.state is CalloutState.CANCELLED
    assert decision.state.call_at is None


def test_a_message_that_failed_after_the_carrier_took_it_was_told_to_nobody():
    callout = opened(mode=Mode.MESSAGE).model_copy(update={"text_at": None, "texts": 1})
    told = state_after(callout, ended(callout, Outcome.TEXT_SENT, NOW), NOW)
    assert told.state is CalloutState.TOLD
    failed = after(told, ended(callout, Outcome.TEXT_FAILED, NOW), NOW)
    assert failed.state.state is CalloutState.UNREACHED
    assert [item.kind for item in failed.troubles] == ["text_failed"]


def test_a_late_key_on_an_old_call_confirms_and_hangs_up_the_call_to_the_next_person():
    first = claimed(opened(), NOW)
    late = NOW + timedelta(seconds=400)
    moved_on = claimed(state_after(first, ended(first, Outcome.CANNOT, NOW), NOW), late)
    decision = after(moved_on, ended(first, Outcome.CONFIRMED, NOW), late)
    assert decision.state.state is CalloutState.CONFIRMED
    assert [letter.message.attempt_id for letter in decision.letters] == [moved_on.attempt_id]


def test_a_confirmation_without_a_played_message_is_refused_loudly():
    callout = claimed(opened(), NOW)
    unplayed = ended(callout, Outcome.CONFIRMED, NOW).model_copy(update={"played_at": None})
    with pytest.raises(ValueError, match="not played to the end"):
        after(callout, unplayed, NOW)


def test_an_unanswered_callout_stays_on_the_visit_list_when_the_warning_runs_out():
    callout, _ = given_up()
    expired = after(callout, Stopped(callout_ids=(callout.id,), why="expired", at=NOW), NOW)
    assert expired.state.state is CalloutState.UNREACHED
    assert expired.letters == ()


@pytest.mark.parametrize("why", ["cancelled", "corrected", "superseded"])
def test_a_stopped_callout_is_taken_off_the_visit_list(why):
    callout, _ = given_up()
    stopped = after(callout, Stopped(callout_ids=(callout.id,), why=why, at=NOW), NOW)
    assert [type(letter.message) for letter in stopped.letters] == [VisitSettled]


def test_being_vouched_for_twice_keeps_the_first_word_and_writes_the_second_down():
    callout = opened()
    once = state_after(callout, vouched(callout.id, NOW), NOW)
    twice = after(once, vouched(callout.id, NOW), NOW)
    assert twice.state.state is CalloutState.VOUCHED
    assert [entry.what for entry in twice.entries] == ["vouched_after_end"]


@pytest.mark.parametrize("outcome", [Outcome.WRONG_NUMBER, Outcome.BARRED, Outcome.VENDOR_FAILED, Outcome.NO_NEWS])
def test_a_text_that_was_refused_in_whatever_words_was_told_to_nobody(outcome):
    callout = opened(mode=Mode.MESSAGE).model_copy(update={"text_at": None, "texts": 1})
    refused = ended(callout, Outcome.TEXT_FAILED, NOW).model_copy(update={"outcome": outcome})
    assert after(callout, refused, NOW).state.state is CalloutState.UNREACHED


def test_a_text_that_a_busy_vendor_did_not_take_is_sent_again_a_few_times():
    callout = opened(mode=Mode.MESSAGE).model_copy(update={"text_at": None, "texts": 1})
    busy = ended(callout, Outcome.TEXT_FAILED, NOW).model_copy(update={"outcome": Outcome.VENDOR_BUSY})
    assert after(callout, busy, NOW).state.text_at == NOW + timedelta(seconds=60)
    often = callout.model_copy(update={"texts": 5})
    assert after(often, busy, NOW).state.state is CalloutState.UNREACHED
