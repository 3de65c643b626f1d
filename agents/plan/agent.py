"""The thin side of PLAN: loads what the chain has so far, lets `decide.py` decide, writes what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from agents.callout.state import CALLOUTS, Callout
from agents.duty.notices import open_notices
from agents.facts import Facts
from agents.intake.state import CHAINS, ChainState
from agents.plan.decide import Plan, decide
from agents.plan.state import ROUNDS, SUMMARIES, Round, Summary
from agents.plan.summary import decide_summary, open_summary, tallies, why_over
from streams.ledger.contract import Step, Where
from streams.letters import ChainMoved, Letter
from streams.rooms import Decision, messages_of, record_troubles, take_due
from streams.topics import WARNINGS

CALLOUTS_MAX = 500_000


class PlanRoom:
    """Reads `warnings`; time moves what leaders are told."""

    name = "plan"
    topic = WARNINGS

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Plan for each move, in order; a later move sees the rounds of the earlier one."""
        for moved in messages_of(letters, ChainMoved):
            rounds: list[Round] = step.find(ROUNDS, Where("chain_id", "=", moved.chain_id), order=("opened_at",))
            callouts: list[Callout] = step.find(
                CALLOUTS, Where("chain_id", "=", moved.chain_id), order=("opened_at",), limit=CALLOUTS_MAX
            )
            plan = decide(moved, rounds, callouts, now, self.facts)
            step.save(ROUNDS, plan.rounds)
            step.write(plan.letters)
            step.append(plan.entries)
            record_troubles(step, plan.troubles)
            self._open_summaries(step, moved, plan, now)

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Tell leaders how the rounds under way stand."""
        return take_due(step, SUMMARIES, partial(self._summarise, step), now, limit)

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when leaders are next told of a round."""
        rows = step.find(SUMMARIES, Where("due_at", "not null"), order=("due_at",), limit=1)
        return rows[0].due_at if rows else None

    def _open_summaries(self, step: Step, moved: ChainMoved, plan: Plan, now: datetime) -> None:
        opened = [row for row in plan.rounds if row.version == 0]
        found = [open_summary(moved, row, plan.calls, now, self.facts) for row in opened]
        step.save(SUMMARIES, [item for item in found if item is not None])

    def _summarise(self, step: Step, summary: Summary, now: datetime) -> Decision[Summary]:
        rounds = {row.id: row for row in step.find(ROUNDS, Where("chain_id", "=", summary.chain_id))}
        chain = step.load(CHAINS, [summary.chain_id]).get(summary.chain_id)
        row = rounds[summary.round_id]
        open_chain = chain is not None and chain.state in (ChainState.OPEN, ChainState.GATED)
        counted = step.count(
            CALLOUTS, ("township", "state"), Where("round_id", "=", row.id), Where("visit_id", "=", "")
        )
        over = why_over(row, list(rounds.values()), open_chain)
        decision, notices = decide_summary(summary, row, tallies(counted, self.facts), over, now, self.facts)
        if notices:
            cause = f"{summary.id}:{summary.sent}"
            told, letters = open_notices("summary", cause, notices, now, self.facts, realm=row.realm, colour=row.colour)
            step.save(ROUNDS, [told])
            step.write(letters)
        return decision
