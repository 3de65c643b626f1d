"""What came before and cannot be read any more is refused at every door, loudly, and takes nothing else with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import topics
from streams.ledger.schema import LETTERS
from streams.ledger.sql import SqlLedger
from streams.letters import DocumentRefused, Received
from streams.rooms import TROUBLES
from streams.wiring import TABLES
from tests.wire.gateway_house import ORDER, Gate, cap, open_gate

XML = {"Content-Type": "application/cap+xml"}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", TABLES, create=True)
    yield open_gate(tmp_path, ledger=ledger)
    ledger.close()


def spoil(gate: Gate, topic: str) -> None:
    """Let what is kept of every letter on a topic become garbage, as a bad disk would."""
    change = LETTERS.update().where(LETTERS.c.topic == topic).values(body="{")
    gate.house.ledger.step(lambda step: step._connection.execute(change))


def send(gate: Gate, content: bytes):
    return gate.api("sender").post("/v1/warnings", content=content, headers=XML)


def hand_in(gate: Gate, *stations: str):
    items = [{"station": station, "at": "2021-07-19T21:00:00+08:00", "value": 2.5} for station in stations]
    return gate.api("sender").post("/v1/readings", json=items)


def kept(gate: Gate, kind: type) -> list:
    return [letter.message for letter in gate.letters(topics.WARNINGS_RAW) if isinstance(letter.message, kind)]


def test_a_warning_sent_again_whose_letter_is_spoiled_is_refused_kept_and_told_to_people(gate: Gate):
    send(gate, cap())
    spoil(gate, topics.WARNINGS_RAW)
    answer = send(gate, cap())
    assert answer.status_code == 400
    assert "无法读取" in answer.json()["detail"]
    (told,) = kept(gate, DocumentRefused)
    assert gate.house.ledger.step(lambda step: step.raw(told.raw_id)) == cap()
    assert "refused" in {trouble.kind for trouble in gate.house.ledger.step(lambda step: step.find(TROUBLES))}


def test_the_same_warning_under_another_identifier_is_taken(gate: Gate):
    send(gate, cap())
    spoil(gate, topics.WARNINGS_RAW)
    send(gate, cap())
    assert send(gate, cap(identifier="41992641600000_20210719220500")).status_code == 202
    assert len(kept(gate, Received)) == 1


def test_what_is_new_beside_a_spoiled_page_of_readings_is_taken(gate: Gate):
    assert hand_in(gate, "rain-01").status_code == 202
    spoil(gate, topics.READINGS)
    assert hand_in(gate, "rain-01", "rain-02").status_code == 400
    assert [letter.message.station for letter in gate.letters(topics.READINGS)] == ["rain-02"]


def test_an_order_given_again_whose_letter_is_spoiled_is_refused(gate: Gate):
    assert gate.api("operator").post("/v1/orders/call", json=ORDER).status_code == 202
    spoil(gate, topics.WARNINGS_RAW)
    answer = gate.api("operator").post("/v1/orders/call", json=ORDER)
    assert (answer.status_code, answer.json()["element"]) == (400, "order_id")
