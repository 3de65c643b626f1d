"""The two processes of a load run that are ours: a worker that is killed and started again, and the gateway.

Apart from `load_twilio.py`, so that a worker that comes back loads nothing of the vendors: with them it took half as
long again, and on a full machine that is many seconds in which nobody is called.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from streams.cli.gateway import KEEP_ALIVE_S
from streams.doors.http.hearing import hearing_router
from streams.worker import Worker
from tests.wire.load_county import open_house, settings_of

READY = "worker.ready"
"""A file that the worker makes when it is about to begin."""


def main(arguments: Sequence[str]) -> None:
    """Be the worker or the gateway, until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--be", choices=("worker", "gateway"))
    parser.add_argument("--people", type=int)
    parser.add_argument("--per-s", type=float)
    for name in ("--ledger-url", "--ours", "--theirs", "--kafka", "--folder"):
        parser.add_argument(name)
    options = parser.parse_args(arguments)
    if options.be == "worker":
        asyncio.run(be_worker(options))
    else:
        be_gateway(options)


async def be_worker(options: argparse.Namespace) -> None:
    """Work until killed."""
    owner = f"worker:{os.getpid()}"
    house = open_house(options.ledger_url, options.people, options.per_s, owner, options.ours, options.theirs)
    (Path(options.folder) / READY).touch()
    worker = Worker(house, servers=(options.kafka,), embedded=True, see=lambda _: None)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stopping.set)
    await worker.run()


def be_gateway(options: argparse.Namespace) -> None:
    """Serve what the vendor calls."""
    house = open_house(options.ledger_url, options.people, options.per_s, "gateway")
    app = FastAPI()
    app.include_router(hearing_router(house, settings_of(Path(options.folder), options.ours)))
    port = int(options.ours.rpartition(":")[2])
    how = {"log_level": "error", "access_log": False, "timeout_keep_alive": KEEP_ALIVE_S}
    uvicorn.run(app, host="127.0.0.1", port=port, backlog=2048, **how)


if __name__ == "__main__":
    main(sys.argv[1:])
