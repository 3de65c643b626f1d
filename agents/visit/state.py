"""What VISIT remembers: one list per round and superior unit."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from streams.ledger.contract import Row, Table
from streams.words import Colour, Model


class ItemState(StrEnum):
    """Where one place on a list stands."""

    WAITING = "waiting"
    HANDED_OVER = "handed_over"
    OVERDUE = "overdue"
    SETTLED = "settled"


class Item(Model):
    """One place to go to. The silent come first; those who heard without a key, after them."""

    callout_id: str
    post_id: str
    place: str
    why: str
    lost_contact: bool = False
    heard: bool = False
    state: ItemState = ItemState.WAITING
    since_at: datetime
    handed_over_at: datetime | None = None
    due_at: datetime | None = None
    settled_at: datetime | None = None
    settled_why: str = ""
    settled_by: str = ""


class VisitList(Row):
    """The list of one superior unit in one round. `orders` counts how often it was handed over by a call."""

    realm: str
    chain_id: str
    round_id: str
    unit_id: str
    region: str
    hazard: str
    colour: Colour
    exercise: bool = False
    opened_at: datetime
    orders: int = 0
    taken_at: datetime | None = None
    taken_by: str = ""
    items: tuple[Item, ...] = ()
    open_items: int = 0
    due_at: datetime | None = None
    errors: int = 0


VISITS: Table[VisitList] = Table(
    "visits",
    VisitList,
    ("realm", "chain_id", "round_id", "region", "opened_at", "open_items", "due_at"),
    (("due_at",), ("round_id",), ("chain_id",)),
)
