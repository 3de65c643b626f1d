"""A worker whose clock was stepped keeps its hands off: pages and lost claims are for others, or for later."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from agents.facts import Facts
from streams.clock import VirtualClock
from streams.clock_guard import ClockGuard
from streams.codec import Page
from streams.ledger.memory import MemoryLedger
from streams.letters import ChainOrdered, OrderKind, write_letter
from streams.topics import WARNINGS_RAW
from streams.wiring import TABLES, build
from streams.worker import Worker
from tests.small_county import small_county

NOW = datetime(2021, 7, 19, 14, tzinfo=UTC)


class TwoClocks:
    def __init__(self) -> None:
        self.wall, self.steady_s = NOW, 0.0

    def pass_by(self, seconds: float, stepped_s: float = 0.0) -> None:
        self.steady_s += seconds
        self.wall += timedelta(seconds=seconds + stepped_s)


@pytest.fixture
def clocks():
    return TwoClocks()


@pytest.fixture
def worker(rules, clocks):
    house = build(
        ledger=MemoryLedger(TABLES),
        clock=VirtualClock(NOW),
        facts=Facts(small_county(), rules),
        carriers=(),
        number_key=b"a key of sixteen",
        owner="w1",
    )
    guard = ClockGuard(lambda: clocks.wall, lambda: clocks.steady_s)
    asyncio.run(guard.compare(house.ledger.database_at))
    guard.is_trusted()
    return Worker(house, servers=(), embedded=False, see=lambda entries: None, guard=guard)


class Counting:
    """A room that counts how often it is handed letters."""

    name, topic = "counting", WARNINGS_RAW

    def __init__(self) -> None:
        self.pages = 0

    def handle(self, letters, step, now) -> None:
        self.pages += 1


@pytest.mark.parametrize(("stepped_s", "taken"), [(0.0, 1), (3600.0, 0), (-3600.0, 0)])
def test_a_page_is_taken_only_by_a_clock_that_is_trusted(worker, clocks, stepped_s, taken):
    room = worker.house.rooms[WARNINGS_RAW] = Counting()
    order = ChainOrdered(order_id="1", chain_id="real|chain|1", order=OrderKind.CANCEL, by="值班员", ordered_at=NOW)
    letter = write_letter(WARNINGS_RAW, order.chain_id, order, NOW, cause="1")
    worker.house.ledger.step(lambda step: step.write([letter]))
    clocks.pass_by(1, stepped_s)

    asyncio.run(worker.take_page(Page(topic=WARNINGS_RAW, ids=(letter.id,))))

    assert room.pages == taken
