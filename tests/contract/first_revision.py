"""A ledger as the first release made it, filled with what a night left behind.

Nothing is copied from an old file: the tables are made by the first migration itself, and take of every row what the
columns of then could hold. The tables of rooms have only what they will always have: id, version and the whole body.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from streams.ledger import migrations
from streams.ledger.contract import Table
from streams.ledger.engine import open_engine
from streams.ledger.schema import WORDS

FIRST = "0001"
LEFT_OUT = {"alembic_version", "editions"}


def copy_into_first_revision(source_url: str, target_url: str, tables: Sequence[Table[Any]]) -> dict[str, int]:
    """Make a ledger of the first revision out of a present one; return how many rows each table got."""
    source, target = (open_engine(url, connections=1, busy_timeout_s=10) for url in (source_url, target_url))
    counts: dict[str, int] = {}
    with source.connect() as reading, target.connect() as writing, reading.begin(), writing.begin():
        _upgrade_to_first(writing)
        for table in tables:
            _bare_table(table.name).create(writing)
        known = sa.MetaData()
        known.reflect(writing)
        for table in known.sorted_tables:
            if table.name not in LEFT_OUT:
                names = [column.name for column in table.columns]
                rows = reading.execute(
                    sa.select(*(sa.column(name) for name in names)).select_from(sa.table(table.name))
                )
                counts[table.name] = _insert(writing, table, [dict(zip(names, row, strict=True)) for row in rows])
    source.dispose()
    target.dispose()
    return counts


def revision_of(url: str) -> str:
    """Which revision a ledger is at."""
    engine = open_engine(url, connections=1, busy_timeout_s=10)
    with engine.connect() as connection, connection.begin():
        found = str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
    engine.dispose()
    return found


def _upgrade_to_first(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, FIRST)


def _bare_table(name: str) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", WORDS, nullable=False),
    )


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> int:
    if rows:
        connection.execute(table.insert(), rows)
    return len(rows)
