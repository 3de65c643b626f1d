"""The only file that reads a clock.

`now()` is the time of the story: real time, or a faster one for a demo, or a virtual one for replay and tests.
`wall()` is the real time that leases, back-off and I/O deadlines are counted in. Everything else takes time as an
argument.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    @property
    def speed(self) -> float:
        """Return story seconds in one real second."""
        ...

    def now(self) -> datetime:
        """Return the time of the story, aware, in UTC."""
        ...

    def wall(self) -> datetime:
        """Return the real time, aware, in UTC."""
        ...

    async def sleep(self, wall_s: float) -> None:
        """Wait for `wall_s` real seconds."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The real clock, or one that started at `story_origin` when the wall showed `wall_origin` and runs `speed` times.

    All processes of one demo are given the same origins, so that they agree on what time it is.
    """

    speed: float = 1.0
    wall_origin: datetime | None = None
    story_origin: datetime | None = None

    def wall(self) -> datetime:
        """Return the real time."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time of the story."""
        if self.wall_origin is None or self.story_origin is None:
            return self.wall()
        return self.story_origin + (self.wall() - self.wall_origin) * self.speed

    def monotonic_s(self) -> float:
        """Return seconds that never jump, for measuring how far the wall clock was stepped."""
        return time.monotonic()

    async def sleep(self, wall_s: float) -> None:
        """Wait for real seconds."""
        await asyncio.sleep(wall_s)


class CorrectedClock:
    """The clock of a process that may not stand still while its machine's is wrong: put right by `off_s`.

    A door cannot refuse a warning because of its clock; dated an hour ahead, the warning would wait for an hour.
    """

    def __init__(self, clock: SystemClock) -> None:
        self.off_s = 0.0
        self._clock = clock

    @property
    def speed(self) -> float:
        """Return story seconds in one real second."""
        return self._clock.speed

    def wall(self) -> datetime:
        """Return the real time."""
        return self._clock.wall() - timedelta(seconds=self.off_s)

    def now(self) -> datetime:
        """Return the time of the story."""
        return self._clock.now() - timedelta(seconds=self.off_s * self.speed)

    async def sleep(self, wall_s: float) -> None:
        """Wait for real seconds."""
        await self._clock.sleep(wall_s)


class VirtualClock:
    """Time that moves only when told to; story and wall are one. It refuses to go back."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time; add a zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    def wall(self) -> datetime:
        """Return the virtual time: a simulated night has no other."""
        return self._now

    def set(self, at: datetime) -> None:
        """Move to `at`.

        Raises:
            ValueError: `at` lies in the past of this clock.
        """
        if at < self._now:
            raise ValueError(f"virtual time cannot go back from {self._now} to {at}")
        self._now = at.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.set(self._now + timedelta(seconds=seconds))

    async def sleep(self, wall_s: float) -> None:
        """Move on instead of waiting."""
        self.advance(wall_s)
