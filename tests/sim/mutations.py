"""Bugs on purpose: each breaks one thing in the rooms that the laws of the simulated nights must notice.

This is the one place where our own code is patched: that a night finds the bug is the point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from agents.callout import agent as callout_agent
from agents.callout import decide as callout_decide
from agents.callout.course import CalloutReason, Course
from agents.callout.state import CALLOUTS, CalloutState
from agents.dial import budget, claim, claiming, dialler, hear, lost, target
from agents.dial.state import ATTEMPTS
from agents.plan import decide as plan_decide
from agents.plan.state import ROUNDS
from streams import clock_guard, pump
from streams.ids import make_id
from streams.ledger import memory, shelves
from streams.ledger.columns import saved
from streams.ledger.contract import Where
from streams.rooms import Decision
from streams.sim import worker
from streams.sim.calls import HINDERING
from streams.sim.faults import LONG_S, Fault, faults_of, faulty_s_of
from streams.sim.people import asks_people
from streams.sim.script import DRILL, script_of
from streams.sim.world import FAR
from streams.words import Colour, MsgType, Outcome

Patch = pytest.MonkeyPatch


def anything(seed: int) -> bool:
    return True


def with_faults(*kinds: Fault) -> Callable[[int], bool]:
    return lambda seed: set(kinds) <= faults_of(seed)


def with_a_stop(seed: int) -> bool:
    events = script_of(seed, faults_of(seed))
    stops = any(event.kind in ("cancel", "correct") for event in events)
    return stops or any(event.facts.get("kind") is MsgType.CANCEL for event in events)


def with_a_pause(seed: int) -> bool:
    return any(event.kind == "pause" for event in script_of(seed, faults_of(seed)))


def with_a_drill(seed: int) -> bool:
    return any(event.facts.get("realm") == DRILL for event in script_of(seed, faults_of(seed)))


def long_ones(seed: int) -> bool:
    return faulty_s_of(seed) == LONG_S


def unhindered(seed: int) -> bool:
    return faults_of(seed).isdisjoint(HINDERING)


@dataclass(frozen=True)
class Mutation:
    """A bug, how it is put in, and which nights can notice it at all."""

    name: str
    put_in: Callable[[Patch], None]
    nights: Callable[[int], bool] = anything


def close_at_publishing(patch: Patch) -> None:
    async def close_all(self, letters):
        ids, wall = [letter.id for letter in letters], self._clock.wall()
        await self._ledger.run(lambda step: step.mark_published(ids, wall, close=True))

    patch.setattr(pump.Pump, "_close_outgoing", close_all)


def skip_the_version_check(patch: Patch) -> None:
    def save(self, table, rows):
        shelf = self._shelf(table)
        for row in rows:
            shelf.put(row.id, saved(row))

    patch.setattr(memory.MemoryStep, "save", save)


def claim_without_a_new_version(patch: Patch) -> None:
    patch.setattr(claiming.Claim, "_change", lambda self, callout, **changes: callout.model_copy(update=changes))


def claim_without_the_attempt(patch: Patch) -> None:
    change = claiming.Claim._change

    def forget(self, callout, **changes):
        return change(self, callout, **{key: value for key, value in changes.items() if key != "attempt_id"})

    patch.setattr(claiming.Claim, "_change", forget)


def ignore_the_stop(patch: Patch) -> None:
    def look(self, one, limit, stopped, *which):
        seen = self._wanted(one.step, one.channel, one.now, limit, which)
        one.place(seen, one.step.load(ROUNDS, {row.round_id for row in seen}))
        return len(seen)

    # The claim alone ignores it for a moment only: what is stopped is closed by letters soon.
    leave_stopped_callouts_open(patch)
    patch.setattr(claim.ClaimDesk, "_look", look)


def ignore_the_pause(patch: Patch) -> None:
    def wanted(self, step, channel, now, limit, which=()):
        return step.find(CALLOUTS, Where(target.column_of(channel), "<=", now), order=("opened_at",), limit=limit)

    patch.setattr(claim.ClaimDesk, "_wanted", wanted)


def two_calls_at_once(patch: Patch) -> None:
    patch.setattr(budget, "may_ring_at", lambda history, severity, budget, now, *, rise=False, real=False: now)


def voicemail_counts(patch: Patch) -> None:
    after = callout_decide._after

    def count(course, ended):
        if ended.outcome is Outcome.VOICEMAIL:
            course.close(CalloutState.HEARD, CalloutReason.HEARD_COUNTS)
            return CalloutReason.HEARD_COUNTS
        return after(course, ended)

    patch.setattr(callout_decide, "_after", count)


def hanging_up_confirms(patch: Patch) -> None:
    outcome_of, tell = hear.outcome_of, hear._tell

    def confirm(attempt):
        outcome = outcome_of(attempt)
        return Outcome.CONFIRMED if outcome is Outcome.HUNG_UP_EARLY else outcome

    def lie(attempt, callout_id, now):
        return tell(attempt.model_copy(update={"played_at": now, "key_at": now}), callout_id, now)

    patch.setattr(hear, "outcome_of", confirm)
    patch.setattr(hear, "_tell", lie)


def drop_the_realm(patch: Patch) -> None:
    patch.setattr(plan_decide, "make_id", lambda realm, kind, *parts: make_id("real", kind, *parts))


def forget_when_to_look_again(patch: Patch) -> None:
    ring_again = Course.ring_again

    def forget(self, wait_s, reason, **more):
        came_out = ring_again(self, wait_s, reason, **more)
        if came_out is CalloutReason.RING_AGAIN:
            self.set(due_at=None)
        return came_out

    patch.setattr(Course, "ring_again", forget)


def take_and_handle_apart(patch: Patch) -> None:
    async def deliver(ledger, room, letter_ids, now):
        letters = await ledger.run(lambda step: step.take(letter_ids, now))
        if letters:
            await ledger.run(lambda step: room.handle(letters, step, now))
        return len(letters)

    patch.setattr(worker, "deliver", deliver)


def never_ask_for_lost_claims(patch: Patch) -> None:
    patch.setattr(dialler, "take_lost", lambda step, now, wall, owner: [])


def dial_again_at_once(patch: Patch) -> None:
    patch.setattr(claiming, "LEASE_S", 0.0)


def dial_again_whatever_is_known(patch: Patch) -> None:
    def again(step, attempt_id, now):
        attempt = step.load(ATTEMPTS, [attempt_id])[attempt_id]
        step.save(ATTEMPTS, [attempt.model_copy(update={"dialled_at": now})])
        return step.load(ATTEMPTS, [attempt_id])[attempt_id]

    patch.setattr(dialler, "dial_again", again)


def tell_nobody_that_nobody_is_there(patch: Patch) -> None:
    def forget(self, callout, why):
        self._change(callout, **{target.column_of(self.channel): None})

    patch.setattr(claiming.Claim, "_nobody", forget)


def send_nobody_to_the_door(patch: Patch) -> None:
    patch.setattr(Course, "_to_visits", lambda self, message: None)


def never_send_again(patch: Patch) -> None:
    async def nothing(self):
        return 0

    patch.setattr(pump.Pump, "sweep", nothing)


def skip_a_step_of_the_ladder(patch: Patch) -> None:
    def advance(self, reason):
        return self.enter(self.callout.step + 2, reason)

    patch.setattr(Course, "advance", advance)


def silence_takes_the_key_back(patch: Patch) -> None:
    patch.setattr(lost, "KEYS", {})


def leave_stopped_callouts_open(patch: Patch) -> None:
    decide_due, decide_opening = callout_agent.decide_due, callout_agent.decide_opening

    def due(callout, now, facts, *, paused_until=None, stopped=""):
        return decide_due(callout, now, facts, paused_until=paused_until)

    def opening(callout, page, one, now, facts, stopped=""):
        return decide_opening(callout, page, one, now, facts)

    patch.setattr(callout_decide, "_stopped", lambda course, message: Decision(CalloutReason.ALREADY_CLOSED))
    patch.setattr(callout_agent, "decide_due", due)
    patch.setattr(callout_agent, "decide_opening", opening)


def join_a_drill_to_the_real_thing(patch: Patch) -> None:
    def join(self, spoken, target, others):
        posts = self.desk.facts.county.posts_of_number(target.phone.number, self.now)
        more = [item for post in posts for item in others.get(post, ()) if item.id not in self.callouts]
        return [*spoken, *more]

    patch.setattr(claiming.Claim, "_join", join)


def use_up_what_is_kept_for_red(patch: Patch) -> None:
    may_ring_at = budget.may_ring_at

    def as_if_red(history, severity, limits, now, **what):
        return may_ring_at(history, Colour.RED.severity, limits, now, **what)

    patch.setattr(budget, "may_ring_at", as_if_red)


def let_stopped_calls_ring(patch: Patch) -> None:
    record = dialler.record

    async def nothing(self):
        return 0

    def forget(step, answers, now):
        record(step, answers, now)
        return []

    patch.setattr(dialler, "record", forget)
    patch.setattr(dialler.Dialler, "hang_up", nothing)


def read_letters_before_their_time(patch: Patch) -> None:
    due = shelves.LetterShelf._due

    def all_of_them(self, queues, now, topics):
        return due(self, queues, FAR, topics)

    def take(self, letter_ids, at):
        shelf = self._store.letters
        known = [shelf.by_id[letter_id] for letter_id in letter_ids if letter_id in shelf.by_id]
        taken = [envelope for envelope in known if envelope.handled_at is None]
        for envelope in taken:
            shelf.put(envelope.letter.id, envelope._replace(handled_at=at))
        return [envelope.letter for envelope in taken]

    patch.setattr(shelves.LetterShelf, "_due", all_of_them)
    patch.setattr(memory.MemoryStep, "take", take)


def trust_a_wrong_clock(patch: Patch) -> None:
    def judge(self, before, database_at, after):
        self.off_s = 0.0

    patch.setattr(clock_guard.ClockGuard, "judge", judge)


def fetching_confirms(patch: Patch) -> None:
    patch.setattr(hear, "KEYS", {"1": Outcome.CONFIRMED, "2": Outcome.CONFIRMED, "0": Outcome.CANNOT})


def a_text_counts_as_reached(patch: Patch) -> None:
    attempt_ended = callout_decide._attempt_ended

    def count(course, ended):
        if ended.outcome is Outcome.TEXT_SENT and course.callout.is_open:
            course.close(CalloutState.HEARD, CalloutReason.HEARD_COUNTS)
            return course.end(CalloutReason.HEARD_COUNTS)
        return attempt_ended(course, ended)

    patch.setattr(callout_decide, "_attempt_ended", count)


def keep_no_pace(patch: Patch) -> None:
    patch.setattr(claiming, "next_slot", lambda next_at, now, per_s, burst_s, used: now - timedelta(seconds=burst_s))


def take_a_letter_twice(patch: Patch) -> None:
    take = memory.MemoryStep.take

    def again(self, letter_ids, at):
        shelf = self._store.letters
        for letter_id in letter_ids:
            envelope = shelf.by_id.get(letter_id)
            if envelope is not None and envelope.handled_at is not None:
                shelf.put(letter_id, envelope._replace(handled_at=None))
        return take(self, letter_ids, at)

    patch.setattr(memory.MemoryStep, "take", again)


def write_half_of_a_step(patch: Patch) -> None:
    patch.setattr(memory._Store, "roll_back", lambda self: self.undo.clear())


def tick_ten_minutes_late(patch: Patch) -> None:
    tick = callout_agent.CalloutRoom.tick

    def late(self, step, now, limit):
        return tick(self, step, now - timedelta(minutes=10), limit)

    patch.setattr(callout_agent.CalloutRoom, "tick", late)


def leave_what_people_wrote(patch: Patch) -> None:
    patch.setattr(callout_decide, "SPOKEN", ())


MUTATIONS = (
    Mutation("a letter is closed when it is published", close_at_publishing),
    Mutation("the version of a row is not checked", skip_the_version_check, with_faults(Fault.OVERLAP)),
    Mutation("a claim leaves its callout and its version as they were", claim_without_a_new_version),
    Mutation("a claim does not note its attempt", claim_without_the_attempt),
    Mutation("a stop is ignored", ignore_the_stop, with_a_stop),
    Mutation("a pause is ignored", ignore_the_pause, with_a_pause),
    Mutation("two calls to one number at once", two_calls_at_once),
    Mutation("voicemail counts as reached", voicemail_counts),
    Mutation("hanging up early confirms", hanging_up_confirms),
    Mutation("the realm is dropped from ids", drop_the_realm, with_a_drill),
    Mutation("when to look again is forgotten", forget_when_to_look_again),
    Mutation("a letter is used up when the ledger is away", take_and_handle_apart, with_faults(Fault.CRASH)),
    Mutation("lost claims are never asked for", never_ask_for_lost_claims, with_faults(Fault.CRASH)),
    Mutation("a claim runs out at once", dial_again_at_once, with_faults(Fault.VENDOR_FORGETS)),
    Mutation(
        "an attempt is dialled again whatever is known",
        dial_again_whatever_is_known,
        with_faults(Fault.VENDOR_DOWN, Fault.VENDOR_FORGETS),
    ),
    Mutation("that nobody is there is told to nobody", tell_nobody_that_nobody_is_there),
    Mutation("nobody is sent to the door", send_nobody_to_the_door),
    Mutation("what was lost on the way is not sent again", never_send_again, with_faults(Fault.LOG_LOSS)),
    Mutation("a step of the ladder is skipped", skip_a_step_of_the_ladder),
    Mutation("silence takes a key back", silence_takes_the_key_back, with_faults(Fault.NEWS_LOST)),
    Mutation(
        "callouts of a stopped round stay open, also those whose page comes later",
        leave_stopped_callouts_open,
        with_a_stop,
    ),
    Mutation("a drill is joined to a real call", join_a_drill_to_the_real_thing, with_a_drill),
    Mutation("what is kept for red is used up", use_up_what_is_kept_for_red, long_ones),
    Mutation("a call that was stopped while the vendor was asked rings on", let_stopped_calls_ring, unhindered),
    Mutation("letters are read before their time", read_letters_before_their_time),
    Mutation("the database's clock is not asked", trust_a_wrong_clock, with_faults(Fault.WRONG_CLOCK)),
    Mutation("fetching counts as confirmed", fetching_confirms),
    Mutation("a text that was sent counts as reached", a_text_counts_as_reached),
    Mutation("no pace is kept", keep_no_pace, unhindered),
    Mutation("a letter is taken twice", take_a_letter_twice, with_faults(Fault.LOG_DOUBLE)),
    Mutation("a step that fails is half written", write_half_of_a_step, with_faults(Fault.OVERLAP)),
    Mutation("due steps are taken ten minutes late", tick_ten_minutes_late),
    Mutation("what people wrote down of their calls counts for nothing", leave_what_people_wrote, asks_people),
)
