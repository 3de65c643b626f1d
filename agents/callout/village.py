"""When a whole village is cut off (失联村): every phone of it switched off or without coverage within minutes. Pure.

People there are not asleep and ringing on wakes nobody: one trouble for the village, and its posts go onto the visit
list at once. It never calls a village lost while one of its phones was not tried, rang, or answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from agents.callout.course import CalloutReason, Course
from agents.callout.state import ANSWERED, Callout, Unreachable
from agents.facts import Facts
from rosters.model import Person
from rosters.numbers import BY_HAND_SCHEME, mask
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import Mode
from streams.rooms import Decision, Trouble, trouble
from streams.words import Level

PHONES_MIN = 2
"""One phone that is switched off is a phone that is switched off, and not a village."""


def concerns(callout: Callout) -> bool:
    """Tell whether a callout has just met a phone that could not be reached, in a village."""
    return bool(callout.unreachable) and callout.level in (Level.VILLAGE, Level.SITE)


def is_lost(callouts: Sequence[Callout], now: datetime, facts: Facts) -> bool:
    """Tell whether a village is cut off.

    Args:
        callouts: All callouts of one round in the village, its sites included.
        now: Story time.
        facts: The county and its rules.
    """
    called = [item for item in callouts if item.mode is Mode.CALL]
    if any(item.state in ANSWERED for item in called):
        return False
    since = now - timedelta(seconds=facts.book.knobs.lost_village_s)
    tried = {(item.person_id, item.masked) for each in called for item in each.unreachable if item.at >= since}
    people = _people({item.post_id for item in called}, now, facts)
    # A radio meets no network that could be gone: whether anybody hears it, a person has to find out.
    numbers = {phone.number for each in people for phone in each.phones if not phone.number.startswith(BY_HAND_SCHEME)}
    # One number may be several people's: tried for one of them, it was tried.
    silent = {phone.number for person in people for phone in person.phones if (person.id, mask(phone.number)) in tried}
    return len(numbers) >= PHONES_MIN and numbers == silent


def decide_lost(callouts: Sequence[Callout], now: datetime, facts: Facts) -> list[Decision[Callout]]:
    """End what is still to be rung there: onto the visit list, as cut off. A call under way is left to its end."""
    decisions = []
    for callout in callouts:
        if callout.mode is Mode.CALL and callout.is_open and not callout.attempt_id:
            course = Course(callout, now, facts)
            course.give_up(CalloutReason.VILLAGE_LOST, cut_off=True)
            # The village is one trouble, and not one more for each of its posts.
            decisions.append(Decision(CalloutReason.VILLAGE_LOST, course.callout, tuple(course.letters), course.noted))
    return decisions


def village_trouble(callouts: Sequence[Callout], now: datetime, facts: Facts) -> Trouble:
    """Return the one trouble of a village that is lost in a chain."""
    first = callouts[0]
    name = facts.county.regions[first.region].name
    text = f"{name}全村失联：{len(callouts)}个岗位的电话都关机或无信号，请用卫星电话、电台联络，并派人前往"
    return trouble("village_lost", f"{first.chain_id}:{first.region}", text, now, first.township)


def post_troubles(callouts: Iterable[Callout]) -> list[str]:
    """Return the ids of the troubles of single posts that the village's own stands for."""
    return [make_id(item.realm, "trouble", "lost_contact", item.id) for item in callouts]


def village_entry(callouts: Sequence[Callout], now: datetime) -> Draft:
    """Return what is written down about it, under the chain."""
    first = callouts[0]
    facts = {"region": first.region, "round": first.round_id, "callouts": [item.id for item in callouts]}
    return Draft(
        subject=first.chain_id, what="village_lost", why=CalloutReason.VILLAGE_LOST, by="callout", at=now, facts=facts
    )


def note_phone(
    before: tuple[Unreachable, ...], person_id: str, masked: str, at: datetime, *, cut_off: bool
) -> tuple[Unreachable, ...]:
    """Return the phones that could not be reached, with one added, or taken off because something else was met."""
    others = tuple(item for item in before if (item.person_id, item.masked) != (person_id, masked))
    return (*others, Unreachable(person_id=person_id, masked=masked, at=at)) if cut_off else others


def _people(post_ids: Iterable[str], now: datetime, facts: Facts) -> list[Person]:
    """Return those who hold or deputise these posts."""
    roles: tuple[Literal["holder", "deputy"], ...] = ("holder", "deputy")
    held = [facts.county.who(post, now, role) for post in post_ids for role in roles]
    return [each.person for each in held if each is not None]
