"""The gateway answers whatever it is asked as its own OpenAPI description says, and never with a fault of ours."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.gateway import try_out
from tests.wire.gateway_house import open_gate

EXAMPLES = 5


def test_whatever_is_asked_is_answered_as_the_description_says():
    answers = try_out(EXAMPLES, 1, lambda what, done: None)
    assert answers.told == []
    assert answers.is_sound
    assert answers.operations >= 30
    assert answers.inputs > answers.operations * EXAMPLES
    assert {200, 202, 400, 401, 404} <= answers.statuses.keys()


def test_every_operation_tells_how_it_refuses(tmp_path: Path):
    paths = open_gate(tmp_path).app.openapi()["paths"]
    responses = [operation["responses"] for path in paths.values() for operation in path.values()]
    assert len(responses) >= 30
    assert all({"4XX", "503"} <= told.keys() and "422" not in told for told in responses)
