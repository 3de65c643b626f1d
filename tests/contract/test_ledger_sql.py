"""What only a SQL ledger can show: others at work at the same time, a database that is away, tables that grow."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ledger_samples import OTHERS, TASKS, State, Task, at, draft, letter

from streams.ledger.contract import LedgerAwayError, LedgerError, StaleRowError, Where
from streams.ledger.engine import open_engine
from streams.ledger.migrate import migrate
from streams.ledger.schema import HOUSE, LETTERS
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify
from streams.letters import SCHEMA_VERSION

OpenSql = Callable[..., SqlLedger]


def append_some(url: str, subject: str, steps: int) -> None:
    """Append to one shared subject and one of its own: the work of one of several processes."""
    ledger = SqlLedger(url, [TASKS, OTHERS])
    try:
        for number in range(steps):
            asyncio.run(ledger.run(lambda step, n=number: step.append([draft("shared"), draft(subject, number=n)])))
            ledger.step(lambda step, n=number: step.write([letter(f"{subject}-{n}")]))
    finally:
        ledger.close()


def test_two_processes_that_write_at_the_same_time_lose_nothing(database_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(database_url)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_some, args=(database_url, f"p{i}", 25)) for i in range(2)]
    for process in processes:
        process.start()
    append_some(database_url, "p2", 25)
    for process in processes:
        process.join(240)
    assert [process.exitcode for process in processes] == [0, 0]
    assert [(subject, n) for subject, n, _ in ledger.heads()] == [("p0", 25), ("p1", 25), ("p2", 25), ("shared", 75)]
    assert ledger.step(lambda step: step.count_open_letters())["callouts"] == 75
    assert verify(ledger).faults == ()


def test_a_letter_is_taken_by_one_of_many_threads(sql_ledger: SqlLedger) -> None:
    letters = [letter(str(i)) for i in range(300)]
    ids = [item.id for item in letters]
    sql_ledger.step(lambda step: step.write(letters))

    async def night() -> list[str]:
        pages = await asyncio.gather(*(sql_ledger.run(lambda step: step.take(ids, at(1))) for _ in range(8)))
        return [taken.id for page in pages for taken in page]

    assert sorted(asyncio.run(night())) == sorted(ids)


def test_of_steps_that_save_the_same_row_none_is_lost(sql_ledger: SqlLedger) -> None:
    sql_ledger.step(lambda step: step.save(TASKS, [Task(id="a")]))

    def count_up(step):
        task = step.load(TASKS, ["a"])["a"]
        step.save(TASKS, [task.model_copy(update={"size": task.size + 1})])

    async def count_one() -> int:
        for tries in range(100):
            try:
                await sql_ledger.run(count_up)
            except StaleRowError:
                continue
            return tries
        raise AssertionError("never got through")

    async def night() -> None:
        await asyncio.gather(*(count_one() for _ in range(20)))

    asyncio.run(night())
    assert sql_ledger.step(lambda step: step.load(TASKS, ["a"]))["a"].size == 20


def test_a_failing_step_does_not_harm_its_neighbours(sql_ledger: SqlLedger) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(step):
        begun.set()
        assert go_on.wait(120)

    def fail(step):
        step.save(TASKS, [Task(id="bad")])
        step.append([draft("bad")])
        raise RuntimeError("the room broke")

    with ThreadPoolExecutor(8) as threads:
        holding = threads.submit(sql_ledger.step, hold)
        assert begun.wait(120)
        good = [
            threads.submit(sql_ledger.step, lambda step, i=i: step.save(TASKS, [Task(id=f"good{i}")])) for i in range(3)
        ]
        bad = [threads.submit(sql_ledger.step, fail) for _ in range(3)]
        go_on.set()
        holding.result(120)
        for step in good:
            step.result(120)
        for step in bad:
            with pytest.raises(RuntimeError, match="the room broke"):
                step.result(120)
    assert [task.id for task in sql_ledger.step(lambda step: step.find(TASKS))] == ["good0", "good1", "good2"]
    assert sql_ledger.heads() == []


def test_queued_steps_share_one_transaction(sqlite_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(sqlite_url)
    commits: list[object] = []
    sa.event.listen(ledger._engine, "commit", commits.append)

    async def night() -> None:
        await asyncio.gather(*(ledger.run(lambda step, i=i: step.save(TASKS, [Task(id=str(i))])) for i in range(20)))

    asyncio.run(night())
    assert len(ledger.step(lambda step: step.find(TASKS))) == 20
    assert len(commits) < 20


def test_rows_that_another_step_holds_are_passed_over(postgres_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(postgres_url)
    ledger.step(lambda step: step.save(TASKS, [Task(id="a", due_at=at(1)), Task(id="b", due_at=at(2))]))
    due = Where("due_at", "<=", at(9))

    def find_while_first_is_held(step):
        held = step.find(TASKS, due, limit=1, lock=True)
        with ThreadPoolExecutor(1) as other:
            found = other.submit(ledger.step, lambda inner: inner.find(TASKS, due, lock=True)).result(120)
        return [task.id for task in held], [task.id for task in found]

    assert ledger.step(find_while_first_is_held) == (["a"], ["b"])


def test_steps_that_lock_each_other_out_are_stale_and_run_again(postgres_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(postgres_url)
    ledger.step(lambda step: step.save(TASKS, [Task(id="a"), Task(id="b")]))
    both_hold = threading.Barrier(2, timeout=120)
    tries = {"ab": 0, "ba": 0}

    def cross(order: str):
        def work(step):
            tries[order] += 1
            for name in order:
                task = step.load(TASKS, [name])[name]
                step.save(TASKS, [task.model_copy(update={"size": task.size + 1})])
                if name == order[0] and tries[order] == 1:
                    both_hold.wait()

        return work

    async def night() -> None:
        await asyncio.gather(ledger.run(cross("ab")), ledger.run(cross("ba")))

    asyncio.run(night())
    assert [task.size for task in ledger.step(lambda step: step.find(TASKS))] == [2, 2]
    assert sum(tries.values()) > 2


def test_a_database_locked_by_somebody_else_is_away(sqlite_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(sqlite_url, busy_timeout_s=0.05)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerAwayError, match="locked"):
        ledger.step(lambda step: step.write([letter("a")]))
    other.execute("ROLLBACK")
    other.close()
    ledger.step(lambda step: step.write([letter("a")]))


def test_a_full_disk_is_away_and_nothing_was_changed(sqlite_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(sqlite_url)

    def fill(step):
        step._connection.exec_driver_sql("PRAGMA max_page_count = 1")
        step.keep_raw("raw", b"x" * 5_000_000, at=at(0), door="http", media_type="")

    with pytest.raises(LedgerAwayError, match="full"):
        ledger.step(fill)
    assert ledger.step(lambda step: step.raw("raw")) is None


def test_a_folder_that_is_not_there_is_away(tmp_path: Path, open_sql: OpenSql) -> None:
    with pytest.raises(LedgerAwayError, match="unable to open"):
        open_sql(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}")


def test_a_file_of_something_else_is_told_by_what_it_is_not(tmp_path: Path, open_sql: OpenSql) -> None:
    (tmp_path / "ledger.db").write_bytes(b"a letter to grandmother " * 100)
    with pytest.raises(LedgerAwayError, match="not a database"):
        open_sql(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(LedgerAwayError, match="not a database"):
        migrate(f"sqlite:///{tmp_path / 'ledger.db'}", [])


def test_a_server_that_is_not_there_is_away(tmp_path: Path, open_sql: OpenSql) -> None:
    with pytest.raises(LedgerAwayError):
        open_sql(f"postgresql://nobody@/night?host={tmp_path}")


def test_a_lost_connection_is_away_once_and_then_made_again(postgres_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(postgres_url, connections=1)

    def cut(step):
        step._connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(LedgerAwayError):
        ledger.step(cut)
    ledger.step(lambda step: step.write([letter("a")]))


def test_a_ledger_that_was_never_migrated_says_so(database_url: str, open_sql: OpenSql) -> None:
    with pytest.raises(LedgerError, match="migrate"):
        open_sql(database_url, create=False).step(lambda step: step.write([letter("a")]))


def test_a_closed_ledger_says_so(database_url: str, open_sql: OpenSql) -> None:
    ledger = open_sql(database_url)
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.step(lambda step: step.heads())


@pytest.mark.parametrize("url", ["mysql://somewhere/else", "not a url"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="sqlite:///PATH"):
        SqlLedger(url, [])


def test_a_ledger_opened_again_remembers(database_url: str, open_sql: OpenSql) -> None:
    first = open_sql(database_url)
    first.step(lambda step: (step.write([letter("a")]), step.append([draft("a")]), step.save(TASKS, [Task(id="a")])))
    heads = first.heads()
    first.close()
    again = open_sql(database_url, create=False)
    assert again.heads() == heads
    assert again.step(lambda step: step.take([letter("a").id], at(1))) == [letter("a")]


def test_a_letter_of_a_newer_program_waits_for_it_also_where_its_kind_is_not_known(sql_ledger: SqlLedger) -> None:
    newer = letter("newer").model_copy(update={"schema_version": SCHEMA_VERSION + 1})
    sql_ledger.step(lambda step: step.write([newer]))
    spoil = LETTERS.update().values(body='{"kind":"from_the_future"}')
    sql_ledger.step(lambda step: step._connection.execute(spoil))
    assert sql_ledger.step(lambda step: step.take([newer.id], at(1))) == []
    assert sql_ledger.step(lambda step: step.open_letters(at(1), at(1), resend_after_s=1, limit=9)) == []
    # The newer program comes, and finds it as it was written.
    understand = LETTERS.update().values(body=newer.message.model_dump_json(), schema_version=SCHEMA_VERSION)
    sql_ledger.step(lambda step: step._connection.execute(understand))
    assert [taken.id for taken in sql_ledger.step(lambda step: step.take([newer.id], at(2)))] == [newer.id]


def test_a_look_at_a_letter_that_cannot_be_read_passes_it_over(sql_ledger: SqlLedger) -> None:
    bad, good = letter("bad"), letter("good", written=1)
    sql_ledger.step(lambda step: step.write([bad, good]))
    spoil = LETTERS.update().where(LETTERS.c.id == bad.id).values(body="{")
    sql_ledger.step(lambda step: step._connection.execute(spoil))

    def look(step):
        return step.open_letters(at(2), at(2), resend_after_s=9, limit=9)

    assert [found.id for found in asyncio.run(sql_ledger.look(look))] == [good.id]
    assert good.id in [found.id for found in sql_ledger.step(look)]
    assert sql_ledger.step(lambda step: step.count_open_letters())["dead.letters"] == 1


def test_a_letter_that_cannot_be_read_ends_as_a_dead_letter(sql_ledger: SqlLedger) -> None:
    bad, good = letter("bad"), letter("good")
    sql_ledger.step(lambda step: step.write([bad, good]))
    spoil = LETTERS.update().where(LETTERS.c.id == bad.id).values(body='{"kind":"from_the_future"}')
    sql_ledger.step(lambda step: step._connection.execute(spoil))
    assert sql_ledger.step(lambda step: step.take([bad.id, good.id], at(1))) == [good]
    (dead,) = sql_ledger.step(lambda step: step.open_letters(at(1), at(1), resend_after_s=1, limit=9))
    assert (dead.topic, dead.message.letter_id) == ("dead.letters", bad.id)
    assert "from_the_future" in dead.message.reason or "callouts" in dead.message.reason


def test_times_without_a_zone_are_refused(sql_ledger: SqlLedger) -> None:
    naive = Task(id="a").model_copy(update={"due_at": datetime(2021, 7, 20)})  # noqa: DTZ001  Refused on purpose.
    with pytest.raises(Exception, match="no zone"):
        sql_ledger.step(lambda step: step.save(TASKS, [naive]))


def test_migrations_make_the_very_tables_the_code_asks_for(database_url: str) -> None:
    migrate(database_url, [])
    engine = open_engine(database_url, connections=1, busy_timeout_s=1)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), HOUSE) == []
    engine.dispose()


def test_a_migrated_database_is_a_ledger_and_may_be_migrated_again(database_url: str, open_sql: OpenSql) -> None:
    migrate(database_url, [TASKS, OTHERS])
    ledger = open_sql(database_url, create=False)
    ledger.step(lambda step: (step.save(TASKS, [Task(id="a")]), step.append([draft("a")])))
    migrate(database_url, [TASKS, OTHERS])
    assert ledger.step(lambda step: step.find(TASKS))[0].id == "a"


def test_a_table_whose_columns_changed_is_built_anew_from_its_rows(database_url: str, open_sql: OpenSql) -> None:
    before = replace(TASKS, columns=("state", "note"), indexes=(("state",),))
    migrate(database_url, [before, OTHERS])
    ledger = SqlLedger(database_url, [before])
    tasks = [Task(id=f"{i:04}", due_at=at(i), state=State.DONE, extra={"i": i}) for i in range(1100)]
    ledger.step(lambda step: step.save(before, tasks))
    ledger.close()
    migrate(database_url, [TASKS, OTHERS])
    found = open_sql(database_url, create=False).step(
        lambda step: step.find(TASKS, Where("due_at", "<=", at(1)), order=("-due_at",))
    )
    assert found == [task.model_copy(update={"version": 1}) for task in (tasks[1], tasks[0])]


def test_two_processes_that_migrate_at_once_make_one_ledger(database_url: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        for migrating in [threads.submit(migrate, database_url, [TASKS, OTHERS]) for _ in range(3)]:
            migrating.result(240)


def test_a_row_that_this_version_cannot_read_stops_the_migration(database_url: str) -> None:
    migrate(database_url, [TASKS])
    ledger = SqlLedger(database_url, [TASKS])
    ledger.step(lambda step: step.save(TASKS, [Task(id="a")]))
    ledger.step(lambda step: step._connection.exec_driver_sql("""UPDATE tasks SET body = '{"id":"a","old":1}'"""))
    ledger.close()
    with pytest.raises(LedgerError, match="tasks a cannot be read by this version"):
        migrate(database_url, [replace(TASKS, columns=("state",), indexes=())])
    migrate(database_url, [TASKS])
