"""A night: everything together, from its first warning until nothing moves any more.

Faults strike and things come in for a quarter of an hour, or for 35 minutes; then all of it heals, and the night goes
on until everything rests or it is far too late for that. What the night saw in true time is kept for `laws.py` and
`calls.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from agents.callout.state import CALLOUTS, OPEN
from agents.dial.carriers.protocol import News
from agents.dial.state import ATTEMPTS, AttemptState
from agents.facts import Facts
from streams import topics
from streams.clock_guard import CLOCK_OFF_S
from streams.ledger.contract import FullStep, R, Table, Where
from streams.ledger.memory import MemoryLedger
from streams.letters import CallNews, write_letter
from streams.sim.county import START, county_of, habits_of, rules
from streams.sim.faults import Chance, Fault, faulty_s_of
from streams.sim.log import Log
from streams.sim.network import FIRST, SECOND, Network
from streams.sim.people import People, with_people
from streams.sim.script import Event, letters_of
from streams.sim.seen import Seen
from streams.sim.store import Store, Write
from streams.sim.tasks import Pause, Tasks
from streams.sim.worker import Agenda, SimWorker, letters_ahead, rows_ahead
from streams.wiring import TABLES

REST_S = 4 * 3600
LOOK_S = 300.0
LATE_S = 240.0
ALL_TABLES = frozenset(table.name for table in TABLES)
WORKERS = 3
HEAR_AGAIN_S = 7.0
GAP_S = 1.0
FAR = START + timedelta(days=30)


class World:
    """One night of a seed."""

    def __init__(self, seed: int, faults: frozenset[Fault], events: Sequence[Event]) -> None:
        """Take the seed, which kinds of faults it has, and what comes in."""
        self.seed, self.faults, self.events = seed, faults, events
        self.faulty_s = faulty_s_of(seed)
        self.tasks = Tasks(START)
        self.ledger = MemoryLedger(TABLES)
        self.seen = Seen()
        self.history: list[tuple[float, str]] = []
        self.editions = [Facts(county_of(seed), with_people(rules(), seed))]
        self.healed = False
        self.crashes = 0
        self.died_at: Counter[str] = Counter()
        self.late: set[str] = set()
        self._chance = Chance(seed, "world")
        self._turns = 0
        self._turn_s = 0.0
        self._gap_s = GAP_S
        self._commits = 0
        self._agenda = Agenda({})
        self._letters_read = -1
        self.store = Store(self.ledger, self._committed, lambda: self.tasks.now, saved=set(ALL_TABLES))
        self.people = People(seed, self.tasks, self.store)
        self.log = Log(self.tasks, Chance(seed, "log"), self._hand)
        self.network = Network(self.tasks, seed, habits_of(seed), self._hear)
        if Fault.VENDOR_OUTAGE in faults:
            self.network.vendors = (FIRST, SECOND)
        self.log.faults = self.network.faults = faults
        self.workers = [self._new_worker(f"w{n}") for n in range(1, WORKERS + 1)]

    def run(self) -> World:
        """Let the night pass."""
        for worker in self.workers:
            worker.boot(self.editions[0])
        for nth, event in enumerate(self.events):
            self.tasks.do(event.at_s, lambda event=event, nth=nth: self._come_in(event, nth))  # type: ignore[misc]
        self._plan_faults()
        self.tasks.do(self.faulty_s, self._heal)
        self._turn(0)
        self.tasks.run_until(self.faulty_s)
        while self.tasks.now_s < self.faulty_s + REST_S:
            self.tasks.run_until(self.tasks.now_s + LOOK_S)
            self._note_late()
            if self._is_at_rest():
                break
        self.tasks.close()
        return self

    def find(self, table: Table[R], *where: Where, order: tuple[str, ...] = ()) -> list[R]:
        """Return rows of the ledger."""
        return self.ledger.step(lambda step: step.find(table, *where, order=order, limit=1_000_000))

    def note(self, text: str) -> None:
        """Keep a line of the night's history."""
        self.history.append((self.tasks.now_s, text))

    def crash(self, worker: SimWorker, where: str) -> None:
        """Let a worker die where it stands in its current task; it comes back after a while."""
        self.crashes += 1
        self.died_at[f"{self.tasks.current}, {where}"] += 1
        self.note(f"{worker.name} dies")
        worker.end()
        self.tasks.do(self._chance.between(1, 90), lambda: self._boot(worker))

    def _new_worker(self, name: str) -> SimWorker:
        trials = _Trials(self, Chance(self.seed, name))
        worker = SimWorker(name, self.tasks, self.store, self.log, self.network, trials)
        trials.worker = worker
        if Fault.DRIFT in self.faults:
            worker.clock.off_s = self._chance.between(-1.5, 1.5)
            worker.clock.drift = self._chance.between(-2e-4, 2e-4)
        return worker

    def _boot(self, worker: SimWorker) -> None:
        if not worker.is_gone:
            worker.boot(self.editions[-1])
            self._stir()

    # What comes in

    def _come_in(self, event: Event, nth: int) -> None:
        """Let an event happen; with the database away the sender tries again, as he is told to (503)."""
        if self.store.is_away:
            self.tasks.do(HEAR_AGAIN_S, lambda: self._come_in(event, nth))
            return
        self.note(str(event)[11:])
        if event.kind == "roster":
            self.editions.append(Facts(county_of(self.seed, event.facts["edition"]), with_people(rules(), self.seed)))
            for worker in self.workers:
                self.tasks.do(self._chance.between(0, 120), lambda worker=worker: self._renew(worker))  # type: ignore[misc]
            return
        county = self.editions[-1].county
        self.store.commit(lambda step: step.write(letters_of(event, nth, step, county)))

    def _renew(self, worker: SimWorker) -> None:
        if worker.is_up:
            self._boot(worker)

    def _hear(self, news: News) -> None:
        """Take what the vendor calls back with, as the gateway does: the same news are the same letter."""
        if self.store.is_away:
            self.tasks.do(HEAR_AGAIN_S, lambda: self._hear(news))
            return
        now = self.tasks.now
        if isinstance(news, CallNews):
            letter = write_letter(topics.CALLS, news.attempt_id, news, now, cause=f"{news.attempt_id}:{news.seq}")
        else:
            letter = write_letter(
                topics.CALLS, f"{news.realm}|number|{news.number_key}", news, now, cause=news.vendor_id
            )
        self.store.commit(lambda step: step.write([letter]))

    def _hand(self, topic: str, value: bytes) -> None:
        """Hand a message of the log to a worker that lives; without any it is not taken, and comes never.

        One that stands still keeps its partitions until its session is over.
        """
        now_s = self.tasks.now_s
        alive = [worker for worker in self.workers if worker.is_up and worker.in_group_until_s > now_s]
        if alive:
            self._chance.one_of(alive).hear(topic, value)

    # Faults

    def _plan_faults(self) -> None:
        chance = Chance(self.seed, "windows")
        # All is drawn, so that what is switched off leaves the others where they are.
        late_s = self.faulty_s * 0.7
        away, log_away = chance.between(60, late_s), chance.between(60, late_s)
        restarts = [chance.between(10, self.faulty_s) for _ in range(chance.whole(1, 4))]
        jumps = [(chance.between(30, self.faulty_s - 120), chance.one_of((-3600.0, 3600.0, 30.0))) for _ in range(2)]
        outage_s = chance.between(60, 600)
        wrong_from, wrong_for = chance.between(5, late_s), chance.between(30, self.faulty_s)
        wrong_by = chance.one_of((-3600.0, 3600.0, -30.0, 30.0, 2.6))
        if Fault.LEDGER_AWAY in self.faults:
            self.tasks.do(away, lambda: self._set_ledger(True))
            self.tasks.do(away + chance.between(5, 90), lambda: self._set_ledger(False))
        if Fault.LOG_AWAY in self.faults:
            self.tasks.do(log_away, lambda: self._set_log(True))
            self.tasks.do(log_away + chance.between(10, 200), lambda: self._set_log(False))
        if Fault.LOG_RESTART in self.faults:
            for at_s in restarts:
                self.tasks.do(at_s, self.log.restart)
        if Fault.VENDOR_OUTAGE in self.faults:
            self.tasks.do(away, lambda: self._set_vendor(True))
            self.tasks.do(away + outage_s, lambda: self._set_vendor(False))
        if Fault.WRONG_CLOCK in self.faults:
            worker = chance.one_of(self.workers[:WORKERS])
            self.tasks.do(wrong_from, lambda: self._come_up_wrong(worker, wrong_by))
            self.tasks.do(wrong_from + wrong_for, lambda: self._set_clock(worker, 0.0))
        if Fault.COME_AND_GO in self.faults:
            self._plan_coming_and_going(chance)
        if Fault.JUMP in self.faults:
            for at_s, by_s in jumps:
                worker = chance.one_of(self.workers[:WORKERS])
                self.tasks.do(at_s, lambda worker=worker, by_s=by_s: self._jump(worker, by_s))  # type: ignore[misc]
                self.tasks.do(at_s + 8, lambda worker=worker, by_s=by_s: self._jump(worker, -by_s))  # type: ignore[misc]

    def _set_ledger(self, away: bool) -> None:
        self.note("the database is away" if away else "the database is back")
        self.store.is_away = away and not self.healed
        self._stir()

    def _set_log(self, away: bool) -> None:
        self.note("the log is away" if away else "the log is back")
        self.log.is_away = away and not self.healed

    def _set_vendor(self, is_out: bool) -> None:
        self.note("the first vendor is gone" if is_out else "the first vendor is back")
        self.network.is_out = is_out and not self.healed

    def _come_up_wrong(self, worker: SimWorker, by_s: float) -> None:
        """Let a worker's machine go down and come up with a wrong clock: no step for anybody to see."""
        if not self.healed:
            self.note(f"{worker.name} comes up with a clock that is {by_s:+.1f} s off")
            worker.end()
            worker.clock.off_s = by_s
            self._boot(worker)

    def _set_clock(self, worker: SimWorker, off_s: float) -> None:
        if not self.healed:
            self.note(f"the clock of {worker.name} is set right")
            worker.clock.off_s = off_s

    def _plan_coming_and_going(self, chance: Chance) -> None:
        """Let one more worker come and go again, and one of the others be away for a while."""
        more = self._new_worker(f"w{len(self.workers) + 1}")
        more.is_gone = True
        self.workers.append(more)
        leaving = chance.one_of(self.workers[:-1])
        for worker, from_s, until_s in (
            (more, chance.between(5, self.faulty_s * 0.5), chance.between(self.faulty_s * 0.5, self.faulty_s * 1.2)),
            (leaving, chance.between(5, self.faulty_s * 0.5), chance.between(self.faulty_s * 0.5, self.faulty_s)),
        ):
            comes = worker is more
            self.tasks.do(from_s, lambda worker=worker, comes=comes: self._set_gone(worker, not comes))  # type: ignore[misc]
            self.tasks.do(until_s, lambda worker=worker, comes=comes: self._set_gone(worker, comes))  # type: ignore[misc]

    def _set_gone(self, worker: SimWorker, is_gone: bool) -> None:
        self.note(f"{worker.name} is taken away" if is_gone else f"{worker.name} is put to work")
        worker.is_gone = is_gone
        if is_gone:
            worker.end()
        else:
            self._boot(worker)

    def freeze(self, worker: SimWorker, for_s: float) -> None:
        """Let a whole worker stand still, and go on later as if no time had passed."""
        self.note(f"{worker.name} stands still for {for_s:.0f} s")
        worker.freeze(for_s)

    def _jump(self, worker: SimWorker, by_s: float) -> None:
        if not self.healed:
            self.note(f"the clock of {worker.name} jumps by {by_s:.0f} s")
            # The loops of a real worker look at the guard several times a second; here it is looked at when it matters.
            worker.guard.is_trusted()
            worker.clock.off_s += by_s
            worker.guard.is_trusted()

    def _heal(self) -> None:
        self.note("everything heals")
        self.healed = True
        self.store.is_away = self.log.is_away = False
        self.log.faults = self.network.faults = frozenset()
        self.network.is_out = False
        for worker in self.workers:
            worker.clock.off_s = worker.clock.drift = 0.0
            if not worker.is_up and not worker.is_gone:
                self._boot(worker)
        self._stir()

    # Turns: nothing polls, a turn starts the loops that have something to do

    def _committed(self, writes: list[Write]) -> None:
        self.seen.note(writes, self.tasks.now_s)
        self.people.note(writes)
        closed = [one.args[0] for one in writes if one.verb == "mark_published" and one.named.get("close")]
        if closed:
            self.seen.closed_unread += self.ledger.step(lambda step: _ours(step, closed[0]))
        self._stir()

    def _stir(self) -> None:
        self._gap_s = GAP_S
        if self._turn_s > self.tasks.now_s + 0.5:
            self._plan_turn(self._chance.between(0.05, 0.4))

    def _plan_turn(self, after_s: float) -> None:
        self._turns += 1
        number = self._turns
        self._turn_s = self.tasks.now_s + after_s
        self.tasks.do(after_s, lambda: self._turn(number))

    def _turn(self, number: int) -> None:
        if number != self._turns:
            return
        alive = [worker for worker in self.workers if worker.is_up and not self.tasks.is_frozen(worker.name)]
        busy = False
        if not self.store.is_away:
            for worker in self._chance.shuffled(alive)[: self._chance.whole(1, 2)]:
                busy = worker.start_what(self._look_ahead()) or busy
                if self._chance.happens(0.02):
                    worker.start("seal")
        if self.store.commits != self._commits:
            self._commits, self._gap_s = self.store.commits, GAP_S
        else:
            self._gap_s = min(self._gap_s * 1.7, 15.0)
        self._plan_turn(self._chance.between(0.5, 1.5) * self._gap_s if busy else self._idle_s())

    def _look_ahead(self) -> Agenda:
        """Return when each loop next has something to do; only what was written since is read again."""
        if self._letters_read != self.store.commits:
            self._letters_read = self.store.commits
            self._agenda.times.update(self.ledger.step(lambda step: letters_ahead(step, FAR)))
        if self.store.saved:
            saved = frozenset(self.store.saved)
            self.store.saved.clear()
            timed = self.workers[0].house.timed
            self._agenda.times.update(self.ledger.step(lambda step: rows_ahead(step, timed, saved)))
        return self._agenda

    def _idle_s(self) -> float:
        """Return how long nothing falls due by anybody's clock."""
        at = self._look_ahead().next_at
        if at is None:
            return 600.0
        # A clock that is further off than this is gone by nowhere.
        ahead_s = max(worker.clock.off_s for worker in self.workers if worker.clock.off_s <= CLOCK_OFF_S)
        return min(600.0, max(self.tasks.seconds(at) - ahead_s - self.tasks.now_s, self._gap_s))

    def _note_late(self) -> None:
        """Note what lies about though everything has healed: nothing may wait longer than the longest back-off."""
        then = self.tasks.at(self.tasks.now_s - LATE_S)
        if then < self.tasks.at(self.faulty_s):
            return
        ahead = self.ledger.step(lambda step: rows_ahead(step, self.workers[0].house.timed, ALL_TABLES))
        due = self.ledger.step(lambda step: step.open_letters(then, FAR, resend_after_s=0, limit=5))
        # News that were asked for only now are of long ago, and have not waited here.
        letters = [one for one in due if one.at < then]
        # Numbers that wait for their budgets are dialled when they may be: that is nobody's lateness.
        waits = {loop: at for loop, at in ahead.items() if loop != "dial" and at is not None and at < then}
        self.late.update(f"{loop} since {self.tasks.seconds(at):.0f} s" for loop, at in waits.items())
        self.late.update(f"a letter of {one.topic} since {self.tasks.seconds(one.not_before):.0f} s" for one in letters)

    def _is_at_rest(self) -> bool:
        def rests(step: FullStep) -> bool:
            return not (
                step.count_open_letters()
                or any(step.count(CALLOUTS, (), Where("state", "in", OPEN)).values())
                or any(step.count(ATTEMPTS, (), Where("state", "!=", AttemptState.ENDED)).values())
                or any(room.next_due_at(step) for room in self.workers[0].house.timed if room.name == "visit")
            )

        return self.ledger.step(rests)


def _ours(step: FullStep, letter_ids: Sequence[str]) -> list[str]:
    """Return those of the letters that a room of ours has to read."""
    letters = [letter for letter_id in letter_ids if (letter := step.letter(letter_id)) is not None]
    return [letter.id for letter in letters if topics.BY_NAME[letter.topic].reader]


class _Trials:
    """What may happen to a worker between two of its steps."""

    worker: SimWorker

    def __init__(self, world: World, chance: Chance) -> None:
        self._world, self._chance = world, chance

    async def point(self, where: str) -> None:
        """Stand between two steps: wait a moment, stall, or die here."""
        if not self._world.healed:
            faults = self._world.faults
            if Fault.CRASH in faults and self._chance.happens(0.006):
                self._world.crash(self.worker, where)
            elif Fault.STALL in faults and self._chance.happens(0.005):
                stall_s = self._chance.between(20, 200)
                self._world.note(f"{self.worker.name} stalls for {stall_s:.0f} s")
                await Pause(stall_s)
            elif Fault.FREEZE in faults and self._chance.happens(0.002):
                self._world.freeze(self.worker, self._chance.between(20, 200))
        await Pause(self._chance.between(0.001, 0.04))

    def overlap_s(self) -> float:
        """Return how long a step takes from reading to writing."""
        if self._world.healed or Fault.OVERLAP not in self._world.faults or not self._chance.happens(0.15):
            return 0.0
        return self._chance.between(0.01, 1.5)

    def is_doubtful(self) -> bool:
        """Return whether the answer to a commit is lost."""
        doubt = not self._world.healed and Fault.LEDGER_DOUBT in self._world.faults
        return doubt and self._chance.happens(0.01)
