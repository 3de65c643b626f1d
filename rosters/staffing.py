"""Who may lead, and how many have to be there: entitlement to a leader's post, staffing of special periods. Pure.

Entitlement is by function (分管) and level of duty, as the county's list says, never by title; a unit without a list is
not judged but named. Nothing here says that anybody is at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from rosters.county import DUTY_LEADER, DUTY_OFFICER, County
from rosters.findings import Finding, Flaw
from rosters.holidays import DutyYear, Period
from rosters.model import Post, Shift


def may_lead(county: County, unit: str, year: DutyYear) -> frozenset[str] | None:
    """Return who may be leader on duty of a unit: those on its list and on those of its superior units.

    None where the unit itself has no list: then nobody's entitlement can be told.
    """
    if unit not in year.leaders:
        return None
    entitled: set[str] = set()
    seen: set[str] = set()
    while unit and unit not in seen:
        seen.add(unit)
        entitled |= set(year.leaders.get(unit, ()))
        unit = county.units[unit].parent if unit in county.units else ""
    return frozenset(entitled)


def not_entitled(county: County, shifts: Iterable[Shift], year: DutyYear) -> Iterator[Finding]:
    """Find shifts at leaders' posts of people who are not on the list; once each, posts without one, ids of nobody."""
    posts = [post for post in county.posts.values() if post.kind == DUTY_LEADER and post.on_shift]
    entitled = {post.id: may_lead(county, post.unit, year) for post in posts}
    for shift in shifts:
        listed = entitled.get(shift.post)
        if listed is not None and shift.person not in listed:
            yield Finding(Flaw.NOT_ENTITLED, (shift.post,), (shift.person,), shift.starts_at, shift.ends_at)
    strangers = {person for people in year.leaders.values() for person in people} - county.people.keys()
    strangers |= year.leaders.keys() - county.units.keys()
    if strangers:
        yield Finding(Flaw.LEADERS_UNKNOWN, about=f"duty_year.yaml: {', '.join(sorted(strangers))}?")
    unknown = tuple(post.id for post in posts if entitled[post.id] is None)
    if unknown:
        yield Finding(Flaw.LEADERS_UNKNOWN, unknown)


def understaffed(
    county: County, shifts: Sequence[Shift], year: DutyYear, starts_at: datetime, ends_at: datetime
) -> Iterator[Finding]:
    """Find shifts in special periods with too few officers, and leaders for whom no phone of the room rings.

    That the leader sits in the room cannot be seen in a roster. What can be seen is whether the room's landline is
    among the leader's phones; without it a call of the night rings elsewhere.
    """
    for period in year.periods:
        first, last = _bounds(county, period)
        begins, ends = max(first, starts_at), min(last, ends_at)
        for shift in shifts:
            post = county.posts.get(shift.post)
            span = (max(shift.starts_at, begins), min(shift.ends_at, ends))
            if post is None or span[0] >= span[1]:
                continue
            people = shift.people
            if post.kind == DUTY_OFFICER and len(people) < period.officers:
                about = f"{period.name} {len(people)}/{period.officers}"
                yield Finding(Flaw.UNDERSTAFFED, (post.id,), people, *span, about)
            if post.kind == DUTY_LEADER and period.leader_in_room and not _rings_in_room(county, post, shift):
                yield Finding(Flaw.NOT_IN_ROOM, (post.id,), (shift.person,), *span, period.name)


def _bounds(county: County, period: Period) -> tuple[datetime, datetime]:
    begins = datetime.combine(period.first, time(0), county.zone)
    return begins, datetime.combine(period.last + timedelta(days=1), time(0), county.zone)


def _rings_in_room(county: County, post: Post, leader: Shift) -> bool:
    """Tell whether a leader has a landline of those who hold the unit's duty post at the beginning of the shift."""
    room = county.duty_post(post.unit)
    held = county.who(room.id, leader.starts_at) if room else None
    if held is None:
        # Without anybody in the room the gap is told, and there is no phone to compare with.
        return True
    landlines = {phone.number for phone in held.person.phones if phone.kind == "landline"}
    own = {phone.number for phone in county.people[leader.person].phones}
    return not landlines.isdisjoint(own)
