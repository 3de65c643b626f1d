"""Fixtures of the wire tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire import aliyun_house
from tests.wire.gateway_house import Gate, cap, open_gate
from tests.wire.twilio_house import House, Wires, open_wires


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def wires() -> Iterator[Wires]:
    with open_wires() as both:
        yield both


@pytest.fixture
def ours(wires: Wires) -> Iterator[House]:
    with wires.house() as house:
        yield house
        assert house.fake.unexpected == []


@pytest.fixture(scope="session")
def aliyun_wires() -> Iterator[aliyun_house.Wires]:
    with aliyun_house.open_wires() as both:
        yield both


@pytest.fixture
def mainland(aliyun_wires: aliyun_house.Wires) -> Iterator[aliyun_house.House]:
    """A house whose calls go through Aliyun."""
    with aliyun_wires.house() as house:
        yield house
        assert house.fake.unexpected == []


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return open_gate(tmp_path)


@pytest.fixture
def night(gate: Gate) -> Gate:
    """A red warning, twelve minutes on: some are confirmed, some are silent, lists are handed over."""
    answer = gate.api("sender").post("/v1/warnings", content=cap(), headers={"Content-Type": "application/cap+xml"})
    assert answer.status_code == 202
    gate.live_through(minutes=12)
    return gate
