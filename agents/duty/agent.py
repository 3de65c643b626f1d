"""The thin side of DUTY: takes roster changes in, and takes the steps that the day, handovers and checks bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from agents.callout.state import CALLOUTS
from agents.duty import checks, notices
from agents.duty.asking import expire
from agents.duty.carrying import carried_over, handover_before
from agents.duty.decide import (
    TOO_OLD,
    DutyReason,
    Happening,
    find_late,
    handover_id,
    happenings,
    next_due_at,
    open_handover,
)
from agents.duty.living import LivingRoster
from agents.duty.notices import Notice, open_notices
from agents.duty.publishing import keep_telling
from agents.duty.record import record_change
from agents.duty.state import (
    CALENDARS,
    HANDOVERS,
    SPOT_CHECKS,
    CheckResult,
    CheckState,
    DutyCalendar,
    Handover,
    HandoverState,
    SpotCheck,
    calendar_id,
)
from agents.duty.zero import find_missing
from agents.facts import Facts
from agents.intake.state import CHAINS, ChainState
from agents.phones.record import with_verified
from agents.plan.state import ROUNDS
from rosters.arrange import hold_over
from rosters.ledger import ROSTER_ASKS
from streams.ids import REAL
from streams.ledger.contract import Draft, Step, Table, Where
from streams.letters import Stopped, write_letter
from streams.rooms import Decision, apply, take_due
from streams.topics import CALLOUTS as CALLOUTS_TOPIC

CHECKS_MAX = 200


class DutyRoom:
    """Reads no topic: time moves it."""

    name = "duty"

    def __init__(self, facts: Facts, number_key: bytes = b"") -> None:
        self.facts = facts
        self._number_key = number_key
        self.roster = LivingRoster(facts)
        self._telling = False

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Take in what changed in the roster, then everything of the day that is due."""
        # First, and alone where there is news: what this step may write and roll back must not be taken in with it.
        if self.roster.look(step, now):
            self._telling = True
            return 1
        if self._telling:
            # Once after each loading, which is once a day and at each publication.
            keep_telling(step, self.roster.published, now)
            self._telling = False
        moved = self._day(step, now)
        moved += take_due(step, ROSTER_ASKS, expire, now, limit)
        moved += take_due(step, HANDOVERS, partial(self._late, step), now, limit)
        moved += take_due(step, SPOT_CHECKS, partial(self._check, step), now, limit)
        return moved + self._give_way(step, now)

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when the day, a handover or a check next needs a step."""
        times: list[datetime] = []
        tables: tuple[Table[Any], ...] = (CALENDARS, HANDOVERS, SPOT_CHECKS, ROSTER_ASKS)
        for table in tables:
            rows = step.find(table, Where("due_at", "not null"), order=("due_at",), limit=1)
            times += [row.due_at for row in rows if row.due_at is not None]
        return min(times, default=None)

    # The day

    def _day(self, step: Step, now: datetime) -> int:
        knobs = self.facts.book.knobs.duty
        if not (knobs.handovers or knobs.notices):
            return 0
        calendar = step.load(CALENDARS, [calendar_id()]).get(calendar_id())
        if calendar is None:
            fresh = DutyCalendar(id=calendar_id(), done_until=now, due_at=next_due_at(self.facts, now))
            step.save(CALENDARS, [fresh])
            return 1
        if calendar.due_at is None or calendar.due_at > now:
            return 0
        for item in happenings(self.facts, calendar.done_until, now):
            self._happen(step, item, now)
        done = {"done_until": now, "due_at": next_due_at(self.facts, now), "errors": 0}
        step.save(CALENDARS, [calendar.model_copy(update=done)])
        return 1

    def _happen(self, step: Step, item: Happening, now: datetime) -> None:
        county = self.facts.county
        match item.what:
            case DutyReason.HANDOVER_OPENED if item.starts_at is not None:
                if handover_id(item.post_id, item.starts_at) in step.load(
                    HANDOVERS, [handover_id(item.post_id, item.starts_at)]
                ):
                    return
                post = county.posts[item.post_id]
                carried = carried_over(step, post, now, self.facts)
                before = handover_before(step, post.id, item.starts_at)
                decision = open_handover(post, item.starts_at, carried, before, now, self.facts)
                apply(step, HANDOVERS, [decision.state] if decision.state else [], [decision])
            case DutyReason.SHIFT_NOTICE if item.starts_at is not None:
                held = county.who(item.post_id, item.starts_at)
                if held is not None:
                    notice = notices.shift_notice(
                        county.posts[item.post_id], held.person.id, item.starts_at, self.facts
                    )
                    self._send(step, item, [notice], now, f"{item.post_id}:{item.starts_at.isoformat()}")
            case DutyReason.MORNING_LIST:
                self._send(step, item, notices.morning_list(item.at, self.facts), now, item.at.isoformat())
            case DutyReason.ZERO_REPORT:
                self._send(step, item, notices.zero_reports(item.at, self.facts), now, item.at.isoformat())
            case DutyReason.ZERO_MISSING:
                find_missing(step, item.at, now, self.facts)
            case DutyReason.NOT_READY:
                known = with_verified(step, county, self._number_key)
                told = notices.not_ready(known, item.at, self.facts)
                self._send(step, item, told, now, item.at.isoformat())

    def _send(self, step: Step, item: Happening, told: list[Notice], now: datetime, cause: str) -> None:
        """Send notices as messages; what fell due long ago is written down only."""
        if not told:
            return
        row, letters = open_notices(item.what, cause, told, now, self.facts)
        if row.id in step.load(ROUNDS, [row.id]):
            return
        late = now - item.at > TOO_OLD
        why = DutyReason.TOO_OLD if late else item.what
        noted = {"due_at": item.at.isoformat(), "posts": len(told)}
        step.append([Draft(subject=row.chain_id, what=item.what, why=why, by="duty", at=now, facts=noted)])
        if not late:
            step.save(ROUNDS, [row])
            step.write(letters)

    # Handovers

    def _late(self, step: Step, handover: Handover, now: datetime) -> Decision[Handover]:
        decision = find_late(handover, now, self.facts)
        state, county = decision.state, self.facts.county
        post = county.posts.get(handover.post_id)
        if state is None or state.state is not HandoverState.LATE or post is None:
            return decision
        why = "换班后无人签到接班，按规定未交接不离岗"
        change = hold_over(county, post.id, handover.starts_at, why=why, at=now)
        held_over = ""
        if change is not None:
            state = state.model_copy(update={"change_id": record_change(step, county, change, by="duty", now=now).id})
            held_over = county.people[change.stretches[0].person].name
        leader = county.leader_post(post)
        if leader is not None:
            incoming = county.people[handover.incoming].name if handover.incoming in county.people else ""
            minutes = int((now - handover.starts_at).total_seconds() // 60)
            text = notices.handover_late(post, incoming, held_over, minutes, self.facts)
            row, letters = open_notices("handover_late", handover.id, [Notice(leader.id, text)], now, self.facts)
            step.save(ROUNDS, [row])
            step.write(letters)
        return Decision(decision.reason, state, decision.letters, decision.entries, decision.troubles)

    # Spot checks

    def _check(self, step: Step, check: SpotCheck, now: datetime) -> Decision[SpotCheck]:
        if check.state is CheckState.PLANNED:
            if self._is_real_under_way(step) or now - check.at > checks.GIVE_UP_AFTER:
                return _checked(check, CheckState.SKIPPED, None, now)
            calling, row, letter = checks.call(check, now, self.facts)
            step.save(ROUNDS, [row])
            noted = {"post": check.post_id, "person": calling.person_id, "seed": check.seed}
            entry = Draft(subject=check.id, what="called", why=DutyReason.CHECK_CALLED, by="duty", at=now, facts=noted)
            return Decision(DutyReason.CHECK_CALLED, calling, (letter,), (entry,))
        if check.state is not CheckState.CALLING:
            return Decision(DutyReason.NOT_DUE, check.model_copy(update={"due_at": None}))
        callout = step.load(CALLOUTS, [check.callout_id]).get(check.callout_id)
        result = checks.result_of(callout)
        given_up = check.called_at is not None and now - check.called_at > checks.GIVE_UP_AFTER
        if result is None and not given_up:
            return Decision(DutyReason.NOT_DUE, check.model_copy(update={"due_at": now + checks.LOOK_AGAIN}))
        if callout is not None and callout.is_open:
            self._stop(step, [check], now)
        answered = check.model_copy(update={"answered_at": callout.answered_at if callout else None})
        return _checked(answered, CheckState.DONE, result or CheckResult.NO_WAY, now)

    def _give_way(self, step: Step, now: datetime) -> int:
        """Stop checks under way as soon as something real is: their calls are hung up, and nobody is rung for them."""
        calling = step.find(SPOT_CHECKS, Where("state", "=", CheckState.CALLING), limit=CHECKS_MAX)
        if not calling or not self._is_real_under_way(step):
            return 0
        self._stop(step, calling, now)
        decisions = [_checked(check, CheckState.SKIPPED, None, now) for check in calling]
        apply(step, SPOT_CHECKS, [item.state for item in decisions if item.state is not None], decisions)
        return len(calling)

    def _stop(self, step: Step, calling: Sequence[SpotCheck], now: datetime) -> None:
        """End the calls of checks: what rings is hung up, what waits is not rung."""
        rounds = step.load(ROUNDS, [check.round_id for check in calling])
        stopped = {"stopped_at": now, "stop_why": "superseded"}
        step.save(ROUNDS, [row.model_copy(update=stopped) for row in rounds.values()])
        for check in calling:
            message = Stopped(callout_ids=(check.callout_id,), why="superseded", by="duty", at=now)
            step.write([write_letter(CALLOUTS_TOPIC, check.id, message, now, cause="gave_way")])

    def _is_real_under_way(self, step: Step) -> bool:
        in_force = Where("state", "in", (ChainState.OPEN, ChainState.GATED))
        return bool(step.find(CHAINS, Where("realm", "=", REAL), in_force, limit=1))


def _checked(check: SpotCheck, state: CheckState, result: CheckResult | None, now: datetime) -> Decision[SpotCheck]:
    reason = DutyReason.CHECK_DONE if state is CheckState.DONE else DutyReason.CHECK_SKIPPED
    noted = {"post": check.post_id, "person": check.person_id, "result": result, "planned_at": check.at.isoformat()}
    entry = Draft(subject=check.id, what=f"check_{state}", why=reason, by="duty", at=now, facts=noted)
    done = check.model_copy(update={"state": state, "result": result, "due_at": None})
    return Decision(reason, done, entries=(entry,))
