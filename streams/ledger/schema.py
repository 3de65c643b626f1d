"""The tables of the SQL ledger: the house's own, and one per `Table` of a room, made from what the room declares.

A row of a room is kept whole as JSON in `body`; its columns are copies to ask by, so that they may change with the
code while no row does. Times are UTC ISO text of one width, because such texts sort as the times do in every database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from streams.ledger.columns import column_type
from streams.ledger.contract import LedgerError, Row
from streams.ledger.contract import Table as RoomTable
from streams.ledger.sql_bulk import RowBulk, stored_time

# PostgreSQL would sort by the language of the server; words and ids sort by code point, as everywhere else.
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time, stored as `2021-07-20T08:00:00.000000+00:00`."""

    impl = WORDS
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """Return the text of a time; a time without a zone is refused."""
        return stored_time(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        """Return the time of a text, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


HOUSE = sa.MetaData()

LETTERS = sa.Table(
    "letters",
    HOUSE,
    sa.Column("id", WORDS, primary_key=True),
    sa.Column("topic", WORDS, nullable=False),
    sa.Column("key", WORDS, nullable=False),
    sa.Column("kind", WORDS, nullable=False),
    sa.Column("body", WORDS, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("published_at", Moment),
    sa.Column("handled_at", Moment),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("resends", sa.Integer, nullable=False, default=0),
    sa.Column("schema_version", sa.Integer, nullable=False),
)
_OPEN = LETTERS.c.handled_at.is_(None)
_FRESH = sa.and_(_OPEN, LETTERS.c.published_at.is_(None))
_DUE_ORDER = (LETTERS.c.not_before, LETTERS.c.at, LETTERS.c.id, LETTERS.c.topic)
# Open letters are few among all that ever were, so only they are indexed.
sa.Index("letters_open", *_DUE_ORDER, sqlite_where=_OPEN, postgresql_where=_OPEN)
sa.Index("letters_fresh", *_DUE_ORDER, sqlite_where=_FRESH, postgresql_where=_FRESH)

ENTRIES = sa.Table(
    "entries",
    HOUSE,
    sa.Column("subject", WORDS, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("what", WORDS, nullable=False),
    sa.Column("why", WORDS, nullable=False),
    sa.Column("by", WORDS, nullable=False),
    sa.Column("facts", WORDS, nullable=False),
    sa.Column("previous", WORDS, nullable=False),
    sa.Column("hash", WORDS, nullable=False),
    sa.Column("seal", sa.Integer),
    sa.Index("entries_seal", "seal", "subject", "n"),
    sa.Index("entries_at", "at", "subject", "n"),
)

HEADS = sa.Table(
    "heads",
    HOUSE,
    sa.Column("subject", WORDS, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("hash", WORDS, nullable=False),
)

SEALS = sa.Table(
    "seals",
    HOUSE,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("spans", WORDS, nullable=False),
    sa.Column("previous", WORDS, nullable=False),
    sa.Column("hash", WORDS, nullable=False),
)

RAWS = sa.Table(
    "raws",
    HOUSE,
    sa.Column("id", WORDS, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("door", WORDS, nullable=False),
    sa.Column("media_type", WORDS, nullable=False),
)

LEASES = sa.Table(
    "leases",
    HOUSE,
    sa.Column("name", WORDS, primary_key=True),
    sa.Column("owner", WORDS, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

EDITIONS = sa.Table(
    "editions",
    HOUSE,
    sa.Column("kind", WORDS, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("mark", WORDS, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", WORDS, nullable=False),
    sa.Column("body", WORDS, nullable=False),
)

_SQL_TYPES: dict[type, Any] = {
    str: WORDS,
    int: sa.BigInteger,
    bool: sa.Boolean,
    float: sa.Double,
    datetime: Moment,
}


def room_table(table: RoomTable[Any], metadata: sa.MetaData) -> sa.Table:
    """Return the SQL table of a room's rows: id, version, its columns, and the whole row as `body`.

    Raises:
        TypeError: A column has a name or a type that cannot be stored.
    """
    taken = {"version", "body"} & set(table.columns)
    if taken:
        raise TypeError(f"table {table.name} declares the column {taken.pop()}, which the ledger keeps by itself")
    columns = []
    for name in dict.fromkeys(table.columns):
        kind, nullable = column_type(table, name)
        if name != "id":
            columns.append(sa.Column(name, _SQL_TYPES[kind], nullable=nullable))
    return sa.Table(
        table.name,
        metadata,
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        *columns,
        sa.Column("body", WORDS, nullable=False),
        *(sa.Index(f"{table.name}_{'_'.join(index)}", *index) for index in table.indexes),
    )


class RoomTables:
    """The SQL tables of the rooms that one ledger was opened with."""

    def __init__(self, tables: Sequence[RoomTable[Any]]) -> None:
        self.metadata = sa.MetaData()
        self.declared = {table.name: table for table in tables}
        self._sql = {table.name: room_table(table, self.metadata) for table in self.declared.values()}
        self._bulk = {name: RowBulk(table, self._sql[name]) for name, table in self.declared.items()}

    def sql(self, table: RoomTable[Any]) -> sa.Table:
        """Return the SQL table of a room's table.

        Raises:
            LedgerError: The ledger was not opened with it.
        """
        try:
            return self._sql[table.name]
        except KeyError:
            raise LedgerError(f"the ledger was not opened with table {table.name}; add it where it is wired") from None

    def bulk(self, table: RoomTable[Any]) -> RowBulk:
        """Return how many rows of a room's table are written at once.

        Raises:
            LedgerError: The ledger was not opened with it.
        """
        return self._bulk[self.sql(table).name]


def row_values(table: RoomTable[Any], row: Row) -> dict[str, Any]:
    """Return what the SQL table stores of a row: its columns with enums as words, and the whole of it as `body`."""
    values = {column: getattr(row, column) for column in table.columns}
    return {
        **{column: getattr(value, "value", value) for column, value in values.items()},
        "id": row.id,
        "version": row.version,
        "body": row.model_dump_json(),
    }
