"""A drill of one township goes in at the door of warnings and stays in the realm of drills."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.dial.state import ATTEMPTS
from streams.broker import free_port
from streams.cli.drill import Progress, exercise, progress
from streams.cli.root import app
from streams.doors.reception import EXERCISE_REALM
from streams.replay.cap_writer import Document, write_cap
from streams.words import Colour, Level
from tests.wire.gateway_house import TOWNSHIP, Gate, cap, facts, open_gate


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return open_gate(tmp_path)


def held(gate: Gate, colour: Colour = Colour.RED) -> Document:
    county, book = facts().county, facts().book
    return exercise(county, book.hazard("rainstorm"), colour, TOWNSHIP, gate.runner.now)


def hand_in(gate: Gate, document: Document) -> None:
    answer = gate.api("sender").post(
        "/v1/warnings", content=write_cap(document), headers={"Content-Type": "application/cap+xml"}
    )
    assert answer.status_code == 202, answer.text


def look(gate: Gate, document: Document) -> Progress:
    return gate.house.ledger.step(lambda step: progress(step, document.identifier))


def test_it_rings_the_posts_of_its_township_and_none_of_another(gate: Gate):
    hand_in(gate, held(gate))
    gate.live_through(minutes=2)

    callouts = gate.callouts(realm=EXERCISE_REALM)
    below = [one for one in callouts if one.level in (Level.VILLAGE, Level.SITE)]
    assert below
    assert {one.township for one in below} == {TOWNSHIP}
    assert gate.callouts(realm="real") == []


def test_every_call_and_text_says_first_that_it_is_a_drill(gate: Gate):
    hand_in(gate, held(gate))
    gate.live_through(minutes=2)

    said = gate.house.ledger.step(lambda step: [row.voice or row.text for row in step.find(ATTEMPTS, limit=1000)])
    assert said
    assert [words for words in said if "【演练】" not in words[:12]] == []


def test_its_progress_is_told_until_nobody_is_rung_any_more(gate: Gate):
    document = held(gate)
    assert look(gate, document) == Progress()
    hand_in(gate, document)
    gate.live_through(seconds=5)
    early = look(gate, document)
    gate.live_through(minutes=40)
    late = look(gate, document)

    assert (early.is_over, late.is_over) == (False, True)
    assert late.answered + late.unanswered == late.posts


def test_at_its_end_the_open_chain_is_over_for_everybody(gate: Gate):
    document = held(gate)
    hand_in(gate, document)
    gate.live_through(minutes=1)
    body = {"chain_id": look(gate, document).chain_id, "by": "王某", "text": "演练结束"}
    assert gate.api("operator").post("/v1/orders/cancel", json=body).status_code == 202
    gate.live_through(minutes=1)
    assert look(gate, document).is_over


def test_the_real_warning_in_the_middle_of_a_drill_is_called_for_as_ever(gate: Gate):
    """The night of it: a drill under way, then red; what is real goes first, and neither stands in for the other."""
    hand_in(gate, held(gate))
    gate.live_through(seconds=20)
    answer = gate.api("sender").post("/v1/warnings", content=cap(), headers={"Content-Type": "application/cap+xml"})
    assert answer.status_code == 202, answer.text
    gate.live_through(minutes=20)

    real = gate.callouts(realm="real")
    assert real
    assert {one.chain_id.split("|")[0] for one in real} == {"real"}
    assert all(one.contacted for one in real if one.mode == "call" and one.first_dial_at)


def test_without_a_service_it_says_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JIAOYING_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JIAOYING_PORT", str(free_port()))
    monkeypatch.setenv("JIAOYING_TOKEN", "x" * 40)
    told = CliRunner().invoke(app, ["drill", "暴雨红", "--township", "云台乡", "--by", "王某", "--yes"])
    assert told.exit_code == 1
    assert "连不上网关" in str(told.exception)


def test_a_township_that_is_none_is_refused_with_those_there_are():
    told = CliRunner().invoke(app, ["drill", "暴雨红", "--township", "没有的镇", "--by", "王某"])
    assert told.exit_code == 2
    assert "云台乡" in told.output
