"""The thin side of VISIT."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.callout.state import CALLOUTS, OPEN
from agents.facts import Facts
from agents.plan.state import ROUNDS
from agents.visit.decide import decide, decide_due
from agents.visit.state import VISITS
from streams.ledger.contract import Step, Where
from streams.letters import Letter, VisitNeeded, VisitSettled, VisitTaken
from streams.rooms import fold, messages_of, take_due
from streams.topics import VISITS as VISITS_TOPIC


class VisitRoom:
    """Reads `visits`."""

    name = "visit"
    topic = VISITS_TOPIC

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Put places on lists, take them off, note who took a list."""
        messages = messages_of(letters, VisitNeeded, VisitTaken, VisitSettled)
        needed = [item for item in messages if isinstance(item, VisitNeeded)]
        rounds = step.load(ROUNDS, {item.round_id for item in needed})
        callouts = step.load(CALLOUTS, {item.callout_id for item in needed})
        pairs = [(message.visit_id, message) for message in messages]
        fold(
            step,
            VISITS,
            pairs,
            lambda visit, message, at: decide(
                visit, message, at, self.facts, rounds.__getitem__, lambda name: callouts[name].listed_on
            ),
            now,
        )

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Hand lists over and call overdue visits out."""
        return take_due(
            step,
            VISITS,
            lambda visit, at: decide_due(visit, self._ringing(step, visit.round_id, visit.region), at, self.facts),
            now,
            limit,
        )

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when a list next needs a step."""
        rows = step.find(VISITS, Where("due_at", "not null"), order=("due_at",), limit=1)
        return rows[0].due_at if rows else None

    def _ringing(self, step: Step, round_id: str, region: str) -> int:
        """Count the callouts below a region that the machine still calls for in this round."""
        township = self.facts.county.township_of(region)
        counted = step.count(
            CALLOUTS,
            ("state",),
            Where("round_id", "=", round_id),
            Where("township", "=", township),
            Where("visit_id", "=", ""),
            Where("state", "in", OPEN),
        )
        return sum(counted.values())
