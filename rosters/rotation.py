"""Making a roster for one post: turns of a day, a week or n days, by fair shares, with leave and rest kept. Pure.

Chosen turn by turn and not by a solver (ADR 0021): each choice is one sentence that a duty room can check by hand (who
had the fewest holidays, then weekends, then turns, and has rested longest), the same input gives the same roster, and
a turn that nobody may take is left open and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from rosters.holidays import Calendar, DayKind, Period, days_between, period_on
from rosters.model import Shift
from streams.words import Model

Leave = tuple[date, date]


class Rota(Model):
    """What is to be made.

    Args:
        post: Id of the post.
        crews: Who takes turns: a person each, or a group whose first holds the post and whose second stands beside.
        first: The first day a turn begins.
        last: The last day a turn covers.
        turn_days: Days of one turn: 1 daily, 7 weekly.
        rest_h: Least hours between the end of one turn of a person and the beginning of the next.
        handover: County time at which a turn begins and ends.
    """

    post: str
    crews: tuple[tuple[str, ...], ...] = Field(min_length=1)
    first: date
    last: date
    turn_days: int = Field(default=1, ge=1, le=31)
    rest_h: int = Field(default=24, ge=0, le=24 * 31)
    handover: time = time(8, 0)


@dataclass
class Share:
    """What one crew got: turns, and days by kind."""

    turns: int = 0
    days: Counter[DayKind] = field(default_factory=Counter)
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Made:
    """A roster made: its shifts, what each crew got (by its first person), the turns that nobody could take."""

    shifts: tuple[Shift, ...]
    shares: Mapping[str, Share]
    open_turns: tuple[tuple[date, date], ...]


def make(
    rota: Rota,
    calendar: Calendar,
    zone: ZoneInfo,
    leaves: Mapping[str, Sequence[Leave]] | None = None,
    periods: Sequence[Period] = (),
    served: Sequence[Shift] = (),
) -> Made:
    """Make the shifts of a post.

    Args:
        rota: What is to be made.
        calendar: What kind each day is.
        zone: The county's.
        leaves: Days on which a person is away, by id, both ends included.
        periods: Special periods; where one asks for two officers, a second person stands beside.
        served: Shifts of the post before the first day that count into the shares: with those of the year so far, a
            roster made month by month is as fair over the year as one made in January.

    Raises:
        UnknownYearError: The holidays of a year are not known.
    """
    shares = {crew[0]: Share() for crew in rota.crews}
    rested = _count_served(shares, served, rota, calendar, zone)
    shifts: list[Shift] = []
    open_turns: list[tuple[date, date]] = []
    start = rota.first
    while start <= rota.last:
        end = min(start + timedelta(days=rota.turn_days - 1), rota.last)
        days = days_between(start, end)
        kinds = Counter(calendar.kind(day) for day in days)
        begins, ends = _bounds(start, end, rota, zone)
        able = [crew for crew in rota.crews if _is_free(crew, days, begins, rota, leaves or {}, rested)]
        able.sort(key=lambda crew: _burden(shares[crew[0]], kinds, begins))
        if not able:
            open_turns.append((start, end))
            start = end + timedelta(days=1)
            continue
        crew, *others = able
        deputy = crew[1] if len(crew) > 1 else ""
        special = [found for day in days if (found := period_on(day, periods)) is not None]
        if not deputy and any(period.officers > 1 for period in special):
            # Who stands beside in a special period is the next in turn, and rests like the holder.
            deputy = others[0][0] if others else ""
        share = shares[crew[0]]
        share.turns += 1
        share.days.update(kinds)
        share.ended_at = ends
        for person in filter(None, (*crew, deputy)):
            rested[person] = ends
        shifts.append(_shift(rota, crew[0], deputy, begins, ends, start))
        start = end + timedelta(days=1)
    return Made(tuple(shifts), shares, tuple(open_turns))


def _count_served(
    shares: Mapping[str, Share], served: Sequence[Shift], rota: Rota, calendar: Calendar, zone: ZoneInfo
) -> dict[str, datetime]:
    """Count shifts that were served before into the shares; return when each person's last one ends."""
    rested: dict[str, datetime] = {}
    first = datetime.combine(rota.first, rota.handover, zone)
    for shift in served:
        if shift.post != rota.post or shift.starts_at >= first:
            continue
        for person in filter(None, (shift.person, shift.deputy)):
            rested[person] = max(rested.get(person, shift.ends_at), shift.ends_at)
        share = shares.get(shift.person)
        if share is not None:
            start, end = (bound.astimezone(zone).date() for bound in (shift.starts_at, shift.ends_at))
            share.turns += 1
            share.days.update(calendar.kind(day) for day in days_between(start, max(start, end - timedelta(days=1))))
            share.ended_at = max(share.ended_at or shift.ends_at, shift.ends_at)
    return rested


def _burden(share: Share, kinds: Counter[DayKind], begins: datetime) -> tuple[int, int, int, timedelta]:
    """Say how much a crew has carried of what this turn is made of; the least goes first, then the longest rested."""
    heavy = DayKind.HOLIDAY if kinds[DayKind.HOLIDAY] else DayKind.WEEKEND if kinds[DayKind.WEEKEND] else None
    of_kind = share.days[heavy] if heavy else share.days[DayKind.WORKDAY]
    rest = begins - share.ended_at if share.ended_at else timedelta(days=36_500)
    return (of_kind, share.days.total(), share.turns, -rest)


def _is_free(
    crew: tuple[str, ...],
    days: Sequence[date],
    begins: datetime,
    rota: Rota,
    leaves: Mapping[str, Sequence[Leave]],
    rested: Mapping[str, datetime],
) -> bool:
    rest = timedelta(hours=rota.rest_h)
    # A turn ends on the morning after its last day, so that day counts as well.
    touched = [*days, days[-1] + timedelta(days=1)] if rota.handover > time(0) else list(days)
    for person in crew:
        if person in rested and begins - rested[person] < rest:
            return False
        if any(first <= day <= last for first, last in leaves.get(person, ()) for day in touched):
            return False
    return True


def _bounds(start: date, end: date, rota: Rota, zone: ZoneInfo) -> tuple[datetime, datetime]:
    first = datetime.combine(start, rota.handover, zone)
    last = datetime.combine(end + timedelta(days=1), rota.handover, zone)
    return first.astimezone(UTC), last.astimezone(UTC)


def _shift(rota: Rota, person: str, deputy: str, begins: datetime, ends: datetime, start: date) -> Shift:
    shift_id = f"{rota.post}@{start.isoformat()}T{rota.handover:%H:%M}"
    return Shift(id=shift_id, post=rota.post, person=person, deputy=deputy, starts_at=begins, ends_at=ends)
