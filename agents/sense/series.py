"""Sums and crossings of one station's readings in event time: pure, in whole numbers, the same in any order of arrival.

Values are thousandths (µm of rain, mm of level) so that sums do not depend on the order in which they are added. Times
are whole seconds since 1970. Readings are gathered in buckets of five minutes, named by their end: the bucket of
12:05 holds what was reported after 12:00 and up to 12:05. A window ends with a bucket, so it is exact for gauges that
report on the five minutes, and may leave out up to five minutes at its far edge for one that does not.

Never put here: what a crossing means, and which clock it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BUCKET_S = 300
HOUR_S = 3600
LEVEL_HOLDS_S = HOUR_S


@dataclass(frozen=True)
class Spell:
    """A stretch of event time over a limit: from `starts_s` until just before `ends_s`; `peak` is the most in it."""

    starts_s: int
    ends_s: int
    peak: int


def bucket_of(at_s: float) -> int:
    """Return the end of the bucket that a time belongs to; a time on the five minutes ends its own."""
    return math.ceil(at_s / BUCKET_S) * BUCKET_S


def sum_at(rain: Mapping[int, int], ends_s: int, window_h: int) -> int:
    """Return the rain of the buckets in the window of `window_h` hours that ends at `ends_s`."""
    return sum(value for end, value in rain.items() if ends_s - window_h * HOUR_S < end <= ends_s)


def rain_steps(rain: Mapping[int, int], window_h: int) -> list[tuple[int, int]]:
    """Return how the sliding sum moves: (from when, how much), in order, ending with 0 when the last rain has left."""
    moves: Counter[int] = Counter()
    for end, value in rain.items():
        moves[end] += value
        moves[end + window_h * HOUR_S] -= value
    steps, total = [], 0
    for at_s in sorted(moves):
        total += moves[at_s]
        steps.append((at_s, total))
    return steps


def level_steps(levels: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return how the level moves: (from when, how high), in order."""
    return sorted(levels.items())


def spells(steps: Sequence[tuple[int, int]], limit: int, holds_s: int | None = None) -> list[Spell]:
    """Return the stretches in which the steps stand at `limit` or above, in order.

    Args:
        steps: Times and the value from then on.
        limit: In the unit of the steps.
        holds_s: How long a value is believed where nothing lower follows; None = until the next step.
    """
    found: list[Spell] = []
    over: list[tuple[int, int]] = []
    for at_s, value in steps:
        if value >= limit:
            over.append((at_s, value))
        elif over:
            found.append(_spell(over, at_s, holds_s))
            over = []
    if over:
        found.append(_spell(over, None, holds_s))
    return found


def _spell(over: Sequence[tuple[int, int]], next_s: int | None, holds_s: int | None) -> Spell:
    last_s = over[-1][0]
    ends = [end for end in (next_s, None if holds_s is None else last_s + holds_s) if end is not None]
    return Spell(over[0][0], min(ends, default=last_s + BUCKET_S), max(value for _, value in over))
