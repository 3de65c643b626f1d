"""Fetches the receipts that Aliyun keeps in queues, for a duty room that nothing outside can reach.

What is found goes the way of a receipt that was pushed, and is put away only when the ledger has it. It decides
nothing; dying loses nothing, for what was not put away comes again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agents.dial.carriers.protocol import CarrierError
from streams.clock import Clock

PAUSE_S = 5.0
"""After a failure."""
IDLE_S = 0.5
"""After a question that found nothing: the queue itself waits for the next receipt, but need not."""
Receipt = Mapping[str, Any]
Keep = Callable[[list[Receipt]], Awaitable[None]]
log = logging.getLogger(__name__)


class Waiting(Protocol):
    """A receipt in a queue; None where it cannot be read."""

    @property
    def receipt(self) -> Receipt | None:
        """Return what it says."""
        ...


class Mailbox(Protocol):
    """One queue."""

    name: str

    async def take(self, wall: Any) -> list[Any]:
        """Return what waits, after a while."""
        ...

    async def put_away(self, waiting: Any) -> None:
        """Take receipts out for good."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass
class Fetcher:
    """Empties one queue, again and again.

    Args:
        mailbox: The queue.
        keep: Keeps receipts in the ledger, or raises.
        clock: Says how long a token is still good.
    """

    mailbox: Mailbox
    keep: Keep
    clock: Clock

    async def keep_fetching(self) -> None:
        """Fetch until cancelled; whatever fails is fetched again."""
        try:
            while True:
                wait_s = await self._fetch()
                await asyncio.sleep(wait_s)
        finally:
            await self.mailbox.close()

    async def _fetch(self) -> float:
        """Fetch, and return how many seconds to wait before the next time."""
        try:
            return 0.0 if await self.fetch_once() else IDLE_S
        except CarrierError as error:
            log.warning("receipts cannot be fetched: %s", error)
        except Exception:
            log.exception("receipts of %s could not be kept; they come again", self.mailbox.name)
        return PAUSE_S

    async def fetch_once(self) -> int:
        """Take what waits, keep it, put it away; return how many receipts there were."""
        waiting = await self.mailbox.take(self.clock.wall())
        readable = [each.receipt for each in waiting if each.receipt is not None]
        if len(readable) < len(waiting):
            # Left where it is it would come again for days; the vendor's console still shows what it sent.
            log.error("%d receipts of %s cannot be read", len(waiting) - len(readable), self.mailbox.name)
        if readable:
            await self.keep(readable)
        if waiting:
            await self.mailbox.put_away(waiting)
        return len(readable)
