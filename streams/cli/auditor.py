"""`jiaoying auditor`: the process that looks from outside."""

from __future__ import annotations

import typer

from agents.auditor.main import run
from streams.cli.screen import settings


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(auditor)


def auditor() -> None:
    """独立审计：到点没做的事，10 秒内报警 / watch the ledger from outside and raise an alarm."""
    run(settings())
