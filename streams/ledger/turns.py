"""Turns at a SQLite file: of the processes that write, the one that waits goes before the one that wrote just now.

SQLite's lock is no queue. A busy worker gives it back and takes it again within milliseconds, and on a machine short of
processors the gateway beside it wakes too late for that gap, again and again: callbacks then waited for seconds.
So whoever wants to write first takes a second lock, the turn, and gives it back only when it has the first: the worker
that comes back finds the turn taken, and waits until the gateway is in.

This is courtesy and nothing more. What may be written is decided by SQLite's own lock alone; where the turn cannot be
had, everybody writes as if there were none. It must never keep a process from writing for good.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from streams.clock import SystemClock

SUFFIX = "-turn"
LOOK_EVERY_S = 0.001
GIVEN_UP_AFTER_S = 2.0
"""Who holds the turn for longer stands still, or waits for a step without end: nobody waits for it any more."""


def turn_of(ledger: Path) -> Path:
    """Return the file that is the turn of a ledger: empty, and of no use to anybody who has the ledger for itself."""
    return ledger.with_name(ledger.name + SUFFIX)


class Turns:
    """The turn of one ledger's file, as one process takes it.

    Args:
        ledger: Path of the database; the turn is an empty file beside it.
    """

    def __init__(self, ledger: Path) -> None:
        self._path = turn_of(ledger)
        self._file: IO[bytes] | None = None
        self._waits = True
        self._clock = SystemClock()
        self._pause = threading.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn while the block runs: just until the ledger's own lock is held. Not for two threads at once."""
        held = self._take()
        try:
            yield
        finally:
            if held:
                # The kernel gives it back when a process dies.
                fcntl.flock(held, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self) -> IO[bytes] | None:
        until_s = self._clock.monotonic_s() + (GIVEN_UP_AFTER_S if self._waits else 0.0)
        # A folder that cannot be written to, a file system without locks, or no descriptor left: then without a turn.
        with suppress(OSError):
            self._file = self._file or self._path.open("ab")
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._waits = True
                    return self._file
                if self._clock.monotonic_s() >= until_s:
                    break
                self._pause.wait(LOOK_EVERY_S)
        # Waited for once: until it is seen free again, nobody here waits for it a second time.
        self._waits = False
        return None
