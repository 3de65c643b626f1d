"""Waiting at the screen for what a running service does: looks at the ledger every second, and writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from streams.ledger.contract import FullStep
from streams.ledger.sql import SqlLedger

T = TypeVar("T")
LOOK_S = 1.0


def look_until(
    ledger: SqlLedger,
    look: Callable[[FullStep], T],
    is_over: Callable[[T], bool],
    within_s: float,
    tell: Callable[[T], None],
    *,
    tell_every_s: float = LOOK_S,
) -> T:
    """Look every second until it is over, or `within_s` real seconds have passed; return what was seen last.

    Args:
        ledger: Where to look.
        look: Reads in one step.
        is_over: Whether nothing more is waited for.
        within_s: Real seconds.
        tell: Is handed what is seen whenever it is different from what was told last.
        tell_every_s: Tells no more often than that, but always at the end.

    Raises:
        LedgerAwayError: The database is away.
    """

    async def watch() -> T:
        seen = told = await ledger.look(look)
        tell(seen)
        quiet_s = 0.0
        for _ in range(int(within_s / LOOK_S)):
            if is_over(seen):
                break
            await asyncio.sleep(LOOK_S)
            seen, quiet_s = await ledger.look(look), quiet_s + LOOK_S
            if seen != told and (quiet_s >= tell_every_s or is_over(seen)):
                tell(seen)
                told, quiet_s = seen, 0.0
        return seen

    return asyncio.run(watch())
