"""What the end-to-end tests stand on: one township of the sample county as a folder, and a live stack over it."""

import asyncio
import csv
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from agents.callout.state import CALLOUTS, OPEN, Callout
from config.hazards import load_hazards
from config.settings import Settings, read_settings
from streams.broker import free_port
from streams.cli.tokens import own_token
from streams.ledger.sql import SqlLedger
from streams.replay.cap_writer import Document, write_cap
from streams.supervisor import Stack
from streams.wiring import TABLES
from streams.words import Colour

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
TOWNSHIP = "419926201"
STORY = datetime(2021, 7, 19, 13, 50, tzinfo=UTC)
SPEED = 60.0


def one_township(target: Path) -> Path:
    """Write the county with a single township: the one where a village has no coverage."""
    target.mkdir()
    posts = {row["id"] for row in _rows("posts.csv") if _inside(row["region"])}
    keep: dict[str, Callable[[dict[str, str]], bool]] = {
        "regions.csv": lambda row: _inside(row["code"]),
        "units.csv": lambda row: _inside(row["region"]),
        "sites.csv": lambda row: _inside(row["region"]),
        "posts.csv": lambda row: row["id"] in posts,
        "people.csv": lambda row: True,
        "shifts.csv": lambda row: row["post"] in posts,
        "pattern.csv": lambda row: row["post"] in posts,
        "knockers.csv": lambda row: _inside(row["region"]),
        "stations.csv": lambda row: _inside(row["region"]),
        "habits.csv": lambda row: True,
    }
    (target / "county.yaml").write_text((SAMPLE / "county.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name, wanted in keep.items():
        rows = _rows(name)
        with (target / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(row for row in rows if wanted(row))
    return target


def _rows(name: str) -> list[dict[str, str]]:
    with (SAMPLE / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _inside(code: str) -> bool:
    return code.startswith(TOWNSHIP) or code.endswith("000000")


class Live:
    """A running stack, and what a test wants to do to it."""

    def __init__(self, folder: Path, county: Path, *, workers: int = 1, speed: float = SPEED, **settings: Any) -> None:
        now = datetime.now(UTC)
        self.settings: Settings = read_settings(
            data_dir=folder / "data",
            county_folder=county,
            port=free_port(),
            metrics_port=free_port(),
            speed=speed,
            wall_origin=now,
            story_origin=STORY,
            call_pace_per_s=5.0,
            **settings,
        )
        self.told: list[str] = []
        self.workers = workers
        self.stack = Stack(self.settings, self.told.append, workers=workers)
        self.watching: asyncio.Task[None] | None = None
        self.ledger: SqlLedger | None = None

    async def __aenter__(self) -> "Live":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.watching is not None:
            self.watching.cancel()
        await self.stack.stop()
        if self.ledger is not None:
            self.ledger.close()

    async def start(self) -> None:
        """Start the stack, or start it again after everything was killed."""
        await self.stack.start()
        self.watching = asyncio.create_task(self.stack.watch())
        if self.ledger is None:
            self.ledger = SqlLedger(self.settings.ledger, TABLES)

    async def kill_everything(self) -> None:
        """The power is out: every process ends at once, none is asked."""
        assert self.watching is not None
        self.watching.cancel()
        for child in self.stack.children.values():
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

    async def send(self, content: bytes, token: str | None = None) -> httpx.Response:
        """Post a warning document."""
        secret = token if token is not None else await asyncio.to_thread(own_token, self.settings)
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.post(
                f"{self.url}/v1/warnings",
                content=content,
                headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/cap+xml"},
            )

    async def get(self, path: str) -> httpx.Response:
        """Get something from the gateway with this machine's own token."""
        secret = await asyncio.to_thread(own_token, self.settings)
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {secret}"})

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def callouts(self) -> list[Callout]:
        assert self.ledger is not None
        return self.ledger.step(lambda step: step.find(CALLOUTS, limit=10_000))

    def rows(self, table: Any) -> list[Any]:
        assert self.ledger is not None
        return self.ledger.step(lambda step: step.find(table, limit=10_000))

    def states(self) -> Counter[str]:
        """Count the callouts by state."""
        return Counter(row.state.value for row in self.callouts())

    async def until(self, is_so: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait until something is so; tell how things stand where it does not become so in time."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not await asyncio.to_thread(is_so):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{what} did not happen in {within_s} s: {self.states()}")
            await asyncio.sleep(0.2)

    async def until_all_ended(self, at_least: int, within_s: float = 90) -> None:
        """Wait until the round has opened and every callout of it came to its end."""

        def ended() -> bool:
            rows = self.callouts()
            return len(rows) >= at_least and all(row.state not in OPEN for row in rows)

        await self.until(ended, within_s, "the end of every callout")


def red_rain() -> bytes:
    """Return a red rainstorm warning for the whole county, as the platform sends it."""
    hazards = {hazard.key: hazard for hazard in load_hazards()}
    return write_cap(
        Document(
            identifier="41992641600000_20210719215900",
            issuer="禾溪县气象台",
            sent=STORY + timedelta(minutes=9),
            hazard=hazards["rainstorm"],
            colour=Colour.RED,
            text="过去3小时我县部分乡镇降雨量已达100毫米以上。",
            geocodes=("419926000000",),
            area_names=("禾溪县",),
        )
    )
