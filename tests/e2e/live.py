"""A live stack under a test's hand: what `jiaoying up` starts, with a way to kill each of its processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.settings import read_settings
from streams.ledger.contract import Ledger
from streams.ledger.sql import SqlLedger
from streams.supervisor import Stack
from streams.wiring import TABLES
from tests.e2e.onlooker import STORY, Onlooker
from tests.e2e.ports import free_port, free_ports_in_a_row

SPEED = 60.0


class Live(Onlooker):
    """A running stack, and what a test wants to do to it."""

    def __init__(self, folder: Path, county: Path, *, workers: int = 1, speed: float = SPEED, **settings: Any) -> None:
        chosen: dict[str, Any] = {
            "data_dir": folder / "data",
            "county_folder": county,
            "port": free_port(),
            "metrics_port": free_ports_in_a_row(workers),
            "speed": speed,
            "wall_origin": datetime.now(UTC),
            "story_origin": STORY,
            "call_pace_per_s": 5.0,
        }
        self.settings = read_settings(**{**chosen, **settings})
        self.told: list[str] = []
        self.workers = workers
        self.stack = Stack(self.settings, self.told.append, workers=workers)
        self.watching: asyncio.Task[None] | None = None
        self.before_work: Callable[[Ledger], None] = lambda _: None
        """Done to the ledger when the stack was started for the first time."""

    async def __aenter__(self) -> Live:
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._look_away()
        await self.stack.stop()
        if self.ledger is not None:
            self.ledger.close()

    async def _look_away(self) -> None:
        """Let nothing be started again any more; what is just being started is there, or is not, when this returns."""
        if self.watching is not None:
            self.watching.cancel()
            await asyncio.wait([self.watching])

    async def start(self) -> None:
        """Start the stack, or start it again after everything was killed."""
        await self.stack.start()
        self.watching = asyncio.create_task(self.stack.watch())
        if self.ledger is None:
            self.ledger = SqlLedger(self.settings.ledger, TABLES)
            await asyncio.to_thread(self.before_work, self.ledger)

    async def kill_everything(self) -> None:
        """The power is out: every process ends at once, none is asked."""
        await self._look_away()
        for child in self.stack.children.values():
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
        if self.stack.broker is not None and self.stack.broker.process is not None:
            self.stack.broker.process.kill()
            self.stack.broker.process.wait()
        for child in self.stack.children.values():
            await child.wait()
        self.stack = Stack(self.settings, self.told.append, workers=self.workers)

    def kill(self, name: str) -> None:
        """End one process without asking it."""
        if name == "broker":
            assert self.stack.broker is not None
            assert self.stack.broker.process is not None
            self.stack.broker.process.kill()
        else:
            os.kill(self.stack.children[name].pid, signal.SIGKILL)
