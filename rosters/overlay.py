"""What lies on top of a published roster: overrides of posts and absences of people, made ready to be asked.

Never changed after it was made, and never a rule of its own: how an override is made is said in `changes.py`, who
holds a post under it in `county.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from rosters.model import Absence, Override
from rosters.resolve import Timeline


class Overlay:
    """Overrides and absences; of overrides of one post that overlap, the one later in the list is in force."""

    def __init__(self, overrides: Iterable[Override] = (), absences: Iterable[Absence] = ()) -> None:
        self.overrides, self.absences = tuple(overrides), tuple(absences)
        by_post: defaultdict[str, list[Override]] = defaultdict(list)
        for override in self.overrides:
            by_post[override.post].append(override)
        away: defaultdict[str, list[Absence]] = defaultdict(list)
        for absence in self.absences:
            away[absence.person].append(absence)
        self._timelines = {post: Timeline(rows, last_written_wins=True) for post, rows in by_post.items()}
        self._away: Mapping[str, list[Absence]] = dict(away)

    def override(self, post_id: str, at: datetime) -> Override | None:
        """Return the override in force at a post at `at` (aware)."""
        timeline = self._timelines.get(post_id)
        return timeline.at(at) if timeline else None

    def is_away(self, person_id: str, at: datetime) -> bool:
        """Return whether a person is away at `at`."""
        return any(absence.starts_at <= at < absence.ends_at for absence in self._away.get(person_id, ()))

    def posts_of_person(self, known: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        """Return which posts each person may hold: what is known, and what overrides add to it."""
        added: dict[str, tuple[str, ...]] = {}
        for override in self.overrides:
            for person in filter(None, (override.person, override.deputy)):
                posts = added.get(person, known.get(person, ()))
                added[person] = tuple(dict.fromkeys((*posts, override.post)))
        return {**known, **added}

    def next_changes(
        self, post_ids: Collection[str], posts_of_person: Mapping[str, tuple[str, ...]], after: datetime
    ) -> Iterable[datetime]:
        """Yield the times after `after` at which an override or an absence next changes who holds one of the posts."""
        for post in post_ids:
            timeline = self._timelines.get(post)
            change = timeline.next_change(after) if timeline else None
            if change is not None:
                yield change
        for absence in self.absences:
            if not set(post_ids).isdisjoint(posts_of_person.get(absence.person, ())):
                yield from (bound for bound in (absence.starts_at, absence.ends_at) if bound > after)


def gaps_between(
    starts_at: datetime,
    ends_at: datetime,
    is_held: Callable[[datetime], bool],
    next_change: Callable[[datetime], datetime | None],
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the stretches between two times in which nobody holds a post, in order, those that touch as one."""
    found: list[tuple[datetime, datetime]] = []
    moment = starts_at
    while moment < ends_at:
        until = min(next_change(moment) or ends_at, ends_at)
        if not is_held(moment):
            begun = found.pop()[0] if found and found[-1][1] == moment else moment
            found.append((begun, until))
        moment = until
    return tuple(found)
