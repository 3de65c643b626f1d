"""The door for what people change in the roster, publish and sign for: a swap, leave, a version, a handover. Pure.

A request names people as people do, by name where only one has it; who agreed is checked, not asked for again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from rosters import arrange
from rosters.changes import Change, ChangeError
from rosters.county import County
from streams.doors.orders import Name, Words
from streams.doors.refusal import RefusedError, missing
from streams.words import Model

OptionalName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
OptionalWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]

Time = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))]
"""A time that a roster can speak of; others cannot even be told in the county's zone."""


class ChangeRequest(Model):
    """Change the roster under way.

    Args:
        kind: swap: two shifts of `post`, named by `starts_at` and `second_at`, change hands. stand_in: `person` holds
            `post` from `starts_at` (now) to `ends_at` (the end of the shift). leave: `person` is away between the two.
        post: Id of the post; of leave none.
        person: Id or name of who stands in, or who is away.
        asked_by: Who asks.
        agreed_by: The leader on duty who agreed; left out, it is only asked for, and in force once the leader agrees.
        why: The reason.
    """

    kind: Literal["swap", "stand_in", "leave"]
    post: OptionalName = ""
    person: OptionalName = ""
    starts_at: Time | None = None
    ends_at: Time | None = None
    second_at: Time | None = None
    asked_by: Name
    agreed_by: OptionalName = ""
    why: Words


class DecideRequest(Model):
    """Decide about a change that was asked for, or take one back.

    Args:
        by: The leader on duty; of what is taken back, whoever does so.
        why: The reason; not needed to agree.
        agreed_by: The leader on duty, where a change in force is taken back.
    """

    by: Name
    why: OptionalWords = ""
    agreed_by: OptionalName = ""


class PublishRequest(Model):
    """Publish the roster as the county's files say; `despite` says why although something blocks it."""

    by: Name
    despite: OptionalWords = ""


class EquipmentSeen(Model):
    """A piece of equipment as whoever leaves saw it."""

    name: Name
    works: bool
    note: OptionalWords = ""


class SignRequest(Model):
    """Sign for a handover: `out` by whoever leaves, who says of the equipment, `in` by whoever takes over."""

    side: Literal["out", "in"]
    person: Name
    notes: OptionalWords = ""
    equipment: tuple[EquipmentSeen, ...] = Field(default=(), max_length=50)


class MeasureRequest(Model):
    """A hard measure that is in force at a post, or is lifted: its words, and on whose word."""

    post: Name
    text: Words
    on_word_of: Name


class ZeroReportRequest(Model):
    """The daily report of a duty post; an empty text says that there is nothing to report."""

    post: Name
    person: Name
    text: OptionalWords = ""


class VerifyRequest(Model):
    """Verify the `nth` number of a person by a call, or by a text, that carries a code; at night only if said so."""

    person: Name
    nth: int = Field(default=1, ge=1, le=20)
    by_text: bool = False
    at_night: bool = False


class CodeRequest(Model):
    """The code that somebody heard or read at their number, and told."""

    person: Name
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class WithdrawRequest(Model):
    """Take back that the `nth` number of a person is verified, and why."""

    person: Name
    nth: int = Field(default=1, ge=1, le=20)
    why: Words


def change_of(request: ChangeRequest, county: County, at: datetime) -> Change:
    """Make the change that a request asks for; agreed by nobody where it names nobody.

    Raises:
        RefusedError: 400; something is missing, or the change cannot be.
    """
    asked_by, agreed_by, why = request.asked_by, request.agreed_by or None, request.why
    try:
        match request.kind:
            case "swap":
                first, second = _given(request, "starts_at"), _given(request, "second_at")
                return arrange.swap(
                    county, request.post, first, second, asked_by=asked_by, agreed_by=agreed_by, why=why, at=at
                )
            case "stand_in":
                return arrange.stand_in(
                    county,
                    request.post,
                    request.person,
                    starts_at=request.starts_at,
                    ends_at=request.ends_at,
                    asked_by=asked_by,
                    agreed_by=agreed_by,
                    why=why,
                    at=at,
                )
            case "leave":
                start, end = request.starts_at or at, _given(request, "ends_at")
                return arrange.leave(
                    county, request.person, start, end, asked_by=asked_by, agreed_by=agreed_by, why=why, at=at
                )
    except ChangeError as error:
        raise refused(error) from error


def refused(error: ChangeError) -> RefusedError:
    """Return a change that cannot be as the refusal that every door gives."""
    return RefusedError(400, error.element, error.reason, error.reason_en)


def _given(request: ChangeRequest, field: str) -> datetime:
    at: datetime | None = getattr(request, field)
    if at is None:
        raise missing(field)
    return at
