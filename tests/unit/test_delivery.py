"""Handing letters to a room: a bad one stops nobody, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams import topics
from streams.delivery import AGAIN_AFTER, TRIES_MAX, deliver
from streams.ledger.contract import FullStep, LedgerAwayError, StaleRowError, Step, T
from streams.ledger.memory import MemoryLedger
from streams.letters import DeadLetter, Letter, Stopped, write_letter
from streams.rooms import TROUBLES
from streams.wiring import TABLES

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


class PickyRoom:
    """A room that cannot bear some letters."""

    name = "picky"
    topic = topics.CALLOUTS

    def __init__(self, *bad: str, error: type[Exception] = ValueError) -> None:
        self.bad, self.error = set(bad), error
        self.handled: list[str] = []

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        if any(letter.key in self.bad for letter in letters):
            raise self.error("cannot bear it")
        self.handled += [letter.key for letter in letters]


def write(ledger: MemoryLedger, *keys: str, topic: str = topics.CALLOUTS) -> list[str]:
    letters = [write_letter(topic, key, Stopped(callout_ids=(), why="expired", at=NOW), NOW, cause=key) for key in keys]
    ledger.step(lambda step: step.write(letters))
    return [letter.id for letter in letters]


def hand_over(ledger: Any, room: PickyRoom, ids: Sequence[str], at: datetime = NOW) -> int:
    return asyncio.run(deliver(ledger, room, ids, at))


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TABLES)


def test_one_bad_letter_among_two_hundred_stops_nobody(ledger):
    keys = [f"k{number}" for number in range(200)]
    ids, room = write(ledger, *keys), PickyRoom("k77")
    assert hand_over(ledger, room, ids) == 199
    assert sorted(room.handled) == sorted(set(keys) - {"k77"})


def test_a_bad_letter_is_tried_again_later(ledger):
    ids = write(ledger, "bad")
    hand_over(ledger, PickyRoom("bad"), ids)
    room = PickyRoom()
    assert hand_over(ledger, room, ids, NOW + AGAIN_AFTER - timedelta(seconds=1)) == 0
    assert hand_over(ledger, room, ids, NOW + AGAIN_AFTER) == 1


def bury(ledger: MemoryLedger) -> None:
    ids, at = write(ledger, "bad"), NOW
    for _ in range(TRIES_MAX + 1):
        hand_over(ledger, PickyRoom("bad"), ids, at)
        at += AGAIN_AFTER


def test_a_letter_that_stays_bad_is_kept_among_the_dead_and_told_to_people(ledger):
    bury(ledger)
    open_letters = ledger.step(lambda step: step.open_letters(NOW + timedelta(days=1), NOW, resend_after_s=1, limit=99))
    dead = [letter.message for letter in open_letters if letter.topic == topics.DEAD_LETTERS]
    assert [(item.door, item.element) for item in dead if isinstance(item, DeadLetter)] == [("picky", "stopped")]
    assert [item.kind for item in ledger.step(lambda step: step.find(TROUBLES))] == ["dead_letter"]
    assert not [letter for letter in open_letters if letter.topic == topics.CALLOUTS]


def test_two_dead_letters_of_one_room_are_two_troubles(ledger):
    bury(ledger)
    ids, at = write(ledger, "other"), NOW
    for _ in range(TRIES_MAX + 1):
        hand_over(ledger, PickyRoom("other"), ids, at)
        at += AGAIN_AFTER
    assert len(ledger.step(lambda step: step.find(TROUBLES))) == 2


class AwayLedger(MemoryLedger):
    """A database that goes away in the middle of every step."""

    async def run(self, work: Callable[[FullStep], T]) -> T:
        def half(step: FullStep) -> T:
            work(step)
            raise LedgerAwayError("gone")

        return self.step(half)


def test_with_the_ledger_away_nothing_is_dropped_and_nobody_is_blamed():
    ledger = AwayLedger(TABLES)
    ids = write(ledger, "a")
    with pytest.raises(LedgerAwayError):
        hand_over(ledger, PickyRoom(), ids)
    assert ledger.step(lambda step: step.letter(ids[0])).tries == 0
    assert ledger.step(lambda step: step.count_open_letters()) == {topics.CALLOUTS: 1}


def test_a_letter_that_is_stale_for_ever_does_not_stall_its_page(ledger):
    ids = write(ledger, "good", "stale")
    room = PickyRoom("stale", error=StaleRowError)
    assert hand_over(ledger, room, ids) == 1
    assert room.handled == ["good"]


def test_letters_of_another_room_in_a_page_are_left_to_their_own_room(ledger):
    own, foreign = write(ledger, "own"), write(ledger, "foreign", topic=topics.VISITS)
    room = PickyRoom("foreign")
    assert hand_over(ledger, room, [*own, *foreign]) == 1
    assert ledger.step(lambda step: step.count_open_letters()) == {topics.VISITS: 1}
    assert ledger.step(lambda step: step.letter(foreign[0])).tries == 0


def test_a_letter_is_handled_once_however_often_its_page_comes(ledger):
    ids, room = write(ledger, "a", "b"), PickyRoom()
    assert [hand_over(ledger, room, ids) for _ in range(3)] == [2, 0, 0]
