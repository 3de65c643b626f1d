"""A callout through any night: messages late, doubled, out of order, any outcome, any pause."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.callout.decide import decide, decide_due
from agents.callout.state import Callout, CalloutState
from streams.letters import AttemptEnded, NobodyHeld, Replied, Stopped, Vouched
from streams.words import Outcome
from tests.unit.callout_samples import CALLOUT_ID, LADDER, NOW, claimed, ended, facts, nobody, opened, saved

TEXTS = {Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED, Outcome.TEXT_FAILED}
CALLS = sorted(set(Outcome) - TEXTS)
NEVER_CONFIRMING = sorted(set(CALLS) - {Outcome.CONFIRMED})
WHYS = ("nobody_on_duty", "no_phone", "number_not_approved", "post_gone")


class OneCallout(RuleBasedStateMachine):
    """Everything that may happen to one callout, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.at: datetime = NOW
        self.callout: Callout = opened()
        self.attempts: list[str] = ["real|attempt|nobody-knows"]
        self.told: list[object] = []
        self.receipts: set[str] = set()

    def hear(self, message: object) -> None:
        self.told.append(message)
        if isinstance(message, AttemptEnded) and message.outcome is Outcome.CONFIRMED:
            self.receipts.add(message.attempt_id)
        self.callout = saved(decide(self.callout, message, self.at, facts()).state or self.callout)

    @rule(seconds=st.integers(0, 900))
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @precondition(lambda self: self.callout.due_at is not None)
    @rule(stopped=st.sampled_from(["", "", "", "cancelled"]), pause_s=st.sampled_from([0, 0, 0, 300]))
    def time_is_up(self, stopped: str, pause_s: int) -> None:
        self.at = max(self.at, self.callout.due_at)
        paused = self.at + timedelta(seconds=pause_s) if pause_s else None
        decision = decide_due(self.callout, self.at, facts(), paused_until=paused, stopped=stopped)
        self.callout = saved(decision.state or self.callout)

    @precondition(lambda self: self.callout.call_at is not None)
    @rule()
    def is_dialled(self) -> None:
        self.at = max(self.at, self.callout.call_at)
        self.callout = claimed(self.callout, self.at)
        self.attempts.append(self.callout.attempt_id)

    @precondition(lambda self: self.callout.call_at is not None)
    @rule(why=st.sampled_from(WHYS), late=st.booleans())
    def nobody_is_found(self, why: str, late: bool) -> None:
        self.callout, message = nobody(self.callout, why, self.at)
        if late:
            self.at += timedelta(seconds=200)
        self.hear(message)

    @rule(data=st.data(), outcome=st.sampled_from(CALLS))
    def a_call_ends(self, data: st.DataObject, outcome: Outcome) -> None:
        attempt_id = data.draw(st.sampled_from(self.attempts[-4:]))
        self.hear(ended(self.callout, outcome, self.at, attempt_id))

    @rule(outcome=st.sampled_from(sorted(TEXTS)))
    def a_text_ends(self, outcome: Outcome) -> None:
        self.hear(ended(self.callout, outcome, self.at))

    @rule(at_the_door=st.booleans())
    def is_vouched_for(self, at_the_door: bool) -> None:
        self.hear(
            Vouched(
                callout_id=CALLOUT_ID,
                order_id="o",
                by="员",
                heard_by="他",
                how="h",
                at_the_door=at_the_door,
                at=self.at,
            )
        )

    @rule()
    def replies(self) -> None:
        self.hear(Replied(callout_id=CALLOUT_ID, masked="***", text="收到", at=self.at))

    @rule(why=st.sampled_from(["cancelled", "corrected", "superseded", "expired"]))
    def is_stopped(self, why: str) -> None:
        self.hear(Stopped.model_validate({"callout_ids": (CALLOUT_ID,), "why": why, "at": self.at}))

    @rule(data=st.data())
    def hears_something_again(self, data: st.DataObject) -> None:
        if self.told:
            self.hear(data.draw(st.sampled_from(self.told)))

    @invariant()
    def confirmed_means_a_receipt_that_was_heard(self) -> None:
        if self.callout.state is CalloutState.CONFIRMED:
            receipt = self.callout.receipt
            assert receipt is not None
            assert receipt.attempt_id in self.receipts
            assert receipt.played_at is not None
            assert receipt.key_at is not None

    @invariant()
    def what_is_open_is_always_due_some_time(self) -> None:
        assert not self.callout.is_open or self.callout.due_at is not None

    @invariant()
    def what_is_closed_is_neither_rung_nor_written_to(self) -> None:
        if not self.callout.is_open:
            assert (self.callout.call_at, self.callout.text_at) == (None, None)

    @invariant()
    def nobody_is_rung_for_ever(self) -> None:
        assert self.callout.step < len(LADDER.steps)


TestOneCallout = OneCallout.TestCase
TestOneCallout.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(NEVER_CONFIRMING), min_size=1, max_size=60))
def test_whatever_its_calls_bring_an_unanswered_callout_ends_its_ladder_in_bounded_time(outcomes):
    """Only what answers may keep it open; a step takes at most its window, two fetches and one more call."""
    callout, at, steps = opened(), NOW, 0
    while callout.is_open:
        outcome = outcomes[steps % len(outcomes)]
        steps += 1
        assert steps < 300
        if callout.call_at is not None:
            at = max(at, callout.call_at)
            callout = claimed(callout, at)
            if outcome is not Outcome.STOPPED:
                at += timedelta(seconds=30)
                callout = saved(decide(callout, ended(callout, outcome, at), at, facts()).state or callout)
        else:
            at = max(at, callout.due_at)
            callout = saved(decide_due(callout, at, facts()).state or callout)
    assert at - NOW < timedelta(minutes=75)


@settings(deadline=None)
@given(st.integers(0, 3))
def test_a_callout_that_nothing_is_ever_heard_of_ends_its_ladder(dialled_times):
    callout, at = opened(), NOW
    for step in range(200):
        if not callout.is_open:
            break
        if callout.call_at is not None and step < dialled_times:
            at = max(at, callout.call_at)
            callout = claimed(callout, at)
            continue
        at = max(at, callout.due_at)
        callout = saved(decide_due(callout, at, facts()).state or callout)
    assert not callout.is_open
    assert at - NOW < timedelta(minutes=60)


def test_nobody_held_of_an_unknown_callout_is_told_and_raises_nothing():
    message = NobodyHeld(callout_id=CALLOUT_ID, version=1, post_id="x", why="nobody_on_duty", at=NOW)
    assert [item.kind for item in decide(None, message, NOW, facts()).troubles] == ["unknown_callout"]
