"""What comes of a verification: pure. A number is verified by what came back from it, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from agents.callout.state import Callout
from agents.dial.state import Attempt
from agents.phones.state import FailedWhy, Verification, VerificationState, VerifiedHow
from streams.ledger.contract import Draft
from streams.rooms import Decision
from streams.words import Channel, Outcome

LOOK_AGAIN = timedelta(seconds=5)
WAIT_AGAIN = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=2)
"""So long a verification waits for the end of what is real; then it has to be asked for again."""
CODE_KEPT = {Channel.VOICE: timedelta(minutes=30), Channel.TEXT: timedelta(hours=24)}
"""So long a code is taken: a spoken one is told at once, a text may be read in the evening. A proposal of ours."""
WRONG_CODES_MAX = 5
"""Of ten thousand codes: whoever guesses five times finds one in two thousand."""


class PhonesReason(StrEnum):
    """Why PHONES did what it did."""

    ASKED = "asked"
    CALLED = "called"
    NOT_YET = "not_yet"
    VERIFIED = "verified"
    FAILED = "failed"
    WRONG_CODE = "wrong_code"
    WITHDRAWN = "withdrawn"


def own_attempts(row: Verification, attempts: Iterable[Attempt]) -> list[Attempt]:
    """Return the attempts that were ours, for this very verification and to this very number.

    A call back is none of them: the number that a caller shows can be forged.
    """
    return [
        one
        for one in attempts
        if one.number_key == row.number_key and one.direction == "outbound" and row.callout_id in one.callouts
    ]


def was_heard(attempts: Iterable[Attempt]) -> bool:
    """Tell whether the code reached the number: spoken to the end, or a text that its carrier took."""
    sent = (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED)
    return any(one.played_at is not None or (one.channel is Channel.TEXT and one.outcome in sent) for one in attempts)


def put_off(row: Verification, now: datetime) -> Decision[Verification]:
    """Wait while something real is under way; after two hours it has to be asked for again."""
    if now - row.asked_at > GIVE_UP_AFTER:
        return failed(row, FailedWhy.GAVE_WAY, now)
    return Decision(PhonesReason.NOT_YET, row.model_copy(update={"due_at": now + WAIT_AGAIN}))


def called(row: Verification, round_id: str, callout_id: str, now: datetime) -> Decision[Verification]:
    """Note that the code is on its way."""
    changed: dict[str, Any] = {"state": VerificationState.ASKED, "round_id": round_id, "callout_id": callout_id}
    changed |= {"called_at": now, "ends_at": now + CODE_KEPT[row.channel], "due_at": now + LOOK_AGAIN}
    return Decision(
        PhonesReason.CALLED,
        row.model_copy(update=changed),
        entries=(_entry(row, "called", PhonesReason.CALLED, now, callout=callout_id, channel=row.channel),),
    )


def decide(
    row: Verification, callout: Callout | None, attempts: Iterable[Attempt], now: datetime
) -> Decision[Verification]:
    """Look at what became of the call or text that carries a code."""
    ours = own_attempts(row, attempts)
    if any(one.outcome is Outcome.CONFIRMED for one in ours):
        return verified(row, VerifiedHow.KEY, row.asked_by, now)
    over = row.ends_at is not None and now >= row.ends_at
    if callout is not None and not callout.is_open and not was_heard(ours):
        return failed(row, FailedWhy.NOT_HEARD if ours else FailedWhy.NOT_DIALLED, now)
    if over:
        return failed(row, FailedWhy.NO_CODE if was_heard(ours) else FailedWhy.NOT_DIALLED, now)
    # Once the call is over and was heard, only the code can come, which is taken where it comes in.
    wait = row.ends_at if callout is not None and not callout.is_open and row.ends_at else now + LOOK_AGAIN
    return Decision(PhonesReason.NOT_YET, row.model_copy(update={"due_at": wait}))


def verified(row: Verification, how: VerifiedHow, by: str, now: datetime) -> Decision[Verification]:
    """End it well."""
    done = row.model_copy(update={"state": VerificationState.VERIFIED, "how": how, "due_at": None})
    return Decision(
        PhonesReason.VERIFIED, done, entries=(_entry(row, "verified", PhonesReason.VERIFIED, now, by=by, how=how),)
    )


def failed(row: Verification, why: FailedWhy, now: datetime) -> Decision[Verification]:
    """End it without a verified number."""
    done = row.model_copy(update={"state": VerificationState.FAILED, "failed": why, "due_at": None})
    return Decision(PhonesReason.FAILED, done, entries=(_entry(row, "failed", PhonesReason.FAILED, now, because=why),))


def wrong_code(row: Verification, by: str, now: datetime) -> Decision[Verification]:
    """Count a code that is not the one; after five the number has to be asked anew."""
    counted = row.model_copy(update={"wrong_codes": row.wrong_codes + 1})
    noted = _entry(row, "wrong_code", PhonesReason.WRONG_CODE, now, by=by, times=counted.wrong_codes)
    if counted.wrong_codes < WRONG_CODES_MAX:
        return Decision(PhonesReason.WRONG_CODE, counted, entries=(noted,))
    ended = failed(counted, FailedWhy.WRONG_CODES, now)
    return Decision(ended.reason, ended.state, entries=(noted, *ended.entries))


def _entry(row: Verification, what: str, why: PhonesReason, now: datetime, by: str = "phones", **noted: Any) -> Draft:
    facts = {"person": row.person_id, "number": row.masked, "name": row.name, **noted}
    return Draft(subject=row.id, what=what, why=why, by=by, at=now, facts=facts)
