"""Two vendors beside each other: a number's budget at each, a backlog of one, and two workers with a carrier each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.dial.budget import Budget
from agents.dial.claim import LOOKS_MAX
from agents.dial.hear import end
from agents.dial.state import ATTEMPTS, PACES, Pace
from streams.ledger.contract import StaleRowError
from streams.letters import Move
from streams.words import Channel, Colour, Outcome
from tests.unit.callout_samples import NOW
from tests.unit.dial_samples import Desk, FakeCarrier

HEAD = "v201-head"
OTHERS = ("v202-head", "v202-safety", "hz1-keeper", "v208-head", "t100-main")
TWO_AN_HOUR = Budget(per_hour=2, per_day=20, reserve_per_hour=0, reserve_per_day=0)
FOUR_AN_HOUR = Budget(per_hour=4, per_day=20, reserve_per_hour=2, reserve_per_day=0)
MANY = Budget(per_hour=1000, per_day=1000, reserve_per_hour=0, reserve_per_day=0)


def two(first: Budget | None = TWO_AN_HOUR, second: Budget | None = TWO_AN_HOUR, overall: Budget = MANY) -> Desk:
    desk = Desk(FakeCarrier("first"), FakeCarrier("second"), budget=overall)
    for carrier, budget in zip(desk.carriers, (first, second), strict=True):
        carrier.budget = budget
    return desk


def ring(desk: Desk, times: int, colour: Colour = Colour.RED, first_round: int = 1) -> list[str]:
    """Let a number be rung so often, once a minute and in vain; return through whom, or "" where it was not."""
    through = []
    for nth in range(first_round, first_round + times):
        desk.want(HEAD, round_no=nth, colour=colour)
        through += [dial.carrier for dial in desk.claim()] or [""]
        over = [end(item, Outcome.NO_ANSWER, desk.clock.now()).state for item in desk.attempts() if not item.outcome]
        desk.ledger.step(lambda step, over=over: step.save(ATTEMPTS, over))
        desk.later(61)
    return through


def busy(desk: Desk, carrier: str, for_s: float = 200) -> None:
    row = Pace(id=f"{carrier}:{Channel.VOICE}", next_at=desk.clock.now() + timedelta(seconds=for_s))
    desk.ledger.step(lambda step: step.save(PACES, [row]))


def test_when_a_numbers_budget_at_one_vendor_is_used_up_the_second_rings_it():
    assert ring(two(), 4) == ["first", "first", "second", "second"]


def test_when_it_is_used_up_at_both_the_number_is_left_alone_until_one_is_free_again():
    desk = two()
    ring(desk, 4)
    last = desk.want(HEAD, round_no=9)
    assert desk.claim() == []
    assert desk.callout(last).call_at == NOW + timedelta(hours=1)


def test_two_vendors_together_ring_a_person_no_more_than_the_bound_over_both():
    assert ring(two(overall=Budget(per_hour=3, reserve_per_hour=0)), 4) == ["first", "first", "second", ""]


def test_a_vendor_without_a_limit_of_its_own_still_stops_at_that_bound():
    assert ring(two(None, None, Budget(per_hour=3, reserve_per_hour=0)), 4) == ["first", "first", "first", ""]


def test_of_what_is_kept_at_each_vendor_orange_uses_nothing():
    assert ring(two(FOUR_AN_HOUR, FOUR_AN_HOUR), 5, Colour.ORANGE) == ["first", "first", "second", "second", ""]


def test_a_warning_that_rose_to_orange_may_use_half_of_what_is_kept():
    desk = two(FOUR_AN_HOUR, FOUR_AN_HOUR)
    ring(desk, 2, Colour.YELLOW)
    risen = desk.want(HEAD, round_no=50, colour=Colour.ORANGE)
    desk.change_round(round_no=50, move=Move.RAISED)
    (dial,) = desk.claim()
    assert dial.carrier == "first"
    assert desk.callout(risen).call_at is None


def test_a_drill_that_rises_uses_nothing_of_what_is_kept():
    desk = Desk(budget=FOUR_AN_HOUR)
    ring(desk, 2)
    desk.want(HEAD, realm="drill:a", round_no=50)
    desk.change_round("drill:a", 50, move=Move.RAISED)
    assert desk.claim() == []


def backlog() -> Desk:
    """Sixty red calls wait for a vendor that takes none now, and one yellow one could go through another."""
    numbers = {HEAD: "sim:abroad", **{post: f"sim:home-{post}" for post in OTHERS}}
    desk = Desk(
        FakeCarrier("first", pace_per_s=1.0, serves="sim:home"),
        FakeCarrier("second", pace_per_s=1.0, serves="sim:abroad"),
        budget=MANY,
        numbers=numbers,
    )
    busy(desk, "first")
    for nth in range(60):
        desk.want(OTHERS[nth % len(OTHERS)], round_no=nth)
    desk.want(HEAD, colour=Colour.YELLOW)
    return desk


def test_the_backlog_of_a_vendor_that_takes_no_more_hides_nobody_elses_calls():
    desk = backlog()
    assert [dial.carrier for dial in desk.claim()] == ["second"]


def test_what_waits_for_a_vendor_is_dialled_in_order_as_soon_as_it_takes_calls_again():
    desk = backlog()
    desk.claim()
    worst = desk.want("t100-main", round_no=99, priority=9)
    desk.later(201)
    (dial, *_) = desk.claim()
    assert dial.carrier == "first"
    assert desk.callout(worst).call_at is None


def test_a_round_that_was_stopped_with_a_long_queue_hides_nobody_elses_calls():
    desk = Desk(FakeCarrier(pace_per_s=1.0), budget=MANY)
    for nth in range(60):
        desk.want(OTHERS[nth % len(OTHERS)], visit_id=str(nth))
    desk.change_round(stopped_at=NOW, stop_why="cancelled")
    desk.want(HEAD, round_no=2, colour=Colour.YELLOW)
    assert len(desk.claim()) == 1


def test_a_claim_looks_at_no_more_than_its_limit_however_long_the_queue_is():
    desk = Desk(FakeCarrier("first", pace_per_s=1.0, serves="sim:"), FakeCarrier("second", pace_per_s=1.0, serves="x"))
    busy(desk, "first")
    for nth in range(200):
        desk.want(OTHERS[nth % len(OTHERS)], round_no=nth)
    assert desk.claim() == []
    noted = sum(desk.callout(f"real|callout|{OTHERS[nth % len(OTHERS)]}:{nth}:").waits_for != "" for nth in range(200))
    assert noted <= LOOKS_MAX * 24


def test_two_workers_that_would_ring_one_number_through_different_vendors_at_once_do_not():
    desk = two()
    desk.want(HEAD)
    now = desk.clock.now()
    desk.ledger.step(lambda step: step.save(PACES, [Pace(id="second:voice", next_at=now)]))

    def claim(step):
        def another_claims_through_the_second(number: str) -> bool:
            (row,) = step.load(PACES, ["second:voice"]).values()
            step.save(PACES, [row])
            return True

        desk.carriers[1].may_dial = another_claims_through_the_second
        return desk.desk.claim(step, Channel.VOICE, now, now)

    with pytest.raises(StaleRowError):
        desk.ledger.step(claim)
