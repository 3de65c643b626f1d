"""Which copies follow from a chain, its rounds and its troubles, and when a copy is tried again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agents.callout.state import ANSWERED, OPEN, CalloutState
from agents.copies.state import Bulletin, Copy, CopyState, Event
from agents.intake.state import Chain, ChainState
from agents.plan.state import Round
from streams.ids import make_id
from streams.letters import Move

RETRY_AFTER_S = (15, 60, 240, 900, 1800)
"""Pauses between the tries of one copy; after the last of them it is given up. Ours, no vendor's rule."""
TRIES_MAX = len(RETRY_AFTER_S) + 1
LATE_S = 3600
"""A copy of something older than this is not handed over any more: a chat is no archive, the ledger is."""
SUMMARY_AFTER_MIN = (5, 15, 30)
SUMMARY_EVERY_MIN = 30
"""Leaders hear how far it is after 5 and 15 min, then every half hour (勉县 2024: 5、15 分钟)."""
CHANGES = (Move.RAISED, Move.WIDENED, Move.LOWERED)
ALARMS = (Move.GATED, Move.UNCLEAR)
TOLD_MOVES = (Move.OPENED, Move.CONTINUED, *CHANGES, *ALARMS)
ENDED = (ChainState.CANCELLED, ChainState.CORRECTED, ChainState.EXPIRED)


class CopyReason(StrEnum):
    """Why a copy stands as it does."""

    TAKEN = "taken"
    OVERTAKEN = "overtaken"
    REFUSED_TOO_OFTEN = "refused_too_often"
    TOO_LATE = "too_late"
    NO_RECEIVER = "no_receiver"


@dataclass(frozen=True)
class Tally:
    """How far a chain is: callouts that call, by what became of them; `silent` by township."""

    answered: int = 0
    calling: int = 0
    unreached: int = 0
    lost: int = 0
    silent: Mapping[str, int] | None = None

    @property
    def called(self) -> int:
        """Return how many there are in all."""
        return self.answered + self.calling + self.unreached + self.lost


@dataclass(frozen=True)
class Notice:
    """Something to be told of a chain; `cause` makes it one thing however often it is met."""

    event: Event
    cause: str
    round: Round | None = None


def tally_of(counted: Mapping[tuple[str, str], int]) -> Tally:
    """Add up callouts counted by township and state; what is held, told only or superseded calls nobody."""
    answered = calling = unreached = lost = 0
    silent: dict[str, int] = {}
    for (township, state), count in counted.items():
        if state in ANSWERED:
            answered += count
        elif state in OPEN and state != CalloutState.HELD:
            calling += count
        elif state == CalloutState.UNREACHED:
            unreached += count
        elif state == CalloutState.LOST:
            lost += count
        if state in (CalloutState.UNREACHED, CalloutState.LOST):
            silent[township] = silent.get(township, 0) + count
    return Tally(answered, calling, unreached, lost, silent)


def is_due(bulletin: Bulletin | None, chain: Chain, fresh: Sequence[Round], now: datetime) -> bool:
    """Tell whether there may be something to tell; only then it is worth counting callouts."""
    if bulletin is None or fresh or chain.state in ENDED:
        return bulletin is None or not bulletin.over
    return not bulletin.over and bulletin.due_at is not None and bulletin.due_at <= now


def decide(
    bulletin: Bulletin | None, chain: Chain, fresh: Sequence[Round], tally: Tally, now: datetime
) -> tuple[Bulletin, tuple[Notice, ...]]:
    """Return what is to be told of a chain now, and what was told of it then.

    Args:
        bulletin: What was told of it, or None.
        chain: As it stands.
        fresh: Its rounds that nothing was told of, the oldest first.
        tally: How far it is.
        now: Story time.
    """
    known = bulletin or Bulletin(
        id=make_id(chain.realm, "bulletin", chain.id), realm=chain.realm, chain_id=chain.id, opened_at=chain.opened_at
    )
    notices = [_of_round(chain, each) for each in fresh if each.move in TOLD_MOVES]
    changed: dict[str, object] = {"rounds": (*known.rounds, *(each.id for each in fresh))}
    if chain.state in ENDED:
        notices.append(Notice(Event.ENDED, chain.state))
        return known.model_copy(update={**changed, "over": True, "due_at": None}), tuple(notices)
    if notices:
        # A chain that was raised is counted anew from there.
        changed |= {"opened_at": fresh[-1].opened_at, "summaries": 0, "said": ""}
        changed["due_at"] = fresh[-1].opened_at + timedelta(minutes=SUMMARY_AFTER_MIN[0])
    elif known.due_at is not None and known.due_at <= now:
        said = f"{tally.answered}/{tally.calling}/{tally.unreached}/{tally.lost}"
        changed |= {"summaries": known.summaries + 1, "said": said, "due_at": _next_summary(known, now)}
        # Half an hour later nothing may have moved: the same figures are told once.
        if tally.called and said != known.said:
            notices.append(Notice(Event.SUMMARY, known.due_at.isoformat()))
    return known.model_copy(update=changed), tuple(notices)


def try_next(copy: Copy, wall: datetime, now: datetime) -> Copy:
    """Return a copy as it stands while it is tried: one try counted, the next one set, for whoever dies on the way.

    One that comes too late is given up instead.
    """
    if (now - copy.at).total_seconds() > LATE_S:
        return copy.model_copy(update={"state": CopyState.GIVEN_UP, "why": CopyReason.TOO_LATE})
    if copy.tries >= TRIES_MAX:
        # Whoever made the last try died before he could say how it went.
        return copy.model_copy(update={"state": CopyState.GIVEN_UP, "why": CopyReason.REFUSED_TOO_OFTEN})
    wait_s = RETRY_AFTER_S[min(copy.tries, len(RETRY_AFTER_S) - 1)]
    return copy.model_copy(
        update={"tries": copy.tries + 1, "tried_at": wall, "due_at": wall + timedelta(seconds=wait_s)}
    )


def after_refusal(copy: Copy, wall: datetime, why: str, retry_after_s: float | None) -> Copy:
    """Return a copy that was not taken: to be tried again, no sooner than the receiver asks, or given up."""
    if copy.tries >= TRIES_MAX:
        return copy.model_copy(update={"state": CopyState.GIVEN_UP, "why": CopyReason.REFUSED_TOO_OFTEN})
    asked = wall + timedelta(seconds=min(retry_after_s or 0.0, LATE_S))
    return copy.model_copy(update={"due_at": max(copy.due_at, asked), "why": why[:200]})


def _of_round(chain: Chain, each: Round) -> Notice:
    if each.move in ALARMS or (chain.source == "monitor" and each.move is Move.OPENED):
        return Notice(Event.ALARM, each.id, each)
    return Notice(Event.CHANGED if each.move in CHANGES else Event.OPENED, each.id, each)


def _next_summary(bulletin: Bulletin, now: datetime) -> datetime:
    done = bulletin.summaries + 1
    if done < len(SUMMARY_AFTER_MIN):
        planned = bulletin.opened_at + timedelta(minutes=SUMMARY_AFTER_MIN[done])
        if planned > now:
            return planned
    return now + timedelta(minutes=SUMMARY_EVERY_MIN)
