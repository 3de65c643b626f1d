"""Who is on shift at a time: pure arithmetic over the shifts, or the overrides, of one post.

A shift is in force from its first instant until just before its last: at 08:00:00 the new one holds the post. Where
shifts overlap, the one that started last is in force, and an older one comes back when it ends; of overrides it is the
one written last. Nothing here reads a clock, and nothing here fills a hole with somebody else: nobody on duty is an
answer.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar


class Spanning(Protocol):
    """Anything in force from `starts_at` until just before `ends_at`, both aware: a shift, an override."""

    @property
    def starts_at(self) -> datetime:
        """When it comes into force."""
        ...

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        ...


S = TypeVar("S", bound=Spanning)


class Timeline(Generic[S]):
    """The shifts of one post, cut into stretches in which one shift, or none, is in force.

    Args:
        shifts: In the order in which they were written.
        last_written_wins: Of shifts that overlap the one written last is in force, not the one that started last.
    """

    def __init__(self, shifts: Sequence[S], *, last_written_wins: bool = False) -> None:
        self._changes: list[datetime] = []
        self._in_force: list[S | None] = []
        waiting = sorted(enumerate(shifts), key=lambda item: (item[1].starts_at, item[0]))
        if _one_after_another(waiting):
            self._lay_in_a_row(waiting)
            return
        running: list[tuple[int, S]] = []
        position = 0
        for moment in sorted({bound for shift in shifts for bound in (shift.starts_at, shift.ends_at)}):
            while position < len(waiting) and waiting[position][1].starts_at <= moment:
                # The heap's top is what started last; of two that start together, the one written later.
                rank = waiting[position][0] if last_written_wins else position
                heapq.heappush(running, (-rank, waiting[position][1]))
                position += 1
            while running and running[0][1].ends_at <= moment:
                heapq.heappop(running)
            now_in_force = running[0][1] if running else None
            if not self._in_force or self._in_force[-1] is not now_in_force:
                self._changes.append(moment)
                self._in_force.append(now_in_force)

    def _lay_in_a_row(self, ordered: Sequence[tuple[int, S]]) -> None:
        """Lay shifts down that never overlap, as nearly all posts have them: nothing is weighed against anything."""
        for _, shift in ordered:
            if self._changes and self._changes[-1] == shift.starts_at:
                self._in_force[-1] = shift
            else:
                self._changes.append(shift.starts_at)
                self._in_force.append(shift)
            self._changes.append(shift.ends_at)
            self._in_force.append(None)

    def at(self, at: datetime) -> S | None:
        """Return the shift in force at `at` (aware), or None where nobody is on shift."""
        stretch = bisect_right(self._changes, at) - 1
        return self._in_force[stretch] if stretch >= 0 else None

    def next_change(self, after: datetime) -> datetime | None:
        """Return the first time strictly after `after` at which another shift, or none, comes into force."""
        stretch = bisect_right(self._changes, after)
        return self._changes[stretch] if stretch < len(self._changes) else None

    def gaps(self, starts_at: datetime, ends_at: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return the stretches between `starts_at` and `ends_at` in which nobody is on shift, in order."""
        found: list[tuple[datetime, datetime]] = []
        moment = starts_at
        while moment < ends_at:
            until = min(self.next_change(moment) or ends_at, ends_at)
            if self.at(moment) is None:
                found.append((moment, until))
            moment = until
        return tuple(found)


def _one_after_another(ordered: Sequence[tuple[int, S]]) -> bool:
    ends_at: datetime | None = None
    for _, shift in ordered:
        if shift.starts_at >= shift.ends_at or (ends_at is not None and shift.starts_at < ends_at):
            return False
        ends_at = shift.ends_at
    return True
