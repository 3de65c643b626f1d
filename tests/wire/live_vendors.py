"""The fake vendors in real time: each call is a task of its own, and its seconds are real, or so many times faster.

They misbehave at random, from one seed: requests are refused, fail before or after they were done, or are never
answered; callbacks and receipts come late, twice, in the wrong order, or never. What they took, what our gateway
answered and what nobody should have said stands in `Journal`, one line of JSON each.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiohttp

from agents.dial.carriers.studio_flow import definition
from tests.wire import fake_aliyun, fake_mainland, fake_queues, fake_studio, fake_twilio
from tests.wire.fake_mainland import Accepted, written
from tests.wire.fake_phones import Answer, Handset, Placed
from tests.wire.sample_phones import REPLY, REPLY_S, SamplePhones

HANG_S = 30.0
LATE_S = 20.0
LOOK_S = 0.2


@dataclass(frozen=True)
class Nature:
    """How a vendor is.

    Args:
        speed: Seconds of a call that pass in one real second.
        faults: The share of requests that each fault befalls.
        receipts: The share of callbacks and receipts that come `late`, `twice`, or are `lost`.
        late_s: How late at the most, real seconds.
        seed: Of all chances.
    """

    speed: float = 1.0
    faults: Mapping[str, float] = field(default_factory=dict)
    receipts: Mapping[str, float] = field(default_factory=dict)
    late_s: float = LATE_S
    seed: int = 1


class Journal:
    """What a vendor saw, as lines of JSON in a file, and counted."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8") if path else None
        self.counts: Counter[str] = Counter()

    def note(self, vendor: str, what: str, **facts: object) -> None:
        """Write one line."""
        self.counts[f"{vendor} {what}"] += 1
        if self._file is not None:
            line = {"at": datetime.now(UTC).isoformat(), "vendor": vendor, "what": what, **facts}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class _Noted(list[str]):
    """What is unexpected, which is written down at once."""

    def __init__(self, journal: Journal, vendor: str) -> None:
        super().__init__()
        self._journal, self._vendor = journal, vendor

    def append(self, item: str) -> None:
        super().append(item)
        self._journal.note(self._vendor, "unexpected", said=item)


class _Live:
    """Real seconds, real connections, and chance."""

    nature: Nature
    journal: Journal
    vendor: str
    unexpected: list[str]
    phones: SamplePhones

    def _begin(self, nature: Nature, journal: Journal) -> None:
        self.nature, self.journal = nature, journal
        self._chance = random.Random(nature.seed)
        self.phones = SamplePhones({})
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.unexpected = _Noted(journal, self.vendor)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @now.setter
    def now(self, at: datetime) -> None:
        """Nothing: real time is not set."""

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.nature.speed)

    def _start(self, happening: Coroutine[Any, Any, None]) -> None:
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(happening)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.unexpected.append(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """End what is under way; while the server still runs, from another thread."""
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    async def _stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _aside(self, happening: Coroutine[Any, Any, None]) -> None:
        """Let a callback go its own way: late, and thereby in another order, or not at all."""
        drawn = self._chance.random()
        if drawn < self.nature.receipts.get("lost", 0.0):
            happening.close()
            self.journal.note(self.vendor, "lost")
            return
        late = self._chance.random() < self.nature.receipts.get("late", 0.0)
        self._start(self._later(happening, self._chance.random() * self.nature.late_s if late else 0.0))

    async def _later(self, happening: Coroutine[Any, Any, None], wait_s: float) -> None:
        try:
            await asyncio.sleep(wait_s)
        except asyncio.CancelledError:
            happening.close()
            raise
        await happening

    async def _send(self, url: str, headers: Mapping[str, str], **body: Any) -> Answer:
        """Send one request, and at times the same once more; status 0 where nobody answered."""
        answer = await self._send_once(url, headers, **body)
        if self._chance.random() < self.nature.receipts.get("twice", 0.0):
            answer = await self._send_once(url, headers, **body)
        return answer

    async def _send_once(self, url: str, headers: Mapping[str, str], **body: Any) -> Answer:
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._http = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=15))
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._http.post(url, headers=dict(headers), **body) as response:
                answer = Answer(response.status, await response.text())
        except (aiohttp.ClientError, TimeoutError):
            answer = Answer(0, "")
        took_ms = round((loop.time() - began) * 1000, 1)
        self.journal.note(self.vendor, "webhook", kind=kind_of(url), status=answer.status_code, ms=took_ms)
        return answer

    def _draw_fault(self) -> str | None:
        drawn = self._chance.random()
        for fault, share in self.nature.faults.items():
            drawn -= share
            if drawn < 0:
                self.journal.note(self.vendor, "fault", fault=fault)
                return fault
        return None

    async def _hang(self) -> None:
        await asyncio.sleep(HANG_S)


class LiveTwilio(_Live, fake_twilio.FakeTwilio):
    """Twilio, whose telephones have habits by the last digit of their numbers; `handsets` and `phones` go before."""

    vendor = "twilio"

    def __init__(self, nature: Nature | None = None, journal: Journal | None = None) -> None:
        fake_twilio.FakeTwilio.__init__(self)
        self._begin(nature or Nature(), journal or Journal())

    def handset(self, number: str) -> Handset:
        return self.handsets.get(number) or self.phones.at_twilio(number) or habit_of(number)

    def _next_fault(self) -> fake_twilio.Fault | None:
        return cast("fake_twilio.Fault | None", self._draw_fault())

    def _accept(self, prefix: str, asked: dict[str, list[str]], into: dict[str, Placed]) -> Placed:
        placed = super()._accept(prefix, asked, into)
        self._unplayed.clear()
        what = "call" if prefix == "CA" else "text"
        if what == "call":
            self.phones.rings(placed.parameter("To"))
        self.journal.note(self.vendor, what, number=placed.parameter("To"), id=placed.sid)
        self._start(self._happen(placed))
        return placed

    async def _carry(self, url: str, fields: dict[str, str], headers: dict[str, str]) -> Answer:
        answer = await self._send(url, headers, data=fields)
        # No connection, and it is tried again as after a 5xx.
        return answer if answer.status_code else Answer(599, "")


class LiveAliyun(_Live, fake_aliyun.FakeAliyun):
    """Aliyun, with the same telephones. Its receipts hold times: a speed above two makes keys come too soon."""

    vendor = "aliyun"

    def __init__(self, nature: Nature | None = None, journal: Journal | None = None) -> None:
        fake_aliyun.FakeAliyun.__init__(self)
        self._begin(nature or Nature(), journal or Journal())

    def _handset(self, accepted: Accepted) -> fake_mainland.Handset:
        by_digit = _MAINLAND_HABITS.get(accepted.number[-1:], fake_mainland.Handset(key="1"))
        return self.handsets.get(accepted.number) or self.phones.at_aliyun(accepted.number) or by_digit

    def _next_fault(self) -> fake_aliyun.Fault | None:
        return cast("fake_aliyun.Fault | None", self._draw_fault())

    def _take(self, accepted: Accepted, into: dict[str, Accepted]) -> None:
        super()._take(accepted, into)
        self._unplayed.clear()
        what = "call" if into is self.calls else "text"
        if what == "call":
            self.phones.rings(accepted.number)
        elif self.phones.answers_texts(accepted.number):
            self._start(self._read_and_reply(accepted.number))
        self.journal.note(self.vendor, what, number=accepted.number, id=accepted.id)
        self._start(self._happen(accepted))

    async def _read_and_reply(self, number: str) -> None:
        """Whoever has this telephone reads the text, and writes back."""
        await self._pass(REPLY_S)
        await self._write_up(number, REPLY)

    async def _write_up(self, number: str, words: str) -> None:
        """Push what somebody wrote to us."""
        receipt = {"phone_number": number, "send_time": written(self.now), "content": words}
        receipt |= {"sign_name": min(self.sign_names), "dest_code": "1234"}
        await self._push("sms-up", [receipt | {"sequence_id": time.monotonic_ns() // 1_000_000}])

    async def _carry(self, url: str, batch: Any) -> tuple[int, str]:
        answer = await self._send(url, {}, json=batch)
        if answer.status_code != 200:
            # The real one pushes again after 1, 5 and 10 minutes.
            await self._pass(60)
        return answer.status_code, answer.text


class LiveStudio(LiveTwilio, fake_studio.FakeStudio):
    """Twilio that conducts calls by our flow and calls nothing back."""

    def __init__(self, nature: Nature | None = None, journal: Journal | None = None) -> None:
        fake_studio.FakeStudio.__init__(self, definition())
        checked = list(self.unexpected)
        self._begin(nature or Nature(), journal or Journal())
        for fault in checked:
            self.unexpected.append(fault)

    def _take_execution(self, made: fake_studio.Execution) -> None:
        self.journal.note(self.vendor, "call", number=made.to, id=made.sid)
        self._start(self._run(made))


class LiveQueues(LiveAliyun, fake_queues.FakeQueues):
    """Aliyun that keeps receipts in queues and pushes nothing."""

    def __init__(self, nature: Nature | None = None, journal: Journal | None = None) -> None:
        fake_queues.FakeQueues.__init__(self)
        self._begin(nature or Nature(), journal or Journal())

    async def _visible(self, name: str, most: int, wait_s: int) -> list[fake_queues.Message]:
        """Wait for the next message as long as was asked for."""
        for _ in range(max(1, int(wait_s / LOOK_S))):
            if found := await super()._visible(name, most, wait_s):
                return found
            await asyncio.sleep(LOOK_S)
        return []


def habit_of(number: str) -> Handset:
    """Return what a telephone does by the last digit of its number."""
    return {
        "0": Handset(answers="failed", sip_code="480"),
        "1": Handset(answers="no-answer", ring_s=30),
        "2": Handset(hangs_up_at_s=4),
        "3": Handset(),
        "4": Handset(keys=["0"]),
        "5": Handset(keys=["2"]),
    }.get(number[-1:], Handset(keys=["1"]))


_MAINLAND_HABITS = {
    "0": fake_mainland.Handset(status="200010"),
    "1": fake_mainland.Handset(status="200003"),
    "2": fake_mainland.Handset(hangs_up_at_s=4),
    "3": fake_mainland.Handset(),
    "4": fake_mainland.Handset(key="0"),
    "5": fake_mainland.Handset(key="2"),
}


def kind_of(url: str) -> str:
    """Return which door of our gateway an address leads to: its words without tokens and secrets."""
    known = ("voice", "asked", "key", "calls", "texts", "status", "inbound", "aliyun")
    parts = url.partition("://")[2].partition("?")[0].partition("#")[0].split("/")[1:]
    return "/".join(part for part in parts if part in known or part.endswith(("report", "sms-up")))
