"""Editions (版次): what the records of the code look like and which rules are in force, numbered as they came.

A process writes by the editions it started with. Once a newer one is in force its steps are refused: a worker that
was left behind by an update, or stood still through it, must not write among newer ones. Going back is done forward:
what was in force before is published once more, under a new number.

Never put here: what an edition means. Rules are looked after by `streams/rules_in_force.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from streams.ids import digest
from streams.ledger.chain import canonical
from streams.ledger.contract import Edition, EditionKind, OutdatedError, StaleRowError, Table
from streams.ledger.engine import POSTGRESQL
from streams.ledger.schema import EDITIONS, RoomTables
from streams.ledger.sql_rows import SqlVerbs
from streams.letters import MESSAGE, SCHEMA_VERSION

FENCE_LOCK_KEY = 0x6A6962
"""Shared by every step of PostgreSQL until it ends, taken alone by whoever puts an edition into force."""

_NEWEST = "SELECT kind, max(n) FROM editions GROUP BY kind"
_NEWEST_LOCKED = f"SELECT pg_advisory_xact_lock_shared({FENCE_LOCK_KEY}); {_NEWEST}"


class EditionVerbs(SqlVerbs):
    """editions, publish_edition."""

    def editions(self, kind: EditionKind) -> list[Edition]:
        """Return the editions of a kind, oldest first; the last is in force."""
        rows = self._connection.execute(sa.select(EDITIONS).where(EDITIONS.c.kind == kind.value).order_by(EDITIONS.c.n))
        return [Edition(**row._mapping) for row in rows]

    def publish_edition(self, edition: Edition) -> None:
        """Put an edition into force, once the steps of others that began before have ended."""
        if self._postgresql:
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FENCE_LOCK_KEY)))
        if self._insert_new(EDITIONS, [{**edition.model_dump(), "kind": edition.kind.value}]) != 1:
            raise StaleRowError(f"edition {edition.n} of {edition.kind} is in force already; run the step again")


class Fence:
    """What a ledger asks at the beginning of every transaction: is what I write by still in force?

    SQLite's transaction holds the only lock from its beginning, and PostgreSQL's shares one that an edition is put
    into force under alone: what is in force when it is asked is in force when the step is committed.
    """

    def __init__(self) -> None:
        self.held: Mapping[EditionKind, int] = {}

    def check(self, connection: sa.Connection) -> None:
        """Refuse to go on where something newer is in force.

        Raises:
            OutdatedError: It is.
        """
        if not self.held:
            return
        newest = _newest(connection)
        for kind, n in self.held.items():
            if newest.get(kind, 0) > n:
                raise OutdatedError(_superseded(kind, n, newest[kind]))


def _newest(connection: sa.Connection) -> dict[str, int]:
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name != POSTGRESQL:
            return dict(driver.execute(_NEWEST).fetchall())
        # Both in one round trip; the second looks only once the first has got its lock.
        found = driver.execute(_NEWEST_LOCKED, prepare=False)
        found.nextset()
        return dict(found.fetchall())
    except driver.Error as error:
        raise sa.exc.DBAPIError.instance(_NEWEST, None, error, driver.Error, dialect=connection.dialect) from error


def _superseded(kind: EditionKind, n: int, newest: int) -> str:
    what = {
        EditionKind.RECORDS: (
            "程序",
            "请改用新版程序启动",
            "the program's records",
            "start the newer program in its place",
        ),
        EditionKind.RULES: ("叫应规则", "重新启动即按新版规则叫应", "the rules", "started again it goes by the newer"),
    }
    chinese, chinese_do, english, english_do = what[kind]
    return (
        f"{chinese}第 {n} 版已被第 {newest} 版取代，本进程不再写台账；{chinese_do} "
        f"/ edition {n} of {english} was followed by {newest}, this process writes no more: {english_do}"
    )


def records_mark(tables: Sequence[Table[Any]]) -> str:
    """Return the digest of what all letters and rows of this program look like: other fields, another mark."""
    letters = _shape(MESSAGE.json_schema())
    rows = {table.name: [table.columns, table.indexes, _shape(table.model.model_json_schema())] for table in tables}
    return digest(canonical([SCHEMA_VERSION, letters, rows]))


def _shape(schema: Any) -> Any:
    """Return a JSON schema without its texts, so that a better docstring is no newer program."""
    if isinstance(schema, list):
        return [_shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _shape(value)
        for name, value in schema.items()
        if not (name in ("title", "description") and isinstance(value, str))
    }


def enter_records(connection: sa.Connection, tables: Sequence[Table[Any]], by: str, at: datetime) -> Edition:
    """Put this program's records into force where they are new to the ledger; return their edition.

    Raises:
        OutdatedError: Records of a newer program are in force.
    """
    verbs = EditionVerbs(connection, RoomTables(()))
    mark = records_mark(tables)
    known = verbs.editions(EditionKind.RECORDS)
    if known and known[-1].mark == mark:
        return known[-1]
    older = [edition for edition in known if edition.mark == mark]
    letters = max((json.loads(edition.body)["letters"] for edition in known), default=0)
    if older or letters > SCHEMA_VERSION:
        raise OutdatedError(_superseded(EditionKind.RECORDS, older[-1].n if older else 0, known[-1].n))
    body = canonical({"letters": SCHEMA_VERSION})
    edition = Edition(kind=EditionKind.RECORDS, n=len(known) + 1, mark=mark, at=at, by=by, body=body)
    verbs.publish_edition(edition)
    return edition
