"""What is in force is numbered, and nobody writes by something older: not in a step under way, not in a process."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_samples import OTHERS, TASKS, Task, at, draft, letter

from streams.ledger.contract import Edition, EditionKind, FullStep, Ledger, OutdatedError, StaleRowError
from streams.ledger.editions import records_mark
from streams.ledger.engine import open_engine
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify

RULES, RECORDS = EditionKind.RULES, EditionKind.RECORDS
OpenSql = Callable[..., SqlLedger]
LIVES_ON = 40


def put(step: FullStep, mark: str, kind: EditionKind = RULES, body: str = "{}") -> int:
    edition = Edition(kind=kind, n=len(step.editions(kind)) + 1, mark=mark, at=at(0), by="王某", body=body)
    step.publish_edition(edition)
    return edition.n


def publish(ledger: Ledger, mark: str, kind: EditionKind = RULES) -> int:
    return asyncio.run(ledger.run(lambda step: put(step, mark, kind)))


def marks(step: FullStep) -> list[tuple[int, str]]:
    return [(edition.n, edition.mark) for edition in step.editions(RULES)]


def test_editions_are_numbered_as_they_come_and_each_kind_for_itself(ledger: Ledger) -> None:
    assert [publish(ledger, mark) for mark in ("a", "b", "a")] == [1, 2, 3]
    assert publish(ledger, "x", RECORDS) == 1
    assert ledger.step(marks) == [(1, "a"), (2, "b"), (3, "a")]


def test_an_edition_whose_step_failed_was_never_in_force(ledger: Ledger) -> None:
    def fail(step: FullStep) -> None:
        put(step, "a")
        raise RuntimeError("the step fails")

    with pytest.raises(RuntimeError):
        ledger.step(fail)
    assert ledger.step(marks) == []


def test_who_writes_by_an_older_edition_is_refused_and_changes_nothing(database_url: str, open_sql: OpenSql) -> None:
    newer, older = open_sql(database_url), open_sql(database_url, create=False)
    older.hold_to({RULES: publish(newer, "a")})
    older.step(lambda step: step.append([draft("before")]))
    newer.hold_to({RULES: publish(newer, "b")})
    with pytest.raises(OutdatedError, match=r"第 1 版已被第 2 版取代.*edition 1 of the rules was followed by 2"):
        older.step(lambda step: (step.append([draft("after")]), step.write([letter("after")])))
    newer.step(lambda step: step.append([draft("before")]))
    assert [(subject, n) for subject, n, _ in newer.heads()] == [("before", 2)]
    assert newer.step(lambda step: step.letter(letter("after").id)) is None


def test_what_is_older_in_one_kind_only_is_refused_too(database_url: str, open_sql: OpenSql) -> None:
    newer, older = open_sql(database_url), open_sql(database_url, create=False)
    older.hold_to({RULES: publish(newer, "a"), RECORDS: publish(newer, "x", RECORDS)})
    publish(newer, "y", RECORDS)
    with pytest.raises(OutdatedError, match="edition 1 of the program's records"):
        older.step(lambda step: step.append([draft("after")]))


def test_going_back_is_published_as_something_newer(database_url: str, open_sql: OpenSql) -> None:
    ledger, other = open_sql(database_url), open_sql(database_url, create=False)
    publish(ledger, "a")
    other.hold_to({RULES: publish(ledger, "b")})
    ledger.hold_to({RULES: publish(ledger, "a")})
    ledger.step(lambda step: step.append([draft("goes on")]))
    with pytest.raises(OutdatedError, match="第 2 版已被第 3 版取代"):
        other.step(lambda step: step.append([draft("after")]))


def test_an_outdated_process_still_reads(database_url: str, open_sql: OpenSql) -> None:
    newer, older = open_sql(database_url), open_sql(database_url, create=False)
    older.hold_to({RULES: publish(newer, "a")})
    publish(newer, "b")
    assert asyncio.run(older.look(marks)) == [(1, "a"), (2, "b")]


def test_nothing_newer_comes_into_force_while_a_step_is_under_way(database_url: str, open_sql: OpenSql) -> None:
    newer, older = open_sql(database_url, busy_timeout_s=60), open_sql(database_url, create=False)
    older.hold_to({RULES: publish(newer, "a")})
    begun, go_on = threading.Event(), threading.Event()

    def slow(step: FullStep) -> None:
        begun.set()
        assert go_on.wait(240)
        step.append([draft("under way")])

    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(older.step, slow)
        assert begun.wait(240)
        publishing = threads.submit(publish, newer, "b")
        assert wait([publishing], timeout=0.3).done == set()
        go_on.set()
        writing.result(240)
        assert publishing.result(240) == 2
    assert newer.heads()[0][:2] == ("under way", 1)
    with pytest.raises(OutdatedError):
        older.step(lambda step: step.append([draft("under way")]))


def test_a_number_is_given_once(ledger: Ledger) -> None:
    publish(ledger, "a")
    first = ledger.step(lambda step: step.editions(RULES))[0]
    with pytest.raises(StaleRowError):
        ledger.step(lambda step: step.publish_edition(first.model_copy(update={"mark": "b"})))


def test_of_two_who_publish_at_once_each_gets_a_number(database_url: str, open_sql: OpenSql) -> None:
    ledgers = [open_sql(database_url), open_sql(database_url, create=False)]
    with ThreadPoolExecutor(3) as threads:
        got = [threads.submit(publish, ledgers[n % 2], str(n)) for n in range(6)]
        assert sorted(each.result(240) for each in got) == list(range(1, 7))


def work_on(url: str, started: Any) -> None:
    """Be a worker that was forgotten at the update: write by the first edition until told that it is over."""
    ledger = SqlLedger(url, [TASKS, OTHERS])
    ledger.hold_to({RULES: 1})
    try:
        while True:
            ledger.step(lambda step: step.append([draft("old")]))
            started.set()
    except OutdatedError:
        ledger.close()
        raise SystemExit(LIVES_ON) from None


def test_a_process_left_behind_by_an_update_writes_nothing_after_it(database_url: str, open_sql: OpenSql) -> None:
    newer = open_sql(database_url)
    publish(newer, "a")
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    old = context.Process(target=work_on, args=(database_url, started))
    old.start()
    assert started.wait(240)

    newer.hold_to({RULES: 2})
    newer.step(lambda step: put(step, "b"))
    written = [n for _, n, _ in newer.heads()]
    old.join(240)
    assert old.exitcode == LIVES_ON
    assert [n for _, n, _ in newer.heads()] == written
    assert verify(newer).faults == ()


def test_an_older_program_does_not_fit_the_tables_back(database_url: str) -> None:
    newer = replace(TASKS, columns=("state", "due_at", "size"), indexes=())
    migrate(database_url, [TASKS])
    migrate(database_url, [newer])
    with pytest.raises(OutdatedError, match=r"请改用新版程序启动.*start the newer program"):
        migrate(database_url, [TASKS])
    ledger = SqlLedger(database_url, [newer])
    ledger.step(lambda step: step.save(newer, [Task(id="a")]))
    ledger.close()
    migrate(database_url, [newer])


def test_a_program_that_has_never_been_here_but_reads_older_letters_is_refused(
    database_url: str, open_sql: OpenSql
) -> None:
    migrate(database_url, [])
    ledger = open_sql(database_url, create=False)
    ledger.step(lambda step: put(step, "future", RECORDS, '{"letters": 9}'))
    with pytest.raises(OutdatedError):
        migrate(database_url, [TASKS])


def test_a_database_of_a_newer_program_is_left_alone(database_url: str) -> None:
    migrate(database_url, [TASKS])
    engine = open_engine(database_url, connections=1, busy_timeout_s=1)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(OutdatedError, match="the ledger was made by a newer program"):
        migrate(database_url, [TASKS])


def test_the_mark_of_records_is_of_their_fields_and_not_of_their_docstrings() -> None:
    class Described(Task):
        """A task with a better docstring."""

    class Grown(Task):
        since: str = ""

    described = type("Task", (Described,), {"__doc__": "Another.", "__module__": Task.__module__})
    assert records_mark([replace(TASKS, model=described)]) == records_mark([TASKS])
    assert records_mark([replace(TASKS, model=Grown)]) != records_mark([TASKS])
    assert records_mark([replace(TASKS, indexes=())]) != records_mark([TASKS])
