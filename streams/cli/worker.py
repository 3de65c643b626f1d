"""`jiaoying worker`: one worker. Never loads a door: a worker that was killed is back later by as much as it loads."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from streams.cli.screen import set_up_logging, settings
from streams.clock_guard import ClockGuard
from streams.copying import keep_copying
from streams.ends import FOLLOWED_STATUS
from streams.installation import Installation, open_installation
from streams.ledger.contract import LedgerError, OutdatedError
from streams.metrics import Metrics
from streams.metrics_http import serve
from streams.metrics_ledger import LedgerCollector
from streams.roster_watch import RosterWatch
from streams.worker import Worker

log = logging.getLogger(__name__)
APPROVALS_LOOK_S = 5.0


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(worker)


def worker(number: Annotated[int, typer.Option(help="第几个 / which one, from 0")] = 0) -> None:
    """运行一个工作进程 / run one worker: the rooms, the pump, the ticker, the dialler."""
    chosen = settings()
    set_up_logging(chosen.log_level)
    installation = open_installation(chosen)
    try:
        asyncio.run(_worker(installation, chosen.metrics_port + number))
    except OutdatedError as error:
        # Whoever watches it starts it again.
        log.critical("%s", error)
        raise typer.Exit(FOLLOWED_STATUS) from error
    finally:
        installation.ledger.close()


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
