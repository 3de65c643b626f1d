"""`jiaoying token`: make, list and revoke access tokens. A secret is shown once, here, and kept nowhere in clear."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid

from config.settings import Settings
from streams.cli.screen import console, settings
from streams.clock import SystemClock
from streams.doors.http.tokens import TOKENS, Scope, issue, revoke
from streams.installation import prepare
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES

app = typer.Typer(no_args_is_help=True)
OWN_NAME = "本机"
OWN_FILE = "token"


@app.command(name="new")
def new(
    name: Annotated[str, typer.Argument(help="谁用 / who holds it")],
    scope: Annotated[list[Scope], typer.Option(help="sender 报送，operator 处置，reader 查看")],
    region: Annotated[str, typer.Option(help="限于哪个区划（12位），空为全县 / limited to a region")] = "",
) -> None:
    """新建令牌，只显示这一次 / make a token; it is shown this once."""
    secret = make(settings(), name, scope, region)
    console().print(f"{name}: [bold]{secret}[/]", highlight=False)


@app.command(name="list")
def show() -> None:
    """列出令牌 / list tokens."""
    ledger = _ledger(settings())
    grid = Grid("名称 name", "权限 scopes", "区划 region", "状态 state")
    for row in ledger.step(lambda step: step.find(TOKENS, order=("created_at",))):
        grid.add_row(row.name, " ".join(row.scopes), row.region or "全县", "已撤销" if row.revoked_at else "有效")
    ledger.close()
    console().print(grid)


@app.command(name="revoke")
def end(name: Annotated[str, typer.Argument(help="名称 / name")]) -> None:
    """撤销某名称的全部令牌 / revoke every token of a name."""
    ledger = _ledger(settings())
    count = ledger.step(lambda step: revoke(step, name, SystemClock().now()))
    ledger.close()
    console().print(f"已撤销 {count} 个 / revoked {count}")


def make(chosen: Settings, name: str, scopes: list[Scope], region: str = "") -> str:
    """Make a token and return its secret."""
    secret = secrets.token_urlsafe(32)
    prepare(chosen)
    ledger = _ledger(chosen)
    now = chosen.clock().now()
    ledger.step(lambda step: issue(step, name, scopes, region, now, secret))
    ledger.close()
    return secret


def own_token(chosen: Settings) -> str:
    """Return the token of this machine's own commands, made once and kept in a file that only its owner reads."""
    path = own_file(chosen)
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    secret = make(chosen, OWN_NAME, [Scope.SENDER, Scope.OPERATOR, Scope.READER])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secret)
    return secret


def own_file(chosen: Settings) -> Path:
    """Return where this machine's own token is kept."""
    return chosen.data_dir / OWN_FILE


def _ledger(chosen: Settings) -> SqlLedger:
    return SqlLedger(chosen.ledger, TABLES)
