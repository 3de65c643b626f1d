"""Waiting with a deadline, for things that happen in other processes; and reading what they are still writing.

A deadline is for what will never happen: it is long enough for a machine that is several times slower and busy.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = "127.0.0.1"


def wait_until(is_so: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It did not become so in time.
    """
    deadline_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what} did not happen in {within_s} s")
        time.sleep(0.1)


def read_lines(path: Path) -> list[Any]:
    """Return what a process has written so far, one JSON value a line; nothing where there is no file yet.

    A last line without an end is still being written.
    """
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


def read_log(path: Path) -> str:
    """Return what a process has said so far, nothing where it has not begun; it may break off in a character."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
