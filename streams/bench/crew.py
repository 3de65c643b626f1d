"""Worker processes for a benchmark, as many as asked: each the whole worker, with the county in its own memory.

Where calls are placed, each counts for itself; what they used and when they called they tell at the end.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from queue import Empty
from typing import Any

from agents.facts import Facts
from config.load import load_rules
from streams.bench.carrier import BenchCarrier
from streams.bench.county import synthetic_county
from streams.bench.figures import cpu_s, peak_mib
from streams.clock import SystemClock
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES, build
from streams.worker import Worker

JOIN_S = 8.0
"""How long Faust takes to join its consumer group; only what comes after is measured."""
LOOK_S = 0.1
READY_WITHIN_S = 120.0
END_WITHIN_S = 30.0
NUMBER_KEY = b"numbers of a synthetic county are nobody's"


class BenchError(RuntimeError):
    """A benchmark could not be run; the message says why."""


@dataclass(frozen=True)
class Orders:
    """What each worker process is told: where the ledger and Kafka are, and for which county it works."""

    url: str
    servers: tuple[str, ...]
    is_embedded: bool
    posts: int
    at: datetime
    answers: bool = False


@dataclass(frozen=True)
class WorkerTold:
    """What a worker process says of itself at the end.

    Args:
        cpu_s: Processor time it used from when it was ready until its last call was placed, in seconds.
        memory_mib: The most memory it held, in MiB.
        calls: How many calls it placed.
        first_call_at, last_call_at: When; None without calls.
    """

    cpu_s: float
    memory_mib: float
    calls: int
    first_call_at: datetime | None
    last_call_at: datetime | None


class Crew:
    """Worker processes that were started together."""

    def __init__(self, count: int, orders: Orders) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._ready: Any = context.Queue()
        self._told: Any = context.Queue()
        self._processes: list[BaseProcess] = [
            context.Process(target=_work, args=(no, orders, self._stop, self._ready, self._told), daemon=True)
            for no in range(1, count + 1)
        ]

    async def start(self) -> None:
        """Start all, and wait until each has its partitions.

        Raises:
            BenchError: One ended by itself, or was not ready in time.
        """
        for process in self._processes:
            process.start()
        clock = SystemClock()
        ends_s = clock.monotonic_s() + READY_WITHIN_S
        for _ in self._processes:
            while not await asyncio.to_thread(_one_of, self._ready):
                self.check()
                if clock.monotonic_s() > ends_s:
                    raise BenchError(f"工作进程 {READY_WITHIN_S:.0f} 秒内没有就绪 / a worker was not ready in time")

    def check(self) -> None:
        """Look whether all are alive.

        Raises:
            BenchError: One ended by itself.
        """
        if any(process.exitcode is not None for process in self._processes) and not self._stop.is_set():
            raise BenchError("一个工作进程自行结束 / a worker ended by itself")

    async def stop(self) -> list[WorkerTold]:
        """Stop all; return what each says of itself, as far as it still can."""
        self._stop.set()
        told: list[WorkerTold] = []
        clock = SystemClock()
        ends_s = clock.monotonic_s() + END_WITHIN_S
        while len(told) < len(self._processes) and clock.monotonic_s() < ends_s:
            told += await asyncio.to_thread(_one_of, self._told)
        for process in self._processes:
            await asyncio.to_thread(process.join, 5)
            process.kill()
        return told


def _one_of(queue: Any) -> list[Any]:
    try:
        return [queue.get(timeout=LOOK_S)]
    except Empty:
        return []


def _work(no: int, orders: Orders, stop: Any, ready: Any, told: Any) -> None:
    """Be one worker process."""
    asyncio.run(_work_until(no, orders, stop, ready, told))


async def _work_until(no: int, orders: Orders, stop: Any, ready: Any, told: Any) -> None:
    carrier = BenchCarrier(answers=orders.answers)
    ledger = SqlLedger(orders.url, TABLES)
    house = build(
        ledger=ledger,
        clock=SystemClock(),
        facts=Facts(synthetic_county(orders.posts, orders.at), load_rules()),
        carriers=(carrier,),
        number_key=NUMBER_KEY,
        owner=f"bench-{no}",
    )
    worker = Worker(house, servers=orders.servers, embedded=orders.is_embedded, see=lambda entries: None)
    working = asyncio.create_task(worker.run())
    await asyncio.wait([working], timeout=JOIN_S)
    used_s = cpu_s()
    ready.put(no)
    told_to_stop = asyncio.create_task(asyncio.to_thread(stop.wait))
    await asyncio.wait([told_to_stop, working], return_when=asyncio.FIRST_COMPLETED)
    worker.stopping.set()
    await asyncio.wait([working], timeout=20)
    until_s = carrier.cpu_s_at_last_call or cpu_s()
    told.put(WorkerTold(until_s - used_s, peak_mib(), carrier.calls, carrier.first_call_at, carrier.last_call_at))
    await asyncio.to_thread(ledger.close)
    if working.done() and not working.cancelled():
        working.result()
