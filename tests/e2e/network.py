"""The cables between the processes of the end-to-end tests: a forwarder per machine, a process that can be cut off.

Stopped (SIGSTOP) it is a cable that was pulled: connections stay, and nothing comes through until it is put back.
Killed it is a switch that lost power: connections are reset, and refused until it is up again. That needs no rights,
so it works alike on a desk and in a container. A way with several ends is a load balancer that leaves out dead ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from streams.broker import listens
from tests.e2e.waiting import HERE, wait_until

UP_WITHIN_S = 240
CONNECT_S = 2.0

Way = tuple[int, tuple[str, ...]]
"""A port of this machine, and where it leads: `host:port`, or the path of a socket; several are tried in turn."""


@dataclass
class Cable:
    """All ways of one machine to the others."""

    ways: tuple[Way, ...]
    out: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def plug_in(self) -> None:
        """Start forwarding."""
        with self.out.open("ab") as out:
            command = [sys.executable, "-m", "tests.e2e.network", json.dumps(self.ways)]
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def wait_until_up(self) -> None:
        """Wait until it forwards."""
        wait_until(lambda: all(listens(HERE, port) for port, _ in self.ways), UP_WITHIN_S, "the cable to be up")

    def pull(self) -> None:
        """Let nothing through any more."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def put_back(self) -> None:
        """Let through what waited, and what comes."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def lose(self) -> None:
        """Reset all connections."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


async def _open(end: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if end.startswith("/"):
        return await asyncio.wait_for(asyncio.open_unix_connection(end), CONNECT_S)
    host, _, port = end.rpartition(":")
    return await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT_S)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


async def _serve(way: Way) -> None:
    port, ends = way
    turns = count()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for no in range(len(ends)):
            try:
                there, back = await _open(ends[(first + no) % len(ends)])
            except (OSError, TimeoutError):
                continue
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            return
        # Nobody at the other end: reset, as the kernel of that machine would.
        writer.transport.abort()

    server = await asyncio.start_server(connected, HERE, port)
    await server.serve_forever()


async def _forward(ways: list[Way]) -> None:
    await asyncio.gather(*(_serve(way) for way in ways))


if __name__ == "__main__":
    asyncio.run(_forward(json.loads(sys.argv[1])))
