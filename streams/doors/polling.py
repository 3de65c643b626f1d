"""Asks a vendor what became of what it took, for a duty room that nothing outside can reach.

What is found goes the way of a callback: through `hear`, which keeps it in the ledger. It decides nothing, and it never
loses anything by dying: everything is asked for from its beginning, and news told again are the same letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.dial.carriers.protocol import CarrierError, Polled, Reply
from agents.dial.script import dial_of
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from rosters.numbers import mask, number_digest
from streams.clock import Clock
from streams.ids import REAL
from streams.ledger.contract import Ledger, LedgerError, Step, Where
from streams.letters import CallNews, TextReplied

AT_ONCE_MAX = 20
"""Questions under way at once."""
ATTEMPTS_MAX = 1000
REPLIES_BACK = timedelta(hours=24)
"""How far back replies are read at the start: as long as one counts."""
OVERLAP = timedelta(minutes=2)
"""Replies are asked for from a little before the latest: the vendor may list one late."""
Hear = Callable[[CallNews | TextReplied], Awaitable[None]]
log = logging.getLogger(__name__)


@dataclass
class Poller:
    """Asks one carrier, again and again.

    Args:
        carrier: Whom it asks.
        ledger: Where attempts under way are looked up.
        hear: Keeps a piece of news in the ledger, or raises.
        clock: Story time is kept by attempts.
        number_key: For the digests that match replies with numbers.
    """

    carrier: Polled
    ledger: Ledger
    hear: Hear
    clock: Clock
    number_key: bytes
    _told: dict[str, int] = field(default_factory=dict, init=False)
    _heard: set[str] = field(default_factory=set, init=False)
    _replies_from: datetime | None = field(default=None, init=False)

    async def keep_asking(self) -> None:
        """Ask until cancelled; whatever fails is asked for again."""
        while True:
            try:
                await self.ask_once()
            except LedgerError as error:
                log.error("the ledger is away, the vendor is asked again: %s", error)  # noqa: TRY400 - no bug of ours
            except Exception:
                log.exception("asking %s failed; it is asked again", self.carrier.name)
            await asyncio.sleep(self.carrier.asked_every_s)

    async def ask_once(self) -> int:
        """Ask about everything under way, and for replies; return how many pieces of news were new."""
        attempts = await self.ledger.look(self._under_way)
        self._told = {attempt.id: self._told.get(attempt.id, -1) for attempt in attempts}
        gate = asyncio.Semaphore(AT_ONCE_MAX)
        found = await asyncio.gather(*(self._ask_about(attempt, gate) for attempt in attempts))
        return sum(found) + await self._ask_for_replies()

    def _under_way(self, step: Step) -> Sequence[Attempt]:
        return step.find(
            ATTEMPTS,
            Where("carrier", "=", self.carrier.name),
            Where("state", "=", AttemptState.PLACED),
            order=("dialled_at",),
            limit=ATTEMPTS_MAX,
        )

    async def _ask_about(self, attempt: Attempt, gate: asyncio.Semaphore) -> int:
        if not attempt.vendor_id:
            # Its answer was lost: it is searched for when its claim's lease has run out.
            return 0
        async with gate:
            try:
                # By its id: the number is not known here, nor needed.
                found = await self.carrier.look_up(dial_of(attempt, ""), attempt.vendor_id)
            except CarrierError as error:
                log.warning("carrier %s cannot be asked: %s", self.carrier.name, error)
                return 0
        news = [item for item in (found.to_come if found else ()) if isinstance(item, CallNews)]
        new = sorted((item for item in news if item.seq > self._told[attempt.id]), key=lambda item: item.seq)
        for item in new:
            await self.hear(item)
            self._told[attempt.id] = item.seq
        return len(new)

    async def _ask_for_replies(self) -> int:
        since = self._replies_from or self.clock.wall() - REPLIES_BACK
        try:
            replies = await self.carrier.replies_since(since)
        except CarrierError as error:
            log.warning("carrier %s cannot be asked for replies: %s", self.carrier.name, error)
            return 0
        new = [reply for reply in replies if reply.vendor_id not in self._heard]
        for reply in new:
            await self.hear(self._as_news(reply))
        self._heard = {reply.vendor_id for reply in replies}
        latest = max((reply.at for reply in replies), default=since + OVERLAP)
        self._replies_from = max(since, latest - OVERLAP)
        return len(new)

    def _as_news(self, reply: Reply) -> TextReplied:
        """Return a reply as news. It names no realm: whoever reads it knows which callouts are open."""
        now, wall, speed = self.clock.now(), self.clock.wall(), self.clock.speed
        return TextReplied(
            realm=REAL,
            number_key=number_digest(reply.number, self.number_key),
            masked=mask(reply.number),
            text=reply.text,
            vendor_id=reply.vendor_id,
            at=min(now, now - (wall - reply.at) * speed),
        )
