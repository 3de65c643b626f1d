"""What a person's word about a call made by hand does, case by case, and which duty room is asked to make one."""

from __future__ import annotations

import pytest

from agents.dial.hand import Asked, HandWhy, decide_log, notices
from agents.dial.hear import DialReason
from agents.dial.state import AttemptState
from streams.letters import HandLogged, HandResult
from streams.words import Channel, Outcome
from tests.unit.attempt_samples import ATTEMPT_ID, NOW, attempt
from tests.unit.callout_samples import facts


def logged(result: HandResult, by: str = "李某", spoken_to: str = "村主任") -> HandLogged:
    return HandLogged(attempt_id=ATTEMPT_ID, order_id="real|order|1", by=by, result=result, spoken_to=spoken_to, at=NOW)


def by_hand(**changes):
    return attempt(channel=Channel.HAND, carrier="by_hand", **changes)


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.TEXT])
def test_a_call_that_the_machine_makes_is_not_answered_by_writing_something_down(channel: Channel):
    decision = decide_log(attempt(channel=channel), logged(HandResult.SPOKEN), NOW)
    assert (decision.reason, decision.state, decision.letters) == (DialReason.UNKNOWN_ATTEMPT, None, ())
    assert [item.kind for item in decision.troubles] == ["unknown_attempt"]


def test_that_somebody_takes_a_call_says_nothing_of_whoever_is_to_be_called():
    decision = decide_log(by_hand(), logged(HandResult.TAKEN), NOW)
    assert (decision.state.taken_by, decision.state.outcome, decision.letters) == ("李某", None, ())
    assert decision.state.state is AttemptState.PLACED


def test_a_call_that_is_over_cannot_be_taken_any_more():
    over = by_hand(state=AttemptState.ENDED, outcome=Outcome.NO_NEWS, ended_at=NOW)
    decision = decide_log(over, logged(HandResult.TAKEN), NOW)
    assert (decision.reason, decision.state) == (DialReason.DOUBLED, None)


@pytest.mark.parametrize("first", [Outcome.SPOKEN, Outcome.PROXY])
@pytest.mark.parametrize("then", [HandResult.NO_ANSWER, HandResult.SPOKEN, HandResult.PROXY, HandResult.TAKEN])
def test_whoever_wrote_first_that_it_was_answered_stands(first: Outcome, then: HandResult):
    over = by_hand(state=AttemptState.ENDED, outcome=first, ended_at=NOW, logged_by="李某")
    decision = decide_log(over, logged(then, by="周某"), NOW)
    assert (decision.reason, decision.state, decision.letters) == (DialReason.DOUBLED, None, ())
    assert [entry.by for entry in decision.entries] == ["周某"]


@pytest.mark.parametrize("result", [result for result in HandResult if result is not HandResult.TAKEN])
def test_each_result_is_told_as_what_it_is(result: HandResult):
    decision = decide_log(by_hand(), logged(result), NOW)
    assert decision.state.outcome is Outcome(result)
    assert [letter.message.outcome for letter in decision.letters] == [Outcome(result)]


@pytest.mark.parametrize(
    ("called", "asked"),
    [("t100-main", {"t100-duty"}), ("t100-duty", {"c-duty"}), ("c-main", {"c-duty"}), ("c-duty", set())],
)
def test_a_duty_room_is_asked_to_call_others_and_never_itself(called: str, asked: set[str]):
    post = facts().county.posts[called]
    told = notices([Asked(post, "某", "sim:***", HandWhy.BUDGET_USED_UP, 0)], facts(), "real")
    assert set(told) == asked
