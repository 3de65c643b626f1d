"""A worker whose wall clock jumps, or is off the database's, neither ticks nor claims."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from streams.clock_guard import CLOCK_REST_S, ClockGuard

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


class Clocks:
    """A wall clock and a monotonic one that a test moves."""

    def __init__(self) -> None:
        self.at, self.s = NOW, 100.0
        self.database_at = NOW
        self.guard = ClockGuard(lambda: self.at, lambda: self.s)
        self.compare()
        self.guard.is_trusted()

    def compare(self, took_s: float = 0.0) -> None:
        async def ask():
            self.at += timedelta(seconds=took_s)
            self.s += took_s
            return self.database_at

        asyncio.run(self.guard.compare(ask))

    def passes(self, monotonic_s: float, wall_s: float) -> bool:
        self.s += monotonic_s
        self.at += timedelta(seconds=wall_s)
        return self.guard.is_trusted()


@pytest.mark.parametrize("drift", [-1.9, 0.0, 1.9])
def test_a_small_correction_is_let_pass(drift):
    assert Clocks().passes(1, 1 + drift)


@pytest.mark.parametrize("jump", [-3600, -3, 3, 3600])
def test_a_jump_in_either_direction_is_not_trusted(jump):
    assert not Clocks().passes(1, 1 + jump)


def test_after_a_rest_the_clock_is_trusted_again():
    clocks = Clocks()
    clocks.passes(1, 3600)
    assert not clocks.passes(CLOCK_REST_S - 1, CLOCK_REST_S - 1)
    assert clocks.passes(1, 1)


def test_a_machine_that_slept_is_not_trusted_at_once():
    assert not Clocks().passes(0.1, 600)


@pytest.mark.parametrize("off_s", [-3600, -2.5, 2.5, 3600])
def test_a_clock_that_is_off_the_databases_is_not_trusted_and_the_gauge_says_by_how_much(off_s):
    clocks = Clocks()
    clocks.database_at = NOW - timedelta(seconds=off_s)
    clocks.compare()
    assert not clocks.guard.is_trusted()
    assert clocks.guard.offset_s() == off_s


def test_however_steadily_it_goes_a_wrong_clock_stays_untrusted_until_it_agrees_with_the_database():
    clocks = Clocks()
    clocks.database_at = NOW + timedelta(hours=1)
    clocks.compare()
    assert not clocks.passes(CLOCK_REST_S * 10, CLOCK_REST_S * 10)
    clocks.database_at = clocks.at
    clocks.compare()
    assert clocks.guard.is_trusted()
    assert clocks.guard.offset_s() == 0


@pytest.mark.parametrize("off_s", [-1.9, 0, 1.9])
def test_a_small_difference_from_the_database_is_let_pass(off_s):
    clocks = Clocks()
    clocks.database_at = NOW + timedelta(seconds=off_s)
    clocks.compare()
    assert clocks.guard.is_trusted()


def test_an_answer_that_took_long_is_not_taken_for_a_clock_that_is_off():
    clocks = Clocks()
    clocks.database_at = NOW + timedelta(seconds=9)
    clocks.compare(took_s=20)
    assert clocks.guard.is_trusted()


def test_until_the_database_was_asked_nobody_knows():
    clocks = Clocks()
    assert not ClockGuard(lambda: clocks.at, lambda: clocks.s).is_trusted()


def test_a_database_without_a_clock_of_its_own_says_nothing_against_this_one():
    clocks = Clocks()
    clocks.database_at = None
    clocks.compare()
    assert clocks.guard.is_trusted()
