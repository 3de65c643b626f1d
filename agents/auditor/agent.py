"""The auditor's loop: look, judge, tell, beat. It must never die silently, and never stop because one look failed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agents.auditor.line import LineCheck
from agents.auditor.look import Finding, Kind, Patience, When, judge
from agents.auditor.questions import Eye
from agents.auditor.standing import News, Standing
from agents.auditor.ways import Heartbeat, Line, Way
from streams.clock import Clock

LOOK_EVERY_S = 2.0


@dataclass
class Auditor:
    """Looks every two seconds.

    Args:
        eye: Reads the ledger.
        ways: How alarms go out, all of them for each.
        heartbeat: Beats while nothing is wrong.
        clock: The time of the story, by which things are due, and real time.
        steady_s: Seconds that never jump, for telling when the clock was stepped.
        language: What its sentences are in, zh or en.
        patience: How long things may take.
        line_check: Posts test warnings on a schedule; None where none are wanted.
    """

    eye: Eye
    ways: Sequence[Way]
    heartbeat: Heartbeat
    clock: Clock
    steady_s: Callable[[], float]
    language: str = "zh"
    patience: Patience = field(default_factory=Patience)
    line_check: LineCheck | None = None
    _standing: Standing = field(default_factory=Standing, init=False)
    _began_s: float = field(init=False)
    _last: tuple[datetime, float] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._began_s = self.steady_s()

    def run(self, stopped: threading.Event) -> None:
        """Look again and again until `stopped` is set."""
        while not stopped.is_set():
            self.look_once()
            stopped.wait(LOOK_EVERY_S)

    def look_once(self) -> tuple[Finding, ...]:
        """Look, tell what is new, beat if nothing is wrong; return what is wrong."""
        when = self._when()
        try:
            seen = self.eye.look(when.now)
            findings = judge(seen, when, self.patience)
            if self.line_check is not None:
                findings = (*findings, *self.line_check.look(when, seen.line_checks, self.patience.start_s))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must hear that nobody is looking.
            findings = (Finding(Kind.BLIND, detail=f"{type(error).__name__}: {_first_line(error)}"),)
        for news in self._standing.take(findings, when.wall):
            self._tell(self._line(news, when))
        if not findings:
            self._beat(when.wall)
        return findings

    def _when(self) -> When:
        """Return the time of this look, and how far the wall clock parted from the steady one since the last."""
        wall, steady_s = self.clock.wall(), self.steady_s()
        stepped_s = 0.0
        if self._last is not None:
            stepped_s = (wall - self._last[0]).total_seconds() - (steady_s - self._last[1])
        self._last = (wall, steady_s)
        return When(self.clock.now(), wall, self.clock.speed, steady_s - self._began_s, stepped_s)

    def _line(self, news: News, when: When) -> Line:
        finding = news.finding
        return {
            "at": when.wall.isoformat(timespec="milliseconds"),
            "story_at": when.now.isoformat(timespec="milliseconds"),
            "state": news.state,
            "kind": finding.kind.value,
            "text": finding.said(self.language),
            "count": finding.count,
            "subject": finding.subject,
            "late_s": round(finding.late_s, 1),
        }

    def _tell(self, line: Line) -> None:
        for way in self.ways:
            try:
                way.tell(line)
            except OSError as error:
                # A full disk must not keep the alarm from the other ways.
                complain(f"{type(way).__name__}: {error}")

    def _beat(self, wall: datetime) -> None:
        try:
            self.heartbeat.beat(wall)
        except OSError as error:
            complain(f"heartbeat: {error}")


def complain(what: str) -> None:
    """Say on standard error that a way did not get through."""
    sys.stderr.write(f"auditor: {what}\n")
    sys.stderr.flush()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
