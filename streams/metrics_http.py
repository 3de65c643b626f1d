"""The worker's /metrics: a small server of its own thread, so that it answers while the event loop is busy.

The gateway shows its registry under its own /metrics. Never put here: anything that can be changed over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from config.faults import Language, Word


class MetricsPortError(OSError):
    """The port of /metrics cannot be had; the message says which and what to do."""


@dataclass(frozen=True)
class MetricsServer:
    """A running /metrics; `port` is the one it got where 0 was asked for."""

    server: WSGIServer
    thread: Thread

    @property
    def port(self) -> int:
        """Return the TCP port it listens on."""
        return self.server.server_port

    def close(self) -> None:
        """Stop answering and give the port back."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def serve(
    registry: CollectorRegistry, port: int, host: str = "127.0.0.1", *, language: Language = "zh"
) -> MetricsServer:
    """Answer /metrics on a port until closed.

    Args:
        registry: What is shown.
        port: TCP port; 0 takes a free one.
        host: Address to bind to. Other than loopback only where a network of its own keeps strangers out: there is
            no login.
        language: In what language a taken port is told.

    Raises:
        MetricsPortError: The port is taken, or the address is not one of this machine.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        told = Word(
            f"指标端口 {host}:{port} 打不开（{error.strerror or error}），请改 JIAOYING_METRICS_PORT",
            f"the metrics port {host}:{port} cannot be opened ({error.strerror or error}); set JIAOYING_METRICS_PORT",
        )
        raise MetricsPortError(told.said(language)) from error
    return MetricsServer(server, thread)
