"""What Twilio's words mean in ours: call and text states, error codes, SIP codes.

Pure. Twilio warns that codes change (its change log of 10 July 2024), so an unknown code is never an error here: it
is passed on as `vendor_code`, and what is decided falls back on the plain state or the HTTP status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from streams.letters import CallNews
from streams.words import Outcome

Progress = Literal["ringing", "answered", "played", "key", "ended", "sent", "delivered", "failed"]

_RANK: dict[Progress, int] = {
    "ringing": 1,
    "answered": 2,
    "played": 3,
    "key": 4,
    "ended": 5,
    "sent": 1,
    "delivered": 5,
    "failed": 5,
}


class Verdict(NamedTuple):
    """What an error code means, and whether the same number and message would meet it again."""

    outcome: Outcome
    permanent: bool


# Each code is described at twilio.com/docs/api/errors/<code>.
VERDICTS: dict[str, Verdict] = {
    "10001": Verdict(Outcome.VENDOR_FAILED, True),  # the account is not active
    "10004": Verdict(Outcome.VENDOR_BUSY, False),  # too many calls at once
    "13224": Verdict(Outcome.OUT_OF_SERVICE, False),  # invalid, or no network can deliver at the moment
    "13225": Verdict(Outcome.BARRED, True),  # the number is blocked
    "13227": Verdict(Outcome.BARRED, True),  # the country is not permitted for voice
    "14107": Verdict(Outcome.VENDOR_BUSY, False),  # texts are sent too fast
    "20003": Verdict(Outcome.VENDOR_FAILED, True),  # wrong account or token
    "20429": Verdict(Outcome.VENDOR_BUSY, False),  # too many requests
    "21205": Verdict(Outcome.VENDOR_FAILED, True),  # our public address is not acceptable
    "21210": Verdict(Outcome.VENDOR_FAILED, True),  # the caller's number is not verified
    "21211": Verdict(Outcome.WRONG_NUMBER, True),  # no valid number
    "21212": Verdict(Outcome.VENDOR_FAILED, True),  # the caller's number is not valid
    "21214": Verdict(Outcome.OUT_OF_SERVICE, True),  # the number cannot be reached
    "21215": Verdict(Outcome.BARRED, True),  # the country is not permitted for this account
    "21216": Verdict(Outcome.BARRED, True),  # the account may not call this number
    "21217": Verdict(Outcome.WRONG_NUMBER, True),  # no valid number
    "21219": Verdict(Outcome.BARRED, True),  # a trial account calls verified numbers only
    "21408": Verdict(Outcome.BARRED, True),  # the country is not permitted for texts
    "21606": Verdict(Outcome.VENDOR_FAILED, True),  # the sender's number cannot send texts
    "21608": Verdict(Outcome.BARRED, True),  # a trial account texts verified numbers only
    "21610": Verdict(Outcome.BARRED, True),  # the person answered STOP
    "21611": Verdict(Outcome.VENDOR_BUSY, False),  # the sender's queue is full
    "21612": Verdict(Outcome.TEXT_FAILED, True),  # no way from this sender to this number
    "21614": Verdict(Outcome.TEXT_FAILED, True),  # not a mobile number
    "21617": Verdict(Outcome.TEXT_FAILED, True),  # longer than 1600 characters
    "21635": Verdict(Outcome.TEXT_FAILED, True),  # a landline
    "30001": Verdict(Outcome.TEXT_FAILED, False),  # the queue overflowed
    "30002": Verdict(Outcome.VENDOR_FAILED, True),  # the account was suspended
    "30003": Verdict(Outcome.TEXT_FAILED, False),  # switched off or without coverage; may work later
    "30004": Verdict(Outcome.TEXT_FAILED, True),  # blocked at the receiver's side
    "30005": Verdict(Outcome.TEXT_FAILED, True),  # number unknown or no longer in use
    "30006": Verdict(Outcome.TEXT_FAILED, True),  # a landline, or a network that cannot be reached
    "30007": Verdict(Outcome.TEXT_FAILED, True),  # filtered as unwanted
    "30008": Verdict(Outcome.TEXT_FAILED, False),  # failed, nobody says why
}

# How a gateway turns a telephone network's cause into a SIP code: RFC 3398 §7.2.4.1. Twilio passes the code on as
# SipResponseCode. 480 stands for "no answer" as well as "subscriber absent", so it never says switched off.
_SIP: dict[str, Outcome] = {
    "403": Outcome.BARRED,
    "404": Outcome.WRONG_NUMBER,
    "408": Outcome.NO_ANSWER,
    "410": Outcome.WRONG_NUMBER,
    "480": Outcome.NO_ANSWER,
    "484": Outcome.WRONG_NUMBER,
    "486": Outcome.BUSY,
    "502": Outcome.OUT_OF_SERVICE,
    "600": Outcome.BUSY,
    "603": Outcome.REJECTED,
    "604": Outcome.WRONG_NUMBER,
}

_CALL_PROGRESS: dict[str, Progress] = {
    "ringing": "ringing",
    "in-progress": "answered",
    "completed": "ended",
    "busy": "ended",
    "no-answer": "ended",
    "canceled": "ended",
    "failed": "ended",
}

_TEXT_PROGRESS: dict[str, tuple[Progress, Outcome]] = {
    "sent": ("sent", Outcome.TEXT_SENT),
    "delivered": ("delivered", Outcome.TEXT_DELIVERED),
    "undelivered": ("failed", Outcome.TEXT_FAILED),
    "failed": ("failed", Outcome.TEXT_FAILED),
}


def seq_of(progress: Progress, nth: int = 0) -> int:
    """Return the place of a piece of news within its call: how far the call got, then `nth` within that (0–999).

    News that come late or in the wrong order are thereby put right: nothing follows the end.
    """
    return _RANK[progress] * 1000 + min(max(nth, 0), 999)


def is_machine(answered_by: str) -> bool:
    """Return whether Twilio's AnsweredBy means that no human is listening (machine_start, machine_end_beep …, fax)."""
    return answered_by.startswith("machine") or answered_by == "fax"


def call_outcome(status: str, answered_by: str = "", sip_code: str = "", error_code: str = "") -> Outcome | None:
    """Return how a call ended where Twilio's word alone decides it; None for one that was answered by a human.

    Args:
        status: A final CallStatus: completed, busy, no-answer, canceled or failed.
        answered_by: AnsweredBy, where machines are looked for.
        sip_code: SipResponseCode, or "".
        error_code: ErrorCode, or "".
    """
    if status == "completed":
        return Outcome.VOICEMAIL if is_machine(answered_by) else None
    if status == "canceled":
        return Outcome.STOPPED
    if status in ("busy", "no-answer"):
        plain = Outcome.BUSY if status == "busy" else Outcome.NO_ANSWER
        return Outcome.REJECTED if sip_code == "603" else plain
    if error_code in VERDICTS:
        return VERDICTS[error_code].outcome
    return _SIP.get(sip_code, Outcome.VENDOR_FAILED)


def call_news(
    attempt_id: str, status: str, at: datetime, *, nth: int = 0, duration_s: float = 0.0, **details: str
) -> CallNews | None:
    """Turn a CallStatus into news; None for one that tells nothing yet (queued, initiated) or is unknown.

    Args:
        attempt_id: Whose news.
        status: CallStatus.
        at: Story time.
        nth: SequenceNumber.
        duration_s: CallDuration, from the answer to the end.
        details: answered_by, sip_code and error_code as in `call_outcome`.
    """
    progress = _CALL_PROGRESS.get(status)
    if progress is None:
        return None
    code = details.get("error_code") or details.get("sip_code") or ""
    return CallNews(
        attempt_id=attempt_id,
        seq=seq_of(progress, nth),
        progress=progress,
        heard_s=duration_s if progress == "ended" else 0.0,
        outcome=call_outcome(status, **details) if progress == "ended" else None,
        vendor_code=code,
        at=at,
    )


def text_news(attempt_id: str, status: str, at: datetime, *, error_code: str = "") -> CallNews | None:
    """Turn a MessageStatus into news; None for `queued` and the like, and for `read`: it is no receipt."""
    known = _TEXT_PROGRESS.get(status)
    if known is None:
        return None
    progress, outcome = known
    if progress == "failed" and error_code in VERDICTS:
        outcome = VERDICTS[error_code].outcome
    return CallNews(
        attempt_id=attempt_id, seq=seq_of(progress), progress=progress, outcome=outcome, vendor_code=error_code, at=at
    )
