"""What the `jiaoying roster` commands work with: the ledger, the roster as published and as changed, the county's year.

Written straight into the ledger, so that it works with the service down; running processes take it in within seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, NoReturn, TypeVar

import typer

from agents.facts import Facts
from agents.phones.record import with_verified
from config.load import load_rules
from config.settings import Settings
from rosters.changes import apply
from rosters.county import County
from rosters.holidays import DutyYear, duty_year_of
from rosters.ledger import changes_at
from rosters.load import load_county
from streams.cli.screen import error_console, settings
from streams.installation import number_key, prepare
from streams.ledger.contract import FullStep
from streams.ledger.sql import SqlLedger
from streams.roster_watch import ROSTER_LOOK_S
from streams.wiring import TABLES

T = TypeVar("T")
Post = Annotated[str, typer.Argument(help="岗位编号 / id of the post")]
When = datetime | None
By = Annotated[str, typer.Option("--by", help="谁操作 / who does it")]
Why = Annotated[str, typer.Option("--why", help="理由 / the reason")]
At = Annotated[When, typer.Option("--at", help="县里的时间，如 2021-07-19T22:00 / local time; now")]
Days = Annotated[int, typer.Option(min=1, max=60, help="今后几天 / days ahead")]
Json = Annotated[bool, typer.Option("--json", help="写成 JSON / print JSON")]


class Office:
    """One command at work. Times that were typed without a zone are the county's."""

    def __init__(self, chosen: Settings, ledger: SqlLedger) -> None:
        self.chosen, self.ledger = chosen, ledger
        self.clock = chosen.clock()
        self.now = self.clock.now()
        self.published = load_county(chosen.county_folder, around=self.now)
        self.county = apply(self.published, ledger.step(lambda step: changes_at(step, self.now)))

    @property
    def known_at(self) -> datetime:
        """Return when every running process will have taken in what is written now."""
        return self.now + timedelta(seconds=2 * ROSTER_LOOK_S) * self.clock.speed

    def do(self, work: Callable[[FullStep], T]) -> T:
        """Run one step."""
        return self.ledger.step(work)

    def facts(self) -> Facts:
        """Return the county as it is now and its rules."""
        return Facts(
            self.county, load_rules(self.chosen.rules_folder, preset=self.chosen.preset), year=duty_year(self.chosen)
        )

    def local(self, at: datetime) -> datetime:
        """Return a time that was typed without a zone as the county's."""
        return local(at, self.county)

    def told(self, at: datetime | None) -> str:
        """Say a time as the county's clock shows it."""
        return f"{at.astimezone(self.county.zone):%m-%d %H:%M}" if at else "—"


@contextmanager
def office() -> Iterator[Office]:
    """Open the ledger for one command.

    Raises:
        CountyError: The county's folder has faults.
        LedgerError: The ledger is away.
    """
    chosen = settings()
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        yield Office(chosen, ledger)
    finally:
        ledger.close()


def has_ledger(chosen: Settings) -> bool:
    """Tell whether this installation has a ledger already: looking makes none."""
    return bool(chosen.ledger_url) or (chosen.data_dir / "ledger.sqlite3").exists()


def with_changes(chosen: Settings, county: County, now: datetime) -> County:
    """Return a county with the changes and the verified phones that the ledger knows; as it is where there is none."""
    if not has_ledger(chosen):
        return county
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        secret = number_key(chosen)
        return ledger.step(lambda step: with_verified(step, apply(county, changes_at(step, now)), secret))
    finally:
        ledger.close()


def duty_year(chosen: Settings) -> DutyYear:
    """Read what the county decided about its duty this year.

    Raises:
        CountyError: The file has faults.
    """
    return duty_year_of(chosen.county_folder)


def local(at: datetime, county: County) -> datetime:
    """Return a time that was typed without a zone as the county's."""
    return at.replace(tzinfo=county.zone) if at.tzinfo is None else at


def fail(sentence: str) -> NoReturn:
    """End with a sentence and status 2: something was typed or written wrongly."""
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(2)
