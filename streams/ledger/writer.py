"""The thread that runs steps on a database: several queued ones in one transaction, each in a savepoint of its own.

A caller hears of its step only after the commit. Never on the event loop, and never a step outside this file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import sqlalchemy as sa

from streams.clock import SystemClock
from streams.ledger.editions import Fence
from streams.ledger.engine import translate


@dataclass(frozen=True)
class Job:
    """A step to run, and where its result goes."""

    work: Callable[[sa.Connection], Any]
    future: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True)
class Habits:
    """How a writer groups steps.

    Args:
        group_s: A transaction takes up further steps until it is this old; 0 gives every step one of its own.
        pause_s: What is left to other processes between two transactions. SQLite's lock is not a queue: without a
            pause another process's insert waits for seconds.
    """

    group_s: float
    pause_s: float


class Writer:
    """One thread with one connection at a time. Ends when it draws `None` from the queue."""

    def __init__(
        self, engine: sa.Engine, queue: SimpleQueue[Job | None], habits: Habits, name: str, fence: Fence | None = None
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._habits = habits
        self._fence = fence
        self._clock = SystemClock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def is_here(self) -> bool:
        """Whether the caller runs on this writer's thread."""
        return threading.current_thread() is self._thread

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _work(self) -> None:
        while not self._ending.is_set():
            job = self._queue.get()
            if job is None:
                return
            self._transact(job)
            self._ending.wait(self._habits.pause_s)

    def _transact(self, first: Job) -> None:
        """Run a job and those that queue up behind it in one transaction; tell all of them after the commit."""
        settled: list[tuple[Job, Any, BaseException | None]] = []
        begun: list[Job] = []
        try:
            with self._engine.connect() as connection, connection.begin():
                if self._fence is not None:
                    self._fence.check(connection)
                ends_s = self._clock.monotonic_s() + self._habits.group_s
                job: Job | None = first
                while job is not None:
                    if job.future.set_running_or_notify_cancel():
                        begun.append(job)
                        # Alone in its transaction, a step needs no savepoint to be rolled back by itself.
                        alone = self._habits.group_s == 0
                        outcome = (job.work(connection), None) if alone else _run_in_savepoint(connection, job)
                        settled.append((job, *outcome))
                    job = self._next_job() if self._clock.monotonic_s() < ends_s else None
        except BaseException as error:  # noqa: BLE001  Whatever it is, those who wait must hear of it.
            failure = translate(error)
            if not begun and first.future.set_running_or_notify_cancel():
                begun.append(first)
            settled = [(job, None, failure) for job in begun]
        for job, result, failed in settled:
            if failed is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failed)

    def _next_job(self) -> Job | None:
        try:
            job = self._queue.get_nowait()
        except Empty:
            return None
        if job is None:
            self._ending.set()
        return job


def _run_in_savepoint(connection: sa.Connection, job: Job) -> tuple[Any, BaseException | None]:
    """Return a job's result, or its error after everything it did was rolled back."""
    savepoint = connection.begin_nested()
    try:
        result = job.work(connection)
        savepoint.commit()
    except BaseException as error:  # noqa: BLE001  A step may raise anything; its caller gets it, not its neighbours.
        # Where the database gave up the whole transaction this raises too, and the neighbours hear of it.
        savepoint.rollback()
        return None, translate(error)
    return result, None
