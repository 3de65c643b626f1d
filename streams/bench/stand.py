"""What a part is measured on: an empty ledger, the embedded broker, and one worker in this process."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agents.facts import Facts
from config.load import load_rules
from rosters.county import County
from streams.bench.carrier import BenchCarrier
from streams.broker import EmbeddedBroker, free_port
from streams.clock import SystemClock
from streams.kafka import KafkaAwayError, answers, set_up_topics
from streams.ledger.contract import FullStep, Row, Step, Table, Where
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.pump import See
from streams.wiring import TABLES, House, build
from streams.worker import Worker

REALM = "check:bench"
NUMBER_KEY = b"numbers of a synthetic county are nobody's"
SCHEMA = "jiaoying_bench"
PAGE = 2000
LOOK_S = 0.05
JOIN_S = 8.0
"""How long Faust takes to join its consumer group; only what comes after is measured."""

Tell = Callable[[str, float], None]
"""Shown what is under way, and how far it is, 0…1."""


class BenchError(RuntimeError):
    """A benchmark could not be run; the message says why."""


class Stand:
    """A ledger of its own, removed at the end; SQLite in a temporary folder, or a schema of its own on PostgreSQL."""

    def __init__(self, county: County, *, carrier: BenchCarrier, ledger_url: str = "", see: See | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="jiaoying-bench-")
        self.clock = SystemClock()
        self.carrier = carrier
        self._given_url = ledger_url
        self._see: See = see or (lambda entries: None)
        self.url = ledger_url and _own_schema(ledger_url)
        self.url = self.url or f"sqlite:///{Path(self.folder.name) / 'ledger.sqlite3'}"
        migrate(self.url, TABLES)
        self.ledger = SqlLedger(self.url, TABLES)
        self.house: House = build(
            ledger=self.ledger,
            clock=self.clock,
            facts=Facts(county, load_rules()),
            carriers=(carrier,),
            number_key=NUMBER_KEY,
            owner="bench",
        )
        self.broker = EmbeddedBroker(free_port(), Path(self.folder.name) / "broker.log")
        self.worker: Worker | None = None
        self._working: asyncio.Task[None] | None = None

    async def start(self, *, joined: bool = True) -> None:
        """Start broker and worker; `joined` waits until Faust has its partitions."""
        await asyncio.to_thread(self.broker.start)
        servers = (f"127.0.0.1:{self.broker.port}",)
        for _ in range(200):
            with suppress(KafkaAwayError):
                if await asyncio.to_thread(answers, servers):
                    await asyncio.to_thread(set_up_topics, servers)
                    break
            await asyncio.sleep(0.1)
        self.worker = Worker(self.house, servers=servers, embedded=True, see=self._see)
        self._working = asyncio.create_task(self.worker.run())
        if joined:
            await asyncio.sleep(JOIN_S)

    async def stop(self) -> None:
        """Stop everything and remove what was written."""
        if self.worker is not None and self._working is not None:
            self.worker.stopping.set()
            await asyncio.wait([self._working], timeout=20)
        await asyncio.to_thread(self.broker.stop)
        await asyncio.to_thread(self.ledger.close)
        if self._given_url:
            _drop_schema(self._given_url)
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
            if self._working is not None and self._working.done():
                self._working.result()
                raise BenchError("the worker ended by itself")
            await asyncio.sleep(LOOK_S)


def _count(step: FullStep | Step, table: Table[Any], where: Sequence[Where]) -> int:
    return step.count(table, (), *where).get((), 0)


def _own_schema(url: str) -> str:
    """Make an empty schema of our own, and return the URL under which everything lands in it."""
    _drop_schema(url)
    _run_sql(url, f"CREATE SCHEMA {SCHEMA}")
    return (
        sa.make_url(url).update_query_dict({"options": f"-csearch_path={SCHEMA}"}).render_as_string(hide_password=False)
    )


def _drop_schema(url: str) -> None:
    _run_sql(url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _run_sql(url: str, statement: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
