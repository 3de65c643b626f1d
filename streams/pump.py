"""The pump: publishes open letters, hands stuck ones to the rooms itself, and never decides anything.

A letter is marked published in the same step in which it is picked, then sent. Whatever dies after that, it is still
open, and is taken up again when its back-off is over: published again, or, where Kafka is away or slow and this worker
holds the lease, handed to its room directly.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.clock import Clock
from streams.codec import PAGE_MAX, Page, write_body, write_page
from streams.ledger.contract import FullStep, Ledger
from streams.letters import Letter
from streams.topics import BELL, BY_NAME, PAGES, TOPICS

log = logging.getLogger(__name__)
RESEND_AFTER_S = 2.0
SEND_TIMEOUT_S = 5.0
TAKE_MAX = 2000
DIRECT_LEASE = "direct"
DIRECT_LEASE_S = 5.0
NEVER_S = 1e8
PAGES_TOGETHER = 5
"""Each letter on `pages` opens up to 200 callouts: the first of them are to be dialled while the last are opened."""
KAFKA_AGAIN = timedelta(seconds=2)
LEASE_AGAIN = timedelta(seconds=1)
ALL_TOPICS = tuple(topic.name for topic in TOPICS)
OUR_TOPICS = tuple(topic.name for topic in TOPICS if topic.reader and topic.carries != "nothing")

See = Callable[[Sequence[Any]], None]


class Publisher:
    """A producer that is started when first needed, and let go of when it fails."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = list(servers)
        self._producer: AIOKafkaProducer | None = None
        # Two loops send; only one of them may start or let go of the producer at a time.
        self._one_at_a_time = asyncio.Lock()
        self.is_well = False

    async def send_all(self, messages: Sequence[tuple[str, int | None, bytes, bytes]]) -> bool:
        """Send (topic, partition, key, value) messages and wait until the broker has them all; False where it has not.

        No messages are a question: does the broker answer? Nothing is raised: the letters are in the ledger, and are
        sent again.
        """
        async with self._one_at_a_time:
            try:
                await asyncio.wait_for(self._send(messages), SEND_TIMEOUT_S)
            except (KafkaError, OSError, TimeoutError) as error:
                if self.is_well:
                    log.warning("Kafka is away, letters are handed over directly: %s", error)
                self.is_well = False
                await self._let_go()
                return False
            self.is_well = True
            return True

    async def _send(self, messages: Sequence[tuple[str, int | None, bytes, bytes]]) -> None:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._servers, acks="all", request_timeout_ms=4000, linger_ms=0, retry_backoff_ms=100
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        sent = [
            await self._producer.send(topic, value=value, key=key, partition=partition)
            for topic, partition, key, value in messages
        ]
        await asyncio.gather(*sent)

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 2)
            except (KafkaError, OSError, TimeoutError):
                log.debug("the producer did not stop in time")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._let_go()


class Pump:
    """Moves letters for one worker."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        publisher: Publisher | None,
        owner: str,
        hand_over: Callable[[Page], Awaitable[int]],
        see: See,
    ) -> None:
        """Take what it needs.

        Args:
            ledger: Where the letters are.
            clock: Where time comes from.
            publisher: The way to Kafka; None runs without any.
            owner: Name of this worker, for the lease.
            hand_over: Hands a page to its room directly.
            see: Shown the entries of each audit letter when it is first picked: the source of the metrics.
        """
        self._ledger, self._clock, self._publisher, self._owner = ledger, clock, publisher, owner
        self._hand_over, self._see = hand_over, see
        self._bell_asked = False
        self._kafka_from: datetime | None = None
        self._lease_from: datetime | None = None

    async def run_once(self) -> int:
        """Publish what was never published; return how many letters were picked."""
        if not await self._ledger.look(self._has_fresh) or not await self._gets_on():
            await self._ring_out()
            return 0
        letters = await self._ledger.run(self._pick_fresh)
        self._count(letters)
        if await self._publish(letters):
            await self._close_outgoing(letters)
        else:
            await self._directly(letters)
        await self._ring_out()
        return len(letters)

    async def sweep(self) -> int:
        """Take up letters whose back-off is over; return how many."""
        if not await self._gets_on():
            return 0
        letters = await self._ledger.run(self._pick_stuck)
        if not letters:
            return 0
        log.info("%d letters were open for too long", len(letters))
        # The sweep may be the first to pick a letter; entries that are seen twice count once.
        self._count(letters)
        if await self._publish(letters):
            await self._close_outgoing(letters)
        await self._directly(letters)
        return len(letters)

    async def _gets_on(self) -> bool:
        """Tell whether letters picked now get on: through Kafka, or by this worker's hand under the lease.

        Picking starts a letter's back-off, so a worker that can do neither leaves it to the one that can.
        """
        if await self._kafka_answers():
            return True
        wall = self._clock.wall()
        if self._lease_from is not None and wall < self._lease_from:
            return False
        leased = await self._ledger.run(lambda step: step.lease(DIRECT_LEASE, self._owner, wall, DIRECT_LEASE_S))
        self._lease_from = None if leased else wall + LEASE_AGAIN
        return leased

    async def _kafka_answers(self) -> bool:
        """Tell whether Kafka is well; while it is not it is asked every two seconds only, for asking may take five."""
        if self._publisher is None:
            return False
        wall = self._clock.wall()
        if not self._publisher.is_well and (self._kafka_from is None or wall >= self._kafka_from):
            self._kafka_from = wall + KAFKA_AGAIN
            await self._publisher.send_all([])
        return self._publisher.is_well

    async def _publish(self, letters: Sequence[Letter]) -> bool:
        publisher = self._publisher
        return publisher is not None and publisher.is_well and await publisher.send_all(_messages(letters))

    def _count(self, letters: Sequence[Letter]) -> None:
        """Show the entries of audit letters to the metrics."""
        for letter in letters:
            if letter.message.kind == "audit_written":
                self._see(letter.message.entries)

    def ring(self) -> None:
        """Ask for the bell to be rung: something wants to be dialled. It rings when the pump next runs."""
        self._bell_asked = True

    async def _ring_out(self) -> None:
        if self._bell_asked and self._publisher is not None and self._publisher.is_well:
            await self._publisher.send_all([(BELL, None, b"", b"ring")])
        self._bell_asked = False

    def _has_fresh(self, step: FullStep) -> bool:
        """Look before the step: an idle worker does not take the ledger's lock thirty times a second."""
        now, wall = self._clock.now(), self._clock.wall()
        return bool(step.open_letters(now, wall, resend_after_s=NEVER_S, limit=1, unread=ALL_TOPICS))

    def _pick_fresh(self, step: FullStep) -> list[Letter]:
        return self._pick(step, NEVER_S)

    def _pick_stuck(self, step: FullStep) -> list[Letter]:
        # With Kafka away, what others read can only wait: picked again and again it would crowd out our own.
        away = self._publisher is not None and not self._publisher.is_well
        return self._pick(step, RESEND_AFTER_S, OUR_TOPICS if away else ())

    def _pick(self, step: FullStep, resend_after_s: float, topics: Sequence[str] = ()) -> list[Letter]:
        now, wall = self._clock.now(), self._clock.wall()
        letters = step.open_letters(
            now, wall, resend_after_s=resend_after_s, limit=TAKE_MAX, topics=topics, unread=OUR_TOPICS
        )
        if letters:
            step.mark_published([letter.id for letter in letters], wall)
        return letters

    async def _close_outgoing(self, letters: Sequence[Letter]) -> None:
        """End letters that no room of ours reads: the broker has them, and that was all that was to be done."""
        outgoing = [letter for letter in letters if not BY_NAME[letter.topic].reader]
        if not outgoing:
            return
        ids, wall = [letter.id for letter in outgoing], self._clock.wall()
        await self._ledger.run(lambda step: step.mark_published(ids, wall, close=True))

    async def _directly(self, letters: Sequence[Letter]) -> None:
        """Hand letters to their rooms without Kafka, as one worker at a time may."""
        wall = self._clock.wall()
        if not await self._ledger.run(lambda step: step.lease(DIRECT_LEASE, self._owner, wall, DIRECT_LEASE_S)):
            return
        for topic, page in _pages(letters):
            if BY_NAME[topic].reader:
                await self._hand_over(Page(topic=topic, ids=tuple(letter.id for letter in page)))
        if self._publisher is None:
            await self._close_outgoing(letters)


def partition_of(letter: Letter) -> int:
    """Return the partition that letters of this key go to."""
    return crc32(letter.key.encode()) % BY_NAME[letter.topic].partitions


def _pages(letters: Sequence[Letter]) -> list[tuple[str, list[Letter]]]:
    """Group letters by topic into pages, in their order.

    Letters of many keys share a page: no partition is a matter of correctness, and one full page is one transaction
    where four quarter pages would be four. Only what is a page by itself goes in small lots.
    """
    groups: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.topic].append(letter)
    return [
        (topic, group[start : start + size])
        for topic, group in groups.items()
        for size in (PAGES_TOGETHER if topic == PAGES else PAGE_MAX,)
        for start in range(0, len(group), size)
    ]


def _messages(letters: Sequence[Letter]) -> list[tuple[str, int | None, bytes, bytes]]:
    messages: list[tuple[str, int | None, bytes, bytes]] = []
    for topic, page in _pages(letters):
        if BY_NAME[topic].carries == "ids":
            content = write_page(topic, tuple(letter.id for letter in page))
            messages.append((topic, partition_of(page[0]), b"", content))
        else:
            messages += [(topic, partition_of(letter), letter.key.encode(), write_body(letter)) for letter in page]
    return messages
