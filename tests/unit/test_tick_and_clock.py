"""A worker's clock is stepped in the middle of a tick: nothing is done at the wrong hour."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from streams.clock import SystemClock
from streams.clock_guard import ClockGuard
from streams.ledger.memory import MemoryLedger
from streams.wiring import TABLES
from tests.unit.test_worker import make_worker

START = datetime(2021, 7, 19, 13, 50, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine(SystemClock):
    """A machine whose clock somebody puts forward."""

    ahead = timedelta()

    def wall(self) -> datetime:
        return START + type(self).ahead

    def monotonic_s(self) -> float:
        return 77.0


class DueRoom:
    """A room with something due in half an hour, and noting when it is moved."""

    name = "due"

    def __init__(self) -> None:
        self.ticked: list[datetime] = []

    def next_due_at(self, step):
        return START + HOUR / 2 if Machine.ahead else START

    def tick(self, step, now, limit):
        self.ticked.append(now)
        return 1


class SlowLedger(MemoryLedger):
    """A ledger that takes its time: meanwhile the clock is stepped."""

    steps_at = ""

    async def look(self, work):
        if self.steps_at == "look":
            Machine.ahead = HOUR
        return await super().look(work)

    async def run(self, work):
        if self.steps_at == "run":
            Machine.ahead = HOUR
        return await super().run(work)


@pytest.mark.parametrize(("steps_at", "ticked"), [("look", []), ("run", [START]), ("", [START])])
def test_a_clock_stepped_while_the_ledger_is_busy_moves_nobody_ahead_of_time(steps_at, ticked):
    Machine.ahead = timedelta()
    ledger, room, machine = SlowLedger(TABLES), DueRoom(), Machine()
    ledger.steps_at = steps_at
    worker = make_worker(ledger=ledger)
    worker.house = replace(worker.house, clock=machine)
    worker.guard = ClockGuard(machine.wall, machine.monotonic_s, off_s=0.0)
    worker.guard.is_trusted()
    asyncio.run(worker._by_clock(partial(worker._tick_once, room))())
    assert room.ticked == ticked
