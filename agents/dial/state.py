"""What DIAL remembers: one row per call or message placed, and one row per carrier and channel for its pace."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from streams.ledger.contract import Row, Table
from streams.words import Channel, Outcome


class AttemptState(StrEnum):
    """CLAIMED before dialling; PLACED when the carrier has it; ENDED when its outcome is known."""

    CLAIMED = "claimed"
    PLACED = "placed"
    ENDED = "ended"


class Attempt(Row):
    """One call or message to one phone, for everything that was open for that number (`callouts`, worst first).

    `direction` is inbound where somebody called us back. The number itself is not kept: `number_key` is a keyed digest
    for matching, `masked` is for people. `lease_until` is real time; `dialled_at` and the times of the call are story
    time. `seq` orders what the vendor said; `vendor_said` is its own word for how it ended (`said_seq` orders that
    word), `outcome` ours, which follows from the facts. A call made by hand says why (`hand_why`), who took it, and who
    wrote down what came of it.
    """

    realm: str
    channel: Channel
    direction: Literal["outbound", "inbound"] = "outbound"
    carrier: str
    number_key: str
    masked: str
    person_id: str
    phone: int
    callouts: tuple[str, ...]
    rounds: tuple[str, ...]
    severity: int
    voice: str = ""
    text: str = ""
    prompt: str = ""
    language: str = "zh-CN"
    exercise: bool = False
    state: AttemptState
    owner: str
    lease_until: datetime
    dialled_at: datetime
    dial_no: int
    tries: int = 1
    vendor_id: str = ""
    due_at: datetime | None = None
    released: tuple[str, ...] = ()
    stop: bool = False
    seq: int = -1
    answered_at: datetime | None = None
    played_at: datetime | None = None
    key: str = ""
    key_at: datetime | None = None
    heard_s: float = 0.0
    vendor_said: Outcome | None = None
    said_seq: int = -1
    outcome: Outcome | None = None
    vendor_code: str = ""
    ended_at: datetime | None = None
    hand_why: str = ""
    taken_by: str = ""
    logged_by: str = ""
    spoken_to: str = ""
    note: str = ""
    errors: int = 0


ATTEMPTS: Table[Attempt] = Table(
    "attempts",
    Attempt,
    (
        "realm",
        "channel",
        "carrier",
        "number_key",
        "state",
        "dialled_at",
        "lease_until",
        "due_at",
        "stop",
        "outcome",
    ),
    (("number_key", "dialled_at"), ("state",), ("due_at",), ("dialled_at",)),
)


class Pace(Row):
    """How a carrier may be used for calls (or texts): `next_at` (story time) is when its next slot is free.

    `failures` counts how often in a row it did not answer, `failed_calls` how many in a row it took and then failed
    by its own fault; until `down_until` another carrier goes first.
    """

    next_at: datetime
    failures: int = 0
    failed_calls: int = 0
    down_until: datetime | None = None


PACES: Table[Pace] = Table("paces", Pace, ("next_at",))
