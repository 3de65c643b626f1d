"""Editions: which records the code writes and which rules are in force, numbered as they came into force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

# Written out here, because the code's own idea of a column may change while this file may not.
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; what is in force is entered by whoever starts next."""
    op.create_table(
        "editions",
        sa.Column("kind", WORDS, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("mark", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("by", WORDS, nullable=False),
        sa.Column("body", WORDS, nullable=False),
    )


def downgrade() -> None:
    """Refuse: without the table an older program could write among newer ones."""
    raise NotImplementedError("editions are not taken back; restore a backup of before instead")
