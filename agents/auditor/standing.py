"""Which findings are told now: each when it comes, again while it stays, and once when it is over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from agents.auditor.look import Finding, Kind

AGAIN_AFTER = timedelta(seconds=60)

State = Literal["raised", "standing", "cleared"]


@dataclass(frozen=True)
class News:
    """A finding to be told, and whether it is new, still there, or over."""

    state: State
    finding: Finding


@dataclass
class Standing:
    """What was found wrong and is not over."""

    _told: dict[Kind, tuple[Finding, datetime]] = field(default_factory=dict)

    def take(self, findings: Sequence[Finding], wall: datetime) -> tuple[News, ...]:
        """Return what is to be told after a look that found these; `wall` is real time."""
        news: list[News] = []
        for finding in findings:
            told = self._told.get(finding.kind)
            if told is None or wall - told[1] >= AGAIN_AFTER:
                news.append(News("raised" if told is None else "standing", finding))
                self._told[finding.kind] = (finding, wall)
        over = [kind for kind in self._told if kind not in {finding.kind for finding in findings}]
        return (*news, *(News("cleared", self._told.pop(kind)[0]) for kind in over))
