"""Commands that run the live service: `up`, and its parts `setup`, `worker`, `gateway`; `live approve`."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvicorn
from prometheus_client import CollectorRegistry

from agents.dial.approvals import approve
from config.settings import Settings
from rosters.numbers import mask
from streams.cli.screen import console, error_console, set_up_logging, settings
from streams.cli.tokens import own_token
from streams.clock import CorrectedClock, SystemClock
from streams.clock_guard import ClockGuard, keep_right
from streams.copying import keep_copying
from streams.doors.http.gateway import create_gateway
from streams.installation import Installation, deploy, number_key, open_installation, prepare
from streams.kafka import set_up_topics
from streams.ledger.contract import FullStep, Ledger, LedgerError, OutdatedError
from streams.metrics import Metrics
from streams.metrics_http import serve
from streams.metrics_ledger import LedgerCollector
from streams.roster_watch import RosterWatch
from streams.supervisor import FOLLOWED_STATUS, Stack
from streams.worker import IN_FORCE_LOOK_S, Worker

log = logging.getLogger(__name__)
live_app = typer.Typer(no_args_is_help=True)
APPROVALS_LOOK_S = 5.0
KEEP_ALIVE_S = 75
"""So long a connection that says nothing is kept. Longer than vendors and proxies keep theirs: one that is closed in
the moment in which a receipt is sent over it loses the receipt, and Aliyun sends it again only after a minute."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(up)
    app.command()(setup)
    app.command()(worker)
    app.command()(gateway)


def up(
    workers: Annotated[int, typer.Option(min=1, max=8, help="几个工作进程 / how many workers")] = 1,
) -> None:
    """启动全部服务，直到 Ctrl-C / run the whole service until Ctrl-C."""
    chosen = settings()
    set_up_logging(chosen.log_level)
    asyncio.run(_up(chosen, workers))


async def _up(chosen: Settings, workers: int) -> None:
    screen = console()
    stack = Stack(chosen, lambda text: screen.print(f"· {text}"), workers=workers)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    try:
        await stack.start()
        token = await asyncio.to_thread(own_token, chosen)
        screen.print(f"\n[bold]叫应已启动[/] 值班页 http://{chosen.host}:{chosen.port}/  令牌 {token}")
        screen.print(
            f"指标 http://{chosen.host}:{chosen.port}/metrics · http://{chosen.host}:{chosen.metrics_port}/metrics"
        )
        screen.print(f"台账 {chosen.data_dir.absolute()} · Kafka {', '.join(stack.servers)} · Ctrl-C 结束")
        watching = asyncio.create_task(stack.watch())
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # A watch that ended by itself ended with a fault, and a stack that nobody watches must not go on.
        if watching.done():
            watching.result()
        watching.cancel()
    finally:
        screen.print("· 正在停止 / stopping")
        await stack.stop()


def setup() -> None:
    """建立台账表和 Kafka 主题 / create the ledger's tables and Kafka's topics."""
    chosen = settings()
    told = deploy(chosen)
    if told:
        error_console().print(f"[bold yellow]⚠[/] {told}", highlight=False)
    made = set_up_topics(chosen.kafka) if chosen.kafka else ()
    console().print(f"台账已就绪；新建主题 {len(made)} 个 / ledger ready, {len(made)} topics made")


def worker(number: Annotated[int, typer.Option(help="第几个 / which one, from 0")] = 0) -> None:
    """运行一个工作进程 / run one worker: the rooms, the pump, the ticker, the dialler."""
    chosen = settings()
    set_up_logging(chosen.log_level)
    installation = open_installation(chosen)
    try:
        asyncio.run(_worker(installation, chosen.metrics_port + number))
    except OutdatedError as error:
        _end_followed(error)
    finally:
        installation.ledger.close()


def _end_followed(error: OutdatedError) -> NoReturn:
    """End a process that something newer came into force under; whoever watches it starts it again."""
    log.critical("%s", error)
    raise typer.Exit(FOLLOWED_STATUS)


async def _worker(installation: Installation, metrics_port: int) -> None:
    chosen, clock, house = installation.settings, installation.clock, installation.house
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    guard = ClockGuard(clock.wall, clock.monotonic_s)
    collector = LedgerCollector(installation.ledger, clock, house.facts, house.carriers, guard.offset_s)
    registry.register(collector)
    work = Worker(house, servers=chosen.kafka, embedded=chosen.embedded_broker, see=metrics.see, guard=guard)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, work.stopping.set)
    served = serve(registry, metrics_port, chosen.host, language=chosen.language)
    await installation.approved.look()
    beside = [
        asyncio.create_task(collector.run()),
        asyncio.create_task(_look_again(installation)),
        asyncio.create_task(keep_copying(installation)),
        asyncio.create_task(RosterWatch(installation).run()),
    ]
    try:
        await work.run()
    finally:
        for task in beside:
            task.cancel()
        served.close()


async def _look_again(installation: Installation) -> None:
    """Learn every few seconds which numbers were approved meanwhile."""
    while True:
        await asyncio.sleep(APPROVALS_LOOK_S)
        try:
            await installation.approved.look()
        except LedgerError:
            log.warning("the ledger is away; the approved numbers stay as they were")


def gateway() -> None:
    """运行 HTTP 网关 / run the HTTP gateway: doors, webhooks, pages."""
    chosen = settings()
    set_up_logging(chosen.log_level)
    installation = open_installation(chosen)
    try:
        asyncio.run(_gateway(installation))
    except OutdatedError as error:
        _end_followed(error)
    finally:
        installation.ledger.close()


async def _gateway(installation: Installation) -> None:
    chosen, clock = installation.settings, CorrectedClock(installation.clock)
    house = replace(installation.house, clock=clock)
    guard = ClockGuard(installation.clock.wall, installation.clock.monotonic_s)
    registry = CollectorRegistry()
    collector = LedgerCollector(installation.ledger, clock, house.facts, house.carriers, guard.offset_s)
    registry.register(collector)
    app = create_gateway(house, chosen, registry=registry)
    config = uvicorn.Config(
        app, host=chosen.host, port=chosen.port, log_level="warning", access_log=False, timeout_keep_alive=KEEP_ALIVE_S
    )
    beside = [
        asyncio.create_task(collector.run()),
        asyncio.create_task(RosterWatch(installation).run()),
        asyncio.create_task(keep_right(clock, guard, installation.ledger, house.owner)),
    ]
    server = uvicorn.Server(config)
    serving, following = asyncio.create_task(server.serve()), asyncio.create_task(_until_followed(installation.ledger))
    try:
        await asyncio.wait([serving, following], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if following.done():
            following.result()
    finally:
        for task in (*beside, following):
            task.cancel()


async def _until_followed(ledger: Ledger) -> None:
    """Ask every second whether this process may still write.

    Raises:
        OutdatedError: It may not.
    """
    while True:
        try:
            await ledger.run(lambda step: None)
        except OutdatedError:
            raise
        except LedgerError:
            log.debug("the ledger is away; what is in force is asked again")
        await asyncio.sleep(IN_FORCE_LOOK_S)


def _approve(number: str, by: str, now: datetime, key: bytes, step: FullStep) -> None:
    approve(step, number, mask(number), by, now, key)


@live_app.command(name="approve")
def live_approve(
    numbers: Annotated[Path, typer.Argument(help="号码文件，每行一个 / a file with one E.164 number a line")],
    by: Annotated[str, typer.Option(help="批准人 / who approves")],
) -> None:
    """批准可真实拨打的号码 / approve numbers for real calls, by name."""
    chosen = settings()
    prepare(chosen)
    installation = open_installation(chosen)
    key, now = number_key(chosen), SystemClock().now()
    lines = [line.strip() for line in numbers.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    try:
        for line in lines:
            installation.ledger.step(partial(_approve, line, by, now, key))
    finally:
        installation.ledger.close()
    console().print(f"已批准 {len(lines)} 个号码 / approved {len(lines)} numbers")
