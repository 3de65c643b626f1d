"""A telephone vendor as a process: it takes calls over HTTP, lets telephones ring in story time, keeps a journal.

The journal is what the ledger is held against: one JSON object a line, written before anything is answered. It knows
of our house only what a vendor knows: numbers, addresses to call back, and what those answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from agents.dial.carriers.signature import attempt_of
from streams.clock import SystemClock
from tests.wire.fake_phones import FINAL, Answer, Handset, Placed
from tests.wire.live_vendors import Journal, LiveTwilio, Nature

AGAIN_S = 1.0
"""Between two tries of a callback: the six of them bridge a gateway that is started again."""
KEYS = {"answers": "1", "slow": "1", "fetches": "2", "cannot": "0", "child": "9"}
HANDSETS = {
    "hangs_up_early": Handset(hangs_up_at_s=4),
    "sleeps": Handset(answers="no-answer", ring_s=35),
    "replies_by_sms": Handset(answers="no-answer", ring_s=35),
    "voicemail": Handset(answers="machine"),
    "switched_off": Handset(answers="failed", sip_code="480"),
    "no_coverage": Handset(answers="failed", sip_code="480"),
    "out_of_service": Handset(answers="failed", sip_code="404"),
}
"""What the habits of the sample county's telephones come to in this network."""


class Vendor(LiveTwilio):
    """Twilio in story time, whose telephones have the county's habits."""

    def __init__(self, clock: SystemClock, habits: dict[str, tuple[str, int]], journal: Journal) -> None:
        self._clock, self._habits = clock, habits
        super().__init__(Nature(speed=clock.speed), journal)
        self._rung: Counter[str] = Counter()

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @now.setter
    def now(self, at: datetime) -> None:
        """Nothing: time is not set."""

    def handset(self, number: str) -> Handset:
        kind, after = self._habits.get(number, ("answers", 0))
        habit = "answers" if 0 < after < self._rung[number] else kind
        return HANDSETS.get(habit) or Handset(keys=[KEYS[habit]] * 9, ring_s=25 if habit == "slow" else 6)

    def note(self, what: str, **facts: Any) -> None:
        self.journal.note(self.vendor, what, story=self.now.isoformat(), **facts)

    def _accept(self, prefix: str, asked: dict[str, list[str]], into: dict[str, Placed]) -> Placed:
        if prefix == "CA":
            self._rung[asked["To"][0]] += 1
        placed = super()._accept(prefix, asked, into)
        # .../calls/<token>/status: the one thing by which a vendor could know which attempt this is.
        attempt = attempt_of(urlsplit(placed.parameter("StatusCallback")).path.split("/")[-2])
        what = "rings" if prefix == "CA" else "text taken"
        self.note(what, sid=placed.sid, attempt=attempt, number=placed.parameter("To"))
        return placed

    async def _end(self, call: Placed, *rest: Any) -> None:
        # The line is free from here on, however long we are then called back about it.
        self.note("over", sid=call.sid, status=call.status)
        await super()._end(call, *rest)

    def _update_call(self, request: Any, asked: dict[str, list[str]]) -> Any:
        call = self.calls.get(request.path_params["sid"])
        was_over = call is None or call.status in FINAL
        answer = super()._update_call(request, asked)
        if call is not None and not was_over:
            self.note("over", sid=call.sid, status="hung up by us")
        return answer

    async def _post(self, url: str, fields: dict[str, str]) -> Answer:
        answer = await super()._post(url, fields)
        if fields.get("Digits"):
            self.note("key", sid=fields["CallSid"], key=fields["Digits"], kept=answer.status_code == 200)
        return answer

    async def _carry(self, url: str, fields: dict[str, str], headers: dict[str, str]) -> Answer:
        answer = await super()._carry(url, fields, headers)
        if answer.status_code >= 500:
            await asyncio.sleep(AGAIN_S)
        return answer


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--habits", type=Path, required=True, help="JSON: number to [habit, after]")
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--wall-origin", type=datetime.fromisoformat, required=True)
    parser.add_argument("--story-origin", type=datetime.fromisoformat, required=True)
    given = parser.parse_args()
    habits = {number: (kind, after) for number, (kind, after) in json.loads(given.habits.read_text()).items()}
    clock = SystemClock(given.speed, given.wall_origin, given.story_origin)
    vendor = Vendor(clock, habits, Journal(given.journal))
    uvicorn.run(vendor.app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False, ws="none")


if __name__ == "__main__":
    main()
