"""The ledgers under contract: dictionaries, SQLite in a file, and PostgreSQL where it is installed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledger_samples import OTHERS, TASKS
from throwaway_postgres import NoPostgresError, fresh_database, running_postgres

from streams.ledger.contract import Ledger
from streams.ledger.memory import MemoryLedger
from streams.ledger.sql import SqlLedger
from tests.e2e.needs import missing


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    try:
        running = running_postgres()
        url = running.__enter__()
    except NoPostgresError as error:
        missing(error)
    yield url
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: fresh_database(postgres_server, f"night{next(numbers)}")


@pytest.fixture
def postgres_url(postgres_databases: Callable[[], str]) -> str:
    return postgres_databases()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{'postgres' if request.param == 'postgresql' else 'sqlite'}_url")


@pytest.fixture
def open_sql() -> Iterator[Callable[..., SqlLedger]]:
    """Open SQL ledgers that are closed when the test ends."""
    opened: list[SqlLedger] = []

    def open_one(url: str, **options: object) -> SqlLedger:
        opened.append(SqlLedger(url, [TASKS, OTHERS], **{"create": True, **options}))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, open_sql: Callable[..., SqlLedger]) -> Ledger:
    if request.param == "memory":
        return MemoryLedger([TASKS, OTHERS])
    return open_sql(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def sql_ledger(database_url: str, open_sql: Callable[..., SqlLedger]) -> SqlLedger:
    return open_sql(database_url)
