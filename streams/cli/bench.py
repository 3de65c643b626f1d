"""`jiaoying bench`: how fast the house is on this machine, in real time whatever the clock of the story."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from streams.bench.crew import BenchError
from streams.bench.figures import Figure, as_json
from streams.bench.live import first_dial, restart
from streams.bench.parts import deadlines, red_warning
from streams.bench.stand import Ground, Tell
from streams.cli.screen import console, error_console, set_up_logging


class Part(StrEnum):
    """What can be measured."""

    FIRST_DIAL = "first-dial"
    RED_WARNING = "red-warning"
    RECEIPTS = "receipts"
    DEADLINES = "deadlines"
    RESTART = "restart"


@dataclass(frozen=True)
class Sizes:
    """How large each part is measured; each list is gone through."""

    posts: list[int]
    open_callouts: list[int]
    workers: list[int]
    orders: int


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(bench)


def bench(
    parts: Annotated[
        list[Part] | None, typer.Option("--part", help="只测这一项，可多次 / one part only, repeatable")
    ] = None,
    posts: Annotated[
        list[int] | None, typer.Option(min=2, max=100_000, help="红色预警叫多少岗位，可多次 / posts called")
    ] = None,
    open_callouts: Annotated[
        list[int] | None, typer.Option("--open", min=100, max=1_000_000, help="有多少未结束的叫应 / open callouts")
    ] = None,
    orders: Annotated[int, typer.Option(min=1, max=1000, help="空闲时下多少次令 / orders on an idle stack")] = 30,
    ledger_url: Annotated[
        str, typer.Option(help="PostgreSQL 地址，另建一个模式，测完删除 / PostgreSQL instead of SQLite")
    ] = "",
    workers: Annotated[
        list[int] | None, typer.Option(min=1, max=16, help="几个工作进程，可多次 / worker processes, repeatable")
    ] = None,
    kafka: Annotated[
        str, typer.Option(help="空的 Kafka：主机:端口，逗号隔开 / an empty Kafka instead of the embedded broker")
    ] = "",
    figures_file: Annotated[Path | None, typer.Option("--json", help="数字写入 JSON / figures as JSON")] = None,
) -> None:
    """测速：拨出、计划、到期、应答、重启、内存 / measure dialling, planning, deadlines, receipts, restart, memory."""
    set_up_logging("error")
    chosen = parts or list(Part)
    if ledger_url and sa.make_url(ledger_url).get_backend_name() != "postgresql":
        raise typer.BadParameter("只接受 postgresql://…；SQLite 不用写 / postgresql://… only; SQLite is the default")
    ground = Ground(ledger_url, tuple(server.strip() for server in kafka.split(",") if server.strip()))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=error_console(), transient=True) as progress:
        task = progress.add_task("测速 / measuring", total=1.0)

        def tell(what: str, share: float) -> None:
            progress.update(task, description=what, completed=share)

        try:
            figures = asyncio.run(
                _measure(
                    chosen,
                    Sizes(posts or [500, 10_000], open_callouts or [10_000], workers or [1], orders),
                    ground,
                    tell,
                )
            )
        except BenchError as error:
            error_console().print(f"[bold red]✗[/] {error}", highlight=False)
            raise typer.Exit(1) from None
    _show(figures)
    if figures_file is not None:
        kind = "postgresql" if ledger_url else "sqlite"
        told = as_json(figures, kind, "kafka" if ground.kafka else "embedded")
        figures_file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        console().print(f"JSON: {figures_file}")


async def _measure(parts: list[Part], sizes: Sizes, ground: Ground, tell: Tell) -> list[Figure]:
    figures: list[Figure] = []
    if Part.FIRST_DIAL in parts:
        figures += await first_dial(sizes.orders, tell, ground)
        figures += await first_dial(sizes.orders, tell, ground, loaded=True)
    for posts, workers in product(sizes.posts, sizes.workers):
        if Part.RED_WARNING in parts:
            figures += await red_warning(posts, tell, ground, workers=workers)
        if Part.RECEIPTS in parts:
            figures += await red_warning(posts, tell, ground, answers=True, workers=workers)
    for count in sizes.open_callouts:
        if Part.DEADLINES in parts:
            figures += await deadlines(count, tell, ground)
        if Part.RESTART in parts:
            figures += await restart(count, tell, ground)
    return figures


def _show(figures: list[Figure]) -> None:
    grid = Table("项目 part", "规模 size", "测什么 what", "数值 value", "目标 aim", "")
    for figure in figures:
        value = "未及时完成 not in time" if figure.value is None else f"{figure.value:,.3f} {figure.unit}"
        aim = "" if figure.aim is None else f"≤ {figure.aim:g} {figure.unit}"
        met = {None: "", True: "✓", False: "✗"}[figure.is_met]
        grid.add_row(figure.part, f"{figure.size:,}", figure.what, value, aim, met)
    console().print(grid)
