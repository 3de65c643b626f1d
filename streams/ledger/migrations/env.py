"""Runs migrations on the connection that `streams/ledger/migrate.py` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from streams.ledger.schema import HOUSE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=HOUSE,
    # SQLite can roll back tables like everything else; Alembic does not expect it to unless told.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
