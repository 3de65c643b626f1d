"""What a calendar says, worked out the plain way: rules on the wall clock, exceptions taken out, moved ones put in.

A second opinion for the tests of `rosters/io/occurrences.py`, which leaves the work to a library; it knows only what
the collected calendars need, and shares no code with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from dateutil.rrule import rrulestr

Told = tuple[str, datetime, datetime]


def told_by_hand(
    content: bytes, zone: ZoneInfo, from_at: datetime, until_at: datetime, without: Collection[str]
) -> set[Told]:
    """Return (summary, start, end) of what happens in a window; all-day events last from 8:00 to 8:00.

    `without` names series, by the first 60 letters of their UID, that are left out.
    """
    found: set[Told] = set()
    for calendar in icalendar.Calendar.from_ical(content, multiple=True):
        series: defaultdict[str, list[Any]] = defaultdict(list)
        for n, event in enumerate(calendar.walk("VEVENT")):
            series[str(event.get("UID") or f"#{n + 1}")].append(event)
        for uid, events in series.items():
            if uid[:60] not in without:
                found |= {one for one in _series(events, zone, until_at) if one[1] < until_at and one[2] > from_at}
    return found


def _series(events: list[Any], zone: ZoneInfo, until_at: datetime) -> Iterator[Told]:
    events = [event for event in events if event.get("DTSTART") is not None]
    newest = max((int(event.get("SEQUENCE", 0)) for event in events if "RECURRENCE-ID" not in event), default=0)
    masters = [e for e in events if "RECURRENCE-ID" not in e and int(e.get("SEQUENCE", 0)) == newest]
    moved = {_key(e["RECURRENCE-ID"].dt, zone): e for e in events if "RECURRENCE-ID" in e}
    for event in masters:
        for start, length in _starts(event, zone, until_at):
            if _key(start, zone) not in moved and str(event.get("STATUS", "")).upper() != "CANCELLED":
                yield _one(event, start, length, zone)
    for event in moved.values():
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield _one(event, event["DTSTART"].dt, _length(event), zone)


def _starts(event: Any, zone: ZoneInfo, until_at: datetime) -> Iterator[tuple[Any, timedelta]]:
    first, length = event["DTSTART"].dt, _length(event)
    out = {_key(one.dt, zone) for field in _all(event, "EXDATE") for one in field.dts}
    starts: dict[Any, tuple[Any, timedelta]] = {_key(first, zone): (first, length)}
    for rule in filter(None, _all(event, "RRULE")):
        for start in _repeated(rule, first, zone, until_at):
            starts.setdefault(_key(start, zone), (start, length))
    for field in _all(event, "RDATE"):
        for one in field.dts:
            start, ends = one.dt if isinstance(one.dt, tuple) else (one.dt, None)
            lasts = length if ends is None else ends if isinstance(ends, timedelta) else ends - start
            starts[_key(start, zone)] = (start, lasts)
    yield from (one for key, one in starts.items() if key not in out)


def _repeated(rule: Any, first: Any, zone: ZoneInfo, until_at: datetime) -> Iterator[Any]:
    """Repeat on the wall clock of the event: it is what stays the same when clocks change."""
    timed = isinstance(first, datetime)
    tz = (first.tzinfo or zone) if timed else None
    wall = first.replace(tzinfo=None) if timed else datetime.combine(first, time())
    until = next(iter(rule.get("UNTIL", [])), None)
    last: datetime | None = None
    if isinstance(until, datetime):
        last = until.astimezone(tz).replace(tzinfo=None) if until.tzinfo and tz else until.replace(tzinfo=None)
    elif until is not None:
        last = datetime.combine(until, time.max)
    plain = re.sub(r";?UNTIL=[^;]*", "", rule.to_ical().decode())
    for at in rrulestr(plain, dtstart=wall):
        if (last and at > last) or at > until_at.replace(tzinfo=None) + timedelta(days=3):
            return
        yield at.replace(tzinfo=first.tzinfo) if timed else at.date()


def _length(event: Any) -> timedelta:
    start = event["DTSTART"].dt
    if "DTEND" in event:
        end = event["DTEND"].dt
        if isinstance(start, datetime) == isinstance(end, datetime):
            return end - start if end > start or isinstance(start, datetime) else timedelta(days=1)
    if "DURATION" in event:
        return event["DURATION"].dt
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _one(event: Any, start: Any, length: timedelta, zone: ZoneInfo) -> Told:
    return str(event.get("SUMMARY", "")), _at(start, zone), _at(start, zone, length)


def _at(start: Any, zone: ZoneInfo, length: timedelta = timedelta(0)) -> datetime:
    if not isinstance(start, datetime):
        return datetime.combine(start + length, time(8), zone).astimezone(UTC)
    aware = start if start.tzinfo else start.replace(tzinfo=zone)
    # On the wall clock too: a duty from midnight to noon ends at noon also on the day on which the clocks change.
    return (aware + length).astimezone(UTC)


def _key(moment: Any, zone: ZoneInfo) -> Any:
    """Return what an exception is matched by: the instant, or the day."""
    return _at(moment, zone) if isinstance(moment, datetime) else ("day", moment)


def _all(event: Any, name: str) -> list[Any]:
    value = event.get(name)
    return value if isinstance(value, list) else [value] if value is not None else []


def first_day(content: bytes) -> date:
    """Return the first day on which anything begins, to look at a calendar from; 2020 where nothing does."""
    days = [
        event["DTSTART"].dt
        for calendar in icalendar.Calendar.from_ical(content, multiple=True)
        for event in calendar.walk("VEVENT")
        if isinstance(event.get("DTSTART"), icalendar.vDDDTypes)
    ]
    return min((day.date() if isinstance(day, datetime) else day for day in days), default=date(2020, 1, 1))
