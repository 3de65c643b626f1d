"""What a room is, and the one way its decisions reach the ledger.

A room is `handle(letters, step, now)`: the same in every shell (Faust agent, direct worker, virtual time). Its rules
are a pure `decide(state, message, now, facts) -> Decision`; `fold` loads the states, runs the decisions in order and
saves what they changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from streams.ids import make_id, realm_of
from streams.ledger.contract import Draft, R, Row, Step, Table
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
    """Save troubles that are not known yet."""
    if not troubles:
        return
    fresh = {item.id: item for item in troubles}
    known = step.load(TROUBLES, fresh)
    step.save(TROUBLES, [item for item in fresh.values() if item.id not in known])


def fold(
    step: Step,
    table: Table[S],
    letters: Sequence[Letter],
    state_id: Callable[[Any], str],
    decide: Callable[[S | None, Any, datetime], Decision[S]],
    now: datetime,
) -> list[Decision[S]]:
    """Run `decide` over letters in order and write everything that follows, in this step.

    Args:
        step: The transaction that took the letters.
        table: Where the states live.
        letters: Ordered letters of one page; several may be about the same state.
        state_id: The id of the state a message is about.
        decide: Pure; sees the state as the letters before it left it.
        now: Story time of the step.

    Returns:
        The decisions, in order, for metrics.
    """
    states: dict[str, S | None] = dict.fromkeys(state_id(letter.message) for letter in letters)
    states.update(step.load(table, states))
    changed: dict[str, S] = {}
    decisions: list[Decision[S]] = []
    for letter in letters:
        key = state_id(letter.message)
        decision = decide(states[key], letter.message, now)
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


__all__ = ["TROUBLES", "Decision", "R", "Room", "Trouble", "apply", "fold", "record_troubles", "trouble"]
