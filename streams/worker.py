"""One worker process: the rooms as Faust agents, and the pump, ticker, dialler and sealer that work from the ledger.

The loops need no Kafka and no join: with Kafka away calling goes on. Each loop is a few lines around a room or a
service that is tested elsewhere; a loop that fails says so and goes on, a worker that hangs ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from streams import topics
from streams.app import KafkaLostError, create_app, run_app
from streams.clock_guard import CLOCK_LOOK_S, ClockGuard, tell_clock
from streams.codec import Page, Unreadable
from streams.delivery import deliver
from streams.ends import IN_FORCE_LOOK_S
from streams.garbage import settle_memory
from streams.ids import digest, make_id
from streams.ledger.contract import FullStep, LedgerError, OutdatedError
from streams.ledger.seal import write_next_seal
from streams.letters import DeadLetter, write_letter
from streams.pump import Publisher, Pump, See
from streams.rooms import Timed, record_troubles, trouble
from streams.watchdog import Watchdog
from streams.wiring import House

log = logging.getLogger(__name__)

PUMP_S = 0.03
SWEEP_S = 1.0
DIAL_S = 0.1
TICK_S = 0.2
RECOVER_S = 2.0
SEAL_S = 5.0
TICK_MAX = 500
PAGE_DEADLINE_S = 30.0
HANG_S = 45.0
KAFKA_LOOK_S = 1.0
STOP_GRACE_S = 3.0
LEDGER_AGAIN_S = 1.0
UNREADABLE_TOLD_MAX = 4096


class HungError(RuntimeError):
    """A page took longer than its deadline: the process ends, so that its partitions go to another."""


class Worker:
    """Everything one worker process does."""

    def __init__(
        self,
        house: House,
        *,
        servers: tuple[str, ...],
        embedded: bool,
        see: See,
        guard: ClockGuard | None = None,
        app_id: str = "jiaoying",
    ) -> None:
        self.house = house
        self.servers = servers
        self.embedded = embedded
        self.app_id = app_id
        self.guard = guard
        self.stopping = asyncio.Event()
        self.bell = asyncio.Event()
        house.dialler.on_answer = self.bell.set
        self.publisher = Publisher(servers) if servers else None
        self.pump = Pump(house.ledger, house.clock, self.publisher, house.owner, self.take_page, see)
        self.woken = asyncio.Event()
        self._clock_is_told = False

    async def run(self) -> None:
        """Work until `stopping` is set.

        Raises:
            RuntimeError: Faust crashed or a page hung; the process should end with a failure.
            OutdatedError: Newer rules or records are in force; the process should end, and may be started again.
        """
        settle_memory()
        watchdog = Watchdog(HANG_S)
        loops = [
            self._loop("pump", PUMP_S, self._by_clock(self.pump.run_once), wake=self.woken),
            self._loop("sweep", SWEEP_S, self._by_clock(self.pump.sweep)),
            # A loop for each: what fails in one room's time holds up no other room's.
            *(
                self._loop(
                    f"ticker of {room.name}", self._quick(TICK_S), self._by_clock(partial(self._tick_once, room))
                )
                for room in self.house.timed
            ),
            self._loop("dialler", self._quick(DIAL_S), self._by_clock(self._dial_once), wake=self.bell),
            self._loop("recover", RECOVER_S, self._by_clock(self.house.dialler.recover)),
            self._loop("sealer", SEAL_S, self._by_clock(self._seal_once)),
            self._loop("clock", CLOCK_LOOK_S, self._look_at_clock),
            self._loop("in force", IN_FORCE_LOOK_S, self._look_in_force),
            self._loop("watchdog", 0.5, watchdog.beat),
            self._faust(),
        ]
        watchdog.start()
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            stopped = asyncio.create_task(self.stopping.wait())
            while not self.stopping.is_set():
                done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            # Faust may be in the middle of a join, which it would sit out: what is begun in the ledger is safe anyway.
            await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        finally:
            self.stopping.set()
            watchdog.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._settle()
            if self.publisher is not None:
                await self.publisher.close()

    async def _settle(self) -> None:
        """Record what carriers still answer; an attempt that stays unanswered is found by its lease."""
        try:
            await self.house.dialler.settle(STOP_GRACE_S)
        except LedgerError as error:
            log.error("the ledger is away, carriers will be asked again about calls under way: %s", error)  # noqa: TRY400

    async def take_page(self, page: Page) -> int:
        """Hand a page to its room; with the ledger away the page is dropped and its letters are sent again later.

        Raises:
            HungError: The room took longer than the deadline.
        """
        if not self._clock_is_trusted():
            # A step taken by a wrong clock would call people an hour late; others take the page, or it is sent again.
            return 0
        room = self.house.rooms[page.topic]
        try:
            async with asyncio.timeout(PAGE_DEADLINE_S):
                handled = await deliver(self.house.ledger, room, page.ids, self.house.clock.now())
        except TimeoutError as error:
            raise HungError(f"room {room.name} took longer than {PAGE_DEADLINE_S} s for a page") from error
        except LedgerError as error:
            log.error("the ledger is away, %d letters wait: %s", len(page.ids), error)  # noqa: TRY400 - no bug of ours
            await asyncio.sleep(1)
            return 0
        if handled:
            self.woken.set()
            if page.topic in (topics.PAGES, topics.CALLOUTS):
                self.bell.set()
                self.pump.ring()
        return handled

    async def take_unreadable(self, topic: str, unreadable: Unreadable) -> None:
        """Keep bytes that are no page, with the reason, and tell a person.

        With the ledger away the topic waits: nowhere else are these bytes, and Faust commits them when this returns.
        A process that dies meanwhile is given them again; one that is stopped can only say what they were.
        """
        keep = partial(_keep_unreadable, topic, unreadable, self.house.clock.now())
        try:
            while not await self._is_kept(keep, topic):
                continue
        except asyncio.CancelledError:
            told = b64encode(unreadable.raw[:UNREADABLE_TOLD_MAX]).decode()
            log.critical("stopped while the ledger was away: a message on %s was not kept, in base64: %s", topic, told)
            raise

    async def _is_kept(self, keep: Callable[[FullStep], None], topic: str) -> bool:
        """Try once; after a failure rest a moment before saying so."""
        try:
            await self.house.ledger.run(keep)
        except LedgerError as error:
            log.error("the ledger is away, an unreadable message on %s waits: %s", topic, error)  # noqa: TRY400
            await asyncio.sleep(LEDGER_AGAIN_S)
            return False
        return True

    def _quick(self, wall_s: float) -> float:
        """Return a loop's pause: shorter where the story runs faster than the wall."""
        return wall_s if self.house.clock.speed <= 1 else max(0.03, wall_s / 4)

    async def _loop(
        self, name: str, pause_s: float, work: Callable[[], Awaitable[int]], wake: asyncio.Event | None = None
    ) -> None:
        """Do a piece of work again and again; trouble of the surroundings is waited out, never a reason to stop."""
        while not self.stopping.is_set():
            try:
                done = await work()
            except OutdatedError:
                raise
            except LedgerError as error:
                log.error("%s: the ledger is away: %s", name, error)  # noqa: TRY400 - no bug of ours
                done, pause = 0, 1.0
            except HungError:
                raise
            except Exception:
                # Whatever it is: a worker that ends because of one loop stops all the calling of the others.
                log.exception("%s failed, goes on in a second", name)
                done, pause = 0, 1.0
            else:
                pause = 0.0 if done else pause_s
            await self._rest(pause, wake)

    async def _rest(self, pause_s: float, wake: asyncio.Event | None) -> None:
        if wake is None:
            await asyncio.sleep(pause_s)
            return
        if not wake.is_set() and pause_s:
            try:
                await asyncio.wait_for(wake.wait(), pause_s)
            except TimeoutError:
                return
        wake.clear()
        # Whatever is due, other loops and other processes get their turn.
        await asyncio.sleep(0)

    async def _tick_once(self, room: Timed) -> int:
        due_at = await self.house.ledger.look(room.next_due_at)
        # The clock may have been stepped while the ledger was asked, and again before the step has its turn: it is
        # read here, looked at after that, and handed to the step.
        now = self.house.clock.now()
        if due_at is None or due_at > now or not self._clock_is_trusted():
            return 0
        done = await self.house.ledger.run(partial(room.tick, now=now, limit=TICK_MAX))
        if done:
            self.woken.set()
            self.bell.set()
        return done

    async def _dial_once(self) -> int:
        placed = await self.house.dialler.keep_dialling()
        await self.house.dialler.hang_up()
        return placed

    def _by_clock(self, work: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
        """Let a loop do nothing while the clock is not trusted.

        A clock that is ahead would give up on people and call them twice, take the leases of others for over and write
        its own an hour into the future; one that is behind would let everybody wait.
        """

        async def when_trusted() -> int:
            return await work() if self._clock_is_trusted() else 0

        return when_trusted

    def _clock_is_trusted(self) -> bool:
        return self.guard is None or self.guard.is_trusted()

    async def _look_at_clock(self) -> int:
        """Compare the clock with the database's, and tell people where it is off: once each time it goes wrong."""
        if self.guard is None:
            return 0
        await self.guard.compare(self.house.ledger.database_at)
        off_s = 0.0 if self.guard.is_trusted() else self.guard.offset_s()
        if off_s and not self._clock_is_told:
            log.error("the clock is off by %+.1f s: this worker neither ticks nor claims until it is set right", off_s)
            then = "该工作进程已停止计时和拨号，由其他进程继续"
            await self.house.ledger.run(
                partial(tell_clock, self.house.owner, off_s, then, self.house.clock.now() - self._story(off_s))
            )
        elif self._clock_is_told and not off_s:
            log.warning("the clock is right again: this worker goes on")
        self._clock_is_told = bool(off_s)
        return 0

    def _story(self, wall_s: float) -> timedelta:
        return timedelta(seconds=wall_s * self.house.clock.speed)

    async def _look_in_force(self) -> int:
        """Take a step that does nothing: an idle worker hears as soon as a busy one that it was outdated."""
        await self.house.ledger.run(_nothing)
        return 0

    async def _seal_once(self) -> int:
        wall, now = self.house.clock.wall(), self.house.clock.now()
        leased = await self.house.ledger.run(lambda step: step.lease("sealer", self.house.owner, wall, SEAL_S * 3))
        if not leased:
            return 0
        await self.house.ledger.run(partial(_seal, now))
        return 0

    async def _faust(self) -> None:
        """Run the Faust app while Kafka answers; without Kafka the pump hands letters over directly.

        A broker that comes and goes must not end the process: calling needs none, and goes on meanwhile.
        """
        while self.publisher is not None and not self.stopping.is_set():
            # That somebody listens there is not enough: what the producer reached is a broker.
            if self.publisher.is_well:
                app = create_app(
                    self.app_id,
                    self.servers,
                    self.take_page,
                    self.take_unreadable,
                    self.bell.set,
                    embedded=self.embedded,
                )
                try:
                    await run_app(app, self.stopping)
                except KafkaLostError as error:
                    log.warning("Kafka went away, the rooms work from the ledger until it is back: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), KAFKA_LOOK_S)
        await self.stopping.wait()


def _nothing(_step: FullStep) -> None:
    """Do nothing; the ledger asks before each step whether it may be taken."""


def _seal(now: datetime, step: FullStep) -> None:
    write_next_seal(step, now)


def _keep_unreadable(topic: str, unreadable: Unreadable, now: datetime, step: FullStep) -> None:
    """Write a dead letter for bytes on a topic; the same bytes are one dead letter."""
    mark = digest(topic, unreadable.raw.hex())
    raw_id = make_id("real", "raw", topic, mark)
    step.keep_raw(raw_id, unreadable.raw, at=now, door=f"kafka:{topic}", media_type="application/octet-stream")
    dead = DeadLetter(door=f"kafka:{topic}", reason=unreadable.reason, raw_id=raw_id, at=now)
    step.write([write_letter(topics.DEAD_LETTERS, f"real|topic|{topic}", dead, now, cause=mark)])
    text = f"主题 {topic} 上有一条读不懂的消息，已存入死信：{unreadable.reason[:120]}"
    record_troubles(step, [trouble("dead_letter", f"real|topic|{topic}|{mark}", text, now)])
