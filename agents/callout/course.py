"""The course of a callout along its ladder: entering a step, ringing again, giving up. Pure.

A `Course` gathers what one decision changes, so that the decisions in `decide.py` read as sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from agents.callout.numbers import NUMBER_WRONG, WHY_WRONG, number_subject
from agents.callout.outcomes import CONSEQUENCES
from agents.callout.state import Callout, CalloutState
from agents.facts import Facts
from rosters.model import Post
from rosters.numbers import BY_HAND_SCHEME
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import AttemptEnded, HangUpAsked, Letter, Mode, VisitNeeded, VisitSettled, VisitTaken, write_letter
from streams.rooms import Decision, Trouble, trouble
from streams.topics import CALLS, VISITS
from streams.words import Outcome

BY_HAND = "by_hand"
"""The carrier whose calls people make: what begins in their hands says so from the start."""
ATTEMPT_MAX_S = 300
SOON_S = 60
VACANT_LOOK_S = 300
TEXT_WITHIN_S = 600


class CalloutReason(StrEnum):
    """Why CALLOUT did what it did; also the label of the metric and the word in the ledger."""

    OPENED = "opened"
    OPENED_TO_TELL = "opened_to_tell"
    HELD_QUIET = "held_quiet"
    DIGEST_DUE = "digest_due"
    KNOWN = "known"
    CONFIRMED = "confirmed"
    CONFIRMED_LATE = "confirmed_late"
    ANSWERED_LATER_ROUND = "answered_later_round"
    RECEIPT_AFTER_END = "receipt_after_end"
    HEARD_COUNTS = "heard_counts"
    HEARD_NO_KEY = "heard_no_key"
    FETCHING = "fetching"
    FETCH_OVER = "fetch_over"
    RING_AGAIN = "ring_again"
    RING_SOON = "ring_soon"
    NEXT_PHONE = "next_phone"
    NEXT_PERSON = "next_person"
    CALLS_USED_UP = "calls_used_up"
    CANNOT_COME = "cannot_come"
    VILLAGE_LOST = "village_lost"
    NOBODY_HOLDS = "nobody_holds"
    NO_DEPUTY = "no_deputy"
    VACANCY_FILLED = "vacancy_filled"
    DIAL_LATE = "dial_late"
    DIAL_GIVEN_UP = "dial_given_up"
    NO_NEWS = "no_news"
    NOTHING_LOGGED = "nothing_logged"
    VOUCHED = "vouched"
    KNOCKED = "knocked"
    SPOKEN = "spoken"
    REPLIED = "replied"
    TEXT_HANDED_OVER = "text_handed_over"
    TEXT_FAILED = "text_failed"
    TEXT_AGAIN = "text_again"
    TEXT_NOTED = "text_noted"
    ENDED = "ended"
    OLD_ATTEMPT = "old_attempt"
    STOPPED = "stopped"
    ALREADY_CLOSED = "already_closed"
    UNKNOWN_CALLOUT = "unknown_callout"
    STALE = "stale"
    NOT_DUE = "not_due"


@dataclass
class Course:
    """What one decision changes; `end` turns it into a Decision."""

    callout: Callout
    now: datetime
    facts: Facts
    letters: list[Letter] = field(default_factory=list)
    entries: list[Draft] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def set(self, **changes: Any) -> None:
        """Change fields of the callout."""
        self.callout = self.callout.model_copy(update=changes)

    def note(self, what: str, why: CalloutReason, by: str = "callout", **noted: Any) -> None:
        """Write an entry about this callout."""
        post = {"post": self.callout.post_id, "round": self.callout.round_id, "step": self.callout.step}
        self.entries.append(Draft(subject=self.callout.id, what=what, why=why, by=by, at=self.now, facts=post | noted))

    def shout(self, kind: str, text: str) -> None:
        """Raise a trouble about this callout."""
        self.troubles.append(trouble(kind, self.callout.id, text, self.now, self.callout.township))

    def end(self, reason: CalloutReason) -> Decision[Callout]:
        """Return what was decided."""
        return Decision(reason, self.callout, tuple(self.letters), tuple(self.entries), tuple(self.troubles))

    @property
    def post(self) -> Post | None:
        """The post as the roster has it now; None where it was taken out of it under way."""
        return self.facts.county.posts.get(self.callout.post_id)

    def enter(self, step: int, reason: CalloutReason) -> CalloutReason:
        """Enter a step of the ladder, or the first one after it that somebody can be found for; else give up."""
        steps = self.callout.ladder.steps
        while step < len(steps):
            target = self._target(step)
            if target is not None:
                self._begin(step, target)
                if step or self.callout.calls:
                    self.note("step_begun", reason, target=target[0], role=target[1])
                return reason
            step += 1
        self.give_up(reason)
        return reason

    def advance(self, reason: CalloutReason) -> CalloutReason:
        """Go to the next step."""
        return self.enter(self.callout.step + 1, reason)

    def _begin(self, step: int, target: tuple[str, str]) -> None:
        callout, ladder = self.callout, self.callout.ladder
        self.set(
            state=CalloutState.CALLING,
            step=step,
            step_started_at=None,
            target_post=target[0],
            target_role=target[1],
            phone=0,
            calls_in_step=0,
            attempt_id="",
            hand_asked=False,
            waits_for=BY_HAND if step == 0 and ladder.human_first_s else "",
            late_noted=False,
            call_at=self.now,
            text_at=self.now if ladder.steps[step].text else callout.text_at,
            due_at=self.now + timedelta(seconds=ladder.dial_within_s),
        )

    def _target(self, step: int) -> tuple[str, str] | None:
        """Say whom a step rings; None where the county has no such post, or the step would ring the same one again."""
        to = self.callout.ladder.steps[step].to
        if to in ("holder", "deputy"):
            return self.callout.post_id, to
        post = self.post
        if post is None:
            return None
        county = self.facts.county
        other = county.leader_post(post) if to == "leader" else county.superior_post(post)
        if other is None or other.id in (post.id, self.callout.target_post):
            return None
        return other.id, "holder"

    def ring_again(self, wait_s: float, reason: CalloutReason, *, counted: bool = True) -> CalloutReason:
        """Ring the same target again after a pause, or go on where its calls or its time are used up."""
        callout = self.callout
        step = callout.ladder.steps[callout.step]
        # What a clock an hour ahead wrote into the claim makes nobody wait for an hour: no call began later than now.
        base = min(callout.last_dial_at or self.now, self.now)
        call_at = max(self.now, base + timedelta(seconds=wait_s))
        started = min(callout.step_started_at or self.now, self.now)
        if not counted:
            self.set(calls_in_step=max(0, callout.calls_in_step - 1))
        used_up = counted and callout.calls_in_step >= step.calls
        if used_up or call_at > started + timedelta(seconds=step.window_s):
            return self.advance(CalloutReason.CALLS_USED_UP)
        self.set(call_at=call_at, due_at=call_at + timedelta(seconds=callout.ladder.dial_within_s), attempt_id="")
        return reason

    def next_phone(self) -> CalloutReason:
        """Ring the target's next phone at once, or the next person where there is none."""
        held = self.facts.county.who(
            self.callout.target_post, self.now, "deputy" if self.callout.target_role == "deputy" else "holder"
        )
        pinned = self.callout.number_key != ""
        if held is not None and not pinned and self.callout.phone + 1 < len(held.person.phones):
            number = held.person.phones[self.callout.phone + 1].number
            self.set(
                phone=self.callout.phone + 1,
                waits_for=BY_HAND if number.startswith(BY_HAND_SCHEME) else "",
                call_at=self.now,
                attempt_id="",
                due_at=self.now + timedelta(seconds=self.callout.ladder.dial_within_s),
            )
            return CalloutReason.NEXT_PHONE
        return self.advance(CalloutReason.NEXT_PERSON)

    def close(self, state: CalloutState, reason: CalloutReason) -> None:
        """End it: nothing more is rung or sent, and what hangs on it is told."""
        before = self.callout
        self.let_go()
        self.set(state=state, call_at=None, text_at=None, due_at=None, closed_at=self.now, why=reason)
        # What nobody answered stays on its list after the warning ran out: somebody has to look all the same.
        if before.listed_on and state is not CalloutState.EXPIRED:
            settled = VisitSettled(
                visit_id=before.listed_on, callout_id=before.id, why=reason, by=_by_of(self.callout), at=self.now
            )
            self._to_visits(settled)
            self.set(listed_on="")

    def let_go(self) -> None:
        """Let DIAL end the calls for it, the machine's and those that people were asked to make."""
        callout = self.callout
        for attempt_id in dict.fromkeys((callout.attempt_id, *callout.hand_ids)):
            if attempt_id:
                asked = HangUpAsked(attempt_id=attempt_id, callout_id=callout.id, at=self.now)
                self.letters.append(write_letter(CALLS, attempt_id, asked, self.now, cause=callout.id))

    def number_wrong(self, ended: AttemptEnded) -> None:
        """Ask for a number to be corrected: once for each person's number, however many callouts it was rung for."""
        callout = self.callout
        person = self.facts.county.people.get(ended.person_id)
        whose = f"{person.name if person else ''}（{callout.place}）的号码 {ended.masked}"
        subject = number_subject(callout.realm, ended.person_id, ended.masked)
        text = f"{whose} 无法使用（{WHY_WRONG[ended.outcome]}），请更正"
        self.troubles.append(trouble(NUMBER_WRONG, subject, text, self.now, callout.township))

    def settle_for(self, later: Callout) -> None:
        """Take it off its visit list because its post answered a later round of the same chain."""
        settled = VisitSettled(
            visit_id=self.callout.listed_on,
            callout_id=self.callout.id,
            why=CalloutReason.ANSWERED_LATER_ROUND,
            by=_by_of(later),
            at=self.now,
        )
        self._to_visits(settled)
        self.set(listed_on="", due_at=None)
        self.note("answered_later_round", CalloutReason.ANSWERED_LATER_ROUND, later=later.id)

    def take_list(self, by: str) -> None:
        """Tell the visit list that this callout handed over that somebody took it."""
        visit_id = self.callout.visit_id
        if visit_id:
            taken = VisitTaken(visit_id=visit_id, callout_id=self.callout.id, by=by, at=self.now)
            self.letters.append(write_letter(VISITS, visit_id, taken, self.now, cause=self.callout.id))

    @property
    def noted(self) -> tuple[Draft, ...]:
        """The entries written so far."""
        return tuple(self.entries)

    def give_up(self, reason: CalloutReason, *, cut_off: bool = False) -> None:
        """End the ladder: onto the visit list of the superior unit, or shown to people where there is none.

        It is 失联 where no attempt met a network, or where all of its village is known to be `cut_off`.
        """
        callout = self.callout
        lost = cut_off or (
            bool(callout.outcomes) and all(CONSEQUENCES[outcome].cut_off for outcome in callout.outcomes)
        )
        look_at = self.now + timedelta(seconds=VACANT_LOOK_S) if callout.vacant else None
        self.set(
            state=CalloutState.LOST if lost else CalloutState.UNREACHED,
            call_at=None,
            text_at=None,
            due_at=look_at,
            closed_at=self.now,
            attempt_id="",
            why=reason,
        )
        self.note("gave_up", reason, lost_contact=lost, heard=callout.heard, calls=callout.calls)
        if lost:
            self.shout("lost_contact", f"{callout.place}失联：所有电话关机或无信号，请用卫星电话、对讲机联络或派人前往")
        visit_id = self.visit_of()
        if visit_id:
            needed = VisitNeeded(
                visit_id=visit_id,
                round_id=callout.round_id,
                unit_id=self._superior_unit(),
                callout_id=callout.id,
                post_id=callout.post_id,
                place=callout.place,
                why=reason,
                lost_contact=lost,
                heard=callout.heard,
                at=self.now,
            )
            self.set(listed_on=visit_id, times_listed=callout.times_listed + 1)
            self._to_visits(needed)
        elif not lost:
            self.shout("unreached", f"{callout.place}（{callout.post_id}）未应，且没有可转交的上级，请人工联系")

    def _to_visits(self, message: VisitNeeded | VisitSettled) -> None:
        """Write to the list. A callout may be listed, settled and listed again: each time is another letter."""
        cause = f"{self.callout.id}:{self.callout.times_listed}"
        self.letters.append(write_letter(VISITS, message.visit_id, message, self.now, cause=cause))

    def _superior_unit(self) -> str:
        post = self.post
        superior = self.facts.county.superior_post(post) if post else None
        return superior.unit if superior else ""

    def visit_of(self) -> str:
        """Return the id of the visit list this callout goes onto when given up, or "" where it goes onto none."""
        unit = self._superior_unit()
        if self.callout.ladder.then != "door" or self.callout.mode is not Mode.CALL or not unit:
            return ""
        return make_id(self.callout.realm, "visit", self.callout.round_id, unit)

    def remember(self, outcome: Outcome) -> None:
        """Keep how an attempt ended; the newest forty are enough."""
        self.set(outcomes=(*self.callout.outcomes, outcome)[-40:])


def _by_of(callout: Callout) -> str:
    return callout.receipt.masked if callout.receipt else ""
