"""A ledger that answers within seconds or is away: whoever sends something must not hang where the database hangs.

A connection that was cut without a word (a cable pulled, a server that stands still) is noticed by TCP after ten to
fifteen seconds, or never. Nothing is decided here about what was asked: a step that waits for its turn is not run any
more, one that is under way may still be committed, and the same document sent again is known then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from streams.ledger.contract import FullStep, Ledger, LedgerAwayError

T = TypeVar("T")
ANSWER_WITHIN_S = 5.0
"""Ours. Longer than any step at the doors takes on a busy machine, shorter than senders wait (commonly 10 to 30 s)."""
SHOW_WITHIN_S = 15.0
"""The same for pages that people look at: of a county with all its callouts open they may take some seconds."""


class SilentLedgerError(LedgerAwayError):
    """The ledger did not answer in time; what it was asked to keep may be kept all the same."""


class PromptLedger:
    """A ledger as the doors see it. Everything that may be awaited ends in time; the rest is as it is.

    Args:
        ledger: The one behind it.
        within_s: How long an answer may take, in real seconds.
    """

    def __init__(self, ledger: Ledger, within_s: float) -> None:
        self._ledger, self._within_s = ledger, within_s

    def step(self, work: Callable[[FullStep], T]) -> T:
        """Run a step in this thread, however long it takes; nothing on an event loop calls it."""
        return self._ledger.step(work)

    async def run(self, work: Callable[[FullStep], T]) -> T:
        """Run a step.

        Raises:
            SilentLedgerError: It took too long, and may yet be committed.
        """
        return await self._in_time(self._ledger.run(work))

    async def look(self, work: Callable[[FullStep], T]) -> T:
        """Look.

        Raises:
            SilentLedgerError: It took too long.
        """
        return await self._in_time(self._ledger.look(work))

    async def database_at(self) -> datetime | None:
        """Return the database's time.

        Raises:
            SilentLedgerError: It took too long.
        """
        return await self._in_time(self._ledger.database_at())

    def heads(self) -> list[tuple[str, int, str]]:
        """Return the fingerprint of the history."""
        return self._ledger.heads()

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    async def _in_time(self, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._within_s):
                return await answer
        except TimeoutError as error:
            raise SilentLedgerError(f"the ledger did not answer in {self._within_s:.0f} s; try again") from error
