"""What was lost on the way: claims that nobody placed, calls that no news came of, and what a step does with them.

Whoever asks the carrier about them is the dialler. Nothing here dials, and nothing here takes back a key.
A worker whose clock is stepped in the middle of a step writes times that lie far ahead, and dies, or is stopped by its
own guard (`streams/clock_guard.py`): nobody may wait until then for what is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS
from agents.dial import budget
from agents.dial.claiming import LEASE_S, NEWS_WITHIN
from agents.dial.hear import KEYS, DialReason, end
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.plan.state import ROUNDS
from streams.ledger.contract import AHEAD_MAX_S, Draft, Step, Where
from streams.rooms import apply, record_troubles, trouble
from streams.words import Channel, Outcome

log = logging.getLogger(__name__)
TOGETHER_MAX = 200
"""So many are taken over in one step."""
STORY_AHEAD_MAX = timedelta(seconds=budget.AHEAD_MAX_S)
"""How far ahead story time may lie that another worker wrote, and be believed: as far as of a carrier's pace."""
LEASE_AHEAD_MAX = timedelta(seconds=LEASE_S + AHEAD_MAX_S)
VOICE_AHEAD_MAX = NEWS_WITHIN[Channel.VOICE] + STORY_AHEAD_MAX
"""News of a call are waited for no longer than a claim says; a call back and one taken over wait less."""


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
        order=("due_at",),
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


def bring_back(step: Step, doubted: frozenset[str], now: datetime, wall: datetime) -> frozenset[str]:
    """Put right, as far as can be known, what lies further ahead than any right clock can have written.

    A call then bars its number no longer than if it had begun now: never less long than it really does. Whether it
    is the clock of the reader that is wrong one look alone cannot tell: only what was doubted before, by a worker that
    has found its clock right since, is put right.

    Args:
        step: The transaction.
        doubted: What the same worker doubted when it last looked.
        now: Story time.
        wall: Real time.

    Returns:
        The ids of the attempts that are doubted from now on.
    """
    ahead = {attempt.id: attempt for attempt in _lying_ahead(step, now, wall)}
    wrong = [attempt for attempt in ahead.values() if attempt.id in doubted]
    right = [_as_if_now(attempt, now, wall) for attempt in wrong]
    step.save(ATTEMPTS, right)
    step.append(_not_believed(before, after, now) for before, after in zip(wrong, right, strict=True))
    for owner in sorted({attempt.owner for attempt in wrong}):
        log.error("%s wrote times of calls that lie far ahead: its clock was wrong; they are brought back", owner)
        text = f"{owner} 登记的呼叫时间比实际超前，不予采信，已改按现在计时。请检查该机的时间同步"
        record_troubles(step, [trouble("clock_off", f"real|process|{owner}", text, now)])
    return frozenset(ahead) - {attempt.id for attempt in wrong}


def _lying_ahead(step: Step, now: datetime, wall: datetime) -> list[Attempt]:
    """Return attempts with a time that is not believed, also those that ended: their number waits from `dialled_at`."""
    # Each in the order of its time, or the database looks through all there are.
    dialled = step.find(
        ATTEMPTS, Where("dialled_at", ">", now + STORY_AHEAD_MAX), order=("dialled_at",), limit=TOGETHER_MAX
    )
    leased = step.find(
        ATTEMPTS,
        Where("state", "=", AttemptState.CLAIMED),
        Where("lease_until", ">", wall + LEASE_AHEAD_MAX),
        limit=TOGETHER_MAX,
    )
    # Nothing is said about the state: thousands are placed, and what has ended waits for no news.
    awaited = step.find(
        ATTEMPTS,
        Where("due_at", ">", now + VOICE_AHEAD_MAX),
        Where("channel", "=", Channel.VOICE),
        order=("due_at",),
        limit=TOGETHER_MAX,
    )
    return [*dialled, *leased, *awaited]


def _as_if_now(attempt: Attempt, now: datetime, wall: datetime) -> Attempt:
    due_at = attempt.due_at and min(attempt.due_at, now + NEWS_WITHIN[attempt.channel])
    lease_until = min(attempt.lease_until, wall + timedelta(seconds=LEASE_S))
    times = {"dialled_at": min(attempt.dialled_at, now), "lease_until": lease_until, "due_at": due_at}
    return attempt.model_copy(update=times)


def _not_believed(before: Attempt, after: Attempt, now: datetime) -> Draft:
    was = {
        name: at.isoformat()
        for name in ("dialled_at", "lease_until", "due_at")
        if (at := getattr(before, name)) is not None and at != getattr(after, name)
    }
    noted = {"owner": before.owner, **was}
    return Draft(
        subject=before.id, what="brought_back", why=DialReason.TIME_NOT_BELIEVED, by="dial", at=now, facts=noted
    )


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
