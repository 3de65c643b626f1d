"""The kinds of faults a night may have, and chance. The only place of the project that draws random numbers.

Each purpose draws from a stream of its own, so that switching one kind of fault off leaves the others as they were:
that is what makes a history short enough to read.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Fault(StrEnum):
    """What can go wrong. Each night has some of them, many none of a kind.

    CRASH ends a worker between two of its steps. STALL holds up one of its tasks for minutes, FREEZE all of them: it
    goes on as a zombie. COME_AND_GO: one is stopped for a while, and one more than usual is there for a while.
    """

    CRASH = "crash"
    STALL = "stall"
    FREEZE = "freeze"
    COME_AND_GO = "come_and_go"
    DRIFT = "drift"
    JUMP = "jump"
    WRONG_CLOCK = "wrong_clock"
    LEDGER_AWAY = "ledger_away"
    LEDGER_DOUBT = "ledger_doubt"
    OVERLAP = "overlap"
    LOG_DOUBLE = "log_double"
    LOG_DELAY = "log_delay"
    LOG_LOSS = "log_loss"
    LOG_RESTART = "log_restart"
    LOG_AWAY = "log_away"
    VENDOR_BUSY = "vendor_busy"
    VENDOR_DOWN = "vendor_down"
    VENDOR_REFUSES = "vendor_refuses"
    VENDOR_FORGETS = "vendor_forgets"
    VENDOR_LIES = "vendor_lies"
    VENDOR_OUTAGE = "vendor_outage"
    NEWS_DOUBLE = "news_double"
    NEWS_LATE = "news_late"
    NEWS_LOST = "news_lost"
    FALSE_DELIVERED = "false_delivered"
    ROSTER = "roster"


SHARE = 0.45
"""How often a kind of fault is part of a night that has faults at all."""
CALM = 0.08
"""How many nights have none: what must hold without faults is checked too."""


LONG_S, SHORT_S = 2100.0, 840.0
LONG_SHARE = 0.25


class Chance:
    """A stream of chance that follows from a seed and a purpose."""

    def __init__(self, seed: int | str, purpose: str) -> None:
        # Chance is meant to be repeatable here, not secret.
        self._random = random.Random(f"{seed}|{purpose}")  # noqa: S311

    def happens(self, share: float) -> bool:
        """Return True for about this share of the times it is asked."""
        return self._random.random() < share

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        return self._random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both possible."""
        return self._random.randint(low, high)

    def one_of(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return self._random.choice(items)

    def some_of(self, items: Sequence[T], share: float) -> list[T]:
        """Return about this share of the items, in their order."""
        return [item for item in items if self._random.random() < share]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in another order."""
        return self._random.sample(items, len(items))


def faults_of(seed: int) -> frozenset[Fault]:
    """Return which kinds of faults a seed's night has."""
    chance = Chance(seed, "faults")
    if chance.happens(CALM):
        return frozenset()
    return frozenset(chance.some_of(tuple(Fault), SHARE))


def faulty_s_of(seed: int) -> float:
    """Return until when faults strike and things come in during a seed's night; then everything heals.

    Most nights are short: another night finds more than another half hour. In the long ones budgets run out.
    """
    return LONG_S if Chance(seed, "length").happens(LONG_SHARE) else SHORT_S
