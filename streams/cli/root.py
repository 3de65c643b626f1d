"""The root of the command line: its commands, and how an error is told to a person."""

from __future__ import annotations

import sys

import typer

from agents.dial.carriers.protocol import CarrierError
from config.load import ConfigError
from config.settings import SettingsError
from rosters.load import CountyError
from streams.broker import BrokerError
from streams.cli import config, demo, ledger, live, orders, replay, roster, tokens
from streams.cli.screen import error_console
from streams.doors.refusal import RefusedError
from streams.kafka import KafkaAwayError
from streams.ledger.contract import LedgerError
from streams.supervisor import StackError

TOLD = (
    BrokerError,
    CarrierError,
    ConfigError,
    CountyError,
    KafkaAwayError,
    LedgerError,
    OSError,
    RefusedError,
    SettingsError,
    StackError,
)

app = typer.Typer(
    name="jiaoying",
    help="叫应：预警来了，叫到应为止，步步有据。 A warning goes in; people are called until they answer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (live, demo, orders, replay):
    module.add_to(app)
app.add_typer(config.app, name="config", help="检查和解释规则 / check and explain the rules")
app.add_typer(roster.app, name="roster", help="值班表 / the roster")
app.add_typer(ledger.app, name="ledger", help="台账 / the ledger")
app.add_typer(tokens.app, name="token", help="访问令牌 / access tokens")
app.add_typer(live.live_app, name="live", help="真实拨号的号码批准 / which real numbers may be dialled")


def main() -> None:
    """Run a command; what people can mend is told in one sentence, without a traceback."""
    try:
        app()
    except TOLD as error:
        error_console().print(f"[bold red]✗[/] {error}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
