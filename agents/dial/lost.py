"""What was lost on the way: claims that nobody placed, calls that no news came of, and what a step does with them.

Whoever asks the carrier about them is the dialler. Nothing here dials, and nothing here takes back a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS
from agents.dial.claiming import LEASE_S
from agents.dial.hear import KEYS, end
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.plan.state import ROUNDS
from streams.ledger.contract import Step, Where
from streams.rooms import apply
from streams.words import Channel, Outcome

TOGETHER_MAX = 200
"""So many are taken over in one step."""


def take_lost(step: Step, now: datetime, wall: datetime, owner: str) -> list[Attempt]:
    """Take over claims whose lease ran out and placed calls that no news came of in time."""
    expired = step.find(
        ATTEMPTS,
        Where("state", "=", AttemptState.CLAIMED),
        Where("lease_until", "<=", wall),
        limit=TOGETHER_MAX,
        lock=True,
    )
    silent = step.find(
        ATTEMPTS,
        Where("due_at", "<=", now),
        Where("state", "=", AttemptState.PLACED),
        limit=TOGETHER_MAX,
        lock=True,
    )
    taken = [
        attempt.model_copy(
            update={
                "owner": owner,
                "tries": attempt.tries + 1,
                "lease_until": wall + timedelta(seconds=LEASE_S),
                "due_at": now + timedelta(seconds=60) if attempt.due_at else None,
            }
        )
        for attempt in {item.id: item for item in (*expired, *silent)}.values()
    ]
    step.save(ATTEMPTS, taken)
    return list(step.load(ATTEMPTS, [attempt.id for attempt in taken]).values())


def dial_again(step: Step, attempt_id: str, now: datetime) -> Attempt | None:
    """Return an attempt that is to be dialled once more; None where it was stopped, paused or ended meanwhile."""
    attempt = step.load(ATTEMPTS, [attempt_id])[attempt_id]
    if attempt.state is not AttemptState.CLAIMED:
        return None
    if attempt.seq >= 0:
        # News of it came, so the carrier has it, whatever he says now: its end is waited for, and asked for later.
        step.save(ATTEMPTS, [attempt.model_copy(update={"state": AttemptState.PLACED})])
        return None
    rounds = step.load(ROUNDS, attempt.rounds)
    if attempt.stop or all(rounds[round_id].stopped_at is not None for round_id in attempt.rounds):
        end_unless_ended(step, attempt_id, Outcome.STOPPED, now)
        return None
    if attempt.channel is Channel.VOICE and not _is_waited_for(step, attempt):
        end_unless_ended(step, attempt_id, Outcome.STOPPED, now)
        return None
    if all(row.paused_until is not None and row.paused_until > now for row in rounds.values()):
        # Nothing is dialled in a pause, this neither: it is asked about again when its lease runs out once more.
        return None
    # The number's minute counts from here: it may have rung the first time, and rings now.
    again = attempt.model_copy(update={"dialled_at": now})
    step.save(ATTEMPTS, [again])
    return step.load(ATTEMPTS, [attempt_id])[attempt_id]


def _is_waited_for(step: Step, attempt: Attempt) -> bool:
    """Tell whether a callout still waits for this call: its row says so before any letter does."""
    callouts = step.load(CALLOUTS, attempt.callouts)
    return any(callout.is_open and callout.attempt_id == attempt.id for callout in callouts.values())


def end_unless_ended(step: Step, attempt_id: str, outcome: Outcome, now: datetime) -> None:
    """End an attempt that nothing more is known of; what was pressed in it stands."""
    attempt = step.load(ATTEMPTS, [attempt_id]).get(attempt_id)
    if attempt is None or attempt.state is AttemptState.ENDED:
        return
    if attempt.outcome in KEYS.values():
        over = attempt.model_copy(update={"state": AttemptState.ENDED, "ended_at": now, "due_at": None})
        step.save(ATTEMPTS, [over])
        return
    decision = end(attempt, outcome, now)
    apply(step, ATTEMPTS, [decision.state], [decision])


def mark_hung_up(step: Step, attempt_ids: Sequence[str], now: datetime) -> None:
    """End attempts that were hung up; what their phones would have done after that did not happen."""
    for attempt_id in attempt_ids:
        end_unless_ended(step, attempt_id, Outcome.STOPPED, now)
