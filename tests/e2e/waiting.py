"""Waiting with a deadline, for things that happen in other processes."""

import time
from collections.abc import Callable

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
