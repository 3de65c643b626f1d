"""The shelves of the dictionary ledger: rows and letters with their indexes, every change of them undoable.

Each shelf has one way to change (`put`), which keeps the indexes right and notes how to take the change back.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import chain, islice
from typing import Any, Generic, NamedTuple

from sortedcontainers import SortedList

from streams.ledger.columns import check_question, column_type
from streams.ledger.contract import R, Table, Where
from streams.letters import SCHEMA_VERSION, Letter

Undo = list[Callable[[], object]]

_LAST_ID = chr(0x10FFFF)
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
    "not in": lambda value, unwanted: value not in unwanted,
}


class RowShelf(Generic[R]):
    """The rows of one table.

    The first column of every index is indexed: times in sorted lists, everything else by value. Null is a value like
    another, kept apart.
    """

    def __init__(self, table: Table[R], undo: Undo) -> None:
        self.table = table
        self.rows: dict[str, R] = {}
        self._undo = undo
        firsts = dict.fromkeys(index[0] for index in table.indexes)
        self._sorted: dict[str, Any] = {c: SortedList() for c in firsts if column_type(table, c)[0] is datetime}
        self._nulls: dict[str, dict[str, None]] = {c: {} for c in self._sorted}
        self._buckets: dict[str, dict[Any, dict[str, None]]] = {
            c: defaultdict(dict) for c in firsts if c not in self._sorted
        }

    def put(self, row_id: str, row: R) -> None:
        """Place a row, and note how to take it back."""
        self._undo.append(partial(self._place, row_id, self.rows.get(row_id)))
        self._place(row_id, row)

    def _place(self, row_id: str, row: R | None) -> None:
        old = self.rows.get(row_id)
        for column in self._buckets:
            self._move_in_bucket(column, row_id, old, row)
        for column in self._sorted:
            self._move_in_order(column, row_id, old, row)
        if row is None:
            self.rows.pop(row_id, None)
        else:
            self.rows[row_id] = row

    def _move_in_bucket(self, column: str, row_id: str, old: R | None, row: R | None) -> None:
        buckets = self._buckets[column]
        before = None if old is None else getattr(old, column)
        after = None if row is None else getattr(row, column)
        if old is not None and (row is None or before != after):
            del buckets[before][row_id]
            if not buckets[before]:
                del buckets[before]
        if row is not None and (old is None or before != after):
            buckets[after][row_id] = None

    def _move_in_order(self, column: str, row_id: str, old: R | None, row: R | None) -> None:
        times, nulls = self._sorted[column], self._nulls[column]
        before = None if old is None else getattr(old, column)
        after = None if row is None else getattr(row, column)
        if old is not None and row is not None and before == after:
            return
        if old is not None:
            if before is None:
                del nulls[row_id]
            else:
                times.remove((before, row_id))
        if row is not None:
            if after is None:
                nulls[row_id] = None
            else:
                times.add((after, row_id))

    def find(self, where: Sequence[Where], order: tuple[str, ...], limit: int) -> list[R]:
        """Return at most `limit` rows that meet all conditions, ordered by the columns, null last, then by id."""
        check_question(self.table, where, order)
        ids, in_order = self._candidates(where, order, limit)
        found = self._filter(ids, where)
        if in_order:
            return list(islice(found, limit))
        rows = sorted(found, key=operator.attrgetter("id"))
        for column in reversed(order):
            down, name = column.startswith("-"), column.removeprefix("-")
            # Python's sort keeps equals in place, also in reverse, so the columns are sorted by from last to first.
            rows.sort(key=partial(_null_last, name, down), reverse=down)
        return rows[:limit]

    def count(self, by: tuple[str, ...], where: Sequence[Where]) -> dict[tuple[Any, ...], int]:
        """Count rows that meet all conditions, grouped by columns, in the order of the groups, null last."""
        check_question(self.table, where, by)
        counts: dict[tuple[Any, ...], int] = {} if by else {(): 0}
        for row in self._filter(self._candidates(where, (), len(self.rows))[0], where):
            group = tuple(_as_stored(getattr(row, column)) for column in by)
            counts[group] = counts.get(group, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: [(value is None, value) for value in item[0]]))

    def _filter(self, ids: Iterable[str], where: Sequence[Where]) -> Iterator[R]:
        nulls = [(c.column, c.op == "is null") for c in where if c.op in ("is null", "not null")]
        tests = [
            (c.column, _TESTS[c.op], frozenset(c.value) if c.op in ("in", "not in") else c.value)
            for c in where
            # To be none of nothing is no condition: it holds for null too, which every other test passes over.
            if c.op in _TESTS and not (c.op == "not in" and not c.value)
        ]
        rows = self.rows
        # Plain loops: this is where a simulated night spends its time.
        for row_id in ids:
            row = rows[row_id]
            for column, wanted in nulls:
                if (getattr(row, column) is None) != wanted:
                    break
            else:
                for column, test, operand in tests:
                    value = getattr(row, column)
                    if value is None or not test(value, operand):
                        break
                else:
                    yield row

    def _candidates(self, where: Sequence[Where], order: tuple[str, ...], limit: int) -> tuple[Iterable[str], bool]:
        """Return ids among which all answers are, from the index that leaves fewest, and whether they are in order."""
        best: tuple[int, Iterable[str], bool] = (len(self.rows), self.rows, False)
        for condition in where:
            if condition.column == "id" and condition.op in ("=", "in"):
                named = [row_id for row_id in dict.fromkeys(_wanted(condition)) if row_id in self.rows]
                best = min(best, (len(named), named, False), key=operator.itemgetter(0))
            elif condition.column in self._buckets and condition.op in ("=", "in", "is null"):
                buckets = self._buckets[condition.column]
                found = [buckets[value] for value in dict.fromkeys(_wanted(condition)) if value in buckets]
                best = min(best, (sum(map(len, found)), chain.from_iterable(found), False), key=operator.itemgetter(0))
        asked = {condition.column for condition in where}
        for column, times in self._sorted.items():
            in_order = order == (column,)
            if not in_order and (column not in asked or best[0] == 0):
                continue
            low, high, nulls = self._span(column, where)
            size = high - low + len(nulls)
            # Walking in order ends at the limit, so it is worth more than its size says.
            cost = min(size, 4 * limit) if in_order else size
            if cost < best[0] or (in_order and cost == best[0]):
                ids = chain((row_id for _, row_id in times.islice(low, high)), sorted(nulls))
                best = (cost, ids, in_order)
        return best[1], best[2]

    def _span(self, column: str, where: Sequence[Where]) -> tuple[int, int, dict[str, None]]:
        """Return where in a sorted column all answers lie, and the rows without a time that may be answers."""
        times = self._sorted[column]
        low, high = 0, len(times)
        nulls = self._nulls[column]
        for condition in where:
            if condition.column != column:
                continue
            if condition.op == "is null":
                high = low
                continue
            nulls = {}
            if condition.op in ("=", ">="):
                low = max(low, times.bisect_left((condition.value, "")))
            if condition.op == ">":
                low = max(low, times.bisect_right((condition.value, _LAST_ID)))
            if condition.op in ("=", "<="):
                high = min(high, times.bisect_right((condition.value, _LAST_ID)))
            if condition.op == "<":
                high = min(high, times.bisect_left((condition.value, "")))
        return low, max(low, high), nulls


def _wanted(condition: Where) -> Iterable[Any]:
    if condition.op == "is null":
        return (None,)
    return tuple(condition.value) if condition.op == "in" else (condition.value,)


def _null_last(column: str, down: bool, row: Any) -> tuple[bool, Any]:
    value = getattr(row, column)
    return (value is None) != down, value


def _as_stored(value: Any) -> Any:
    return getattr(value, "value", value)


class Envelope(NamedTuple):
    """A letter and what happened to it; `published_at` is wall time, `handled_at` the time of its reader's step."""

    letter: Letter
    published_at: datetime | None = None
    resends: int = 0
    handled_at: datetime | None = None


class LetterShelf:
    """All letters by id, and the open ones of each topic sorted by (not_before, at, id)."""

    def __init__(self, undo: Undo) -> None:
        self.by_id: dict[str, Envelope] = {}
        self._undo = undo
        self._fresh: dict[str, Any] = defaultdict(SortedList)
        self._sent: dict[str, Any] = defaultdict(SortedList)

    def put(self, letter_id: str, envelope: Envelope) -> None:
        """Place a letter, and note how to take it back."""
        self._undo.append(partial(self._place, letter_id, self.by_id.get(letter_id)))
        self._place(letter_id, envelope)

    def _place(self, letter_id: str, envelope: Envelope | None) -> None:
        old = self.by_id.get(letter_id)
        if old is not None and old.handled_at is None:
            self._queue(old).remove(_due_order(old.letter))
        if envelope is None:
            self.by_id.pop(letter_id, None)
            return
        self.by_id[letter_id] = envelope
        if envelope.handled_at is None:
            self._queue(envelope).add(_due_order(envelope.letter))

    def _queue(self, envelope: Envelope) -> Any:
        return (self._fresh if envelope.published_at is None else self._sent)[envelope.letter.topic]

    def fresh(self, now: datetime, topics: Sequence[str]) -> Iterator[Envelope]:
        """Yield open letters that are due and were never published, by (not_before, at, id)."""
        return self._due(self._fresh, now, topics)

    def sent(self, now: datetime, topics: Sequence[str]) -> Iterator[Envelope]:
        """Yield open letters that are due and were published before, by (not_before, at, id)."""
        return self._due(self._sent, now, topics)

    def _due(self, queues: dict[str, Any], now: datetime, topics: Sequence[str]) -> Iterator[Envelope]:
        chosen = [queue for topic, queue in queues.items() if queue and (not topics or topic in topics)]
        for not_before, _, letter_id in merge(*chosen) if len(chosen) > 1 else chain.from_iterable(chosen):
            if not_before > now:
                return
            if self.by_id[letter_id].letter.schema_version <= SCHEMA_VERSION:
                yield self.by_id[letter_id]

    def count_open(self) -> dict[str, int]:
        """Return how many letters are open, by topic, for topics with any."""
        topics = sorted({*self._fresh, *self._sent})
        counts = {topic: len(self._fresh[topic]) + len(self._sent[topic]) for topic in topics}
        return {topic: count for topic, count in counts.items() if count}

    def next_at(self) -> datetime | None:
        """Return the earliest `not_before` of an open letter."""
        queues = chain(self._fresh.values(), self._sent.values())
        return min((queue[0][0] for queue in queues if queue), default=None)


def _due_order(letter: Letter) -> tuple[datetime, datetime, str]:
    return letter.not_before, letter.at, letter.id
