"""News that are told again while the ledger still works on the first telling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from streams.clock import VirtualClock
from streams.doors.http.hearing import Hearing
from streams.ledger.contract import LedgerAwayError
from streams.ledger.memory import MemoryLedger
from streams.letters import CallNews
from streams.wiring import TABLES
from tests.unit.callout_samples import NOW

pytestmark = pytest.mark.anyio


class Crowded(MemoryLedger):
    """A ledger before which every step waits until the test lets it through."""

    def __init__(self) -> None:
        super().__init__(TABLES)
        self.open = asyncio.Event()
        self.steps = 0
        self.away = False

    async def run(self, work: Callable[[Any], Any]) -> Any:
        self.steps += 1
        await self.open.wait()
        if self.away:
            raise LedgerAwayError("away")
        return await super().run(work)


def news(seq: int = 2000) -> CallNews:
    return CallNews(attempt_id="real|attempt|1", seq=seq, progress="answered", at=NOW)


def hearing(ledger: Crowded) -> Hearing:
    house: Any = SimpleNamespace(ledger=ledger, clock=VirtualClock(NOW))
    return Hearing(house, "real")


def letters(ledger: Crowded) -> int:
    return len(ledger.step(lambda step: step.open_letters(NOW, NOW, resend_after_s=1.0, limit=10)))


async def test_what_is_told_again_while_it_waits_is_one_step_and_both_are_answered():
    ledger = Crowded()
    door = hearing(ledger)
    told = [asyncio.ensure_future(door.hear(news())) for _ in range(5)]
    await asyncio.sleep(0)
    ledger.open.set()
    await asyncio.gather(*told)
    assert (ledger.steps, letters(ledger)) == (1, 1)


async def test_different_news_are_steps_of_their_own():
    ledger = Crowded()
    door = hearing(ledger)
    ledger.open.set()
    await asyncio.gather(door.hear(news(2000)), door.hear(news(3000)))
    assert (ledger.steps, letters(ledger)) == (2, 2)


async def test_a_vendor_that_went_away_meanwhile_does_not_undo_the_step():
    ledger = Crowded()
    door = hearing(ledger)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await door.hear(news())
    again = asyncio.ensure_future(door.hear(news()))
    await asyncio.sleep(0)
    ledger.open.set()
    await again
    assert (ledger.steps, letters(ledger)) == (1, 1)


async def test_what_could_not_be_kept_is_told_to_everybody_who_waits_and_tried_again_next_time():
    ledger = Crowded()
    door = hearing(ledger)
    ledger.away = True
    ledger.open.set()
    told = await asyncio.gather(door.hear(news()), door.hear(news()), return_exceptions=True)
    assert [type(each) for each in told] == [LedgerAwayError, LedgerAwayError]
    ledger.away = False
    await door.hear(news())
    assert (ledger.steps, letters(ledger)) == (2, 1)
