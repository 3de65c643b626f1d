"""Ports for the processes of a test: never the same one twice, and none that the system gives away meanwhile.

Asked for some thirty free ports one after the other, the system names one of them twice in three nights of a hundred.
And a port out of the range that outgoing connections are given theirs from may be gone when a process that was killed
comes back for it.
"""

from __future__ import annotations

import os
import socket
from itertools import count

from tests.e2e.waiting import HERE

FIRST, LAST = 20_000, 32_000
"""Below what Linux gives to outgoing connections (32768 to 60999)."""
_places = count()


def free_port() -> int:
    """Return a loopback port that nobody has, not one that was given a short while ago."""
    while True:
        # Two test runs at once begin at different places.
        port = FIRST + (os.getpid() * 131 + next(_places)) % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind((HERE, port))
            except OSError:
                continue
        return port


def free_ports_in_a_row(length: int) -> int:
    """Return the first of some free ports that follow one another: worker *n* takes the *n*th for its metrics."""
    while True:
        ports = [free_port() for _ in range(length)]
        if ports[-1] - ports[0] == length - 1:
            return ports[0]
