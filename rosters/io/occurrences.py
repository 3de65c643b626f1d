"""What a calendar says happens between two times: its single events, repetitions, exceptions and moved ones.

Untrusted calendars are expanded in a process of their own with a time limit: a repetition that matches no day of ten
thousand years would otherwise be looked for until morning. A series that is broken costs only itself.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from rosters.io.report import Remark, RosterFileError

EVENTS_MAX = 5_000
OCCURRENCES_MAX = 50_000
WINDOW_DAYS_MAX = 800
LIMIT_S = 20.0
# What decides when an event happens; where one of these cannot be read the event is not read at all.
_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})
_TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})


@dataclass(frozen=True)
class Window:
    """From when to when (aware) a calendar is read, and how its wall clocks are meant.

    Args:
        starts_at: Occurrences that end after it are read,
        ends_at: and that begin before it.
        zone: Of floating times and all-day events.
        day_starts: When the duty of an all-day event begins; it ends at that hour of the day after its last.
    """

    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    day_starts: time = time(8, 0)


@dataclass(frozen=True)
class Occurrence:
    """One event at one time. `post` and `people` are what our own calendars say beside the summary."""

    uid: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    all_day: bool
    post: str = ""
    people: tuple[str, ...] = ()


def occurrences_within(
    content: bytes, name: str, window: Window, limit_s: float = LIMIT_S
) -> tuple[tuple[Occurrence, ...], tuple[Remark, ...]]:
    """Expand a calendar in a process of its own; see `occurrences`.

    Raises:
        RosterFileError: As there, or it took longer than `limit_s` seconds.
    """
    # Leaving the block ends the process, whatever it is still looking for.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            return pool.apply_async(occurrences, (content, name, window)).get(limit_s)
        except multiprocessing.TimeoutError as error:
            raise RosterFileError(
                f"{name} 的重复规则 {limit_s:g} 秒也算不完，请检查 RRULE / repetitions take over {limit_s:g} s"
            ) from error


def occurrences(content: bytes, name: str, window: Window) -> tuple[tuple[Occurrence, ...], tuple[Remark, ...]]:
    """Return what happens in a window, in order, and what could not be read. Cancelled events do not happen.

    Args:
        content: Of the .ics file.
        name: What the file is called in remarks.
        window: At most 800 days.

    Raises:
        RosterFileError: It is no calendar, holds too much, or the window is too long or empty.
    """
    if not timedelta(0) < window.ends_at - window.starts_at <= timedelta(days=WINDOW_DAYS_MAX):
        raise RosterFileError(f"时间窗应为 1 至 {WINDOW_DAYS_MAX} 天 / the window is 1 to {WINDOW_DAYS_MAX} days")
    found: list[Occurrence] = []
    refused: list[Remark] = []
    for calendar in _calendars(content, name):
        for key, series in _series(calendar).items():
            try:
                _check(series, window)
                found += _expand(calendar, series, window)
            except Exception as error:  # noqa: BLE001 - whatever the readers meet in a broken series.
                reason, english = error.args if isinstance(error, _UnreadableError) else (_why(error),) * 2
                refused.append(Remark(name, key[:60], reason, english))
            if len(found) > OCCURRENCES_MAX:
                raise RosterFileError(f"{name} 超过 {OCCURRENCES_MAX} 次 / more than {OCCURRENCES_MAX} occurrences")
    return tuple(sorted(set(found), key=lambda one: (one.starts_at, one.ends_at, one.uid))), tuple(refused)


class _UnreadableError(ValueError):
    """A series that cannot be read, with the reason in both languages."""


def _calendars(content: bytes, name: str) -> list[icalendar.Calendar]:
    try:
        read: list[Any] = list(icalendar.Calendar.from_ical(content, multiple=True))
        events = sum(len(one.walk("VEVENT")) for one in read)
    except Exception as error:  # As above: any of them means that this is no calendar.
        raise RosterFileError(f"{name} 不是合格的 iCalendar：{_why(error)} / not a sound iCalendar") from error
    if not read or any(one.name != "VCALENDAR" for one in read):
        raise RosterFileError(f"{name} 不是 iCalendar 日历（缺 VCALENDAR） / no VCALENDAR")
    if events > EVENTS_MAX:
        raise RosterFileError(f"{name} 有 {events} 个事件，超过 {EVENTS_MAX} / more than {EVENTS_MAX} events")
    return read


def _series(calendar: icalendar.Calendar) -> dict[str, list[icalendar.Component]]:
    """Group events into series by UID; one without a UID stands alone."""
    series: dict[str, list[icalendar.Component]] = {}
    for n, event in enumerate(calendar.walk("VEVENT")):
        uid = event.get("UID")
        series.setdefault(_text(uid) if uid else f"#{n + 1}", []).append(event)
    return series


def _check(series: Iterable[icalendar.Component], window: Window) -> None:
    for event in series:
        broken = sorted({str(field).upper() for field, _ in event.errors if field} & _TIMES)
        if broken:
            raise _UnreadableError(f"{', '.join(broken)} 读不懂", f"{', '.join(broken)} cannot be read")
        start = event.get("DTSTART")
        if start is None:
            raise _UnreadableError("没有开始时间 DTSTART", "it has no DTSTART")
        if isinstance(start, list):
            raise _UnreadableError("写了几个 DTSTART", "it has several DTSTART")
        zone_named = start.params.get("TZID")
        if zone_named and isinstance(start.dt, datetime) and start.dt.tzinfo is None:
            raise _UnreadableError(f"时区 {zone_named} 认不出", f"the zone {zone_named} is not known")
        rules = event.get("RRULE")
        for rule in rules if isinstance(rules, list) else [rules] if rules else []:
            _check_rule(rule, start.dt, window)


def _check_rule(rule: Any, start: date, window: Window) -> None:
    often = str(rule.get("FREQ", [""])[0]).upper()
    first = start.date() if isinstance(start, datetime) else start
    if often in _TOO_OFTEN or (often == "HOURLY" and window.starts_at.date() - first > timedelta(days=3660)):
        raise _UnreadableError(f"重复太密（{often}），不是值班", f"repeats {often}: that is no duty")


def _expand(calendar: icalendar.Calendar, series: Iterable[icalendar.Component], window: Window) -> list[Occurrence]:
    alone = icalendar.Calendar()
    if "X-WR-TIMEZONE" in calendar:
        alone.add("X-WR-TIMEZONE", calendar["X-WR-TIMEZONE"])
    for event in series:
        alone.add_component(event)
    # A floating event lies up to a day from where UTC has it, and an all-day duty ends hours after its last day.
    margin = timedelta(days=2)
    query = recurring_ical_events.of(alone)
    found = query.between(window.starts_at.astimezone(UTC) - margin, window.ends_at.astimezone(UTC) + margin)
    told = [_told(event, window) for event in found if _text(event.get("STATUS")).upper() != "CANCELLED"]
    return [one for one in told if one.starts_at < window.ends_at and one.ends_at > window.starts_at]


def _told(event: Any, window: Window) -> Occurrence:
    starts, ends = event["DTSTART"].dt, event["DTEND"].dt
    all_day = not isinstance(starts, datetime)
    # Many calendars name the last day itself where the standard wants the day after it.
    ends = starts + timedelta(days=1) if all_day and ends == starts else ends
    starts_at, ends_at = _instant(starts, window), _instant(ends, window)
    if ends_at <= starts_at:
        raise _UnreadableError("没有时长：结束不晚于开始", "it lasts no time: it ends no later than it starts")
    people = _text(event.get("X-JIAOYING-PEOPLE"))
    return Occurrence(
        uid=_text(event.get("UID")),
        summary=_text(event.get("SUMMARY")),
        starts_at=starts_at,
        ends_at=ends_at,
        all_day=all_day,
        post=_text(event.get("X-JIAOYING-POST")),
        people=tuple(part for part in people.split("|") if part),
    )


def _instant(moment: date, window: Window) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, window.day_starts)
    return (moment if moment.tzinfo else moment.replace(tzinfo=window.zone)).astimezone(UTC)


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0]
    return re.sub(r"[\x00-\x1f]+", " ", str(value)).strip() if value is not None else ""


def _why(error: Exception) -> str:
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:160]
