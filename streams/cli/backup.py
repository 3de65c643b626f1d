"""`jiaoying backup` and `jiaoying restore`: a verified copy while everything runs, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.backup import BackupError, Tell, back_up
from streams.backup import restore as put_back
from streams.cli.screen import console, error_console, settings
from streams.clock import SystemClock
from streams.postgres_copy import PostgresCopyError

T = TypeVar("T")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(backup)
    app.command()(restore)


def backup(
    target: Annotated[Path, typer.Argument(help="新目录 / a new folder")],
) -> None:
    """备份台账和密钥，不停机，并当场核验 / copy ledger and secrets while running, and verify the copy."""
    chosen = settings()
    copied = _with_progress(lambda tell: back_up(chosen, target, SystemClock().wall(), tell))
    if copied.verdict is None:
        console().print(f"已备份到 {target}；这里不能另建数据库，副本未经打开核验 / copied, not verified")
        return
    seen = copied.verdict
    console().print(
        f"已备份到 {target} 并核验：{seen.subjects} 条链、{seen.entries} 条记录、{seen.seals} 个封印 / verified",
        highlight=False,
    )
    if not copied.has_secrets:
        console().print("密钥不在数据目录（由环境变量给出），请另行保管 / the key is in the environment: keep it too")


def restore(
    source: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="备份目录 / folder of a backup")],
) -> None:
    """恢复备份：先核验，再放入；不覆盖已有台账 / verify a backup and put it in place; never over a ledger."""
    chosen = settings()
    seen = _with_progress(lambda tell: put_back(chosen, source, tell))
    console().print(
        f"已恢复并核验：{seen.subjects} 条链、{seen.entries} 条记录、{seen.seals} 个封印 / restored and verified",
        highlight=False,
    )


def _with_progress(work: Callable[[Tell], T]) -> T:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=error_console(), transient=True) as progress:
            task = progress.add_task("…", total=1.0)
            return work(lambda what, share: progress.update(task, description=what, completed=share))
    except (BackupError, PostgresCopyError) as error:
        error_console().print(f"[bold red]✗[/] {error}", highlight=False)
        raise typer.Exit(1) from None
