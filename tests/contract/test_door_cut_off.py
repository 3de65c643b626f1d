"""The database of a door says nothing: who sends hears so within seconds, and what is sent again is taken once.

The cable between them is stopped, so that the connection stays and nothing comes back: what TCP never finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from streams import topics
from streams.ledger.engine import open_engine
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES
from tests.e2e.network import Cable
from tests.e2e.ports import free_port
from tests.e2e.waiting import HERE, wait_until
from tests.wire.gateway_house import Gate, cap, open_gate

SLOW_S = 8
"""Longer than the door waits."""
WITHIN_S = 120

OpenSql = Callable[..., SqlLedger]


@pytest.fixture
def cable(postgres_url: str, tmp_path: Path) -> Iterator[Cable]:
    socket = Path(sa.make_url(postgres_url).query["host"]) / ".s.PGSQL.5432"
    made = Cable(((free_port(), (str(socket),)),), tmp_path / "cable.out")
    made.plug_in()
    made.wait_until_up()
    yield made
    made.lose()


@pytest.fixture
def gate(postgres_url: str, cable: Cable, tmp_path: Path) -> Iterator[Gate]:
    SqlLedger(postgres_url, TABLES, create=True).close()
    ((port, _),) = cable.ways
    ledger = SqlLedger(str(sa.make_url(postgres_url).set(host=HERE, port=port, query={})), TABLES)
    yield open_gate(tmp_path, ledger=ledger)
    # Whatever still waits for an answer must not keep the ledger from closing.
    cable.lose()
    ledger.close()


def send(gate: Gate):
    return gate.api("sender").post("/v1/warnings", content=cap(), headers={"Content-Type": "application/cap+xml"})


def kept(url: str) -> list[str]:
    engine = open_engine(url, connections=1, busy_timeout_s=1)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT id FROM letters WHERE topic = '{topics.WARNINGS_RAW}'").scalars()
        ids = list(found)
    engine.dispose()
    return ids


def test_a_door_that_is_cut_off_in_silence_says_so_and_takes_the_warning_when_it_is_sent_again(
    gate: Gate, cable: Cable, postgres_url: str
) -> None:
    assert gate.api().get("/ready").status_code == 200
    cable.pull()
    refused = send(gate)
    ready = gate.api().get("/ready")
    cable.put_back()
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert int(refused.headers["Retry-After"]) > 0
    wait_until(lambda: send(gate).is_success, WITHIN_S, "the taking of the warning")
    assert send(gate).status_code == 200
    assert len(kept(postgres_url)) == 1


def test_what_was_committed_after_the_answer_is_known_when_it_is_sent_again(gate: Gate, postgres_url: str) -> None:
    engine = open_engine(postgres_url, connections=1, busy_timeout_s=1)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE FUNCTION be_slow() RETURNS trigger AS 'BEGIN PERFORM pg_sleep({SLOW_S}); RETURN NEW; END'"
            " LANGUAGE plpgsql"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER slow BEFORE INSERT ON letters FOR EACH ROW EXECUTE FUNCTION be_slow()"
        )
    engine.dispose()
    silent = send(gate)
    assert silent.status_code == 503
    assert "同一份只收一次" in silent.json()["detail"]
    wait_until(lambda: bool(kept(postgres_url)), WITHIN_S, "the commit behind the answer")
    again = send(gate)
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert len(kept(postgres_url)) == 1
