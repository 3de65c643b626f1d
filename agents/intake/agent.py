"""The thin side of INTAKE: finds the chain, lets `decide.py` decide, writes what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.facts import Facts
from agents.intake.areas import coverage, within
from agents.intake.chains import chain_id_of, is_open
from agents.intake.decide import (
    decide_alarm,
    decide_chain_order,
    decide_due,
    decide_order,
    decide_refused,
    decide_warning,
)
from agents.intake.state import ALIASES, CHAINS, Alias, Chain, ChainState
from streams.ids import make_id
from streams.ledger.contract import Step, Where
from streams.letters import AlarmRaised, ChainOrdered, DocumentRefused, IssuedWarning, Letter, Ordered, Received
from streams.rooms import Decision, apply, take_due
from streams.topics import WARNINGS_RAW
from streams.words import MsgType

OPEN_STATES = (ChainState.OPEN, ChainState.GATED)


class IntakeRoom:
    """Reads `warnings.raw`. One letter at a time: a page of warnings is short, and each may move the same chain."""

    name = "intake"
    topic = WARNINGS_RAW

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Place each message in its chain and write what it moved."""
        for letter in letters:
            decision = self._decide(letter.message, step, now)
            apply(step, CHAINS, [decision.state] if decision.state else [], [decision])

    def tick(self, step: Step, now: datetime, limit: int) -> int:
        """Pass gates, call the new shift, let chains expire."""
        return take_due(step, CHAINS, lambda chain, at: decide_due(chain, at, self.facts), now, limit)

    def next_due_at(self, step: Step) -> datetime | None:
        """Return when a chain next needs a step."""
        rows = step.find(CHAINS, Where("due_at", "not null"), order=("due_at",), limit=1)
        return rows[0].due_at if rows else None

    def _decide(self, message: object, step: Step, now: datetime) -> Decision[Chain]:
        match message:
            case Received(warning=warning):
                chain_id, chain = self._locate(warning, step)
                decision = decide_warning(chain, warning, chain_id, now, self.facts)
                if decision.state is not None:
                    self._remember(warning, decision.state.id, step)
                return decision
            case Ordered():
                chain_id = make_id(message.realm, "chain", "order", message.order_id)
                chain = step.load(CHAINS, [chain_id]).get(chain_id)
                return decide_order(chain, message, chain_id, now, self.facts)
            case AlarmRaised():
                chain = self._of_hazard(message, step)
                chain_id = chain.id if chain else make_id(message.realm, "chain", "alarm", message.alarm_id)
                return decide_alarm(chain, message, chain_id, now, self.facts)
            case DocumentRefused():
                hour = message.at.astimezone(self.facts.county.zone).strftime("%Y-%m-%dT%H")
                chain_id = make_id(message.realm, "chain", "refused", message.door, hour)
                chain = step.load(CHAINS, [chain_id]).get(chain_id)
                return decide_refused(chain, message, chain_id, now, self.facts)
            case ChainOrdered():
                chain = step.load(CHAINS, [message.chain_id]).get(message.chain_id)
                return decide_chain_order(chain, message, now, self.facts)
            case _:
                raise TypeError(f"intake was handed a {type(message).__name__}")

    def _locate(self, warning: IssuedWarning, step: Step) -> tuple[str, Chain | None]:
        """Find the chain of a warning: by the documents it points to, else by issuer, hazard and area (继续发布)."""
        wanted = [_alias_id(warning.realm, name) for name in (warning.identifier, *warning.references)]
        aliases = step.load(ALIASES, wanted)
        pointed = [aliases[name].chain_id for name in wanted if name in aliases]
        chains = step.load(CHAINS, pointed)
        for chain_id in pointed:
            chain = chains[chain_id]
            later = warning.sent > chain.latest_sent and warning.identifier not in chain.identifiers
            if is_open(chain) or not later or warning.kind is MsgType.CANCEL:
                return chain_id, chain
        continued = self._continued(warning, step)
        if continued is not None:
            return continued.id, continued
        if pointed:
            # It points to a chain that is closed, and is newer than its end: issued again, a chain of its own.
            return make_id(warning.realm, "chain", warning.sender, warning.identifier), None
        return chain_id_of(warning), None

    def _continued(self, warning: IssuedWarning, step: Step) -> Chain | None:
        if warning.hazard is None:
            return None
        area = coverage(warning, self.facts.county)
        chains = self._open_chains(warning.realm, warning.hazard, step)
        own = [chain for chain in chains if chain.source == "warning" and chain.issuer == warning.sender]
        for chain in own:
            if self._overlap(area.regions, chain.regions):
                return chain
        # A cancel without an area ends the only chain it can mean; where there are two, ending the wrong one is worse.
        return own[0] if warning.kind is MsgType.CANCEL and area.unclear and len(own) == 1 else None

    def _of_hazard(self, alarm: AlarmRaised, step: Step) -> Chain | None:
        for chain in self._open_chains(alarm.realm, alarm.hazard, step):
            if self._overlap(alarm.regions, chain.regions) or chain.source == "monitor":
                return chain
        return None

    def _open_chains(self, realm: str, hazard: str, step: Step) -> list[Chain]:
        return step.find(
            CHAINS,
            Where("hazard", "=", hazard),
            Where("state", "in", OPEN_STATES),
            Where("realm", "=", realm),
            order=("opened_at",),
        )

    def _overlap(self, one: Sequence[str], other: Sequence[str]) -> bool:
        county = self.facts.county
        return any(within(county, code, other) for code in one) or any(within(county, code, one) for code in other)

    def _remember(self, warning: IssuedWarning, chain_id: str, step: Step) -> None:
        wanted = {_alias_id(warning.realm, name): name for name in (warning.identifier, *warning.references)}
        known = step.load(ALIASES, wanted)
        step.save(ALIASES, [Alias(id=name, chain_id=chain_id) for name in wanted if name not in known])


def _alias_id(realm: str, identifier: str) -> str:
    return make_id(realm, "alias", identifier)
