"""The house's own tables: letters, entries, heads, seals, raws, leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# Written out here, because the code's own idea of a column may change while this file may not.
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    _create_letters()
    _create_history()
    op.create_table(
        "raws",
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("door", WORDS, nullable=False),
        sa.Column("media_type", WORDS, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", WORDS, primary_key=True),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("until", WORDS, nullable=False),
    )


def _create_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("id", WORDS, primary_key=True),
        sa.Column("topic", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("body", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("not_before", WORDS, nullable=False),
        sa.Column("published_at", WORDS),
        sa.Column("handled_at", WORDS),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("resends", sa.Integer, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
    )
    for name, condition in (
        ("letters_open", "handled_at IS NULL"),
        ("letters_fresh", "handled_at IS NULL AND published_at IS NULL"),
    ):
        op.create_index(
            name,
            "letters",
            ["not_before", "at", "id", "topic"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def _create_history() -> None:
    op.create_table(
        "entries",
        sa.Column("subject", WORDS, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("what", WORDS, nullable=False),
        sa.Column("why", WORDS, nullable=False),
        sa.Column("by", WORDS, nullable=False),
        sa.Column("facts", WORDS, nullable=False),
        sa.Column("previous", WORDS, nullable=False),
        sa.Column("hash", WORDS, nullable=False),
        sa.Column("seal", sa.Integer),
    )
    op.create_index("entries_seal", "entries", ["seal", "subject", "n"])
    op.create_index("entries_at", "entries", ["at", "subject", "n"])
    op.create_table(
        "heads",
        sa.Column("subject", WORDS, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("hash", WORDS, nullable=False),
    )
    op.create_table(
        "seals",
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("spans", WORDS, nullable=False),
        sa.Column("previous", WORDS, nullable=False),
        sa.Column("hash", WORDS, nullable=False),
    )


def downgrade() -> None:
    """Refuse: going back would mean to throw the history away."""
    raise NotImplementedError("the first tables are not taken back; delete the ledger by hand if you mean it")
