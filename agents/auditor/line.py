"""The line check: a test warning that goes in at the ordinary door on a schedule, and has to come back.

It goes the whole way, through every room to the line check phone, and counts only when the ledger holds that phone's
receipt. It must never be anything but a test (status Test, a realm of its own), and never decide whom to call: the
county's rules give it one phone. What became of it is read from the ledger, not asked of the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from agents.auditor.look import Finding, Kind, Row, When

SENDER = "jiaoying-auditor"
POST_AGAIN = timedelta(seconds=30)
"""How long after the door did not take one the next is posted; real time."""
CHECK_AGAIN = timedelta(minutes=15)
"""How long after one that did not come back the next is posted; real time. Its phone has a budget like any other."""

Post = Callable[[bytes], "Future[str]"]
"""Hands a document in at the door, from a thread; the answer is empty, or why it was not taken."""


@dataclass(frozen=True)
class Check:
    """One test warning.

    Args:
        number: Which one, from 1.
        at: Story time of its posting.
        wall: Real time of its posting.
        since: Real time of the first that did not come back, of those right before this one; its own where none.
        refused: Why the door did not take it, or empty.
        is_back: Its receipt stands in the ledger.
    """

    number: int
    at: datetime
    wall: datetime
    since: datetime
    refused: str = ""
    is_back: bool = False

    def document(self, area: str, until: datetime) -> bytes:
        """Return it as the door takes it: a warning for the whole county that says that it is a test."""
        words = {
            "identifier": f"line-check-{self.number}-{self.at:%Y%m%dT%H%M%S}",
            "sender": SENDER,
            "status": "Test",
            "msgType": "Alert",
            "sent": self.at.isoformat(),
            "expires": until.isoformat(),
            "event": "线路自检",
            "level": "橙色",
            "headline": "【测试】线路自检橙色预警",
            "description": "叫应系统自检，听完请按1，无需行动。",
            "geocode": area,
        }
        return json.dumps(words, ensure_ascii=False).encode()


class LineCheck:
    """Posts a check when it is time, and says what is wrong with the last one.

    Args:
        every: Real time from one check to the next.
        within: Real time in which it has to come back; it is void afterwards.
        area: Code of the county.
        post: The door.
        path: Where the last check is kept over a restart of this process.
    """

    def __init__(self, every: timedelta, within: timedelta, area: str, post: Post, path: Path) -> None:
        self._every, self._within, self._area = every, within, area
        self._post, self._path = post, path
        self._last = _read(path)
        self._pending: tuple[Check, Future[str]] | None = None

    def look(self, when: When, receipts: Sequence[Row], start_s: float) -> tuple[Finding, ...]:
        """Post the next check when it is time, and return what is wrong with the last one.

        Args:
            when: The time of this look.
            receipts: Line checks that were confirmed, by when their callouts were opened; story time.
            start_s: How long workers have to appear after this process began; real seconds.

        Raises:
            OSError: What became of a check cannot be kept.
        """
        self._hear()
        check = self._last
        if check is not None and not check.is_back and any(row.at >= check.at for row in receipts):
            check = self._keep(replace(check, is_back=True))
        if self._pending is None and when.running_s >= start_s and self._is_time(check, when.wall):
            self._send(check, when)
        return tuple(self._wrong(check, when))

    def _is_time(self, check: Check | None, wall: datetime) -> bool:
        if check is None:
            return True
        if check.is_back:
            return wall >= check.wall + self._every
        return wall >= check.wall + (POST_AGAIN if check.refused else max(self._within, CHECK_AGAIN))

    def _send(self, last: Check | None, when: When) -> None:
        number, since = (last.number + 1, last.since) if last else (1, when.wall)
        fresh = Check(number, when.now, when.wall, when.wall if last and last.is_back else since)
        self._pending = fresh, self._post(fresh.document(self._area, when.now + self._within * when.speed))

    def _hear(self) -> None:
        """Take the door's answer, once it is there."""
        if self._pending is not None and self._pending[1].done():
            check, answer = self._pending
            self._pending = None
            self._keep(replace(check, refused=answer.result()))

    def _wrong(self, check: Check | None, when: When) -> Iterator[Finding]:
        if check is None or check.is_back:
            return
        silent_s = (when.wall - check.since).total_seconds()
        if check.refused:
            yield Finding(Kind.DOOR_CLOSED, late_s=silent_s, detail=check.refused)
        if silent_s > self._within.total_seconds():
            yield Finding(Kind.LINE_CHECK_MISSED, subject=str(check.number), late_s=silent_s)

    def _keep(self, check: Check) -> Check:
        self._last = check
        self._path.write_text(json.dumps(asdict(check), default=datetime.isoformat, ensure_ascii=False), "utf-8")
        return check


def _read(path: Path) -> Check | None:
    """Return the last check of an earlier life; one that cannot be read is none, so that a new one is posted."""
    try:
        words = json.loads(path.read_text("utf-8"))
        times = {key: datetime.fromisoformat(words[key]) for key in ("at", "wall", "since")}
        return Check(**{**words, **times})
    except (OSError, ValueError, KeyError, TypeError):
        return None
