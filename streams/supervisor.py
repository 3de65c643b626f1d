"""`jiaoying up` and the demo: the whole live stack as processes, started in order and started again when they end.

It holds no state: whatever it restarts finds everything in the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import Settings
from streams.broker import BrokerError, EmbeddedBroker, free_port, listens
from streams.ends import OUTDATED_STATUS
from streams.installation import deploy, environment
from streams.kafka import KafkaAwayError, answers, set_up_topics

log = logging.getLogger(__name__)
TOPICS_WITHIN_S = 60.0
GATEWAY_WITHIN_S = 180.0
RESTART_PAUSE_S = 1.0
BROKER_AGAIN_S = 30.0
BROKER_AGAIN_MAX_S = 600.0
STOP_WITHIN_S = 12.0

Tell = Callable[[str], None]


class StackError(RuntimeError):
    """The stack cannot be started; the message says what is wrong and what to do."""


@dataclass
class Stack:
    """Broker, workers, gateway and auditor of one installation.

    Args:
        settings: Of the installation; without a broker in them the embedded one is started.
        tell: Shown progress in words.
        workers: How many worker processes.
    """

    settings: Settings
    tell: Tell
    workers: int = 1
    broker: EmbeddedBroker | None = field(default=None, init=False)
    children: dict[str, asyncio.subprocess.Process] = field(default_factory=dict, init=False)
    restarts: int = field(default=0, init=False)
    _broker_pause_s: float = field(default=0.0, init=False)
    _broker_from_s: float = field(default=0.0, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def start(self) -> None:
        """Start everything in order.

        Raises:
            StackError: A port is taken, the broker or the ledger cannot be had.
        """
        if listens(self.settings.host, self.settings.port):
            raise StackError(
                f"端口 {self.settings.port} 已被占用，请用 JIAOYING_PORT 换一个 "
                f"/ port {self.settings.port} is taken, choose another with JIAOYING_PORT"
            )
        self.tell("准备台账 / preparing the ledger")
        told = await asyncio.to_thread(deploy, self.settings)
        if told:
            self.tell(f"⚠ {told}")
        await self._start_broker()
        self.tell("启动值班进程 / starting worker and gateway")
        for number in range(self.workers):
            await self._spawn(f"worker-{number}")
        await self._spawn("gateway")
        await self._spawn("auditor")
        await self._wait_for_gateway()

    async def watch(self) -> None:
        """Start again what ends, until `stop` is called.

        Raises:
            StackError: A newer program has taken over the ledger; started again, ours would be refused again.
        """
        while not self._stopping.is_set():
            if self.broker is not None and not self.broker.is_well():
                await self._recycle_broker()
            for name, child in list(self.children.items()):
                if child.returncode == OUTDATED_STATUS:
                    raise StackError(self._last_line(name))
                if child.returncode is not None and not self._stopping.is_set():
                    log.warning("%s ended with status %s and is started again", name, child.returncode)
                    self.restarts += 1
                    await asyncio.sleep(RESTART_PAUSE_S)
                    await self._spawn(name)
            try:
                await asyncio.wait_for(self._stopping.wait(), 0.5)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """End everything, workers before the broker."""
        self._stopping.set()
        await asyncio.gather(*(self._end(child) for child in self.children.values()))
        if self.broker is not None:
            await asyncio.to_thread(self.broker.stop)

    async def _start_broker(self) -> None:
        if self.settings.kafka:
            servers: Sequence[str] = self.settings.kafka
        else:
            self.tell("启动内嵌消息中间件 / starting the embedded broker")
            self.broker = EmbeddedBroker(free_port(), self.settings.data_dir / "broker.log")
            try:
                await asyncio.to_thread(self.broker.start)
            except BrokerError as error:
                raise StackError(str(error)) from error
            servers = self.servers
        await self._set_up_topics(servers)

    async def _set_up_topics(self, servers: Sequence[str]) -> None:
        """Create topics before any worker joins: clients would make them with one partition."""
        deadline = asyncio.get_running_loop().time() + TOPICS_WITHIN_S
        while True:
            # An administrator that meets a closed port leaves a socket behind: look first whether anybody listens.
            heard = await asyncio.to_thread(answers, servers)
            try:
                if heard:
                    await asyncio.to_thread(set_up_topics, servers)
                    return
            except KafkaAwayError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise StackError(str(error)) from error
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(f"Kafka（{', '.join(servers)}）没有应答 / Kafka does not answer")
            await asyncio.sleep(0.1)

    async def _recycle_broker(self) -> None:
        """Start another broker, empty, at another port, topics first; only then give it to the workers.

        Until then they go on from the ledger alone, and where no broker can be had they go on like that: it is tried
        again after pauses that grow. At the old port their clients would make the topics before we could, wrongly.
        """
        if self.broker is None:
            return
        log.warning("the embedded broker is started again (%.0f MiB)", self.broker.rss_mib())
        fresh = EmbeddedBroker(free_port(), self.broker.log_path)
        try:
            await asyncio.to_thread(fresh.start)
            await self._set_up_topics((f"127.0.0.1:{fresh.port}",))
        except (BrokerError, StackError, OSError) as error:
            await asyncio.to_thread(fresh.stop)
            self._broker_pause_s = min(max(BROKER_AGAIN_S, self._broker_pause_s * 2), BROKER_AGAIN_MAX_S)
            self._broker_from_s = asyncio.get_running_loop().time() + self._broker_pause_s
            log.error("no broker, calling goes on without; again in %.0f s: %s", self._broker_pause_s, error)  # noqa: TRY400
            return
        self._broker_pause_s = 0.0
        await asyncio.to_thread(self.broker.stop)
        self.broker = fresh
        workers = {name: child for name, child in self.children.items() if name.startswith("worker")}
        await asyncio.gather(*(self._end(child) for child in workers.values()))
        for name in workers:
            await self._spawn_or_later(name)
        self.restarts += 1

    async def _spawn_or_later(self, name: str) -> None:
        """Start a child; where the machine cannot, the next look tries again."""
        try:
            await self._spawn(name)
        except OSError:
            log.exception("%s could not be started", name)

    @property
    def servers(self) -> tuple[str, ...]:
        """Return the brokers that the workers are told."""
        if self.broker is None:
            return self.settings.kafka
        return (f"127.0.0.1:{self.broker.port}",)

    async def _spawn(self, name: str) -> None:
        """Start a child with the same settings, its output in a file of its own."""
        variables = {**os.environ, **environment(self.settings), "JIAOYING_KAFKA": ",".join(self.servers)}
        if self.broker is not None:
            variables["JIAOYING_EMBEDDED_BROKER"] = "true"
        with self._log_path(name).open("ab") as output:
            self.children[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *_command(name), stdout=output, stderr=output, env=variables
            )

    def _log_path(self, name: str) -> Path:
        # auditor.log is the auditor's own list of alarms, one JSON a line.
        return self.settings.data_dir / ("auditor-errors.log" if name == "auditor" else f"{name}.log")

    async def _wait_for_gateway(self) -> None:
        deadline = asyncio.get_running_loop().time() + GATEWAY_WITHIN_S
        while not await asyncio.to_thread(listens, self.settings.host, self.settings.port):
            gateway = self.children["gateway"]
            if gateway.returncode is not None:
                raise StackError(f"网关没有启动：{self._last_line('gateway')} / the gateway did not start")
            if asyncio.get_running_loop().time() > deadline:
                log_path = self._log_path("gateway")
                raise StackError(
                    f"网关 {GATEWAY_WITHIN_S:.0f} 秒内没有启动，见 {log_path} / the gateway did not start in time"
                )
            await asyncio.sleep(0.1)

    def _last_line(self, name: str) -> str:
        lines = self._log_path(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is not None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN_S)
        except TimeoutError:
            child.kill()
            await child.wait()


def _command(name: str) -> list[str]:
    """Return the module and the arguments of a child by its name."""
    match name.partition("-"):
        case "auditor", _, _:
            # Not by the command line of the house: that loads the engine, which may be what is broken.
            return ["agents.auditor"]
        case "worker", _, number:
            return ["streams.cli", "worker", "--number", number]
        case _:
            return ["streams.cli", name]
