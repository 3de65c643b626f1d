"""When a number may be rung again, and through whom: never twice within a minute, never two calls at once. Pure.

Vendors cut off numbers that are rung more often than they allow (1/min, 5/h, 20/day is common), so each has a budget of
its own per number; over all of them stands one that keeps a person from being rung without end. Part of each is kept
for a rise or for red (ADR 0016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from agents.dial.state import Attempt, AttemptState
from streams.words import Colour, Model

LIVE_LOOK_S = 10
CHECKS = "check:"
"""How the realms of checks begin."""
AHEAD_MAX_S = 300
PATIENCE_S = 180
"""So long a number waits for its own carrier; a budget that makes it wait longer is used up, and another takes it."""


class Budget(Model):
    """What one number may be rung.

    Args:
        gap_s: Least seconds from one dialling to the next.
        per_hour: Calls in any hour.
        per_day: Calls in any 24 hours.
        reserve_per_hour: Of those, kept for a rise and for red; a rise leaves half of it (rounded down) to red.
        reserve_per_day: Likewise of the day's.
    """

    gap_s: int = Field(default=60, ge=60)
    per_hour: int = Field(default=8, ge=1)
    per_day: int = Field(default=24, ge=1)
    reserve_per_hour: int = Field(default=3, ge=0)
    reserve_per_day: int = Field(default=8, ge=0)


def may_ring_at(
    history: Sequence[Attempt],
    severity: int,
    budget: Budget,
    now: datetime,
    *,
    rise: bool = False,
    real: bool = False,
) -> datetime:
    """Return from when a number may be rung: `now`, or later.

    Args:
        history: Calls to the number in the last 24 hours, in any order.
        severity: 1 (blue) to 4 (red); red may use the whole reserve.
        budget: What is allowed.
        now: Story time.
        rise: Whether its warning rose in colour; then it may use the half of the reserve.
        real: Whether it is the real thing: that does not wait for the rest after a check (抽查), which was our own
            doing: no warning may be a minute late because of it. It counts in the budgets all the same.
    """
    if any(attempt.state is not AttemptState.ENDED for attempt in history):
        return now + timedelta(seconds=LIVE_LOOK_S)
    times = sorted(attempt.dialled_at for attempt in history)
    if not times:
        return now
    rested = [attempt.dialled_at for attempt in history if not (real and attempt.realm.startswith(CHECKS))]
    earliest = max([now, *(at + timedelta(seconds=budget.gap_s) for at in rested)])
    for hours, limit, reserve in (
        (1, budget.per_hour, budget.reserve_per_hour),
        (24, budget.per_day, budget.reserve_per_day),
    ):
        kept = 0 if severity >= Colour.RED.severity else reserve // 2 if rise else reserve
        allowed = max(1, limit - kept)
        recent = [at for at in times if at > now - timedelta(hours=hours)]
        if len(recent) >= allowed:
            earliest = max(earliest, recent[-allowed] + timedelta(hours=hours))
    return earliest


def way_to(
    history: Sequence[Attempt],
    ways: Mapping[str, Budget | None],
    overall: Budget,
    severity: int,
    now: datetime,
    *,
    rise: bool = False,
    real: bool = False,
) -> tuple[str, datetime]:
    """Return which carrier rings a number, and from when: the next one only where the budget of the first is used up.

    A second call from the same caller's number breaks through many phones' do-not-disturb, one from another does not:
    so a carrier that only has to rest for a moment keeps the number.

    Args:
        history: Calls to the number in the last 24 hours through all carriers, in any order.
        ways: The carriers that may dial it, in the order in which they are asked, each with what its vendor allows
            for one number; None where it sets no limit.
        overall: What the number may be rung through all carriers together.
        severity: As of `may_ring_at`.
        now: Story time.
        rise: As of `may_ring_at`.
        real: As of `may_ring_at`; only for our own rest. What a vendor does not take within a minute, it does not take.
    """
    person_at = may_ring_at(history, severity, overall, now, rise=rise, real=real)
    found = []
    for name, budget in ways.items():
        own = [attempt for attempt in history if attempt.carrier == name]
        vendor_at = person_at if budget is None else may_ring_at(own, severity, budget, now, rise=rise)
        at = max(person_at, vendor_at)
        if at - person_at <= timedelta(seconds=PATIENCE_S):
            return name, at
        found.append((name, at))
    return min(found, key=lambda each: each[1])


def free_slots(next_at: datetime, now: datetime, per_s: float, burst_s: float) -> int:
    """Return how many calls a carrier may be given now: what its pace has freed since `next_at`, at most a burst."""
    since_s = min((now - _believed(next_at, now)).total_seconds(), burst_s)
    return max(0, int(since_s * per_s + 1e-6) + 1) if since_s >= 0 else 0


def next_slot(next_at: datetime, now: datetime, per_s: float, burst_s: float, used: int) -> datetime:
    """Return the pace's next free slot after `used` calls."""
    start = max(_believed(next_at, now), now - timedelta(seconds=burst_s))
    return start + timedelta(seconds=used / per_s)


def _believed(next_at: datetime, now: datetime) -> datetime:
    """Return a slot, or `now` for one that no pace and no busy vendor puts so far ahead.

    A clock that was stepped in the middle of a claim wrote it: nobody in the county would be called until then.
    """
    return next_at if next_at <= now + timedelta(seconds=AHEAD_MAX_S) else now
