"""Virtual time in seconds, and tasks that are run one step at a time and can be ended between any two of them.

A task is a coroutine that waits only by `Pause`. Whoever owns it may die: then all its tasks end where they wait, as
if the process had been killed there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Generator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from inspect import CORO_RUNNING, getcoroutinestate
from itertools import count
from typing import Any

Work = Coroutine[Any, Any, Any]


class Pause:
    """Waits for so many virtual seconds: the only thing a simulated task may await."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s

    def __await__(self) -> Generator[Pause, None, None]:
        """Hand itself to the one who runs the task."""
        yield self


class Tasks:
    """Runs tasks and actions in the order of their virtual times; those of one time in the order they were given."""

    def __init__(self, start: datetime) -> None:
        self.now_s = 0.0
        self.steps = 0
        self._start = start
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._n = count()
        self._running: dict[str, dict[int, tuple[str, Work]]] = defaultdict(dict)
        self._frozen: dict[str, float] = {}
        self.current = ""

    @property
    def now(self) -> datetime:
        """The true time of the night."""
        return self.at(self.now_s)

    def at(self, when_s: float) -> datetime:
        """Return virtual seconds as a time."""
        return self._start + timedelta(seconds=when_s)

    def seconds(self, at: datetime) -> float:
        """Return a time as virtual seconds."""
        return (at - self._start).total_seconds()

    def do(self, after_s: float, action: Callable[[], None]) -> None:
        """Let something happen after a while."""
        heappush(self._due, (self.now_s + max(0.0, after_s), next(self._n), action))

    def start(self, owner: str, name: str, work: Work) -> None:
        """Start a task of an owner; while one of its steps runs, `current` is its name."""
        number = next(self._n)
        self._running[owner][number] = name, work
        self.do(0.0, lambda: self._go_on(owner, number))

    def freeze(self, owner: str, for_s: float) -> None:
        """Let all tasks of an owner stand still where they are, and then go on."""
        self._frozen[owner] = self.now_s + for_s

    def is_frozen(self, owner: str) -> bool:
        """Tell whether the tasks of an owner stand still."""
        return self._frozen.get(owner, 0.0) > self.now_s

    def end(self, owner: str) -> None:
        """End all tasks of an owner where they wait."""
        self._frozen.pop(owner, None)
        for _, work in self._running.pop(owner, {}).values():
            if getcoroutinestate(work) != CORO_RUNNING:
                work.close()

    def run_until(self, end_s: float) -> None:
        """Let everything happen that happens until `end_s`."""
        while self._due and self._due[0][0] <= end_s:
            self.now_s, _, action = heappop(self._due)
            self.steps += 1
            action()
        self.now_s = max(self.now_s, end_s)

    def close(self) -> None:
        """End all tasks."""
        for owner in list(self._running):
            self.end(owner)
        self._due.clear()

    def _go_on(self, owner: str, number: int) -> None:
        found = self._running.get(owner, {}).get(number)
        if found is None:
            return
        if self.is_frozen(owner):
            self.do(self._frozen[owner] - self.now_s, lambda: self._go_on(owner, number))
            return
        self.current, work = found
        try:
            pause = work.send(None)
        except StopIteration:
            self._forget(owner, number)
            return
        except BaseException:
            self._forget(owner, number)
            raise
        if number not in self._running.get(owner, {}):
            # Its owner died while it took this very step: it gets no other.
            work.close()
            return
        self.do(pause.wait_s, lambda: self._go_on(owner, number))

    def _forget(self, owner: str, number: int) -> None:
        self._running.get(owner, {}).pop(number, None)
