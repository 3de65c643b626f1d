"""The verbs of a SQL step about rows, raw bytes and leases. Every verb is a handful of statements for any page."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from streams.ledger.columns import check_question, column_type, saved
from streams.ledger.contract import LEASE_AHEAD_MAX_S, R, StaleRowError, Table, Where
from streams.ledger.engine import POSTGRESQL
from streams.ledger.schema import LEASES, RAWS, RoomTables

CHUNK = 500
"""How many ids one statement names: far below what any database allows, and enough to make a page one statement."""

_CONDITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda column, values: column.in_(values),
    "not in": lambda column, values: column.not_in(values),
    "is null": lambda column, _: column.is_(None),
    "not null": lambda column, _: column.is_not(None),
}


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the ids without repeats, in order, in lists that fit one statement."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]


class SqlVerbs:
    """What every group of verbs stands on: a connection inside a transaction, the tables, and whether it only reads."""

    def __init__(self, connection: sa.Connection, tables: RoomTables, *, reads_only: bool = False) -> None:
        self._connection = connection
        self._tables = tables
        self._reads_only = reads_only
        self._postgresql = connection.dialect.name == POSTGRESQL

    def _insert(self, table: sa.Table) -> Any:
        insert: Any = postgresql.insert(table) if self._postgresql else sqlite.insert(table)
        # Without this a driver's cursor may be gone before anybody asks how many rows were new.
        return insert.execution_options(preserve_rowcount=True)

    def _insert_new(self, table: sa.Table, values: Sequence[Mapping[str, Any]]) -> int:
        """Insert what is not there yet, and return how many that were."""
        if not values:
            return 0
        # Everybody inserts in one order, so that two steps wait for each other instead of locking each other out.
        ordered = sorted(values, key=lambda value: [value[column.name] for column in table.primary_key])
        inserted: int = self._connection.execute(self._insert(table).on_conflict_do_nothing(), ordered).rowcount
        return inserted


class RowVerbs(SqlVerbs):
    """load, save, find, count; keep_raw, raw; lease."""

    def load(self, table: Table[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the rows that exist, by id, in the order of the ids."""
        sql, ids = self._tables.sql(table), list(ids)
        bodies: dict[str, str] = {}
        for chunk in chunks(ids):
            rows = self._connection.execute(sa.select(sql.c.id, sql.c.body).where(sql.c.id.in_(chunk)))
            bodies.update((row_id, body) for row_id, body in rows)
        return {row_id: table.model.model_validate_json(bodies[row_id]) for row_id in ids if row_id in bodies}

    def save(self, table: Table[R], rows: Iterable[R]) -> None:
        """Insert rows of version 0, update the others where their version is still the one stored."""
        bulk, rows = self._tables.bulk(table), list(rows)
        fresh = [saved(row) for row in rows if row.version == 0]
        if bulk.insert(self._connection, fresh) != len(fresh):
            raise StaleRowError(f"a new row of {table.name} is there already; run the step again")
        loaded = [saved(row) for row in rows if row.version != 0]
        if bulk.update(self._connection, loaded) != len(loaded):
            raise StaleRowError(f"a row of {table.name} was saved by somebody else; run the step again")

    def find(
        self, table: Table[R], *where: Where, order: tuple[str, ...] = (), limit: int = 1000, lock: bool = False
    ) -> list[R]:
        """Return rows that meet all conditions, in order; with `lock` pass over those another step holds."""
        check_question(table, where, order)
        sql = self._tables.sql(table)
        question = sa.select(sql.c.body).where(*_conditions(sql, where)).limit(limit)
        for name in order:
            column = sql.c[name.removeprefix("-")]
            turned = column.desc() if name.startswith("-") else column.asc()
            question = question.order_by(turned.nulls_last() if _may_be_null(table, column.name, where) else turned)
        question = question.order_by(sql.c.id)
        if lock:
            question = question.with_for_update(skip_locked=True)
        return [table.model.model_validate_json(body) for body in self._connection.scalars(question)]

    def count(self, table: Table[R], by: tuple[str, ...], *where: Where) -> dict[tuple[Any, ...], int]:
        """Count rows that meet all conditions, grouped by columns, in the order of the groups, null last."""
        check_question(table, where, by)
        sql = self._tables.sql(table)
        columns = [sql.c[name] for name in by]
        question = sa.select(*columns, sa.func.count()).select_from(sql).where(*_conditions(sql, where))
        if columns:
            question = question.group_by(*columns).order_by(*(column.nulls_last() for column in columns))
        return {tuple(group): number for *group, number in self._connection.execute(question)}

    def keep_raw(self, raw_id: str, content: bytes, *, at: datetime, door: str, media_type: str) -> bool:
        """Keep bytes as they came; return False where the id was known."""
        values = {"id": raw_id, "content": content, "at": at, "door": door, "media_type": media_type}
        return self._insert_new(RAWS, [values]) == 1

    def raw(self, raw_id: str) -> bytes | None:
        """Return kept bytes."""
        return self._connection.scalar(sa.select(RAWS.c.content).where(RAWS.c.id == raw_id))

    def lease(self, name: str, owner: str, wall: datetime, lease_s: float) -> bool:
        """Take or renew a named lease; False while another owner holds it."""
        insert = self._insert(LEASES).values(name=name, owner=owner, until=wall + timedelta(seconds=lease_s))
        take_over = insert.on_conflict_do_update(
            index_elements=[LEASES.c.name],
            set_={"owner": insert.excluded.owner, "until": insert.excluded.until},
            where=sa.or_(LEASES.c.owner == owner, LEASES.c.until <= wall),
        )
        if self._connection.execute(take_over).rowcount == 1:
            return True
        # A clock that was stepped in the middle of a step wrote such an end: nobody else would have the lease until it.
        self._connection.execute(
            LEASES.update()
            .where(LEASES.c.name == name, LEASES.c.until > wall + timedelta(seconds=lease_s + LEASE_AHEAD_MAX_S))
            .values(until=wall + timedelta(seconds=lease_s))
        )
        return False


def _conditions(sql: sa.Table, where: Sequence[Where]) -> list[Any]:
    return [_CONDITIONS[item.op](sql.c[item.column], _parameter(sql.c[item.column], item)) for item in where]


def _parameter(column: sa.Column[Any], condition: Where) -> Any:
    """Return the value with enums as the words they are stored as, and truth as a value that can be compared."""
    if condition.op in ("is null", "not null"):
        return None
    if condition.op in ("in", "not in"):
        return [getattr(value, "value", value) for value in condition.value]
    return sa.bindparam(None, getattr(condition.value, "value", condition.value), column.type)


def _may_be_null(table: Table[Any], column: str, where: Sequence[Where]) -> bool:
    """Whether null can be among the answers. An index serves an order only where nothing is said about null."""
    if not column_type(table, column)[1]:
        return False
    return not any(condition.column == column and condition.op != "is null" for condition in where)
