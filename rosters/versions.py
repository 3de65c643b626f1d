"""A published roster as it can be compared and asked later: who holds what when, without telephone numbers. Pure.

It keeps what the sheets said, never what was changed on top: changes have rows of their own (`ledger.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from rosters.county import County
from rosters.resolve import Timeline
from streams.words import Model

SHIFTS_MAX = 200_000
"""A snapshot holds every shift to come; of a roster of more shifts than this, those of the next days only."""
DAYS_AT_LEAST = 35


class Held(Model):
    """One stretch of a post: who holds it and who stands beside."""

    starts_at: datetime
    ends_at: datetime
    person: str
    deputy: str = ""
    others: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Return everybody on it, in order."""
        return (self.person, self.deputy, *self.others)


class Snapshot(Model):
    """What a version said of the time from `starts_at` until before `ends_at`.

    `posts` and `people` are names by id; `holders` those of standing posts; `gaps` what it was published despite, one
    sentence each.
    """

    starts_at: datetime
    ends_at: datetime
    posts: dict[str, str]
    people: dict[str, str]
    holders: dict[str, tuple[str, ...]]
    shifts: dict[str, tuple[Held, ...]]
    gaps: tuple[str, ...] = ()


def snapshot_of(county: County, at: datetime, gaps: tuple[str, ...] = ()) -> Snapshot:
    """Take a county's roster from `at` on; changes on top of it are no part of a version, and left out.

    Args:
        county: As published.
        at: From when.
        gaps: What it is published despite, in words.
    """
    coming = [shift for shift in county.shifts if shift.ends_at > at]
    until = max((shift.ends_at for shift in coming), default=at + timedelta(days=DAYS_AT_LEAST))
    if len(coming) > SHIFTS_MAX:
        until = at + timedelta(days=DAYS_AT_LEAST)
    shifts: dict[str, list[Held]] = {}
    for shift in coming:
        if shift.starts_at < until:
            row = Held(
                starts_at=shift.starts_at,
                ends_at=shift.ends_at,
                person=shift.person,
                deputy=shift.deputy,
                others=shift.others,
            )
            shifts.setdefault(shift.post, []).append(row)
    return Snapshot(
        starts_at=at,
        ends_at=until,
        posts={post.id: post.name for post in county.posts.values()},
        people={person.id: person.name for person in county.people.values()},
        holders={post.id: post.holders for post in county.posts.values() if not post.on_shift},
        shifts={post: tuple(rows) for post, rows in sorted(shifts.items())},
        gaps=gaps,
    )


def differences(old: Snapshot, new: Snapshot, zone: ZoneInfo) -> tuple[str, ...]:
    """Say what is different in the new version, one Chinese sentence each; shifts only where both versions know them.

    Args:
        old: The version before.
        new: The version that follows it.
        zone: In which times are told.
    """
    return tuple(_differences(old, new, zone))


def _differences(old: Snapshot, new: Snapshot, zone: ZoneInfo) -> Iterator[str]:
    for post in sorted(new.posts.keys() - old.posts.keys()):
        yield f"新增岗位：{new.posts[post]}（{post}）"
    for post in sorted(old.posts.keys() - new.posts.keys()):
        yield f"撤销岗位：{old.posts[post]}（{post}）"
    for person in sorted(new.people.keys() - old.people.keys()):
        yield f"新增人员：{new.people[person]}（{person}）"
    for person in sorted(old.people.keys() - new.people.keys()):
        yield f"减少人员：{old.people[person]}（{person}）"
    for post in sorted(old.holders.keys() & new.holders.keys()):
        if old.holders[post] != new.holders[post]:
            before, after = (_names(old.holders[post], old), _names(new.holders[post], new))
            yield f"{new.posts[post]}：责任人由{before}改为{after}"
    start, end = max(old.starts_at, new.starts_at), min(old.ends_at, new.ends_at)
    for post in sorted(old.posts.keys() & new.posts.keys()):
        yield from _shifts(post, old, new, (start, end), zone)


def _shifts(
    post: str, old: Snapshot, new: Snapshot, within: tuple[datetime, datetime], zone: ZoneInfo
) -> Iterator[str]:
    """Say what changed at a post, one sentence for each stretch between two bounds of either version."""
    before, after = old.shifts.get(post, ()), new.shifts.get(post, ())
    was_held, is_held = Timeline(before), Timeline(after)
    bounds = {bound for row in (*before, *after) for bound in (row.starts_at, row.ends_at)} | set(within)
    moments = sorted(bound for bound in bounds if within[0] <= bound <= within[1])
    for moment, until in pairwise(moments):
        one, other = was_held.at(moment), is_held.at(moment)
        was = one.people if one else ()
        will = other.people if other else ()
        if was != will:
            span = f"{moment.astimezone(zone):%m-%d %H:%M}至{until.astimezone(zone):%m-%d %H:%M}"
            yield f"{new.posts[post]} {span}：由{_names(was, old)}改为{_names(will, new)}"


def _names(people: Iterable[str], within: Snapshot) -> str:
    return "、".join(within.people.get(person, person) for person in people if person) or "无人"
