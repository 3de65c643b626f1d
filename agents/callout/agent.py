"""The thin side of CALLOUT: unfolds pages, loads states, lets `decide.py` decide, writes what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from agents.callout import village
from agents.callout.decide import decide, decide_answered_later, decide_due, decide_opening
from agents.callout.state import ANSWERED, CALLOUTS, UNANSWERED, Callout
from agents.facts import Facts
from agents.plan.state import ROUNDS, Round
from streams.ledger.contract import Step, Where
from streams.letters import AttemptEnded, Letter, Mode, NobodyHeld, OpenCallouts, Opening, Replied, Stopped, Vouched
from streams.rooms import TROUBLES, Decision, apply, fold, messages_of, record_troubles, take_due
from streams.topics import CALLOUTS as CALLOUTS_TOPIC
from streams.words import Level

READ = (OpenCallouts, AttemptEnded, NobodyHeld, Vouched, Replied, Stopped)
UNANSWERED_MAX = 100_000


class CalloutRoom:
    """Reads `pages` and `callouts`; both are about the same rows, so it is one room under two topics."""

    name = "callout"

    def __init__(self, facts: Facts, topic: str = CALLOUTS_TOPIC) -> None:
        self.facts = facts
        self.topic = topic

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Take every callout that the letters speak of one step on."""
        messages = messages_of(letters, *READ)
        pairs = [pair for message in messages for pair in _unfold(message)]
        rounds = self._rounds(step, {item.round_id for item in messages if isinstance(item, OpenCallouts)})

        def decide_one(callout: Callout | None, message: Any, at: datetime) -> Decision[Callout]:
            if isinstance(message, tuple):
                page, opening = message
                return decide_opening(callout, page, opening, at, self.facts, rounds(page.round_id).stop_why)
            return decide(callout, message, at, self.facts)

        decisions = fold(step, CALLOUTS, pairs, decide_one, now)
        answered = [item.state for item in decisions if item.state is not None and item.state.state in ANSWERED]
        if answered:
            self._settle_earlier_rounds(step, answered, now)
        silent = [item.state for item in decisions if item.state is not None and village.concerns(item.state)]
        for place in sorted({(item.round_id, item.township, item.region) for item in silent}):
            self._look_at_village(step, *place, now)

    def _look_at_village(self, step: Step, round_id: str, township: str, region: str, now: datetime) -> None:
        """End what is still rung in a village where no phone can be reached, and show it as one trouble."""
        rows = step.find(
            CALLOUTS,
            Where("round_id", "=", round_id),
            Where("township", "=", township),
            Where("visit_id", "=", ""),
            Where("level", "in", (Level.VILLAGE, Level.SITE)),
            limit=UNANSWERED_MAX,
        )
        there = [row for row in rows if row.region == region and row.mode is Mode.CALL]
        if not village.is_lost(there, now, self.facts):
            return
        decisions = village.decide_lost(there, now, self.facts)
        apply(step, CALLOUTS, [item.state for item in decisions if item.state is not None], decisions)
        lost = village.village_trouble(there, now, self.facts)
        if lost.id not in step.load(TROUBLES, [lost.id]):
            step.append([village.village_entry(there, now)])
        record_troubles(step, [lost])
        single = step.load(TROUBLES, village.post_troubles(there)).values()
        step.save(
            TROUBLES,
            [
                item.model_copy(update={"closed_at": now, "closed_by": lost.kind})
                for item in single
                if item.closed_at is None
            ],
        )

    def _settle_earlier_rounds(self, step: Step, answered: Sequence[Callout], now: datetime) -> None:
        """Send nobody to a door behind which the post answered a later round of the same chain."""
        later = {(row.chain_id, row.post_id): row for row in answered if not row.visit_id}
        chains = sorted({chain_id for chain_id, _ in later})
        unanswered = step.find(
            CALLOUTS, Where("chain_id", "in", chains), Where("state", "in", UNANSWERED), limit=UNANSWERED_MAX
        )
        decisions = [
            decide_answered_later(row, later[row.chain_id, row.post_id], now, self.facts)
            for row in unanswered
            if (row.chain_id, row.post_id) in later
        ]
        apply(step, CALLOUTS, [item.state for item in decisions if item.state is not None], decisions)

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Take the steps of callouts that time brings."""
        rounds = self._rounds(step, ())

        def decide_one(callout: Callout, at: datetime) -> Decision[Callout]:
            row = rounds(callout.round_id)
            return decide_due(callout, at, self.facts, paused_until=row.paused_until, stopped=row.stop_why)

        return take_due(step, CALLOUTS, decide_one, now, limit)

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when a callout next needs a step."""
        rows = step.find(CALLOUTS, Where("due_at", "not null"), order=("due_at",), limit=1)
        return rows[0].due_at if rows else None

    def _rounds(self, step: Step, round_ids: Iterable[str]) -> Callable[[str], Round]:
        """Return a look-up of rounds that reads each only once in this step."""
        known = step.load(ROUNDS, round_ids)

        def look_up(round_id: str) -> Round:
            if round_id not in known:
                known.update(step.load(ROUNDS, [round_id]))
            return known[round_id]

        return look_up


def _unfold(message: Any) -> list[tuple[str, OpenCallouts | tuple[OpenCallouts, Opening] | Any]]:
    """Turn a page into one message per callout."""
    match message:
        case OpenCallouts():
            return [(opening.callout_id, (message, opening)) for opening in message.openings]
        case Stopped():
            return [(callout_id, message) for callout_id in message.callout_ids]
        case _:
            return [(message.callout_id, message)]
