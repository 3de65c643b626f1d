"""The root of the command line: its commands, and how an error is told to a person.

A command's module is loaded when the command is asked for, and the errors' when there is one: see `late.py`.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from typing import NamedTuple

import typer

from streams.cli.late import Add, late_group


class Part(NamedTuple):
    """Where a command is: its module, and for a group of commands the name of its app and what the root says of it."""

    module: str
    app: str = ""
    help: str = ""

    def load(self, name: str) -> Add:
        """Load the module and return what adds the command to an app."""
        module = import_module(f"streams.cli.{self.module}")
        if not self.app:
            add: Add = module.add_to
            return add
        return partial(_add_group, getattr(module, self.app), name, self.help)


def _add_group(group: typer.Typer, name: str, text: str, app: typer.Typer) -> None:
    app.add_typer(group, name=name, help=text)


PARTS = {
    **dict.fromkeys(("up", "setup"), Part("live")),
    "worker": Part("worker"),
    "gateway": Part("gateway"),
    "auditor": Part("auditor"),
    "demo": Part("demo"),
    "drill": Part("drill"),
    **dict.fromkeys(("send", "call", "cancel", "correct", "pause", "resume"), Part("orders")),
    "replay": Part("replay"),
    "sim": Part("sim"),
    **dict.fromkeys(("backup", "restore"), Part("backup")),
    "bench": Part("bench"),
    "say": Part("say"),
    "config": Part("config", "app", "检查和解释规则 / check and explain the rules"),
    "county": Part("county", "app", "一小时接入一个新县 / a new county in an hour"),
    "roster": Part("roster", "app", "值班表 / the roster"),
    "phone": Part("phones", "app", "号码核实 / verify phone numbers by a code that comes back"),
    "ledger": Part("ledger", "app", "台账 / the ledger"),
    "token": Part("tokens", "app", "访问令牌 / access tokens"),
    "carriers": Part("carriers", "app", "电话线路能做到什么 / what the telephone carriers can do"),
    "copies": Part("copies", "app", "抄送到群和邮箱，不计应答 / one-way copies; they count for nothing"),
    "live": Part("live", "live_app", "真实拨号的号码批准 / which real numbers may be dialled"),
}
"""Every command of the house, in the order in which the help shows them."""


def _nothing() -> None:
    """Do nothing before a command: it is what makes this app a group."""


app = typer.Typer(
    name="jiaoying",
    help="叫应：预警来了，叫到应为止，步步有据。 A warning goes in; people are called until they answer.",
    cls=late_group({name: partial(part.load, name) for name, part in PARTS.items()}),
    callback=_nothing,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _told() -> tuple[type[Exception], ...]:
    """Return the errors that people can mend: their words are enough."""
    from agents.dial.carriers.protocol import CarrierError
    from agents.phones.record import PhoneError
    from config.load import ConfigError
    from config.settings import SettingsError
    from rosters.changes import ChangeError
    from rosters.io.report import RosterFileError
    from rosters.sheets import CountyError
    from streams.broker import BrokerError
    from streams.doors.refusal import RefusedError
    from streams.kafka import KafkaAwayError
    from streams.ledger.contract import LedgerError
    from streams.replay.scenario import ScenarioError
    from streams.supervisor import StackError

    return (
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


def _sentence(error: Exception) -> str:
    """Say what is wrong; the system's own errors name a file and a reason, and people need both."""
    if isinstance(error, OSError) and error.filename:
        return f"无法读写 {error.filename}：{error.strerror} / cannot read or write it; check the path and the rights"
    return str(error)


def _tell(error: Exception) -> int:
    """Tell what people can mend in one sentence, without a traceback; return the status to end with."""
    from streams.cli.screen import error_console
    from streams.ends import OUTDATED_STATUS
    from streams.ledger.contract import OutdatedError

    error_console().print(f"[bold red]✗[/] {_sentence(error)}", highlight=False)
    return OUTDATED_STATUS if isinstance(error, OutdatedError) else 1


def main() -> None:
    """Run a command; what people can mend is told in one sentence, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not isinstance(error, _told()):
            raise
        sys.exit(_tell(error))
