"""The gateway, tried out from its own OpenAPI description: every operation, by those who may and those who may not.

What is generated keeps to the description or breaks it on purpose; a night has gone on behind the gateway, so that ids
of real callouts are among what is asked for. Whatever the answer, it must be one that the description tells of.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.wire.gateway_house import SECRETS, TOWNSHIP, Gate, cap, open_gate

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AWAY = 503
"""The one answer of ours that is told as our own trouble by design."""
TOLD_MAX = 20
NIGHT_MIN = 10

Tell = Callable[[str, int], None]


@dataclass
class Answers:
    """How the gateway answered."""

    operations: int = 0
    inputs: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults_of_ours: int = 0
    not_as_described: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether every answer was one that the description tells of."""
        return self.inputs > 0 and not (self.faults_of_ours or self.not_as_described)


def try_out(examples: int, seed: int, tell: Tell) -> Answers:
    """Ask every operation so often, as it is described and against its description.

    Args:
        examples: How many requests of each kind at each operation.
        seed: Another seed asks other things.
        tell: Told how many operations are done.
    """
    with tempfile.TemporaryDirectory() as folder:
        gate = open_gate(Path(folder))
        known = _night(gate)
        description = schemathesis.openapi.from_dict(gate.app.openapi())
        operations = [found.ok() for found in description.get_all_operations()]
        answers = Answers(operations=len(operations))
        for done, operation in enumerate(operations, 1):
            for strategy in _strategies(operation, known):
                _ask_often(partial(_ask, gate, answers), strategy, examples, seed)
            tell(f"gateway: {operation.label}", done)
    return answers


def _night(gate: Gate) -> dict[str, str]:
    """Let a warning come in and people be called, and return ids of what there is then."""
    answer = gate.api("sender").post("/v1/warnings", content=cap(), headers={"Content-Type": "application/cap+xml"})
    gate.live_through(minutes=NIGHT_MIN)
    callout = gate.callouts()[0]
    chains = gate.api("reader").get("/v1/chains").json()
    return {
        "warning_id": answer.json()["id"],
        "callout_id": callout.id,
        "round_id": callout.round_id,
        "chain_id": next(iter(chains["chains"]))["id"],
    }


def _strategies(operation: Any, known: dict[str, str]) -> Iterator[Any]:
    wanted = {parameter.name for parameter in operation.path_parameters}
    given_ids = {name: known[name] for name in wanted if name in known}
    yield operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if operation.method.upper() != "GET" or wanted or operation.query:
        yield operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    if operation.body:
        yield operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(partial(_at_home, known))
    if given_ids:
        yield operation.as_strategy(generation_mode=GenerationMode.POSITIVE, path_parameters=given_ids)


def _at_home(known: dict[str, str], case: Case) -> Case:
    """Name what there is: nobody gets far with a chain, a place or a hazard that nobody knows."""
    if isinstance(case.body, dict):
        there = {"chain_id": known["chain_id"], "villages": [TOWNSHIP], "hazard": "rainstorm"}
        case.body = {name: there.get(name, value) for name, value in case.body.items()}
    return case


def _ask_often(ask: Callable[[Case], None], strategy: Any, examples: int, seed: int) -> None:
    @seeded(seed)
    @hypothesis_settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def often(case: Case) -> None:
        ask(case)

    often()


def _ask(gate: Gate, answers: Answers, case: Case) -> None:
    """Ask once, and note how it was answered."""
    request = case.as_transport_kwargs(base_url="http://gateway")
    if answers.inputs % 13:
        request["headers"]["Authorization"] = f"Bearer {SECRETS[_who(case)]}"
    response = asyncio.run(_send(gate, request))
    answers.inputs += 1
    answers.statuses[response.status_code] += 1
    if response.status_code >= 500 and response.status_code != AWAY:
        answers.faults_of_ours += 1
        answers.told.append(f"{case.operation.label} {response.status_code}: {request!r:.600}")
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as error:
        answers.not_as_described += 1
        answers.told.append(f"{case.operation.label} {response.status_code}: {error!s:.600}")
    del answers.told[TOLD_MAX:]


def _who(case: Case) -> str:
    if case.operation.path in ("/v1/warnings", "/v1/readings"):
        return "sender"
    return "reader" if case.method.upper() == "GET" else "operator"


async def _send(gate: Gate, request: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(gate.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, cookies=request.get("cookies")) as client:
        body = {"content": request["data"]} if request.get("data") is not None else {}
        if "json" in request:
            body = {"json": request["json"]}
        return await client.request(
            request["method"],
            request["url"],
            params=request.get("params"),
            headers={name: str(value).encode("utf-8", "replace") for name, value in request["headers"].items()},
            **body,
        )
