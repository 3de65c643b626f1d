"""The thin side of PHONES: places the calls that carry codes, and looks at what became of them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from agents.callout.state import CALLOUTS, CalloutState
from agents.facts import Facts
from agents.phones.calls import VERIFYING, OneCall, open_call, verifying_words
from agents.phones.decide import PhonesReason, called, decide, put_off
from agents.phones.record import attempts_at, settle
from agents.phones.state import REALM, VERIFICATIONS, Verification, VerificationState
from agents.plan.state import ROUNDS
from streams.ids import REAL
from streams.ledger.contract import Step, Where
from streams.letters import Stopped, write_letter
from streams.rooms import Decision, take_due
from streams.topics import CALLOUTS as CALLOUTS_TOPIC

RINGING = (CalloutState.CALLING, CalloutState.FETCHING, CalloutState.HEARD_NO_KEY)


class PhonesRoom:
    """Reads no topic: time moves it."""

    name = "phones"

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Ring what waits, and look at what was rung."""
        return take_due(step, VERIFICATIONS, partial(self._one, step), now, limit)

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when a verification next needs a step."""
        rows = step.find(VERIFICATIONS, Where("due_at", "not null"), order=("due_at",), limit=1)
        return rows[0].due_at if rows else None

    def _one(self, step: Step, row: Verification, now: datetime) -> Decision[Verification]:
        if row.state is VerificationState.WAITING:
            return put_off(row, now) if self._is_real_under_way(step) else self._call(step, row, now)
        if row.state is not VerificationState.ASKED:
            return Decision(PhonesReason.NOT_YET, row.model_copy(update={"due_at": None}))
        callout = step.load(CALLOUTS, [row.callout_id]).get(row.callout_id)
        if callout is not None and callout.is_open and self._is_real_under_way(step):
            self._give_way(step, row, now)
        decision = decide(row, callout, attempts_at(step, row), now)
        settle(step, decision, now)
        return decision

    def _call(self, step: Step, row: Verification, now: datetime) -> Decision[Verification]:
        one = OneCall(
            realm=REALM,
            what=VERIFYING,
            cause=row.id,
            person_id=row.person_id,
            post_id=row.post_id,
            words=verifying_words(row.name, row.channel, self.facts),
            channel=row.channel,
            number_key=row.number_key,
        )
        placed, letter, callout_id = open_call(one, now, self.facts)
        step.save(ROUNDS, [placed])
        step.write([letter])
        return called(row, placed.id, callout_id, now)

    def _give_way(self, step: Step, row: Verification, now: datetime) -> None:
        """Stop a call for a code as soon as something real is under way: the line is wanted."""
        rounds = step.load(ROUNDS, [row.round_id])
        stopped = [one for one in rounds.values() if one.stopped_at is None]
        step.save(ROUNDS, [one.model_copy(update={"stopped_at": now, "stop_why": "superseded"}) for one in stopped])
        if stopped:
            message = Stopped(callout_ids=(row.callout_id,), why="superseded", by="phones", at=now)
            step.write([write_letter(CALLOUTS_TOPIC, row.id, message, now, cause="gave_way")])

    def _is_real_under_way(self, step: Step) -> bool:
        """Tell whether anybody is being rung for something real; a warning that all have answered holds nobody up."""
        return bool(step.find(CALLOUTS, Where("state", "in", RINGING), Where("realm", "=", REAL), limit=1))
