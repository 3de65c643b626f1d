"""What news of a call means, in whatever order it comes. Pure.

The facts of a call (answered, played to the end, key, ended) are gathered as they come, late and doubled news change
nothing, and the outcome follows from the facts, never from the order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from agents.dial.carriers.protocol import OPTED_OUT
from agents.dial.state import Attempt, AttemptState
from streams.ledger.contract import Draft
from streams.letters import AttemptEnded, CallNews, HangUpAsked, Letter, write_letter
from streams.rooms import Decision, Trouble, trouble
from streams.topics import CALLOUTS
from streams.words import Channel, Outcome

TEXT_ORDER = (Outcome.TEXT_SENT, Outcome.TEXT_FAILED, Outcome.TEXT_DELIVERED)
KEYS = {"1": Outcome.CONFIRMED, "2": Outcome.FETCHING, "0": Outcome.CANNOT}


class DialReason(StrEnum):
    """Why DIAL did what it did."""

    CLAIMED = "claimed"
    CALLED_BACK = "called_back"
    NOTED = "noted"
    ENDED = "ended"
    CORRECTED = "corrected"
    DOUBLED = "doubled"
    AFTER_HANG_UP = "after_hang_up"
    UNKNOWN_ATTEMPT = "unknown_attempt"
    RELEASED = "released"
    HANG_UP = "hang_up"
    ALREADY_ENDED = "already_ended"
    REPLIED = "replied"
    REPLY_UNCLEAR = "reply_unclear"
    STOP_ASKED = "stop_asked"
    ASKED_BY_HAND = "asked_by_hand"
    TAKEN = "taken"
    LOGGED = "logged"
    TIME_NOT_BELIEVED = "time_not_believed"


def decide(attempt: Attempt | None, message: CallNews | HangUpAsked, now: datetime) -> Decision[Attempt]:
    """Decide what a message about one attempt does."""
    if attempt is None:
        text = "线路回报了一个本系统没有登记的呼叫，已记录"
        return Decision(
            DialReason.UNKNOWN_ATTEMPT, troubles=(trouble("unknown_attempt", message.attempt_id, text, now),)
        )
    if isinstance(message, HangUpAsked):
        return _release(attempt, message)
    if attempt.outcome is Outcome.STOPPED and attempt.ended_at is not None and message.at > attempt.ended_at:
        return Decision(DialReason.AFTER_HANG_UP)
    gathered = _gather(attempt, message)
    outcome = outcome_of(gathered)
    if outcome is None or outcome is attempt.outcome:
        if gathered == attempt:
            return Decision(DialReason.DOUBLED)
        return Decision(DialReason.NOTED, gathered)
    if attempt.outcome is Outcome.TEXT_SENT and outcome is Outcome.TEXT_DELIVERED:
        # The callout went on when the message was handed over; that it arrived is kept with the attempt.
        return Decision(DialReason.NOTED, gathered.model_copy(update={"outcome": outcome}))
    if attempt.outcome in KEYS.values():
        # A key is a key: nothing that the vendor says later takes it back.
        return Decision(DialReason.NOTED, gathered)
    return end(gathered, outcome, now, corrected=attempt.outcome is not None)


def outcome_of(attempt: Attempt) -> Outcome | None:
    """Return the outcome that the facts give, or None while the call goes on.

    A key counts only after the message was played to the end; hearing it to the end without a key is its own outcome.
    """
    if attempt.channel is Channel.TEXT:
        return attempt.vendor_said
    if attempt.key in KEYS and attempt.played_at is not None and attempt.key_at is not None:
        return KEYS[attempt.key]
    if attempt.ended_at is None:
        return None
    if attempt.vendor_said is Outcome.VOICEMAIL:
        return Outcome.VOICEMAIL
    if attempt.played_at is not None:
        return Outcome.HEARD_NO_KEY
    if attempt.answered_at is not None:
        return Outcome.HUNG_UP_EARLY
    return attempt.vendor_said or Outcome.NO_ANSWER


def end(attempt: Attempt, outcome: Outcome, now: datetime, *, corrected: bool = False) -> Decision[Attempt]:
    """End an attempt, or correct how it ended, and tell every callout it was for."""
    over = attempt.ended_at is not None or outcome not in KEYS.values()
    ended = attempt.model_copy(
        update={
            "state": AttemptState.ENDED if over else attempt.state,
            "outcome": outcome,
            "ended_at": attempt.ended_at or (now if over else None),
            "due_at": None if over else attempt.due_at,
        }
    )
    reason = DialReason.CORRECTED if corrected else DialReason.ENDED
    letters = tuple(_tell(ended, callout_id, now) for callout_id in attempt.callouts)
    entry = Draft(
        subject=attempt.id,
        what="attempt_ended",
        why=reason,
        by="dial",
        at=now,
        facts={
            "outcome": outcome,
            "carrier": attempt.carrier,
            "channel": attempt.channel,
            "direction": attempt.direction,
            "number": attempt.masked,
            "vendor_id": attempt.vendor_id,
            "vendor_code": attempt.vendor_code,
            "heard_s": round(attempt.heard_s, 1),
            "key": attempt.key,
        },
    )
    return Decision(reason, ended, letters, (entry,), tuple(_opted_out(ended, now)))


def _opted_out(attempt: Attempt, now: datetime) -> Iterator[Trouble]:
    """Tell people of a number that gets no texts because of a STOP, as an answer of STOP is told (`replies.py`)."""
    if (attempt.carrier, attempt.vendor_code) in OPTED_OUT:
        subject = f"{attempt.realm}|number|{attempt.number_key}"
        text = f"{attempt.masked} 曾回复“STOP”，线路不再向其发送短信；电话照打，请联系本人回复 START 恢复短信"
        yield trouble(DialReason.STOP_ASKED, subject, text, now)


def _gather(attempt: Attempt, news: CallNews) -> Attempt:
    """Add what one piece of news says; facts once known are not changed by a repetition."""
    changes: dict[str, object] = {"seq": max(attempt.seq, news.seq)}
    match news.progress:
        case "answered":
            changes["answered_at"] = attempt.answered_at or news.at
        case "played":
            changes["answered_at"] = attempt.answered_at or news.at
            changes["played_at"] = attempt.played_at or news.at
        case "key" if news.key in KEYS and attempt.key not in KEYS:
            changes["key"], changes["key_at"] = news.key, news.at
        case "ended":
            changes["ended_at"] = attempt.ended_at or news.at
        case _:
            pass
    changes["heard_s"] = max(attempt.heard_s, news.heard_s)
    if news.vendor_code:
        changes["vendor_code"] = news.vendor_code
    if news.outcome is not None and news.seq > attempt.said_seq:
        changes["vendor_said"], changes["said_seq"] = news.outcome, news.seq
    if attempt.channel is Channel.TEXT:
        changes |= _text_facts(attempt, news)
    gathered = attempt.model_copy(update=changes)
    over = gathered.ended_at is not None
    return gathered.model_copy(update={"state": AttemptState.ENDED, "due_at": None}) if over else gathered


def _text_facts(attempt: Attempt, news: CallNews) -> dict[str, object]:
    """Say how far a message is: delivered stands above failed, failed above sent, in whatever order they come."""
    outcomes = {"sent": Outcome.TEXT_SENT, "delivered": Outcome.TEXT_DELIVERED, "failed": Outcome.TEXT_FAILED}
    said = news.outcome or outcomes.get(news.progress)
    # A vendor has many words for a text that did not arrive (wrong number, barred …): here all of them are one.
    outcome = said if said is None or said in TEXT_ORDER else Outcome.TEXT_FAILED
    before = attempt.vendor_said
    if outcome is None or (before is not None and TEXT_ORDER.index(outcome) <= TEXT_ORDER.index(before)):
        return {"vendor_said": before}
    return {"vendor_said": outcome, "ended_at": attempt.ended_at or news.at}


def _release(attempt: Attempt, message: HangUpAsked) -> Decision[Attempt]:
    """A callout ended on its own; when all of a call's did, the call is to be hung up."""
    if attempt.state is AttemptState.ENDED:
        return Decision(DialReason.ALREADY_ENDED)
    released = tuple(dict.fromkeys((*attempt.released, message.callout_id)))
    stop = set(released) >= set(attempt.callouts) and attempt.key == ""
    changed = attempt.model_copy(update={"released": released, "stop": stop})
    return Decision(DialReason.HANG_UP if stop else DialReason.RELEASED, changed)


def _tell(attempt: Attempt, callout_id: str, now: datetime) -> Letter:
    message = AttemptEnded(
        callout_id=callout_id,
        attempt_id=attempt.id,
        channel=attempt.channel,
        outcome=attempt.outcome or Outcome.NO_NEWS,
        heard_s=attempt.heard_s,
        key=attempt.key,
        masked=attempt.masked,
        person_id=attempt.person_id,
        answered_at=attempt.answered_at,
        played_at=attempt.played_at,
        key_at=attempt.key_at,
        by=attempt.logged_by,
        spoken_to=attempt.spoken_to,
        note=attempt.note,
        ended_at=attempt.ended_at or now,
    )
    return write_letter(CALLOUTS, callout_id, message, now, cause=f"{attempt.id}:{attempt.outcome}")
