"""The pump: what is open is published, or handed over under the lease, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from streams import topics
from streams.clock import VirtualClock
from streams.codec import Page, read_page
from streams.ledger.contract import Draft
from streams.ledger.memory import MemoryLedger
from streams.letters import Stopped, write_letter
from streams.pump import Pump
from streams.wiring import TABLES

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
Message = tuple[str, int | None, bytes, bytes]


class FakePublisher:
    """A broker that is there or away as a test says."""

    def __init__(self) -> None:
        self.away = False
        self.is_well = False
        self.asked = 0
        self.sent: list[Message] = []

    async def send_all(self, messages: Sequence[Message]) -> bool:
        self.asked += 1
        self.is_well = not self.away
        if self.is_well:
            self.sent += messages
        return self.is_well

    def on(self, topic: str) -> list[Message]:
        return [message for message in self.sent if message[0] == topic]


class Post:
    """A pump with what stands around it."""

    def __init__(self, ledger: MemoryLedger, clock: VirtualClock, owner: str = "a", *, kafka: bool = True) -> None:
        self.ledger, self.clock = ledger, clock
        self.publisher = FakePublisher()
        self.handed: list[str] = []
        self.seen: list[object] = []
        door = self.publisher if kafka else None
        self.pump = Pump(ledger, clock, door, owner, self._take, self.seen.extend)  # type: ignore[arg-type]

    async def _take(self, page: Page) -> int:
        self.handed += page.ids
        at = self.clock.now()
        return self.ledger.step(lambda step: len(step.take(page.ids, at)))

    def run(self, what: str = "run_once") -> int:
        return asyncio.run(getattr(self.pump, what)())


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TABLES)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def post(ledger, clock) -> Post:
    return Post(ledger, clock)


def write(ledger: MemoryLedger, *names: str) -> list[str]:
    message = Stopped(callout_ids=(), why="expired", at=NOW)
    letters = [write_letter(topics.CALLOUTS, f"real|callout|{name}", message, NOW, cause=name) for name in names]
    ledger.step(lambda step: step.write(letters))
    return [letter.id for letter in letters]


def test_what_is_fresh_is_published_once(post, ledger):
    (letter_id,) = write(ledger, "x")
    assert [post.run(), post.run()] == [1, 0]
    (message,) = post.publisher.on(topics.CALLOUTS)
    page = read_page(message[3])
    assert isinstance(page, Page)
    assert page.ids == (letter_id,)


def test_a_page_holds_at_most_two_hundred_letters(post, ledger):
    write(ledger, *(str(number) for number in range(450)))
    post.run()
    pages = [read_page(message[3]) for message in post.publisher.on(topics.CALLOUTS)]
    assert sum(len(page.ids) for page in pages if isinstance(page, Page)) == 450
    assert len(pages) == 3


def test_what_nobody_handled_is_taken_up_after_its_back_off_and_handed_over(post, ledger, clock):
    (letter_id,) = write(ledger, "x")
    post.run()
    clock.advance(1)
    assert post.run("sweep") == 0
    clock.advance(2)
    assert post.run("sweep") == 1
    assert post.handed == [letter_id]


def test_with_kafka_away_the_rooms_get_their_letters_directly(post, ledger):
    post.publisher.away = True
    ids = write(ledger, "x", "y")
    post.run()
    assert sorted(post.handed) == sorted(ids)


def test_with_kafka_away_only_one_of_two_pumps_hands_over_and_nothing_waits_for_the_other(ledger, clock):
    one, other = Post(ledger, clock, "one"), Post(ledger, clock, "other")
    one.publisher.away = other.publisher.away = True
    one.run()
    write(ledger, "first")
    one.run()
    ids = write(ledger, "x")
    assert other.run() == 0
    assert one.run() == 1
    assert other.handed == []
    assert one.handed[-1:] == ids


def test_when_the_one_that_holds_the_lease_dies_the_other_goes_on(ledger, clock):
    one, other = Post(ledger, clock, "one"), Post(ledger, clock, "other")
    one.publisher.away = other.publisher.away = True
    write(ledger, "first")
    one.run()
    ids = write(ledger, "x")
    clock.advance(6)
    assert other.run() == 1
    assert other.handed == ids


def test_a_broker_that_is_away_is_asked_only_now_and_then(post, ledger, clock):
    post.publisher.away = True
    for number in range(20):
        write(ledger, str(number))
        post.run()
        clock.advance(0.05)
    assert post.publisher.asked <= 2
    assert len(post.handed) == 20


def test_a_broker_that_is_back_is_used_again(post, ledger, clock):
    post.publisher.away = True
    write(ledger, "x")
    post.run()
    post.publisher.away = False
    clock.advance(3)
    write(ledger, "y")
    post.run()
    assert len(post.publisher.on(topics.CALLOUTS)) == 1


def entry(ledger: MemoryLedger) -> None:
    ledger.step(lambda step: step.append([Draft(subject="real|callout|x", what="w", by="b", at=NOW)]))


def test_an_audit_letter_is_closed_only_when_the_broker_has_it(post, ledger, clock):
    entry(ledger)
    post.publisher.away = True
    post.run()
    assert ledger.step(lambda step: step.count_open_letters()) == {topics.AUDIT: 1}
    post.publisher.away = False
    clock.advance(10)
    post.run("sweep")
    assert ledger.step(lambda step: step.count_open_letters()) == {}
    assert len(post.publisher.on(topics.AUDIT)) == 1


def test_without_any_broker_an_audit_letter_is_closed_at_once(ledger, clock):
    post = Post(ledger, clock, kafka=False)
    entry(ledger)
    post.run()
    assert ledger.step(lambda step: step.count_open_letters()) == {}


def test_entries_are_shown_to_the_metrics_though_kafka_is_away(post, ledger):
    post.publisher.away = True
    entry(ledger)
    post.run()
    assert len(post.seen) == 1


def test_a_letter_is_not_picked_before_its_time(post, ledger, clock):
    message = Stopped(callout_ids=(), why="expired", at=NOW)
    later = NOW + timedelta(seconds=5)
    held = write_letter(topics.CALLOUTS, "real|callout|x", message, NOW, cause="x", not_before=later)
    ledger.step(lambda step: step.write([held]))
    assert post.run() == 0
    clock.advance(5)
    assert post.run() == 1


def test_the_bell_rings_with_the_next_run_and_once(post, ledger):
    write(ledger, "x")
    post.run()
    post.pump.ring()
    post.run()
    post.run()
    assert len(post.publisher.on(topics.BELL)) == 1
