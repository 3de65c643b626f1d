"""What news of a call mean, in whatever order, however often and however late they come."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.dial.hear import KEYS, DialReason, decide, end, outcome_of
from agents.dial.state import Attempt, AttemptState
from streams.letters import AttemptEnded, CallNews, HangUpAsked
from streams.words import Channel, Outcome
from tests.unit.attempt_samples import ATTEMPT_ID, NOW, attempt, news

VENDOR_WORDS = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.SWITCHED_OFF, Outcome.VOICEMAIL, Outcome.REJECTED)


def hear(start: Attempt, told: list[CallNews]) -> Attempt:
    state = start
    for item in told:
        state = decide(state, item, NOW).state or state
    return state


@st.composite
def calls(draw: st.DrawFn) -> list[CallNews]:
    """Everything a vendor tells of one call, in its true order."""
    steps = draw(st.integers(min_value=0, max_value=3))
    told = [news("ringing", 1)]
    if steps >= 1:
        told.append(news("answered", 2))
    if steps >= 2:
        told.append(news("played", 3))
    if steps >= 3:
        told += [news("key", 4, key=draw(st.sampled_from(["3", "7", ""]))) for _ in range(draw(st.integers(0, 1)))]
        told.append(news("key", 5, key=draw(st.sampled_from("102"))))
    word = draw(st.none() | st.sampled_from(VENDOR_WORDS))
    told.append(news("ended", 6, outcome=word))
    return told


@given(data=st.data(), told=calls())
def test_the_same_news_in_any_order_and_however_often_give_the_same_outcome(data, told):
    doubled = told + data.draw(st.lists(st.sampled_from(told), max_size=4))
    shuffled = data.draw(st.permutations(doubled))
    assert hear(attempt(), shuffled).outcome is hear(attempt(), told).outcome


def test_the_key_that_was_told_first_stands_with_its_time():
    told = [news("answered", 2), news("played", 3), news("key", 4, key="1"), news("key", 5, key="0")]
    state = hear(attempt(), told)
    assert (state.key, state.key_at, state.outcome) == ("1", told[2].at, Outcome.CONFIRMED)


@given(data=st.data(), told=calls())
def test_confirmed_is_exactly_played_to_the_end_and_key_1(data, told):
    heard = data.draw(st.lists(st.sampled_from(told), unique_by=lambda item: item.seq))
    state = hear(attempt(), heard)
    played = any(item.progress == "played" for item in heard)
    pressed_1 = any(item.progress == "key" and item.key == "1" for item in heard)
    assert (state.outcome is Outcome.CONFIRMED) == (played and pressed_1)


@given(data=st.data(), told=calls())
def test_a_key_that_counts_is_never_taken_back(data, told):
    state, kept = attempt(), None
    for item in data.draw(st.permutations(told + told)):
        state = decide(state, item, NOW).state or state
        if kept is not None:
            assert state.outcome is kept
        kept = state.outcome if state.outcome in KEYS.values() else kept


@given(data=st.data(), told=calls())
def test_every_outcome_is_told_to_each_callout_once(data, told):
    start = attempt(callouts=("real|callout|1", "real|callout|2"))
    letters, state = [], start
    for item in data.draw(st.permutations(told + told)):
        decision = decide(state, item, NOW)
        letters += decision.letters
        state = decision.state or state
    ids = [letter.id for letter in letters]
    assert len(ids) == len(set(ids))
    last: dict[str, Outcome] = {}
    for letter in letters:
        assert isinstance(letter.message, AttemptEnded)
        last[letter.message.callout_id] = letter.message.outcome
    assert last == dict.fromkeys(start.callouts, state.outcome)


@pytest.mark.parametrize(
    "order", list(itertools.permutations([(3, Outcome.NO_ANSWER), (4, Outcome.VOICEMAIL), (5, None)]))
)
def test_of_two_words_of_a_vendor_the_later_one_counts_whichever_comes_first(order):
    told = [news("ended", seq, outcome=outcome) for seq, outcome in order]
    assert hear(attempt(), told).outcome is Outcome.VOICEMAIL


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed"])))
def test_a_text_that_failed_has_failed_in_whatever_order_it_is_told(order):
    start = attempt(channel=Channel.TEXT)
    assert hear(start, [news(word, seq) for seq, word in enumerate(order)]).outcome is Outcome.TEXT_FAILED


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed", "delivered"])))
def test_a_text_that_was_delivered_was_delivered(order):
    start = attempt(channel=Channel.TEXT)
    assert hear(start, [news(word, seq) for seq, word in enumerate(order)]).outcome is Outcome.TEXT_DELIVERED


def test_a_text_that_a_vendor_calls_a_wrong_number_has_failed():
    start = attempt(channel=Channel.TEXT)
    assert hear(start, [news("failed", 1, outcome=Outcome.WRONG_NUMBER)]).outcome is Outcome.TEXT_FAILED


def test_a_key_before_the_end_of_the_message_is_no_receipt_when_the_call_ends_there():
    told = [news("answered", 1), news("key", 2, key="1"), news("ended", 3)]
    assert hear(attempt(), told).outcome is Outcome.HUNG_UP_EARLY


def test_voicemail_that_plays_the_message_to_the_end_is_no_hearing():
    told = [news("answered", 1), news("played", 2), news("ended", 3, outcome=Outcome.VOICEMAIL)]
    assert hear(attempt(), told).outcome is Outcome.VOICEMAIL


def test_a_receipt_that_comes_after_the_call_was_given_up_still_confirms():
    given_up = end(attempt(), Outcome.NO_NEWS, NOW).state
    state = hear(given_up, [news("answered", 1), news("played", 2), news("key", 3, key="1")])
    assert state.outcome is Outcome.CONFIRMED


def test_what_happens_after_a_hang_up_did_not_happen():
    stopped = end(attempt(), Outcome.STOPPED, NOW).state
    decision = decide(stopped, news("played", 3, after_s=20), NOW)
    assert decision.reason is DialReason.AFTER_HANG_UP
    assert decision.state is None


def test_a_key_pressed_before_the_hang_up_counts_though_it_is_told_after_it():
    stopped = end(attempt(), Outcome.STOPPED, NOW).state
    told = [news("played", 2, after_s=-9), news("key", 3, key="1", after_s=-5)]
    assert hear(stopped, told).outcome is Outcome.CONFIRMED


def hang_up(callout_id: str) -> HangUpAsked:
    return HangUpAsked(attempt_id=ATTEMPT_ID, callout_id=callout_id, at=NOW)


def test_a_shared_call_is_hung_up_only_when_all_its_callouts_let_go():
    shared = attempt(callouts=("real|callout|1", "real|callout|2"))
    first = decide(shared, hang_up("real|callout|1"), NOW)
    assert (first.reason, first.state.stop) == (DialReason.RELEASED, False)
    assert decide(first.state, hang_up("real|callout|2"), NOW).state.stop


def test_a_call_in_which_a_key_was_pressed_is_not_hung_up():
    pressed = hear(attempt(), [news("played", 1), news("key", 2, key="1")])
    assert pressed.state is AttemptState.PLACED
    assert not decide(pressed, hang_up("real|callout|1"), NOW).state.stop


def test_a_call_that_has_ended_is_not_hung_up():
    over = hear(attempt(), [news("ended", 1)])
    assert decide(over, hang_up("real|callout|1"), NOW).reason is DialReason.ALREADY_ENDED


def test_news_of_a_call_nobody_placed_is_told_to_people():
    decision = decide(None, news("ended", 1), NOW)
    assert [item.kind for item in decision.troubles] == ["unknown_attempt"]


def test_a_call_goes_on_until_it_ends_or_a_key_counts():
    assert outcome_of(hear(attempt(), [news("ringing", 1), news("answered", 2), news("played", 3)])) is None
