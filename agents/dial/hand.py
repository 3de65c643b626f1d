"""Calls that people make: which there are, what is put before them, and what follows from what they write down. Pure.

A call goes into people's hands where a leader is to be called by a person first, where no vendor may ring a number soon
enough, and where there is nothing but a radio. It never holds the machine up: the ladder's clock goes on beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agents.dial.hear import DialReason, end
from agents.dial.state import Attempt, AttemptState
from agents.facts import Facts
from rosters.model import Post
from streams.ledger.contract import Draft
from streams.letters import HandLogged, HandResult
from streams.rooms import Decision, trouble
from streams.words import Channel, Outcome

AFTER = timedelta(seconds=180)
"""A number that no vendor may ring for longer than this is put into people's hands. Ours: it is the ladder's own
patience for a first call."""
OPEN_FOR = timedelta(hours=2)
"""So long a call stays before people; then it is a matter for the visit list and for reports."""
ANSWERED = (Outcome.SPOKEN, Outcome.PROXY)


class HandWhy(StrEnum):
    """Why a person is to call."""

    LEADER_FIRST = "leader_first"
    BUDGET_USED_UP = "budget_used_up"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class Asked:
    """A call that was just put before people: for which post, whom, and within how many seconds the machine calls."""

    post: Post
    name: str
    masked: str
    why: HandWhy
    machine_after_s: int


def decide_log(attempt: Attempt | None, message: HandLogged, now: datetime) -> Decision[Attempt]:
    """Decide what a person's word about a call made by hand does. What was written down first stands."""
    if attempt is None or attempt.channel is not Channel.HAND:
        text = f"{message.by}登记了一个系统中没有的人工呼叫，已记录"
        return Decision(
            DialReason.UNKNOWN_ATTEMPT, troubles=(trouble("unknown_attempt", message.attempt_id, text, now),)
        )
    if attempt.outcome in ANSWERED:
        return Decision(DialReason.DOUBLED, entries=(_entry(attempt, message, DialReason.DOUBLED),))
    if message.result is HandResult.TAKEN:
        if attempt.taken_by or attempt.state is AttemptState.ENDED:
            return Decision(DialReason.DOUBLED)
        taken = attempt.model_copy(update={"taken_by": message.by})
        return Decision(DialReason.TAKEN, taken, entries=(_entry(attempt, message, DialReason.TAKEN),))
    said = {"logged_by": message.by, "spoken_to": message.spoken_to, "note": message.note, "ended_at": message.at}
    logged = attempt.model_copy(update=said)
    decision = end(logged, Outcome(message.result), now, corrected=attempt.outcome is not None)
    entries = (*decision.entries, _entry(attempt, message, DialReason.LOGGED))
    return Decision(DialReason.LOGGED, decision.state, decision.letters, entries)


def notices(asked: Sequence[Asked], facts: Facts, realm: str) -> Mapping[str, str]:
    """Return what each duty post is told by message: whom to call, and that words and form are on the page."""
    by_post: dict[str, list[Asked]] = {}
    for item in asked:
        if (post := _duty_post(item.post, facts)) is not None:
            by_post.setdefault(post.id, []).append(item)
    return {post_id: _text(items, facts, realm) for post_id, items in by_post.items()}


def _duty_post(post: Post, facts: Facts) -> Post | None:
    """Return who makes calls for a post: the duty post of its own unit, or the one above where that is itself."""
    own = facts.county.duty_post(post.unit)
    return own if own is not None and own.id != post.id else facts.county.superior_post(post)


def _text(asked: Sequence[Asked], facts: Facts, realm: str) -> str:
    county = facts.county
    mark = facts.book.speech.zh.mark(realm)
    whom = "；".join(f"{county.place(item.post)}{item.post.name}{item.name} {item.masked}" for item in asked)
    first = [item.machine_after_s for item in asked if item.why is HandWhy.LEADER_FIRST]
    else_s = f"{min(first)}秒内没有登记的领导由系统拨打。" if first else ""
    return f"{mark}【{county.name}叫应】请人工呼叫{len(asked)}人：{whom}。要说的话和登记在值班页“我来打”。{else_s}"


def _entry(attempt: Attempt, message: HandLogged, why: DialReason) -> Draft:
    said = {"result": message.result, "spoken_to": message.spoken_to, "note": message.note, "order": message.order_id}
    return Draft(subject=attempt.id, what="hand_logged", why=why, by=message.by, at=message.at, facts=said)
