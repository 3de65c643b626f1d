"""What PLAN remembers: one row per round. Stopping or pausing a round is this one row."""

from __future__ import annotations

from datetime import datetime

from streams.ledger.contract import Row, Table
from streams.letters import Move
from streams.words import Colour


class Round(Row):
    """One fan-out for a chain. A stopped round is never dialled for again; a paused one resumes by itself."""

    realm: str
    chain_id: str
    cause_id: str
    move: Move
    hazard: str
    colour: Colour
    headline: str = ""
    exercise: bool = False
    opened_at: datetime
    posts: int = 0
    rules_hash: str = ""
    roster_version: str = ""
    rule_id: str = ""
    stopped_at: datetime | None = None
    stop_why: str = ""
    paused_until: datetime | None = None
    paused_by: str = ""


ROUNDS: Table[Round] = Table(
    "rounds",
    Round,
    ("realm", "chain_id", "move", "opened_at", "stopped_at", "paused_until"),
    (("chain_id",), ("paused_until",), ("opened_at",)),
)


class Summary(Row):
    """What leaders are told of one round, and when next. `sent` counts how often; `ended_why` says why no more."""

    realm: str
    chain_id: str
    round_id: str
    opened_at: datetime
    sent: int = 0
    due_at: datetime | None = None
    ended_why: str = ""
    errors: int = 0


SUMMARIES: Table[Summary] = Table(
    "summaries", Summary, ("realm", "chain_id", "opened_at", "due_at"), (("due_at",), ("chain_id",))
)
