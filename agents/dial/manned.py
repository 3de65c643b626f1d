"""A simulated telephone that a person holds, at a page of the gateway: for trying by hand how a call goes.

Which ones are held is in the ledger, so that the worker that rings and the gateway that shows agree. What the person
does becomes the same news that any carrier tells, by the same rules: a key counts only after the whole message. It
must never hold a number that is not simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from agents.dial.carriers.simulated import CHARS_PER_S, MANNED
from agents.dial.hear import KEYS
from agents.dial.state import Attempt, AttemptState
from rosters.numbers import number_digest
from streams.clock import Clock
from streams.ledger.contract import Ledger, LedgerError, Row, Step, Table, Where
from streams.letters import CallNews
from streams.words import Channel, Outcome

HELD_S = 120
"""So long a telephone is held after the page was last seen (real time); then it does again what it always does."""
LOOK_S = 0.5


class Manned(Row):
    """A telephone that somebody holds until then (real time); its id is the keyed digest of its number."""

    until: datetime


MANNED_PHONES: Table[Manned] = Table("manned_phones", Manned, ("until",), (("until",),))


class Act(StrEnum):
    """What a person does with a telephone; MISSED and LISTENED are noticed by the page and not done."""

    ANSWER = "answer"
    LISTENED = "listened"
    PRESS = "press"
    HANG_UP = "hang_up"
    MISSED = "missed"


@dataclass
class Switchboard:
    """Tells a carrier which telephones are held; it asks the ledger twice a second at the most."""

    ledger: Ledger
    clock: Clock
    number_key: bytes
    _held: frozenset[str] = field(default=frozenset(), init=False)
    _looked_at: datetime | None = field(default=None, init=False)

    async def is_manned(self, number: str) -> bool:
        """Return whether somebody holds this telephone now; with the ledger away nobody does."""
        wall = self.clock.wall()
        if self._looked_at is None or abs((wall - self._looked_at).total_seconds()) > LOOK_S:
            try:
                rows = await self.ledger.look(lambda step: step.find(MANNED_PHONES, Where("until", ">", wall)))
            except LedgerError:
                return False
            self._held, self._looked_at = frozenset(row.id for row in rows), wall
        return number_digest(number, self.number_key) in self._held


def hold(step: Step, number_key: str, wall: datetime, *, for_s: float = HELD_S) -> None:
    """Hold a telephone from now on for so many seconds; 0 puts it back."""
    row = step.load(MANNED_PHONES, [number_key]).get(number_key) or Manned(id=number_key, until=wall)
    step.save(MANNED_PHONES, [row.model_copy(update={"until": wall + timedelta(seconds=for_s)})])


def held_s(step: Step, number_key: str, wall: datetime) -> float:
    """Return for how many seconds more somebody holds a telephone; 0 where nobody does."""
    row = step.load(MANNED_PHONES, [number_key]).get(number_key)
    return max(0.0, (row.until - wall).total_seconds()) if row else 0.0


def message_s(attempt: Attempt) -> float:
    """Return how many seconds the message of a call takes."""
    return len(attempt.voice) / CHARS_PER_S


def heard_at(attempt: Attempt) -> datetime | None:
    """Return when the message of an answered call is over, if nobody hangs up before."""
    return attempt.answered_at + timedelta(seconds=message_s(attempt)) if attempt.answered_at else None


def is_live(attempt: Attempt) -> bool:
    """Return whether a call to a held telephone rings or goes on."""
    ours = attempt.vendor_id.startswith(MANNED) and attempt.channel is Channel.VOICE
    return ours and attempt.state is AttemptState.PLACED and attempt.ended_at is None


def act(attempt: Attempt, doing: Act, now: datetime, key: str = "") -> tuple[CallNews, ...]:
    """Return what a telephone tells the house when a person does something with it; nothing where that means nothing.

    Args:
        attempt: The call.
        doing: What is done.
        now: Story time.
        key: What is pressed.
    """
    if not is_live(attempt) or attempt.key:
        return ()
    return tuple(_news(attempt, doing, now, key))


def _news(attempt: Attempt, doing: Act, now: datetime, key: str) -> Iterator[CallNews]:
    over_at = heard_at(attempt)
    if over_at is None:
        if doing is Act.ANSWER:
            yield _tell(attempt, 1, "answered", now)
        elif doing in (Act.HANG_UP, Act.MISSED):
            outcome = Outcome.REJECTED if doing is Act.HANG_UP else Outcome.NO_ANSWER
            yield _tell(attempt, 4, "ended", now, outcome=outcome)
        return
    heard = now >= over_at
    spent_s = (now - (attempt.answered_at or now)).total_seconds()
    if heard:
        yield _tell(attempt, 2, "played", over_at, heard_s=message_s(attempt))
    if doing is Act.PRESS and heard and key in KEYS:
        yield _tell(attempt, 3, "key", now, key=key)
        yield _tell(attempt, 4, "ended", now, heard_s=spent_s)
    elif doing in (Act.HANG_UP, Act.MISSED):
        yield _tell(attempt, 4, "ended", now, heard_s=spent_s)


def _tell(
    attempt: Attempt,
    seq: int,
    progress: str,
    at: datetime,
    *,
    heard_s: float = 0.0,
    key: str = "",
    outcome: Outcome | None = None,
) -> CallNews:
    told = {"attempt_id": attempt.id, "seq": seq, "progress": progress, "heard_s": round(heard_s, 1), "key": key}
    return CallNews.model_validate({**told, "outcome": outcome, "at": at})
