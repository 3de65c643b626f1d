"""The hands of DIAL: claims in one step, talks to carriers, records in the next. It decides nothing.

Every way this can die is covered by the ledger: before the claim nothing happened; after it the lease runs out and the
carrier is asked what became of the attempt; after the answer was recorded the carrier's news lead on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from agents.dial.carriers.protocol import (
    Carrier,
    CarrierError,
    Dial,
    News,
    Placed,
    RefusedByVendorError,
    VendorBusyError,
    VendorDownError,
)
from agents.dial.claim import ClaimDesk
from agents.dial.claiming import LEASE_S
from agents.dial.health import count_failure, mark_refused, mark_well, pace_id
from agents.dial.hear import end
from agents.dial.lost import TOGETHER_MAX, bring_back, dial_again, end_unless_ended, mark_hung_up, take_lost
from agents.dial.script import dial_of
from agents.dial.state import ATTEMPTS, PACES, Attempt, AttemptState
from agents.plan.state import ROUNDS
from rosters.numbers import number_digest
from streams.clock import Clock
from streams.ledger.contract import Ledger, LedgerError, Step, Where
from streams.letters import CallNews, Letter, write_letter
from streams.rooms import apply, record_troubles, trouble
from streams.topics import CALLS
from streams.words import Channel, Outcome

log = logging.getLogger(__name__)
TRIES_MAX = 3
OVER_AFTER = timedelta(seconds=150)
"""No call of ours goes on for longer: a minute of ringing, then the message with its keys asked three times. From then
on a number is not barred by a vendor who cannot say what became of a call."""
HANG_UP_AGAIN_S = 2.0
PLACE_WITHIN = timedelta(seconds=LEASE_S / 2)
"""How old a claim may be when it is dialled, in real time: the vendor has the other half of the lease to answer in."""
WAITING_MAX = 1000
CROWD_MIN = 200
TEXTS_WAIT_MAX = 20
"""So many large claims of calls may follow each other before a claim of texts has its turn."""


@dataclass(frozen=True)
class Answer:
    """What a carrier said when it was asked to place an attempt, or what became of one.

    `dialled_at` says which dialling of the attempt a failure speaks of. Neither placed nor failed: it was not asked.
    """

    attempt_id: str
    placed: Placed | None = None
    error: CarrierError | None = None
    dialled_at: datetime | None = None


@dataclass
class Dialler:
    """Dials for one worker.

    Args:
        ledger: Where claims and answers are written.
        desk: What claims.
        clock: Where time comes from.
        in_turn: Place one after the other instead of together: in virtual time there is no event loop.
        on_answer: Called when a carrier answered `keep_dialling`, so that the answer is recorded at once.
        crowd_min: From so many calls claimed at once on, texts wait: a call is what wakes.
    """

    ledger: Ledger
    desk: ClaimDesk
    clock: Clock
    in_turn: bool = False
    on_answer: Callable[[], None] = field(default=lambda: None, repr=False)
    crowd_min: int = CROWD_MIN
    _waiting: set[asyncio.Task[Answer]] = field(default_factory=set, init=False, repr=False)
    _carriers: Mapping[str, Carrier] = field(init=False)
    _hang_up_from: datetime = field(init=False)
    _doubted: frozenset[str] = field(default=frozenset(), init=False, repr=False)
    _is_crowded: bool = field(default=False, init=False)
    _texts_waited: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._carriers = {carrier.name: carrier for carrier in self.desk.carriers}
        self._hang_up_from = self.clock.wall()

    async def run_once(self) -> int:
        """Claim and dial what wants to be dialled now; return how many attempts were placed."""
        placed = 0
        for channel in (Channel.VOICE, Channel.TEXT):
            claimed_at = self.clock.wall()
            dials = await self._claim_for(channel)
            placed += len(dials)
            await self._place_all(dials, claimed_at)
        return placed

    async def keep_dialling(self) -> int:
        """Claim and begin to dial what wants to be dialled now, and record what carriers answered meanwhile.

        A carrier that takes seconds to answer holds up neither the next claim nor the answers of the others.

        Returns:
            How many attempts were begun or recorded.
        """
        done = await self._record_answers()
        for channel in (Channel.VOICE, Channel.TEXT):
            if len(self._waiting) < WAITING_MAX and not self._goes_later(channel):
                claimed_at = self.clock.wall()
                dials = await self._claim_for(channel)
                if channel is Channel.VOICE:
                    self._is_crowded = len(dials) >= self.crowd_min
                for dial in dials:
                    task = asyncio.ensure_future(self._place(dial, claimed_at))
                    task.add_done_callback(lambda _: self.on_answer())
                    self._waiting.add(task)
                    done += 1
        # One turn of the loop is all that a carrier in this process needs to answer.
        await asyncio.sleep(0)
        return done + await self._record_answers()

    def _goes_later(self, channel: Channel) -> bool:
        """Let texts wait while hundreds of calls are claimed at once: a call is what wakes. Never for long."""
        if channel is Channel.VOICE:
            return False
        later = self._is_crowded and self._texts_waited < TEXTS_WAIT_MAX
        self._texts_waited = self._texts_waited + 1 if later else 0
        return later

    async def settle(self, within_s: float) -> None:
        """Wait for carriers that were asked already, and record what they answer; the rest is found by its lease."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=within_s)
            await self._record_answers()
        for task in self._waiting:
            task.cancel()

    async def _record_answers(self) -> int:
        answered = [task for task in self._waiting if task.done()]
        await self._write_down([task.result() for task in answered])
        self._waiting.difference_update(answered)
        return len(answered)

    async def _claim_for(self, channel: Channel) -> list[Dial]:
        if not await self.ledger.look(partial(self._is_wanted, channel)):
            return []
        return await self.ledger.run(partial(self._claim, channel))

    async def recover(self) -> int:
        """Ask carriers about claims whose lease ran out, and about calls that no news came of; return how many."""
        now, wall = self.clock.now(), self.clock.wall()
        lost, self._doubted = await self.ledger.run(partial(self._take_lost, now, wall))
        for attempt in lost:
            try:
                await self._ask_again(attempt)
            except LedgerError:
                raise
            except Exception:
                # The others must still be asked about; this one is taken up again when its lease runs out.
                log.exception("what became of an attempt at %s cannot be found out", attempt.carrier)
        return len(lost)

    def _take_lost(self, now: datetime, wall: datetime, step: Step) -> tuple[list[Attempt], frozenset[str]]:
        # First, so that a carrier is asked about a call by a time at which it can have begun.
        doubted = bring_back(step, self._doubted, now, wall)
        return take_lost(step, now, wall, self.desk.owner), doubted

    async def hang_up(self) -> int:
        """Hang up calls that nothing depends on any more; return how many."""
        wall = self.clock.wall()
        if wall < self._hang_up_from:
            return 0
        stopped = await self.ledger.look(
            lambda step: step.find(
                ATTEMPTS, Where("stop", "=", True), Where("state", "=", AttemptState.PLACED), limit=TOGETHER_MAX
            )
        )
        over = [attempt.id for attempt, ended in zip(stopped, await self._end_calls(stopped), strict=True) if ended]
        if over:
            now = self.clock.now()
            await self.ledger.run(lambda step: mark_hung_up(step, over, now))
        if len(over) < len(stopped):
            # One that the vendor could not end may still be answered: it stays as it is, and is tried again soon.
            self._hang_up_from = wall + timedelta(seconds=HANG_UP_AGAIN_S)
        return len(over)

    async def _place_all(self, dials: Sequence[Dial], claimed_at: datetime) -> None:
        """Place attempts together, and record answers as they come, many in one step where they come together."""
        if self.in_turn:
            await self._write_down([await self._place(dial, claimed_at) for dial in dials])
            return
        waiting = {asyncio.ensure_future(self._place(dial, claimed_at)) for dial in dials}
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await self._write_down([task.result() for task in done])

    async def _write_down(self, answers: Sequence[Answer]) -> None:
        """Record answers, and hang up those that were stopped while the carrier was asked."""
        asked = [answer for answer in answers if answer.placed is not None or answer.error is not None]
        if asked:
            for carrier, vendor_id in await self.ledger.run(partial(self._record, asked)):
                await self._end_call(carrier, vendor_id)

    def _is_wanted(self, channel: Channel, step: Step) -> bool:
        return self.desk.is_wanted(step, channel, self.clock.now())

    def _claim(self, channel: Channel, step: Step) -> list[Dial]:
        return self.desk.claim(step, channel, self.clock.now(), self.clock.wall())

    def _record(self, answers: Sequence[Answer], step: Step) -> list[tuple[str, str]]:
        return record(step, answers, self.clock.now())

    async def _place(self, dial: Dial, claimed_at: datetime | None = None) -> Answer:
        if claimed_at is not None and self.clock.wall() - claimed_at > PLACE_WITHIN:
            # This worker stood still: whoever takes the claim over when its lease ends must be the only one to dial.
            log.warning("a claim became too old to be dialled; it is looked up when its lease runs out")
            return Answer(dial.attempt_id, dialled_at=dial.at)
        carrier = self._carriers.get(dial.carrier)
        if carrier is None or not carrier.may_dial(dial.number):
            refused = RefusedByVendorError(
                f"carrier {dial.carrier} may not dial this number any more", outcome=Outcome.BARRED
            )
            return Answer(dial.attempt_id, error=refused, dialled_at=dial.at)
        try:
            return Answer(dial.attempt_id, placed=await carrier.place(dial))
        except CarrierError as error:
            log.warning("carrier %s: %s", carrier.name, error)
            return Answer(dial.attempt_id, error=error, dialled_at=dial.at)
        except Exception:
            # A fault of ours in a carrier: whether it was placed is not known, and the others' answers must be kept.
            log.exception("carrier %s failed in a way it should not", carrier.name)
            fault = VendorDownError("a fault in the carrier's code")
            return Answer(dial.attempt_id, error=fault, dialled_at=dial.at)

    async def _ask_again(self, attempt: Attempt) -> None:
        number = self._number_of(attempt)
        carrier = self._carriers.get(attempt.carrier)
        if number is None or carrier is None:
            await self._give_up(attempt, Outcome.NO_NEWS)
            return
        dial = dial_of(attempt, number)
        try:
            found = await carrier.look_up(dial, attempt.vendor_id)
        except CarrierError as error:
            log.warning("carrier %s cannot be asked: %s", carrier.name, error)
            await self.ledger.run(partial(self._could_not_ask, attempt))
            return
        if found is not None and (found.to_come or attempt.state is AttemptState.CLAIMED):
            await self.ledger.run(lambda step: record(step, [Answer(attempt.id, placed=found)], self.clock.now()))
        elif attempt.state is AttemptState.PLACED:
            await self._give_up(attempt, Outcome.NO_NEWS)
        elif attempt.tries >= TRIES_MAX:
            await self._give_up(attempt, Outcome.VENDOR_FAILED)
        else:
            claimed_at = self.clock.wall()
            again = await self.ledger.run(partial(dial_again, attempt_id=attempt.id, now=self.clock.now()))
            if again is not None:
                await self._place_all([dial_of(again, number)], claimed_at)

    def _could_not_ask(self, attempt: Attempt, step: Step) -> None:
        """Count it against the carrier, and end a call that must be over, so that another carrier may ring."""
        now = self.clock.now()
        count_failure(step, attempt.carrier, attempt.channel, now)
        if now >= attempt.dialled_at + OVER_AFTER:
            claimed = attempt.state is AttemptState.CLAIMED
            end_unless_ended(step, attempt.id, Outcome.VENDOR_FAILED if claimed else Outcome.NO_NEWS, now)

    async def _give_up(self, attempt: Attempt, outcome: Outcome) -> None:
        now = self.clock.now()
        await self.ledger.run(lambda step: end_unless_ended(step, attempt.id, outcome, now))

    async def _end_calls(self, attempts: Sequence[Attempt]) -> list[bool]:
        if self.in_turn:
            return [await self._end_call(attempt.carrier, attempt.vendor_id) for attempt in attempts]
        return await asyncio.gather(*(self._end_call(attempt.carrier, attempt.vendor_id) for attempt in attempts))

    async def _end_call(self, carrier_name: str, vendor_id: str) -> bool:
        """Hang up; False where the vendor did not answer."""
        carrier = self._carriers.get(carrier_name)
        if carrier is None or not vendor_id:
            return True
        try:
            await carrier.hang_up(vendor_id)
        except RefusedByVendorError as error:
            log.warning("carrier %s does not let us hang up: %s", carrier_name, error)
        except CarrierError as error:
            log.warning("carrier %s could not hang up: %s", carrier_name, error)
            return False
        return True

    def _number_of(self, attempt: Attempt) -> str | None:
        """Find the number of an attempt in the roster again; it is not kept in the ledger."""
        person = self.desk.facts.county.people.get(attempt.person_id)
        for phone in person.phones if person else ():
            if number_digest(phone.number, self.desk.number_key) == attempt.number_key:
                return phone.number
        return None


def record(step: Step, answers: Sequence[Answer], now: datetime) -> list[tuple[str, str]]:
    """Write down what carriers answered; return (carrier, vendor id) of calls to hang up because they were stopped."""
    attempts = step.load(ATTEMPTS, [answer.attempt_id for answer in answers])
    rounds = step.load(ROUNDS, {round_id for attempt in attempts.values() for round_id in attempt.rounds})
    to_hang_up: list[tuple[str, str]] = []
    placed_rows: list[Attempt] = []
    news: list[Letter] = []
    took: set[tuple[str, Channel]] = set()
    for answer in answers:
        attempt = attempts[answer.attempt_id]
        if answer.placed is None:
            # A worker that stood still speaks of a dialling that another took over since: that one's answer counts.
            if attempt.state is AttemptState.CLAIMED and answer.dialled_at in (None, attempt.dialled_at):
                _failed(step, attempt, answer.error, now)
            continue
        placed = answer.placed
        took.add((attempt.carrier, attempt.channel))
        stopped = attempt.stop or all(rounds[round_id].stopped_at is not None for round_id in attempt.rounds)
        if stopped and attempt.channel is Channel.VOICE:
            to_hang_up.append((attempt.carrier, placed.vendor_id))
        state = AttemptState.PLACED if attempt.state is AttemptState.CLAIMED else attempt.state
        update = {"vendor_id": placed.vendor_id, "state": state, "stop": attempt.stop or stopped}
        placed_rows.append(attempt.model_copy(update=update))
        news += [_news_letter(attempt, item, now) for item in placed.to_come if not _is_ringing(item)]
    step.save(ATTEMPTS, placed_rows)
    step.write(news)
    mark_well(step, took)
    return to_hang_up


def _failed(step: Step, attempt: Attempt, error: CarrierError | None, now: datetime) -> None:
    """Handle a refusal: a busy vendor is slowed down for, a refusal ends the attempt, a silent one is looked up."""
    if isinstance(error, VendorBusyError):
        wait = timedelta(seconds=error.retry_after_s or 1.0)
        name = pace_id(attempt.carrier, attempt.channel)
        pace = step.load(PACES, [name]).get(name)
        if pace is not None:
            step.save(PACES, [pace.model_copy(update={"next_at": max(pace.next_at, now + wait)})])
        end_unless_ended(step, attempt.id, Outcome.VENDOR_BUSY, now)
        return
    if isinstance(error, RefusedByVendorError):
        coded = attempt.model_copy(update={"vendor_code": error.vendor_code})
        decision = end(coded, error.outcome, now)
        apply(step, ATTEMPTS, [decision.state], [decision])
        if error.outcome is Outcome.VENDOR_FAILED:
            mark_refused(step, attempt.carrier, attempt.channel, now)
            record_troubles(step, [trouble("vendor_refused", f"real|vendor|{attempt.carrier}", str(error), now)])
        return
    # It may or may not have been placed: the claim's lease runs out, and then the carrier is asked.
    count_failure(step, attempt.carrier, attempt.channel, now)
    text = f"线路 {attempt.carrier} 无应答"
    record_troubles(step, [trouble("vendor_down", f"real|vendor|{attempt.carrier}", text, now)])


def _is_ringing(news: News) -> bool:
    """Tell whether news only say that it rings: nothing follows from that, so it is not worth a letter."""
    return isinstance(news, CallNews) and news.progress == "ringing"


def _news_letter(attempt: Attempt, news: News, now: datetime) -> Letter:
    """Write what a carrier knows already as a letter that is held back until it happens."""
    mark = news.seq if isinstance(news, CallNews) else news.at.isoformat()
    return write_letter(CALLS, attempt.id, news, now, cause=f"{attempt.id}:{mark}", not_before=news.at)
