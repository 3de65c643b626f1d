"""Warnings and readings at the HTTP door: taken once, refused with a reason, never lost, never more real than meant."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.intake.state import CHAINS
from streams import topics
from streams.ids import realm_of
from streams.ledger.sql import SqlLedger
from streams.letters import DeadLetter, ReadingsArrived, Received
from streams.rooms import TROUBLES
from streams.wiring import TABLES
from tests.wire.gateway_house import Gate, cap, open_gate

XML = {"Content-Type": "application/cap+xml"}
JSON = {"Content-Type": "application/json"}


def send(gate: Gate, content: bytes, **headers: str):
    return gate.api("sender").post("/v1/warnings", content=content, headers={**XML, **headers})


def rows(gate: Gate, table):
    return gate.house.ledger.step(lambda step: step.find(table))


def received(gate: Gate) -> list[Received]:
    return [letter.message for letter in gate.letters(topics.WARNINGS_RAW)]


def test_an_accepted_warning_is_a_letter_with_its_bytes_kept(gate: Gate):
    answer = send(gate, cap())
    assert answer.status_code == 202
    (message,) = received(gate)
    assert message.warning.id == answer.json()["id"]
    assert gate.house.ledger.step(lambda step: step.raw(message.raw_id)) == cap()


def test_its_location_tells_what_became_of_it(gate: Gate):
    answer = send(gate, cap())
    before = gate.api("sender").get(answer.headers["Location"]).json()
    gate.runner.settle()
    after = gate.api("reader").get(answer.headers["Location"]).json()
    assert before["chain_id"] is None
    assert after["chain_id"] == rows(gate, CHAINS)[0].id


def test_the_same_bytes_again_are_200_and_the_same_id(gate: Gate):
    first, again = send(gate, cap()), send(gate, cap())
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["ids"] == first.json()["ids"]
    assert len(received(gate)) == 1


def test_the_same_warning_in_other_bytes_is_200_and_written_down(gate: Gate):
    first, again = send(gate, cap()), send(gate, cap() + b"\n<!-- again -->")
    assert again.status_code == 200
    assert again.json()["ids"] == first.json()["ids"]
    warning_id = first.json()["id"]
    entries = gate.house.ledger.step(lambda step: step.entries(warning_id))
    assert [entry.what for entry in entries] == ["received", "received_again"]


def test_an_exercise_never_becomes_real(gate: Gate):
    answer = send(gate, cap(status="Exercise"))
    assert answer.status_code == 202
    gate.live_through(minutes=3)
    assert {realm_of(warning_id) for warning_id in answer.json()["ids"]} == {"drill:cap"}
    assert {row.realm for row in rows(gate, CHAINS)} == {"drill:cap"}
    assert {callout.realm for callout in gate.callouts()} == {"drill:cap"}


@pytest.mark.parametrize("status", ["Test", "System", "Draft"])
def test_a_test_opens_no_chain_at_all(gate: Gate, status: str):
    answer = send(gate, cap(status=status))
    gate.live_through(minutes=1)
    assert realm_of(answer.json()["id"]) == "check:cap"
    assert rows(gate, CHAINS) == []


def test_an_exercise_does_not_use_up_the_id_of_the_real_warning(gate: Gate):
    send(gate, cap(status="Exercise"))
    assert send(gate, cap()).status_code == 202


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"<alert>", "application/cap+xml", 400),
        (cap().replace(b"<sender>41992641600000</sender>", b""), "application/cap+xml", 400),
        (b"%PDF-1.7", "application/pdf", 415),
        (b"x" * 1_048_577, "text/plain", 413),
    ],
)
def test_what_cannot_be_taken_is_a_problem_that_names_element_and_reason(gate: Gate, content, media_type, status):
    answer = gate.api("sender").post("/v1/warnings", content=content, headers={"Content-Type": media_type})
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["element"]
    assert problem["detail"]
    assert problem["instance"] == "/v1/warnings"


def test_a_refused_document_is_kept_among_the_dead_and_a_person_is_told(gate: Gate):
    content = cap().replace(b"<sent>2021-07-19T21:59:00+08:00</sent>", b"<sent>yesterday</sent>")
    assert send(gate, content).status_code == 400
    (letter,) = gate.letters(topics.DEAD_LETTERS)
    assert isinstance(letter.message, DeadLetter)
    assert letter.message.element == "sent"
    assert gate.house.ledger.step(lambda step: step.raw(letter.message.raw_id)) == content
    (told,) = rows(gate, TROUBLES)
    assert told.kind == "refused"
    (entry,) = gate.house.ledger.step(lambda step: step.entries("real|door|warnings|2021-07-19"))
    assert (entry.what, entry.by) == ("refused", "sender")


def test_too_large_a_document_is_not_read_to_its_end(gate: Gate):
    handed_over = 0

    async def endless():
        nonlocal handed_over
        for _ in range(100):
            handed_over += 65_536
            yield b"x" * 65_536

    answer = gate.api("sender").post("/v1/warnings", content=endless(), headers=XML)
    assert answer.status_code == 413
    assert handed_over < 1_048_576 + 3 * 65_536


def test_the_refused_bytes_are_taken_once_they_can_be_read(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(), headers={"Content-Type": "application/pdf"})
    assert send(gate, cap()).status_code == 202


def test_garbage_without_end_does_not_bury_the_board(gate: Gate):
    for number in range(60):
        send(gate, b"<alert>%d" % number)
    assert len(rows(gate, TROUBLES)) == 50
    assert len(gate.letters(topics.DEAD_LETTERS)) == 60


def test_problems_speak_english_when_asked_to(gate: Gate):
    chinese = send(gate, b"<alert>").json()
    english = send(gate, b"<alert>", **{"Accept-Language": "en-GB,zh;q=0.3"}).json()
    assert chinese["title"] == "内容有误"
    assert english["title"] == "The content is wrong"
    assert english["detail"].isascii()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Gate]:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", TABLES, create=True, busy_timeout_s=0.05)
    yield open_gate(tmp_path, ledger=ledger)
    ledger.close()


def test_a_ledger_that_is_away_is_503_and_nothing_is_accepted(on_disk: Gate, tmp_path: Path):
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = send(on_disk, cap())
        ready, live = on_disk.api().get("/ready"), on_disk.api().get("/live")
        other.execute("ROLLBACK")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert (ready.status_code, live.status_code) == (503, 200)
    assert on_disk.letters(topics.WARNINGS_RAW) == []
    assert (send(on_disk, cap()).status_code, on_disk.api().get("/ready").status_code) == (202, 200)


# Readings


def reading(minute: int = 0, value: float = 2.5, station: str = "rain-01") -> dict[str, object]:
    return {"station": station, "at": f"2021-07-19T21:{minute:02}:00+08:00", "value": value}


def hand_in(gate: Gate, items: list[dict[str, object]]):
    return gate.api("sender").post("/v1/readings", content=json.dumps(items).encode(), headers=JSON)


def test_readings_are_letters_for_sense(gate: Gate):
    answer = hand_in(gate, [reading(0), reading(5), reading(0, station="rain-02")])
    assert answer.status_code == 202
    pages = [letter.message for letter in gate.letters(topics.READINGS)]
    assert all(isinstance(page, ReadingsArrived) for page in pages)
    assert sorted(len(page.readings) for page in pages) == [1, 2]


def test_the_same_upload_twice_is_one(gate: Gate):
    first, again = hand_in(gate, [reading()]), hand_in(gate, [reading()])
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(gate.letters(topics.READINGS)) == 1


def test_readings_that_count_from_now_are_others_a_minute_later(gate: Gate):
    now_at = [{"n": "rain-01", "u": "mm", "v": 0.2}]
    hand_in(gate, now_at)
    gate.live_through(minutes=1)
    assert hand_in(gate, now_at).status_code == 202


def test_what_is_left_out_of_an_upload_is_told_item_by_item(gate: Gate):
    answer = hand_in(gate, [reading(), reading(station="nowhere")])
    assert answer.status_code == 202
    assert [one["element"] for one in answer.json()["left_out"]] == ["[1].station"]


def test_an_upload_without_one_usable_item_is_refused_and_kept(gate: Gate):
    answer = hand_in(gate, [reading(station="nowhere")])
    assert answer.status_code == 400
    (letter,) = gate.letters(topics.DEAD_LETTERS)
    assert letter.message.door == "readings"


def test_rain_that_crosses_a_threshold_ends_at_a_telephone(gate: Gate):
    for station in ("rain-01", "rain-02"):
        hand_in(gate, [reading(50 + minute, 30, station) for minute in (0, 3, 6)])
    gate.live_through(minutes=5)
    assert any(callout.contacted for callout in gate.callouts())
