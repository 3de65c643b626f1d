"""The Faust app: one agent per topic that a room of ours reads. An agent's body is one transaction and no more.

Faust acks a message whatever its body did, so nothing here may be the only copy of anything: a page is a hint, the
letters stay open in the ledger until their room handled them, and the pump sends them again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from mode import CrashingSupervisor

from streams.broker import FETCH_WAIT_MS
from streams.codec import Page, Unreadable, read_page
from streams.topics import BELL, TOPICS

log = logging.getLogger(__name__)
SESSION_TIMEOUT_S = 6.0
HEARTBEAT_S = 1.0
STOP_WITHIN_S = 10.0
KAFKA_TROUBLE = (KafkaError, OSError, TimeoutError)
"""What a broker that is away makes Faust raise."""


class KafkaLostError(RuntimeError):
    """The broker went away: no fault of the app's, and none of whatever else the process does."""


TakePage = Callable[[Page], Awaitable[int]]
TakeUnreadable = Callable[[str, Unreadable], Awaitable[None]]


class _QuickThread(AIOKafkaConsumerThread):
    """A consumer whose fetches wait 20 ms: the embedded broker holds each for its whole wait, Faust's is 1.5 s."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # The driver fixes the wait in its constructor call; before start this is the one place it is kept in.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class _QuickConsumer(Consumer):
    def _new_consumer_thread(self) -> Any:
        return _QuickThread(self, loop=self.loop, beacon=self.beacon)


class _QuickTransport(Transport):
    Consumer = _QuickConsumer


class RoomApp(faust.App):
    """A Faust app that can be told to use the quick transport."""

    quick = False

    def _new_transport(self) -> Any:
        if not self.quick:
            return super()._new_transport()
        return _QuickTransport(self.conf.broker_consumer, self, loop=self.loop)


def create_app(
    app_id: str,
    servers: tuple[str, ...],
    take_page: TakePage,
    take_unreadable: TakeUnreadable,
    ring: Callable[[], None],
    *,
    embedded: bool,
) -> RoomApp:
    """Make the app with all agents; nothing connects before it is started.

    Args:
        app_id: The consumer group; all workers of one installation share it.
        servers: host:port of the brokers.
        take_page: Handles a page in its room; returns how many letters were handled.
        take_unreadable: Keeps bytes that are no page.
        ring: Called when the bell rings.
        embedded: Whether the broker is the embedded one.
    """
    app = RoomApp(
        app_id,
        broker=[f"kafka://{server}" for server in servers],
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        store="memory://",
        agent_supervisor=CrashingSupervisor,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_commit_interval=1.0,
        broker_request_timeout=10.0,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=256,
        stream_wait_empty=False,
        worker_redirect_stdouts=False,
        cython_optimizations=False,
    )
    app.quick = embedded
    for topic in TOPICS:
        if topic.reader and topic.name != BELL:
            _add_agent(app, topic.name, topic.reader, take_page, take_unreadable)
    _add_bell(app, ring)
    app.finalize()
    return app


def _channel(app: RoomApp, name: str) -> Any:
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", allow_empty=True
    )


def _add_agent(app: RoomApp, topic: str, reader: str, take_page: TakePage, take_unreadable: TakeUnreadable) -> None:
    async def body(stream: Any) -> AsyncIterator[int]:
        async for raw in stream:
            page = read_page(raw)
            if isinstance(page, Unreadable):
                await take_unreadable(topic, page)
                yield 0
            else:
                yield await take_page(page.model_copy(update={"topic": topic}))

    body.__name__ = f"{reader}_{topic.replace('.', '_')}"
    app.agent(_channel(app, topic), name=body.__name__, concurrency=1, supervisor_strategy=CrashingSupervisor)(body)


def _add_bell(app: RoomApp, ring: Callable[[], None]) -> None:
    async def bell(stream: Any) -> AsyncIterator[int]:
        async for _ in stream:
            ring()
            yield 1

    app.agent(_channel(app, BELL), name="dial_bell", concurrency=1, supervisor_strategy=CrashingSupervisor)(bell)


async def run_app(app: RoomApp, stopping: asyncio.Event) -> None:
    """Run the app until `stopping` is set.

    Raises:
        KafkaLostError: The broker went away while it was started or ran; another app may be run in this process.
        RuntimeError: The app crashed, which Faust itself would pass over in silence, or could not be stopped.
    """
    try:
        try:
            await app.start()
        except KAFKA_TROUBLE as error:
            raise KafkaLostError(f"Faust could not be started: {error!r}") from error
        while not stopping.is_set():
            if app.crashed:
                crash = KafkaLostError if isinstance(app.crash_reason, KAFKA_TROUBLE) else RuntimeError
                raise crash(f"the Faust app crashed: {app.crash_reason!r}")
            try:
                await asyncio.wait_for(stopping.wait(), 0.5)
            except TimeoutError:
                continue
    finally:
        await _stop(app)


async def _stop(app: RoomApp) -> None:
    """Stop the app; one that does not stop would go on holding its partitions, so its process must end.

    Raises:
        RuntimeError: It did not stop in time.
    """
    try:
        await asyncio.wait_for(app.stop(), STOP_WITHIN_S)
    except TimeoutError as error:
        raise RuntimeError(f"the Faust app did not stop within {STOP_WITHIN_S:.0f} s") from error
