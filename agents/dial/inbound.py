"""Whoever calls back hears the last message meant for their number, and can confirm it.

Works inside one step, like a claim: the call is an attempt of its own (`direction` inbound), and what is pressed in it
goes the same way as in a call of ours. It never dials, and of a number that nobody knows it keeps nothing.

What a call back proves is less than what our own call proves: the number shown by a caller can be forged. So the
ledger says of each receipt in which direction the call went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.callout.decide import attempt_limit
from agents.callout.state import CALLOUTS, OPEN, UNANSWERED, Callout, CalloutState
from agents.dial.hear import DialReason
from agents.dial.script import script_of
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.facts import Facts
from agents.plan.spoken import speak
from agents.plan.state import ROUNDS
from rosters.numbers import mask
from streams.ids import REAL, digest, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.letters import Mode
from streams.words import Channel

MEANT_WITHIN = timedelta(hours=24)
NEWS_S = 90
"""After so long the carrier is asked how a call back ended: it comes without callbacks of its own."""
SPOKEN_MAX = 3
LOOKED_THROUGH_MAX = 200
RINGING = (CalloutState.CALLING, CalloutState.HEARD_NO_KEY)


@dataclass(frozen=True)
class Caller:
    """Who calls: the number as the carrier shows it, its keyed digest, and the carrier's id of the call."""

    number: str
    number_key: str
    carrier: str
    call_id: str


def take_call(step: Step, facts: Facts, caller: Caller, owner: str, now: datetime, wall: datetime) -> Attempt | None:
    """Return the attempt that a call back is, with what it says; None where nothing was meant for the number.

    Args:
        step: The transaction it is written in.
        facts: The county and its rules.
        caller: Who calls. Told again, the same call is the same attempt.
        owner: Which process this is.
        now: Story time.
        wall: Real time.
    """
    before = step.find(
        ATTEMPTS,
        Where("number_key", "=", caller.number_key),
        Where("dialled_at", ">", now - MEANT_WITHIN),
        order=("-dialled_at",),
        limit=LOOKED_THROUGH_MAX,
    )
    known = next((item for item in before if item.vendor_id == caller.call_id), None)
    if known is not None:
        return known
    meant = _meant(step, facts, caller, before, now)
    if not meant:
        return None
    script = script_of([_with_voice(item) for item in meant], Channel.VOICE, facts.book)
    person_id, phone = _person(facts, caller.number, before)
    attempt = Attempt(
        id=make_id(meant[0].realm, "attempt", "inbound", caller.carrier, caller.call_id),
        realm=meant[0].realm,
        channel=Channel.VOICE,
        direction="inbound",
        carrier=caller.carrier,
        number_key=caller.number_key,
        masked=mask(caller.number),
        person_id=person_id,
        phone=phone,
        callouts=tuple(item.id for item in meant),
        rounds=tuple(dict.fromkeys(item.round_id for item in meant)),
        severity=meant[0].severity,
        voice=script.voice,
        prompt=script.prompt,
        language=script.language,
        exercise=script.exercise,
        state=AttemptState.PLACED,
        vendor_id=caller.call_id,
        owner=owner,
        lease_until=wall,
        dialled_at=now,
        dial_no=1,
        due_at=now + timedelta(seconds=NEWS_S),
    )
    step.save(ATTEMPTS, [attempt])
    # Not while a call of ours is under way for it: that call's outcome is what its ladder waits for.
    waiting = [item for item in meant if item.state in RINGING and not item.attempt_id]
    claim = {"attempt_id": attempt.id, "call_at": None, "due_at": attempt_limit(now)}
    step.save(CALLOUTS, [item.model_copy(update=claim) for item in waiting])
    step.append([_entry(item, attempt, now) for item in meant])
    return attempt


def find_call(step: Step, caller: Caller, now: datetime) -> str:
    """Return the id of the attempt that a call back became, or "" where it became none."""
    made = step.find(
        ATTEMPTS,
        Where("number_key", "=", caller.number_key),
        Where("dialled_at", ">", now - MEANT_WITHIN),
        order=("-dialled_at",),
        limit=LOOKED_THROUGH_MAX,
    )
    return next((item.id for item in made if item.vendor_id == caller.call_id), "")


def _meant(step: Step, facts: Facts, caller: Caller, before: Sequence[Attempt], now: datetime) -> list[Callout]:
    """Return what is meant for a number: what is open, else what nobody answered, else what it was last told.

    All of one realm, the real one first, and nothing of a round that was stopped.
    """
    told = step.load(CALLOUTS, {callout_id for item in before for callout_id in item.callouts})
    posts = facts.county.posts_of_number(caller.number, now)
    queued = step.find(CALLOUTS, Where("target_post", "in", posts), Where("state", "in", OPEN)) if posts else []
    rows = {**told, **{item.id: item for item in queued}}
    rounds = step.load(ROUNDS, {item.round_id for item in rows.values()})
    # What is meant for a number asks for something that a forged caller's number must not answer.
    open_rows = [item for item in rows.values() if rounds[item.round_id].stopped_at is None and not item.number_key]
    live = [item for item in open_rows if item.voice or item.text]
    called = [item for item in live if item.mode is Mode.CALL]
    waiting = [item for item in called if item.is_open] or [item for item in called if item.state in UNANSWERED]
    if not waiting:
        last = next((item for item in before if any(each.id in item.callouts for each in live)), None)
        waiting = [item for item in live if last is not None and item.id in last.callouts]
    realms = {item.realm for item in waiting}
    realm = REAL if REAL in realms else max(realms, default="")
    ours = [item for item in waiting if item.realm == realm]
    return sorted(ours, key=lambda item: (-item.severity, -item.priority, item.opened_at, item.id))[:SPOKEN_MAX]


def _with_voice(callout: Callout) -> Callout:
    """Return a callout that has words for a call, where it was only to be told by message too."""
    return callout if callout.voice else callout.model_copy(update={"voice": speak(callout.text)})


def _person(facts: Facts, number: str, before: Sequence[Attempt]) -> tuple[str, int]:
    """Return whose number it is by the roster, and which of their phones; else whom it was dialled for."""
    for person in facts.county.people.values():
        for place, phone in enumerate(person.phones):
            if phone.number == number:
                return person.id, place
    return (before[0].person_id, before[0].phone) if before else ("", 0)


def _entry(callout: Callout, attempt: Attempt, now: datetime) -> Draft:
    return Draft(
        subject=callout.id,
        what="called_back",
        why=DialReason.CALLED_BACK,
        by="dial",
        at=now,
        facts={
            "attempt": attempt.id,
            "direction": attempt.direction,
            "carrier": attempt.carrier,
            "number": attempt.masked,
            "person": attempt.person_id,
            "said": digest(attempt.voice, length=16),
            "with_others": len(attempt.callouts) - 1,
        },
    )
