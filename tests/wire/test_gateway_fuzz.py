"""Whatever a stranger or a broken sender hands in: an answer that says what is wrong, and never a fault of ours."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.doors.http.api import DOCUMENTS
from tests.wire.gateway_house import TOWNSHIP, Gate, cap, open_gate

GENTLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TYPES = st.sampled_from(["application/cap+xml", "application/json", "application/senml+json", "text/plain", ""])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
ORDER = {"villages": [TOWNSHIP], "hazard": "rainstorm", "text": "请转移", "by": "王某", "on_word_of": "县防指"}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    return open_gate(folder)


def is_told(answer) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"title", "status", "detail", "instance"} <= answer.json().keys()


@GENTLY
@given(st.sampled_from(DOCUMENTS), st.binary(max_size=300), TYPES)
def test_any_bytes_at_the_doors_of_documents(gate: Gate, path: str, content: bytes, media_type: str):
    is_told(gate.api("sender").post(path, content=content, headers={"Content-Type": media_type}))


@GENTLY
@given(st.data())
def test_a_warning_with_a_piece_of_it_broken(gate: Gate, data: st.DataObject):
    whole = cap()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 60)))
    broken = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    is_told(gate.api("sender").post("/v1/warnings", content=broken, headers={"Content-Type": "application/xml"}))


@GENTLY
@given(JSON_VALUES)
def test_any_json_at_the_door_of_readings(gate: Gate, value):
    content = json.dumps([value]).encode()
    is_told(gate.api("sender").post("/v1/readings", content=content, headers={"Content-Type": "application/json"}))


@GENTLY
@given(st.sampled_from(["call", "cancel", "correct", "pause", "resume"]), JSON_VALUES)
def test_any_json_as_an_order(gate: Gate, kind: str, value):
    headers = {"Content-Type": "application/json"}
    is_told(gate.api("operator").post(f"/v1/orders/{kind}", content=json.dumps(value).encode(), headers=headers))


@GENTLY
@given(st.sampled_from(sorted(ORDER)), st.text(st.characters(codec=None), max_size=30))
def test_an_order_with_any_words_in_it(gate: Gate, name: str, words: str):
    body = json.dumps({**ORDER, name: [words] if name == "villages" else words}).encode()
    is_told(gate.api("operator").post("/v1/orders/call", content=body, headers={"Content-Type": "application/json"}))


@GENTLY
@given(st.sampled_from(["callouts", "rounds", "chains", "warnings"]), st.text(min_size=1, max_size=30))
def test_any_words_as_an_id(gate: Gate, kind: str, words: str):
    is_told(gate.api("reader").get(f"/v1/{kind}/{quote(words, safe='')}"))


@pytest.mark.parametrize("words", ["王\x00某", "王\x1b某", "王\ud800某"])
def test_words_that_cannot_be_kept_are_refused(gate: Gate, words: str):
    body = json.dumps({**ORDER, "by": words}).encode()
    answer = gate.api("operator").post("/v1/orders/call", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["element"]) == (400, "by")
