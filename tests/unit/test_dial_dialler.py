"""The hands of DIAL: what carriers answer, and every way in which a dialler may die."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from agents.dial.carriers.protocol import (
    Dial,
    Placed,
    RefusedByVendorError,
    VendorBusyError,
    VendorDownError,
)
from agents.dial.dialler import OVER_AFTER, PLACE_WITHIN, TEXTS_WAIT_MAX, TRIES_MAX
from agents.dial.health import pace_id
from agents.dial.state import PACES, AttemptState, Pace
from streams.letters import CallNews
from streams.words import Channel, Outcome
from tests.unit.callout_samples import NOW
from tests.unit.dial_samples import Desk, FakeCarrier


def placed_one() -> tuple[Desk, str]:
    desk = Desk()
    desk.want("v201-head")
    desk.run()
    return desk, desk.attempts()[0].id


def test_an_attempt_that_was_placed_keeps_the_vendors_id():
    desk, attempt_id = placed_one()
    assert (desk.attempt(attempt_id).state, desk.attempt(attempt_id).vendor_id) == (AttemptState.PLACED, "v-1")


def test_a_busy_vendor_is_given_time_and_the_callout_is_told():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorBusyError("full", retry_after_s=7)]
    desk.run()
    assert [letter.message.outcome for letter in desk.letters("attempt_ended")] == [Outcome.VENDOR_BUSY]
    desk.want("v202-head")
    desk.later(6)
    assert desk.claim() == []
    desk.later(2)
    assert len(desk.claim()) == 1


def test_a_refusal_ends_the_attempt_with_its_outcome():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [RefusedByVendorError("no such number", outcome=Outcome.WRONG_NUMBER, vendor_code="21211")]
    desk.run()
    assert desk.attempts()[0].outcome is Outcome.WRONG_NUMBER
    assert desk.attempts()[0].vendor_code == "21211"


def test_a_refused_account_is_told_to_people():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [RefusedByVendorError("no money", outcome=Outcome.VENDOR_FAILED)]
    desk.run()
    assert [item.kind for item in desk.troubles()] == ["vendor_refused"]


def test_a_silent_vendor_is_told_to_people_and_the_claim_stands():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("timeout")]
    desk.run()
    assert [item.kind for item in desk.troubles()] == ["vendor_down"]
    assert desk.attempts()[0].state is AttemptState.CLAIMED


def test_one_silent_answer_does_not_lose_the_answers_of_the_others():
    desk = Desk()
    for post in ("v201-head", "v202-head", "v208-head"):
        desk.want(post)
    desk.carrier.errors = [VendorDownError("timeout")]
    desk.run()
    assert sorted(item.state for item in desk.attempts()) == ["claimed", "placed", "placed"]


def test_a_fault_in_a_carrier_counts_as_no_answer_and_loses_nobody_elses():
    desk = Desk()
    for post in ("v201-head", "v202-head", "v208-head"):
        desk.want(post)
    desk.carrier.errors = [ZeroDivisionError("a fault of ours")]
    desk.run()
    assert sorted(item.state for item in desk.attempts()) == ["claimed", "placed", "placed"]


def test_a_number_whose_approval_was_taken_back_after_the_claim_is_not_dialled():
    desk = Desk()
    desk.want("v201-head")
    (dial,) = desk.claim()
    desk.carrier.serves = "nothing"
    answer = asyncio.run(desk.dialler._place(dial))
    assert isinstance(answer.error, RefusedByVendorError)
    assert desk.carrier.placed == []


def test_a_claim_whose_dialler_died_is_looked_up_before_anything_is_dialled():
    desk = Desk()
    desk.want("v201-head")
    (dial,) = desk.claim()
    desk.carrier.knows[dial.attempt_id] = Placed(vendor_id="found")
    desk.later(61)
    desk.run("recover")
    assert desk.carrier.placed == []
    assert desk.attempt(dial.attempt_id).vendor_id == "found"


def test_a_worker_that_stood_still_after_its_claim_leaves_it_to_whoever_takes_it_over():
    desk = Desk()
    desk.dialler.in_turn = True
    for post in ("v201-head", "v202-head"):
        desk.want(post)
    desk.carrier.while_placing = [lambda _: desk.later(PLACE_WITHIN.total_seconds() + 1)]
    desk.run()
    assert len(desk.carrier.placed) == 1
    assert sorted(item.state for item in desk.attempts()) == ["claimed", "placed"]
    desk.carrier.while_placing = []
    desk.later(60)
    desk.run("recover")
    assert len(desk.carrier.looked_up) == 1
    assert len(desk.carrier.placed) == 2


def test_a_claim_is_not_looked_up_before_its_lease_runs_out():
    desk = Desk()
    desk.want("v201-head")
    desk.claim()
    desk.later(59)
    assert desk.run("recover") == 0


def test_a_claim_that_the_vendor_cannot_tell_of_is_dialled_again():
    desk = Desk()
    desk.want("v201-head")
    (dial,) = desk.claim()
    desk.later(61)
    desk.run("recover")
    assert [item.attempt_id for item in desk.carrier.placed] == [dial.attempt_id]


def test_what_may_have_rung_is_not_dialled_again_within_a_minute():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("timeout")]
    desk.run()
    for _ in range(60):
        desk.later(1)
        desk.run("recover")
        if len(desk.carrier.placed) > 1:
            break
    assert desk.clock.now() - NOW >= timedelta(seconds=60)


def test_the_minute_of_a_number_counts_from_the_second_dialling():
    desk = Desk()
    desk.want("v201-head")
    desk.claim()
    desk.later(61)
    desk.run("recover")
    assert desk.attempts()[0].dialled_at == NOW + timedelta(seconds=61)


def test_an_attempt_is_tried_no_more_than_a_few_times():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("timeout")] * 20
    desk.run()
    for _ in range(20):
        desk.later(61)
        desk.run("recover")
    assert len(desk.carrier.placed) <= TRIES_MAX
    assert desk.attempts()[0].outcome is Outcome.VENDOR_FAILED


def test_an_attempt_stopped_meanwhile_is_not_dialled_again():
    desk = Desk()
    desk.want("v201-head")
    (dial,) = desk.claim()
    desk.change_attempt(dial.attempt_id, stop=True)
    desk.later(61)
    desk.run("recover")
    assert desk.carrier.placed == []
    assert desk.attempt(dial.attempt_id).outcome is Outcome.STOPPED


def test_an_attempt_of_a_round_stopped_meanwhile_is_not_dialled_again():
    desk = Desk()
    desk.want("v201-head")
    desk.claim()
    desk.change_round(stopped_at=NOW)
    desk.later(61)
    desk.run("recover")
    assert desk.carrier.placed == []


def test_a_vendor_that_never_answers_does_not_bar_a_number_for_ever():
    desk = Desk()
    desk.want("v201-head")
    desk.claim()
    desk.carrier.look_up_errors = [VendorDownError("away")] * 100
    while desk.clock.now() < NOW + OVER_AFTER:
        assert desk.attempts()[0].state is AttemptState.CLAIMED
        desk.later(61)
        desk.run("recover")
    assert desk.attempts()[0].outcome is Outcome.VENDOR_FAILED


def test_a_call_that_was_placed_at_a_vendor_who_then_fell_silent_ends_once_it_must_be_over():
    desk, attempt_id = placed_one()
    desk.carrier.look_up_errors = [VendorDownError("away")] * 100
    desk.later(241)
    desk.run("recover")
    assert desk.attempt(attempt_id).outcome is Outcome.NO_NEWS


def test_one_attempt_that_cannot_be_asked_about_does_not_hold_up_the_others():
    desk = Desk()
    for post in ("v201-head", "v202-head"):
        desk.want(post)
    first, second = desk.claim()
    desk.carrier.knows = {dial.attempt_id: Placed(vendor_id="found") for dial in (first, second)}
    desk.carrier.look_up_errors = [ZeroDivisionError("a fault of ours")]
    desk.later(61)
    desk.run("recover")
    assert sorted(item.state for item in desk.attempts()) == ["claimed", "placed"]


def test_a_call_of_which_no_news_came_ends_as_no_news():
    desk, attempt_id = placed_one()
    desk.later(241)
    desk.run("recover")
    assert desk.attempt(attempt_id).outcome is Outcome.NO_NEWS


def test_news_found_by_a_look_up_are_handed_on():
    desk, attempt_id = placed_one()
    told = CallNews(attempt_id=attempt_id, seq=6000, progress="ended", outcome=Outcome.BUSY, at=NOW)
    desk.carrier.knows[attempt_id] = Placed(vendor_id="v-1", to_come=(told,))
    desk.later(241)
    desk.run("recover")
    assert [letter.message for letter in desk.letters("call_news")] == [told]


def test_an_attempt_of_which_news_came_is_not_dialled_again_though_its_claim_was_lost():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("no answer, and placed all the same")]
    desk.run()
    attempt_id = desk.attempts()[0].id
    desk.change_attempt(attempt_id, seq=3000, answered_at=NOW, played_at=NOW, key="1", outcome=Outcome.CONFIRMED)
    desk.later(61)
    desk.run("recover")
    assert len(desk.carrier.placed) == 1
    assert desk.attempt(attempt_id).state is AttemptState.PLACED


def test_a_lost_claim_is_not_dialled_again_in_a_pause_and_its_callout_is_told_after_it():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("no answer, and nothing was placed")]
    desk.run()
    desk.change_round(paused_until=desk.clock.now() + timedelta(seconds=90))
    desk.later(61)
    desk.run("recover")
    assert len(desk.carrier.placed) == 1
    desk.later(61)
    desk.run("recover")
    assert [letter.message.outcome for letter in desk.letters("attempt_ended")] == [Outcome.VENDOR_FAILED]


def test_a_lost_claim_is_not_dialled_again_when_its_callout_was_answered_otherwise():
    desk = Desk()
    callout_id = desk.want("v201-head")
    desk.carrier.errors = [VendorDownError("no answer, and nothing was placed")]
    desk.run()
    desk.change(callout_id, state=CalloutState.VOUCHED)
    desk.later(61)
    desk.run("recover")
    assert len(desk.carrier.placed) == 1
    assert desk.attempts()[0].outcome is Outcome.STOPPED


def test_a_pace_far_ahead_of_the_clock_holds_nobody_up():
    desk = Desk()
    desk.want("v201-head")
    pace = Pace(id=pace_id("fake", Channel.VOICE), next_at=NOW + timedelta(hours=1))
    desk.ledger.step(lambda step: step.save(PACES, [pace]))
    assert len(desk.claim()) == 1


def test_a_key_stands_though_no_more_news_of_its_call_ever_came():
    desk, attempt_id = placed_one()
    desk.change_attempt(attempt_id, seq=4000, key="1", outcome=Outcome.CONFIRMED)
    desk.later(241)
    desk.run("recover")
    assert (desk.attempt(attempt_id).state, desk.attempt(attempt_id).outcome) == (
        AttemptState.ENDED,
        Outcome.CONFIRMED,
    )


@pytest.mark.parametrize(
    "error", [VendorBusyError("full"), RefusedByVendorError("no such number", outcome=Outcome.WRONG_NUMBER)]
)
@pytest.mark.parametrize("since", [{"dialled_at": NOW + timedelta(seconds=61)}, {"state": AttemptState.PLACED}])
def test_a_worker_that_stood_still_does_not_end_what_another_has_dialled_since(error, since):
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.errors = [error]
    desk.carrier.while_placing = [lambda dial: desk.change_attempt(dial.attempt_id, **since)]
    desk.run()
    assert desk.attempts()[0].state is not AttemptState.ENDED


def test_a_round_stopped_while_the_carrier_is_asked_is_hung_up():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.while_placing = [lambda dial: desk.change_round(stopped_at=NOW)]
    desk.run()
    assert desk.carrier.hung_up == ["v-1"]


def test_an_attempt_stopped_while_the_carrier_is_asked_is_hung_up():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.while_placing = [lambda dial: desk.change_attempt(dial.attempt_id, stop=True)]
    desk.run()
    assert desk.carrier.hung_up == ["v-1"]


def test_an_outcome_that_came_before_the_vendors_id_is_kept():
    desk = Desk()
    desk.want("v201-head")
    desk.carrier.while_placing = [
        lambda dial: desk.change_attempt(dial.attempt_id, state=AttemptState.ENDED, outcome=Outcome.BUSY)
    ]
    desk.run()
    attempt = desk.attempts()[0]
    assert (attempt.state, attempt.outcome, attempt.vendor_id) == (AttemptState.ENDED, Outcome.BUSY, "v-1")


def test_a_call_that_was_stopped_is_hung_up_and_ends_as_stopped():
    desk, attempt_id = placed_one()
    desk.change_attempt(attempt_id, stop=True)
    desk.run("hang_up")
    assert desk.carrier.hung_up == ["v-1"]
    assert desk.attempt(attempt_id).outcome is Outcome.STOPPED


def test_a_call_that_the_vendor_could_not_end_is_not_counted_as_ended_and_is_hung_up_later():
    desk, attempt_id = placed_one()
    desk.change_attempt(attempt_id, stop=True)
    desk.carrier.hang_up_errors = [VendorDownError("away")]
    desk.run("hang_up")
    assert desk.attempt(attempt_id).state is AttemptState.PLACED
    desk.later(3)
    desk.run("hang_up")
    assert desk.carrier.hung_up == ["v-1"]


@pytest.mark.parametrize("carrier", ["first", "second"])
def test_each_number_goes_to_the_carrier_that_serves_it(carrier):
    serves = {"first": "sim:", "second": "+86"}
    number = {"first": "sim:x", "second": "+8613900000000"}[carrier]
    carriers = [FakeCarrier(name, serves=prefix) for name, prefix in serves.items()]
    desk = Desk(*carriers, numbers={"v201-head": number})
    desk.want("v201-head")
    desk.run()
    assert [item.name for item in carriers if item.placed] == [carrier]


def test_a_carrier_that_takes_long_holds_up_neither_the_next_claim_nor_the_other_answers():
    class Slow(FakeCarrier):
        """A carrier that answers for the first number only when it is let go."""

        def __init__(self) -> None:
            super().__init__()
            self.let_go = asyncio.Event()

        async def place(self, dial: Dial) -> Placed:
            if not self.placed:
                self.placed.append(dial)
                await self.let_go.wait()
                return Placed(vendor_id="late")
            return await super().place(dial)

    async def night() -> None:
        carrier = Slow()
        desk = Desk(carrier)
        first = desk.want("v201-head")
        await desk.dialler.keep_dialling()
        desk.later(1)
        second = desk.want("v202-head")
        await desk.dialler.keep_dialling()
        by_callout = {attempt.callouts[0]: attempt for attempt in desk.attempts()}
        assert by_callout[first].state is AttemptState.CLAIMED
        assert by_callout[second].state is AttemptState.PLACED

        carrier.let_go.set()
        await desk.dialler.settle(1)
        assert desk.attempt(by_callout[first].id).vendor_id == "late"

    asyncio.run(night())


def channels_of_next_turn(desk: Desk) -> list[Channel]:
    before = len(desk.carrier.placed)
    desk.run("keep_dialling")
    return [dial.channel for dial in desk.carrier.placed[before:]]


def test_texts_wait_while_a_crowd_of_calls_is_claimed():
    desk = Desk()
    desk.dialler.crowd_min = 3
    for post in ("v201-head", "v202-head", "v208-head"):
        desk.want(post, text_at=NOW)
    assert channels_of_next_turn(desk) == [Channel.VOICE] * 3
    assert channels_of_next_turn(desk) == [Channel.TEXT] * 3


def test_however_many_calls_follow_each_other_texts_have_their_turn():
    desk = Desk()
    desk.dialler.crowd_min = 1
    desk.want("v201-head", text_at=NOW)
    turns = [channels_of_next_turn(desk)]
    while Channel.TEXT not in turns[-1] and len(turns) < 100:
        desk.change_attempt(desk.attempts()[-1].id, state=AttemptState.ENDED)
        desk.later(86_400)
        desk.want("v202-head", round_no=len(turns) + 1)
        turns.append(channels_of_next_turn(desk))
    assert len(turns) == TEXTS_WAIT_MAX + 1
