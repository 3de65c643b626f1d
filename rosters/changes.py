"""Changes on top of a published roster: a swap, a stand-in, leave, or holding over. Pure.

A change says who asked for it, who agreed, why, and when; it never begins before it was made, so that who held a post
in the past stays what it was. `apply` puts changes on a county; the one made last wins, exactly within its bounds.
A change edits no shift, and it fills no hole by itself. How one is made and agreed stands in `arrange.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from rosters.county import County
from rosters.model import Absence, Override, OverrideWhy
from rosters.overlay import Overlay
from streams.ids import digest
from streams.words import Model


class ChangeKind(StrEnum):
    """What kind of change it is."""

    SWAP = "swap"
    STAND_IN = "stand_in"
    LEAVE = "leave"
    HELD_OVER = "held_over"

    @property
    def chinese(self) -> str:
        """Return its Chinese name."""
        return {"swap": "换班", "stand_in": "顶班", "leave": "请假", "held_over": "留岗"}[self.value]


class ChangeError(Exception):
    """A change that cannot be: what is wrong with it, and what to do, in both languages.

    Args:
        element: The field at fault.
        reason: For people, in Chinese.
        reason_en: The same in English.
    """

    def __init__(self, element: str, reason: str, reason_en: str) -> None:
        super().__init__(f"{reason} / {reason_en}")
        self.element, self.reason, self.reason_en = element, reason, reason_en


class Stretch(Model):
    """Who holds a post (or, of leave, who is away; then `post` is empty) from `starts_at` until before `ends_at`.

    `deputy` stands beside: of a shift that is held over, whoever should have come.
    """

    post: str = ""
    person: str
    instead_of: str = ""
    deputy: str = ""
    starts_at: datetime
    ends_at: datetime


class Change(Model):
    """One change, as it was agreed. `by` entered it; `ended_at` is set where it ended before its time."""

    kind: ChangeKind
    stretches: tuple[Stretch, ...]
    asked_by: str
    agreed_by: str
    why: str
    by: str = ""
    at: datetime
    ended_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when the last of it is over."""
        last = max(stretch.ends_at for stretch in self.stretches)
        return last if self.ended_at is None else min(last, self.ended_at)

    @property
    def key(self) -> str:
        """Return what makes this change different from every other one, as a digest."""
        content = self.model_dump_json(exclude={"ended_at", "by"})
        return digest(content)


def apply(county: County, changes: Sequence[Change]) -> County:
    """Return the county with changes on top, in the order in which they were made; its version names them all.

    Somebody who is no longer in the roster cannot stand in: what the roster says without that counts.
    """
    if not changes:
        return county
    overlay = overlay_of(changes, county.people)
    told = (f"{change.key}:{change.ended_at.isoformat() if change.ended_at else ''}" for change in changes)
    return county.changed(overlay.overrides, overlay.absences, digest(county.version, *told))


def overlay_of(changes: Sequence[Change], people: Collection[str]) -> Overlay:
    """Return what changes come to among the people (ids) that a roster knows."""
    overrides = [
        override if override.deputy in people else override.model_copy(update={"deputy": ""})
        for change in changes
        for override in _overrides(change)
        if override.person in people
    ]
    return Overlay(overrides, [absence for change in changes for absence in _absences(change)])


def uncovered(county: County, change: Change) -> tuple[tuple[str, datetime, datetime], ...]:
    """Return (post, from, until) of what nobody holds during a change, in a county that has it applied."""
    found: list[tuple[str, datetime, datetime]] = []
    for stretch in change.stretches:
        posts = [stretch.post] if stretch.post else county.posts_of_person(stretch.person)
        for post in posts:
            if county.posts[post].on_shift:
                gaps = county.gaps(post, stretch.starts_at, stretch.ends_at)
                found += [(post, *gap) for gap in gaps]
            elif county.who(post, stretch.starts_at) is None:
                found.append((post, stretch.starts_at, stretch.ends_at))
    return tuple(found)


def in_two_places(county: County, change: Change) -> tuple[tuple[str, datetime, datetime], ...]:
    """Return (post, from, until) of other posts on shift that somebody of a change holds meanwhile.

    Refused nowhere: at night one person at two posts is better than nobody at one. It is told, and stands in the entry.
    """
    changed = apply(county, [change])
    found: list[tuple[str, datetime, datetime]] = []
    for stretch in change.stretches:
        for post in changed.posts_of_person(stretch.person) if stretch.post else ():
            if post == stretch.post or not changed.posts[post].on_shift:
                continue
            moment = stretch.starts_at
            while moment < stretch.ends_at:
                until = min(changed.next_change((post,), moment) or stretch.ends_at, stretch.ends_at)
                held = changed.who(post, moment)
                if held is not None and held.person.id == stretch.person:
                    found.append((post, moment, until))
                moment = until
    return tuple(found)


def tell(county: County, change: Change) -> str:
    """Say a change in one Chinese sentence, times in the county's zone."""

    def name(person_id: str) -> str:
        return county.people[person_id].name if person_id in county.people else person_id

    parts = []
    for stretch in change.stretches:
        span = f"{told(county, stretch.starts_at)}至{told(county, stretch.ends_at)}"
        post = county.posts[stretch.post].name if stretch.post in county.posts else stretch.post
        place = f"{post}由{name(stretch.person)}" if post else name(stretch.person)
        instead = f"（代{name(stretch.instead_of)}）" if stretch.instead_of else ""
        parts.append(f"{span} {place}{instead}")
    agreed = f"，{change.agreed_by}同意" if change.agreed_by else ""
    return f"{change.kind.chinese}：{'；'.join(parts)}{agreed}。{change.why}"


def _overrides(change: Change) -> Iterable[Override]:
    kinds: dict[ChangeKind, OverrideWhy] = {
        ChangeKind.SWAP: "swap",
        ChangeKind.STAND_IN: "stand_in",
        ChangeKind.HELD_OVER: "held_over",
    }
    if change.kind not in kinds:
        return
    for n, stretch in enumerate(change.stretches):
        ends_at = stretch.ends_at if change.ended_at is None else min(stretch.ends_at, change.ended_at)
        if ends_at > stretch.starts_at:
            yield Override(
                id=f"{change.kind}:{change.key}:{n}",
                post=stretch.post,
                person=stretch.person,
                deputy=stretch.deputy,
                starts_at=stretch.starts_at,
                ends_at=ends_at,
                why=kinds[change.kind],
            )


def _absences(change: Change) -> Iterable[Absence]:
    if change.kind is not ChangeKind.LEAVE:
        return
    for stretch in change.stretches:
        ends_at = stretch.ends_at if change.ended_at is None else min(stretch.ends_at, change.ended_at)
        if ends_at > stretch.starts_at:
            yield Absence(person=stretch.person, starts_at=stretch.starts_at, ends_at=ends_at)


def told(county: County, at: datetime) -> str:
    """Say a time as the county's clock shows it."""
    return f"{at.astimezone(county.zone):%m-%d %H:%M}"
