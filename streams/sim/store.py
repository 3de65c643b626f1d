"""The shared ledger as one simulated worker reaches it: late, sometimes away, sometimes in doubt.

A step may run in two halves, as two transactions of a real database overlap: it reads now and writes a little later,
and is begun again where a row it saves or a letter it takes was taken by somebody else in between.
What was committed is told to whoever watches, in true time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from pydantic import BaseModel

from streams.ledger.contract import FullStep, Ledger, LedgerAwayError, StaleRowError
from streams.ledger.memory import MemoryLedger
from streams.sim.tasks import Pause

T = TypeVar("T")
RETRIES = 5
_WRITES = frozenset(
    {"take", "put_back", "write", "save", "append", "keep_raw", "lease", "mark_published", "write_seal"}
)
_PROMISED = frozenset({"take", "lease", "keep_raw"})


@dataclass(frozen=True)
class Write:
    """One writing verb of a step, its arguments, and what it returned."""

    verb: str
    args: tuple[Any, ...]
    named: dict[str, Any]
    result: Any


class _NotYetError(Exception):
    """Takes a step back that is to be written later."""


class _Noting:
    """A step whose writes are noted."""

    def __init__(self, step: FullStep) -> None:
        self._step = step
        self.writes: list[Write] = []

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._step, verb)
        if verb not in _WRITES:
            return method

        def note(*args: Any, **named: Any) -> Any:
            given = tuple(_kept(item) for item in args)
            result = method(*given, **named)
            self.writes.append(Write(verb, given, named, result))
            return result

        return note


def _kept(item: Any) -> Any:
    """Return an argument so that it can be given twice: a generator would be empty the second time."""
    return list(item) if isinstance(item, Iterable) and not isinstance(item, (str, bytes, BaseModel)) else item


@dataclass
class Store:
    """What all workers share: the ledger, whether it can be reached, and who watches what is committed.

    `saved` are the tables that were written to since somebody last emptied it.
    """

    memory: MemoryLedger
    on_commit: Callable[[list[Write]], None]
    clock: Callable[[], datetime]
    is_away: bool = False
    commits: int = 0
    saved: set[str] = field(default_factory=set)

    def commit(self, work: Callable[[FullStep], T]) -> T:
        """Run a step in one piece.

        Raises:
            LedgerAwayError: The database is away.
        """
        if self.is_away:
            raise LedgerAwayError("the simulated database is away")
        writes: list[Write] = []

        def noted(step: FullStep) -> T:
            noting = _Noting(step)
            result = work(cast("FullStep", noting))
            writes.extend(noting.writes)
            return result

        result = self.memory.step(noted)
        self._tell(writes)
        return result

    def database_at(self) -> datetime:
        """Return the true time, as a database on a machine of its own has it.

        Raises:
            LedgerAwayError: The database is away.
        """
        if self.is_away:
            raise LedgerAwayError("the simulated database is away")
        return self.clock()

    def read(self, work: Callable[[FullStep], T]) -> T:
        """Run a step that only reads.

        Raises:
            LedgerAwayError: The database is away.
        """
        if self.is_away:
            raise LedgerAwayError("the simulated database is away")
        return self.memory.step(work)

    def begin(self, work: Callable[[FullStep], T]) -> tuple[list[Write], T]:
        """Run a step and take everything back; return what it would have written, and its result."""
        if self.is_away:
            raise LedgerAwayError("the simulated database is away")
        kept: list[tuple[list[Write], T]] = []

        def noted(step: FullStep) -> None:
            noting = _Noting(step)
            result = work(cast("FullStep", noting))
            kept.append((noting.writes, result))
            raise _NotYetError

        with suppress(_NotYetError):
            self.memory.step(noted)
        return kept[0]

    def finish(self, writes: list[Write]) -> None:
        """Write what a step began with.

        Raises:
            StaleRowError: Somebody else took or saved the same in between; the step may be run again.
            LedgerAwayError: The database is away.
        """
        if self.is_away:
            raise LedgerAwayError("the simulated database is away")

        def write(step: FullStep) -> None:
            for one in writes:
                result = getattr(step, one.verb)(*one.args, **one.named)
                if one.verb in _PROMISED and result != one.result:
                    raise StaleRowError(f"{one.verb} came out otherwise; run the step again")

        self.memory.step(write)
        self._tell(writes)

    def _tell(self, writes: list[Write]) -> None:
        if writes:
            self.commits += 1
            self.saved.update(one.args[0].name for one in writes if one.verb == "save")
            self.on_commit(writes)


class Trials(Protocol):
    """What may happen to a worker at the ledger; drawn by the world."""

    async def point(self, where: str) -> None:
        """Stand between two steps: wait a moment, stall, or die here."""
        ...

    def overlap_s(self) -> float:
        """Return how long a step takes from reading to writing; 0 runs it in one piece."""
        ...

    def is_doubtful(self) -> bool:
        """Return whether the answer to a commit is lost."""
        ...


@dataclass
class Reach:
    """One worker's way to the shared ledger: a `Ledger` like any other."""

    store: Store
    trials: Trials
    stale: int = field(default=0)

    def step(self, work: Callable[[FullStep], T]) -> T:
        """Run a step in place."""
        return self.store.commit(work)

    async def run(self, work: Callable[[FullStep], T]) -> T:
        """Run a step; a stale one is tried again a few times.

        Raises:
            StaleRowError: It was stale each time.
            LedgerAwayError: The database is away, or the answer to a commit was lost.
        """
        for left in reversed(range(RETRIES)):
            await self.trials.point("before a step")
            try:
                result = await self._try(work)
            except StaleRowError:
                self.stale += 1
                if not left:
                    raise
                continue
            await self.trials.point("after a step")
            if self.trials.is_doubtful():
                raise LedgerAwayError("the connection was lost at the commit; it was written all the same")
            return result
        raise AssertionError("not reached")

    async def look(self, work: Callable[[FullStep], T]) -> T:
        """Run a step that only reads."""
        return self.store.read(work)

    async def database_at(self) -> datetime:
        """Return the time of the machine with the database: the true one."""
        return self.store.database_at()

    def heads(self) -> list[tuple[str, int, str]]:
        """Return the heads of all chains."""
        return self.store.memory.heads()

    def close(self) -> None:
        """Do nothing."""

    async def _try(self, work: Callable[[FullStep], T]) -> T:
        gap_s = self.trials.overlap_s()
        if not gap_s:
            return self.store.commit(work)
        writes, result = self.store.begin(work)
        if writes:
            await Pause(gap_s)
            self.store.finish(writes)
        return result


def as_ledger(reach: Reach) -> Ledger:
    """Return a reach as the contract knows it; a check for the reader and for mypy."""
    return reach
