"""A published roster as it can be compared: who holds what when, without telephone numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from rosters.county import County
from streams.words import Model

DAYS_COMPARED = 35
DAYS_WITHOUT_GAPS = 14
"""A roster with nobody on duty within so many days is not published without a reason."""


class Held(Model):
    """One stretch of a post: who holds it and who stands beside."""

    starts_at: datetime
    ends_at: datetime
    person: str
    deputy: str = ""


class Snapshot(Model):
    """What a version said for the weeks after it was published.

    `posts` and `people` are names by id; `holders` those of standing posts; `gaps` one sentence each.
    """

    starts_at: datetime
    ends_at: datetime
    posts: dict[str, str]
    people: dict[str, str]
    holders: dict[str, tuple[str, ...]]
    shifts: dict[str, tuple[Held, ...]]
    gaps: tuple[str, ...] = ()


def snapshot_of(county: County, at: datetime) -> Snapshot:
    """Take a county's roster from `at` on; changes on top of it are no part of a version, and left out."""
    until = at + timedelta(days=DAYS_COMPARED)
    shifts: dict[str, list[Held]] = {}
    for shift in county.shifts:
        if shift.ends_at > at and shift.starts_at < until:
            row = Held(starts_at=shift.starts_at, ends_at=shift.ends_at, person=shift.person, deputy=shift.deputy)
            shifts.setdefault(shift.post, []).append(row)
    return Snapshot(
        starts_at=at,
        ends_at=until,
        posts={post.id: post.name for post in county.posts.values()},
        people={person.id: person.name for person in county.people.values()},
        holders={post.id: post.holders for post in county.posts.values() if not post.on_shift},
        shifts={post: tuple(sorted(rows, key=lambda row: row.starts_at)) for post, rows in sorted(shifts.items())},
        gaps=tuple(_gaps(county, at)),
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
    bounds = {bound for row in (*before, *after) for bound in (row.starts_at, row.ends_at)} | set(within)
    moments = sorted(bound for bound in bounds if within[0] <= bound <= within[1])
    for moment, until in pairwise(moments):
        one, other = _at(before, moment), _at(after, moment)
        was = (one.person, one.deputy) if one else ("", "")
        will = (other.person, other.deputy) if other else ("", "")
        if was != will:
            span = f"{moment.astimezone(zone):%m-%d %H:%M}至{until.astimezone(zone):%m-%d %H:%M}"
            yield f"{new.posts[post]} {span}：由{_names(was, old)}改为{_names(will, new)}"


def _at(rows: Iterable[Held], at: datetime) -> Held | None:
    found = [row for row in rows if row.starts_at <= at < row.ends_at]
    return max(found, key=lambda row: row.starts_at) if found else None


def _names(people: Iterable[str], within: Snapshot) -> str:
    return "、".join(within.people.get(person, person) for person in people if person) or "无人"


def _gaps(county: County, at: datetime) -> Iterator[str]:
    for post in county.posts.values():
        for gap in county.gaps(post.id, at, at + timedelta(days=DAYS_WITHOUT_GAPS)):
            span = "至".join(f"{bound.astimezone(county.zone):%m-%d %H:%M}" for bound in gap)
            yield f"{post.name}（{post.id}）{span} 无人"
        if not post.on_shift and not post.holders:
            yield f"{post.name}（{post.id}）没有责任人"
