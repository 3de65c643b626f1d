"""What a page of readings leads to: pure.

Historical readings (sent later by a logger that was cut off) fill the buckets and never alarm by themselves: the next
live reading whose windows hold them does.

Never put here: a 预警信号. Only met stations issue those (气象灾害防御条例 §30); this is an internal 监测告警.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from agents.facts import Facts
from agents.sense.crossings import Crossing, find_crossings, find_due, last_over, move_on, standing_at
from agents.sense.series import HOUR_S, sum_at
from agents.sense.state import KEEP_S, StationState, Verdict, state_id
from agents.sense.take import USABLE, Taken, take
from agents.sense.words import absurd_text, alarm_text, late_text, unknown_text
from config.rules import RuleBook
from rosters.county import County
from rosters.model import Station
from streams import topics
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import AlarmRaised, Letter, ReadingsArrived, write_letter
from streams.rooms import Decision, Trouble, trouble

BY = "sense"


class Reason(StrEnum):
    """Why a page of readings led to what it led to."""

    RAIN_CROSSED = "rain_crossed"
    LEVEL_CROSSED = "level_crossed"
    CROSSED_LONG_AGO = "crossed_long_ago"
    ABSURD_VALUES = "absurd_values"
    STILL_CROSSED = "still_crossed"
    BELOW_ALL = "below_all"
    HISTORICAL_ONLY = "historical_only"
    NOTHING_NEW = "nothing_new"
    NOTHING_USABLE = "nothing_usable"
    UNKNOWN_STATION = "unknown_station"


@dataclass(frozen=True)
class Neighbour:
    """A station that stood at yellow or above within the three hours before the step, and for which hazards."""

    station: str
    township: str
    hazards: frozenset[str]


class SenseFacts(Facts):
    """The county, its rules, and which stations crossed something of late."""

    def __init__(self, county: County, book: RuleBook, company: tuple[Neighbour, ...] = ()) -> None:
        super().__init__(county, book)
        self.company = company


@dataclass(frozen=True)
class _Case:
    """One page of one station, taken in: all that the words about it need."""

    state: StationState
    taken: Taken
    due: tuple[Crossing, ...]
    station: Station
    now: datetime
    facts: SenseFacts


def decide(
    state: StationState | None, message: ReadingsArrived, now: datetime, facts: SenseFacts
) -> Decision[StationState]:
    """Take a page of readings of one station and say what it means.

    Args:
        state: The station as it was, or None where it never spoke.
        message: The page; its readings in any order, repeated or not.
        now: Story time of the step.
        facts: The county, its thresholds and knobs, and the stations that crossed something of late.
    """
    subject = state_id(message.realm, message.station)
    station = facts.county.stations.get(message.station)
    if station is None:
        unknown = trouble("unknown_station", subject, unknown_text(message), now)
        return Decision(Reason.UNKNOWN_STATION, troubles=(unknown,))
    township = facts.county.township_of(station.region) or facts.county.code
    fresh = StationState(id=subject, realm=message.realm, station=station.id, township=township)
    taken = take(state or fresh, message, station, facts.book.knobs, now)
    found = find_crossings(taken.state, station, facts.book.thresholds)
    due, told = find_due(found, taken.state.told, taken.live_s, now)
    crossed_at, hazards = last_over(found, taken.state)
    hour = int(now.timestamp()) // HOUR_S
    changes = {
        "township": township,
        "crossed": standing_at(found, taken.state.last_at),
        "crossed_at": crossed_at,
        "crossed_hazards": ",".join(hazards),
        "told": move_on(told, found, taken.state, now.timestamp() - KEEP_S),
        "absurd_hour": hour if taken.absurd else taken.state.absurd_hour,
    }
    case = _Case(taken.state.model_copy(update=changes), taken, due, station, now, facts)
    # Before this page, not after it: the first absurd value of an hour is the one that is written down.
    tell_absurd = bool(taken.absurd) and taken.state.absurd_hour != hour
    return Decision(
        reason=_reason(case),
        state=case.state,
        letters=tuple(_alarms(case)),
        entries=(*_entries(case), *(_absurd_entry(case) if tell_absurd else ())),
        troubles=(*_late_troubles(case), *(_absurd_trouble(case) if tell_absurd else ())),
    )


def alarm_id(crossing: Crossing, state: StationState) -> str:
    """Return the id of the alarm of a crossing: made of station, hazard, colour and the event hour of the crossing."""
    threshold = crossing.threshold
    hour = str(crossing.spell.starts_s // HOUR_S)
    return make_id(state.realm, "alarm", state.station, threshold.hazard, threshold.colour.value, hour)


def _reason(case: _Case) -> Reason:
    if any(not crossing.late for crossing in case.due):
        return Reason.LEVEL_CROSSED if case.station.quantity == "level_m" else Reason.RAIN_CROSSED
    if case.due:
        return Reason.CROSSED_LONG_AGO
    verdicts = case.taken.verdicts
    if not any(verdict in USABLE for verdict in verdicts):
        return Reason.ABSURD_VALUES if case.taken.absurd else Reason.NOTHING_USABLE
    if not case.taken.live_s:
        return Reason.HISTORICAL_ONLY
    if not verdicts.get(Verdict.TAKEN) and not verdicts.get(Verdict.CORRECTED):
        return Reason.NOTHING_NEW
    return Reason.STILL_CROSSED if case.state.crossed else Reason.BELOW_ALL


def _company(case: _Case, hazard: str) -> list[str]:
    """Return the other stations that make an alarm believable: of the same township, or of the same hazard anywhere."""
    return sorted(
        other.station
        for other in case.facts.company
        if other.station != case.station.id and (other.township == case.state.township or hazard in other.hazards)
    )


def _alarms(case: _Case) -> Iterator[Letter]:
    for crossing in case.due:
        if crossing.late:
            continue
        hazard, name = crossing.threshold.hazard, alarm_id(crossing, case.state)
        message = AlarmRaised(
            alarm_id=name,
            realm=case.state.realm,
            hazard=hazard,
            colour=crossing.threshold.colour,
            regions=(case.station.region,),
            stations=(case.station.id,),
            lone=not _company(case, hazard),
            text=alarm_text(crossing, case.station),
            at=crossing.at,
        )
        key = make_id(case.state.realm, "chainhint", hazard, case.state.township)
        yield write_letter(topics.WARNINGS_RAW, key, message, case.now, cause=name)


def _entries(case: _Case) -> Iterator[Draft]:
    for crossing in case.due:
        threshold = crossing.threshold
        rain = case.station.quantity == "rain_mm"
        windows = sorted({one.window_h for one in case.facts.book.thresholds if one.window_h}) if rain else []
        last_s = max((end for end in case.state.series if crossing.holds(end)), default=crossing.spell.starts_s)
        crossed = Reason.RAIN_CROSSED if rain else Reason.LEVEL_CROSSED
        yield Draft(
            subject=case.state.id,
            what="crossing_late" if crossing.late else "alarm_raised",
            why=(Reason.CROSSED_LONG_AGO if crossing.late else crossed).value,
            by=BY,
            at=case.now,
            facts={
                "alarm_id": alarm_id(crossing, case.state),
                "station": case.station.id,
                "hazard": threshold.hazard,
                "colour": threshold.colour.value,
                "window_h": threshold.window_h,
                "limit": crossing.limit / 1000,
                "peak": crossing.spell.peak / 1000,
                "crossed_at": crossing.at.isoformat(),
                "sums_mm": {f"{window}h": sum_at(case.state.series, last_s, window) / 1000 for window in windows},
                "company": _company(case, threshold.hazard),
                "text": alarm_text(crossing, case.station),
            },
        )


def _late_troubles(case: _Case) -> Iterator[Trouble]:
    for crossing in case.due:
        if crossing.late:
            zone = case.facts.county.zone
            since = crossing.at.astimezone(zone)
            until = datetime.fromtimestamp(crossing.spell.ends_s, UTC).astimezone(zone)
            text = late_text(crossing, case.station, f"{since:%m-%d %H:%M}", f"{until:%m-%d %H:%M}")
            yield trouble("crossing_late", alarm_id(crossing, case.state), text, case.now, case.station.region)


def _absurd_entry(case: _Case) -> Iterator[Draft]:
    first = case.taken.absurd[0]
    yield Draft(
        subject=case.state.id,
        what="readings_left_out",
        why=Verdict.ABSURD.value,
        by=BY,
        at=case.now,
        # As words, for a value that is not a number is not JSON.
        facts={"count": len(case.taken.absurd), "first": str(first.value), "first_at": first.at.isoformat()},
    )


def _absurd_trouble(case: _Case) -> Iterator[Trouble]:
    day = f"{case.now.astimezone(case.facts.county.zone):%Y-%m-%d}"
    subject = make_id(case.state.realm, "absurd", case.station.id, day)
    yield trouble("absurd_readings", subject, absurd_text(case.taken, case.station), case.now, case.station.region)
