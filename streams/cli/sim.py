"""`jiaoying sim`: seeded nights in which everything goes wrong, checked against the laws of calling."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from streams.cli.screen import console, error_console, settings

SHORTENED_MAX = 3


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(sim)


def sim(
    seed: Annotated[int, typer.Option(help="第一夜的种子 / seed of the first night")] = 0,
    nights: Annotated[int, typer.Option(min=1, help="多少夜 / how many nights")] = 1,
    jobs: Annotated[int, typer.Option(min=0, help="进程数，0 为全部核 / processes, 0 for all cores")] = 0,
) -> None:
    """模拟出尽故障的夜晚并逐条核对 / run seeded nights in which everything goes wrong, and check the laws."""
    # The world is large to load, and only this command needs it.
    from streams.sim.nights import be_quiet, run_nights, shorten

    chinese = settings().language == "zh"
    be_quiet()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    seeds, failed, calls, commits, crashes = range(seed, seed + nights), [], 0, 0, 0
    with Progress(*columns, TimeRemainingColumn(), console=error_console(), transient=True) as progress:
        task = progress.add_task("模拟" if chinese else "simulating", total=nights)
        for night in run_nights(seeds, min(jobs or os.cpu_count() or 1, nights)):
            calls, commits, crashes = calls + night.calls, commits + night.commits, crashes + night.crashes
            if night.broken:
                failed.append(night)
            progress.advance(task)
    for night in sorted(failed, key=lambda one: one.seed)[:SHORTENED_MAX]:
        console().print(shorten(night).told(), markup=False, highlight=False)
    if chinese:
        said = (
            f"{nights} 夜（种子 {seed}–{seed + nights - 1}）：拨出 {calls} 次，提交 {commits} 步，进程死 {crashes} 次，"
        )
        said += f"违反规则 {len(failed)} 夜"
    else:
        said = f"{nights} nights (seeds {seed}–{seed + nights - 1}): {calls} calls and texts, {commits} steps, "
        said += f"{crashes} crashes, {len(failed)} nights that break a law"
    console().print(said, highlight=False)
    if failed:
        seeds_said = ", ".join(str(night.seed) for night in sorted(failed, key=lambda one: one.seed)[:20])
        console().print(f"{'种子' if chinese else 'seeds'}: {seeds_said}", highlight=False)
        raise typer.Exit(1)
