"""A process that is cut off from PostgreSQL within a step lets go of its rows, and the step is rolled back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from ledger_samples import TASKS, Task

from streams.ledger.contract import FullStep, LedgerAwayError
from streams.ledger.engine import open_engine
from streams.ledger.sql import SqlLedger

SOON_MS = 2000
"""Longer than a busy machine lets a thread of ours wait between two statements."""
HELD_S = 120

OpenSql = Callable[..., SqlLedger]


def grow(step: FullStep) -> int:
    """Write the one row, and return what it was."""
    task = step.load(TASKS, ["a"])["a"]
    step.save(TASKS, [task.model_copy(update={"size": task.size + 1})])
    return task.size


def test_the_server_takes_rows_back_from_a_step_that_says_nothing_more(postgres_url: str, open_sql: OpenSql) -> None:
    others = open_sql(postgres_url)
    others.step(lambda step: step.save(TASKS, [Task(id="a")]))
    options = f"-c idle_in_transaction_session_timeout={SOON_MS}"
    cut_off = open_sql(str(sa.make_url(postgres_url).update_query_dict({"options": options})), create=False)
    holds, back = threading.Event(), threading.Event()

    def begin_and_say_nothing_more(step: FullStep) -> None:
        grow(step)
        holds.set()
        back.wait(HELD_S)
        grow(step)

    with ThreadPoolExecutor(1) as aside:
        step = aside.submit(cut_off.step, begin_and_say_nothing_more)
        assert holds.wait(HELD_S)
        assert others.step(grow) == 0
        back.set()
        with pytest.raises(LedgerAwayError):
            step.result(HELD_S)
    assert cut_off.step(grow) == 1


def test_every_connection_to_postgresql_is_taken_back_by_itself(postgres_url: str) -> None:
    engine = open_engine(postgres_url, connections=1, busy_timeout_s=1)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one() == "15s"
    engine.dispose()
