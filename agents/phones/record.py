"""Asks for verifications, takes codes that come back, and says which phones are verified; each in one step.

Called by the command line, by DIAL for texts, and by PHONES itself. It dials nothing, and no sheet, no person and no
page can make a number verified without its code.
"""

from __future__ import annotations

import re
from datetime import datetime

from agents.dial.state import ATTEMPTS, Attempt
from agents.phones.calls import post_for
from agents.phones.codes import DIGITS, is_code
from agents.phones.decide import PhonesReason, own_attempts, verified, was_heard, wrong_code
from agents.phones.state import (
    REALM,
    VERIFICATIONS,
    VERIFIED_PHONES,
    Verification,
    VerificationState,
    VerifiedHow,
    VerifiedPhone,
)
from rosters.county import County
from rosters.model import Person, Phone
from rosters.numbers import mask, number_digest
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.letters import TextReplied
from streams.rooms import Decision, apply
from streams.words import Channel

OPEN = (VerificationState.WAITING, VerificationState.ASKED)
PHONES_MAX = 500_000
ATTEMPTS_MAX = 200
DAY_FROM_H, DAY_TO_H = 7, 21
"""Nobody is woken for a number check; hours of ours, no rule."""
_CODE = re.compile(rf"(?<!\d)\d{{{DIGITS}}}(?!\d)")


class PhoneError(Exception):
    """A number cannot be asked, or a code cannot be taken: what is wrong and what to do, in both languages."""

    def __init__(self, reason: str, english: str) -> None:
        self.reason, self.english = reason, english
        super().__init__(f"{reason} / {english}")


def check_hour(local: datetime) -> None:
    """Let nobody be woken for a number check unless whoever asks insists.

    Args:
        local: Now, in the zone of the county.

    Raises:
        PhoneError: It is night.
    """
    if not DAY_FROM_H <= local.hour < DAY_TO_H:
        raise PhoneError(
            f"现在 {local:%H:%M}，为核实号码不在夜里打扰人；确有必要请注明夜里也打（--at-night 或 at_night）",
            "nobody is woken for a number check; where it must be, say so (--at-night, at_night)",
        )


def ask(  # noqa: PLR0913 - whose number, by which way, who asks, when, and the secret it is kept under
    step: Step, county: County, person: Person, phone: Phone, *, channel: Channel, by: str, now: datetime, secret: bytes
) -> Verification:
    """Ask for a number to be verified; while it is being asked already, that one is returned.

    Raises:
        PhoneError: A landline takes no text.
    """
    if phone.kind == "landline" and channel is Channel.TEXT:
        raise PhoneError(f"{person.name} 的座机收不到短信，请用电话核实", "a landline takes no text: verify it by call")
    key = number_digest(phone.number, secret)
    asked = step.find(VERIFICATIONS, Where("number_key", "=", key), Where("state", "in", OPEN), limit=1)
    if asked:
        return asked[0]
    row = Verification(
        id=make_id(REALM, "verification", key, person.name, now.isoformat()),
        person_id=person.id,
        name=person.name,
        post_id=post_for(county, person.id),
        number_key=key,
        masked=mask(phone.number),
        channel=channel,
        asked_by=by,
        asked_at=now,
        due_at=now,
    )
    noted = {"person": person.id, "name": person.name, "number": row.masked, "channel": channel}
    step.save(VERIFICATIONS, [row])
    step.append([Draft(subject=row.id, what="asked", why=PhonesReason.ASKED, by=by, at=now, facts=noted)])
    return row


def enter_code(step: Step, person_id: str, code: str, *, by: str, now: datetime, secret: bytes) -> Verification:
    """Take the code that somebody heard or read at the number and told.

    Returns:
        The verification: VERIFIED, or still ASKED (or FAILED) where the code was wrong, which is counted.

    Raises:
        PhoneError: Nothing is being asked of this person, or the code never reached the number.
    """
    rows = step.find(
        VERIFICATIONS, Where("person_id", "=", person_id), Where("state", "=", VerificationState.ASKED), limit=10
    )
    live = [row for row in rows if row.ends_at is None or now < row.ends_at]
    if not live:
        raise PhoneError(
            "没有等着核实码的号码，或已过时限，请重新核实", "no code is waited for, or its time is over: ask again"
        )
    heard = [row for row in live if was_heard(_attempts_for(step, row))]
    if not heard:
        raise PhoneError(
            "核实码还没有在那个号码上听完或送达，不能核实",
            "the code was not yet heard to the end, or delivered, at that number",
        )
    right = next((row for row in heard if is_code(code, row.callout_id, secret)), None)
    if right is not None:
        return _save(step, verified(right, VerifiedHow.CODE, by, now), by, now)
    counted = [_save(step, wrong_code(row, by, now), by, now) for row in heard]
    return counted[0]


def take_reply(step: Step, message: TextReplied, now: datetime, secret: bytes) -> bool:
    """Take a code that came back by text from the very number it went to; return whether it was one."""
    rows = step.find(
        VERIFICATIONS,
        Where("number_key", "=", message.number_key),
        Where("state", "=", VerificationState.ASKED),
        limit=10,
    )
    codes = _CODE.findall(message.text)
    for row in rows:
        in_time = row.ends_at is None or now < row.ends_at
        if in_time and any(is_code(code, row.callout_id, secret) for code in codes):
            _save(step, verified(row, VerifiedHow.REPLY, message.masked, now), message.masked, now)
            return True
    return False


def note_verified(step: Step, row: Verification, by: str, now: datetime) -> None:
    """Keep a number as verified for the name it was asked with."""
    phone_id = make_id(REAL, "phone", row.number_key, row.name)
    known = step.load(VERIFIED_PHONES, [phone_id]).get(phone_id)
    fresh = VerifiedPhone(
        id=phone_id,
        version=known.version if known else 0,
        number_key=row.number_key,
        name=row.name,
        masked=row.masked,
        person_id=row.person_id,
        how=row.how or VerifiedHow.CODE,
        by=by,
        verified_at=now,
        verification_id=row.id,
    )
    step.save(VERIFIED_PHONES, [fresh])
    noted = {"name": row.name, "number": row.masked, "how": fresh.how, "verification": row.id}
    step.append([Draft(subject=phone_id, what="verified", why=PhonesReason.VERIFIED, by=by, at=now, facts=noted)])


def withdraw(step: Step, person: Person, phone: Phone, *, by: str, why: str, now: datetime, secret: bytes) -> None:
    """Take back that a number is verified: it was given up, or somebody else has it now.

    Raises:
        PhoneError: It was not verified.
    """
    phone_id = make_id(REAL, "phone", number_digest(phone.number, secret), person.name)
    known = step.load(VERIFIED_PHONES, [phone_id]).get(phone_id)
    if known is None or known.withdrawn_at is not None:
        raise PhoneError(f"{person.name} 的这个号码没有核实过", "this number was not verified")
    step.save(VERIFIED_PHONES, [known.model_copy(update={"withdrawn_at": now})])
    noted = {"name": person.name, "number": known.masked, "because": why}
    step.append([Draft(subject=phone_id, what="withdrawn", why=PhonesReason.WITHDRAWN, by=by, at=now, facts=noted)])


def known_phones(step: Step) -> dict[tuple[str, str], VerifiedPhone]:
    """Return what is verified, by keyed digest of the number and by name."""
    rows = step.find(VERIFIED_PHONES, Where("withdrawn_at", "is null"), limit=PHONES_MAX)
    return {(row.number_key, row.name): row for row in rows}


def with_verified(step: Step, county: County, secret: bytes) -> County:
    """Return the county with its verified phones marked as such: the same number under the same name."""
    known = known_phones(step)
    return county.verified_by(lambda person, phone: (number_digest(phone.number, secret), person.name) in known)


def settle(step: Step, decision: Decision[Verification], now: datetime) -> None:
    """Keep the verified number that a decision of PHONES brought, where it brought one."""
    row = decision.state
    if row is not None and decision.reason is PhonesReason.VERIFIED:
        note_verified(step, row, row.asked_by, now)


def _attempts_for(step: Step, row: Verification) -> list[Attempt]:
    return own_attempts(row, attempts_at(step, row))


def attempts_at(step: Step, row: Verification) -> list[Attempt]:
    """Return what was dialled at the number since it was asked."""
    since = row.called_at or row.asked_at
    return step.find(
        ATTEMPTS, Where("number_key", "=", row.number_key), Where("dialled_at", ">=", since), limit=ATTEMPTS_MAX
    )


def _save(step: Step, decision: Decision[Verification], by: str, now: datetime) -> Verification:
    row = decision.state
    if row is None:
        raise ValueError("a code changes its verification")
    apply(step, VERIFICATIONS, [row], [decision])
    if decision.reason is PhonesReason.VERIFIED:
        note_verified(step, row, by, now)
    return row
