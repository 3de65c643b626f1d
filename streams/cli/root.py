"""The root of the command line: its commands, and how an error is told to a person."""

from __future__ import annotations

import sys

import typer

from agents.dial.carriers.protocol import CarrierError
from agents.phones.record import PhoneError
from config.load import ConfigError
from config.settings import SettingsError
from rosters.changes import ChangeError
from rosters.io.report import RosterFileError
from rosters.sheets import CountyError
from streams.broker import BrokerError
from streams.cli.auditor import add_to as add_auditor
from streams.cli.backup import add_to as add_backup
from streams.cli.bench import add_to as add_bench
from streams.cli.carriers import app as carriers_app
from streams.cli.config import app as config_app
from streams.cli.copies import app as copies_app
from streams.cli.county import app as county_app
from streams.cli.demo import add_to as add_demo
from streams.cli.drill import add_to as add_drill
from streams.cli.ledger import app as ledger_app
from streams.cli.live import add_to as add_live
from streams.cli.live import live_app
from streams.cli.orders import add_to as add_orders
from streams.cli.phones import app as phones_app
from streams.cli.replay import add_to as add_replay
from streams.cli.roster import app as roster_app
from streams.cli.say import add_to as add_say
from streams.cli.screen import error_console
from streams.cli.sim import add_to as add_sim
from streams.cli.tokens import app as tokens_app
from streams.doors.refusal import RefusedError
from streams.kafka import KafkaAwayError
from streams.ledger.contract import LedgerError, OutdatedError
from streams.replay.scenario import ScenarioError
from streams.supervisor import OUTDATED_STATUS, StackError

TOLD = (
    BrokerError,
    CarrierError,
    ChangeError,
    ConfigError,
    CountyError,
    KafkaAwayError,
    LedgerError,
    OSError,
    PhoneError,
    RefusedError,
    RosterFileError,
    ScenarioError,
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
for add in (
    add_live,
    add_auditor,
    add_demo,
    add_drill,
    add_orders,
    add_replay,
    add_sim,
    add_backup,
    add_bench,
    add_say,
):
    add(app)
app.add_typer(config_app, name="config", help="检查和解释规则 / check and explain the rules")
app.add_typer(county_app, name="county", help="一小时接入一个新县 / a new county in an hour")
app.add_typer(roster_app, name="roster", help="值班表 / the roster")
app.add_typer(phones_app, name="phone", help="号码核实 / verify phone numbers by a code that comes back")
app.add_typer(ledger_app, name="ledger", help="台账 / the ledger")
app.add_typer(tokens_app, name="token", help="访问令牌 / access tokens")
app.add_typer(carriers_app, name="carriers", help="电话线路能做到什么 / what the telephone carriers can do")
app.add_typer(copies_app, name="copies", help="抄送到群和邮箱，不计应答 / one-way copies; they count for nothing")
app.add_typer(live_app, name="live", help="真实拨号的号码批准 / which real numbers may be dialled")


def _sentence(error: Exception) -> str:
    """Say what is wrong; the system's own errors name a file and a reason, and people need both."""
    if isinstance(error, OSError) and error.filename:
        return f"无法读写 {error.filename}：{error.strerror} / cannot read or write it; check the path and the rights"
    return str(error)


def main() -> None:
    """Run a command; what people can mend is told in one sentence, without a traceback."""
    try:
        app()
    except TOLD as error:
        error_console().print(f"[bold red]✗[/] {_sentence(error)}", highlight=False)
        sys.exit(OUTDATED_STATUS if isinstance(error, OutdatedError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
