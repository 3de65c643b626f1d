"""`make fuzz`: many spoiled documents at every door, and the gateway's own description tried out; a table and JSON."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.fuzz.doors import DOORS
from tests.fuzz.run import Figures, fuzz

COLUMNS = ("inputs", "accepted", "refused", "crashes", "lost", "too_slow", "base_mib", "peak_mib")


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz, and return 0 where every document was accepted or refused."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--inputs", type=int, default=20_000, help="documents at each door")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--door", choices=sorted(DOORS), action="append", help="only this one; may be given again")
    asked.add_argument("--only", type=int, help="hand in just the document of this number")
    asked.add_argument("--json", type=Path, help="write the figures there")
    given = asked.parse_args(words)
    # Every refused document would be told as it would be in production.
    logging.disable(logging.CRITICAL)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found: list[Figures] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in given.door or DOORS:
            task = progress.add_task(name, total=given.inputs if given.only is None else None)
            done = lambda _, count, task=task: progress.update(task, completed=count)  # noqa: E731
            found.append(fuzz(DOORS[name], given.inputs, given.seed, done, given.only))
    _show(found)
    if given.json:
        given.json.write_text(json.dumps([asdict(figures) for figures in found], ensure_ascii=False, indent=1) + "\n")
    return 0 if all(figures.is_sound for figures in found) else 1


def _show(found: list[Figures]) -> None:
    table = Table("door", *(column.replace("_", " ") for column in COLUMNS))
    for figures in found:
        table.add_row(figures.door, *(str(getattr(figures, column)) for column in COLUMNS))
    Console().print(table)
    for figures in found:
        for told in figures.told:
            Console(stderr=True).print(f"{figures.door} {told}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
