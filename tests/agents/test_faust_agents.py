"""The Faust agents, without a broker: what comes on a topic reaches its room, garbage is kept, the bell rings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streams.app import RoomApp, create_app
from streams.codec import Page, Unreadable, write_page
from streams.topics import BELL, TOPICS


class Hands:
    """What the agents' bodies call."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.garbage: list[tuple[str, Unreadable]] = []
        self.rings = 0

    async def take_page(self, page: Page) -> int:
        self.pages.append(page)
        return len(page.ids)

    async def take_unreadable(self, topic: str, unreadable: Unreadable) -> None:
        self.garbage.append((topic, unreadable))

    def ring(self) -> None:
        self.rings += 1

    def app(self) -> RoomApp:
        return create_app(
            "jiaoying-test", ("127.0.0.1:9",), self.take_page, self.take_unreadable, self.ring, embedded=True
        )


READ = [topic.name for topic in TOPICS if topic.reader and topic.name != BELL]


def send(hands: Hands, topic: str, *values: bytes | None) -> list[Any]:
    """Put values on a topic of an app of its own, and return what its agent yielded."""

    async def story() -> list[Any]:
        app = hands.app()
        agent = next(agent for agent in app.agents.values() if topic in agent.channel.topics)
        async with agent.test_context() as context:
            for value in values:
                await context.put(value)
            results = list(context.results.values())
        # The consumer's thread was never started, and so never closes the loop it was made with.
        app.consumer._thread.thread_loop.close()
        return results

    return asyncio.run(story())


@pytest.mark.parametrize("topic", READ)
def test_a_page_on_a_topic_is_handed_to_the_room_that_reads_it(topic):
    hands = Hands()
    assert send(hands, topic, write_page(topic, ("a", "b"))) == [2]
    assert [(page.topic, page.ids) for page in hands.pages] == [(topic, ("a", "b"))]


def test_a_page_that_claims_another_topic_goes_to_the_room_of_the_topic_it_came_on():
    hands = Hands()
    send(hands, "pages", write_page("warnings", ("a",)))
    assert [page.topic for page in hands.pages] == ["pages"]


@pytest.mark.parametrize("raw", [b"garbage", b"{}", b""])
def test_garbage_is_kept_and_stops_nothing(raw):
    hands = Hands()
    assert send(hands, "callouts", raw, write_page("callouts", ("a",))) == [0, 1]
    assert [topic for topic, _ in hands.garbage] == ["callouts"]
    assert len(hands.pages) == 1


def test_the_bell_rings():
    hands = Hands()
    send(hands, BELL, b"ring", b"ring")
    assert hands.rings == 2


def agents_seen(see: Callable[[Any], Any]) -> list[Any]:
    """Build an app inside an event loop, as a worker does, and look at its agents."""

    async def story() -> list[Any]:
        return [see(agent) for agent in Hands().app().agents.values()]

    return asyncio.run(story())


def test_every_topic_that_a_room_reads_has_one_agent():
    topics = agents_seen(lambda agent: agent.channel.topics)
    assert sorted(topic for of_one in topics for topic in of_one) == sorted([*READ, BELL])


def test_every_agent_takes_one_message_at_a_time():
    assert set(agents_seen(lambda agent: agent.concurrency)) == {1}


@pytest.mark.parametrize("_", range(3))
def test_several_apps_in_one_process_do_not_know_of_each_other(_: int):
    hands = Hands()
    send(hands, "calls", write_page("calls", ("a",)))
    assert len(hands.pages) == 1
