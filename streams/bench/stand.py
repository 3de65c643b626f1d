"""What a part is measured on: an empty ledger and a broker; the workers are processes, or one in this process."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agents.facts import Facts
from config.load import load_rules
from rosters.county import County
from streams.bench.carrier import BenchCarrier
from streams.bench.crew import JOIN_S, NUMBER_KEY, BenchError, Crew, Orders
from streams.broker import EmbeddedBroker, free_port
from streams.clock import SystemClock
from streams.kafka import KafkaAwayError, answers, set_up_topics
from streams.ledger.contract import FullStep, Row, Step, Table, Where
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.pump import See
from streams.wiring import TABLES, build
from streams.worker import Worker

REALM = "check:bench"
SCHEMA = "jiaoying_bench"
PAGE = 2000
LOOK_S = 0.05

Tell = Callable[[str, float], None]
"""Shown what is under way, and how far it is, 0…1."""


@dataclass(frozen=True)
class Ground:
    """Where a benchmark is run: `ledger_url` is PostgreSQL's, or "" for SQLite; `kafka` a broker's, or none for ours.

    A broker that is given should be empty, and nobody else's.
    """

    ledger_url: str = ""
    kafka: tuple[str, ...] = ()


class Stand:
    """A ledger of its own, removed at the end; SQLite in a temporary folder, or a schema of its own on PostgreSQL."""

    def __init__(self, ground: Ground) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="jiaoying-bench-")
        self.clock = SystemClock()
        self._ground = ground
        self.url = own_ledger(ground) or f"sqlite:///{Path(self.folder.name) / 'ledger.sqlite3'}"
        migrate(self.url, TABLES)
        self.ledger = SqlLedger(self.url, TABLES)
        self.is_embedded = not ground.kafka
        self.broker = EmbeddedBroker(free_port(), Path(self.folder.name) / "broker.log") if self.is_embedded else None
        self.servers = ground.kafka or (f"127.0.0.1:{self.broker.port if self.broker else 0}",)
        self._checks: list[Callable[[], None]] = []
        self._endings: list[Callable[[], Awaitable[object]]] = []

    async def start(self) -> None:
        """Start the broker, where it is ours, and make the topics.

        Raises:
            BenchError: The broker does not answer.
        """
        if self.broker is not None:
            await asyncio.to_thread(self.broker.start)
        for _ in range(200):
            with suppress(KafkaAwayError):
                if await asyncio.to_thread(answers, self.servers):
                    await asyncio.to_thread(set_up_topics, self.servers)
                    return
            await asyncio.sleep(0.1)
        raise BenchError(f"Kafka 没有应答：{', '.join(self.servers)} / Kafka does not answer")

    async def start_crew(self, count: int, posts: int, *, answers: bool) -> Crew:
        """Start worker processes, and wait until they have their partitions."""
        orders = Orders(self.url, self.servers, self.is_embedded, posts, self.clock.now(), answers)
        crew = Crew(count, orders)
        self._checks.append(crew.check)
        self._endings.append(crew.stop)
        await crew.start()
        return crew

    async def start_worker(self, county: County, carrier: BenchCarrier, see: See) -> None:
        """Start one worker in this process, where what it does can be seen at once."""
        house = build(
            ledger=self.ledger,
            clock=self.clock,
            facts=Facts(county, load_rules()),
            carriers=(carrier,),
            number_key=NUMBER_KEY,
            owner="bench",
        )
        worker = Worker(house, servers=self.servers, embedded=self.is_embedded, see=see)
        working = asyncio.create_task(worker.run())

        def check() -> None:
            if working.done():
                working.result()
                raise BenchError("the worker ended by itself")

        async def end() -> None:
            worker.stopping.set()
            await asyncio.wait([working], timeout=20)

        self._checks.append(check)
        self._endings.append(end)
        await asyncio.sleep(JOIN_S)

    async def stop(self) -> None:
        """Stop everything and remove what was written."""
        for end in self._endings:
            await end()
        if self.broker is not None:
            await asyncio.to_thread(self.broker.stop)
        await asyncio.to_thread(self.ledger.close)
        drop_ledger(self._ground)
        self.folder.cleanup()

    async def save(self, table: Table[Any], rows: Iterable[Row], tell: Callable[[int], None]) -> None:
        """Put rows into the ledger, page by page."""
        page: list[Row] = []
        saved = 0
        for row in rows:
            page.append(row)
            if len(page) == PAGE:
                saved += await self._save_page(table, page)
                page = []
                tell(saved)
        await self._save_page(table, page)

    async def _save_page(self, table: Table[Any], page: Sequence[Row]) -> int:
        await self.ledger.run(lambda step: step.save(table, page))
        return len(page)

    async def count(self, table: Table[Any], *where: Where) -> int:
        """Count rows beside the steps."""
        counted = await self.ledger.look(partial(_count, table=table, where=where))
        return counted

    async def until(self, is_so: Callable[[], Any], within_s: float) -> float | None:
        """Wait until something is so; return after how many seconds it was, or None where it was not in time."""
        began_s = self.clock.monotonic_s()
        while True:
            so = is_so()
            if asyncio.iscoroutine(so):
                so = await so
            passed_s = self.clock.monotonic_s() - began_s
            if so:
                return passed_s
            if passed_s > within_s:
                return None
            for check in self._checks:
                check()
            await asyncio.sleep(LOOK_S)


def _count(step: FullStep | Step, table: Table[Any], where: Sequence[Where]) -> int:
    return step.count(table, (), *where).get((), 0)


def own_ledger(ground: Ground) -> str:
    """Make an empty schema of our own on PostgreSQL, and return the URL under which all lands in it; "" on SQLite."""
    drop_ledger(ground)
    url = ground.ledger_url
    if not url:
        return ""
    _run_sql(url, f"CREATE SCHEMA {SCHEMA}")
    return (
        sa.make_url(url).update_query_dict({"options": f"-csearch_path={SCHEMA}"}).render_as_string(hide_password=False)
    )


def drop_ledger(ground: Ground) -> None:
    """Remove the schema of our own, where there is one."""
    if ground.ledger_url:
        _run_sql(ground.ledger_url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _run_sql(url: str, statement: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
