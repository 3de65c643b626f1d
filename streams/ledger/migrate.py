"""Brings a database to the tables that this version needs; run before a ledger is opened, as often as one likes.

The house's own tables change by Alembic (`migrations/`). The table of a room is made from what the room declares: its
rows are whole in `body`, so where the declared columns or indexes differ from those in the database, the table is
built anew from the bodies. A change of a row's model that old bodies do not meet needs a migration that rewrites them.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from pydantic import ValidationError

from streams.clock import SystemClock
from streams.ledger.contract import LedgerError, OutdatedError, Table
from streams.ledger.editions import FENCE_LOCK_KEY, enter_records
from streams.ledger.engine import POSTGRESQL, open_engine, translate
from streams.ledger.schema import RoomTables, row_values

_MIGRATIONS = Path(__file__).parent / "migrations"
_PAGE = 1000
_LOCK_KEY = 0x6A6961


def migrate(url: str, tables: Sequence[Table[Any]], *, busy_timeout_s: float = 30.0) -> None:
    """Create or bring up to date all tables, in one transaction: either all of it happens or nothing.

    Args:
        url: Where the ledger is.
        tables: The rooms' tables.
        busy_timeout_s: How long to wait while another process migrates or writes.

    Raises:
        LedgerAwayError: The database is away or locked.
        OutdatedError: A newer program has put its tables or records into force; nothing was changed.
        LedgerError: The URL is wrong, or a row kept there is not one this version knows.
    """
    rooms = RoomTables(tables)
    engine = open_engine(url, connections=1, busy_timeout_s=busy_timeout_s)
    try:
        with engine.connect() as connection, connection.begin():
            _lock(connection)
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                # Alembic does not find the revision that the database is at: a newer program made it.
                raise OutdatedError(
                    "台账由更新版本的程序建立，请改用新版程序，或把旧备份恢复到另一处 / the ledger was made by a newer "
                    f"program: use that one, or restore an older backup elsewhere ({error})"
                ) from error
            enter_records(connection, tables, f"{socket.gethostname()}:{os.getpid()}", SystemClock().wall())
            for table in rooms.declared.values():
                _fit(connection, table, rooms.sql(table))
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise translate(error) from error
    finally:
        engine.dispose()


def _lock(connection: sa.Connection) -> None:
    """Let one process migrate at a time; SQLite does so by itself."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
        # Before any table is locked: a step takes the fence first and tables after, and so must we.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FENCE_LOCK_KEY)))


def _fit(connection: sa.Connection, table: Table[Any], wanted: sa.Table) -> None:
    """Make the table of a room, or make it anew from its bodies where it is not as declared."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(wanted.name):
        wanted.create(connection)
        return
    if _shape_found(inspector, wanted.name, connection.dialect) == _shape_wanted(wanted, connection.dialect):
        return
    old = sa.Table(f"{wanted.name}__old", sa.MetaData(), sa.Column("id", sa.Text), sa.Column("body", sa.Text))
    quote = connection.dialect.identifier_preparer.quote
    for index in inspector.get_indexes(wanted.name):
        connection.exec_driver_sql(f"DROP INDEX {quote(str(index['name']))}")
    connection.exec_driver_sql(f"ALTER TABLE {quote(wanted.name)} RENAME TO {quote(old.name)}")
    wanted.create(connection)
    _copy(connection, table, old, wanted)
    old.drop(connection)


def _copy(connection: sa.Connection, table: Table[Any], old: sa.Table, wanted: sa.Table) -> None:
    last_id = ""
    while True:
        page = sa.select(old.c.id, old.c.body).where(old.c.id > last_id).order_by(old.c.id).limit(_PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        connection.execute(wanted.insert(), [_values(table, row.id, row.body) for row in rows])
        last_id = rows[-1].id


def _values(table: Table[Any], row_id: str, body: str) -> dict[str, Any]:
    try:
        return row_values(table, table.model.model_validate_json(body))
    except ValidationError as error:
        raise LedgerError(
            f"{table.name} {row_id} cannot be read by this version: write a migration that rewrites its body, "
            f"or go back to the version that wrote it ({error.error_count()} faults)"
        ) from error


Shape = tuple[dict[str, tuple[str, bool]], dict[str, tuple[str, ...]]]
"""Columns with type and whether they may be null, and indexes with their columns."""


def _shape_found(inspector: sa.Inspector, name: str, dialect: sa.Dialect) -> Shape:
    columns = {c["name"]: (_type_name(c["type"], dialect), bool(c["nullable"])) for c in inspector.get_columns(name)}
    indexes = {str(index["name"]): tuple(map(str, index["column_names"])) for index in inspector.get_indexes(name)}
    return columns, indexes


def _shape_wanted(table: sa.Table, dialect: sa.Dialect) -> Shape:
    columns = {column.name: (_type_name(column.type, dialect), bool(column.nullable)) for column in table.columns}
    indexes = {str(index.name): tuple(column.name for column in index.columns) for index in table.indexes}
    return columns, indexes


def _type_name(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    return kind.compile(dialect=dialect).split(" COLLATE ")[0]
