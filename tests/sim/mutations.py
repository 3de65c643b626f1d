"""Bugs on purpose: each breaks one thing in the rooms that the laws of the simulated nights must notice.

This is the one place where our own code is patched: that a night finds the bug is the point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from agents.callout import decide as callout_decide
from agents.callout.course import CalloutReason, Course
from agents.callout.state import CALLOUTS, CalloutState
from agents.dial import budget, claim, claiming, dialler, hear, target
from agents.dial.state import ATTEMPTS
from agents.plan import decide as plan_decide
from streams import pump
from streams.ids import make_id
from streams.ledger import memory
from streams.ledger.columns import saved
from streams.ledger.contract import Where
from streams.sim import worker
from streams.sim.faults import Fault, faults_of
from streams.sim.script import DRILL, script_of
from streams.words import MsgType, Outcome

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
    def wanted(self, step, channel, now, limit, which=()):
        column = target.column_of(channel)
        return step.find(CALLOUTS, Where(column, "<=", now), order=("-severity", "opened_at"), limit=limit)

    patch.setattr(claim.ClaimDesk, "_wanted", wanted)


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
    patch.setattr(claim, "LEASE_S", 0.0)


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
    patch.setattr(dialler, "KEYS", {})


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
)
