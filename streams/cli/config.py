"""`jiaoying config`: check the rules and say each of them as a sentence."""

from __future__ import annotations

import typer

from config.explain import explain as sentences
from config.load import load_rules
from streams.cli.screen import console, settings

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
