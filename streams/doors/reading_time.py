"""Read the times of warnings as they are really written; pure, and never asks a clock what day it is."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo

CHINA_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept UTC+8 without summer time since 1991; older warnings are nobody's to call."""

_FIRST_YEAR, _LAST_YEAR = 1992, 2100
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?")
_WRITTEN = re.compile(
    r"(?P<year>\d{4})[-/.年]?(?P<month>\d{1,2})[-/.月]?(?P<day>\d{1,2})日?"
    r"(?:[T\s]*(?P<hour>\d{1,2})[:时点]?(?:(?P<minute>\d{2}|(?<=[:时点])\d)[:分]?(?:(?P<second>\d{2})秒?)?(?:\.\d+)?)?)?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?(?![\d:])",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
SPOKEN = (
    r"(?:(?P<year>\d{4}|\d{2})[年/-])?(?:(?P<month>\d{1,2})[月/-])?(?:(?P<day>\d{1,2})[日号T ])?"
    r"(?P<hour>\d{1,2})(?:[时点:：](?:(?P<minute>\d{1,2})分?)?(?:\d{1,2}秒)?)"
)
"""The wording of a time in a Chinese text; year, month and day may be left out, in this order."""


def read_time(value: str | int | float, naive_zone: tzinfo | None) -> datetime | None:
    """Return the time that `value` starts with, in UTC, or None where it is none.

    Understood are ISO 8601 also with a space for the T, `2026/09/19 11:42`, `20200605 09:05:00`, `20180715133000`,
    `2025年06月10日 04:30:00`, and seconds or milliseconds since 1970. Words after the time are passed over.

    Args:
        value: What the document holds.
        naive_zone: The zone of times that name none; None refuses them.
    """
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if _EPOCH.fullmatch(text):
        seconds = float(text) if len(text.split(".")[0]) <= 10 else float(text) / 1000
        return _checked(datetime.fromtimestamp(seconds, UTC))
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _aware([int(part or 0) for part in compact.groups()], naive_zone)
    found = _WRITTEN.match(text)
    if not found:
        return None
    parts = [int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    return _aware(parts, _offset_zone(found["offset"]) if found["offset"] else naive_zone)


def read_spoken_time(found: re.Match[str], reference: datetime | None) -> datetime | None:
    """Return the time of a match of `SPOKEN`, in UTC, or None where it is no time.

    What the wording leaves out is filled so that the time is the latest that does not lie after `reference` (by more
    than a day where the day is named, an hour where it is not: clocks differ). Without a reference nothing is filled.
    """
    year, month, day = (int(found[name]) if found[name] else None for name in ("year", "month", "day"))
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if year is not None and year < 100:
        year += 2000
    if year and month and day:
        return _aware([year, month, day, hour, minute, 0], CHINA_ZONE)
    if reference is None:
        return None
    slack = timedelta(days=1) if day else timedelta(hours=1)
    local = reference.astimezone(CHINA_ZONE)
    for back_days in range(366 * 8 if month else 62):
        tried = local + timedelta(days=1 - back_days)
        if (month and tried.month != month) or (day and tried.day != day) or (year and tried.year != year):
            continue
        at = _aware([tried.year, tried.month, tried.day, hour, minute, 0], CHINA_ZONE)
        if at is None or at <= reference + slack:
            return at
    return None


def _offset_zone(offset: str) -> tzinfo | None:
    """Return the zone of `Z` or `+08:00`; None where no such zone can be."""
    if offset.upper() == "Z":
        return UTC
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes >= 24 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _aware(parts: list[int], zone: tzinfo | None) -> datetime | None:
    """Return year … second as a UTC time; 24:00 is the next midnight; None where there is no such time."""
    year, month, day, hour, minute, second = parts
    whole_day = hour == 24 and minute == 0 and second == 0
    try:
        at = datetime(year, month, day, 0 if whole_day else hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    if zone is None or not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    return at.astimezone(UTC) + timedelta(days=1 if whole_day else 0)


def _checked(at: datetime) -> datetime | None:
    """Return a time within the years a warning can be of."""
    return at if _FIRST_YEAR <= at.year <= _LAST_YEAR else None
