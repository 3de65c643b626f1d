"""Two workers on one PostgreSQL: the one whose clock is off the database's keeps its hands off and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from agents.facts import Facts
from config.load import load_rules
from streams.clock import CorrectedClock, SystemClock
from streams.clock_guard import ClockGuard, keep_right
from streams.ids import make_id
from streams.ledger.contract import Where
from streams.ledger.sql import SqlLedger
from streams.letters import Ordered, write_letter
from streams.rooms import TROUBLES
from streams.topics import WARNINGS_RAW
from streams.wiring import TABLES, build
from streams.worker import Worker
from tests.small_county import XIKOU, small_county

PATIENCE_S = 120


class WrongClock(SystemClock):
    """The clock of a machine that was never set right."""

    off_s = 0.0

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=self.off_s)


class ClockAhead(WrongClock):
    off_s = 3600.0


class ClockBehind(WrongClock):
    off_s = -3600.0


@pytest.fixture
def ledger(postgres_url):
    ledger = SqlLedger(postgres_url, TABLES, create=True)
    yield ledger
    ledger.close()


@asynccontextmanager
async def working(ledger, clock):
    """A worker without Kafka: everything it does it does from the ledger."""
    house = build(
        ledger=ledger,
        clock=clock,
        facts=Facts(small_county(), load_rules()),
        carriers=(),
        number_key=b"a key of sixteen",
        owner=type(clock).__name__,
    )
    guard = ClockGuard(clock.wall, clock.monotonic_s)
    worker = Worker(house, servers=(), embedded=False, see=lambda entries: None, guard=guard)
    running = asyncio.create_task(worker.run())
    try:
        yield guard
    finally:
        worker.stopping.set()
        await running


async def until(true: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_S * 20):
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"nothing came of it in {PATIENCE_S} s")


def order(ledger) -> None:
    now = SystemClock().now() - timedelta(hours=2)
    ordered = Ordered(
        order_id=make_id("real", "order", "1"),
        realm="real",
        regions=(XIKOU,),
        hazard="rainstorm",
        text="立即转移",
        by="甲",
        on_word_of="乙",
        ordered_at=now,
    )
    letter = write_letter(WARNINGS_RAW, ordered.order_id, ordered, now, cause="1")
    ledger.step(lambda step: step.write([letter]))


def troubles(ledger):
    return ledger.step(lambda step: step.find(TROUBLES, Where("kind", "=", "clock_off")))


def open_letters(ledger) -> int:
    return sum(ledger.step(lambda step: step.count_open_letters()).values())


def test_postgresql_tells_its_own_time_and_sqlite_has_none_but_ours(ledger, tmp_path):
    beside = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}", TABLES)
    try:
        assert asyncio.run(beside.database_at()) is None
    finally:
        beside.close()
    assert abs((asyncio.run(ledger.database_at()) - SystemClock().now()).total_seconds()) < 60


@pytest.mark.parametrize("clock", [ClockAhead, ClockBehind])
def test_a_worker_whose_clock_is_an_hour_off_takes_nothing_and_tells_people_and_another_goes_on(ledger, clock):
    async def night() -> None:
        order(ledger)
        async with working(ledger, clock()) as guard:
            await until(lambda: bool(troubles(ledger)))
            assert abs(guard.offset_s() - clock.off_s) < 5
            assert open_letters(ledger) == 1, "a letter was taken by a wrong clock"
            async with working(ledger, SystemClock()):
                await until(lambda: not open_letters(ledger))

    asyncio.run(night())
    (told,) = troubles(ledger)
    assert f"偏了 {'+' if clock.off_s > 0 else '-'}3" in told.text
    assert abs((told.at - SystemClock().now()).total_seconds()) < 60, "told at the time of the wrong clock"


def test_a_door_whose_clock_is_an_hour_ahead_goes_by_the_databases_and_tells_people(ledger):
    async def night() -> None:
        wrong = ClockAhead()
        clock = CorrectedClock(wrong)
        guard = ClockGuard(wrong.wall, wrong.monotonic_s)
        keeping = asyncio.create_task(keep_right(clock, guard, ledger, "gateway"))
        await until(lambda: bool(troubles(ledger)))
        # A warning dated an hour ahead would be let lie for an hour.
        assert abs((clock.now() - SystemClock().now()).total_seconds()) < 60
        keeping.cancel()

    asyncio.run(night())
