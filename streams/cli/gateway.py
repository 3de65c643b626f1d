"""`jiaoying gateway`: the HTTP door as a process. Never loads Faust: no letter is taken from a topic here."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import typer
import uvicorn
from prometheus_client import CollectorRegistry

from streams.cli.screen import set_up_logging, settings
from streams.clock import CorrectedClock
from streams.clock_guard import ClockGuard, keep_right
from streams.doors.http.gateway import create_gateway
from streams.ends import FOLLOWED_STATUS, IN_FORCE_LOOK_S
from streams.installation import Installation, open_installation
from streams.ledger.contract import Ledger, LedgerError, OutdatedError
from streams.metrics_ledger import LedgerCollector
from streams.roster_watch import RosterWatch

log = logging.getLogger(__name__)
KEEP_ALIVE_S = 75
"""So long a connection that says nothing is kept. Longer than vendors and proxies keep theirs: one that is closed in
the moment in which a receipt is sent over it loses the receipt, and Aliyun sends it again only after a minute."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(gateway)


def gateway() -> None:
    """运行 HTTP 网关 / run the HTTP gateway: doors, webhooks, pages."""
    chosen = settings()
    set_up_logging(chosen.log_level)
    installation = open_installation(chosen)
    try:
        asyncio.run(_gateway(installation))
    except OutdatedError as error:
        # Whoever watches it starts it again.
        log.critical("%s", error)
        raise typer.Exit(FOLLOWED_STATUS) from error
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
