"""Shifts that follow a pattern: people who take turns of 24 hours at a post, one after another, for as long as asked.

Written shifts win: from a post's first written shift to the end of its last the pattern says nothing, so that a hole
somebody left in the sheet stays a hole. Which turn a day has follows from the date alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from rosters.model import Shift
from streams.words import Model

DAYS_BEFORE = 35
DAYS_AFTER = 100


class Turn(Model):
    """One place in the rotation of a post: `turn` counts from 1, without holes."""

    post: str
    turn: int = Field(ge=1)
    person: str
    deputy: str = ""


def shifts_of_pattern(
    turns: Iterable[Turn], written: Sequence[Shift], handover: time, zone: ZoneInfo, around: datetime
) -> list[Shift]:
    """Return the shifts that the turns make in a window of days about `around`.

    Args:
        turns: All turns of all posts.
        written: Shifts from the sheet, which win.
        handover: The time of day, in `zone`, at which one shift ends and the next begins.
        zone: The county's.
        around: Aware; shifts reach from 35 days before it to 100 days after it.
    """
    first = around.astimezone(zone).date() - timedelta(days=DAYS_BEFORE)
    days = [first + timedelta(days=n) for n in range(DAYS_BEFORE + DAYS_AFTER + 1)]
    starts = [_handover_on(day, handover, zone) for day in [*days, days[-1] + timedelta(days=1)]]
    spans = _spans(written)
    rotations: dict[str, list[Turn]] = {}
    for turn in sorted(turns, key=lambda turn: (turn.post, turn.turn)):
        rotations.setdefault(turn.post, []).append(turn)
    made: list[Shift] = []
    for post, rotation in rotations.items():
        from_at, until_at = spans.get(post, (starts[-1], starts[-1]))
        for n, day in enumerate(days):
            if starts[n + 1] > from_at and starts[n] < until_at:
                continue
            turn = rotation[day.toordinal() % len(rotation)]
            made.append(
                Shift(
                    id=f"{post}@{day.isoformat()}T{handover:%H:%M}",
                    post=post,
                    person=turn.person,
                    deputy=turn.deputy,
                    starts_at=starts[n],
                    ends_at=starts[n + 1],
                )
            )
    return made


def _handover_on(day: date, handover: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, handover, zone).astimezone(UTC)


def _spans(written: Iterable[Shift]) -> dict[str, tuple[datetime, datetime]]:
    spans: dict[str, tuple[datetime, datetime]] = {}
    for shift in written:
        starts_at, ends_at = spans.get(shift.post, (shift.starts_at, shift.ends_at))
        spans[shift.post] = (min(starts_at, shift.starts_at), max(ends_at, shift.ends_at))
    return spans
