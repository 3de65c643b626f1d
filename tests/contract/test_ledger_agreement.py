"""Whatever verbs are played in whatever order, the dictionary ledger and the SQL one tell the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_samples import TASKS, State, Task, at, draft, letter

from streams.ledger.contract import FullStep, LedgerError, Where
from streams.ledger.memory import MemoryLedger
from streams.ledger.sql import SqlLedger
from streams.topics import CALLOUTS, CALLS

names = st.sampled_from(["a", "b", "c", "d", "预"])
moments = st.integers(0, 9).map(at)
columns = st.sampled_from(["state", "due_at", "size", "urgent", "share", "note", "id"])
values: dict[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from(State),
    "due_at": moments,
    "size": st.integers(0, 3),
    "urgent": st.booleans(),
    "share": st.sampled_from([0.0, 0.5]),
    "note": st.sampled_from(["", "x", "预"]),
    "id": names,
}
tasks = st.builds(
    Task,
    id=names,
    version=st.integers(0, 2),
    state=values["state"],
    due_at=st.none() | moments,
    size=values["size"],
    urgent=values["urgent"],
    share=values["share"],
    note=st.none() | values["note"],
)
letters = st.builds(
    lambda name, due, topic: letter(name, due=due, topic=topic),
    names,
    st.integers(0, 9),
    st.sampled_from([CALLOUTS, CALLS]),
)


@st.composite
def conditions(draw: st.DrawFn) -> Where:
    column = draw(columns)
    op = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "not in", "is null", "not null"]))
    many = op in ("in", "not in")
    return Where(column, op, draw(st.lists(values[column], max_size=3) if many else values[column]))


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, ...]:
    chosen = draw(st.lists(columns, max_size=3, unique=True))
    return tuple(draw(st.sampled_from(["", "-"])) + column for column in chosen)


letter_ids = st.lists(letters.map(lambda item: item.id), max_size=4)
Verb = Callable[[FullStep], Any]


def open_letters(step: FullStep, now: Any, wall: Any, limit: int, topics: list[str]) -> Any:
    return step.open_letters(now, wall, resend_after_s=1, limit=limit, topics=topics)


def take_and_put_back(step: FullStep, ids: list[str], now: Any) -> Any:
    for taken in step.take(ids, now)[:2]:
        step.put_back(taken, now + timedelta(seconds=2))


verbs: st.SearchStrategy[Verb] = st.one_of(
    st.lists(letters, max_size=4).map(lambda items: lambda step: step.write(items)),
    st.tuples(letter_ids, moments).map(lambda a: lambda step: step.take(*a)),
    st.tuples(letter_ids, moments).map(lambda a: lambda step: take_and_put_back(step, *a)),
    st.tuples(letter_ids, moments, st.booleans()).map(
        lambda a: lambda step: step.mark_published(a[0], a[1], close=a[2])
    ),
    st.tuples(moments, moments, st.integers(1, 4), st.lists(st.sampled_from([CALLOUTS, CALLS]), max_size=1)).map(
        lambda a: lambda step: open_letters(step, *a)
    ),
    st.lists(tasks, max_size=3, unique_by=lambda task: task.id).map(lambda rows: lambda step: step.save(TASKS, rows)),
    st.lists(names).map(lambda ids: lambda step: step.load(TASKS, ids)),
    st.tuples(st.lists(conditions(), max_size=3), orders(), st.integers(1, 5)).map(
        lambda a: lambda step: step.find(TASKS, *a[0], order=a[1], limit=a[2])
    ),
    st.tuples(st.lists(columns, max_size=2, unique=True), st.lists(conditions(), max_size=2)).map(
        lambda a: lambda step: list(step.count(TASKS, tuple(a[0]), *a[1]).items())
    ),
    st.lists(st.builds(draft, names, seconds=st.integers(0, 9), key=values["note"]), max_size=3).map(
        lambda drafts: lambda step: [entry.hash for entry in step.append(drafts)]
    ),
    st.tuples(st.sampled_from(["one", "two"]), moments | st.just(at(3600))).map(
        lambda a: lambda step: step.lease("pump", a[0], a[1], 3)
    ),
    st.tuples(names, st.binary(max_size=3)).map(
        lambda a: lambda step: (step.keep_raw(*a, at=at(0), door="http", media_type=""), step.raw(a[0]))
    ),
    st.just(lambda step: (step.next_letter_at(), step.count_open_letters(), step.heads())),
)


class BrokenOffError(Exception):
    """A step that ends badly on purpose."""


def play(ledger: MemoryLedger | SqlLedger, step_verbs: list[Verb], *, breaks_off: bool) -> list[Any]:
    """Run one step and tell all that it answered, or how it ended."""
    told: list[Any] = []

    def work(step: FullStep) -> None:
        told.extend(verb(step) for verb in step_verbs)
        if breaks_off:
            raise BrokenOffError

    try:
        ledger.step(work)
    except (LedgerError, BrokenOffError) as error:
        told.append(type(error).__name__)
    return told


@pytest.fixture(scope="module")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], SqlLedger]:
    folder: Path = tmp_path_factory.mktemp("agreement")
    numbers = itertools.count()
    return lambda: SqlLedger(f"sqlite:///{folder / f'{next(numbers)}.db'}", [TASKS], create=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights=st.lists(st.tuples(st.lists(verbs, min_size=1, max_size=6), st.booleans()), min_size=3, max_size=12))
def test_memory_and_sqlite_tell_the_same_whatever_is_played(
    fresh_sqlite: Callable[[], SqlLedger], nights: list[tuple[list[Verb], bool]]
) -> None:
    memory, sqlite = MemoryLedger([TASKS]), fresh_sqlite()
    try:
        for step_verbs, breaks_off in nights:
            expected = play(memory, step_verbs, breaks_off=breaks_off)
            assert play(sqlite, step_verbs, breaks_off=breaks_off) == expected
        assert sqlite.heads() == memory.heads()
    finally:
        sqlite.close()
