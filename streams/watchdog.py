"""The thread that ends a process whose event loop stands still. It must never look at anything but beats."""

from __future__ import annotations

import logging
import os
import threading

log = logging.getLogger(__name__)


class Watchdog(threading.Thread):
    """Ends the process when its event loop stands still: a hung worker would otherwise keep its partitions for ever."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(daemon=True, name="watchdog")
        self._limit_s = limit_s
        self._beaten = threading.Event()
        self._stopped = threading.Event()

    async def beat(self) -> int:
        """Say that the loop still turns."""
        self._beaten.set()
        return 0

    def stop(self) -> None:
        """Let the process end in peace."""
        self._stopped.set()
        self._beaten.set()

    def run(self) -> None:
        """Wait for beats; end the process when none comes in time."""
        while not self._stopped.is_set():
            if not self._beaten.wait(self._limit_s) and not self._stopped.is_set():
                log.critical("the event loop stood still for %.0f s; this worker ends itself", self._limit_s)
                os._exit(70)
            self._beaten.clear()
            self._stopped.wait(1)
