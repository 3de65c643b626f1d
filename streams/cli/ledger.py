"""`jiaoying ledger`: verify the chain, show the story of one callout, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from streams.cli.screen import console, error_console, settings
from streams.installation import load_facts
from streams.ledger.chain import canonical
from streams.ledger.export import export_csv
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify as verify_all
from streams.wiring import TABLES

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify() -> None:
    """核验台账：每条链、每个封印 / verify every chain and every seal."""
    ledger = SqlLedger(settings().ledger, TABLES)
    with Progress(console=error_console(), transient=True) as progress:
        progress.add_task("核验 / verifying", total=None)
        verdict = verify_all(ledger)
    ledger.close()
    chinese = settings().language == "zh"
    for fault in verdict.faults:
        console().print(f"✗ {fault.chinese if chinese else fault.english}", highlight=False)
    counts = (verdict.subjects, verdict.entries, verdict.seals, len(verdict.faults))
    summary = (
        "台账 {} 条链、{} 条记录、{} 个封印，问题 {} 处" if chinese else "{} chains, {} entries, {} seals, {} faults"
    )
    console().print(summary.format(*counts), highlight=False)
    if verdict.faults:
        raise typer.Exit(1)


@app.command()
def show(subject: Annotated[str, typer.Argument(help="叫应任务或预警链编号 / id of a callout or chain")]) -> None:
    """一项叫应的全过程 / the whole story of a callout."""
    chosen = settings()
    ledger = SqlLedger(chosen.ledger, TABLES)
    zone = load_facts(chosen, chosen.clock().now()).county.zone
    entries = ledger.step(lambda step: step.entries(subject))
    ledger.close()
    if not entries:
        raise typer.BadParameter(f"台账里没有 {subject} / the ledger has no such subject")
    for entry in entries:
        at = entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        console().print(
            f"{entry.n:>3} {at} {entry.by} {entry.what} {entry.why} {canonical(dict(entry.facts))} {entry.hash[:12]}",
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def export(target: Annotated[Path, typer.Argument(help="CSV 文件 / CSV file")]) -> None:
    """导出台账为 CSV / export the ledger."""
    chosen = settings()
    ledger = SqlLedger(chosen.ledger, TABLES)
    zone = load_facts(chosen, chosen.clock().now()).county.zone
    with Progress(console=error_console(), transient=True) as progress:
        progress.add_task("导出 / exporting", total=None)
        count = export_csv(ledger, target, zone)
    ledger.close()
    console().print(f"已导出 {count} 条到 {target} / exported {count} entries")
