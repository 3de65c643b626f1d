"""Reading times as people write them in scenarios and tests: the county's clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def read_local(when: datetime | str, zone: ZoneInfo, *, after: datetime | None = None) -> datetime:
    """Return a time in UTC.

    Args:
        when: Aware, `2021-07-19 21:59` (with or without seconds) in the county's zone, or `22:30` alone.
        zone: The county's.
        after: What a clock time alone is counted from: that day, or the next where the clock time has passed.

    Raises:
        ValueError: It cannot be read, has no zone, or is a clock time alone with nothing to count from.
    """
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ValueError(f"{when} has no zone; write it as text in county time, or give it a zone")
        return when.astimezone(UTC)
    if len(when) <= len("HH:MM:SS"):
        if after is None:
            raise ValueError(f"{when!r} has no date; write 2021-07-19 {when}")
        base = after.astimezone(zone)
        moment = datetime.combine(base.date(), time.fromisoformat(when), tzinfo=zone)
        if moment < base:
            moment = datetime.combine(base.date() + timedelta(days=1), time.fromisoformat(when), tzinfo=zone)
        return moment.astimezone(UTC)
    return datetime.fromisoformat(when).replace(tzinfo=zone).astimezone(UTC)
