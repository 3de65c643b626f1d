"""Processes that write to one SQLite file take turns: who waits goes before who wrote just now."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_samples import TASKS, Task

from streams.ledger import turns
from streams.ledger.sql import SqlLedger

OpenSql = Callable[..., SqlLedger]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a turn, as a process does that stands still."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_taken(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; a test's own time limit ends it otherwise."""
    pause = threading.Event()
    while not is_so():
        pause.wait(0.001)


def test_a_worker_that_has_more_to_write_lets_the_gateway_in_between(sqlite_url: str, open_sql: OpenSql) -> None:
    """The night of a large round: the worker has step after step, and a callback comes during the first."""
    turn = Path(sqlite_url.removeprefix("sqlite:///") + turns.SUFFIX)
    worker, gateway = open_sql(sqlite_url), open_sql(sqlite_url)
    wrote: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def first(_: object) -> None:
        begun.set()
        assert go_on.wait(120)
        wrote.append("worker")

    with ThreadPoolExecutor(3) as threads:
        working = threads.submit(worker.step, first)
        assert begun.wait(120)
        told = threads.submit(gateway.step, lambda _: wrote.append("gateway"))
        until(lambda: is_taken(turn))
        go_on.set()
        working.result(120)
        worker.step(lambda _: wrote.append("worker again"))
        told.result(120)
    assert wrote == ["worker", "gateway", "worker again"]
    assert not is_taken(turn)


def test_a_process_that_stands_still_with_the_turn_keeps_nobody_from_writing(
    sqlite_url: str, open_sql: OpenSql
) -> None:
    ledger = open_sql(sqlite_url)
    with held(Path(sqlite_url.removeprefix("sqlite:///") + turns.SUFFIX)):
        ledger.step(lambda step: step.save(TASKS, [Task(id="a")]))
    assert [task.id for task in ledger.step(lambda step: step.find(TASKS))] == ["a"]


@pytest.mark.timeout(50 * turns.GIVEN_UP_AFTER_S)
def test_whoever_stands_still_with_the_turn_is_waited_for_once(tmp_path: Path) -> None:
    with closing(turns.Turns(tmp_path / "ledger.db")) as turn:
        with held(tmp_path / f"ledger.db{turns.SUFFIX}"):
            for _ in range(100):
                with turn.taken():
                    pass
        with turn.taken():
            assert is_taken(tmp_path / f"ledger.db{turns.SUFFIX}")


def test_a_ledger_beside_which_no_turn_can_be_kept_is_written_all_the_same(
    sqlite_url: str, open_sql: OpenSql, tmp_path: Path
) -> None:
    (tmp_path / f"ledger.db{turns.SUFFIX}").mkdir()
    ledger = open_sql(sqlite_url)
    ledger.step(lambda step: step.save(TASKS, [Task(id="a")]))
    assert [task.id for task in ledger.step(lambda step: step.find(TASKS))] == ["a"]
