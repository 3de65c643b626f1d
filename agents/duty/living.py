"""Keeps the facts of a process fresh: what was changed or published since it looked last, taken in within one step.

In a worker the ticker looks, before any room of the same turn decides; a gateway looks by a loop of its own. A call
under way stays what it is; the next attempt asks `who` anew and finds the new person.
"""

from __future__ import annotations

from datetime import datetime

from agents.facts import Facts
from config.rules import RuleBook
from rosters.changes import apply
from rosters.county import County
from rosters.holidays import DutyYear
from rosters.ledger import changes_at, pulse_of
from streams.ledger.contract import Step


class LivingRoster:
    """The roster as published, and what was changed on top of it, for one process."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._published = facts.county
        self._book = facts.book
        self._pulse = 0

    @property
    def published(self) -> County:
        """Return the county without the changes."""
        return self._published

    def look(self, step: Step, now: datetime) -> bool:
        """Take in what is new; return whether there was anything.

        To be called only in a step that has written nothing yet: what is rolled back must not have been taken in.
        """
        pulse = pulse_of(step).version
        if pulse == self._pulse:
            return False
        self._pulse = pulse
        self.facts.replace(apply(self._published, changes_at(step, now)), self._book)
        return True

    def publish(self, county: County, book: RuleBook, year: DutyYear | None = None) -> None:
        """Put a freshly loaded county and its rules underneath; the next look puts the changes on top again."""
        self._published, self._book = county, book
        if year is not None:
            self.facts.year = year
        self._pulse = -1
