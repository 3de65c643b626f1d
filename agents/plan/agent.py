"""The thin side of PLAN: loads what the chain has so far, lets `decide.py` decide, writes what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.callout.state import CALLOUTS, Callout
from agents.facts import Facts
from agents.plan.decide import decide
from agents.plan.state import ROUNDS, Round
from streams.ledger.contract import Step, Where
from streams.letters import ChainMoved, Letter
from streams.rooms import messages_of, record_troubles
from streams.topics import WARNINGS

CALLOUTS_MAX = 500_000


class PlanRoom:
    """Reads `warnings`."""

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
