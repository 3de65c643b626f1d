"""`jiaoying config`: check the rules, say each of them as a sentence, put them into force."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid

from config.explain import explain as sentences
from config.load import load_rules
from streams.cli.screen import console, settings
from streams.installation import prepare, publish_rules
from streams.ledger.contract import EditionKind
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES

app = typer.Typer(no_args_is_help=True)


@app.command()
def check() -> None:
    """检查规则，逐条说出路径和原因 / check the rules; every fault with its path and reason."""
    chosen = settings()
    book = load_rules(chosen.rules_folder, preset=chosen.preset, language=chosen.language)
    console().print(f"规则无误：{len(book.rules)} 条规则，{len(book.ladders)} 个梯次（{book.hash[:12]}） / no faults")


@app.command()
def explain() -> None:
    """用一句话说明每条规则 / say each rule as one sentence."""
    chosen = settings()
    book = load_rules(chosen.rules_folder, preset=chosen.preset, language=chosen.language)
    for sentence in sentences(book, chosen.language):
        console().print(f"· {sentence}", highlight=False)


@app.command()
def publish(by: Annotated[str, typer.Option(help="发布人 / who publishes")]) -> None:
    """发布本机的规则文件，立即生效；旧版也可再次发布 / put the files into force at once, older ones too."""
    chosen = settings()
    n, book = publish_rules(chosen, by)
    console().print(
        f"已发布，现行规则是第 {n} 版（{book.hash[:12]}）；运行中的进程会自行重启，按它叫应 "
        f"/ edition {n} is in force; running processes end and go by it when started again",
        highlight=False,
    )


@app.command()
def history() -> None:
    """历次生效的规则 / the rules as they came into force."""
    chosen = settings()
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    editions = ledger.step(lambda step: step.editions(EditionKind.RULES))
    ledger.close()
    grid = Grid("版次 edition", "生效 in force from", "发布 by", "内容 content")
    for edition in editions:
        grid.add_row(str(edition.n), edition.at.isoformat(timespec="seconds"), edition.by, edition.mark[:12])
    console().print(grid)
