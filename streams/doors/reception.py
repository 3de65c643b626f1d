"""What every door does with what comes in: keep it in the ledger in one step, or keep the refusal in one step.

Upload, drop folder and feed hand their bytes in here and get the same answer. A document is taken when its step is
written, never before; the same document again is the same letters and changes nothing. What cannot be taken is kept
too, with the reason, and a person is told. Nothing here decides whom to call.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from agents.facts import Facts
from agents.sense.state import state_id
from streams import topics
from streams.clock import Clock
from streams.doors.readings import Delivery, read_readings
from streams.doors.refusal import RefusedError, kept_spoiled
from streams.doors.senml import LeftOut
from streams.doors.warnings import read_warning
from streams.ids import digest, make_id
from streams.ledger.contract import Draft, FullStep, Ledger, Where
from streams.letters import DeadLetter, DocumentRefused, IssuedWarning, Letter, Received, write_letter
from streams.rooms import TROUBLES, record_troubles, trouble
from streams.words import Status

WARNINGS, READINGS = "warnings", "readings"
EXERCISE_REALM, CHECK_REALM = "drill:cap", "check:cap"
KEEP_BYTES_MAX = 1024 * 1024
REFUSED_OPEN_MAX = 50
"""How many refusals are put to people one by one; whoever floods the door must not bury the board."""

R = TypeVar("R")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """What became of a document: the ids of what it holds, whether any of it was new, and what was left out of it."""

    ids: tuple[str, ...]
    new: bool
    raw_id: str = ""
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Reception:
    """Takes documents in for one house.

    Args:
        ledger: Where they are kept.
        facts: Hazards and stations.
        clock: Where time comes from.
        realm: Of what is meant as the real thing in this installation.
    """

    ledger: Ledger
    facts: Facts
    clock: Clock
    realm: str

    async def take_warnings(self, content: bytes, media_type: str | None, *, door: str, by: str) -> Taken:
        """Take a document of warnings in.

        Args:
            content: The bytes as they came.
            media_type: Content-Type, or None where there was none.
            door: Which door: http, files …
            by: Who handed it in.

        Raises:
            RefusedError: It cannot be taken; bytes and reason are kept.
            LedgerAwayError: Nothing was kept; hand it in again.
        """
        now = self.clock.now()
        warnings = await self._read(
            lambda: read_actual(content, media_type, self.facts, realm=self.realm, received_at=now),
            content,
            media_type,
            WARNINGS,
            by,
        )
        raw_id = make_id(warnings[0].realm, "raw", hashlib.sha256(content).hexdigest())
        letters = [_received(warning, raw_id, door, now) for warning in warnings]

        def keep(step: FullStep) -> tuple[bool, bool]:
            fresh, spoiled = _unknown(step, letters)
            other_bytes = step.keep_raw(raw_id, content, at=now, door=door, media_type=media_type or "")
            step.write(fresh)
            if fresh:
                step.append(_entry_of(letter, "received", by, door, now) for letter in fresh)
            elif other_bytes:
                step.append(_entry_of(letter, "received_again", by, door, now) for letter in letters)
            return bool(fresh), spoiled

        new, spoiled = await self.ledger.run(keep)
        if spoiled:
            await self._refuse_spoiled(content, media_type, WARNINGS, by)
        return Taken(tuple(dict.fromkeys(warning.id for warning in warnings)), new, raw_id)

    async def take_readings(self, content: bytes, media_type: str | None, *, by: str) -> Taken:
        """Take a list of readings in; the letters hold every value, so the bytes are kept only where they are refused.

        Raises:
            RefusedError: Not one item can be used; bytes and reason are kept.
            LedgerAwayError: Nothing was kept; hand it in again.
        """
        now = self.clock.now()
        delivery: Delivery = await self._read(
            lambda: read_readings(content, media_type, self.facts.county.stations, received_at=now, realm=self.realm),
            content,
            media_type,
            READINGS,
            by,
        )
        # By what was read, not by the bytes: times that count from now make other readings of the same bytes.
        marks = [digest(*(one.model_dump_json() for one in page.readings), length=64) for page in delivery.pages]
        letters = [
            write_letter(topics.READINGS, state_id(page.realm, page.station), page, now, cause=mark)
            for page, mark in zip(delivery.pages, marks, strict=True)
        ]

        def keep(step: FullStep) -> tuple[bool, bool]:
            fresh, spoiled = _unknown(step, letters)
            step.write(fresh)
            return bool(fresh), spoiled

        new, spoiled = await self.ledger.run(keep)
        if spoiled:
            await self._refuse_spoiled(content, media_type, READINGS, by)
        return Taken((make_id(self.realm, "upload", *marks),), new, left_out=delivery.left_out)

    async def refuse(self, content: bytes, media_type: str | None, door: str, by: str, refused: RefusedError) -> None:
        """Keep what cannot be taken, with the reason, and tell a person; all in one step.

        Raises:
            LedgerAwayError: Nothing was kept.
        """
        now, kept = self.clock.now(), content[:KEEP_BYTES_MAX]
        raw_id = make_id(self.realm, "raw", hashlib.sha256(kept).hexdigest())
        key = make_id(self.realm, "door", door)
        message = DeadLetter(door=door, reason=refused.reason, element=refused.element, raw_id=raw_id, at=now)
        day = now.astimezone(self.facts.county.zone).date().isoformat()
        noted: dict[str, object] = {"door": door, "element": refused.element, "reason": refused.reason}
        noted |= {"status": refused.status}
        noted |= {"raw": raw_id, "bytes": len(kept), "media_type": (media_type or "")[:100]}
        entry = Draft(
            subject=f"{self.realm}|door|{door}|{day}", what="refused", why=refused.element, by=by, at=now, facts=noted
        )
        text = f"{by} 送来的{_WORDS[door]}无法接收（{refused.element}）：{refused.reason}"

        def keep(step: FullStep) -> None:
            step.keep_raw(raw_id, kept, at=now, door=door, media_type=media_type or "")
            step.write([write_letter(topics.DEAD_LETTERS, key, message, now, cause=raw_id)])
            step.append([entry])
            if door == WARNINGS:
                told = DocumentRefused(
                    realm=self.realm, door=door, by=by, reason=refused.reason[:200], raw_id=raw_id, at=now
                )
                step.write([write_letter(topics.WARNINGS_RAW, key, told, now, cause=raw_id)])
            already = step.count(TROUBLES, ("kind",), Where("kind", "=", "refused"), Where("closed_at", "is null"))
            if already.get(("refused",), 0) < REFUSED_OPEN_MAX:
                record_troubles(step, [trouble("refused", raw_id, text[:300], now, self.facts.county.code)])

        await self.ledger.run(keep)

    async def _refuse_spoiled(self, content: bytes, media_type: str | None, door: str, by: str) -> NoReturn:
        """Refuse a document of which something came before and was lost since; the rest of it is taken all the same."""
        refused = kept_spoiled("document")
        await self.refuse(content, media_type, door, by, refused)
        raise refused

    async def _read(self, read: Callable[[], R], content: bytes, media_type: str | None, door: str, by: str) -> R:
        """Read a document off the event loop: a large one must not hold up a telephone that waits for its words."""
        try:
            return await asyncio.to_thread(read)
        except RefusedError as refused:
            await self.refuse(content, media_type, door, by, refused)
            raise
        except Exception:
            # A fault of ours in a reader. Whoever sent it is told to try later, and the bytes are kept for us.
            log.exception("a document at the door %s could not be read", door)
            fault = RefusedError(400, "document", "读取时系统内部出错，请人工查看原文。", "A reader of ours failed.")
            await self.refuse(content, media_type, door, by, fault)
            raise


def _unknown(step: FullStep, letters: Sequence[Letter]) -> tuple[list[Letter], bool]:
    """Return which letters are not known yet, and whether one that is known cannot be read any more."""
    known = [step.letter(letter.id) for letter in letters]
    fresh = [letter for letter, before in zip(letters, known, strict=True) if before is None]
    return fresh, any(before is not None and before.is_spoiled for before in known)


_WORDS = {WARNINGS: "预警", READINGS: "监测数据"}


def realm_for(status: Status, realm: str) -> str:
    """Return the realm of a document that is meant as `status`: only Actual is ever this installation's own."""
    if status is Status.ACTUAL:
        return realm
    return EXERCISE_REALM if status is Status.EXERCISE else CHECK_REALM


def read_actual(
    content: bytes, media_type: str | None, facts: Facts, *, realm: str, received_at: datetime
) -> tuple[IssuedWarning, ...]:
    """Read warnings, each in the realm its status gives: an exercise has other ids than the real thing.

    Raises:
        RefusedError: As `read_warning` does.
    """

    def read_in(one: str) -> Sequence[IssuedWarning]:
        return read_warning(content, media_type, facts.book.hazards, realm=one, received_at=received_at)

    readings: dict[str, Sequence[IssuedWarning]] = {realm: read_in(realm)}
    warnings = []
    for place, warning in enumerate(readings[realm]):
        meant = realm_for(warning.status, realm)
        if meant not in readings:
            readings[meant] = read_in(meant)
        warnings.append(readings[meant][place])
    return tuple(warnings)


def _received(warning: IssuedWarning, raw_id: str, door: str, now: datetime) -> Letter:
    message = Received(warning=warning, raw_id=raw_id, source=door, received_at=now)
    key = make_id(warning.realm, "chainhint", warning.sender, warning.hazard or "")
    return write_letter(topics.WARNINGS_RAW, key, message, now, cause=warning.id)


def _entry_of(letter: Letter, what: str, by: str, door: str, now: datetime) -> Draft:
    message: Any = letter.message
    warning: IssuedWarning = message.warning
    noted = {"raw": message.raw_id, "door": door, "identifier": warning.identifier, "sender": warning.sender}
    noted |= {"status": warning.status.value, "headline": warning.headline[:200]}
    return Draft(subject=warning.id, what=what, by=by, at=now, facts=noted)
