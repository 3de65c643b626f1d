"""Who was on duty at a time, as it had been published by another: read from what was kept of a version. Pure.

It answers as `County.who` would have answered then; a test holds the two together. It never fills a hole, and a time
that no version speaks of is nobody's to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from rosters.changes import Change, overlay_of
from rosters.resolve import Timeline
from rosters.versions import Snapshot
from streams.words import Model


class Because(StrEnum):
    """Why somebody, or nobody, was on duty."""

    SHIFT = "shift"
    STANDING = "standing"
    DEPUTY = "deputy"
    SWAP = "swap"
    STAND_IN = "stand_in"
    HELD_OVER = "held_over"
    ON_LEAVE = "on_leave"
    NOBODY = "nobody"
    NO_SUCH_POST = "no_such_post"

    @property
    def chinese(self) -> str:
        """Return it in Chinese."""
        return {
            "shift": "值班表",
            "standing": "责任人",
            "deputy": "B角代",
            "swap": "换班",
            "stand_in": "顶班",
            "held_over": "留岗",
            "on_leave": "请假，无人顶班",
            "nobody": "无人值守",
            "no_such_post": "没有这个岗位",
        }[self.value]


class Answer(Model):
    """Who held a post and why. `person` is "" where nobody did; of ON_LEAVE, `away` is who should have.

    `version` is the number of the version that said so, 0 where it is not from one.
    """

    post: str
    at: datetime
    because: Because
    person: str = ""
    name: str = ""
    away: str = ""
    version: int = 0
    known_at: datetime | None = None


def who_then(snapshot: Snapshot, changes: Sequence[Change], post: str, at: datetime) -> Answer:
    """Return who held a post at `at`.

    Args:
        snapshot: What the version in force then said; `at` has to lie within it.
        changes: Those known then, in the order in which they were made.
        post: Id of the post.
        at: Aware.
    """
    if post not in snapshot.posts:
        return Answer(post=post, at=at, because=Because.NO_SUCH_POST)
    overlay = overlay_of(changes, snapshot.people)

    def answer(person: str, because: Because) -> Answer:
        return Answer(post=post, at=at, because=because, person=person, name=snapshot.people.get(person, person))

    override = overlay.override(post, at)
    if override is not None:
        return answer(override.person, Because(override.why))
    if post in snapshot.holders:
        holders = snapshot.holders[post]
        here = [person for person in holders if not overlay.is_away(person, at)]
        if here:
            return answer(here[0], Because.STANDING if here[0] == holders[0] else Because.DEPUTY)
        return Answer(post=post, at=at, because=Because.ON_LEAVE if holders else Because.NOBODY, away=_first(holders))
    shift = Timeline(snapshot.shifts.get(post, ())).at(at)
    if shift is None:
        return Answer(post=post, at=at, because=Because.NOBODY)
    if overlay.is_away(shift.person, at):
        return Answer(post=post, at=at, because=Because.ON_LEAVE, away=shift.person)
    return answer(shift.person, Because.SHIFT)


def _first(people: Sequence[str]) -> str:
    return people[0] if people else ""
