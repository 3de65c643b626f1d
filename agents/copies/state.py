"""What COPIES remembers: one row per message to one receiver, one per chain, one for the troubles that were told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from streams.ledger.contract import Row, Table


class Event(StrEnum):
    """What is told: a round opened; colour or area changed; an alarm or a trouble; how far it is; that it is over."""

    OPENED = "opened"
    CHANGED = "changed"
    ALARM = "alarm"
    SUMMARY = "summary"
    ENDED = "ended"


class CopyState(StrEnum):
    """WAITING is to be handed over; HANDED_OVER was taken by the receiver's server, which proves no reader.

    GIVEN_UP was refused too often or came too late; OVERTAKEN is a summary that a newer one stands for.
    """

    WAITING = "waiting"
    HANDED_OVER = "handed_over"
    GIVEN_UP = "given_up"
    OVERTAKEN = "overtaken"


class Copy(Row):
    """One message to one receiver.

    `at` is the story time of what it tells; `due_at` and `tried_at` are real time, for they pace the network. A try is
    counted, and the next one set, before anything is sent: a worker that dies in between costs one try and no copy.
    """

    realm: str
    receiver: str
    event: Event
    chain_id: str = ""
    title: str
    text: str
    at: datetime
    state: CopyState = CopyState.WAITING
    tries: int = 0
    due_at: datetime
    tried_at: datetime | None = None
    why: str = ""


class Bulletin(Row):
    """What was told of one chain: its rounds, and the summaries; `due_at` (story time) is when the next one is due."""

    realm: str
    chain_id: str
    opened_at: datetime
    rounds: tuple[str, ...] = ()
    summaries: int = 0
    said: str = ""
    due_at: datetime | None = None
    over: bool = False


class ToldTroubles(Row):
    """Which troubles of the last hour were told; one row for the installation."""

    told: tuple[str, ...] = ()


COPIES: Table[Copy] = Table(
    "copies",
    Copy,
    ("realm", "receiver", "event", "chain_id", "state", "due_at", "tried_at"),
    (("state", "due_at"), ("receiver", "tried_at"), ("chain_id",)),
)
BULLETINS: Table[Bulletin] = Table("bulletins", Bulletin, ("realm", "over", "due_at"), (("over",),))
TOLD_TROUBLES: Table[ToldTroubles] = Table("told_troubles", ToldTroubles, ())
