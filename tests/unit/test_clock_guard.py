"""A worker whose wall clock jumps neither ticks nor claims for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streams.worker import CLOCK_REST_S, ClockGuard

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


class Clocks:
    """A wall clock and a monotonic one that a test moves."""

    def __init__(self) -> None:
        self.at, self.s = NOW, 100.0
        self.guard = ClockGuard(lambda: self.at, lambda: self.s)
        self.guard.is_trusted()

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
