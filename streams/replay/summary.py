"""What a night came to, as data: read from any ledger, live or replayed.

Honest counting: numerator, denominator and what was left out stand side by side, a message read counts for nothing,
and only a key pressed after the whole message counts as answered in the rate. It must never judge a person.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from agents.callout.state import ANSWERED, CALLOUTS, UNANSWERED, Callout, CalloutState
from agents.dial.state import ATTEMPTS, Attempt
from agents.duty.notices import HAZARD as NOTICE
from agents.facts import Facts
from agents.plan.state import ROUNDS
from agents.visit.state import VISITS, ItemState, VisitList
from rosters.county import County
from streams.ledger.contract import FullStep, Where
from streams.letters import Mode, Move
from streams.replay.moments import Moment, moments_of
from streams.rooms import TROUBLES
from streams.words import Channel, Colour, Level, Model, Outcome

ALL = 10_000_000
DIALLED_WITHIN = timedelta(minutes=3)
ANSWERED_WITHIN = timedelta(minutes=5)
LEVELS = (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE, Level.SITE)
STOPPED = (CalloutState.SUPERSEDED, CalloutState.CANCELLED, CalloutState.CORRECTED, CalloutState.EXPIRED)
TELLING = (Move.CANCELLED, Move.CORRECTED, Move.LOWERED)


class Rate(Model):
    """A share with all that it is made of; `excluded` counts what was left out of both, by reason."""

    numerator: int
    denominator: int
    excluded: dict[str, int] = Field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """Return the share, or None where there is nothing to share."""
        return self.numerator / self.denominator if self.denominator else None


class LevelRow(Model):
    """The callouts of one level of post that were to be called; seconds are counted from when each was opened."""

    level: Level
    posts: int
    callouts: int
    dialled: int
    first_call_p50_s: float | None
    first_call_max_s: float | None
    states: dict[str, int]
    answered_p50_s: float | None
    answered_p90_s: float | None
    to_deputies: int
    to_leaders: int
    to_superiors: int


class UnreachedRow(Model):
    """A post on the 未应名单: nobody answered its latest callout, by phone, by message or at the door.

    `mark` says what is known: every phone cut off, somebody pressed 0 and could not come, heard without a key, silent.
    """

    township: str
    place: str
    post: str
    post_name: str
    mark: Literal["cut_off", "cannot_come", "heard", "silent"]
    lost_contact: bool
    heard: bool
    calls: int
    since: datetime
    why: str


class VisitRow(Model):
    """One visit list."""

    township: str
    hazard: str
    hazard_name: str
    colour: Colour
    opened_at: datetime
    places: int
    settled: int
    overdue: int
    orders: int
    taken_at: datetime | None


class Summary(Model):
    """A whole night."""

    county: str
    timezone: str
    from_at: datetime
    until_at: datetime
    levels: tuple[LevelRow, ...]
    dialled_in_3_min: Rate
    answered_in_5_min: Rate
    told: int
    held: int
    calls: dict[str, int]
    texts: dict[str, int]
    most_calls_to_one_number_in_an_hour: int
    visits: tuple[VisitRow, ...]
    unreached: tuple[UnreachedRow, ...]
    troubles: dict[str, int]
    timeline: tuple[Moment, ...]


def summarise(step: FullStep, facts: Facts, *, from_at: datetime, until_at: datetime, realm: str = "real") -> Summary:
    """Sum a night up.

    Args:
        step: A step of any ledger; nothing is written.
        facts: The county whose names are shown, and its rules.
        from_at: Callouts opened before are left out; aware.
        until_at: Callouts opened after are left out; aware.
        realm: Drills are never mixed with the real thing.
    """
    county, hazards = facts.county, {hazard.key: hazard.name for hazard in facts.book.hazards}
    span = [Where("realm", "=", realm), Where("opened_at", ">=", from_at), Where("opened_at", "<=", until_at)]
    rounds = {row.id: row for row in step.find(ROUNDS, *span, limit=ALL)}
    opened = step.find(CALLOUTS, *span, order=("opened_at", "post_id"), limit=ALL)
    # What those on duty are only told of, shifts or how a round stands, wakes nobody.
    everything = [item for item in opened if item.hazard != NOTICE]
    telling = {row.id for row in rounds.values() if row.move in TELLING}
    called = [item for item in everything if item.mode is Mode.CALL and not item.visit_id]
    called = [item for item in called if item.round_id not in telling]
    attempts = step.find(
        ATTEMPTS,
        Where("realm", "=", realm),
        Where("dialled_at", ">=", from_at),
        Where("dialled_at", "<=", until_at),
        limit=ALL,
    )
    visits = step.find(VISITS, *span, order=("opened_at", "region"), limit=ALL)
    troubles = step.find(
        TROUBLES,
        Where("realm", "=", realm),
        Where("at", ">=", from_at),
        Where("at", "<=", until_at),
        order=("at",),
        limit=ALL,
    )
    steps_begun = _steps_begun(step, called)
    return Summary(
        county=county.name,
        timezone=county.zone.key,
        from_at=from_at,
        until_at=until_at,
        levels=tuple(_level_row(level, called, steps_begun) for level in LEVELS),
        dialled_in_3_min=_dialled_rate(called),
        answered_in_5_min=_answered_rate(called),
        told=sum(item.state is CalloutState.TOLD for item in everything),
        held=sum(bool(item.hold_reason) for item in everything),
        calls=_outcomes(attempts, Channel.VOICE),
        texts=_outcomes(attempts, Channel.TEXT),
        most_calls_to_one_number_in_an_hour=_most_in_an_hour(attempts),
        visits=tuple(_visit_row(item, county, hazards) for item in visits),
        unreached=_unreached(called, county),
        troubles=_counted(trouble.kind for trouble in troubles),
        timeline=moments_of(step, rounds.values(), visits, troubles, county),
    )


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the value that this share of the values does not exceed (nearest rank), or None where there are none."""
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1) if ordered else None


def _level_row(level: Level, called: Sequence[Callout], steps_begun: Mapping[str, set[str]]) -> LevelRow:
    mine = [item for item in called if item.level is level]
    firsts = [(item.first_dial_at - item.opened_at).total_seconds() for item in mine if item.first_dial_at]
    answers = [
        (item.answered_at - item.opened_at).total_seconds()
        for item in mine
        if item.answered_at is not None and item.state in ANSWERED
    ]
    reached: Counter[str] = Counter(to for item in mine for to in steps_begun.get(item.id, ()))
    return LevelRow(
        level=level,
        posts=len({item.post_id for item in mine}),
        callouts=len(mine),
        dialled=len(firsts),
        first_call_p50_s=percentile(firsts, 0.5),
        first_call_max_s=percentile(firsts, 1.0),
        states=_counted(item.state.value for item in mine),
        answered_p50_s=percentile(answers, 0.5),
        answered_p90_s=percentile(answers, 0.9),
        to_deputies=reached["deputy"],
        to_leaders=reached["leader"],
        to_superiors=reached["superior"],
    )


def _steps_begun(step: FullStep, called: Sequence[Callout]) -> dict[str, set[str]]:
    """Return whom the ladder of each callout came to ring, as its entries tell."""
    begun: dict[str, set[str]] = {}
    for item in called:
        if item.step > 0:
            numbers = [entry.facts["step"] for entry in step.entries(item.id) if entry.what == "step_begun"]
            begun[item.id] = {item.ladder.steps[number].to for number in numbers if number > 0}
    return begun


def _dialled_rate(called: Sequence[Callout]) -> Rate:
    """叫出率: first dialled within 3 min of opening (勉县 2024-07).

    A stop before that leaves a callout out, and so does an answer by SMS that came before its turn.
    """
    return _rate(called, DIALLED_WITHIN, lambda item: item.first_dial_at, (*STOPPED, *ANSWERED))


def _answered_rate(called: Sequence[Callout]) -> Rate:
    """叫应率, our own definition: confirmed by key after the whole message within 5 min of opening.

    The denominator is the posts that were to be called when the round opened, those that nobody held included; a
    stand-in's answer counts for the post; a message read, an SMS answer or a knock at the door does not count here.
    """
    return _rate(
        called,
        ANSWERED_WITHIN,
        lambda item: item.receipt.key_at if item.receipt and item.receipt.key == "1" else None,
        STOPPED,
    )


def _rate(
    called: Sequence[Callout],
    within: timedelta,
    moment_of: Callable[[Callout], datetime | None],
    left_out: Sequence[CalloutState],
) -> Rate:
    """Count callouts whose moment came in time; those that ended in a state `left_out` before it was due are apart."""
    numerator = denominator = 0
    excluded: list[str] = []
    for item in called:
        moment, due_at = moment_of(item), item.opened_at + within
        if moment is not None and moment <= due_at:
            numerator += 1
        elif item.state in left_out and (item.closed_at or item.opened_at) < due_at:
            excluded.append(item.state.value)
            continue
        denominator += 1
    return Rate(numerator=numerator, denominator=denominator, excluded=_counted(excluded))


def _outcomes(attempts: Sequence[Attempt], channel: Channel) -> dict[str, int]:
    return _counted(str(item.outcome or "under_way") for item in attempts if item.channel is channel)


def _most_in_an_hour(attempts: Sequence[Attempt]) -> int:
    times: dict[str, list[datetime]] = {}
    for item in sorted(attempts, key=lambda attempt: attempt.dialled_at):
        if item.channel is Channel.VOICE:
            times.setdefault(item.number_key, []).append(item.dialled_at)
    hour = timedelta(hours=1)
    return max(
        (sum(first <= at < first + hour for at in of_one) for of_one in times.values() for first in of_one), default=0
    )


def _visit_row(visit: VisitList, county: County, hazards: Mapping[str, str]) -> VisitRow:
    return VisitRow(
        township=_name(visit.region, county),
        hazard=visit.hazard,
        hazard_name=hazards.get(visit.hazard, visit.hazard),
        colour=visit.colour,
        opened_at=visit.opened_at,
        places=len(visit.items),
        settled=sum(item.state is ItemState.SETTLED for item in visit.items),
        overdue=sum(item.state is ItemState.OVERDUE for item in visit.items),
        orders=visit.orders,
        taken_at=visit.taken_at,
    )


def _unreached(called: Sequence[Callout], county: County) -> tuple[UnreachedRow, ...]:
    """Return posts whose latest callout of any chain nobody answered, each once.

    An answer to a later round of the same chain takes a post off the list; an answer about another hazard does not.
    """
    latest = {(item.chain_id, item.post_id): item for item in called}
    unanswered = {item.post_id: item for item in latest.values() if item.state in UNANSWERED}
    return tuple(
        UnreachedRow(
            township=_name(item.township, county),
            place=item.place,
            post=item.post_id,
            post_name=county.posts[item.post_id].name if item.post_id in county.posts else item.post_id,
            mark=_mark(item),
            lost_contact=item.state is CalloutState.LOST,
            heard=item.heard,
            calls=item.calls,
            since=item.closed_at or item.opened_at,
            why=item.why,
        )
        for item in sorted(unanswered.values(), key=lambda row: (row.township, row.heard, row.post_id))
    )


def _mark(callout: Callout) -> Literal["cut_off", "cannot_come", "heard", "silent"]:
    if callout.state is CalloutState.LOST:
        return "cut_off"
    if Outcome.CANNOT in callout.outcomes:
        return "cannot_come"
    return "heard" if callout.heard else "silent"


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _name(region: str, county: County) -> str:
    return county.regions[region].name if region in county.regions else county.name
