"""What every ledger promises about rows, raw bytes, leases and steps."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest
from ledger_samples import OTHERS, TASKS, State, Task, at

from streams.ledger.contract import LEASE_AHEAD_MAX_S, Ledger, LedgerError, Row, StaleRowError, Table, Where


def save(ledger: Ledger, *tasks: Task) -> None:
    ledger.step(lambda step: step.save(TASKS, tasks))


def find(ledger: Ledger, *where: Where, **options: object) -> list[str]:
    return [task.id for task in ledger.step(lambda step: step.find(TASKS, *where, **options))]


def test_a_saved_row_is_loaded_as_it_was_with_its_version_moved_on(ledger: Ledger) -> None:
    task = Task(id="a", state=State.DONE, due_at=at(5.25), size=7, urgent=True, share=0.1, note="", extra={"k": ["中"]})
    save(ledger, task)
    loaded = ledger.step(lambda step: step.load(TASKS, ["a", "unknown"]))
    assert loaded == {"a": task.model_copy(update={"version": 1})}


def test_a_row_saved_again_counts_its_saves(ledger: Ledger) -> None:
    save(ledger, Task(id="a"))
    save(ledger, Task(id="a", version=1, size=2))
    assert ledger.step(lambda step: step.load(TASKS, ["a"]))["a"] == Task(id="a", version=2, size=2)


def test_rows_are_loaded_in_the_order_asked_for(ledger: Ledger) -> None:
    save(ledger, *(Task(id=str(i)) for i in range(1200)))
    ids = [str(i) for i in reversed(range(1200))]
    assert list(ledger.step(lambda step: step.load(TASKS, ids))) == ids


def test_a_row_that_is_there_already_is_not_new(ledger: Ledger) -> None:
    save(ledger, Task(id="a", size=1))
    with pytest.raises(StaleRowError):
        save(ledger, Task(id="a", size=2))


def test_a_row_saved_by_somebody_else_is_stale(ledger: Ledger) -> None:
    save(ledger, Task(id="a"))
    save(ledger, Task(id="a", version=1))
    with pytest.raises(StaleRowError):
        save(ledger, Task(id="b"), Task(id="a", version=1))
    assert ledger.step(lambda step: step.load(TASKS, ["b"])) == {}


def test_a_row_that_never_was_cannot_be_updated(ledger: Ledger) -> None:
    with pytest.raises(StaleRowError):
        save(ledger, Task(id="a", version=3))


def test_a_row_given_twice_in_one_save_is_stale(ledger: Ledger) -> None:
    with pytest.raises(StaleRowError):
        save(ledger, Task(id="a"), Task(id="a"))


def test_a_step_sees_what_it_saved_itself(ledger: Ledger) -> None:
    def work(step):
        step.save(TASKS, [Task(id="a", size=3)])
        return step.find(TASKS, Where("size", "=", 3))

    assert [task.version for task in ledger.step(work)] == [1]


def test_an_exception_takes_everything_back(ledger: Ledger) -> None:
    save(ledger, Task(id="a", due_at=at(1), note="x"))

    def fail(step):
        step.save(TASKS, [Task(id="a", version=1, due_at=None, note="y"), Task(id="b", due_at=at(1))])
        step.keep_raw("raw", b"bytes", at=at(0), door="http", media_type="text/xml")
        step.lease("pump", "one", at(0), 60)
        raise RuntimeError("the room broke")

    with pytest.raises(RuntimeError, match="the room broke"):
        ledger.step(fail)
    assert find(ledger, Where("due_at", "<=", at(9))) == ["a"]
    assert find(ledger, Where("note", "=", "x")) == ["a"]
    assert find(ledger, Where("note", "=", "y")) == []
    assert ledger.step(lambda step: step.raw("raw")) is None
    assert ledger.step(lambda step: step.lease("pump", "two", at(0), 60))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([Where("due_at", "<=", at(2))], ["a", "b"]),
        ([Where("due_at", "<", at(2))], ["a"]),
        ([Where("due_at", ">", at(2))], ["c"]),
        ([Where("due_at", ">=", at(2))], ["b", "c"]),
        ([Where("due_at", "=", at(2))], ["b"]),
        ([Where("due_at", "!=", at(2))], ["a", "c"]),
        ([Where("due_at", "in", [at(1), at(3)])], ["a", "c"]),
        ([Where("due_at", "is null")], ["d"]),
        ([Where("due_at", "not null")], ["a", "b", "c"]),
        ([Where("due_at", ">", at(1)), Where("due_at", "<", at(3))], ["b"]),
        ([Where("state", "=", State.OPEN)], ["a", "c", "d"]),
        ([Where("state", "=", "done")], ["b"]),
        ([Where("state", "in", [State.DONE, State.OPEN])], ["a", "b", "c", "d"]),
        ([Where("state", "in", [])], []),
        ([Where("state", "not in", [])], ["a", "b", "c", "d"]),
        ([Where("state", "not in", [State.DONE])], ["a", "c", "d"]),
        ([Where("note", "=", "x")], ["a", "b"]),
        ([Where("note", "!=", "x")], ["c"]),
        ([Where("note", "not in", ["x"])], ["c"]),
        ([Where("note", "not in", [])], ["a", "b", "c", "d"]),
        ([Where("note", "is null")], ["d"]),
        ([Where("urgent", "=", True)], ["d"]),
        ([Where("size", ">", 1), Where("state", "=", State.OPEN)], ["c", "d"]),
        ([Where("share", "<", 0.25)], ["a", "b"]),
        ([Where("id", "in", ["d", "a", "z"])], ["a", "d"]),
        ([Where("id", ">", "b")], ["c", "d"]),
        ([Where("state", "=", State.OPEN), Where("due_at", "<=", at(9)), Where("note", "=", "x")], ["a"]),
    ],
)
def test_find_returns_the_rows_that_meet_all_conditions(
    ledger: Ledger, where: list[Where], expected: list[str]
) -> None:
    save(
        ledger,
        Task(id="d", due_at=None, size=4, urgent=True, note=None, share=0.5),
        Task(id="b", due_at=at(2), size=2, state=State.DONE, note="x", share=0.2),
        Task(id="c", due_at=at(3), size=3, note="y", share=0.3),
        Task(id="a", due_at=at(1), size=1, note="x", share=0.1),
    )
    assert find(ledger, *where) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), ["a", "b", "c", "d"]),
        (("due_at",), ["b", "c", "a", "d"]),
        (("-due_at",), ["a", "b", "c", "d"]),
        (("note",), ["c", "a", "b", "d"]),
        (("-note",), ["a", "b", "c", "d"]),
        (("size", "-due_at"), ["a", "b", "c", "d"]),
        (("-size", "due_at"), ["c", "d", "b", "a"]),
        (("urgent",), ["b", "d", "a", "c"]),
        (("-urgent", "-id"), ["c", "a", "d", "b"]),
    ],
)
def test_find_orders_by_columns_with_null_last_and_then_by_id(
    ledger: Ledger, order: tuple[str, ...], expected: list[str]
) -> None:
    save(
        ledger,
        Task(id="d", due_at=None, size=2, note=None),
        Task(id="a", due_at=at(3), size=1, note="预", urgent=True),
        Task(id="c", due_at=at(1), size=2, note="Z", urgent=True),
        Task(id="b", due_at=at(1), size=1, note="预"),
    )
    assert find(ledger, order=order) == expected
    assert find(ledger, order=order, limit=2) == expected[:2]


def test_the_next_due_row_is_found_among_many_that_wait_for_nothing(ledger: Ledger) -> None:
    save(ledger, *(Task(id=f"{i:03}", due_at=at(500 - i) if i % 3 else None) for i in range(300)))
    assert find(ledger, Where("due_at", "not null"), order=("due_at",), limit=2) == ["299", "298"]


def test_due_times_are_compared_as_times_whatever_zone_they_are_told_in(ledger: Ledger) -> None:
    county = timezone(timedelta(hours=8))
    save(ledger, Task(id="a", due_at=at(10).astimezone(county)), Task(id="b", due_at=at(20)))
    assert find(ledger, Where("due_at", "<=", at(10))) == ["a"]
    assert find(ledger, Where("due_at", "<=", at(10).astimezone(county))) == ["a"]
    assert find(ledger, order=("-due_at",)) == ["b", "a"]


def test_a_row_follows_its_index_when_it_changes(ledger: Ledger) -> None:
    save(ledger, Task(id="a", due_at=at(1), note="x"))
    save(ledger, Task(id="a", version=1, due_at=at(9), note="y"))
    assert find(ledger, Where("due_at", "<=", at(5))) == []
    assert find(ledger, Where("note", "in", ["x"])) == []
    assert find(ledger, Where("note", "in", ["y", "x"])) == ["a"]


def test_find_with_lock_returns_what_find_returns(ledger: Ledger) -> None:
    save(ledger, Task(id="a", due_at=at(1)), Task(id="b", due_at=at(2)))
    assert find(ledger, Where("due_at", "<=", at(2)), order=("due_at",), lock=True) == ["a", "b"]


def test_rows_are_counted_by_groups_as_they_are_stored(ledger: Ledger) -> None:
    save(
        ledger,
        Task(id="a", note="x", due_at=at(1)),
        Task(id="b", note="x"),
        Task(id="c", state=State.DONE),
        Task(id="d", state=State.DONE, note="x", urgent=True),
    )
    counted = ledger.step(lambda step: step.count(TASKS, ("state", "note")))
    assert list(counted.items()) == [(("done", "x"), 1), (("done", None), 1), (("open", "x"), 2)]
    assert ledger.step(lambda step: step.count(TASKS, ("urgent",), Where("note", "=", "x"))) == {
        (False,): 2,
        (True,): 1,
    }
    assert ledger.step(lambda step: step.count(TASKS, ("due_at",))) == {(at(1),): 1, (None,): 3}


def test_counting_without_groups_is_one_number_even_where_there_is_nothing(ledger: Ledger) -> None:
    assert ledger.step(lambda step: step.count(TASKS, ())) == {(): 0}
    assert ledger.step(lambda step: step.count(TASKS, ("state",))) == {}


def test_tables_do_not_share_rows(ledger: Ledger) -> None:
    save(ledger, Task(id="a"))
    assert ledger.step(lambda step: step.load(OTHERS, ["a"])) == {}


@pytest.mark.parametrize(
    "where",
    [
        Where("extra", "=", 1),
        Where("nothing", "=", 1),
        Where("note", "=", None),
        Where("note", "in", ["x", None]),
        Where("due_at", "<=", datetime(2021, 7, 20)),  # noqa: DTZ001  The missing zone is what is refused.
    ],
)
def test_a_question_the_table_was_not_made_for_is_refused(ledger: Ledger, where: Where) -> None:
    with pytest.raises(ValueError, match="tasks"):
        find(ledger, where)


def test_a_table_the_ledger_was_not_opened_with_is_named(ledger: Ledger) -> None:
    class Strange(Row):
        pass

    with pytest.raises(LedgerError, match="strangers"):
        ledger.step(lambda step: step.load(Table("strangers", Strange, ()), ["a"]))


def test_raw_bytes_are_kept_once(ledger: Ledger) -> None:
    def keep(content: bytes) -> bool:
        return ledger.step(
            lambda step: step.keep_raw("raw", content, at=at(0), door="http", media_type="application/xml")
        )

    assert keep(b"\x00\xff first") is True
    assert keep(b"second") is False
    assert ledger.step(lambda step: step.raw("raw")) == b"\x00\xff first"
    assert ledger.step(lambda step: step.raw("unknown")) is None


def test_a_lease_is_held_by_one_owner_until_it_ends(ledger: Ledger) -> None:
    def lease(owner: str, wall: float) -> bool:
        return ledger.step(lambda step: step.lease("direct", owner, at(wall), 10))

    assert lease("one", 0)
    assert not lease("two", 9)
    assert lease("one", 9)
    assert not lease("two", 18)
    assert lease("two", 19)
    assert not lease("one", 19)


def test_a_lease_whose_end_no_right_clock_can_have_written_is_free_after_an_ordinary_one(ledger: Ledger) -> None:
    def lease(owner: str, wall: float) -> bool:
        return ledger.step(lambda step: step.lease("direct", owner, at(wall), 10))

    assert lease("dead", 3600)
    assert not lease("two", 0)
    assert not lease("two", 9)
    assert lease("two", 10)


def test_who_is_alive_keeps_a_lease_whose_end_was_not_believed(ledger: Ledger) -> None:
    def lease(owner: str, wall: float) -> bool:
        return ledger.step(lambda step: step.lease("direct", owner, at(wall), 10))

    assert lease("one", 3600)
    assert not lease("two", 0)
    assert lease("one", 8)
    assert not lease("two", 17)
    assert lease("two", 18)


def test_who_asked_for_a_lease_and_then_waited_long_does_not_shorten_one_that_was_renewed(ledger: Ledger) -> None:
    def lease(owner: str, wall: float) -> bool:
        return ledger.step(lambda step: step.lease("direct", owner, at(wall), 10))

    assert lease("one", LEASE_AHEAD_MAX_S)
    assert not lease("late", 0)
    assert not lease("two", LEASE_AHEAD_MAX_S + 9)


def test_a_step_inside_a_step_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="inside a step"):
        ledger.step(lambda step: ledger.step(lambda inner: inner.next_letter_at()))


def test_a_step_can_be_awaited(ledger: Ledger) -> None:
    async def night() -> list[int]:
        await ledger.run(lambda step: step.save(TASKS, [Task(id="a")]))
        return [len(await ledger.run(lambda step: step.find(TASKS))) for _ in range(2)]

    assert asyncio.run(night()) == [1, 1]


def test_a_step_that_goes_on_being_stale_is_given_up(ledger: Ledger) -> None:
    save(ledger, Task(id="a"))
    with pytest.raises(StaleRowError):
        asyncio.run(ledger.run(lambda step: step.save(TASKS, [Task(id="a")])))
