"""When a number may be rung again, and how fast a carrier may be used."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.dial.budget import Budget, free_slots, may_ring_at, next_slot, way_to
from agents.dial.state import AttemptState
from streams.words import Colour
from tests.unit.attempt_samples import attempt

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
RED, ORANGE = Colour.RED.severity, Colour.ORANGE.severity


def rung(*seconds_ago: float):
    return [
        attempt(dialled_at=NOW - timedelta(seconds=ago), state=AttemptState.ENDED, id=f"real|attempt|{ago}")
        for ago in seconds_ago
    ]


def wants(budget: Budget, severities: list[int], gaps_s: list[int]) -> list[datetime]:
    """Ring as soon as it is allowed, again and again; return when it rang."""
    history, at, times = [], NOW, []
    for number, (severity, gap_s) in enumerate(zip(severities, gaps_s, strict=False)):
        at += timedelta(seconds=gap_s)
        for _ in range(5):
            recent = [item for item in history if item.dialled_at > at - timedelta(hours=24)]
            allowed_at = may_ring_at(recent, severity, budget, at)
            if allowed_at <= at:
                break
            at = allowed_at
        times.append(at)
        history.append(attempt(id=f"real|attempt|{number}", dialled_at=at, state=AttemptState.ENDED))
    return times


budgets = st.builds(
    Budget,
    gap_s=st.integers(60, 300),
    per_hour=st.integers(1, 8),
    per_day=st.integers(1, 24),
    reserve_per_hour=st.integers(0, 8),
    reserve_per_day=st.integers(0, 24),
)


@given(budgets, st.lists(st.integers(1, 4), min_size=1, max_size=30), st.lists(st.integers(0, 4000), min_size=30))
def test_no_number_is_rung_more_than_its_budget_in_any_hour_or_day(budget, severities, gaps_s):
    times = wants(budget, severities, gaps_s)
    for start in times:
        for hours, limit in ((1, budget.per_hour), (24, budget.per_day)):
            within = [at for at in times if start <= at < start + timedelta(hours=hours)]
            assert len(within) <= limit


@given(budgets, st.lists(st.integers(1, 4), min_size=1, max_size=30), st.lists(st.integers(0, 4000), min_size=30))
def test_a_number_rests_at_least_its_gap(budget, severities, gaps_s):
    times = wants(budget, severities, gaps_s)
    for earlier, later in itertools.pairwise(times):
        assert later - earlier >= timedelta(seconds=budget.gap_s)
        assert later - earlier >= timedelta(seconds=60)


def test_a_number_that_was_never_rung_may_be_rung_now():
    assert may_ring_at([], ORANGE, Budget(), NOW) == NOW


def test_the_real_thing_does_not_wait_for_the_rest_after_a_spot_check():
    history = [attempt(state=AttemptState.ENDED, realm="check:2021-07-abc", dialled_at=NOW - timedelta(seconds=20))]
    assert may_ring_at(history, RED, Budget(), NOW, real=True) == NOW
    assert may_ring_at(history, RED, Budget(), NOW) == NOW + timedelta(seconds=40)


def test_the_real_thing_rests_after_a_real_call_although_a_spot_check_came_between():
    history = [
        attempt(state=AttemptState.ENDED, dialled_at=NOW - timedelta(seconds=30)),
        attempt(state=AttemptState.ENDED, realm="check:2021-07-abc", dialled_at=NOW - timedelta(seconds=20)),
    ]
    assert may_ring_at(history, RED, Budget(), NOW, real=True) == NOW + timedelta(seconds=30)


def test_the_real_thing_still_keeps_to_what_a_vendor_takes_for_one_number():
    history = [attempt(carrier="a", state=AttemptState.ENDED, realm="check:x", dialled_at=NOW - timedelta(seconds=20))]
    ways = {"a": Budget(gap_s=60)}
    assert way_to(history, ways, Budget(), RED, NOW, real=True) == ("a", NOW + timedelta(seconds=40))
    assert way_to(history, {"a": None}, Budget(), RED, NOW, real=True) == ("a", NOW)


def test_a_number_with_a_call_under_way_is_looked_at_again_soon():
    assert may_ring_at([attempt(state=AttemptState.PLACED)], RED, Budget(), NOW) == NOW + timedelta(seconds=10)


def test_only_red_may_use_the_reserve():
    budget = Budget(per_hour=4, reserve_per_hour=2)
    history = rung(600, 1200)
    assert may_ring_at(history, RED, budget, NOW) == NOW
    assert may_ring_at(history, ORANGE, budget, NOW) == NOW + timedelta(seconds=2400)


def test_a_rise_may_use_half_of_the_reserve_and_leaves_the_other_half_to_red():
    budget = Budget(per_hour=4, reserve_per_hour=2)
    assert may_ring_at(rung(600, 1200), ORANGE, budget, NOW, rise=True) == NOW
    used = rung(600, 1200, 1800)
    assert may_ring_at(used, ORANGE, budget, NOW, rise=True) == NOW + timedelta(seconds=1800)
    assert may_ring_at(used, RED, budget, NOW) == NOW


def test_a_budget_that_is_all_reserve_still_lets_one_call_through():
    assert may_ring_at([], ORANGE, Budget(per_hour=2, reserve_per_hour=9), NOW) == NOW


VENDOR, ALL = Budget(per_hour=2, reserve_per_hour=0), Budget(per_hour=4, reserve_per_hour=0)


def through(carrier: str, *seconds_ago: float):
    return [item.model_copy(update={"carrier": carrier}) for item in rung(*seconds_ago)]


def test_a_number_keeps_its_carrier_as_long_as_that_one_may_ring_it():
    assert way_to(through("first", 300), {"first": VENDOR, "second": VENDOR}, ALL, RED, NOW) == ("first", NOW)


def test_a_carrier_that_only_rests_for_a_moment_keeps_the_number():
    at = NOW + timedelta(seconds=31)
    slow = Budget(gap_s=61)
    assert way_to(through("first", 30), {"first": slow, "second": None}, ALL, RED, NOW) == ("first", at)


def test_where_the_budget_at_the_first_vendor_is_used_up_the_second_rings():
    assert way_to(through("first", 300, 900), {"first": VENDOR, "second": VENDOR}, ALL, RED, NOW) == ("second", NOW)


def test_a_number_is_not_rung_without_end_whatever_its_vendors_still_allow():
    history = through("first", 300, 900) + through("second", 600, 1200)
    _, at = way_to(history, {"first": VENDOR, "second": VENDOR, "third": None}, ALL, RED, NOW)
    assert at == NOW + timedelta(seconds=3600 - 1200)


def test_where_all_are_used_up_the_one_that_may_ring_first_is_waited_for():
    history = through("first", 300, 900) + through("second", 600, 1200)
    way = way_to(history, {"first": VENDOR, "second": VENDOR}, Budget(), RED, NOW)
    assert way == ("second", NOW + timedelta(seconds=3600 - 1200))


def test_a_call_under_way_through_one_carrier_bars_all_of_them():
    live = attempt(state=AttemptState.PLACED, carrier="first")
    assert way_to([live], {"second": None}, ALL, RED, NOW) == ("second", NOW + timedelta(seconds=10))


def test_no_budget_may_have_a_gap_below_a_minute():
    with pytest.raises(ValueError, match="gap_s"):
        Budget(gap_s=59)


@given(st.floats(0.1, 50), st.floats(0.1, 5), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_a_carrier_is_never_used_faster_than_its_pace_and_one_burst(per_s, burst_s, gaps_s):
    next_at, at, uses = NOW - timedelta(seconds=burst_s), NOW, []
    for gap_s in gaps_s:
        at += timedelta(seconds=gap_s)
        used = free_slots(next_at, at, per_s, burst_s)
        if used:
            next_at = next_slot(next_at, at, per_s, burst_s, used)
        uses.append((at, used))
    for place, (start, _) in enumerate(uses):
        for end, _ in uses[place:]:
            total = sum(used for when, used in uses if start <= when <= end)
            assert total <= (end - start).total_seconds() * per_s + burst_s * per_s + 1 + 1e-3
