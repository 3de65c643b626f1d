"""What must hold of every night once it rests, whatever happened in it. Each law names what breaks it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.callout.course import SOON_S
from agents.callout.state import ANSWERED, CALLOUTS, OPEN, UNANSWERED, Callout, CalloutState
from agents.dial.state import ATTEMPTS, AttemptState
from agents.intake.state import CHAINS
from agents.plan.state import ROUNDS
from agents.visit.state import VISITS
from config.rules import LadderStep
from streams.ids import realm_of
from streams.ledger.contract import Entry
from streams.ledger.verify import verify
from streams.letters import Mode
from streams.rooms import TROUBLES
from streams.sim import calls, people
from streams.sim.again import a_replay_opens_the_same
from streams.sim.faults import Fault
from streams.sim.world import World
from streams.words import Outcome

FAULTS_OF_OURS = ("dead_letter", "step_failed", "unknown_callout", "unknown_attempt")
BESIDE = ("text_not_sent", "dial_late")
EXCUSES = ("nobody_held", "dial_given_up", "fetch_over")
SHORTENING = (
    Outcome.CANNOT,
    Outcome.FETCHING,
    Outcome.HEARD_NO_KEY,
    Outcome.SWITCHED_OFF,
    Outcome.NO_COVERAGE,
    Outcome.OUT_OF_SERVICE,
    Outcome.WRONG_NUMBER,
    Outcome.BARRED,
)
"""Outcomes after which the next phone or the next person is rung, whatever the step's count."""
TOLD_LATE = ("dial_late", "nobody_held", "vacancy_filled")
TICK_S = 30.0
"""What a tick, a claim and a pace may take from falling due to dialling, where things go wrong."""
VACANT_S = 300.0
"""Whatever goes wrong, a post that nobody holds for so long is found empty."""
CLOCK_S = 4.0
"""How far two clocks may be apart on a night in which clocks drift."""

OVERLAP_S = 3.0
"""The longest a step takes from what it reads to what it writes."""


@dataclass(frozen=True)
class Broken:
    """A law that a night broke, and by what."""

    law: str
    by: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.law}: {self.by}"


def broken_laws(world: World) -> list[Broken]:
    """Return every law that a night broke."""
    laws = (*LAWS, *calls.LAWS, *people.LAWS, a_replay_opens_the_same)
    return [Broken(law.__name__.replace("_", " "), by) for law in laws for by in dict.fromkeys(law(world))]


def the_history_verifies(world: World) -> Iterator[str]:
    """Every chain of entries and every seal is whole."""
    yield from (fault.english for fault in verify(world.ledger).faults)


def no_loop_raises(world: World) -> Iterator[str]:
    """Nothing but trouble of the ledger comes out of a room or a loop."""
    yield from (raised for worker in world.workers for raised in worker.raised)


def nothing_dies_of_itself(world: World) -> Iterator[str]:
    """No letter of ours is unreadable to its room, no step fails: what came in was good."""
    yield from (f"{item.kind} {item.text}" for item in world.find(TROUBLES) if item.kind in FAULTS_OF_OURS)


def every_letter_is_handled_once(world: World) -> Iterator[str]:
    """A letter to a room is closed in its reader's step, once, and nowhere else."""
    for topic, count in world.ledger.step(lambda step: step.count_open_letters()).items():
        yield f"{count} letters of {topic} are open at rest"
    yield from (f"{letter_id} was closed unread" for letter_id in world.seen.closed_unread)
    yield from (f"{letter_id} was handled {n} times" for letter_id, n in world.seen.handled.items() if n != 1)


def no_letter_is_handled_early(world: World) -> Iterator[str]:
    """A letter that is held back is read by nobody before its time, but by a clock that jumps in the very step."""
    if Fault.JUMP not in world.faults:
        yield from (f"{name} was handled before its time" for name in world.seen.early)


def everything_comes_to_rest(world: World) -> Iterator[str]:
    """Once faults heal, no callout and no call stays open."""
    for callout in world.find(CALLOUTS):
        if callout.state in OPEN:
            yield f"{callout.post_id} is {callout.state} at the end ({callout.why or 'open'})"
    for attempt in world.find(ATTEMPTS):
        if attempt.state is not AttemptState.ENDED:
            yield f"a {attempt.channel} attempt is {attempt.state} at the end after {attempt.tries} tries"


def a_stopped_round_goes_no_further(world: World) -> Iterator[str]:
    """Once a round was stopped, nobody in it is given up, sent for, or rung by the next step of a ladder."""
    for callout in world.find(CALLOUTS):
        stopped_s = world.seen.stopped_s.get(callout.round_id)
        if stopped_s is None or Fault.JUMP in world.faults:
            continue
        for entry in _entries(world, callout.id):
            after_s = world.tasks.seconds(entry.at) - stopped_s
            if entry.what in ("step_begun", "gave_up", "dial_given_up") and after_s > CLOCK_S + OVERLAP_S:
                yield f"{callout.post_id}: {entry.what} {after_s:.0f} s after its round was stopped"


def nothing_is_late_once_healed(world: World) -> Iterator[str]:
    """Four minutes after everything healed, every letter, due step and lost claim is taken when its time comes."""
    yield from world.late


def nothing_is_late_in_silence(world: World) -> Iterator[str]:
    """A callout whose first call came later than its ladder says has that in its history."""
    for callout in world.find(CALLOUTS):
        entries = _entries(world, callout.id)
        first = next((one for one in entries if one.what == "dialled" and one.facts["channel"] == "voice"), None)
        if callout.mode is not Mode.CALL or first is None or any(one.what in TOLD_LATE for one in entries):
            continue
        if not world.seen.runs_on(callout.round_id) or "late_s" in first.facts:
            continue
        # Where a person is asked first, the machine's first call is due that much later.
        first_s = callout.ladder.human_first_s if callout.hand_ids else 0
        late_s = (first.at - callout.opened_at).total_seconds() - callout.ladder.dial_within_s - first_s
        if late_s > TICK_S + CLOCK_S:
            yield f"{callout.post_id} was first called {late_s:.0f} s too late, and nothing says so"


def whoever_waits_has_a_time(world: World) -> Iterator[str]:
    """Every open callout has `due_at` in every state that was ever written."""
    yield from world.seen.without_due


def what_is_counted_is_written_down(world: World) -> Iterator[str]:
    """A callout counts as many calls and messages as its history tells: no step was overwritten by another."""
    for callout in world.find(CALLOUTS):
        dialled = [entry.facts["channel"] for entry in _entries(world, callout.id) if entry.what == "dialled"]
        calls, texts = len(dialled) - dialled.count("text"), dialled.count("text")
        told, counted = (calls, texts), (callout.calls, callout.texts)
        if told != counted:
            yield f"{callout.post_id} counts {counted} calls and messages, its history tells {told}"


def every_call_leads_on(world: World) -> Iterator[str]:
    """How the present call of a callout ended is what it goes on from, and is never taken for that of an old one."""
    for callout in world.find(CALLOUTS):
        present = ""
        for entry in _entries(world, callout.id):
            if entry.what == "dialled":
                present = str(entry.facts["attempt"]) if entry.facts["channel"] == "voice" else present
            elif entry.what != "attempt_ended":
                present = present if entry.what in BESIDE else ""
            elif entry.facts["attempt"] == present:
                if entry.why == "old_attempt":
                    yield f"{callout.post_id} took the end of its present call for that of an old one"
                present = ""


def realms_stay_apart(world: World) -> Iterator[str]:
    """The id of everything starts with its realm, and a call speaks for one realm only."""
    of = [(row.id, row.realm) for row in world.find(CHAINS)]
    of += [(row.id, row.realm) for row in world.find(ROUNDS)]
    of += [(row.id, row.realm) for row in world.find(CALLOUTS)]
    of += [(row.id, row.realm) for row in world.find(ATTEMPTS)]
    yield from (f"{row_id} is of the realm {realm}" for row_id, realm in of if realm_of(row_id) != realm)
    for attempt in world.find(ATTEMPTS):
        if {realm_of(callout_id) for callout_id in attempt.callouts} != {attempt.realm}:
            yield f"{attempt.id} speaks for several realms"


def confirmed_means_key_1(world: World) -> Iterator[str]:
    """CONFIRMED: this number was played the whole message and pressed 1, as the telephone itself knows."""
    attempts = {attempt.id: attempt for attempt in world.find(ATTEMPTS)}
    for callout in world.find(CALLOUTS):
        if callout.state is CalloutState.CONFIRMED:
            receipt = callout.receipt
            if receipt is None or receipt.played_at is None or not world.network.pressed(receipt.attempt_id, "1"):
                yield f"{callout.post_id} is confirmed, and nobody pressed 1"
            elif attempts[receipt.attempt_id].outcome is not Outcome.CONFIRMED:
                yield f"{callout.post_id} is confirmed, and its call counts as {attempts[receipt.attempt_id].outcome}"
        if callout.state is CalloutState.HEARD and not callout.ladder.heard_counts:
            yield f"{callout.post_id} counts as heard, which its ladder does not allow"


def every_ladder_is_walked(world: World) -> Iterator[str]:
    """An unanswered callout had each step of its ladder: its calls, its time, or a reason."""
    for callout in world.find(CALLOUTS):
        if callout.state in UNANSWERED and callout.mode is Mode.CALL:
            yield from _left_out(world, callout)


def the_unanswered_are_visited(world: World) -> Iterator[str]:
    """Whoever a ladder could not wake stands on a list that was handed over."""
    lists = {visit.id: visit for visit in world.find(VISITS)}
    troubled = {item.subject for item in world.find(TROUBLES) if item.kind == "no_duty_post"}
    # Who answered a later round of the chain is not sent for because of an earlier one.
    answered = {(one.chain_id, one.post_id) for one in world.find(CALLOUTS) if one.state in ANSWERED}
    for callout in world.find(CALLOUTS):
        if callout.state not in UNANSWERED or callout.mode is not Mode.CALL or callout.ladder.then != "door":
            continue
        on = [visit for visit in lists.values() if any(item.callout_id == callout.id for item in visit.items)]
        if not on and (callout.chain_id, callout.post_id) not in answered:
            yield f"{callout.post_id} is {callout.state} and on no visit list"
        elif on and callout.listed_on and on[0].orders == 0 and on[0].id not in troubled:
            yield f"the visit list with {callout.post_id} was never handed over"


def nobody_on_duty_is_loud(world: World) -> Iterator[str]:
    """A post that nobody held while it was to be called has that written down."""
    if len(world.editions) > 1:
        return
    county = world.editions[0].county
    for callout in world.find(CALLOUTS):
        if callout.mode is not Mode.CALL or not world.seen.runs_on(callout.round_id):
            continue
        times = (callout.opened_at - timedelta(seconds=10), callout.opened_at + timedelta(seconds=VACANT_S))
        if all(county.who(callout.post_id, at) is None for at in times) and not any(
            entry.what == "nobody_held" for entry in _entries(world, callout.id)
        ):
            yield f"nobody held {callout.post_id}, and nothing says so"


def _left_out(world: World, callout: Callout) -> Iterator[str]:
    """Name the steps of a ladder that had neither their calls nor a reason."""
    walked = _walk(_entries(world, callout.id))
    for number, step in enumerate(callout.ladder.steps):
        if number not in walked:
            # A county without such a post passes the step over.
            if step.to not in ("leader", "superior"):
                yield f"{callout.post_id} never had step {number + 1} of its ladder"
            continue
        had = walked[number]
        if len(had.dialled) < step.calls and not had.is_excused(step):
            made = f"{len(had.dialled)} of {step.calls} calls of step {number + 1}"
            yield f"{callout.post_id} had {made}, and nothing says why"


@dataclass
class _Walked:
    """What one step of a ladder had: its calls, why it may have been short, and when it ended."""

    dialled: list[datetime] = field(default_factory=list)
    reason: str = ""
    ended_at: datetime | None = None

    def is_excused(self, step: LadderStep) -> bool:
        """Tell whether there was a reason, or no time left for another call."""
        if self.reason or not self.dialled or self.ended_at is None:
            return bool(self.reason)
        gap_s = min(step.gap_s, SOON_S)
        again_at = max(self.ended_at, self.dialled[-1] + timedelta(seconds=gap_s))
        return again_at > self.dialled[0] + timedelta(seconds=step.window_s - CLOCK_S)


def _walk(entries: Sequence[Entry]) -> dict[int, _Walked]:
    """Read what each step of a ladder had from a callout's entries."""
    walked: dict[int, _Walked] = {0: _Walked()}
    now = walked[0]
    for entry in entries:
        if entry.what == "vacancy_filled":
            walked = {0: _Walked()}
            now = walked[0]
        elif entry.what in ("step_begun", "gave_up"):
            now.ended_at = entry.at
            if entry.what == "step_begun":
                now = walked.setdefault(int(entry.facts["step"]), _Walked())
        elif entry.what == "dialled" and entry.facts["channel"] == "voice":
            now.dialled.append(entry.at)
        elif entry.what in EXCUSES or entry.facts.get("outcome") in SHORTENING:
            now.reason = entry.what
    return walked


def _entries(world: World, subject: str) -> list[Entry]:
    return world.ledger.step(lambda step: step.entries(subject))


LAWS: tuple[Callable[[World], Iterator[str]], ...] = (
    the_history_verifies,
    no_loop_raises,
    nothing_dies_of_itself,
    every_letter_is_handled_once,
    no_letter_is_handled_early,
    everything_comes_to_rest,
    a_stopped_round_goes_no_further,
    nothing_is_late_once_healed,
    nothing_is_late_in_silence,
    whoever_waits_has_a_time,
    what_is_counted_is_written_down,
    every_call_leads_on,
    realms_stay_apart,
    confirmed_means_key_1,
    every_ladder_is_walked,
    the_unanswered_are_visited,
    nobody_on_duty_is_loud,
)
