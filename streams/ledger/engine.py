"""How a database is opened, and what its errors mean to the house: away, stale, or not made yet."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from streams.ledger.contract import LedgerAwayError, LedgerError, StaleRowError
from streams.ledger.turns import Turns

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_STALE_STATES = {"40001", "40P01", "23505"}
_MISSING_STATES = {"42P01", "42703"}
_READ_ONLY_STATE = "25006"

_KNOCK_PAUSE_S = 0.001

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS; milliseconds where no unit is named.
_CUT_OFF: dict[str, Any] = {
    "options": "-c idle_in_transaction_session_timeout=15000",
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
"""A process that is cut off in the middle of a step must not hold its rows from the others, nor wait for an answer
that was lost on the way: both ends let go within seconds, where the defaults are for ever and two hours."""


def open_engine(url: str, *, connections: int, busy_timeout_s: float, reading: bool = False) -> sa.Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…`; nothing is connected yet.

    Args:
        url: Where the ledger is.
        connections: How many may be open at once.
        busy_timeout_s: How long a step of SQLite waits for the writer of another process.
        reading: For looks only: SQLite then takes no lock and refuses to write.

    Raises:
        LedgerError: The URL cannot be read, or names another kind of database.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise LedgerError("the ledger's URL cannot be read; write sqlite:///PATH or postgresql://…") from None
    kind = parsed.get_backend_name()
    if kind == SQLITE:
        engine = sa.create_engine(parsed, hide_parameters=True, connect_args={"timeout": busy_timeout_s})
        event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_s=busy_timeout_s))
        if reading:
            event.listen(engine, "begin", _begin_look)
        else:
            beginning = _Beginning(parsed.database, busy_timeout_s)
            event.listen(engine, "begin", beginning)
            event.listen(engine, "engine_disposed", beginning.close)
        return engine
    if kind == POSTGRESQL:
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_size=connections,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args={name: value for name, value in _CUT_OFF.items() if name not in parsed.query},
        )
    raise LedgerError(f"the ledger cannot be kept in {kind}; use sqlite:///PATH or postgresql://…")


def _prepare_sqlite(connection: Any, _record: Any, busy_timeout_s: float) -> None:
    # The driver's own habit of opening transactions late would lose the BEGIN IMMEDIATE below.
    connection.isolation_level = None
    _knock(connection, "PRAGMA journal_mode=WAL", busy_timeout_s)
    connection.execute("PRAGMA synchronous=FULL")


class _Beginning:
    """Begins the transactions of one engine, each when it is its turn among the processes that write."""

    def __init__(self, database: str | None, busy_timeout_s: float) -> None:
        in_memory = database in (None, "", ":memory:")
        self._turns = None if in_memory else Turns(Path(str(database)))
        self._busy_timeout_s = busy_timeout_s

    def __call__(self, connection: sa.Connection) -> None:
        # A transaction that only later wants to write fails at once where another has written: take the lock first.
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA busy_timeout=0")
        try:
            with self._turns.taken() if self._turns else nullcontext():
                _knock(driver, "BEGIN IMMEDIATE", self._busy_timeout_s)
        finally:
            driver.execute(f"PRAGMA busy_timeout={int(self._busy_timeout_s * 1000)}")

    def close(self, _: sa.Engine) -> None:
        """Let go of the turn's file."""
        if self._turns is not None:
            self._turns.close()


def _begin_look(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA query_only=ON")
    driver.execute("BEGIN")


def _knock(driver: Any, statement: str, busy_timeout_s: float) -> None:
    """Run a statement that needs the file's lock, again and again until it gets in.

    SQLite's own waiting sleeps up to 0.1 s between looks and so misses the short pauses of a busy writer: a small
    insert beside one took up to 1.5 s. To switch to WAL it does not wait at all.
    """
    pause = threading.Event()
    for _ in range(int(busy_timeout_s / _KNOCK_PAUSE_S)):
        try:
            driver.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            pause.wait(_KNOCK_PAUSE_S)
        else:
            return
    driver.execute(statement)


def translate(error: BaseException) -> BaseException:
    """Return the ledger's own error for one of the database, or the error itself where it is not the database's."""
    if isinstance(error, exc.TimeoutError):
        return _because(LedgerAwayError("the ledger has no free connection; wait and try again"), error)
    if isinstance(error, sqlite3.Error):
        # Raised while a connection is prepared, where SQLAlchemy does not wrap it.
        return _because(
            LedgerAwayError(f"the ledger's file cannot be used now; look at it and try again ({error})"), error
        )
    if not isinstance(error, exc.DBAPIError):
        return error
    state = getattr(error.orig, "sqlstate", None)
    text = str(error.orig)
    if state in _STALE_STATES or isinstance(error, exc.IntegrityError):
        return _because(StaleRowError(f"another step came in between; run this one again ({text})"), error)
    if state in _MISSING_STATES or text.startswith(("no such table", "no such column")):
        return _because(
            LedgerError(f"the ledger's tables are not there or are old; migrate it, then start again ({text})"), error
        )
    # SQLite tells a damaged file, PostgreSQL a server that became read-only, by errors of other classes.
    away = isinstance(error, exc.OperationalError | exc.InterfaceError) or type(error) is exc.DatabaseError
    if away or error.connection_invalidated or state == _READ_ONLY_STATE:
        return _because(LedgerAwayError(f"the ledger is away, locked or full; wait and try again ({text})"), error)
    return error


def _because(error: LedgerError, cause: BaseException) -> LedgerError:
    error.__cause__ = cause
    return error
