"""What must hold of every call of a night, checked against the telephones themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from agents.callout.state import CALLOUTS
from agents.dial.budget import Budget
from agents.dial.state import ATTEMPTS, Attempt
from agents.plan.state import ROUNDS
from streams.ids import REAL
from streams.letters import Move
from streams.sim.faults import Fault
from streams.sim.network import Ring, SimCarrier
from streams.sim.world import World
from streams.words import Channel, Colour, Outcome

CLOCK_S = 4.0
"""How far the clocks of two workers may be apart on a night in which clocks drift."""
OVERLAP_S = 3.0
"""The longest a step takes from what it reads to what it writes."""
LEASE_S = 60.0
"""Design §3, law 3: only a claim that ran out is dialled again; a minute, as between any two calls of a number."""
HANG_UP_S = 15.0
WRONG_TIMES = frozenset({Fault.DRIFT, Fault.JUMP, Fault.WRONG_CLOCK})
HINDERING = WRONG_TIMES | {
    Fault.COME_AND_GO,
    Fault.CRASH,
    Fault.FREEZE,
    Fault.LEDGER_AWAY,
    Fault.LEDGER_DOUBT,
    Fault.OVERLAP,
    Fault.STALL,
    Fault.VENDOR_DOWN,
    Fault.VENDOR_OUTAGE,
}
"""What may keep a worker from hanging up at once."""
LATE_S = 5.0
"""A call placed this long after its claim was placed by a worker that stalled."""


def no_call_after_a_receipt(world: World) -> Iterator[str]:
    """No call is claimed when all it speaks for was answered or stopped, beyond what was under way."""
    attempts = _attempts(world)
    for ring in _voice(world):
        ended = [world.seen.ended_s.get(callout_id) for callout_id in attempts[ring.attempt_id].callouts]
        last_s = max((at for at in ended if at is not None), default=0.0)
        known_s = world.seen.released_s.get(ring.attempt_id, last_s) if _is_again(world, ring) else last_s
        if None not in ended and ring.claimed_s > max(last_s, known_s) + CLOCK_S + OVERLAP_S:
            yield f"{ring.number} was claimed at {ring.claimed_s:.0f} s, all it speaks for had ended at {last_s:.0f} s"


def no_call_after_a_stop(world: World) -> Iterator[str]:
    """No call is claimed for rounds that were all stopped, nor for rounds that were all paused."""
    attempts = _attempts(world)
    for ring in _voice(world):
        rounds = attempts[ring.attempt_id].rounds
        stopped = [world.seen.stopped_s.get(round_id) for round_id in rounds]
        if None not in stopped and ring.claimed_s > max(at or 0.0 for at in stopped) + CLOCK_S + OVERLAP_S:
            yield f"{ring.number} was claimed at {ring.claimed_s:.0f} s for rounds that had been stopped"
        if not _is_again(world, ring) and all(_is_paused(world, round_id, ring.claimed_s) for round_id in rounds):
            yield f"{ring.number} was claimed at {ring.claimed_s:.0f} s for rounds that were paused"


def no_number_twice_a_minute(world: World) -> Iterator[str]:
    """No number is claimed twice within its gap, but for claims that were lost on the way."""
    for calls in _by_number(world).values():
        for first, second in pairwise(call for call in calls if call.tries == 1):
            gap_s = (second.dialled_at - first.dialled_at).total_seconds()
            if gap_s < Budget().gap_s - CLOCK_S:
                yield f"{first.masked} was claimed twice within {gap_s:.0f} s"


def no_phone_rings_twice_at_once(world: World) -> Iterator[str]:
    """A telephone has one live call, and a minute between two, but where a claim was lost on the way."""
    attempts = _attempts(world)
    by_number: dict[str, list[Ring]] = defaultdict(list)
    for ring in _voice(world):
        by_number[ring.number].append(ring)
    for rings in by_number.values():
        for first, second in pairwise(sorted(rings, key=lambda ring: ring.placed_s)):
            again_s = second.placed_s - first.placed_s
            if (
                first.attempt_id == second.attempt_id
                and again_s < LEASE_S - CLOCK_S
                and not (_is_late(first) or _is_late(second))
            ):
                yield f"{first.number} was dialled again after {again_s:.0f} s, before its claim had run out"
            lost = any(attempts[ring.attempt_id].tries > 1 or _is_late(ring) for ring in (first, second))
            if lost or attempts[first.attempt_id].outcome is Outcome.NO_NEWS:
                continue
            if second.placed_s < first.silent_s:
                yield f"{first.number} rang at {second.placed_s:.0f} s while another call was under way"
            elif second.placed_s - first.placed_s < Budget().gap_s - CLOCK_S - LATE_S:
                yield f"{first.number} rang twice within {second.placed_s - first.placed_s:.0f} s"


def no_more_calls_than_lost_claims(world: World) -> Iterator[str]:
    """An attempt is placed once, and once more for each time that its claim was lost."""
    attempts = _attempts(world)
    placed: dict[str, int] = defaultdict(int)
    for ring in world.network.rings:
        placed[ring.attempt_id] += 1
    for attempt_id, count in placed.items():
        if count > attempts[attempt_id].tries:
            yield f"an attempt at {attempts[attempt_id].masked} was placed {count} times"


def no_budget_is_exceeded(world: World) -> Iterator[str]:
    """No number has more calls in an hour or a day than its budget allows."""
    budget = Budget()
    for calls in _by_number(world).values():
        for first in calls:
            for hours, limit in ((1, budget.per_hour), (24, budget.per_day)):
                until = first.dialled_at + timedelta(hours=hours, seconds=-CLOCK_S)
                if sum(first.dialled_at <= call.dialled_at < until for call in calls) > limit:
                    yield f"{first.masked} was called more than {limit} times in {hours} h"


def what_is_kept_for_red_is_kept(world: World) -> Iterator[str]:
    """A call that is not red leaves what is kept of the hour for red; a rise may use half of that, a drill nothing."""
    budget = Budget()
    callouts = {callout.id: callout for callout in world.find(CALLOUTS)}
    risen = {row.id for row in world.find(ROUNDS) if row.move is Move.RAISED}
    for calls in _by_number(world).values():
        for call in calls:
            told = [callouts[callout_id] for callout_id in call.callouts]
            if call.tries > 1 or (call.realm == REAL and any(one.severity >= Colour.RED.severity for one in told)):
                continue
            rise = call.realm == REAL and not risen.isdisjoint(call.rounds)
            allowed = budget.per_hour - (budget.reserve_per_hour // 2 if rise else budget.reserve_per_hour)
            since = call.dialled_at - timedelta(hours=1, seconds=-CLOCK_S)
            before = sum(since < other.dialled_at < call.dialled_at for other in calls)
            if before >= allowed:
                yield f"{call.masked} was called for the {before + 1}th time in an hour, which is kept for red"


def no_pace_is_exceeded(world: World) -> Iterator[str]:
    """No vendor is given more calls in a second than twice his pace: what a second frees, and one burst."""
    if world.faults & WRONG_TIMES:
        return
    by_vendor: dict[str, list[Attempt]] = defaultdict(list)
    for call in world.find(ATTEMPTS, order=("dialled_at",)):
        if call.channel is Channel.VOICE and call.tries == 1:
            by_vendor[call.carrier].append(call)
    most = int(2 * SimCarrier.pace_per_s) + 1
    for vendor, calls in by_vendor.items():
        for first, last in zip(calls, calls[most:], strict=False):
            if last.dialled_at - first.dialled_at < timedelta(seconds=1):
                yield f"{vendor} was given more than {most} calls within a second"


def no_stopped_call_rings_on(world: World) -> Iterator[str]:
    """A call that nothing depends on any more is hung up, where everybody lives and can be reached."""
    if world.faults & HINDERING:
        return
    for ring in _voice(world):
        released_s = world.seen.released_s.get(ring.attempt_id)
        if released_s is not None and ring.silent_s > max(released_s, ring.placed_s) + HANG_UP_S:
            on_s = ring.silent_s - released_s
            yield f"{ring.number} rang on for {on_s:.0f} s after its call had been stopped"


def _attempts(world: World) -> dict[str, Attempt]:
    return {attempt.id: attempt for attempt in world.find(ATTEMPTS)}


def _voice(world: World) -> list[Ring]:
    return [ring for ring in world.network.rings if ring.channel is Channel.VOICE]


def _by_number(world: World) -> dict[str, Sequence[Attempt]]:
    """Return the claims of each number that may have rung, in their order."""
    calls: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in world.find(ATTEMPTS, order=("dialled_at",)):
        if attempt.channel is Channel.VOICE and attempt.outcome is not Outcome.VENDOR_BUSY:
            calls[attempt.number_key].append(attempt)
    return dict(calls)


def _is_again(world: World, ring: Ring) -> bool:
    """Tell whether this is not the first time that the attempt was claimed."""
    return any(one.attempt_id == ring.attempt_id and one.placed_s < ring.placed_s for one in world.network.rings)


def _is_late(ring: Ring) -> bool:
    return ring.placed_s - ring.claimed_s > LATE_S


def _is_paused(world: World, round_id: str, at_s: float) -> bool:
    return any(
        since_s + CLOCK_S + OVERLAP_S < at_s < world.tasks.seconds(until) - CLOCK_S
        for since_s, until in world.seen.paused.get(round_id, ())
    )


LAWS: tuple[Callable[[World], Iterator[str]], ...] = (
    no_call_after_a_receipt,
    no_call_after_a_stop,
    no_number_twice_a_minute,
    no_phone_rings_twice_at_once,
    no_more_calls_than_lost_claims,
    no_budget_is_exceeded,
    what_is_kept_for_red_is_kept,
    no_pace_is_exceeded,
    no_stopped_call_rings_on,
)
