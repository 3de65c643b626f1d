"""A way to phones without limits, in this process: what is measured is the house and not a vendor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.dial.carriers.protocol import Dial, Placed
from streams.bench.figures import cpu_s
from streams.clock import SystemClock
from streams.ids import digest
from streams.letters import CallNews
from streams.words import Channel

PER_S = 1_000_000.0
HEARD_S = 12.0


class BenchCarrier:
    """Takes every call at once; with `answers`, each is answered, heard to the end and confirmed by key 1 as well."""

    name = "bench"
    pace_per_s = PER_S
    texts_per_s = PER_S

    def __init__(self, *, answers: bool = False) -> None:
        self._answers = answers
        self._clock = SystemClock()
        self.calls = 0
        self.texts = 0
        self.first_call_at: datetime | None = None
        self.last_call_at: datetime | None = None
        self.cpu_s_at_last_call = 0.0

    def may_dial(self, number: str) -> bool:
        """Return whether it is a number of a synthetic county."""
        return number.startswith("sim:bench-")

    async def place(self, dial: Dial) -> Placed:
        """Take the call or the text, and note when."""
        vendor_id = f"bench-{digest(dial.attempt_id)}"
        if dial.channel is Channel.TEXT:
            self.texts += 1
            return Placed(vendor_id=vendor_id)
        self.calls += 1
        self.last_call_at = self._clock.wall()
        self.cpu_s_at_last_call = cpu_s()
        self.first_call_at = self.first_call_at or self.last_call_at
        return Placed(vendor_id=vendor_id, to_come=self._answer(dial) if self._answers else ())

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Know nothing."""
        return None

    async def hang_up(self, vendor_id: str) -> None:
        """Do nothing."""

    @staticmethod
    def _answer(dial: Dial) -> tuple[CallNews, ...]:
        steps: tuple[dict[str, Any], ...] = (
            {"progress": "answered"},
            {"progress": "played", "heard_s": HEARD_S},
            {"progress": "key", "key": "1"},
            {"progress": "ended", "heard_s": HEARD_S},
        )
        return tuple(
            CallNews.model_validate({"attempt_id": dial.attempt_id, "seq": seq, "at": dial.at, **step})
            for seq, step in enumerate(steps, 1)
        )
