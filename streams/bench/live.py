"""Parts measured on the live stack as people run it: processes, HTTP, the embedded broker, the sample county."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from agents.callout.state import CALLOUTS, Callout
from agents.plan.state import ROUNDS
from config.settings import Settings, read_settings
from rosters.load import load_county
from streams.bench.crew import BenchError
from streams.bench.figures import Figure, percentile
from streams.bench.parts import open_callouts, open_round
from streams.bench.stand import PAGE, REALM, Ground, Tell, drop_ledger, own_ledger
from streams.broker import free_port
from streams.cli.tokens import own_token
from streams.clock import SystemClock
from streams.installation import environment, prepare
from streams.ledger.contract import FullStep, Where
from streams.ledger.sql import SqlLedger
from streams.supervisor import Stack
from streams.wiring import TABLES
from streams.words import Level

PACE_PER_S = 500.0
IDLE_S = 1.0
LOAD_EVERY_S = 1.0
AIM_S = {False: 0.3, True: 1.0}
"""Design §6: idle, and under load."""
SETTLE_S = 10.0
WITHIN_S = 10.0
LOOK_S = 0.02
AGAIN_MAX = 20
"""So often an order is sent again that the gateway asked to be sent again, as any sender does."""
RESTART_WITHIN_S = 120.0
DAY = timedelta(days=1)


async def first_dial(orders: int, tell: Tell, ground: Ground, *, loaded: bool = False) -> list[Figure]:
    """From the 202 for a person's order until the first call for it was claimed.

    On an otherwise idle stack; or `loaded`, while every second an order for half of the county's villages comes in,
    and those measured are for the other half.
    """
    with tempfile.TemporaryDirectory(prefix="jiaoying-bench-") as folder:
        settings = _settings(Path(folder), ground)
        stack = Stack(settings, lambda text: tell(f"first-dial: {text}", 0.0))
        ledger: SqlLedger | None = None
        try:
            await stack.start()
            ledger = SqlLedger(settings.ledger, TABLES)
            latencies_s, again = await _order_again_and_again(settings, ledger, orders, tell, loaded=loaded)
        finally:
            await stack.stop()
            if ledger is not None:
                await asyncio.to_thread(ledger.close)
            drop_ledger(ground)
    name = "first-dial under load" if loaded else "first-dial"
    return [
        Figure(name, orders, "orders dialled", len(latencies_s), f"of {orders}"),
        Figure(name, orders, "202 to first dial p50", percentile(latencies_s, 0.5), "s"),
        Figure(name, orders, "202 to first dial p99", percentile(latencies_s, 0.99), "s", AIM_S[loaded]),
        Figure(name, orders, "202 to first dial worst", max(latencies_s, default=None), "s"),
        Figure(name, orders, "orders sent again", again, "times"),
    ]


async def _order_again_and_again(
    settings: Settings, ledger: SqlLedger, orders: int, tell: Tell, *, loaded: bool
) -> tuple[list[float], int]:
    """Return the seconds from each 202 to the first call, and how often an order was sent again."""
    clock = SystemClock()
    token = await asyncio.to_thread(own_token, settings)
    posts = _posts_of_villages(settings, clock.now())
    villages = list(posts)
    measured = villages[len(villages) // 2 :]
    await asyncio.sleep(SETTLE_S)
    latencies_s: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"http://{settings.host}:{settings.port}", headers=headers) as client:
        door = Door(client)
        load = asyncio.create_task(_keep_ordering(door, villages[: len(villages) // 2])) if loaded else None
        try:
            for number in range(orders):
                tell("first-dial: 下令 / ordering", number / orders)
                village = measured[number % len(measured)]
                latency_s = await _order_one(door, ledger, village, posts[village], clock)
                if latency_s is not None:
                    latencies_s.append(latency_s)
                if load is not None and load.done():
                    load.result()
                await asyncio.sleep(IDLE_S)
        finally:
            if load is not None:
                load.cancel()
    return latencies_s, door.again


@dataclass
class Door:
    """The gateway's door, and how often an order was sent again: it said so, or did not answer in time."""

    client: httpx.AsyncClient
    again: int = 0

    async def order(self, villages: Sequence[str], text: str) -> None:
        """Order calls for some villages, as a sender does: what is not taken for now is sent again.

        Raises:
            BenchError: The order was refused for good, or again and again.
        """
        body = {"villages": villages, "hazard": "rainstorm", "text": text, "by": "bench", "on_word_of": "bench"}
        for _ in range(AGAIN_MAX):
            try:
                answer = await self.client.post("/v1/orders/call", json=body)
            except httpx.TimeoutException:
                self.again += 1
                continue
            if answer.status_code in (httpx.codes.ACCEPTED, httpx.codes.OK):
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise BenchError(
                    f"网关没有收下指令：{answer.status_code} {answer.text[:200]} / the order was not taken"
                )
            self.again += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
        raise BenchError("网关一再没有收下指令 / the order was not taken, again and again")


async def _keep_ordering(door: Door, villages: Sequence[str]) -> None:
    """Order calls for many villages, again and again."""
    for number in count():
        await door.order(villages, f"测速{number}")
        await asyncio.sleep(LOAD_EVERY_S)


async def _order_one(
    door: Door, ledger: SqlLedger, village: str, posts: Sequence[str], clock: SystemClock
) -> float | None:
    """Order a call for one village; return the seconds from its 202, or None where nothing was dialled in time."""
    asked_at = clock.wall()
    await door.order([village], "测速")
    accepted_at = clock.wall()
    deadline = accepted_at + timedelta(seconds=WITHIN_S)
    while clock.wall() < deadline:
        rows = await ledger.look(partial(_opened_since, since=asked_at, posts=posts))
        dialled = [row.first_dial_at for row in rows if row.first_dial_at is not None]
        if dialled:
            return max(0.0, (min(dialled) - accepted_at).total_seconds())
        await asyncio.sleep(LOOK_S)
    return None


async def restart(open_count: int, tell: Tell, ground: Ground) -> list[Figure]:
    """From starting a worker's process, with many callouts open, until the one that is due first is dialled."""
    with tempfile.TemporaryDirectory(prefix="jiaoying-bench-") as folder:
        settings = _settings(Path(folder), ground)
        await asyncio.to_thread(prepare, settings)
        ledger = SqlLedger(settings.ledger, TABLES)
        try:
            due_id = await _fill(ledger, settings, open_count, tell)
            tell(f"restart {open_count}: 启动工作进程 / starting a worker", 0.8)
            dialled_s = await _start_worker(ledger, settings, due_id)
        finally:
            await asyncio.to_thread(ledger.close)
            drop_ledger(ground)
    return [Figure("restart", open_count, "process start to the first due call", dialled_s, "s", 10.0)]


async def _fill(ledger: SqlLedger, settings: Settings, count: int, tell: Tell) -> str:
    """Open callouts that are due tomorrow, and one that wants its call now; return the id of that one."""
    now = SystemClock().now()
    posts = [post for post, row in _county_posts(settings, now).items() if row.level is Level.VILLAGE]
    await ledger.run(lambda step: step.save(ROUNDS, [open_round(now)]))
    page: list[Callout] = []
    first: Callout | None = None
    for number, row in enumerate(open_callouts(posts, count, now + DAY)):
        first = first or row.model_copy(update={"call_at": now})
        page.append(first if number == 0 else row)
        if len(page) == PAGE or number == count - 1:
            await ledger.run(partial(_save, rows=tuple(page)))
            page = []
            tell(f"restart {count}: 放入叫应 / opening callouts", 0.8 * number / count)
    if first is None:
        raise BenchError("没有可放入的叫应 / there is nothing to open")
    return first.id


async def _start_worker(ledger: SqlLedger, settings: Settings, due_id: str) -> float | None:
    clock = SystemClock()
    began_at = clock.wall()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.cli", "worker"), env={**os.environ, **environment(settings)}
    )
    try:
        while (clock.wall() - began_at).total_seconds() < RESTART_WITHIN_S:
            rows = await ledger.look(lambda step: step.load(CALLOUTS, [due_id]))
            dialled_at = rows[due_id].first_dial_at
            if dialled_at is not None:
                return (dialled_at - began_at).total_seconds()
            if process.returncode is not None:
                raise BenchError(f"工作进程自行结束，状态 {process.returncode} / the worker ended by itself")
            await asyncio.sleep(LOOK_S)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return None


def _settings(folder: Path, ground: Ground) -> Settings:
    return read_settings(
        data_dir=folder,
        ledger_url=own_ledger(ground),
        kafka=ground.kafka,
        realm=REALM,
        port=free_port(),
        metrics_port=free_port(),
        carrier="simulated",
        call_pace_per_s=PACE_PER_S,
        text_pace_per_s=PACE_PER_S,
        log_level="error",
    )


def _posts_of_villages(settings: Settings, now: datetime) -> dict[str, list[str]]:
    """Return the posts of each village."""
    county = load_county(settings.county_folder, around=now)
    posts: dict[str, list[str]] = {region.code: [] for region in county.below(county.code, Level.VILLAGE)}
    for post in county.posts.values():
        posts.setdefault(post.region, []).append(post.id)
    return {region: held for region, held in posts.items() if held and county.regions[region].level is Level.VILLAGE}


def _county_posts(settings: Settings, now: datetime) -> Any:
    return load_county(settings.county_folder, around=now).posts


def _opened_since(step: FullStep, since: datetime, posts: Sequence[str]) -> list[Callout]:
    return step.find(CALLOUTS, Where("target_post", "in", posts), Where("opened_at", ">=", since))


def _save(step: FullStep, rows: tuple[Callout, ...]) -> None:
    step.save(CALLOUTS, rows)
