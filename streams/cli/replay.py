"""`jiaoying replay`: run a past night again in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.cli.screen import console, error_console, settings
from streams.replay.play import print_summary, run_scenario, write_json, write_report
from streams.replay.scenario import scenario_names


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(replay)


def replay(
    name: Annotated[str, typer.Argument(help="场景名或 YAML 文件，省略则列出 / a scenario, or none to list them")] = "",
    report: Annotated[Path | None, typer.Option(help="HTML 报告 / HTML report")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="数字写入 JSON / figures as JSON")] = None,
    seed: Annotated[str, typer.Option(help="换一个种子，响铃的秒数不同 / other seconds of ringing")] = "",
) -> None:
    """在虚拟时间里重演一夜 / run a past night again: same rooms, no waiting."""
    chosen = settings()
    if not name:
        for known in scenario_names():
            console().print(known)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[local]}"), TimeElapsedColumn())
    with Progress(*columns, console=error_console(), transient=True) as progress:
        task = progress.add_task("重演 / replaying", total=1.0, local="")
        result = run_scenario(
            name,
            preset=chosen.preset,
            seed=seed,
            progress=lambda share, local: progress.update(task, completed=share, local=local),
        )
    print_summary(console(), result, language=chosen.language)
    if report is not None:
        console().print(f"报告 / report: {write_report(result, report, language=chosen.language)}")
    if json is not None:
        console().print(f"JSON: {write_json(result, json)}")
