"""Vendor down: the other vendor. Which carrier an attempt goes to when several may dial its number."""

from __future__ import annotations

from agents.dial.budget import Budget
from agents.dial.carriers.protocol import RefusedByVendorError, VendorDownError
from agents.dial.health import DOWN_S, FAILURES_MAX, REFUSED_S
from agents.dial.state import PACES, AttemptState
from streams.letters import Mode
from streams.words import Channel, Outcome
from tests.unit.dial_samples import Desk, FakeCarrier

POSTS = ("v201-head", "v202-head", "v208-head", "c-main", "t100-main")
NO_REST = Budget(per_hour=1000, per_day=1000, reserve_per_hour=0, reserve_per_day=0)


def two(**more) -> Desk:
    numbers = {post: f"sim:n{place}" for place, post in enumerate(POSTS)}
    return Desk(FakeCarrier("first"), FakeCarrier("second"), budget=NO_REST, numbers=numbers, **more)


def fail(desk: Desk, times: int) -> None:
    """Let the first carrier give no clear answer so often, each time to another post."""
    for post in POSTS[:times]:
        desk.want(post)
        desk.carriers[0].errors = [VendorDownError("no answer")]
        desk.run()
        desk.later(1)


def carrier_of_the_next(desk: Desk, round_no: int = 2, **more) -> str:
    desk.later(1)
    desk.want(POSTS[-1], round_no=round_no, **more)
    desk.run()
    return desk.attempts()[-1].carrier


def test_as_long_as_all_is_well_the_first_carrier_is_used():
    assert carrier_of_the_next(two()) == "first"


def test_one_clear_answer_missing_is_no_reason_to_change():
    desk = two()
    fail(desk, FAILURES_MAX - 1)
    assert carrier_of_the_next(desk) == "first"


def test_after_several_in_a_row_the_next_attempt_goes_to_the_other_carrier():
    desk = two()
    fail(desk, FAILURES_MAX)
    assert carrier_of_the_next(desk) == "second"
    assert len(desk.carriers[1].placed) == 1


def test_an_attempt_that_is_taken_begins_the_count_anew():
    desk = two()
    fail(desk, FAILURES_MAX - 1)
    carrier_of_the_next(desk, round_no=2)
    desk.want(POSTS[3])
    desk.carriers[0].errors = [VendorDownError("no answer")]
    desk.run()
    desk.later(61)
    assert carrier_of_the_next(desk, round_no=3) == "first"


def test_an_account_that_is_refused_is_not_asked_again_at_once():
    desk = two()
    desk.want(POSTS[0])
    desk.carriers[0].errors = [RefusedByVendorError("no money", outcome=Outcome.VENDOR_FAILED)]
    desk.run()
    assert carrier_of_the_next(desk) == "second"


def test_a_number_that_is_refused_says_nothing_about_the_carrier():
    desk = two()
    desk.want(POSTS[0])
    desk.carriers[0].errors = [RefusedByVendorError("no such number", outcome=Outcome.WRONG_NUMBER)]
    desk.run()
    assert carrier_of_the_next(desk) == "first"


def test_after_a_while_the_first_is_tried_again_and_one_failure_is_enough_then():
    desk = two()
    fail(desk, FAILURES_MAX)
    desk.later(DOWN_S + 1)
    desk.want(POSTS[3], round_no=2)
    desk.carriers[0].errors = [VendorDownError("still away")]
    desk.run()
    assert desk.attempts()[-1].carrier == "first"
    assert carrier_of_the_next(desk, round_no=3) == "second"


def test_once_it_takes_something_again_it_is_the_first_again():
    desk = two()
    fail(desk, FAILURES_MAX)
    desk.later(DOWN_S + 1)
    carrier_of_the_next(desk, round_no=2)
    rows = desk.ledger.step(lambda step: step.find(PACES))
    assert [(row.failures, row.down_until) for row in rows if row.id == "first:voice"] == [(0, None)]


def test_a_carrier_that_is_the_only_one_is_used_even_if_it_is_down():
    desk = Desk(FakeCarrier("only"), budget=NO_REST, numbers={post: f"sim:n{n}" for n, post in enumerate(POSTS)})
    fail(desk, FAILURES_MAX)
    assert carrier_of_the_next(desk) == "only"


def test_the_other_carrier_is_not_used_for_a_number_that_it_may_not_dial():
    desk = two()
    desk.carriers[1].serves = "+"
    fail(desk, FAILURES_MAX)
    assert carrier_of_the_next(desk) == "first"


def test_all_workers_know_that_a_carrier_is_down():
    desk = two()
    fail(desk, FAILURES_MAX)
    other = two(ledger=desk.ledger, clock=desk.clock, owner="other")
    assert carrier_of_the_next(other) == "second"


def test_texts_that_fail_do_not_turn_calls_away():
    desk = two()
    desk.want(POSTS[0], mode=Mode.MESSAGE)
    desk.carriers[0].errors = [RefusedByVendorError("no signature", outcome=Outcome.VENDOR_FAILED)]
    desk.run()
    assert [attempt.channel for attempt in desk.attempts()] == [Channel.TEXT]
    assert carrier_of_the_next(desk) == "first"


def test_a_claimed_attempt_is_placed_by_the_carrier_it_was_claimed_for():
    desk = two()
    desk.carriers[0].serves = "nothing"
    desk.want(POSTS[0])
    (dial,) = desk.claim()
    desk.carriers[0].serves = "sim:"
    assert dial.carrier == "second"


def test_what_a_carrier_allows_for_one_number_goes_before_what_the_desk_does():
    desk = two()
    desk.carriers[0].budget = Budget(gap_s=300)
    desk.want(POSTS[0])
    desk.run()
    desk.change_attempt(desk.attempts()[0].id, state=AttemptState.ENDED)
    desk.later(200)
    desk.want(POSTS[0], round_no=2)
    assert desk.claim() == []
    desk.later(101)
    assert len(desk.claim()) == 1


def test_the_account_that_was_refused_is_asked_again_later():
    desk = two()
    desk.want(POSTS[0])
    desk.carriers[0].errors = [RefusedByVendorError("no money", outcome=Outcome.VENDOR_FAILED)]
    desk.run()
    desk.later(REFUSED_S + 1)
    assert carrier_of_the_next(desk) == "first"


def test_a_vendor_that_falls_silent_over_a_call_frees_its_number_for_the_other_within_three_minutes():
    desk = two()
    callout_id = desk.want(POSTS[0])
    desk.carriers[0].errors = [VendorDownError("no answer")] * 9
    desk.carriers[0].look_up_errors = [VendorDownError("nor any to what became of it")] * 9
    desk.run()
    for _ in range(3):
        desk.later(61)
        desk.run("recover")
    assert desk.attempts()[0].outcome is Outcome.VENDOR_FAILED
    desk.change(callout_id, call_at=desk.clock.now())
    desk.run()
    assert desk.attempts()[-1].carrier == "second"
