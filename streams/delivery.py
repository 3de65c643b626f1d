"""Handing letters to a room: the same few lines in the Faust agent, the direct worker and virtual time.

Two kinds of error: a bad letter is tried alone, later again, and at last kept among the dead with a person told;
trouble of the surroundings (`LedgerAwayError`) is raised on, so that the shell waits and nothing is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from streams.ledger.contract import Draft, FullStep, Ledger, LedgerAwayError, OutdatedError, Step
from streams.letters import DeadLetter, Letter, write_letter
from streams.rooms import Room, record_troubles, trouble
from streams.topics import DEAD_LETTERS

log = logging.getLogger(__name__)
TRIES_MAX = 5
AGAIN_AFTER = timedelta(seconds=30)


class MisaddressedError(ValueError):
    """A page named letters that another room reads; the step is rolled back and they stay open."""

    def __init__(self, room_name: str, letter_ids: frozenset[str]) -> None:
        super().__init__(f"{len(letter_ids)} letters in a page for {room_name} belong to another room")
        self.letter_ids = letter_ids


async def deliver(ledger: Ledger, room: Room, letter_ids: Sequence[str], now: datetime) -> int:
    """Hand a page of letters to a room in one transaction; return how many were open and are handled now.

    Raises:
        LedgerAwayError: Nothing was changed and the page may be handed over again.
        OutdatedError: Nothing was changed; the page is for newer processes.
    """
    try:
        return await ledger.run(lambda step: _handle(step, room, letter_ids, now))
    except (LedgerAwayError, OutdatedError):
        raise
    except MisaddressedError as error:
        # A page is only a hint, and this one names letters of another room: they are none of this one's business.
        log.warning("%s", error)
        letter_ids = [letter_id for letter_id in letter_ids if letter_id not in error.letter_ids]
    except Exception:
        # One bad letter must not hold up the other hundred and ninety-nine: each is tried alone.
        log.exception("room %s could not handle a page of %d letters", room.name, len(letter_ids))
    handled = 0
    for letter_id in letter_ids:
        handled += await _deliver_alone(ledger, room, letter_id, now)
    return handled


async def _deliver_alone(ledger: Ledger, room: Room, letter_id: str, now: datetime) -> int:
    try:
        return await ledger.run(lambda step: _handle(step, room, [letter_id], now))
    except (LedgerAwayError, OutdatedError):
        raise
    except MisaddressedError:
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, the letter is kept and a person is told.
        reason = f"{type(error).__name__}: {error}"
        await ledger.run(lambda step: _put_off(step, room, letter_id, reason, now))
        return 0


def _handle(step: FullStep, room: Room, letter_ids: Sequence[str], now: datetime) -> int:
    letters = step.take(letter_ids, now)
    foreign = frozenset(letter.id for letter in letters if letter.topic != room.topic)
    if foreign:
        raise MisaddressedError(room.name, foreign)
    if letters:
        room.handle(letters, step, now)
    return len(letters)


def _put_off(step: Step, room: Room, letter_id: str, reason: str, now: datetime) -> None:
    """Open a bad letter again in 30 s, or keep it among the dead when it was tried often enough."""
    for letter in step.take([letter_id], now):
        if letter.tries < TRIES_MAX:
            step.put_back(letter, now + AGAIN_AFTER)
        else:
            bury(step, letter, room.name, reason, now)


def bury(step: Step, letter: Letter, room_name: str, reason: str, now: datetime) -> None:
    """Keep a letter that no try could handle, write it down, and tell a person."""
    dead = DeadLetter(door=room_name, reason=reason[:500], element=letter.message.kind, letter_id=letter.id, at=now)
    step.write([write_letter(DEAD_LETTERS, letter.key, dead, now, cause=letter.id)])
    step.append(
        [
            Draft(
                subject=letter.key,
                what="letter_dead",
                why="decide_raised",
                by=room_name,
                at=now,
                facts={"letter": letter.id, "kind": letter.message.kind, "reason": reason[:500]},
            )
        ]
    )
    text = f"一封内部信件（{letter.message.kind}）处理失败 {TRIES_MAX} 次，已存入死信：{reason[:120]}"
    record_troubles(step, [trouble("dead_letter", letter.id, text, now)])
