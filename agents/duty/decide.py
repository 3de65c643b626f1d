"""What falls due by the day, and what a handover comes to. Pure.

What falls due between two times is arithmetic over roster and rules: nothing is planned ahead, so a roster that changes
needs nothing to be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal

from agents.duty.state import Carried, Handover, HandoverState, Signature
from agents.facts import Facts
from config.rules import DutyKnobs
from rosters.changes import ChangeError
from rosters.county import DUTY_LEADER, DUTY_OFFICER, County
from rosters.model import Post
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft
from streams.rooms import Decision, trouble

JUST_BEFORE = timedelta(microseconds=1)
TOO_OLD = timedelta(hours=1)
"""What fell due longer ago (the machine was off) is written down and no longer sent."""


class DutyReason(StrEnum):
    """Why DUTY did what it did."""

    HANDOVER_OPENED = "handover_opened"
    HANDOVER_LATE = "handover_late"
    HANDOVER_SIGNED = "handover_signed"
    HANDOVER_TAKEN = "handover_taken"
    SHIFT_NOTICE = "shift_notice"
    MORNING_LIST = "morning_list"
    ZERO_REPORT = "zero_report"
    ZERO_REPORTED = "zero_reported"
    ZERO_MISSING = "zero_missing"
    NOT_READY = "not_ready"
    MEASURE_NOTED = "measure_noted"
    MEASURE_LIFTED = "measure_lifted"
    TOO_OLD = "too_old"
    CHECK_CALLED = "check_called"
    CHECK_SKIPPED = "check_skipped"
    CHECK_DONE = "check_done"
    CHECK_PLANNED = "check_planned"
    ROSTER_CHANGED = "roster_changed"
    CHANGE_ASKED = "change_asked"
    CHANGE_AGREED = "change_agreed"
    CHANGE_REFUSED = "change_refused"
    CHANGE_WITHDRAWN = "change_withdrawn"
    CHANGE_EXPIRED = "change_expired"
    ROSTER_PUBLISHED = "roster_published"
    NOT_DUE = "not_due"


@dataclass(frozen=True)
class Happening:
    """Something that falls due at `at`; of a shift, `starts_at` says which one."""

    at: datetime
    what: DutyReason
    post_id: str = ""
    starts_at: datetime | None = None


def happenings(facts: Facts, after: datetime, until: datetime) -> list[Happening]:
    """Return what falls due after `after` and by `until`, in order."""
    knobs, found = facts.book.knobs.duty, []
    if knobs.handovers:
        lead = timedelta(seconds=knobs.handover_open_s)
        found += list(_shifts(facts.county, DutyReason.HANDOVER_OPENED, (DUTY_OFFICER,), lead, after, until))
    if knobs.notices:
        lead = timedelta(minutes=knobs.notice_before_min)
        kinds = (DUTY_OFFICER, DUTY_LEADER)
        found += list(_shifts(facts.county, DutyReason.SHIFT_NOTICE, kinds, lead, after, until))
        found += [Happening(at, what) for what, at in _daily(knobs, facts.county, after, until)]
    return sorted(found, key=lambda item: (item.at, item.what, item.post_id))


def next_due_at(facts: Facts, after: datetime) -> datetime | None:
    """Return when something next falls due, None where all of it is off; never later than in a day."""
    knobs, county = facts.book.knobs.duty, facts.county
    times = [after + timedelta(days=1)]
    leads = (
        (knobs.handovers, timedelta(seconds=knobs.handover_open_s), {DUTY_OFFICER}),
        (knobs.notices, timedelta(minutes=knobs.notice_before_min), {DUTY_OFFICER, DUTY_LEADER}),
    )
    for on, lead, kinds in leads:
        change = county.next_change([post.id for post in posts_on_shift(county, kinds)], after + lead) if on else None
        times += [change - lead] if change else []
    if knobs.notices:
        times += [at for _, at in _daily(knobs, county, after, after + timedelta(days=1))]
    return min(times) if knobs.handovers or knobs.notices else None


def posts_on_shift(county: County, kinds: Iterable[str]) -> list[Post]:
    """Return the posts of some kinds that shifts are kept for."""
    return [post for post in county.posts.values() if post.on_shift and post.kind in kinds]


def handover_id(post_id: str, starts_at: datetime) -> str:
    """Return the id of the handover of a post at a change of shift."""
    return make_id(REAL, "handover", post_id, starts_at.isoformat())


def open_handover(
    post: Post, starts_at: datetime, carried: Carried, before_it: Handover | None, now: datetime, facts: Facts
) -> Decision[Handover]:
    """Open the record of a change of shift; measures in force and failing equipment come over from the one before."""
    county = facts.county
    before, after = county.who(post.id, starts_at - JUST_BEFORE), county.who(post.id, starts_at)
    row = Handover(
        id=handover_id(post.id, starts_at),
        post_id=post.id,
        unit_id=post.unit,
        region=post.region,
        township=county.township_of(post.region),
        starts_at=starts_at,
        outgoing=before.person.id if before else "",
        incoming=after.person.id if after else "",
        opened_at=now,
        carried=carried,
        equipment=tuple(each for each in before_it.equipment if not each.works) if before_it else (),
        measures=tuple(each for each in before_it.measures if each.lifted_at is None) if before_it else (),
        due_at=starts_at + timedelta(seconds=facts.book.knobs.duty.handover_late_s),
    )
    noted: dict[str, Any] = {"post": post.id, "starts_at": starts_at.isoformat()}
    noted |= {"outgoing": row.outgoing, "incoming": row.incoming, "carried": carried.model_dump(mode="json")}
    noted |= {"measures": [each.text for each in row.measures], "faulty": [each.name for each in row.equipment]}
    return Decision(
        DutyReason.HANDOVER_OPENED, row, entries=(_entry(row.id, "opened", DutyReason.HANDOVER_OPENED, now, noted),)
    )


def find_late(handover: Handover, now: datetime, facts: Facts) -> Decision[Handover]:
    """Say aloud that a shift was not taken over in time. Whether somebody is held over is the caller's to add."""
    if handover.due_at is None or handover.due_at > now or handover.state is not HandoverState.OPEN:
        return Decision(DutyReason.NOT_DUE, handover.model_copy(update={"due_at": None}))
    county = facts.county
    post = county.posts.get(handover.post_id)
    name = post.name if post else handover.post_id
    incoming = county.people[handover.incoming].name if handover.incoming in county.people else "（无人）"
    minutes = int((now - handover.starts_at).total_seconds() // 60)
    text = f"{name}换班已过{minutes}分钟，{incoming}未签到接班，请核实"
    noted = {"post": handover.post_id, "incoming": handover.incoming, "after_s": minutes * 60}
    return Decision(
        DutyReason.HANDOVER_LATE,
        handover.model_copy(update={"state": HandoverState.LATE, "due_at": None}),
        entries=(_entry(handover.id, "late", DutyReason.HANDOVER_LATE, now, noted),),
        troubles=(trouble("handover_late", handover.id, text, now, handover.township),),
    )


def sign(
    handover: Handover,
    side: Literal["out", "in"],
    person_id: str,
    carried: Carried,
    now: datetime,
    facts: Facts,
    *,
    by: str,
) -> Decision[Handover]:
    """Sign for a handover: `out` by whoever leaves, `in` by whoever takes over. A second time changes nothing.

    Raises:
        ChangeError: Somebody else is on the roster for that side: they have to be named as a stand-in first.
    """
    signed = handover.signed_out if side == "out" else handover.signed_in
    if signed is not None:
        return Decision(DutyReason.HANDOVER_SIGNED)
    people = facts.county.people
    expected = handover.outgoing if side == "out" else handover.incoming
    held = facts.county.who(handover.post_id, max(now, handover.starts_at))
    allowed = {expected} | ({held.person.id} if held and side == "in" and held.why != "held_over" else set())
    if person_id not in allowed:
        names = "、".join(people[one].name for one in sorted(allowed) if one in people) or "-"
        raise ChangeError(
            "person",
            f"值班表上应由{names}签字；换了人请先登记顶班。",
            f"The roster has {names} for this; if somebody else came, record a stand-in first.",
        )
    signature = Signature(person_id=person_id, name=people[person_id].name, at=now, by=by)
    changed: dict[str, Any] = {"signed_out" if side == "out" else "signed_in": signature, "carried": carried}
    reason = DutyReason.HANDOVER_SIGNED
    if side == "in":
        changed |= {"state": HandoverState.TAKEN, "due_at": None, "incoming": person_id}
        reason = DutyReason.HANDOVER_TAKEN
    noted: dict[str, Any] = {
        "side": side,
        "person": person_id,
        "with_token": by,
        "carried": carried.model_dump(mode="json"),
    }
    noted["equipment"] = [{"name": each.name, "works": each.works, "note": each.note} for each in handover.equipment]
    noted["measures"] = [each.text for each in handover.measures if each.lifted_at is None]
    entry = _entry(handover.id, f"signed_{side}", reason, now, noted, by=signature.name)
    return Decision(reason, handover.model_copy(update=changed), entries=(entry,))


def _shifts(
    county: County, what: DutyReason, kinds: Iterable[str], lead: timedelta, after: datetime, until: datetime
) -> Iterator[Happening]:
    """Yield what is due a while before each change of person at posts of some kinds."""
    for post in posts_on_shift(county, kinds):
        change = county.next_change([post.id], after + lead)
        while change is not None and change - lead <= until:
            before, now = county.who(post.id, change - JUST_BEFORE), county.who(post.id, change)
            who_before, who_now = before.person.id if before else "", now.person.id if now else ""
            if who_before != who_now and not (now and now.why == "held_over"):
                yield Happening(change - lead, what, post.id, change)
            change = county.next_change([post.id], change)


def _daily(knobs: DutyKnobs, county: County, after: datetime, until: datetime) -> Iterator[tuple[DutyReason, datetime]]:
    late = timedelta(minutes=knobs.zero_report_late_min)
    times = (
        (DutyReason.MORNING_LIST, knobs.morning_list_at, timedelta(0)),
        (DutyReason.ZERO_REPORT, knobs.zero_report_at, timedelta(0)),
        (DutyReason.ZERO_MISSING, knobs.zero_report_at, late),
        (DutyReason.NOT_READY, knobs.readiness_at, timedelta(0)),
    )
    # From the day before: what is looked at late may fall behind midnight.
    day = after.astimezone(county.zone).date() - timedelta(days=1)
    while day <= until.astimezone(county.zone).date():
        for what, clock, after_it in times:
            at = datetime.combine(day, time.fromisoformat(clock), county.zone) + after_it
            if after < at <= until:
                yield what, at
        day += timedelta(days=1)


def _entry(subject: str, what: str, why: DutyReason, now: datetime, facts: dict[str, Any], by: str = "duty") -> Draft:
    return Draft(subject=subject, what=what, why=why, by=by, at=now, facts=facts)
