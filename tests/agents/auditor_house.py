"""A house on SQLite whose parts can be taken away one by one, and the auditor that looks at its file from outside."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from agents.auditor.agent import Auditor
from agents.auditor.line import LineCheck
from agents.auditor.questions import Eye
from agents.auditor.ways import FileWay, Heartbeat
from agents.dial.carriers.protocol import Dial, Placed
from agents.dial.carriers.simulated import Habit, Kind, SimulatedCarrier
from agents.facts import Facts
from config.load import load_rules
from streams.clock import VirtualClock
from streams.delivery import deliver
from streams.doors.reception import Reception
from streams.ids import make_id
from streams.ledger.migrate import migrate
from streams.ledger.seal import write_next_seal
from streams.ledger.sql import SqlLedger
from streams.letters import Ordered, write_letter
from streams.topics import TOPICS, WARNINGS_RAW
from streams.wiring import TABLES, build
from tests.small_county import COUNTY, XIKOU, small_county

START = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
ALL = frozenset({"letters", "ticker", "dialler", "recover", "lease"})
LOOK_EVERY_S = 2


class MuteCarrier(SimulatedCarrier):
    """Takes calls and never says a word of them again."""

    async def place(self, dial: Dial) -> Placed:
        return (await super().place(dial)).model_copy(update={"to_come": ()})


class SabotagedHouse:
    """Real rooms on a real file; `working` names the parts that still work."""

    def __init__(self, folder: Path, carrier: SimulatedCarrier | None = None, *, line_check: bool = False) -> None:
        self.folder = folder
        self.path = folder / "ledger.sqlite3"
        self.clock = VirtualClock(START)
        self.working = set(ALL)
        migrate(f"sqlite:///{self.path}", TABLES)
        self.ledger = SqlLedger(f"sqlite:///{self.path}", TABLES)
        sleeper = {"sim:v201-head": Habit(kind=Kind.SLEEPS)}
        self.house = build(
            ledger=self.ledger,
            clock=self.clock,
            facts=Facts(small_county(line_phone=True), load_rules()),
            carriers=(carrier or SimulatedCarrier(sleeper),),
            number_key=b"the numbers of these tests",
            owner="worker",
        )
        self.auditor = Auditor(
            Eye(f"sqlite:///{self.path}", folder),
            (FileWay(folder / "auditor.log"),),
            Heartbeat(folder / "heartbeat"),
            self.clock,
            self.steady_s,
            line_check=self.new_line_check() if line_check else None,
        )
        self.door = ""
        self.posted: list[bytes] = []
        self.found: dict[str, float] = {}

    def steady_s(self) -> float:
        return (self.clock.now() - START).total_seconds()

    def new_line_check(self) -> LineCheck:
        """A check every ten minutes that has to be back in two, posted at the house's own door."""
        path = self.folder / "line_check.json"
        return LineCheck(timedelta(minutes=10), timedelta(minutes=2), COUNTY, self._post, path)

    def _post(self, content: bytes) -> Future[str]:
        """The gateway as the auditor knows it: 202, or what `door` says."""
        answer: Future[str] = Future()
        if not self.door:
            self.posted.append(content)
        answer.set_result(self.door)
        return answer

    async def _take_posted(self) -> None:
        reception = Reception(self.ledger, self.house.facts, self.clock, "real")
        while self.posted:
            await reception.take_warnings(self.posted.pop(0), "application/json", door="http", by="auditor")

    async def order(self) -> None:
        """A person orders a call for a township."""
        now = self.clock.now()
        order_id = make_id("real", "order", "o1")
        order = Ordered(
            order_id=order_id,
            realm="real",
            regions=(XIKOU,),
            hazard="rainstorm",
            text="立即转移",
            by="甲",
            on_word_of="乙",
            ordered_at=now,
        )
        letter = write_letter(WARNINGS_RAW, order_id, order, now, cause=order_id)
        await self.ledger.run(lambda step: step.write([letter]))

    async def go_on(self, seconds: int) -> None:
        """Let the working parts work and the auditor look, every two seconds."""
        for _ in range(0, seconds, LOOK_EVERY_S):
            await self.work()
            for finding in self.auditor.look_once():
                self.found.setdefault(finding.kind.value, self.steady_s())
            self.clock.advance(LOOK_EVERY_S)

    async def work(self) -> None:
        """What a worker does at one instant, as far as its parts work."""
        now = self.clock.now()
        await self._take_posted()
        if "lease" in self.working and self.steady_s() % 6 == 0:
            await self.ledger.run(lambda step: step.lease("sealer", "worker", now, 15) and write_next_seal(step, now))
        if "letters" in self.working:
            for topic in TOPICS:
                await self._deliver(topic.name, bool(topic.reader))
        if "ticker" in self.working:
            for room in self.house.timed:
                due_at = await self.ledger.look(room.next_due_at)
                if due_at is not None and due_at <= now:
                    await self.ledger.run(partial(room.tick, now=now, limit=500))
        if "dialler" in self.working:
            await self.house.dialler.run_once()
        if "recover" in self.working and self.steady_s() % 6 == 0:
            await self.house.dialler.recover()

    async def _deliver(self, topic: str, is_read: bool) -> None:
        now = self.clock.now()
        letters = await self.ledger.look(
            lambda step: step.open_letters(now, now, resend_after_s=1, limit=1000, topics=(topic,))
        )
        ids = [letter.id for letter in letters]
        if ids and is_read:
            await deliver(self.ledger, self.house.rooms[topic], ids, now)
        elif ids:
            await self.ledger.run(lambda step: step.mark_published(ids, now, close=True))

    def sql(self, statement: str, *given: Any) -> list[Any]:
        """Do something to the database behind everybody's back."""
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute(statement, given).fetchall()
        connection.close()
        return rows

    def alarms(self) -> list[dict[str, Any]]:
        path = self.folder / "auditor.log"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def beaten_at(self) -> datetime | None:
        path = self.folder / "heartbeat"
        return datetime.fromisoformat(path.read_text(encoding="utf-8").strip()) if path.exists() else None

    def noticed_after_s(self, kind: str, since: datetime) -> float:
        """Return how long after `since` a kind of finding was first made."""
        assert kind in self.found, f"only {sorted(self.found)} was found"
        return (START + timedelta(seconds=self.found[kind]) - since).total_seconds()

    def close(self) -> None:
        self.auditor.eye.close()
        self.ledger.close()


def play(folder: Path, night: Callable[[SabotagedHouse], Coroutine[Any, Any, None]], **options: Any) -> SabotagedHouse:
    """Play a night and return the house for what is to be looked at afterwards."""
    house = SabotagedHouse(folder, **options)
    try:
        asyncio.run(night(house))
    finally:
        house.close()
    return house
