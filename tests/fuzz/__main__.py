"""`make fuzz`: spoiled documents at every door, the gateway asked whatever its description allows; table and JSON."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.fuzz.doors import DOORS
from tests.fuzz.gateway import Answers, try_out
from tests.fuzz.run import Figures, fuzz

COLUMNS = ("inputs", "accepted", "refused", "crashes", "lost", "too_slow", "base_mib", "peak_mib")
GATEWAY = "gateway"
EXAMPLES_SHARE = 0.002
"""Of the inputs of a door so many are asked in each way of each operation."""


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz, and return 0 where every document was accepted or refused and every answer was as described."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--inputs", type=int, default=20_000, help="documents at a door; slow doors get a share of it")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--door", choices=[*DOORS, GATEWAY], action="append", help="only this one; may be given again")
    asked.add_argument("--only", type=int, help="hand in just the document of this number")
    asked.add_argument("--json", type=Path, help="write the figures there")
    given = asked.parse_args(words)
    # Every refused document would be told as it would be in production.
    logging.disable(logging.CRITICAL)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found: list[Figures] = []
    answers: Answers | None = None
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in given.door or [*DOORS, GATEWAY]:
            if name == GATEWAY:
                task = progress.add_task(name, total=None)
                answers = try_out(max(2, round(given.inputs * EXAMPLES_SHARE)), given.seed, _teller(progress, task))
                continue
            inputs = max(1, round(given.inputs * DOORS[name].share))
            task = progress.add_task(name, total=inputs if given.only is None else 1)
            found.append(fuzz(DOORS[name], inputs, given.seed, _teller(progress, task), given.only))
    _show(found, answers)
    if given.json:
        told: dict[str, Any] = {"doors": [asdict(figures) for figures in found]}
        told |= {GATEWAY: asdict(answers)} if answers else {}
        given.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figures.is_sound for figures in found) and (answers is None or answers.is_sound) else 1


def _teller(progress: Progress, task: TaskID) -> Callable[[str, int], None]:
    return lambda what, done: progress.update(task, description=what, completed=done)


def _show(found: list[Figures], answers: Answers | None) -> None:
    screen, errors = Console(width=120), Console(stderr=True)
    if found:
        table = Table("door", *(column.replace("_", " ") for column in COLUMNS))
        for figures in found:
            table.add_row(figures.door, *(str(getattr(figures, column)) for column in COLUMNS))
        screen.print(table)
    if answers:
        table = Table("operations", "requests", "5xx", "not as described", "by status")
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(answers.statuses.items()))
        counts = (answers.operations, answers.inputs, answers.faults_of_ours, answers.not_as_described)
        table.add_row(*map(str, counts), statuses)
        screen.print(table)
    for told in [f"{figures.door} {told}" for figures in found for told in figures.told] + (
        answers.told if answers else []
    ):
        errors.print(told, markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
