"""Virtual time: the very same rooms, ticker and dialler over a ledger, with a clock that jumps to the next event.

No thread, no Kafka, no waiting. The order of everything is fixed, so the same input gives the same entries hash for
hash.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from agents.callout.state import CALLOUTS
from agents.dial.state import PACES
from agents.plan.state import ROUNDS
from streams import topics
from streams.clock import VirtualClock
from streams.delivery import deliver
from streams.ledger.contract import FullStep, Step, Where
from streams.letters import Letter
from streams.rooms import Timed
from streams.wiring import House

T = TypeVar("T")
PAGE_MAX = 200
ROUNDS_MAX = 100_000
GRAIN = timedelta(seconds=1)
WANTED = ("call_at", "text_at")
CARRYING = tuple(topic for topic in topics.TOPICS if topic.carries != "nothing")


class StuckError(RuntimeError):
    """Virtual time does not move: something falls due again and again at one instant."""


def run_now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits.

    Raises:
        RuntimeError: It did wait, so it does not belong into virtual time.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("something waited for real time in a virtual night")


class Runner:
    """Runs a house over virtual time."""

    def __init__(self, house: House, clock: VirtualClock) -> None:
        self.house = house
        self.clock = clock
        self.steps = 0
        self._stop_asked = False
        self._recovered_at: datetime | None = None

    @property
    def now(self) -> datetime:
        """The virtual time."""
        return self.clock.now()

    def post(self, letter: Letter) -> None:
        """Put a letter in, as a door does."""
        self.house.ledger.step(lambda step: step.write([letter]))

    def run_until(self, end: datetime) -> None:
        """Let everything happen that happens until `end`."""
        for _ in range(ROUNDS_MAX):
            self.settle()
            at = self.next_at()
            if at is None or at > end:
                self.clock.set(max(end, self.now))
                return
            self.clock.set(max(at, self.now))
        raise StuckError(f"nothing came to rest by {self.now.isoformat()}")

    def settle(self) -> None:
        """Let everything happen that is due at this instant, until nothing more is."""
        for _ in range(ROUNDS_MAX):
            handled = self._deliver()
            moved = self._tick() + self._dial()
            # Ticks and dials came after the letters and changed nothing, so only new letters could bring more.
            if not moved and not (handled and self._letter_is_due()):
                return
        raise StuckError(f"nothing comes to rest at {self.now.isoformat()}")

    def next_at(self) -> datetime | None:
        """Return when the next thing happens by itself."""
        times = [self.house.ledger.step(self._next_letter_at)]
        times += [self.house.ledger.step(room.next_due_at) for room in self.house.timed]
        times.append(self.house.ledger.step(self._next_dial_at))
        return min((at for at in times if at is not None), default=None)

    def _deliver(self) -> int:
        handled = 0
        if not self._letter_is_due():
            return 0
        for topic in CARRYING:
            letters = self.house.ledger.step(partial(self._open, topic.name))
            if not letters:
                continue
            ids = [letter.id for letter in letters]
            self._stop_asked = self._stop_asked or any(letter.message.kind == "hang_up_asked" for letter in letters)
            if topic.reader:
                for start in range(0, len(ids), PAGE_MAX):
                    page = ids[start : start + PAGE_MAX]
                    handled += run_now(deliver(self.house.ledger, self.house.rooms[topic.name], page, self.now))
                    self.steps += 1
            else:
                self.house.ledger.step(partial(self._close, ids))
        return handled

    def _letter_is_due(self) -> bool:
        at = self.house.ledger.step(self._next_letter_at)
        return at is not None and at <= self.now

    def _close(self, letter_ids: list[str], step: FullStep) -> None:
        step.mark_published(letter_ids, self.now, close=True)

    def _open(self, topic: str, step: FullStep) -> list[Letter]:
        return step.open_letters(self.now, self.now, resend_after_s=1.0, limit=10_000, topics=(topic,))

    def _tick(self) -> int:
        done = 0
        for room in self.house.timed:
            done += self.house.ledger.step(partial(self._tick_room, room))
            self.steps += 1
        return done

    def _tick_room(self, room: Timed, step: FullStep) -> int:
        return room.tick(step, self.now, PAGE_MAX)

    def _dial(self) -> int:
        dialler = self.house.dialler
        placed = run_now(dialler.run_once()) if self.house.ledger.step(self._wants_dialling) else 0
        done = placed
        if self._recovered_at != self.now:
            # Leases and silences run out with time only, so once an instant is enough.
            self._recovered_at = self.now
            done += run_now(dialler.recover())
        if placed or self._stop_asked:
            # Calls are stopped by a letter, or when they are placed into a round that was stopped: nothing else.
            self._stop_asked = False
            done += run_now(dialler.hang_up())
        return done

    def _wants_dialling(self, step: Step) -> bool:
        return any(step.find(CALLOUTS, Where(column, "<=", self.now), order=(column,), limit=1) for column in WANTED)

    @staticmethod
    def _next_letter_at(step: FullStep) -> datetime | None:
        return step.next_letter_at()

    def _next_dial_at(self, step: Step) -> datetime | None:
        """Return when something wants to be dialled and a carrier has a slot for it."""
        if not any(step.find(CALLOUTS, Where(column, "not null"), order=(column,), limit=1) for column in WANTED):
            return None
        barred = [row.id for row in step.find(ROUNDS, Where("paused_until", ">", self.now))]
        stopped = [row.id for row in step.find(ROUNDS, Where("stopped_at", "not null"))]
        skip = Where("round_id", "not in", [*barred, *stopped])
        times = []
        for column in WANTED:
            rows = step.find(CALLOUTS, Where(column, "not null"), skip, order=(column,), limit=1)
            times += [getattr(row, column) for row in rows]
        if not times:
            return None
        wanted: datetime = min(times)
        free = [row.next_at for row in step.find(PACES)]
        # Slots of a whole second are taken together: the pace is kept, and a night takes seconds to run.
        return wanted if wanted > self.now else max(self.now + GRAIN, min(free, default=self.now))
