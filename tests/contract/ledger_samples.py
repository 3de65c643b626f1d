"""Rows, letters and drafts that the ledger's contract is tested with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from streams.ledger.contract import Draft, Row, Table
from streams.letters import Letter, Replied, write_letter
from streams.topics import CALLOUTS

T0 = datetime(2021, 7, 20, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class State(StrEnum):
    OPEN = "open"
    DONE = "done"


class Task(Row):
    state: State = State.OPEN
    due_at: datetime | None = None
    size: int = 0
    urgent: bool = False
    share: float = 0.0
    note: str | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


TASKS: Table[Task] = Table(
    "tasks",
    Task,
    ("state", "due_at", "size", "urgent", "share", "note"),
    (("due_at",), ("state", "size"), ("note",)),
)
OTHERS: Table[Task] = Table("others", Task, ("state",))


def letter(name: str, *, due: float = 0, written: float = 0, topic: str = CALLOUTS) -> Letter:
    message = Replied(callout_id=name, masked="139****0000", text="收到", at=at(written))
    return write_letter(topic, f"real|callout|{name}", message, at(written), cause=name, not_before=at(due))


def draft(subject: str, what: str = "called", seconds: float = 0, **facts: Any) -> Draft:
    return Draft(subject=subject, what=what, why="due", by="callout", at=at(seconds), facts=facts)
