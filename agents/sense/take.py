"""How readings are taken into a station's buckets: each one gets a verdict, and none of them an exception.

Two readings of one time are one reading, and the higher value counts, so that the order of arrival never matters and a
doubtful pair errs on the loud side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.sense.series import bucket_of
from agents.sense.state import KEEP_S, SEEN_MAX, StationState, Verdict
from config.rules import Knobs
from rosters.model import Station
from streams.letters import Reading, ReadingsArrived

AHEAD = timedelta(minutes=10)
USABLE = frozenset({Verdict.TAKEN, Verdict.CORRECTED, Verdict.REPEATED})


@dataclass(frozen=True)
class Taken:
    """What came of a page of readings.

    Args:
        state: The station with the readings in it.
        verdicts: How many readings of this page met which verdict.
        live_s: Ends of the buckets of usable readings that are not historical, in order.
        absurd: The readings whose values cannot be.
    """

    state: StationState
    verdicts: Mapping[Verdict, int]
    live_s: tuple[int, ...]
    absurd: tuple[Reading, ...]


def judge(reading: Reading, station: Station, received_at: datetime, knobs: Knobs) -> Verdict:
    """Say whether a reading can be used at all: TAKEN, or why it cannot. It may still turn out to be a repeated one.

    Its age is counted from when the door received it: a ledger that was away does not make it late.
    """
    if reading.at.tzinfo is None:
        return Verdict.UNDATED
    if reading.quantity != station.quantity:
        return Verdict.WRONG_QUANTITY
    if not _possible(reading, knobs):
        return Verdict.ABSURD
    if reading.at > received_at + AHEAD:
        return Verdict.FUTURE
    if reading.at < received_at - timedelta(hours=knobs.readings_late_h):
        return Verdict.TOO_LATE
    return Verdict.TAKEN


def take(state: StationState, message: ReadingsArrived, station: Station, knobs: Knobs, now: datetime) -> Taken:
    """Put a page of readings into a station's buckets; what is older than three days at `now` is let go."""
    series, seen = dict(state.series), dict(state.seen)
    verdicts: Counter[Verdict] = Counter()
    live: list[Reading] = []
    absurd: list[Reading] = []
    for reading in message.readings:
        verdict = judge(reading, station, message.received_at, knobs)
        if verdict is Verdict.TAKEN:
            verdict = _put(reading, series, seen, state.forgotten_ms)
        verdicts[verdict] += 1
        if verdict is Verdict.ABSURD:
            absurd.append(reading)
        elif verdict in USABLE and not reading.historical:
            live.append(reading)
    oldest_s = now.timestamp() - KEEP_S
    kept = dict(sorted((at_ms, value) for at_ms, value in seen.items() if at_ms > oldest_s * 1000))
    dropped = list(kept)[: max(0, len(kept) - SEEN_MAX)]
    # The newest live reading by time, then by value: the same whichever of two came first.
    newest = max([(reading.at, reading.value) for reading in live] + _newest(state), default=(None, None))
    changes = {
        "series": {end: value for end, value in sorted(series.items()) if end > oldest_s},
        "seen": {at_ms: value for at_ms, value in kept.items() if at_ms not in set(dropped)},
        "forgotten_ms": max([state.forgotten_ms, *dropped]),
        "last_at": newest[0],
        "last_value": newest[1],
        "counts": dict(Counter(state.counts) + verdicts),
    }
    live_s = tuple(sorted({bucket_of(reading.at.timestamp()) for reading in live}))
    return Taken(state.model_copy(update=changes), verdicts, live_s, tuple(absurd))


def _possible(reading: Reading, knobs: Knobs) -> bool:
    if not math.isfinite(reading.value):
        return False
    if reading.quantity == "rain_mm":
        return 0 <= reading.value <= knobs.rain_mm_max_per_reading
    return knobs.level_m_min <= reading.value <= knobs.level_m_max


def _put(reading: Reading, series: dict[int, int], seen: dict[int, int], forgotten_ms: int) -> Verdict:
    at_ms, value = round(reading.at.timestamp() * 1000), round(reading.value * 1000)
    if at_ms <= forgotten_ms:
        return Verdict.TOO_LATE
    before = seen.get(at_ms)
    if before is not None and value <= before:
        return Verdict.REPEATED
    seen[at_ms] = value
    end = bucket_of(at_ms / 1000)
    if reading.quantity == "level_m":
        series[end] = max(value, series.get(end, value))
    elif value:
        series[end] = series.get(end, 0) + value - (before or 0)
    return Verdict.TAKEN if before is None else Verdict.CORRECTED


def _newest(state: StationState) -> list[tuple[datetime, float]]:
    if state.last_at is None or state.last_value is None:
        return []
    return [(state.last_at, state.last_value)]
