"""How a visit list grows, is handed over, and is worked off. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from agents.facts import Facts
from agents.plan import wording
from agents.plan.state import Round
from agents.visit.state import Item, ItemState, VisitList
from rosters.model import Post
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import (
    Letter,
    Mode,
    OpenCallouts,
    Opening,
    VisitNeeded,
    VisitSettled,
    VisitTaken,
    write_letter,
)
from streams.rooms import Decision, Trouble, trouble
from streams.topics import PAGES

GATHER_TIMES_MAX = 4


class VisitReason(StrEnum):
    """Why VISIT did what it did."""

    LISTED = "listed"
    KNOWN = "known"
    GATHERING = "gathering"
    HANDED_OVER = "handed_over"
    NO_DUTY_POST = "no_duty_post"
    TAKEN = "taken"
    SETTLED = "settled"
    OVERDUE = "overdue"
    NOT_DUE = "not_due"
    UNKNOWN_LIST = "unknown_list"
    ANSWERED_MEANWHILE = "answered_meanwhile"
    WORKED_OFF = "worked_off"


def decide(
    visit: VisitList | None,
    message: Any,
    now: datetime,
    facts: Facts,
    round_of: Callable[[str], Round],
    listed_on: Callable[[str], str],
) -> Decision[VisitList]:
    """Decide what a message does to a list.

    `listed_on` says on which list a callout stands at this moment: one that was answered before its letter was read
    stands on none, and nobody is sent there.
    """
    match message:
        case VisitNeeded() if listed_on(message.callout_id) != message.visit_id:
            return Decision(VisitReason.ANSWERED_MEANWHILE)
        case VisitNeeded():
            return _needed(visit, message, now, facts, round_of)
        case VisitTaken() if visit is not None:
            taken = visit.model_copy(update={"taken_at": message.at, "taken_by": message.by})
            entry = _entry(visit.id, "taken", VisitReason.TAKEN, now, {"by": message.by, "callout": message.callout_id})
            return Decision(VisitReason.TAKEN, taken, entries=(entry,))
        case VisitSettled() if visit is not None:
            return _settled(visit, message, now)
        case VisitTaken() | VisitSettled():
            # It was answered before it was ever listed: there is nothing to take off.
            return Decision(VisitReason.UNKNOWN_LIST)
        case _:
            raise TypeError(f"visit was handed a {type(message).__name__}")


def decide_due(visit: VisitList, still_ringing: int, now: datetime, facts: Facts) -> Decision[VisitList]:
    """Hand the list over when its unit's other calls are through or it waited long enough; call overdue visits out.

    Args:
        visit: The list.
        still_ringing: How many callouts of the same unit and round the machine is still calling for.
        now: Story time.
        facts: The county and its rules.
    """
    if visit.due_at is None or visit.due_at > now:
        return Decision(VisitReason.NOT_DUE)
    waiting = [item for item in visit.items if item.state is ItemState.WAITING]
    gather = timedelta(seconds=facts.book.knobs.visit_gather_s)
    if waiting:
        waited = now - min(item.since_at for item in waiting)
        if still_ringing and waited < gather * GATHER_TIMES_MAX:
            return Decision(VisitReason.GATHERING, visit.model_copy(update={"due_at": now + gather}))
        return _hand_over(visit, now, facts)
    return _overdue(visit, now, facts)


def _needed(
    visit: VisitList | None, message: VisitNeeded, now: datetime, facts: Facts, round_of: Callable[[str], Round]
) -> Decision[VisitList]:
    if visit is None:
        row = round_of(message.round_id)
        visit = VisitList(
            id=message.visit_id,
            realm=row.realm,
            chain_id=row.chain_id,
            round_id=row.id,
            unit_id=message.unit_id,
            region=facts.county.unit_region(message.unit_id),
            hazard=row.hazard,
            colour=row.colour,
            exercise=row.exercise,
            opened_at=now,
        )
    item = Item(
        callout_id=message.callout_id,
        post_id=message.post_id,
        place=message.place,
        why=message.why,
        lost_contact=message.lost_contact,
        heard=message.heard,
        since_at=message.at,
    )
    known = {old.callout_id: old for old in visit.items}
    if message.callout_id in known and known[message.callout_id].state is not ItemState.SETTLED:
        return Decision(VisitReason.KNOWN)
    items = (*(old for old in visit.items if old.callout_id != item.callout_id), item)
    noted = {"callout": item.callout_id, "place": item.place, "lost_contact": item.lost_contact, "heard": item.heard}
    due_at = now + timedelta(seconds=facts.book.knobs.visit_gather_s)
    return Decision(
        VisitReason.LISTED,
        _with(visit, items).model_copy(update={"due_at": min(due_at, visit.due_at or due_at)}),
        entries=(_entry(visit.id, "listed", VisitReason.LISTED, now, noted),),
    )


def _hand_over(visit: VisitList, now: datetime, facts: Facts) -> Decision[VisitList]:
    """Ring the unit's duty post with the whole list, and tell its leader on duty by message."""
    due = now + timedelta(seconds=facts.book.knobs.visit_knock_s)
    items = tuple(
        item.model_copy(update={"state": ItemState.HANDED_OVER, "handed_over_at": now, "due_at": due})
        if item.state is ItemState.WAITING
        else item
        for item in visit.items
    )
    post = facts.county.duty_post(visit.unit_id)
    if post is None:
        text = f"{visit.unit_id} 没有值班岗位，{len(items)} 处未叫醒无人可转，请人工处理"
        return Decision(
            VisitReason.NO_DUTY_POST,
            _with(visit, items).model_copy(update={"due_at": _next_clock(items)}),
            troubles=(trouble("no_duty_post", visit.id, text, now, visit.region),),
        )
    listed = sorted((item for item in items if item.state is not ItemState.SETTLED), key=_order)
    leader = facts.county.leader_post(post)
    letters = _openings(visit, listed, [post, *([leader] if leader else [])], now, facts)
    noted = {"places": [item.place for item in listed], "post": post.id, "order": visit.orders + 1}
    return Decision(
        VisitReason.HANDED_OVER,
        _with(visit, items).model_copy(update={"orders": visit.orders + 1, "due_at": _next_clock(items)}),
        letters,
        (_entry(visit.id, "handed_over", VisitReason.HANDED_OVER, now, noted),),
    )


def _openings(
    visit: VisitList, listed: list[Item], posts: list[Post], now: datetime, facts: Facts
) -> tuple[Letter, ...]:
    """Open the callout that hands the list over, and the message that tells the leader of it."""
    book = facts.book
    order_ladder, notice_ladder = book.knobs.order_ladder, book.knobs.notice_ladder
    places = [item.place for item in listed]
    voice = wording.visit_voice(places, facts, visit.realm, exercise=visit.exercise)
    lines = [_line(item, facts) for item in listed]
    text = wording.visit_text(lines, facts, visit.realm, exercise=visit.exercise)
    openings = tuple(
        Opening(
            callout_id=make_id(visit.realm, "callout", visit.id, str(visit.orders), post.id),
            post_id=post.id,
            mode=Mode.CALL if place == 0 else Mode.MESSAGE,
            ladder=order_ladder if place == 0 else notice_ladder,
            voice=voice if place == 0 else "",
            text=text,
            priority=9,
            visit_id=visit.id,
        )
        for place, post in enumerate(posts)
    )
    page = OpenCallouts(
        realm=visit.realm,
        chain_id=visit.chain_id,
        round_id=visit.round_id,
        hazard=visit.hazard,
        colour=visit.colour,
        rules_hash=book.hash,
        ladders={name: book.ladders[name] for name in {order_ladder, notice_ladder}},
        openings=openings,
    )
    return (write_letter(PAGES, visit.round_id, page, now, cause=f"{visit.id}:{visit.orders}"),)


def _overdue(visit: VisitList, now: datetime, facts: Facts) -> Decision[VisitList]:
    """Say aloud which places nobody has reported from in time, and look again when the next clock runs out."""
    late = [item for item in visit.items if item.state is ItemState.HANDED_OVER and item.due_at and item.due_at <= now]
    late_ids = {item.callout_id for item in late}
    items = tuple(
        item.model_copy(update={"state": ItemState.OVERDUE}) if item.callout_id in late_ids else item
        for item in visit.items
    )
    changed = _with(visit, items).model_copy(update={"due_at": _next_clock(items)})
    if not late:
        return Decision(VisitReason.WORKED_OFF, changed)
    minutes = facts.book.knobs.visit_knock_s // 60
    troubles: tuple[Trouble, ...] = tuple(
        trouble("visit_overdue", item.callout_id, f"{item.place}：转上门已超过{minutes}分钟未回报", now, visit.region)
        for item in late
    )
    noted = {"places": [item.place for item in late]}
    return Decision(
        VisitReason.OVERDUE,
        changed,
        entries=(_entry(visit.id, "overdue", VisitReason.OVERDUE, now, noted),),
        troubles=troubles,
    )


def _settled(visit: VisitList, message: VisitSettled, now: datetime) -> Decision[VisitList]:
    items = tuple(
        item.model_copy(
            update={
                "state": ItemState.SETTLED,
                "settled_at": message.at,
                "settled_why": message.why,
                "settled_by": message.by,
            }
        )
        if item.callout_id == message.callout_id
        else item
        for item in visit.items
    )
    noted = {"callout": message.callout_id, "why": message.why, "by": message.by}
    changed = _with(visit, items)
    if changed.open_items == 0:
        changed = changed.model_copy(update={"due_at": None})
    return Decision(
        VisitReason.SETTLED, changed, entries=(_entry(visit.id, "settled", VisitReason.SETTLED, now, noted),)
    )


def _next_clock(items: tuple[Item, ...]) -> datetime | None:
    """Return when the next place that was handed over is overdue."""
    return min((item.due_at for item in items if item.state is ItemState.HANDED_OVER and item.due_at), default=None)


def _with(visit: VisitList, items: tuple[Item, ...]) -> VisitList:
    still_open = sum(item.state is not ItemState.SETTLED for item in items)
    return visit.model_copy(update={"items": items, "open_items": still_open})


def _order(item: Item) -> tuple[bool, bool, str]:
    """The silent first, those who heard without a key last."""
    return (item.heard, not item.lost_contact, item.place)


def _line(item: Item, facts: Facts) -> str:
    """Return one line of the list: the place, what is known of it, and who may go."""
    post = facts.county.posts.get(item.post_id)
    knockers = facts.county.knockers(post.region) if post else ()
    names = "、".join(f"{knocker.name}（{knocker.role}）" for knocker in knockers[:2])
    mark = "（失联）" if item.lost_contact else "（听完未按键）" if item.heard else ""
    return f"{item.place}{mark}" + (f"，可派{names}" if names else "")


def _entry(subject: str, what: str, why: VisitReason, now: datetime, facts: dict[str, Any]) -> Draft:
    return Draft(subject=subject, what=what, why=why, by="visit", at=now, facts=facts)
