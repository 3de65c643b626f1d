"""Many rows in one statement, as the database's driver takes them: its own SQL, and plain tuples in its order.

Binding each value of each row through SQLAlchemy cost more than the database itself (a third of a claim of a thousand
calls). Only what is written in bulk at every step goes this way; what it may be is still said by `schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

import sqlalchemy as sa

from streams.ledger.columns import column_type
from streams.ledger.contract import Row, Table

_MARKS = {"sqlite": "?", "postgresql": "%s"}
_COUNTED = {"preserve_rowcount": True}


@lru_cache(maxsize=4096)
def stored_time(at: datetime | None) -> str | None:
    """Return a time as the ledger stores it: UTC text of one width. A step writes the same few times again and again.

    Raises:
        ValueError: The time has no zone.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone; the ledger keeps aware times only")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class BulkInsert:
    """`INSERT` of tuples in the order of `names`."""

    def __init__(self, table: sa.Table, names: Sequence[str], conflict: str = "") -> None:
        self._table, self._names, self._conflict = table, tuple(names), conflict

    def run(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows and return how many were inserted."""
        dialect = connection.dialect
        quote = dialect.identifier_preparer.quote
        names = ", ".join(map(quote, self._names))
        marks = ", ".join(_MARKS[dialect.name] for _ in self._names)
        statement = f"INSERT INTO {quote(self._table.name)} ({names}) VALUES ({marks}) {self._conflict}"  # noqa: S608
        return _run_many(connection, statement, rows)


class RowBulk:
    """Inserts and updates of a room's rows; their values are in the order id, columns, version, body."""

    def __init__(self, table: Table[Any], sql: sa.Table) -> None:
        self._table = sql
        names = [name for name in dict.fromkeys(table.columns) if name != "id"]
        self._set = (*names, "version", "body")
        self._insert = BulkInsert(sql, ("id", *self._set), "ON CONFLICT DO NOTHING")
        self._read: Callable[[Any], Any] = attrgetter("id", *names, "version")
        kinds = [column_type(table, name)[0] for name in names]
        self._times = [place for place, kind in enumerate(kinds, 1) if kind is datetime]
        self._words = [place for place, kind in enumerate(kinds, 1) if kind is str]

    def insert(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Insert what is not there yet, and return how many that were."""
        return self._insert.run(connection, sorted(map(self._values, rows), key=itemgetter(0)))

    def update(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Update rows, which carry their new version, where the one before is stored; return how many were."""
        dialect = connection.dialect
        quote, mark = dialect.identifier_preparer.quote, _MARKS[dialect.name]
        changes = ", ".join(f"{quote(name)} = {mark}" for name in self._set)
        where = f"{quote('id')} = {mark} AND {quote('version')} = {mark}"
        statement = f"UPDATE {quote(self._table.name)} SET {changes} WHERE {where}"  # noqa: S608
        ordered = sorted(rows, key=attrgetter("id"))
        return _run_many(connection, statement, [(*self._values(row)[1:], row.id, row.version - 1) for row in ordered])

    def _values(self, row: Row) -> tuple[Any, ...]:
        values = [*self._read(row), row.model_dump_json()]
        for place in self._times:
            values[place] = stored_time(values[place])
        for place in self._words:
            # An enum's `value` is a property that looks for a member of that name first; this is what it returns.
            values[place] = getattr(values[place], "_value_", values[place])
        return tuple(values)


def _run_many(connection: sa.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run a statement for all rows; return how many rows it changed."""
    if not rows:
        return 0
    return connection.exec_driver_sql(statement, list(rows), execution_options=_COUNTED).rowcount
