"""Commands that run the live service: `up`, `setup` before it, and `live approve`."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agents.dial.approvals import approve
from config.settings import Settings
from rosters.numbers import mask
from streams.cli.screen import console, error_console, set_up_logging, settings
from streams.cli.tokens import own_token
from streams.clock import SystemClock
from streams.installation import deploy, number_key, open_installation, prepare
from streams.kafka import set_up_topics
from streams.ledger.contract import FullStep
from streams.supervisor import Stack

live_app = typer.Typer(no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(up)
    app.command()(setup)


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
