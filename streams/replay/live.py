"""A past night played into the door of a running installation, at the pace of its clock.

The same scenarios as in virtual time: what would be handed to a door is recorded first, then posted when the story's
clock comes to it. It never touches the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from streams.clock import Clock
from streams.letters import Letter
from streams.replay.night import Night
from streams.replay.scenario import Scenario, night_of, play
from streams.replay.times import read_local


@dataclass(frozen=True)
class Handed:
    """One document for a door: when (story time), to which path, as what."""

    at: datetime
    path: str
    content: bytes
    media_type: str
    about: str


Post = Callable[[Handed], Awaitable[int]]


class _Recorder(Night):
    """A night in which nothing happens but that what comes in is written down."""

    handed: list[Handed]

    @classmethod
    def of(cls, night: Night) -> _Recorder:
        """Turn a night at its start into a recorder of what comes in."""
        recorder = cls.__new__(cls)
        recorder.__dict__ = night.__dict__
        recorder.handed = []
        return recorder

    def at(self, when: datetime | str) -> Self:
        """Move the clock only."""
        self.clock.set(max(read_local(when, self.county.zone, after=self.now), self.now))
        return self

    def send(self, content: bytes, media_type: str = "application/cap+xml") -> Self:
        """Write a warning document down."""
        self.identifiers.append("recorded")
        self.handed.append(Handed(self.now, "/v1/warnings", content, media_type, "预警"))
        return self

    def readings(self, rows: Sequence[tuple[str, str, datetime, float]]) -> Self:
        """Write a list of readings down."""
        items = [
            {"station": station, "quantity": quantity, "at": at.isoformat(), "value": value}
            for station, quantity, at, value in rows
        ]
        content = json.dumps(items).encode()
        self.handed.append(Handed(self.now, "/v1/readings", content, "application/json", f"{len(items)} 站雨量"))
        return self

    def put(self, *letters: Letter) -> Self:
        """Refuse what has no document: only warnings and readings are played live."""
        raise ValueError("only warnings and readings can be played into a live door; this scenario holds orders")


def record(scenario: Scenario, until: datetime) -> tuple[Handed, ...]:
    """Return what a scenario hands to the doors until a time, in order."""
    recorder = _Recorder.of(night_of(scenario))
    play(scenario, recorder)
    return tuple(item for item in recorder.handed if item.at <= until)


async def play_live(handed: Sequence[Handed], clock: Clock, post: Post, tell: Callable[[str], None]) -> None:
    """Post each document when the story's clock comes to it.

    Args:
        handed: From `record`.
        clock: The clock of the installation.
        post: Hands one over and returns the HTTP status.
        tell: Shown a line for each.
    """
    for item in handed:
        wait_s = (item.at - clock.now()).total_seconds() / clock.speed
        if wait_s > 0:
            await clock.sleep(wait_s)
        status = await post(item)
        tell(f"{item.about} → {item.path} {status}")
