"""A vendor that takes every call and fails each of them: told by its receipts, passed over for the other vendor."""

from __future__ import annotations

from agents.dial.agent import DialRoom
from agents.dial.budget import Budget
from agents.dial.health import FAILED_CALLS_MAX, REFUSED_S, pace_id
from agents.dial.state import PACES
from streams.letters import CallNews, write_letter
from streams.rooms import TROUBLES
from streams.topics import CALLS
from streams.words import Channel, Outcome
from tests.unit.dial_samples import Desk, FakeCarrier

POSTS = ("v201-head", "v202-head", "v208-head", "c-main", "t100-main")
NO_REST = Budget(per_hour=1000, per_day=1000, reserve_per_hour=0, reserve_per_day=0)


def two(*names: str) -> Desk:
    numbers = {post: f"sim:n{place}" for place, post in enumerate(POSTS)}
    carriers = [FakeCarrier(name) for name in names or ("first", "second")]
    return Desk(*carriers, budget=NO_REST, numbers=numbers)


def tell(desk: Desk, attempt_id: str, outcome: Outcome | None) -> None:
    """Let the carrier say how a call ended, and DIAL read it."""
    now = desk.clock.now()
    news = CallNews(attempt_id=attempt_id, seq=5000, progress="ended", outcome=outcome, at=now)
    letter = write_letter(CALLS, attempt_id, news, now, cause=f"{attempt_id}:5000")
    desk.ledger.step(lambda step: DialRoom().handle([letter], step, now))


def ring(desk: Desk, nth: int, outcome: Outcome | None) -> str:
    """Dial the nth time, and let the carrier say how it ended; return which carrier it was."""
    desk.later(61)
    desk.want(POSTS[nth % len(POSTS)], round_no=10 + nth)
    desk.run()
    attempt = desk.attempts()[-1]
    tell(desk, attempt.id, outcome)
    return attempt.carrier


def troubles(desk: Desk) -> list[str]:
    return [row.kind for row in desk.ledger.step(lambda step: step.find(TROUBLES))]


def test_after_a_row_of_calls_that_failed_at_the_vendor_the_other_goes_first():
    desk = two()
    assert [ring(desk, nth, Outcome.VENDOR_FAILED) for nth in range(FAILED_CALLS_MAX)] == ["first"] * FAILED_CALLS_MAX
    assert "vendor_down" in troubles(desk)
    assert ring(desk, 20, None) == "second"


def test_one_call_that_reached_its_telephone_begins_the_count_anew():
    desk = two()
    for nth in range(FAILED_CALLS_MAX - 1):
        ring(desk, nth, Outcome.VENDOR_FAILED)
    ring(desk, 10, Outcome.BUSY)
    ring(desk, 11, Outcome.VENDOR_FAILED)
    assert ring(desk, 12, None) == "first"
    assert troubles(desk) == []


def test_what_is_the_telephone_s_own_fault_says_nothing_about_the_vendor():
    desk = two()
    for nth, outcome in enumerate([Outcome.WRONG_NUMBER, Outcome.SWITCHED_OFF, Outcome.NO_ANSWER, Outcome.VENDOR_BUSY]):
        ring(desk, nth, outcome)
        ring(desk, 4 + nth, outcome)
    assert ring(desk, 20, None) == "first"


def test_a_receipt_told_twice_is_counted_once():
    desk = two()
    for nth in range(FAILED_CALLS_MAX - 1):
        ring(desk, nth, Outcome.VENDOR_FAILED)
        tell(desk, desk.attempts()[-1].id, Outcome.VENDOR_FAILED)
    assert ring(desk, 20, None) == "first"


def test_that_it_takes_the_next_call_does_not_make_it_well():
    desk = two()
    for nth in range(FAILED_CALLS_MAX):
        ring(desk, nth, Outcome.VENDOR_FAILED)
    desk.later(REFUSED_S + 1)
    assert ring(desk, 20, Outcome.VENDOR_FAILED) == "first"
    assert ring(desk, 21, None) == "second"


def test_once_a_call_went_through_it_goes_first_again():
    desk = two()
    for nth in range(FAILED_CALLS_MAX):
        ring(desk, nth, Outcome.VENDOR_FAILED)
    desk.later(REFUSED_S + 1)
    assert [ring(desk, 20, None), ring(desk, 21, None)] == ["first", "first"]


def test_the_only_vendor_is_used_all_the_same():
    desk = two("only")
    assert {ring(desk, nth, Outcome.VENDOR_FAILED) for nth in range(2 * FAILED_CALLS_MAX)} == {"only"}


def test_calls_that_fail_do_not_take_texts_away():
    desk = two()
    for nth in range(FAILED_CALLS_MAX):
        ring(desk, nth, Outcome.VENDOR_FAILED)
    rows = desk.ledger.step(
        lambda step: step.load(PACES, [pace_id("first", Channel.VOICE), pace_id("first", Channel.TEXT)])
    )
    assert [row.down_until is not None for row in rows.values()] == [True]
