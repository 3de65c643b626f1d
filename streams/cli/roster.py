"""`jiaoying roster`: make it, read it in, check it, publish it, change it under way, hand over, spot-check."""

from __future__ import annotations

import typer

from streams.cli.roster_change import add_to as add_change
from streams.cli.roster_check import add_to as add_check
from streams.cli.roster_duty import add_to as add_duty
from streams.cli.roster_files import add_to as add_files
from streams.cli.roster_make import add_to as add_make
from streams.cli.roster_publish import add_to as add_publish
from streams.cli.roster_spotcheck import add_to as add_spot_checks

app = typer.Typer(no_args_is_help=True)
for add_to in (add_files, add_make, add_check, add_publish, add_change, add_duty, add_spot_checks):
    add_to(app)
