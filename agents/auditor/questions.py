"""What the auditor asks of the ledger's database: a handful of indexed statements, read only, none of them shared.

It must never write, never wait for a lock, and never use the engine's own SQL: what it reads, it reads as it stands.
Times are UTC ISO text in every database, as the ledger stores them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from agents.auditor.look import (
    LINE_CHECK,
    OPEN_STATES,
    OUTGOING_TOPICS,
    ROWS_MAX,
    SERIOUS_TROUBLES,
    WORKER_LEASE,
    HeadRow,
    Kind,
    Queue,
    Row,
    Seen,
)

WAIT_S = 4
"""How long a database may take to answer before it counts as away."""
HEADS_MAX = 50

_DUE = "SELECT id, due_at FROM {} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT :most"
_LETTERS = "SELECT id, not_before, topic FROM letters WHERE handled_at IS NULL AND topic {} :topics"
_LETTERS += " ORDER BY not_before, at, id, topic LIMIT :most"
_CLAIMS = "SELECT id, lease_until FROM attempts WHERE state = 'claimed' ORDER BY lease_until LIMIT :most"
_SILENT = "SELECT id, due_at FROM attempts WHERE state = 'placed' AND due_at IS NOT NULL ORDER BY due_at LIMIT :most"
_UNDATED = "SELECT id, opened_at FROM callouts WHERE state IN :states AND due_at IS NULL LIMIT :most"
_WAITING = """
SELECT callouts.id, callouts.{column} FROM callouts JOIN rounds ON rounds.id = callouts.round_id
WHERE callouts.{column} IS NOT NULL AND rounds.stopped_at IS NULL
  AND (rounds.paused_until IS NULL OR rounds.paused_until <= :now)
ORDER BY callouts.{column} LIMIT :most
"""
_DIALLED = "SELECT dialled_at FROM attempts WHERE channel = :channel ORDER BY dialled_at DESC LIMIT 1"
_FREE = "SELECT max(next_at) FROM paces WHERE id LIKE :pattern"
_TROUBLES = "SELECT id, at, body FROM troubles WHERE closed_at IS NULL AND kind IN :kinds ORDER BY at LIMIT :most"
_LINE_CHECK = """
SELECT callouts.id, callouts.opened_at FROM callouts JOIN chains ON chains.id = callouts.chain_id
WHERE chains.hazard = :hazard AND chains.realm LIKE 'check:%' AND callouts.state = 'confirmed'
  AND EXISTS (SELECT 1 FROM entries WHERE entries.subject = callouts.id AND entries.what = 'confirmed')
ORDER BY callouts.opened_at DESC LIMIT 1
"""
_LEASE = "SELECT until FROM leases WHERE name = :name"
_HEADS = """
SELECT heads.subject, heads.hash, entries.hash, beyond.n FROM heads
LEFT JOIN entries ON entries.subject = heads.subject AND entries.n = heads.n
LEFT JOIN entries AS beyond ON beyond.subject = heads.subject AND beyond.n = heads.n + 1
WHERE heads.subject > :after ORDER BY heads.subject LIMIT :most
"""
_LATEST = """
SELECT heads.subject, heads.hash, entries.hash, beyond.n FROM heads
LEFT JOIN entries ON entries.subject = heads.subject AND entries.n = heads.n
LEFT JOIN entries AS beyond ON beyond.subject = heads.subject AND beyond.n = heads.n + 1
WHERE heads.subject IN (SELECT subject FROM entries ORDER BY at DESC, subject DESC, n DESC LIMIT :most)
"""


class Eye:
    """Reads what `look.judge` needs.

    Args:
        url: The ledger's, `sqlite:///PATH` or `postgresql://…`.
        data_dir: Whose disk is watched.
    """

    def __init__(self, url: str, data_dir: Path) -> None:
        self._engine = open_read_only(url)
        self._data_dir = data_dir
        self._heads_after = ""

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def look(self, now: datetime) -> Seen:
        """Read everything once; `now` is story time, by which a pause of a round is over.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: It cannot be read.
        """
        free_bytes = shutil.disk_usage(self._data_dir).free
        with self._engine.connect() as connection:
            ask = _Asker(connection)
            due = {
                Kind.CALLOUT_LATE: ask.rows(_DUE.format("callouts")),
                Kind.CHAIN_LATE: ask.rows(_DUE.format("chains")),
                Kind.VISIT_LATE: ask.rows(_DUE.format("visits")),
                Kind.ATTEMPT_SILENT: ask.rows(_SILENT),
                Kind.LETTER_LATE: ask.rows(_LETTERS.format("NOT IN"), topics=OUTGOING_TOPICS),
                Kind.LETTER_NOT_SENT: ask.rows(_LETTERS.format("IN"), topics=OUTGOING_TOPICS),
            }
            until = ask.one(_LEASE, name=WORKER_LEASE)
            return Seen(
                due=due,
                claims=ask.rows(_CLAIMS),
                undated=ask.rows(_UNDATED, states=OPEN_STATES),
                calls=ask.queue("call_at", "voice", now),
                texts=ask.queue("text_at", "text", now),
                troubles=ask.troubles(),
                heads=self._some_heads(ask),
                line_checks=ask.rows(_LINE_CHECK, hazard=LINE_CHECK),
                worker_until=_time(until) if until else None,
                database_at=ask.database_at(),
                disk_free_bytes=free_bytes,
            )

    def _some_heads(self, ask: _Asker) -> list[HeadRow]:
        """Return the heads of what was written last, and the next few of all: a whole round takes many looks."""
        some = ask.heads(_HEADS, after=self._heads_after)
        self._heads_after = some[-1].subject if len(some) == HEADS_MAX else ""
        return [*ask.heads(_LATEST), *some]


class _Asker:
    """Asks one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **given: Any) -> list[Row]:
        """Return rows of id, time and perhaps a word."""
        return [Row(row[0], _time(row[1]), *row[2:]) for row in self._all(statement, ROWS_MAX, given)]

    def troubles(self) -> list[Row]:
        """Return open troubles of serious kinds, each with what it tells people."""
        rows = self.rows(_TROUBLES, kinds=SERIOUS_TROUBLES)
        return [replace(row, word=json.loads(row.word)["text"]) for row in rows]

    def heads(self, statement: str, **given: Any) -> list[HeadRow]:
        return [HeadRow(*row) for row in self._all(statement, HEADS_MAX, given)]

    def queue(self, column: str, channel: str, now: datetime) -> Queue:
        """Return what waits for a channel, and when the channel last moved or will be free."""
        waiting = self.rows(_WAITING.format(column=column), now=_text(now))
        if not waiting:
            return Queue()
        moved = [self.one(_DIALLED, channel=channel), self.one(_FREE, pattern=f"%:{channel}")]
        return Queue(waiting, max((_time(at) for at in moved if at), default=None))

    def one(self, statement: str, **given: Any) -> Any:
        return self._connection.execute(sa.text(statement), given).scalar()

    def database_at(self) -> datetime | None:
        """Return the clock of a database server; SQLite has none of its own."""
        if self._connection.dialect.name == "sqlite":
            return None
        at: datetime = self._connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return at.astimezone(UTC)

    def _all(self, statement: str, most: int, given: dict[str, Any]) -> Sequence[Any]:
        several: list[Any] = [
            sa.bindparam(name, expanding=True) for name, value in given.items() if isinstance(value, tuple)
        ]
        return self._connection.execute(sa.text(statement).bindparams(*several), {"most": most, **given}).all()


def open_read_only(url: str) -> sa.Engine:
    """Return an engine that cannot write; every look connects anew, so that a database put in place is seen at once.

    Raises:
        ValueError: The URL is of another kind of database.
    """
    parsed = sa.make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        path = Path(parsed.database or "").absolute()
        return sa.create_engine("sqlite://", creator=lambda: _connect(path), poolclass=sa.NullPool)
    if kind == "postgresql":
        options = f"-c default_transaction_read_only=on -c statement_timeout={WAIT_S * 1000}"
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            poolclass=sa.NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": WAIT_S, "options": options},
        )
    raise ValueError(
        f"台账不能放在 {kind}，请用 sqlite:///PATH 或 postgresql://… / the ledger cannot be kept in {kind}"
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=WAIT_S)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
