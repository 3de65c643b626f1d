"""What a room is, and the one way its decisions reach the ledger.

A room is `handle(letters, step, now)`: the same in every shell (Faust agent, direct worker, virtual time). Its rules
are a pure `decide(state, message, now, facts) -> Decision`; `fold` loads the states, runs the decisions in order and
saves what they changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from streams.ids import make_id, realm_of
from streams.ledger.contract import Draft, Row, Step, Table, Where
from streams.letters import Letter

S = TypeVar("S", bound=Row)


class Trouble(Row):
    """Something a person must look at: nobody on duty, a dead letter, a list that nobody took. Shown until closed."""

    realm: str
    kind: str
    subject: str
    text: str
    at: datetime
    region: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""


TROUBLES: Table[Trouble] = Table("troubles", Trouble, ("realm", "kind", "region", "at", "closed_at"), (("closed_at",),))


@dataclass(frozen=True)
class Decision(Generic[S]):
    """What a room decided: the new state (or None to leave it), what to send, what to write down, and why."""

    reason: StrEnum
    state: S | None = None
    letters: tuple[Letter, ...] = ()
    entries: tuple[Draft, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Room(Protocol):
    """A reader of one topic."""

    name: str
    topic: str

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Handle a page of letters inside the step that took them."""
        ...


class Timed(Protocol):
    """A room with rows that fall due: the ticker lets it take its due steps straight from the ledger."""

    name: str

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Take the steps that are due at `now`, at most `limit`, and return how many there were."""
        ...

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when the next row falls due."""
        ...


def messages_of(letters: Sequence[Letter], *kinds: type[Any]) -> list[Any]:
    """Return the messages of letters in order.

    Raises:
        TypeError: A letter carries something this room does not read.
    """
    messages: list[Any] = []
    for letter in letters:
        message: Any = letter.message
        if not isinstance(message, kinds):
            raise TypeError(f"letter {letter.id} carries a {message.kind}, which is not read under {letter.topic}")
        messages.append(message)
    return messages


def trouble(kind: str, subject: str, text: str, at: datetime, region: str = "") -> Trouble:
    """Make a trouble; the same kind and subject is one trouble, however often it is met."""
    realm = realm_of(subject) if "|" in subject else "real"
    return Trouble(
        id=make_id(realm, "trouble", kind, subject),
        realm=realm,
        kind=kind,
        subject=subject,
        text=text,
        at=at,
        region=region,
    )


def record_troubles(step: Step, troubles: Sequence[Trouble]) -> None:
    """Save troubles that are not known yet, and show those again that a person closed before they were met again."""
    if not troubles:
        return
    fresh = {item.id: item for item in troubles}
    known = step.load(TROUBLES, fresh)
    for item in known.values():
        if item.closed_at is None:
            del fresh[item.id]
        else:
            fresh[item.id] = fresh[item.id].model_copy(update={"version": item.version})
    step.save(TROUBLES, fresh.values())


def fold(
    step: Step,
    table: Table[S],
    pairs: Sequence[tuple[str, Any]],
    decide: Callable[[S | None, Any, datetime], Decision[S]],
    now: datetime,
) -> list[Decision[S]]:
    """Run `decide` over (state id, message) pairs in order and write everything that follows, in this step.

    Args:
        step: The transaction that took the letters.
        table: Where the states live.
        pairs: Messages in order, each with the id of the state it is about; several may be about the same state.
        decide: Pure; sees the state as the messages before it left it.
        now: Story time of the step.

    Returns:
        The decisions, in order, for metrics.
    """
    states: dict[str, S | None] = {key: None for key, _ in pairs}
    states.update(step.load(table, states))
    changed: dict[str, S] = {}
    decisions: list[Decision[S]] = []
    for key, message in pairs:
        decision = decide(states[key], message, now)
        decisions.append(decision)
        if decision.state is not None:
            states[key] = changed[key] = decision.state
    apply(step, table, changed.values(), decisions)
    return decisions


def apply(step: Step, table: Table[S], rows: Any, decisions: Sequence[Decision[S]]) -> None:
    """Save rows and write the letters, entries and troubles of decisions."""
    step.save(table, rows)
    step.write([letter for decision in decisions for letter in decision.letters])
    step.append([entry for decision in decisions for entry in decision.entries])
    record_troubles(step, [item for decision in decisions for item in decision.troubles])


RETRY_AFTER = timedelta(seconds=30)
ERRORS_MAX = 20


def take_due(
    step: Step,
    table: Table[S],
    decide: Callable[[S, datetime], Decision[S]],
    now: datetime,
    limit: int,
) -> int:
    """Take the due steps of a table whose rows carry `due_at` and `errors`, straight from the ledger.

    A row whose decision raises does not stop the others: it is due again in 30 s with a trouble shown, and after
    `ERRORS_MAX` times once an hour, so that a fault in one callout can neither be forgotten nor burn the machine.

    Returns:
        How many rows were due.
    """
    rows = step.find(table, Where("due_at", "<=", now), order=("due_at",), limit=limit, lock=True)
    saved: list[S] = []
    decisions: list[Decision[S]] = []
    for row in rows:
        try:
            decision = decide(row, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other callouts must still be called.
            decision = _again(table, row, error, now)
        decisions.append(decision)
        if decision.state is not None:
            saved.append(decision.state)
    apply(step, table, saved, decisions)
    return len(rows)


class DueReason(StrEnum):
    """Why a due step was put off."""

    RAISED = "decide_raised"


def _again(table: Table[S], row: S, error: Exception, now: datetime) -> Decision[S]:
    errors = int(getattr(row, "errors", 0)) + 1
    wait = RETRY_AFTER if errors <= ERRORS_MAX else timedelta(hours=1)
    text = f"{table.name} 的一步出错（第{errors}次），稍后重试：{type(error).__name__}: {error}"
    return Decision(
        DueReason.RAISED,
        row.model_copy(update={"due_at": now + wait, "errors": errors}),
        entries=(
            Draft(
                subject=row.id,
                what="step_failed",
                why=DueReason.RAISED,
                by="ticker",
                at=now,
                facts={"error": f"{type(error).__name__}: {error}", "errors": errors},
            ),
        ),
        troubles=(trouble("step_failed", row.id, text, now),),
    )
