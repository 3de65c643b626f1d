"""A process loads what it runs and no more: whoever was killed is back later by as much as it loads."""

import subprocess
import sys

import pytest
import typer.main

from streams.cli.root import app
from tests.house.tree import ROOT

HEAVY = ("alembic", "apprise", "faust", "fastapi", "jinja2", "kafka", "openpyxl", "requests", "sqlalchemy", "uvicorn")


def loaded_by(module: str) -> set[str]:
    """The heavy packages that importing a module loads."""
    story = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", story], cwd=ROOT, capture_output=True, text=True, timeout=240, check=True
    )
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("streams.cli.root", set()),
        ("streams.cli.worker", {"faust", "sqlalchemy"}),
        ("streams.cli.gateway", {"fastapi", "jinja2", "sqlalchemy", "uvicorn"}),
    ],
)
def test_a_process_loads_what_it_runs_and_no_more(module: str, needs: set[str]) -> None:
    assert loaded_by(module) == needs


def test_every_command_is_found_under_its_name() -> None:
    commands = typer.main.get_command(app).commands
    assert len(commands) > 20
    assert [command.name for command in commands.values()] == list(commands)
