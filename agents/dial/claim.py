"""Claiming: what wants a call or a message, in order, within pace and budgets, one call per number.

Runs inside one step. The claim is written before anything is dialled, and bumps the version of every callout it
speaks for, so that a claimed callout cannot be escalated behind its back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS, Callout
from agents.dial.budget import Budget, free_slots
from agents.dial.carriers import by_hand
from agents.dial.carriers.protocol import Carrier, Dial
from agents.dial.claiming import Claim
from agents.dial.health import pace_id
from agents.dial.state import PACES, Pace
from agents.dial.target import Target, column_of, per_s
from agents.facts import Facts
from agents.plan.state import ROUNDS
from rosters.county import County
from rosters.numbers import BY_HAND_SCHEME, number_digest
from streams.ledger.contract import Step, Where
from streams.words import Channel

CLAIM_MAX = 1000
"""Callouts looked at at once: the first are dialled while others are claimed, and no step grows without end."""
LOOKS_MAX = 5
"""How often one claim looks again because all it saw waits for carriers that take no more, or for stopped rounds."""


@dataclass
class ClaimDesk:
    """Claims for one worker.

    Args:
        facts: The county and its rules.
        carriers: In the order in which they are asked whether they may dial a number.
        number_key: Secret of the keyed digests by which numbers are matched.
        owner: Which worker this is.
        budget: What one number may be rung through all carriers together.
        burst_s: Seconds of pace that may be used at once after a pause; the tick length times the clock's speed.
    """

    facts: Facts
    carriers: Sequence[Carrier]
    number_key: bytes
    owner: str
    budget: Budget = field(default_factory=Budget)
    burst_s: float = 1.0
    _asked_of: tuple[County | None, bool] = field(default=(None, False), init=False, repr=False)

    def claim(self, step: Step, channel: Channel, now: datetime, wall: datetime) -> list[Dial]:
        """Claim what may be dialled now and return it, worst first."""
        paces = step.load(PACES, [pace_id(carrier.name, channel) for carrier in self.carriers])
        claim = Claim(self, step, channel, now, wall, paces)
        stopped: set[str] = set()
        asks_people = channel is Channel.VOICE and self._asks_people()
        if asks_people:
            # Before all others: what people are to call must not wait behind what machines have no slot for.
            self._look(claim, CLAIM_MAX, stopped, Where("waits_for", "=", by_hand.NAME))
        for _ in range(LOOKS_MAX):
            free = claim.free()
            if not free:
                break
            limit = min(sum(free.values()) * 2 + 20, CLAIM_MAX)
            full = [name for name in claim.slots if name not in free and (asks_people or name != by_hand.NAME)]
            seen = self._look(claim, limit, stopped, *_none_of("waits_for", full))
            # What was claimed is to be dialled while the next is claimed: only a look in vain is followed by another.
            if seen < limit or claim.dials:
                break
        claim.end()
        return claim.dials

    def _look(self, claim: Claim, limit: int, stopped: set[str], *which: Where) -> int:
        """Claim of what is wanted now as much as may be dialled; return how many callouts were looked at."""
        step, now = claim.step, claim.now
        seen = self._wanted(step, claim.channel, now, limit, [*which, *_none_of("round_id", sorted(stopped))])
        rounds = step.load(ROUNDS, {row.round_id for row in seen})
        stopped.update(row.id for row in rounds.values() if row.stopped_at is not None)
        claim.place([row for row in seen if row.round_id not in stopped], rounds)
        return len(seen)

    def is_wanted(self, step: Step, channel: Channel, now: datetime) -> bool:
        """Look whether anything wants this channel: cheaper than a claim that finds nothing."""
        return bool(step.find(CALLOUTS, Where(column_of(channel), "<=", now), limit=1))

    def slots(self, paces: Mapping[str, Pace], channel: Channel, now: datetime) -> dict[str, int]:
        """Return how many calls or messages each carrier may be given now."""
        slots = {}
        for carrier in self.carriers:
            pace = paces.get(pace_id(carrier.name, channel))
            pace_per_s = per_s(carrier, channel)
            since = pace.next_at if pace else now - timedelta(seconds=self.burst_s)
            slots[carrier.name] = free_slots(since, now, pace_per_s, self.burst_s) if pace_per_s > 0 else 0
        return slots

    def _wanted(
        self, step: Step, channel: Channel, now: datetime, limit: int, which: Sequence[Where] = ()
    ) -> list[Callout]:
        """Return callouts that want this channel now: by colour, then a post's first contact, then place, then age.

        The real thing goes before any drill: of the realms, `real` is the last word in the alphabet. `which` passes
        over what is known to wait for a carrier that takes no more, and rounds that were stopped: their rows would
        fill the window, and hide everybody else's.
        """
        paused = [row.id for row in step.find(ROUNDS, Where("paused_until", ">", now))]
        return step.find(
            CALLOUTS,
            Where(column_of(channel), "<=", now),
            *_none_of("round_id", paused),
            *which,
            order=("-realm", "-severity", "contacted", "-priority", "opened_at"),
            limit=limit,
            lock=True,
        )

    def _asks_people(self) -> bool:
        """Tell whether this county has calls that begin in people's hands: a ladder's first, or by radio."""
        county = self.facts.county
        if self._asked_of[0] is not county:
            numbers = (phone.number for person in county.people.values() for phone in person.phones)
            self._asked_of = (county, any(number.startswith(BY_HAND_SCHEME) for number in numbers))
        first = any(ladder.human_first_s for ladder in self.facts.book.ladders.values())
        return self.people is not None and (first or self._asked_of[1])

    @property
    def people(self) -> Carrier | None:
        """The carrier whose calls people make; None where this house has none."""
        return next((carrier for carrier in self.carriers if carrier.name == by_hand.NAME), None)

    @staticmethod
    def budget_of(carrier: Carrier) -> Budget | None:
        """Return what one number may be rung through a carrier; None where its vendor sets no limit."""
        budget = getattr(carrier, "budget", None)
        return budget if isinstance(budget, Budget) else None

    def target(
        self, callout: Callout, channel: Channel, now: datetime, down: frozenset[str] = frozenset()
    ) -> Target | str:
        """Return whom a callout rings now, or why nobody can be: looked up at the moment of the attempt.

        A carrier that is `down` is taken only where no other may dial the number.
        """
        role = "deputy" if callout.target_role == "deputy" else "holder"
        if callout.target_post not in self.facts.county.posts:
            return "post_gone"
        held = self.facts.county.who(callout.target_post, now, "deputy" if role == "deputy" else "holder")
        # A notice of a shift to come is for the one who will hold the post, and for nobody else.
        person = self.facts.county.people.get(callout.person_id) or (held.person if held else None)
        if person is None:
            return "nobody_on_duty" if role == "holder" else "no_deputy"
        phones = list(enumerate(person.phones))
        if callout.number_key:
            only = callout.number_key
            phones = [(no, phone) for no, phone in phones if number_digest(phone.number, self.number_key) == only]
        if channel is Channel.TEXT:
            phones = [(no, phone) for no, phone in phones if phone.kind == "mobile"]
        elif callout.phone < len(phones):
            phones = phones[callout.phone :] + phones[: callout.phone]
        if not phones:
            return "no_phone" if channel is Channel.VOICE else "no_mobile"
        for no, phone in phones:
            able = [each for each in self.carriers if per_s(each, channel) > 0 and each.may_dial(phone.number)]
            if able:
                well_first = tuple(sorted(able, key=lambda each: each.name in down))
                return Target(person, no, phone, well_first, number_digest(phone.number, self.number_key))
        return "number_not_approved"


def _none_of(column: str, values: Sequence[str]) -> list[Where]:
    return [Where(column, "not in", values)] if values else []
