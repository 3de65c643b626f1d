"""Who is on shift at a time, against a scan of every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rosters.model import Shift
from rosters.resolve import Timeline

MIDNIGHT = datetime(2021, 7, 19, tzinfo=UTC)
SPAN_MIN = 90


def minute(n: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=n)


def shift(n: int, starts_min: int, ends_min: int) -> Shift:
    return Shift(id=f"s{n}", post="post", person=f"p{n}", starts_at=minute(starts_min), ends_at=minute(ends_min))


def scan(shifts: list[Shift], at: datetime) -> Shift | None:
    """The rule said plainly: of those in force, the one that started last; of equals, the one written later."""
    in_force = [(one.starts_at, n, one) for n, one in enumerate(shifts) if one.starts_at <= at < one.ends_at]
    return max(in_force, key=lambda item: item[:2])[2] if in_force else None


bounds = st.tuples(st.integers(0, SPAN_MIN), st.integers(1, SPAN_MIN)).map(lambda pair: (pair[0], sum(pair)))
mixed = st.lists(bounds, max_size=8).map(lambda pairs: [shift(n, *pair) for n, pair in enumerate(pairs)])


def in_a_row(steps: list[tuple[int, int]]) -> list[Shift]:
    """Shifts one after another, touching where the pause is 0, written in any order."""
    made, at = [], 0
    for n, (pause_min, length_min) in enumerate(steps):
        made.append(shift(n, at + pause_min, at + pause_min + length_min))
        at += pause_min + length_min
    return made[::2] + made[1::2]


rosters = st.one_of(mixed, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=8).map(in_a_row))


@given(rosters)
@settings(deadline=None)
def test_every_minute_is_held_by_whom_a_plain_scan_finds(shifts: list[Shift]) -> None:
    timeline = Timeline(shifts)
    for n in range(-1, 2 * SPAN_MIN + 2):
        assert timeline.at(minute(n)) == scan(shifts, minute(n))


@given(rosters)
@settings(deadline=None)
def test_between_a_time_and_its_next_change_nothing_changes(shifts: list[Shift]) -> None:
    timeline = Timeline(shifts)
    for n in range(-1, 2 * SPAN_MIN + 2):
        later = range(n + 1, 2 * SPAN_MIN + 3)
        expected = next((minute(m) for m in later if scan(shifts, minute(m)) != scan(shifts, minute(n))), None)
        assert timeline.next_change(minute(n)) == expected


@given(rosters)
@settings(deadline=None)
def test_gaps_are_the_minutes_that_nobody_holds(shifts: list[Shift]) -> None:
    gaps = Timeline(shifts).gaps(minute(5), minute(2 * SPAN_MIN))
    for n in range(5, 2 * SPAN_MIN):
        in_gap = any(starts_at <= minute(n) < ends_at for starts_at, ends_at in gaps)
        assert in_gap == (scan(shifts, minute(n)) is None)


def test_a_shift_is_held_from_its_first_instant_until_just_before_its_last() -> None:
    timeline = Timeline([shift(1, 10, 20)])
    instant = timedelta(microseconds=1)
    assert timeline.at(minute(10) - instant) is None
    assert timeline.at(minute(10)) is not None
    assert timeline.at(minute(20) - instant) is not None
    assert timeline.at(minute(20)) is None


def test_a_longer_shift_comes_back_when_the_one_inside_it_ends() -> None:
    timeline = Timeline([shift(1, 0, 60), shift(2, 20, 30)])
    assert [held.id for n in (19, 20, 29, 30) if (held := timeline.at(minute(n)))] == ["s1", "s2", "s2", "s1"]


def test_a_post_without_shifts_is_one_gap() -> None:
    assert Timeline([]).gaps(minute(0), minute(9)) == ((minute(0), minute(9)),)
