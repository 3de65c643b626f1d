"""The door for what people order: call villages, stop or correct a chain, say that somebody was woken. Pure.

A request names places as people do; a letter names them by code. A name that is not known is refused together with the
names that are like it: a wrong village must never be guessed. Whether a chain or a callout is still open is for its
room to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from config.rules import Hazard
from rosters.county import County
from rosters.model import Region
from streams import topics
from streams.doors.refusal import RefusedError, missing, unreadable
from streams.ids import make_id, realm_of
from streams.letters import ChainOrdered, HandLogged, HandResult, Letter, Ordered, OrderKind, Vouched, write_letter
from streams.words import Colour, Model

NEAR_MAX = 3
NEAR_CUTOFF = 0.5

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class CallRequest(Model):
    """Call these places about this hazard, on somebody's word.

    Args:
        villages: Names or 12-digit codes of villages and townships; the county's own means all of it.
        hazard: A key of config/hazards.yaml, or the hazard's Chinese name.
        colour: How urgently; red unless said otherwise, for who orders a call wants it made.
        text: What to tell them.
        by: Who gives the order.
        on_word_of: On whose word, or on what basis: 县防指值班领导王某, 现场巡查员电话.
        until: When it ends; by default after the hazard's usual validity.
    """

    villages: tuple[Name, ...] = Field(min_length=1, max_length=500)
    hazard: Name
    colour: Colour = Colour.RED
    text: Words
    by: Name
    on_word_of: Words
    until: AwareDatetime | None = None


class ChainRequest(Model):
    """Cancel, correct (误发更正), pause or resume a chain. A pause resumes by itself after `pause_s`."""

    order: OrderKind
    by: Name
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    pause_s: int = Field(default=300, ge=1, le=300)


class VouchRequest(Model):
    """代确认, or 上门: who heard it, and how that is known, in the words of whoever says so."""

    by: Name
    heard_by: Name
    how: Words
    at_the_door: bool = False


class LogRequest(Model):
    """我来打: somebody takes a call that people are to make, or writes down what came of it.

    Args:
        by: Who calls.
        result: taken, or what came of it.
        spoken_to: Who was spoken to; needed for `spoken` and `proxy`.
        note: What was said, in a sentence.
    """

    by: Name
    result: HandResult
    spoken_to: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


def call_order(
    request: CallRequest, county: County, hazards: Collection[Hazard], *, realm: str, ordered_at: datetime
) -> Letter:
    """Turn an order to call into the letter that INTAKE reads.

    The same order by the same person within one minute is one order, so that a second press does no harm.

    Raises:
        RefusedError: 400; a place or the hazard is not known, or the order would be over before it begins.
    """
    regions = tuple(dict.fromkeys(find_region(name, county) for name in request.villages))
    hazard = find_hazard(request.hazard, hazards)
    if request.until is not None and request.until <= ordered_at:
        raise RefusedError(
            400,
            "until",
            f"结束时间 {request.until.astimezone(county.zone):%Y-%m-%d %H:%M} 已过，请改正后重新下达。",
            f"until, {request.until.isoformat()}, is over already; correct it and order again.",
        )
    until = request.until.isoformat() if request.until else ""
    said = (request.by, request.on_word_of, request.text)
    content = (*said, ",".join(sorted(regions)), hazard, request.colour.value, until)
    order_id = make_id(realm, "order", "call", *content, _minute(ordered_at))
    message = Ordered(
        order_id=order_id,
        realm=realm,
        regions=regions,
        hazard=hazard,
        colour=request.colour,
        text=request.text,
        by=request.by,
        on_word_of=request.on_word_of,
        until=request.until,
        ordered_at=ordered_at,
    )
    key = make_id(realm, "chainhint", "order", hazard)
    return write_letter(topics.WARNINGS_RAW, key, message, ordered_at, cause=order_id)


def chain_order(request: ChainRequest, chain_id: str, *, ordered_at: datetime) -> Letter:
    """Turn an order about a chain into the letter that INTAKE reads.

    A second cancellation or correction within one minute is the same one. Pauses are told apart by the second: pause,
    resume, pause within a minute are three orders.

    Raises:
        RefusedError: 400; the id is none of a chain, or a correction does not say what is correct.
    """
    _check_id(chain_id, "chain")
    if request.order is OrderKind.CORRECT and not request.text:
        raise missing("text")
    brief = request.order in (OrderKind.PAUSE, OrderKind.RESUME)
    moment = _second(ordered_at) if brief else _minute(ordered_at)
    order_id = make_id(realm_of(chain_id), "order", request.order.value, chain_id, request.by, request.text, moment)
    message = ChainOrdered(
        order_id=order_id,
        chain_id=chain_id,
        order=request.order,
        by=request.by,
        text=request.text,
        pause_s=request.pause_s,
        ordered_at=ordered_at,
    )
    return write_letter(topics.WARNINGS_RAW, chain_id, message, ordered_at, cause=order_id)


def vouch(request: VouchRequest, callout_id: str, *, ordered_at: datetime) -> Letter:
    """Turn somebody's word that a callout was heard into the letter that CALLOUT reads.

    It proves that `by` said so and no more; a key pressed at the phone stays a thing of its own.

    Raises:
        RefusedError: 400; the id is none of a callout.
    """
    _check_id(callout_id, "callout")
    door = "door" if request.at_the_door else "vouch"
    content = (callout_id, request.by, request.heard_by, request.how)
    order_id = make_id(realm_of(callout_id), "order", door, *content, _minute(ordered_at))
    message = Vouched(
        callout_id=callout_id,
        order_id=order_id,
        by=request.by,
        heard_by=request.heard_by,
        how=request.how,
        at_the_door=request.at_the_door,
        at=ordered_at,
    )
    return write_letter(topics.CALLOUTS, callout_id, message, ordered_at, cause=order_id)


def log_call(request: LogRequest, attempt_id: str, *, ordered_at: datetime) -> Letter:
    """Turn what somebody writes down about a call made by hand into the letter that DIAL reads.

    It proves that `by` wrote so and no more. The same words within one minute are one entry.

    Raises:
        RefusedError: 400; the id is none of an attempt, or nobody is named who was spoken to.
    """
    _check_id(attempt_id, "attempt")
    if request.result in (HandResult.SPOKEN, HandResult.PROXY) and not request.spoken_to:
        raise missing("spoken_to")
    content = (attempt_id, request.by, request.result.value, request.spoken_to, request.note)
    order_id = make_id(realm_of(attempt_id), "order", "hand", *content, _minute(ordered_at))
    message = HandLogged(
        attempt_id=attempt_id,
        order_id=order_id,
        by=request.by,
        result=request.result,
        spoken_to=request.spoken_to,
        note=request.note,
        at=ordered_at,
    )
    return write_letter(topics.CALLS, attempt_id, message, ordered_at, cause=order_id)


def find_region(name: str, county: County) -> str:
    """Return the code of the place a person named.

    Raises:
        RefusedError: 400; there is none of that name (near ones are offered), or there are several (they are told).
    """
    names = county.names() | {county.name: county.code}
    if name in county.regions:
        return name
    if name in names:
        return names[name]
    same = [_full_name(region, county) for region in county.regions.values() if region.name == name]
    if same:
        offered = "、".join(sorted(same))
        raise RefusedError(
            400,
            "villages",
            f"“{name}”有 {len(same)} 处同名：{offered}，请写明乡镇。",
            f'"{name}" is the name of {len(same)} places: {offered}; say which township.',
        )
    raise _not_found("villages", "村或乡镇", name, get_close_matches(name, names, NEAR_MAX, NEAR_CUTOFF))


def find_hazard(name: str, hazards: Collection[Hazard]) -> str:
    """Return the key of the hazard a person named by key, Chinese name or one of its words.

    Raises:
        RefusedError: 400; there is none of that name, or a word means several.
    """
    keys: Mapping[str, str] = {hazard.key: hazard.key for hazard in hazards} | {
        hazard.name: hazard.key for hazard in hazards
    }
    if name in keys:
        return keys[name]
    meant = sorted(hazard.name for hazard in hazards if name in hazard.words)
    if len(meant) == 1:
        return keys[meant[0]]
    raise _not_found("hazard", "灾种", name, meant or get_close_matches(name, keys, NEAR_MAX, NEAR_CUTOFF))


def _full_name(region: Region, county: County) -> str:
    parent = county.regions.get(region.parent)
    return (parent.name if parent else "") + region.name


def _not_found(element: str, what: str, name: str, near: Sequence[str]) -> RefusedError:
    offered = "、".join(near)
    return RefusedError(
        400,
        element,
        f"没有名为“{name}”的{what}，" + (f"是不是：{offered}？" if near else "请核对名称或改用代码。"),
        f'"{name}" is not known here; ' + (f"did you mean {offered}?" if near else "check the name or send a code."),
    )


def _check_id(content_id: str, kind: str) -> None:
    if not re.fullmatch(rf"(real|(drill|check):[A-Za-z0-9_.-]{{1,40}})\|{kind}\|[0-9a-f]+", content_id):
        raise unreadable(f"{kind}_id", content_id)


def _minute(at: datetime) -> str:
    return str(int(at.timestamp()) // 60)


def _second(at: datetime) -> str:
    return str(int(at.timestamp()))
