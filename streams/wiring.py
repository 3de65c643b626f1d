"""The one place that knows every room, table and carrier, and puts a house together from settings.

Nothing else imports both rooms and shells. Building opens no connection and starts no thread but the ledger's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.callout.agent import CalloutRoom
from agents.callout.state import CALLOUTS
from agents.copies.state import BULLETINS, COPIES, TOLD_TROUBLES
from agents.dial.agent import DialRoom
from agents.dial.approvals import APPROVALS
from agents.dial.budget import Budget
from agents.dial.carriers.by_hand import ByHand
from agents.dial.carriers.protocol import Carrier
from agents.dial.claim import ClaimDesk
from agents.dial.dialler import Dialler
from agents.dial.manned import MANNED_PHONES
from agents.dial.state import ATTEMPTS, PACES
from agents.duty.agent import DutyRoom
from agents.duty.living import LivingRoster
from agents.duty.state import CALENDARS, HANDOVERS, SPOT_CHECKS, ZERO_REPORTS
from agents.facts import Facts
from agents.intake.agent import IntakeRoom
from agents.intake.state import ALIASES, CHAINS
from agents.phones.agent import PhonesRoom
from agents.phones.state import VERIFICATIONS, VERIFIED_PHONES
from agents.plan.agent import PlanRoom
from agents.plan.state import ROUNDS, SUMMARIES
from agents.sense.agent import SenseRoom
from agents.sense.state import STATIONS
from agents.visit.agent import VisitRoom
from agents.visit.state import VISITS
from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, ROSTER_PULSES, ROSTER_SNAPSHOTS, ROSTER_VERSIONS
from streams import topics
from streams.clock import Clock, VirtualClock
from streams.doors.http.tokens import SESSIONS, TOKENS
from streams.ledger.contract import Ledger, Table
from streams.rooms import TROUBLES, Room, Timed

TABLES: tuple[Table[Any], ...] = (
    ALIASES,
    APPROVALS,
    ATTEMPTS,
    BULLETINS,
    CALENDARS,
    CALLOUTS,
    CHAINS,
    COPIES,
    HANDOVERS,
    MANNED_PHONES,
    PACES,
    ROSTER_ASKS,
    ROSTER_CHANGES,
    ROSTER_PULSES,
    ROSTER_SNAPSHOTS,
    ROSTER_VERSIONS,
    ROUNDS,
    SESSIONS,
    SPOT_CHECKS,
    STATIONS,
    SUMMARIES,
    TOKENS,
    TOLD_TROUBLES,
    TROUBLES,
    VERIFICATIONS,
    VERIFIED_PHONES,
    VISITS,
    ZERO_REPORTS,
)


@dataclass(frozen=True)
class House:
    """Everything one process needs, wired: the ledger, the rooms by topic, the rooms that time moves, the dialler."""

    ledger: Ledger
    clock: Clock
    facts: Facts
    carriers: tuple[Carrier, ...]
    number_key: bytes
    owner: str
    rooms: dict[str, Room] = field(repr=False)
    timed: tuple[Timed, ...] = field(repr=False)
    dialler: Dialler = field(repr=False)
    roster: LivingRoster = field(repr=False)


def build(  # noqa: PLR0913 - what a house is made of
    *,
    ledger: Ledger,
    clock: Clock,
    facts: Facts,
    carriers: Sequence[Carrier],
    number_key: bytes,
    owner: str,
    burst_s: float = 1.0,
    budget: Budget | None = None,
) -> House:
    """Wire a house.

    Args:
        ledger: Where everything is remembered.
        clock: Where time comes from.
        facts: The county and its rules.
        carriers: Ways to phones, in the order in which they are asked whether they may dial a number.
        number_key: Secret of the keyed digests by which phone numbers are matched; at least 16 bytes.
        owner: A name for this process, unique among the living; it stands in claims and leases.
        burst_s: How much pace may be used at once; a tick of the dialler times the clock's speed.
        budget: What one number may be rung.
    """
    # A house replaces its own facts only, never those of whoever made them.
    facts = Facts(facts.county, facts.book, year=facts.year)
    callout = CalloutRoom(facts)
    intake, plan, visit, duty = IntakeRoom(facts), PlanRoom(facts), VisitRoom(facts), DutyRoom(facts, number_key)
    rooms: dict[str, Room] = {
        topics.WARNINGS_RAW: intake,
        topics.READINGS: SenseRoom(facts),
        topics.WARNINGS: plan,
        topics.PAGES: CalloutRoom(facts, topics.PAGES),
        topics.CALLOUTS: callout,
        topics.CALLS: DialRoom(number_key),
        topics.VISITS: visit,
    }
    carriers = (*carriers, ByHand())
    desk = ClaimDesk(facts, carriers, number_key, owner, budget or Budget(), burst_s)
    return House(
        ledger=ledger,
        clock=clock,
        facts=facts,
        carriers=carriers,
        number_key=number_key,
        owner=owner,
        rooms=rooms,
        timed=(duty, intake, plan, callout, visit, PhonesRoom(facts)),
        dialler=Dialler(ledger, desk, clock, in_turn=isinstance(clock, VirtualClock)),
        roster=duty.roster,
    )
