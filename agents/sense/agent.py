"""The thin side of SENSE: loads stations and their company, lets `decide.py` decide, writes what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.facts import Facts
from agents.sense.crossings import COMPANY_S
from agents.sense.decide import Neighbour, SenseFacts, decide
from agents.sense.state import STATIONS, StationState, state_id
from streams import topics
from streams.ledger.contract import Step, Where
from streams.letters import Letter, ReadingsArrived
from streams.rooms import Decision, apply

COMPANY = timedelta(seconds=COMPANY_S)


class SenseRoom:
    """Reads `readings`. Several pages of one station may come in one handling; each sees what the one before left."""

    name = "sense"
    topic = topics.READINGS

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Take every page of readings into its station's buckets and raise what they crossed.

        Raises:
            TypeError: A letter carries something other than readings.
        """
        pages = [_readings_of(letter) for letter in letters]
        states: dict[str, StationState] = step.load(STATIONS, {state_id(page.realm, page.station) for page in pages})
        company = {realm: self._company(realm, step, now) for realm in sorted({page.realm for page in pages})}
        changed: dict[str, StationState] = {}
        decisions: list[Decision[StationState]] = []
        for page in pages:
            near = company[page.realm]
            facts = SenseFacts(self.facts.county, self.facts.book, tuple(near.values()))
            decision = decide(states.get(state_id(page.realm, page.station)), page, now, facts)
            decisions.append(decision)
            if decision.state is not None:
                states[decision.state.id] = changed[decision.state.id] = decision.state
                _join(near, decision.state, now)
        apply(step, STATIONS, changed.values(), decisions)

    def _company(self, realm: str, step: Step, now: datetime) -> dict[str, Neighbour]:
        """Return who crossed something within three hours before the step: columns only, for rows are long."""
        lately = (Where("realm", "=", realm), Where("crossed_at", ">=", now - COMPANY))
        found = step.count(STATIONS, ("station", "township", "crossed_hazards"), *lately)
        return {station: _neighbour(station, township, hazards) for station, township, hazards in found}


def _readings_of(letter: Letter) -> ReadingsArrived:
    if not isinstance(letter.message, ReadingsArrived):
        raise TypeError(f"sense was handed a {type(letter.message).__name__} in letter {letter.id}")
    return letter.message


def _neighbour(station: str, township: str, hazards: str) -> Neighbour:
    return Neighbour(station, township, frozenset(hazards.split(",")))


def _join(company: dict[str, Neighbour], state: StationState, now: datetime) -> None:
    """Let the pages that follow in this step see what this station has just crossed."""
    if state.crossed_at is not None and state.crossed_at >= now - COMPANY:
        company[state.station] = _neighbour(state.station, state.township, state.crossed_hazards)
