"""Rosters that are made: rest and leave are kept, shares are fair, holidays are known and never guessed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosters.holidays import Calendar, DayKind, Period, UnknownYearError, YearFile, period_on, read_duty_year
from rosters.model import Shift
from rosters.rotation import Made, Rota, make

UNHURRIED = settings(deadline=None)
ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar()
YEAR = (date(2025, 1, 1), date(2025, 12, 31))


def rota(crews: int = 6, **more) -> Rota:
    names = tuple((f"p{n}",) for n in range(crews))
    return Rota(**{"post": "c-duty", "crews": names, "first": YEAR[0], "last": YEAR[1], **more})


def made(crews: int = 6, **more) -> Made:
    return make(rota(crews, **more), CALENDAR, ZONE)


def spread(result: Made, kind: DayKind) -> int:
    counts = [share.days[kind] for share in result.shares.values()]
    return max(counts) - min(counts)


def test_a_make_up_working_day_is_a_workday_although_it_is_a_sunday():
    assert date(2025, 1, 26).weekday() == 6
    assert CALENDAR.kind(date(2025, 1, 26)) is DayKind.WORKDAY


def test_a_bridge_day_of_a_festival_is_a_holiday_and_a_plain_saturday_a_weekend():
    assert CALENDAR.kind(date(2025, 10, 7)) is DayKind.HOLIDAY
    assert CALENDAR.kind(date(2025, 7, 19)) is DayKind.WEEKEND


def test_a_year_that_is_not_announced_is_refused_with_the_years_that_are_known():
    with pytest.raises(UnknownYearError, match=r"2099.*2004"):
        CALENDAR.kind(date(2099, 1, 1))


def test_a_county_may_write_down_the_year_that_is_not_known_yet():
    own = Calendar({2099: YearFile(holidays=(date(2099, 1, 1),), workdays=(date(2099, 1, 3),))})
    assert own.kind(date(2099, 1, 1)) is DayKind.HOLIDAY
    assert own.kind(date(2099, 1, 3)) is DayKind.WORKDAY
    assert own.kind(date(2099, 1, 4)) is DayKind.WEEKEND


def test_the_countys_own_file_is_read_and_its_faults_are_told(tmp_path: Path):
    file = tmp_path / "duty_year.yaml"
    file.write_text("periods:\n- {name: 主汛期, first: 2025-07-16, last: 2025-08-15}\n", encoding="utf-8")
    (period,) = read_duty_year(file).periods
    assert period_on(date(2025, 8, 15), [period]) == period
    assert period_on(date(2025, 8, 16), [period]) is None
    file.write_text("periods:\n- {name: 两会, first: 2025-03-11, last: 2025-03-03}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="两会"):
        read_duty_year(file)


def test_over_a_year_weekends_and_holidays_are_shared_fairly():
    result = made()
    assert result.open_turns == ()
    assert spread(result, DayKind.HOLIDAY) <= 1
    assert spread(result, DayKind.WEEKEND) <= 1
    turns = [share.turns for share in result.shares.values()]
    assert max(turns) - min(turns) <= 2


def test_a_weekly_rotation_changes_hands_once_a_week():
    result = made(4, turn_days=7, first=date(2025, 1, 6), last=date(2025, 2, 2))
    assert [shift.person for shift in result.shifts] != []
    assert all((shift.ends_at - shift.starts_at).days == 7 for shift in result.shifts)
    assert len({shift.person for shift in result.shifts}) == 4


def test_a_group_takes_its_turn_together():
    crews = (("a", "b"), ("c", "d"), ("e", "f"))
    result = make(rota(crews=1, last=date(2025, 1, 9)).model_copy(update={"crews": crews}), CALENDAR, ZONE)
    assert {(shift.person, shift.deputy) for shift in result.shifts} == set(crews)


def test_a_special_period_puts_a_second_one_beside():
    period = Period(name="国庆", first=date(2025, 10, 1), last=date(2025, 10, 8))
    result = make(rota(first=date(2025, 9, 28), last=date(2025, 10, 10)), CALENDAR, ZONE, periods=[period])
    beside = {shift.starts_at.astimezone(ZONE).date(): shift.deputy for shift in result.shifts}
    assert all(beside[date(2025, 10, day)] for day in range(1, 9))
    assert not beside[date(2025, 9, 30)]
    assert not beside[date(2025, 10, 9)]


def test_a_turn_that_nobody_may_take_is_left_open_and_told():
    leaves = {"p0": [(date(2025, 3, 1), date(2025, 3, 5))], "p1": [(date(2025, 3, 3), date(2025, 3, 9))]}
    result = make(rota(2, first=date(2025, 3, 1), last=date(2025, 3, 10), rest_h=0), CALENDAR, ZONE, leaves)
    assert (date(2025, 3, 4), date(2025, 3, 4)) in result.open_turns


def test_the_same_input_makes_the_same_roster():
    assert made().shifts == made().shifts


leave_spans = st.tuples(st.integers(0, 80), st.integers(0, 12)).map(
    lambda pair: (YEAR[0] + timedelta(days=pair[0]), YEAR[0] + timedelta(days=sum(pair)))
)


@given(
    crews=st.integers(2, 8),
    turn_days=st.integers(1, 7),
    rest_h=st.integers(0, 72),
    leaves=st.dictionaries(st.sampled_from([f"p{n}" for n in range(8)]), st.lists(leave_spans, max_size=2), max_size=5),
)
@UNHURRIED
def test_rest_is_kept_nobody_on_leave_serves_and_every_day_is_held_once_or_told(crews, turn_days, rest_h, leaves):
    asked = rota(crews, turn_days=turn_days, rest_h=rest_h, last=YEAR[0] + timedelta(days=90))
    result = make(asked, CALENDAR, ZONE, leaves)
    by_person: dict[str, list] = {}
    for shift in result.shifts:
        by_person.setdefault(shift.person, []).append(shift)
    for person, shifts in by_person.items():
        for one, other in pairwise(shifts):
            assert other.starts_at - one.ends_at >= timedelta(hours=rest_h)
        for shift in shifts:
            for first, last in leaves.get(person, []):
                away = datetime.combine(first, time(0), ZONE), datetime.combine(last, time(23, 59), ZONE)
                assert shift.ends_at <= away[0] or shift.starts_at >= away[1]
    held = [(shift.starts_at.astimezone(ZONE).date(), shift.ends_at.astimezone(ZONE).date()) for shift in result.shifts]
    covered = sorted([*held, *((first, last + timedelta(days=1)) for first, last in result.open_turns)])
    assert covered[0][0] == asked.first
    assert covered[-1][1] == asked.last + timedelta(days=1)
    assert all(one[1] == other[0] for one, other in pairwise(covered))


@given(crews=st.integers(4, 10), rest_h=st.sampled_from([0, 24, 48]))
@UNHURRIED
def test_without_leave_no_crew_has_two_more_holidays_or_weekends_than_another(crews, rest_h):
    result = made(crews, rest_h=rest_h)
    assert result.open_turns == ()
    assert spread(result, DayKind.HOLIDAY) <= 2
    assert spread(result, DayKind.WEEKEND) <= 2


def test_a_roster_made_month_by_month_is_as_fair_over_the_year_as_one_made_in_january() -> None:
    served: list[Shift] = []
    result = None
    for month in range(1, 13):
        first = date(2025, month, 1)
        last = date(2025 + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        result = make(rota(first=first, last=last), CALENDAR, ZONE, served=served)
        served += result.shifts
    assert result is not None
    assert all(spread(result, kind) <= 1 for kind in DayKind)
    assert sum(share.days.total() for share in result.shares.values()) == 365


def test_without_what_was_served_before_the_first_of_the_list_has_every_new_years_day() -> None:
    """What the months before count for: made anew from nothing, the same person would begin each month."""
    january = make(rota(last=date(2025, 1, 31)), CALENDAR, ZONE)
    february = make(rota(first=date(2025, 2, 1), last=date(2025, 2, 28)), CALENDAR, ZONE, served=january.shifts)
    unaware = make(rota(first=date(2025, 2, 1), last=date(2025, 2, 28)), CALENDAR, ZONE)
    assert unaware.shifts[0].person == january.shifts[0].person == "p0"
    assert february.shifts[0].person != "p0"


def test_the_rest_after_the_last_turn_before_is_kept() -> None:
    january = make(rota(2, last=date(2025, 1, 31), rest_h=24), CALENDAR, ZONE)
    last = january.shifts[-1]
    february = make(
        rota(2, first=date(2025, 2, 1), last=date(2025, 2, 2), rest_h=24), CALENDAR, ZONE, served=january.shifts
    )
    assert february.shifts[0].person != last.person
    assert february.shifts[0].starts_at == last.ends_at


@given(st.integers(3, 9), st.integers(0, 11), st.sampled_from((24, 48)))
@UNHURRIED
def test_shifts_that_were_made_never_overlap_and_cover_each_day_once(crews: int, month: int, rest_h: int) -> None:
    first = date(2025, 1 + month, 1)
    result = make(rota(crews, first=first, last=first + timedelta(days=27), rest_h=rest_h), CALENDAR, ZONE)
    ordered = sorted(result.shifts, key=lambda shift: shift.starts_at)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(ordered))
    held = sum((shift.ends_at - shift.starts_at).days for shift in ordered)
    assert held + sum((end - start).days + 1 for start, end in result.open_turns) == 28
