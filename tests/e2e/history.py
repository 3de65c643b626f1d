"""What must be true of any night's ledger, whatever happened in it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from agents.callout.state import CalloutState
from agents.dial.state import ATTEMPTS
from agents.visit.state import VISITS
from streams.ledger.verify import verify
from tests.e2e.onlooker import Onlooker

READ_WITHIN_S = 400


async def check_history(live: Onlooker) -> None:
    """The ledger verifies, confirmed means played to the end and a key, and no number rang twice within a minute."""
    assert live.ledger is not None
    await live.until(lambda: not live.unread(), READ_WITHIN_S, "the reading of all letters")
    verdict = await asyncio.to_thread(verify, live.ledger)
    assert verdict.faults == (), verdict.faults
    assert verdict.entries > 0
    for callout in live.callouts():
        if callout.state is CalloutState.CONFIRMED:
            assert callout.receipt is not None
            assert callout.receipt.played_at is not None
            assert callout.receipt.key == "1"
    by_number: dict[str, list[float]] = {}
    for attempt in live.rows(ATTEMPTS):
        if attempt.channel == "voice":
            by_number.setdefault(attempt.number_key, []).append(attempt.dialled_at.timestamp())
    for times in by_number.values():
        times.sort()
        assert all(later - earlier >= 60 for earlier, later in pairwise(times))
    unanswered = {row.id for row in live.callouts() if row.state in (CalloutState.UNREACHED, CalloutState.LOST)}
    listed = {item.callout_id for visit in live.rows(VISITS) for item in visit.items}
    village = {row.id for row in live.callouts() if row.id in unanswered and row.ladder.then == "door"}
    assert village <= listed, "somebody who did not answer is on nobody's list"
