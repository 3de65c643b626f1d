"""One simulated worker: the rooms and loops of `streams/worker.py`, each run one step at a time, its clock its own.

The loops are as thin as those of the real shell and decide nothing. What they raise that is no trouble of the ledger is
kept: the real worker would log it and go on, a night is to say so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agents.callout.state import CALLOUTS
from agents.dial.state import ATTEMPTS, PACES, AttemptState
from agents.facts import Facts
from agents.intake.state import CHAINS
from agents.plan.state import ROUNDS
from agents.visit.state import VISITS
from streams.clock_guard import ClockGuard
from streams.codec import Page, Unreadable, read_page
from streams.delivery import deliver
from streams.ledger.contract import FullStep, LedgerError, Where
from streams.ledger.seal import write_next_seal
from streams.pump import NEVER_S, Publisher, Pump
from streams.rooms import Timed
from streams.sim.log import Log, Message
from streams.sim.network import NUMBER_KEY, Network, SimCarrier
from streams.sim.store import Reach, Store, Trials
from streams.sim.tasks import Pause, Tasks, Work
from streams.topics import BY_NAME
from streams.wiring import build

TICK_MAX = 200
_DIAL = frozenset({CALLOUTS.name, ATTEMPTS.name})
_BUSY = frozenset({CALLOUTS.name, ATTEMPTS.name, PACES.name, ROUNDS.name, CHAINS.name, VISITS.name})
_TICKED_BY = {"callout": CALLOUTS.name, "intake": CHAINS.name, "visit": VISITS.name}
"""Where the due times of a room stand."""
SESSION_S = 6.0
"""How long a worker that says nothing keeps its part of the log (design §3)."""
FOREVER_S = 1e12
PAUSES_S = {"sweep": 4.0, "recover": 4.0}
"""How long a loop rests at least, where that is more than a turn."""


class SimClock:
    """The clock of one worker: off by so many seconds, and running a little too fast or too slow."""

    speed = 1.0

    def __init__(self, tasks: Tasks) -> None:
        self.off_s = 0.0
        self.drift = 0.0
        self._tasks = tasks

    def now(self) -> datetime:
        """Return what this worker takes for the time."""
        return self._tasks.at(self._tasks.now_s * (1 + self.drift) + self.off_s)

    def wall(self) -> datetime:
        """Return the same: a simulated night runs at the speed of its clock."""
        return self.now()

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return self._tasks.now_s

    async def sleep(self, wall_s: float) -> None:
        """Wait."""
        await Pause(wall_s)


@dataclass(frozen=True)
class Agenda:
    """When each loop next has something to do, as the ledger stands; None where nothing is in sight."""

    times: dict[str, datetime | None]

    @property
    def next_at(self) -> datetime | None:
        """The earliest of them."""
        return min((at for at in self.times.values() if at is not None), default=None)


def letters_ahead(step: FullStep, far: datetime) -> dict[str, datetime | None]:
    """Return when the pump next has something to do; `far` lies behind everything."""
    fresh = step.open_letters(far, far, resend_after_s=NEVER_S, limit=1)
    return {"pump": fresh[0].not_before if fresh else None, "sweep": step.next_letter_at()}


def rows_ahead(step: FullStep, timed: Sequence[Timed], saved: frozenset[str]) -> dict[str, datetime | None]:
    """Return when the loops that work from rows next have something to do, as far as `saved` tables can move that."""
    ahead: dict[str, datetime | None] = {}
    if not saved.isdisjoint(_DIAL):
        calls = step.find(CALLOUTS, Where("call_at", "not null"), order=("call_at",), limit=1)
        texts = step.find(CALLOUTS, Where("text_at", "not null"), order=("text_at",), limit=1)
        claimed = step.find(ATTEMPTS, Where("state", "=", AttemptState.CLAIMED))
        placed = step.find(ATTEMPTS, Where("state", "=", AttemptState.PLACED))
        dial = [*(row.call_at for row in calls), *(row.text_at for row in texts)]
        ahead["dial"] = _earliest([*dial, *(row.dialled_at for row in placed if row.stop)])
        ahead["recover"] = _earliest([*(row.lease_until for row in claimed), *(row.due_at for row in placed)])
    for room in timed:
        own = _TICKED_BY.get(room.name)
        # A room whose table is not told here is asked whenever anything beside the busy tables was written.
        if own in saved if own else not saved <= _BUSY:
            ahead[f"tick {room.name}"] = room.next_due_at(step)
    return ahead


def _earliest(times: Sequence[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)


class SimPublisher(Publisher):
    """The way to the simulated log."""

    def __init__(self, log: Log, point: Callable[[str], Work]) -> None:
        super().__init__(())
        self._log, self._point = log, point

    async def send_all(self, messages: Sequence[Message]) -> bool:
        """Send messages; False where the log is away, or only seems to be."""
        await self._point("before sending")
        self.is_well = self._log.send(messages)
        await self._point("after sending")
        return self.is_well


class SimWorker:
    """A worker that can die and come back."""

    def __init__(self, name: str, tasks: Tasks, store: Store, log: Log, network: Network, trials: Trials) -> None:
        """Take what it shares with the others, and what may happen to it."""
        self.name = name
        self.clock = SimClock(tasks)
        self.is_up = self.is_gone = False
        self.in_group_until_s = FOREVER_S
        self.raised: list[str] = []
        self._tasks, self._store, self._log, self._network, self._trials = tasks, store, log, network, trials
        self._lives = 0
        self._running: set[str] = set()
        self._from_s: dict[str, float] = {}

    def boot(self, facts: Facts) -> None:
        """Start anew with the county and rules as they are now; what it was at is gone."""
        self.end()
        self._lives += 1
        # A new process has a new name: an old life cannot renew a lease that a new one holds.
        owner = f"{self.name}.{self._lives}"
        self.reach = Reach(self._store, self._trials)
        self.guard = ClockGuard(self.clock.wall, self.clock.monotonic_s)
        self.house = build(
            ledger=self.reach,
            clock=self.clock,
            facts=facts,
            carriers=[SimCarrier(self._network, self._trials.point, name) for name in self._network.vendors],
            number_key=NUMBER_KEY,
            owner=owner,
        )
        self.house.dialler.in_turn = True
        publisher = SimPublisher(self._log, self._trials.point)
        self.pump = Pump(self.reach, self.clock, publisher, owner, self.take_page, lambda _: None)
        self.is_up = True

    def freeze(self, for_s: float) -> None:
        """Stand still with all tasks; who was there before takes its part of the log once the session is over."""
        self._tasks.freeze(self.name, for_s)
        self.in_group_until_s = self._tasks.now_s + SESSION_S
        self._tasks.do(for_s, self._thaw)

    def _thaw(self) -> None:
        if not self._tasks.is_frozen(self.name):
            self.in_group_until_s = FOREVER_S

    def end(self) -> None:
        """Die, wherever its tasks stand."""
        self.is_up = False
        self.in_group_until_s = FOREVER_S
        self._running.clear()
        self._tasks.end(self.name)

    def start(self, loop: str) -> None:
        """Run a loop once, unless it still runs."""
        if loop not in self._running:
            self._running.add(loop)
            self._tasks.start(self.name, loop, self._run(loop))

    def hear(self, topic: str, value: bytes) -> None:
        """Take a message from the log."""
        page = read_page(value)
        if not isinstance(page, Unreadable) and BY_NAME[topic].reader:
            self._tasks.start(self.name, f"room of {topic}", self._consume(page))

    def start_what(self, agenda: Agenda) -> bool:
        """Start the loops that have something to do by this worker's clock; return whether any has."""
        now, now_s = self.clock.now(), self._tasks.now_s
        # A real worker asks once a second, whether it has anything to do or not.
        self.guard.judge(now, self._store.database_at(), now)
        if not self.guard.is_trusted():
            return False
        wanted = [loop for loop, at in agenda.times.items() if at is not None and at <= now]
        for loop in wanted:
            if now_s >= self._from_s.get(loop, 0.0):
                self._from_s[loop] = now_s + PAUSES_S.get(loop, 0.0)
                self.start(loop)
        return bool(wanted)

    async def take_page(self, page: Page) -> int:
        """Hand a page to its room; with the ledger away it is dropped, and its letters are sent again later."""
        if not self.guard.is_trusted():
            return 0
        try:
            return await deliver(self.reach, self.house.rooms[page.topic], page.ids, self.clock.now())
        except LedgerError:
            await Pause(1)
            return 0

    async def _consume(self, page: Page) -> None:
        try:
            await self.take_page(page)
        except Exception as error:  # noqa: BLE001 - whatever it is, the night has to tell it.
            self._keep("consumer", error)

    async def _run(self, loop: str) -> None:
        loops: dict[str, Callable[[], Awaitable[object]]] = {
            "pump": self.pump.run_once,
            "sweep": self.pump.sweep,
            "dial": self._dial,
            "recover": self.house.dialler.recover,
            "seal": self._seal,
            **{f"tick {room.name}": partial(self._tick, room) for room in self.house.timed},
        }
        life = self._lives
        try:
            if self.guard.is_trusted():
                await loops[loop]()
        except LedgerError:
            await Pause(1)
        except Exception as error:  # noqa: BLE001 - as above.
            self._keep(loop, error)
            await Pause(1)
        finally:
            if life == self._lives:
                self._running.discard(loop)

    async def _tick(self, room: Timed) -> int:
        due_at = await self.reach.look(room.next_due_at)
        if due_at is None or due_at > self.clock.now():
            return 0
        return await self.reach.run(partial(self._tick_room, room))

    def _tick_room(self, room: Timed, step: FullStep) -> int:
        return room.tick(step, self.clock.now(), TICK_MAX)

    async def _dial(self) -> int:
        placed = await self.house.dialler.run_once()
        return placed + await self.house.dialler.hang_up()

    async def _seal(self) -> int:
        now = self.clock.now()
        if await self.reach.run(lambda step: step.lease("sealer", self.house.owner, now, 15)):
            await self.reach.run(lambda step: write_next_seal(step, now))
        return 0

    def _keep(self, where: str, error: Exception) -> None:
        self.raised.append(f"{self.name} {where}: {type(error).__name__}: {error}")
