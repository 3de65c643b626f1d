"""Every message is written somewhere and read by exactly the room that the table of topics names."""

from __future__ import annotations

import ast
from typing import Any, get_args

import pytest

from agents.facts import Facts
from config.load import load_rules
from streams import letters, topics
from streams.clock import SystemClock
from streams.ledger.memory import MemoryLedger
from streams.wiring import TABLES, build
from tests.house.tree import calls, parsed, python
from tests.small_county import small_county

KINDS: tuple[type[Any], ...] = get_args(get_args(letters.Message)[0])
READERS = {
    letters.Received: "intake",
    letters.Ordered: "intake",
    letters.AlarmRaised: "intake",
    letters.DocumentRefused: "intake",
    letters.ChainOrdered: "intake",
    letters.ChainMoved: "plan",
    letters.OpenCallouts: "callout",
    letters.AttemptEnded: "callout",
    letters.NobodyHeld: "callout",
    letters.Vouched: "callout",
    letters.Replied: "callout",
    letters.Stopped: "callout",
    letters.CallNews: "dial",
    letters.HandLogged: "dial",
    letters.TextReplied: "dial",
    letters.HangUpAsked: "dial",
    letters.VisitNeeded: "visit",
    letters.VisitTaken: "visit",
    letters.VisitSettled: "visit",
    letters.ReadingsArrived: "sense",
    letters.AuditWritten: "",
    letters.DeadLetter: "",
}
ROOMS = sorted({reader for reader in READERS.values() if reader})


def rooms() -> dict[str, Any]:
    return build(
        ledger=MemoryLedger(TABLES),
        clock=SystemClock(),
        facts=Facts(small_county(), load_rules()),
        carriers=[],
        number_key=b"the numbers of these tests",
        owner="test",
    ).rooms


def names_matched(room: str) -> set[str]:
    """Return the classes that a room's own door names: in its agent.py."""
    return {node.id for node in ast.walk(parsed(f"agents/{room}/agent.py")) if isinstance(node, ast.Name)}


def test_every_kind_of_message_has_a_reader_here():
    assert set(READERS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_message_is_written_somewhere(kind):
    made = kind.__name__
    makers = {made, f"{made}.model_validate", f"{made}.trusted", f"letters.{made}"}
    written = [
        name
        for name in python("agents", "streams")
        if name != "streams/letters.py" and any(called in makers for _, called in calls(name))
    ]
    assert written


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_message_is_read_by_the_room_it_is_meant_for_and_no_other(kind):
    readers = [room for room in ROOMS if kind.__name__ in names_matched(room)]
    assert readers == ([READERS[kind]] if READERS[kind] else [])


def test_every_topic_that_a_room_reads_has_that_room_in_the_wiring():
    wanted = {topic.name: topic.reader for topic in topics.TOPICS if topic.reader and topic.name != topics.BELL}
    assert {topic: room.name for topic, room in rooms().items()} == wanted


def test_every_room_knows_which_topic_it_reads():
    assert all(room.topic == topic for topic, room in rooms().items())


def test_every_reader_reads_some_kind_of_message():
    assert {topic.reader for topic in topics.TOPICS if topic.reader} == set(ROOMS)
