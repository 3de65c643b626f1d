"""A warning that rises while its first round is under way: what must be true of both rounds, whatever fell meanwhile.

Held, like all that `witness.py` says, against the vendor's journal. Times are story times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.callout.state import OPEN, UNANSWERED, Callout, CalloutState
from agents.dial.state import Attempt
from agents.plan.state import Round
from streams.letters import Mode, Move
from tests.e2e.witness import A_STEP, Call, Journal, claimed_at


@dataclass(frozen=True)
class Rise:
    """Both rounds of a warning that rose, as the ledger and the vendor saw them."""

    journal: Journal
    rounds: Sequence[Round]
    callouts: Sequence[Callout]
    attempts: Sequence[Attempt]

    def complaints(self) -> list[str]:
        """Return everything that is not as promised."""
        return [
            *self.went_on_by_itself(),
            *self.not_called_anew(),
            *self.confirmed_without_the_new_words(),
            *self.called_for_what_was_superseded(),
        ]

    def of(self, move: Move) -> list[Callout]:
        """Return the callouts of the round that a move made, without those that hand visit lists over."""
        made = self.made_by(move)
        return [row for row in self.callouts if row.round_id == made.id and not row.visit_id]

    def made_by(self, move: Move) -> Round:
        """Return the round that a move made; what leaders are told of it later has rounds of its own."""
        return min((row for row in self.rounds if row.move is move), key=lambda row: row.opened_at)

    def raised_at(self) -> datetime:
        """Return when the second round was planned."""
        return self.made_by(Move.RAISED).opened_at

    def superseded(self) -> dict[str, datetime]:
        """Return which callouts of the first round were superseded, and when."""
        return {
            row.id: row.closed_at
            for row in self.of(Move.OPENED)
            if row.state is CalloutState.SUPERSEDED and row.closed_at is not None
        }

    def went_on_by_itself(self) -> Iterator[str]:
        """What was open when the warning rose is superseded, or answered before it heard of it; no ladder goes on."""
        for row in self.of(Move.OPENED):
            ended_late = row.closed_at is None or row.closed_at > self.raised_at() + A_STEP
            if row.state in OPEN or (row.state in UNANSWERED and ended_late):
                yield f"{row.id} of the first round is {row.state} since {row.closed_at}, and was not superseded"

    def not_called_anew(self) -> Iterator[str]:
        """Whoever was called in the first round is called in the second, whatever became of the first."""
        anew = {row.post_id for row in self.of(Move.RAISED) if row.mode is Mode.CALL}
        for row in self.of(Move.OPENED):
            if row.mode is Mode.CALL and row.post_id not in anew:
                yield f"{row.post_id} was called in the first round and not in the second"

    def confirmed_without_the_new_words(self) -> Iterator[str]:
        """A key confirms the second round only in a call in which its own words were spoken."""
        words = {attempt.id: attempt for attempt in self.attempts}
        for row in self.of(Move.RAISED):
            if row.state is not CalloutState.CONFIRMED or row.receipt is None:
                continue
            attempt = words.get(row.receipt.attempt_id)
            if attempt is None or row.id not in attempt.callouts or row.colour.chinese not in attempt.voice:
                yield f"{row.id} is confirmed by {row.receipt.attempt_id}, in which it was not spoken"

    def called_for_what_was_superseded(self) -> Iterator[str]:
        """No call is claimed for what is superseded alone, and one at the most, claimed before, begins after it."""
        begun: Counter[str] = Counter()
        for call, attempt, over_at in self.calls_after_the_rise():
            if claimed_at(attempt, call) > over_at + A_STEP:
                yield f"{call.sid} was claimed for a round that was superseded"
            begun.update(attempt.callouts)
        yield from (f"{callout} was rung {count} times after the rise" for callout, count in begun.items() if count > 1)

    def calls_after_the_rise(self) -> Iterator[tuple[Call, Attempt, datetime]]:
        """Yield calls that began when all they speak for was superseded, and when the last of that was."""
        claims, over = {attempt.id: attempt for attempt in self.attempts}, self.superseded()
        for call in self.journal.calls:
            attempt = claims.get(call.attempt)
            if attempt is not None and set(attempt.callouts) <= set(over):
                over_at = max(over[callout] for callout in attempt.callouts)
                if call.began_at > over_at:
                    yield call, attempt, over_at

    def figures(self) -> dict[str, object]:
        """Return the figures of the rise."""
        first, second = self.of(Move.OPENED), self.of(Move.RAISED)
        raised_at = self.raised_at()
        ringing = [call for call in self.journal.calls if call.began_at <= raised_at < (call.over_at or raised_at)]
        return {
            "first round by end": dict(sorted(Counter(row.state.value for row in first).items())),
            "second round by end": dict(sorted(Counter(row.state.value for row in second).items())),
            "calls of the first round when the warning rose": len(ringing),
            "calls claimed before the rise, begun after it": sum(1 for _ in self.calls_after_the_rise()),
        }
