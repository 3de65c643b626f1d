"""What was committed during a night, and when in true time: what the laws compare the telephones with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agents.callout.state import ANSWERED, OPEN, Callout, CalloutState
from agents.dial.state import Attempt
from agents.plan.state import Round
from streams import topics
from streams.letters import Letter
from streams.sim.county import START
from streams.sim.store import Write

ENDED = (*ANSWERED, *(state for state in CalloutState if state in ("cancelled", "corrected", "superseded", "expired")))

CLOCK_S = 4.0
"""How far the clock of a worker may be ahead on a night in which clocks drift."""


@dataclass
class Seen:
    """What was committed, and when in true virtual seconds."""

    handled: Counter[str] = field(default_factory=Counter)
    closed_unread: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    ended_s: dict[str, float] = field(default_factory=dict)
    stopped_s: dict[str, float] = field(default_factory=dict)
    paused: dict[str, list[tuple[float, datetime]]] = field(default_factory=dict)
    released_s: dict[str, float] = field(default_factory=dict)
    without_due: set[str] = field(default_factory=set)
    intake: list[tuple[datetime, list[Letter]]] = field(default_factory=list)

    def runs_on(self, round_id: str) -> bool:
        """Tell whether a round was neither stopped nor ever paused."""
        return round_id not in self.stopped_s and round_id not in self.paused

    def note(self, writes: Sequence[Write], now_s: float) -> None:
        """Note what a step wrote."""
        for one in writes:
            match one.verb:
                case "take":
                    self.handled.update(letter.id for letter in one.result)
                    soon = START + timedelta(seconds=now_s + CLOCK_S)
                    self.early += [
                        f"{letter.id} of {letter.topic}" for letter in one.result if letter.not_before > soon
                    ]
                    raw = [letter for letter in one.result if letter.topic == topics.WARNINGS_RAW]
                    if raw:
                        self.intake.append((one.args[1], raw))
                case "put_back":
                    self.handled[one.args[0].id] -= 1
                case "save":
                    for row in one.args[1]:
                        self._note_row(row, now_s)
                case _:
                    pass

    def _note_row(self, row: Any, now_s: float) -> None:
        match row:
            case Callout():
                if row.state in ENDED:
                    self.ended_s.setdefault(row.id, now_s)
                if row.state in OPEN and row.due_at is None:
                    self.without_due.add(row.id)
            case Attempt() if row.stop:
                self.released_s.setdefault(row.id, now_s)
            case Round():
                if row.stopped_at is not None:
                    self.stopped_s.setdefault(row.id, now_s)
                pauses = self.paused.setdefault(row.id, []) if row.paused_until else self.paused.get(row.id, [])
                if pauses and pauses[-1][1] != row.paused_until:
                    # Resumed, or paused anew: what was left of the pause before is void.
                    pauses[-1] = (pauses[-1][0], min(pauses[-1][1], START + timedelta(seconds=now_s)))
                if row.paused_until is not None:
                    pauses.append((now_s, row.paused_until))
            case _:
                pass
