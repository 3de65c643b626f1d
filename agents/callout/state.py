"""What CALLOUT remembers: one row per post and round, which is at the same time the queue that DIAL claims from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from config.rules import Ladder
from streams.ledger.contract import Row, Table
from streams.letters import Mode
from streams.words import Colour, Level, Model, Outcome


class CalloutState(StrEnum):
    """Where a callout stands.

    Only CONFIRMED means: a number answered, the message played to the end, key 1 pressed. VOUCHED is an operator's
    word, KNOCKED a person's at the door, SPOKEN that of whoever called by hand and spoke to them, REPLIED an SMS
    answer, HEARD a county's rule that hearing to the end counts. TOLD is a message handed to the carrier where nothing
    more was asked for. LOST is 失联: cut off, not asleep.
    """

    HELD = "held"
    CALLING = "calling"
    FETCHING = "fetching"
    HEARD_NO_KEY = "heard_no_key"
    CONFIRMED = "confirmed"
    VOUCHED = "vouched"
    KNOCKED = "knocked"
    SPOKEN = "spoken"
    REPLIED = "replied"
    HEARD = "heard"
    TOLD = "told"
    UNREACHED = "unreached"
    LOST = "lost"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"
    EXPIRED = "expired"


OPEN = (CalloutState.HELD, CalloutState.CALLING, CalloutState.FETCHING, CalloutState.HEARD_NO_KEY)
ANSWERED = (
    CalloutState.CONFIRMED,
    CalloutState.VOUCHED,
    CalloutState.KNOCKED,
    CalloutState.SPOKEN,
    CalloutState.REPLIED,
    CalloutState.HEARD,
)
UNANSWERED = (CalloutState.UNREACHED, CalloutState.LOST)


class Receipt(Model):
    """What is proved: this number answered, the message played to the end, a key pressed; not who held the phone."""

    attempt_id: str
    masked: str
    person_id: str
    answered_at: datetime | None
    played_at: datetime | None
    key: str
    key_at: datetime | None


class HandReceipt(Model):
    """What a person wrote down who called: who called, who was spoken to, when. Nothing more is proved.

    `proxy` is true where a liaison officer took it for whom it was meant.
    """

    attempt_id: str
    by: str
    spoken_to: str
    proxy: bool
    note: str
    at: datetime


class Unreachable(Model):
    """A phone that was switched off or had no coverage when it was last rung. The number is known by its mask."""

    person_id: str
    masked: str
    at: datetime


class Callout(Row):
    """One post to be woken in one round.

    `call_at` and `text_at` say from when it wants a call or a message; DIAL claims rows where they are due and clears
    them. `due_at` is when CALLOUT must look at it again whatever happens. `target_post` and `target_role` say whom the
    present step rings; who that is, is looked up at the claim. `calls` counts all calls, `calls_in_step` those of this
    step; `contacted` is false until the post was dialled for the first time. `vacant` notes that nobody held the post
    when it was looked up: it is looked up again until the round closes. `number_key` is set where one number is meant
    and no other, not even another phone of the same person. `listed_on` is the visit list it stands on,
    `times_listed` counts how often it was put on one. `unreachable` are the phones that met no network when they were
    last rung for it. `waits_for` is the carrier it was last left waiting for, or "".
    `hand_ids` are the calls for it that were put into people's hands, `hand_asked` notes that its present step was.
    """

    realm: str
    chain_id: str
    round_id: str
    post_id: str
    unit_id: str
    region: str
    township: str
    level: Level
    place: str
    hazard: str
    colour: Colour
    severity: int
    priority: int
    mode: Mode
    ladder: Ladder
    ladder_name: str
    rules_hash: str
    voice: str
    text: str
    visit_id: str = ""
    person_id: str = ""
    number_key: str = ""
    hold_reason: str = ""
    state: CalloutState
    opened_at: datetime
    step: int = 0
    step_started_at: datetime | None = None
    target_post: str
    target_role: str = "holder"
    phone: int = 0
    calls: int = 0
    calls_in_step: int = 0
    waits_for: str = ""
    texts: int = 0
    contacted: bool = False
    attempt_id: str = ""
    hand_ids: tuple[str, ...] = ()
    hand_asked: bool = False
    call_at: datetime | None = None
    text_at: datetime | None = None
    due_at: datetime | None = None
    first_dial_at: datetime | None = None
    last_dial_at: datetime | None = None
    outcomes: tuple[Outcome, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    heard: bool = False
    vacant: bool = False
    listed_on: str = ""
    times_listed: int = 0
    late_noted: bool = False
    receipt: Receipt | None = None
    hand_receipt: HandReceipt | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    why: str = ""
    errors: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether the machine still has something to do for it."""
        return self.state in OPEN

    @property
    def may_be_answered(self) -> bool:
        """Tell whether a person's word still answers it: not where it was answered, stopped, or called anew."""
        return self.state not in (*ANSWERED, CalloutState.CANCELLED, CalloutState.SUPERSEDED)


CALLOUTS: Table[Callout] = Table(
    "callouts",
    Callout,
    (
        "realm",
        "chain_id",
        "round_id",
        "post_id",
        "target_post",
        "township",
        "level",
        "colour",
        "state",
        "severity",
        "priority",
        "contacted",
        "opened_at",
        "call_at",
        "text_at",
        "due_at",
        "visit_id",
        "waits_for",
    ),
    (("call_at",), ("text_at",), ("due_at",), ("chain_id", "state"), ("round_id",), ("target_post",), ("state",)),
)
