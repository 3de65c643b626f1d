"""A worker as a process: it ends when it is told to, and by itself when it hangs."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.dial.carriers.simulated import SimulatedCarrier
from agents.facts import Facts
from config.load import load_rules
from streams import topics
from streams.broker import free_port
from streams.clock import SystemClock
from streams.codec import Unreadable
from streams.ledger.contract import Ledger
from streams.ledger.memory import MemoryLedger
from streams.ledger.sql import SqlLedger
from streams.rooms import TROUBLES
from streams.wiring import TABLES, build
from streams.worker import Worker
from tests.small_county import small_county

ROOT = Path(__file__).parents[2]
STOPS_WITHIN_S = 60
MANY_KNOCKS = 8
"""So many that whatever wants a broker has met it."""


def make_worker(servers: tuple[str, ...] = (), ledger: Ledger | None = None) -> Worker:
    house = build(
        ledger=ledger or MemoryLedger(TABLES),
        clock=SystemClock(),
        facts=Facts(small_county(), load_rules()),
        carriers=[SimulatedCarrier({})],
        number_key=b"the numbers of these tests",
        owner="test",
    )
    return Worker(house, servers=servers, embedded=False, see=lambda _: None)


async def run_and_stop(worker: Worker, after_s: float) -> None:
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(after_s)
    worker.stopping.set()
    await asyncio.wait_for(running, STOPS_WITHIN_S)


def test_a_worker_stops_when_it_is_told_to():
    asyncio.run(run_and_stop(make_worker(), 0.1))


def test_a_worker_that_waits_for_kafka_stops_when_it_is_told_to():
    asyncio.run(run_and_stop(make_worker((f"127.0.0.1:{free_port()}",)), 0.3))


def test_a_broker_that_accepts_and_hangs_up_does_not_end_the_worker():
    async def story() -> None:
        knocked_often = asyncio.Event()
        knocks = []

        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            knocks.append(1)
            writer.transport.abort()
            if len(knocks) >= MANY_KNOCKS:
                knocked_often.set()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as half_up:
            worker = make_worker((f"127.0.0.1:{half_up.sockets[0].getsockname()[1]}",))
            running = asyncio.create_task(worker.run())
            enough = asyncio.create_task(knocked_often.wait())
            await asyncio.wait([running, enough], return_when=asyncio.FIRST_COMPLETED)
            worker.stopping.set()
            await asyncio.wait_for(running, STOPS_WITHIN_S)
            enough.cancel()

    asyncio.run(story())


def test_a_loop_that_fails_in_a_way_nobody_thought_of_goes_on():
    worker, tries = make_worker(), []

    async def work() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError("nobody thought of it")
        worker.stopping.set()
        return 0

    asyncio.run(asyncio.wait_for(worker._loop("test", 0.01, work), STOPS_WITHIN_S))
    assert len(tries) == 2


def test_what_fails_in_one_rooms_time_holds_up_no_other_rooms():
    worker, ticked = make_worker(), []

    class Broken:
        name = "broken"

        def next_due_at(self, step):
            raise ZeroDivisionError("nobody thought of it")

    class Well:
        name = "well"

        def next_due_at(self, step):
            ticked.append(1)
            worker.stopping.set()
            return datetime(2000, 1, 1, tzinfo=UTC)

        def tick(self, step, now, limit):
            return 0

    worker.house = replace(worker.house, timed=(Broken(), Well()))
    asyncio.run(asyncio.wait_for(worker.run(), STOPS_WITHIN_S))
    assert ticked


def test_bytes_that_are_no_page_are_kept_and_told_to_people_once():
    worker = make_worker()

    async def twice() -> None:
        for _ in range(2):
            await worker.take_unreadable(topics.CALLOUTS, Unreadable(raw=b"\xff", reason="no page"))

    asyncio.run(twice())
    ledger = worker.house.ledger
    assert [item.kind for item in ledger.step(lambda step: step.find(TROUBLES))] == ["dead_letter"]
    assert ledger.step(lambda step: step.count_open_letters()) == {topics.DEAD_LETTERS: 1}


async def until_logged(caplog: pytest.LogCaptureFixture, word: str) -> None:
    for _ in range(STOPS_WITHIN_S * 50):
        if word in caplog.text:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing said {word!r}")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[Worker, sqlite3.Connection]]:
    """A worker whose ledger somebody else holds locked until they roll back."""
    path = tmp_path / "ledger.sqlite3"
    ledger = SqlLedger(f"sqlite:///{path}", TABLES, create=True, busy_timeout_s=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield make_worker(ledger=ledger), other
        if other.in_transaction:
            other.rollback()
        ledger.close()


def test_bytes_that_are_no_page_wait_for_a_ledger_that_is_away(locked, caplog):
    worker, other = locked

    async def story() -> None:
        taking = asyncio.create_task(worker.take_unreadable(topics.CALLOUTS, Unreadable(raw=b"\xff", reason="no page")))
        await until_logged(caplog, "waits")
        assert not taking.done()
        other.rollback()
        await asyncio.wait_for(taking, STOPS_WITHIN_S)

    asyncio.run(story())
    assert [item.kind for item in worker.house.ledger.step(lambda step: step.find(TROUBLES))] == ["dead_letter"]


def test_a_worker_stopped_with_bytes_that_it_could_not_keep_says_what_they_were(locked, caplog):
    worker, _ = locked

    async def story() -> None:
        taking = asyncio.create_task(worker.take_unreadable(topics.CALLOUTS, Unreadable(raw=b"\xff", reason="no page")))
        await until_logged(caplog, "waits")
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)

    asyncio.run(story())
    assert "/w==" in caplog.text


def test_a_process_whose_event_loop_stands_still_ends_with_status_70():
    story = """
        import asyncio, threading
        from streams.worker import Watchdog

        async def hang():
            watchdog = Watchdog(0.5)
            watchdog.start()
            await watchdog.beat()
            threading.Event().wait(240)

        asyncio.run(hang())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(story)], cwd=ROOT, timeout=240, capture_output=True, check=False
    )
    assert ended.returncode == 70


def test_a_process_whose_event_loop_turns_is_left_alone():
    story = """
        import asyncio
        from streams.worker import Watchdog

        async def turn():
            watchdog = Watchdog(4)
            watchdog.start()
            for _ in range(50):
                await watchdog.beat()
                await asyncio.sleep(0.1)
            watchdog.stop()

        asyncio.run(turn())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(story)], cwd=ROOT, timeout=240, capture_output=True, check=False
    )
    assert ended.returncode == 0
