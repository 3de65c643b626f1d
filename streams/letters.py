"""Letters: one message between rooms, written in the same transaction as the step that caused it.

The messages a letter may carry are all here, as one discriminated union, so that the whole traffic of the house can
be read on one page. A letter's id is made of what caused it and what it says: written twice, it is one letter.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from config.rules import Ladder
from streams.ids import make_id
from streams.words import Channel, Colour, Model, MsgType, Outcome, Status

SCHEMA_VERSION = 1


class IssuedWarning(Model):
    """One normalised message of one issuer, as a door understood it.

    `hazard` is a key of config/hazards.yaml, or None where neither code, headline nor text told it; `colour` likewise.
    `geocodes` are the codes as issued (GB/T 2260 or other), without repeats; `area_names` the areaDesc words.
    `areas_by_shape` is true where an area came only as polygon or circle.
    """

    id: str
    realm: str
    status: Status
    kind: MsgType
    identifier: str
    sender: str
    sent: datetime
    references: tuple[str, ...] = ()
    issuer: str = ""
    hazard: str | None = None
    colour: Colour | None = None
    headline: str = ""
    text: str = ""
    instruction: str = ""
    continued: bool = False
    effective_at: datetime | None = None
    onset_at: datetime | None = None
    expires_at: datetime | None = None
    geocodes: tuple[str, ...] = ()
    area_names: tuple[str, ...] = ()
    areas_by_shape: bool = False
    languages: tuple[str, ...] = ()


class Received(Model):
    """A door took a warning in; its raw bytes are kept under `raw_id`."""

    kind: Literal["received"] = "received"
    warning: IssuedWarning
    raw_id: str
    source: str
    received_at: datetime


class Ordered(Model):
    """A person ordered a call: on whose word, where, what about."""

    kind: Literal["ordered"] = "ordered"
    order_id: str
    realm: str
    regions: tuple[str, ...]
    hazard: str
    colour: Colour = Colour.RED
    text: str
    by: str
    on_word_of: str
    until: datetime | None = None
    ordered_at: datetime


class AlarmRaised(Model):
    """A threshold was crossed: internal (监测告警), never called or published as a 预警信号."""

    kind: Literal["alarm_raised"] = "alarm_raised"
    alarm_id: str
    realm: str
    hazard: str
    colour: Colour
    regions: tuple[str, ...]
    stations: tuple[str, ...]
    lone: bool
    text: str
    at: datetime


class DocumentRefused(Model):
    """A door could not read a document that was meant as a warning: a person has to look at it, also at night."""

    kind: Literal["document_refused"] = "document_refused"
    realm: str
    door: str
    by: str
    reason: str
    raw_id: str
    at: datetime


class OrderKind(StrEnum):
    """What a person may do to a chain under way."""

    CANCEL = "cancel"
    CORRECT = "correct"
    PAUSE = "pause"
    RESUME = "resume"


class ChainOrdered(Model):
    """A person cancels, corrects (误发更正), pauses or resumes a chain. A pause lasts five minutes at the most."""

    kind: Literal["chain_ordered"] = "chain_ordered"
    order_id: str
    chain_id: str
    order: OrderKind
    by: str
    text: str = ""
    pause_s: int = Field(default=300, ge=1, le=300)
    ordered_at: datetime


class Move(StrEnum):
    """What happened to a chain; each is a reason to plan something."""

    OPENED = "opened"
    RAISED = "raised"
    WIDENED = "widened"
    CONTINUED = "continued"
    LOWERED = "lowered"
    GATED = "gated"
    SHIFT_CHANGED = "shift_changed"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"
    EXPIRED = "expired"
    UNCLEAR = "unclear"
    PAUSED = "paused"
    RESUMED = "resumed"


class ChainMoved(Model):
    """INTAKE tells PLAN that a chain moved, and all that is needed to plan for it."""

    kind: Literal["chain_moved"] = "chain_moved"
    realm: str
    chain_id: str
    move: Move
    cause_id: str
    hazard: str
    colour: Colour
    regions: tuple[str, ...]
    named: tuple[str, ...] = ()
    issuer: str = ""
    text: str = ""
    headline: str = ""
    until: datetime | None = None
    source: Literal["warning", "order", "monitor"] = "warning"
    by: str = ""
    exercise: bool = False
    at: datetime


class Mode(StrEnum):
    """What a callout is opened for: to be called until it answers, to be told once, or to be held for the digest."""

    CALL = "call"
    MESSAGE = "message"
    HOLD = "hold"


class Opening(Model):
    """One callout to open: the post, its ladder by name, and the words.

    `voice` is what is spoken before the keys are asked for, `text` what is sent by SMS. `visit_id` is set where the
    callout hands over a visit list, `person_id` where it is meant for one person and not for whoever holds the post,
    `number_key` (the keyed digest of a number) where it is meant for that number and no other.
    """

    callout_id: str
    post_id: str
    person_id: str = ""
    number_key: str = ""
    mode: Mode
    ladder: str
    voice: str = ""
    text: str = ""
    priority: int = 0
    hold_until: datetime | None = None
    hold_reason: str = ""
    visit_id: str = ""


class OpenCallouts(Model):
    """A page of at most 200 openings of one round, with the ladders they name, frozen as they were when planned."""

    kind: Literal["open_callouts"] = "open_callouts"
    realm: str
    chain_id: str
    round_id: str
    hazard: str
    colour: Colour
    rules_hash: str
    ladders: dict[str, Ladder]
    openings: tuple[Opening, ...] = Field(max_length=200)


class HandResult(StrEnum):
    """What a person may write down of a call made by hand; all but TAKEN are outcomes."""

    TAKEN = "taken"
    SPOKEN = Outcome.SPOKEN
    PROXY = Outcome.PROXY
    CANNOT = Outcome.CANNOT
    NO_ANSWER = Outcome.NO_ANSWER
    BUSY = Outcome.BUSY
    SWITCHED_OFF = Outcome.SWITCHED_OFF
    NO_COVERAGE = Outcome.NO_COVERAGE
    WRONG_NUMBER = Outcome.WRONG_NUMBER


class CallNews(Model):
    """A carrier tells how an attempt goes: progress, or its end. `seq` orders what one vendor says of one call."""

    kind: Literal["call_news"] = "call_news"
    attempt_id: str
    seq: int
    progress: Literal["ringing", "answered", "played", "key", "ended", "sent", "delivered", "failed"]
    key: str = ""
    heard_s: float = 0.0
    outcome: Outcome | None = None
    vendor_code: str = ""
    at: datetime


class HandLogged(Model):
    """A person takes a call that is to be made by hand, or writes down what came of it.

    `result` is TAKEN, or an outcome as a person can tell it. `spoken_to` is who was spoken to: the one it was for, or,
    with PROXY, the liaison officer who passes it on.
    """

    kind: Literal["hand_logged"] = "hand_logged"
    attempt_id: str
    order_id: str
    by: str
    result: HandResult
    spoken_to: str = ""
    note: str = ""
    at: datetime


class TextReplied(Model):
    """Somebody at a number answered by SMS. The number is known by its keyed digest only."""

    kind: Literal["text_replied"] = "text_replied"
    realm: str
    number_key: str
    masked: str
    text: str
    vendor_id: str
    at: datetime


class AttemptEnded(Model):
    """DIAL tells a callout how an attempt for it ended. `by`, `spoken_to` and `note` are of a call made by hand."""

    kind: Literal["attempt_ended"] = "attempt_ended"
    callout_id: str
    attempt_id: str
    channel: Channel
    outcome: Outcome
    heard_s: float = 0.0
    key: str = ""
    masked: str = ""
    person_id: str = ""
    answered_at: datetime | None = None
    played_at: datetime | None = None
    key_at: datetime | None = None
    by: str = ""
    spoken_to: str = ""
    note: str = ""
    ended_at: datetime


class HangUpAsked(Model):
    """A callout ended while a call for it was under way; DIAL hangs up when nothing else hangs on that call."""

    kind: Literal["hang_up_asked"] = "hang_up_asked"
    attempt_id: str
    callout_id: str
    at: datetime


class NobodyHeld(Model):
    """DIAL looked up a post and nobody holds it, or nobody there has a phone that could be dialled."""

    kind: Literal["nobody_held"] = "nobody_held"
    callout_id: str
    version: int
    post_id: str
    why: str
    at: datetime


class Vouched(Model):
    """A person says that a callout was heard: 代确认 by an operator, or 上门 by a knocker. `how` in their words."""

    kind: Literal["vouched"] = "vouched"
    callout_id: str
    order_id: str
    by: str
    heard_by: str
    how: str
    at_the_door: bool
    at: datetime


class Replied(Model):
    """An SMS answer that could be tied to one callout."""

    kind: Literal["replied"] = "replied"
    callout_id: str
    masked: str
    text: str
    at: datetime


class Stopped(Model):
    """Nothing more is to be called for these callouts: cancelled, corrected, superseded by a later round, expired."""

    kind: Literal["stopped"] = "stopped"
    callout_ids: tuple[str, ...] = Field(max_length=200)
    why: Literal["cancelled", "corrected", "superseded", "expired"]
    by: str = ""
    at: datetime


class VisitNeeded(Model):
    """A callout was not woken by phone: somebody has to go to the door."""

    kind: Literal["visit_needed"] = "visit_needed"
    visit_id: str
    round_id: str
    unit_id: str
    callout_id: str
    post_id: str
    place: str
    why: str
    lost_contact: bool = False
    heard: bool = False
    at: datetime


class VisitTaken(Model):
    """Somebody confirmed the call that handed a visit list over: the list is in their hands."""

    kind: Literal["visit_taken"] = "visit_taken"
    visit_id: str
    callout_id: str
    by: str
    at: datetime


class VisitSettled(Model):
    """A callout on a visit list was answered after all, or somebody was at the door, or the round was stopped."""

    kind: Literal["visit_settled"] = "visit_settled"
    visit_id: str
    callout_id: str
    why: str
    by: str = ""
    at: datetime


class Reading(Model):
    """One value of one sensor at one time. `quantity` is rain_mm (fell since the last reading) or level_m."""

    station: str
    quantity: Literal["rain_mm", "level_m"]
    at: datetime
    value: float
    historical: bool = False


class ReadingsArrived(Model):
    """A page of readings of one station, as one door took them in."""

    kind: Literal["readings_arrived"] = "readings_arrived"
    realm: str
    station: str
    readings: tuple[Reading, ...] = Field(max_length=500)
    received_at: datetime


class AuditWritten(Model):
    """Entries appended by one step, on their way to the `audit` topic."""

    kind: Literal["audit_written"] = "audit_written"
    entries: tuple[dict[str, Any], ...]


class DeadLetter(Model):
    """Bytes nobody could handle, kept with the reason; a person is told."""

    kind: Literal["dead_letter"] = "dead_letter"
    door: str
    reason: str
    element: str = ""
    raw_id: str = ""
    letter_id: str = ""
    at: datetime


Message = Annotated[
    Received
    | Ordered
    | AlarmRaised
    | DocumentRefused
    | ChainOrdered
    | ChainMoved
    | OpenCallouts
    | CallNews
    | HandLogged
    | TextReplied
    | AttemptEnded
    | HangUpAsked
    | NobodyHeld
    | Vouched
    | Replied
    | Stopped
    | VisitNeeded
    | VisitTaken
    | VisitSettled
    | ReadingsArrived
    | AuditWritten
    | DeadLetter,
    Field(discriminator="kind"),
]
MESSAGE: TypeAdapter[Any] = TypeAdapter(Message)


class Unread(Model):
    """Stands for a message that nobody read: who only passes a letter on has no need to know what it says."""

    kind: Literal["unread"] = "unread"


UNREAD = Unread()


class Letter(Model):
    """A message with its address and its times.

    `at` is the story time of the step that wrote it; `not_before` holds it back until then (story time). It is open
    until `handled_at` is set, which happens only in its reader's transaction.
    """

    id: str
    topic: str
    key: str
    message: Message
    at: datetime
    not_before: datetime
    tries: int = 0
    schema_version: int = SCHEMA_VERSION

    @property
    def is_spoiled(self) -> bool:
        """Tell whether its message cannot be read though no newer program wrote it: then nobody ever will."""
        message: Model = self.message
        return message is UNREAD and self.schema_version <= SCHEMA_VERSION


def write_letter(
    topic: str, key: str, message: Any, at: datetime, *, cause: str, not_before: datetime | None = None
) -> Letter:
    """Make a letter whose id follows from its cause and its message's kind and key.

    Args:
        topic: One of streams/topics.py.
        key: The id of the thing the letter is about; letters of one key go to one partition.
        message: One of the messages of this file.
        at: Story time of the step that writes it.
        cause: What makes this letter different from another of the same kind and key: an id, or id and version.
        not_before: Story time before which no room may see it.
    """
    realm = key.split("|", 1)[0] if "|" in key else "real"
    letter_id = make_id(realm, "letter", topic, key, message.kind, cause)
    return Letter(id=letter_id, topic=topic, key=key, message=message, at=at, not_before=not_before or at)
