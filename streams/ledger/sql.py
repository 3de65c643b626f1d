"""The SQL ledger: SQLite for a town, PostgreSQL for a province, one code and one contract for both.

Steps run on the ledger's own threads (`writer.py`); nothing here touches a database on the caller's thread or loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from queue import SimpleQueue
from typing import Any, TypeVar

import sqlalchemy as sa

from streams.ledger.contract import EditionKind, FullStep, LedgerError, StaleRowError, Table
from streams.ledger.editions import EditionVerbs, Fence
from streams.ledger.engine import SQLITE, open_engine
from streams.ledger.schema import HOUSE, RoomTables
from streams.ledger.sql_entries import EntryVerbs
from streams.ledger.sql_rows import RowVerbs
from streams.ledger.writer import Habits, Job, Writer

T = TypeVar("T")

_SQLITE_HABITS = Habits(group_s=0.02, pause_s=0.002)
_POSTGRESQL_HABITS = Habits(group_s=0.0, pause_s=0.0)
_STALE_TRIES = 5
_STALE_PAUSE_S = 0.01


class SqlStep(RowVerbs, EntryVerbs, EditionVerbs):
    """One transaction of a `SqlLedger`; the verbs are described in `contract.py`."""


class SqlLedger:
    """A ledger in a SQL database.

    Args:
        url: `sqlite:///path/to/file` or `postgresql://user@host/name`.
        tables: The rooms' tables, all that will be asked for.
        create: Create missing tables; for tests. A live ledger is made by `migrate`.
        connections: Steps that PostgreSQL may run at once; SQLite has one writer whatever is said here.
        busy_timeout_s: How long a step of SQLite waits for another process before it is away.

    Raises:
        LedgerError: The URL cannot be read, or names another kind of database.
        LedgerAwayError: Tables were to be created and the database is away.
    """

    def __init__(
        self,
        url: str,
        tables: Sequence[Table[Any]],
        *,
        create: bool = False,
        connections: int = 4,
        busy_timeout_s: float = 10.0,
    ) -> None:
        self._tables = RoomTables(tables)
        self._engine = open_engine(url, connections=connections, busy_timeout_s=busy_timeout_s)
        sqlite = self._engine.dialect.name == SQLITE
        self._fence = Fence()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        habits = _SQLITE_HABITS if sqlite else _POSTGRESQL_HABITS
        self._writers = [
            Writer(self._engine, self._queue, habits, f"ledger-{i}", self._fence)
            for i in range(1 if sqlite else connections)
        ]
        # SQLite reads beside its one writer on a connection of its own; PostgreSQL needs no other for that.
        self._look_engine = (
            open_engine(url, connections=1, busy_timeout_s=busy_timeout_s, reading=True) if sqlite else self._engine
        )
        self._looks: SimpleQueue[Job | None] = SimpleQueue()
        self._reader = Writer(self._look_engine, self._looks, _POSTGRESQL_HABITS, "ledger-look")
        if create:
            self._submit(self._create).result()

    def hold_to(self, editions: Mapping[EditionKind, int]) -> None:
        """Write by these editions from now on: once one of them is followed by another, every step is refused.

        A step that began before this is called may still end. Looks are never refused.
        """
        self._fence.held = dict(editions)

    def step(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in one transaction on the ledger's thread while this one waits. Not for an event loop.

        Raises:
            StaleRowError: The caller may run it again.
            LedgerAwayError: The database is away.
            OutdatedError: Something newer is in force than what this process writes by.
            LedgerError: The ledger is closed, or this is called from inside a step.
        """
        if any(writer.is_here() for writer in self._writers):
            raise LedgerError("a step was begun inside a step; do all of it in the outer one")
        return self._submit(lambda connection: work(SqlStep(connection, self._tables))).result()

    async def run(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in one transaction off the event loop; a stale row is tried again a few times."""
        for tries in range(1, _STALE_TRIES):
            try:
                return await self._run_once(work)
            except StaleRowError:
                await asyncio.sleep(_STALE_PAUSE_S * 2**tries)
        return await self._run_once(work)

    async def _run_once(self, work: Callable[[FullStep], T]) -> T:
        future = self._submit(lambda connection: work(SqlStep(connection, self._tables)))
        return await asyncio.wrap_future(future)

    async def look(self, work: Callable[[FullStep], T]) -> T:
        """Run `work`, which only reads, beside the steps and off the event loop."""
        return await self._look(lambda connection: work(SqlStep(connection, self._tables, reads_only=True)))

    async def database_at(self) -> datetime | None:
        """Return the clock of a PostgreSQL server; SQLite runs inside this process and has only ours."""
        if self._engine.dialect.name == SQLITE:
            return None
        # Not now(), which is when the transaction began.
        return await self._look(
            lambda connection: connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        )

    async def _look(self, work: Callable[[sa.Connection], T]) -> T:
        job = Job(work)
        with self._gate:
            if self._closed:
                raise LedgerError("the ledger is closed; open it again")
            self._looks.put(job)
        result: T = await asyncio.wrap_future(job.future)
        return result

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered: the fingerprint of a history."""
        return self.step(lambda step: step.heads())

    def close(self) -> None:
        """Run what is queued, then let go of threads and connections."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            for _ in self._writers:
                self._queue.put(None)
            self._looks.put(None)
        for writer in (*self._writers, self._reader):
            writer.join()
        self._look_engine.dispose()
        self._engine.dispose()

    def _create(self, connection: sa.Connection) -> None:
        HOUSE.create_all(connection)
        self._tables.metadata.create_all(connection)

    def _submit(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        job = Job(work)
        with self._gate:
            if self._closed:
                raise LedgerError("the ledger is closed; open it again")
            self._queue.put(job)
        return job.future
