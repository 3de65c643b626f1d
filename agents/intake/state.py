"""What INTAKE remembers: one row per chain of warnings, and which document belongs to which chain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from streams.ledger.contract import Row, Table
from streams.words import Colour


class ChainState(StrEnum):
    """Where a chain stands. GATED waits for the duty room before it rings further."""

    GATED = "gated"
    OPEN = "open"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"
    EXPIRED = "expired"


class Chain(Row):
    """All warnings that refer to the same first one, or continue it; or one person's order; or one internal alarm.

    `identifiers` are the documents seen, the newest last; `until` is when the chain expires; `due_at` is the earlier
    of that, the end of the gate, and the next change of shift while it is orange or red.
    """

    realm: str
    source: Literal["warning", "order", "monitor"]
    issuer: str
    hazard: str
    colour: Colour
    state: ChainState
    regions: tuple[str, ...]
    named: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    latest_sent: datetime
    headline: str = ""
    text: str = ""
    by: str = ""
    exercise: bool = False
    opened_at: datetime
    until: datetime
    gate_until: datetime | None = None
    due_at: datetime | None = None
    errors: int = 0


class Alias(Row):
    """A document's identifier, pointing to its chain; the id is made of realm and identifier."""

    chain_id: str


CHAINS: Table[Chain] = Table(
    "chains",
    Chain,
    ("realm", "source", "issuer", "hazard", "state", "opened_at", "due_at"),
    (("due_at",), ("hazard", "state")),
)
ALIASES: Table[Alias] = Table("aliases", Alias, ("chain_id",))
