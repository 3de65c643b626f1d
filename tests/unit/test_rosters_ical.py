"""Calendars in and out: real files give the occurrences that their names say, broken ones a reason, bombs a limit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosters.io.ical import shifts_of, write_ical
from rosters.io.occurrences import Window, occurrences, occurrences_within
from rosters.io.report import RosterFileError
from tests.unit.calendar_by_hand import first_day, told_by_hand
from tests.unit.duty_county import ZONE, a_shift, duty_county

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "ical"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the collected calendars of shared/data/ical are not here")


def window(start: str = "2021-07-01", days: int = 31, zone: str = "Asia/Shanghai") -> Window:
    starts_at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    return Window(starts_at, starts_at + timedelta(days=days), ZoneInfo(zone))


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def starts(content: bytes, given: Window) -> list[str]:
    found, refused = occurrences(content, "x.ics", given)
    assert not refused
    return [f"{one.starts_at.astimezone(given.zone):%m-%d %H:%M}" for one in found]


# File, year, zone, and the local starts that its name, its rule or its notes say.
SAID = [
    ("recurring-ical-events/one_event", "Europe/Berlin", "2019", ["03-04 08:00"]),
    ("recurring-ical-events/one_day_event", "Europe/Berlin", "2019", ["03-04 08:00"]),
    (
        "recurring-ical-events/three_events",
        "Europe/Berlin",
        "2019",
        ["03-04 00:00", "03-07 00:00", "03-10 00:00"],
    ),
    (
        "recurring-ical-events/three_events_one_edited",
        "Europe/Berlin",
        "2019",
        ["03-18 04:00", "03-19 04:00", "03-20 04:00"],
    ),
    (
        "recurring-ical-events/each_week_but_one_deleted",
        "Europe/Berlin",
        "2019",
        ["03-04 00:30", "03-18 00:30", "03-25 00:30", "04-01 00:30", "04-08 00:30", "04-15 00:30", "04-22 00:30"],
    ),
    (
        "recurring-ical-events/recurring_events_moved",
        "Europe/Berlin",
        "2019",
        ["03-07 02:00", "03-08 01:00", "03-09 03:00", "03-10 02:00", "03-18 04:00", "03-19 04:00", "03-20 04:00"],
    ),
    (
        "recurring-ical-events/issue_62_moved_event_2",
        "Australia/Sydney",
        "2023",
        ["08-08 14:00", "08-10 08:00", "08-14 14:00", "08-16 08:00", "08-22 14:00", "08-24 08:00"],
    ),
    (
        "recurring-ical-events/issue_113_period_rdate_duration",
        "UTC",
        "2024",
        ["09-12 12:00", "09-13 12:00"],
    ),
    (
        "recurring-ical-events/rdate_hackerpublicradio",
        "UTC",
        "2013",
        ["08-03 19:00", "08-31 19:00", "10-05 19:00", "11-02 19:00", "11-30 19:00"],
    ),
    ("recurring-ical-events/issue_44_double_event", "Europe/Berlin", "2020", ["08-14 08:00"]),
    ("recurring-ical-events/issue_253_recurrence_id_included", "UTC", "2024", ["07-01 08:00", "07-29 08:00"]),
    (
        "recurring-ical-events/issue_223_one_event_with_sequence",
        "Europe/Berlin",
        "2019",
        ["03-04 08:00", "03-05 08:00"],
    ),
    ("grafana-oncall/modified_recurring_event", "Europe/Warsaw", "2023", ["07-17 08:00", "07-17 10:00"]),
    ("grafana-oncall/inline-test_ical_utils-L416", "Europe/Berlin", "2023", ["05-15 08:00"]),
    ("icalendar/calendars--timezoned", "Europe/Vienna", "2012", ["02-13 10:00"]),
]


@needs_real
@pytest.mark.parametrize(("file", "zone", "year", "expected"), SAID, ids=[row[0] for row in SAID])
def test_a_real_calendar_gives_the_occurrences_its_name_says(
    file: str, zone: str, year: str, expected: list[str]
) -> None:
    assert starts((REAL / f"{file}.ics").read_bytes(), window(f"{year}-01-01", 365, zone)) == expected


@needs_real
def test_an_edited_duration_changes_that_occurrence_alone() -> None:
    content = (REAL / "recurring-ical-events" / "duration_edited.ics").read_bytes()
    found, _ = occurrences(content, "x.ics", window("2019-01-01", 365, "Europe/Berlin"))
    assert [(one.ends_at - one.starts_at) / timedelta(hours=1) for one in found] == [1, 3, 1]


@needs_real
def test_a_weekly_event_keeps_its_wall_clock_when_the_clocks_change() -> None:
    content = (REAL / "recurring-ical-events" / "issue_48_daylight_aware_repeats.ics").read_bytes()
    told = starts(content, window("2020-09-01", 100, "Europe/Lisbon"))
    assert {one[6:] for one in told} == {"11:30"}
    assert len(told) > 8


@needs_real
def test_this_and_future_moves_every_later_occurrence() -> None:
    content = (REAL / "recurring-ical-events" / "issue_75_range_parameter.ics").read_bytes()
    told = starts(content, window("2024-09-11", 12, "UTC"))
    assert told == [
        "09-11 12:00",
        "09-13 09:00",
        "09-14 06:00",
        "09-15 17:00",
        "09-17 09:00",
        "09-19 09:00",
        "09-22 14:22",
    ]


# Not a calendar at all by its own first lines, or by what the collection's index says of it.
FRAGMENTS = ("alarms--", "events--", "timezones--", "calendars--big_bad_calendar", "calendars--issue_178_component")
NOT_SOUND = ("calendars--issue_104_broken_calendar", "calendars--parsing_error_in_UTC_offset")
# Its rule is changed from one occurrence on, which has a test of its own.
FROM_ONE_ON = ("issue_75_range_parameter",)
WHY_NOT = ("cannot be read", "has no DTSTART", "several DTSTART", "lasts no time", "is not known")


@needs_real
@pytest.mark.parametrize("file", sorted(REAL.rglob("*.ics")), ids=lambda file: file.stem)
def test_every_real_calendar_gives_what_a_second_reading_gives_or_says_why_not(file: Path) -> None:
    content, zone = file.read_bytes(), ZoneInfo("Europe/Berlin")
    if file.stem.startswith((*FRAGMENTS, *NOT_SOUND)):
        with pytest.raises(RosterFileError, match=re.escape(file.name)):
            occurrences(content, file.name, window())
        return
    begins = datetime.combine(first_day(content) - timedelta(days=3), time(), zone)
    given = Window(begins, begins + timedelta(days=600), zone)
    found, refused = occurrences(content, file.name, given)
    assert [remark.cell for remark in refused if not any(why in remark.english for why in WHY_NOT)] == []
    if file.stem.startswith(FROM_ONE_ON):
        return
    left_out = {remark.cell for remark in refused}
    by_hand = told_by_hand(content, zone, given.starts_at, given.ends_at, left_out)
    assert {(one.summary, one.starts_at, one.ends_at) for one in found} == {
        (" ".join(summary.splitlines()).strip(), starts_at, ends_at) for summary, starts_at, ends_at in by_hand
    }


@needs_real
def test_most_real_calendars_give_something() -> None:
    """A second reading that found nothing either would prove nothing."""
    giving = 0
    for file in REAL.rglob("*.ics"):
        if file.stem.startswith((*FRAGMENTS, *NOT_SOUND)):
            continue
        begins = datetime.combine(first_day(file.read_bytes()) - timedelta(days=3), time(), ZoneInfo("UTC"))
        found, _ = occurrences(file.read_bytes(), file.name, Window(begins, begins + timedelta(days=90), ZONE))
        giving += bool(found)
    assert giving >= 50


@needs_real
def test_every_calendar_of_the_collection_is_looked_at() -> None:
    listed = {line.split("\t")[0] for line in (REAL / "INDEX.tsv").read_text(encoding="utf-8").splitlines()[1:]}
    assert listed == {file.relative_to(REAL).as_posix() for file in REAL.rglob("*.ics")}


@needs_real
def test_the_holidays_of_a_year_are_whole_days_although_each_ends_where_it_begins() -> None:
    content = (REAL / "recurring-ical-events" / "Germany_Holidays.ics").read_bytes()
    found, refused = occurrences(content, "x.ics", window("2019-01-01", 365, "Europe/Berlin"))
    assert not refused
    assert ("New Year's Day", "2019-01-01") in {(one.summary, f"{one.starts_at:%Y-%m-%d}") for one in found}
    assert {one.all_day for one in found} == {True}


@needs_real
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("icalendar/calendars--broken_dtstart", "DTSTART"),
        ("icalendar/calendars--pacific_fiji", "DTSTART"),
        ("icalendar/calendars--issue_526_calendar_with_events", "zone"),
        ("grafana-oncall/inline-test_on_call_schedule-L2011", "DTSTART"),
        ("recurring-ical-events/issue_62_moved_event", "no time"),
    ],
)
def test_a_broken_event_is_refused_by_what_is_broken(file: str, said: str) -> None:
    _, refused = occurrences((REAL / f"{file}.ics").read_bytes(), "x.ics", window("2021-01-01", 700))
    assert any(said in remark.english for remark in refused)


def test_an_all_day_event_is_the_duty_from_one_handover_to_the_next() -> None:
    content = calendar("UID:1\nSUMMARY:张三\nDTSTART;VALUE=DATE:20210719\nDTEND;VALUE=DATE:20210721")
    found, _ = occurrences(content, "x.ics", window())
    assert [(str(one.starts_at), str(one.ends_at)) for one in found] == [
        ("2021-07-19 00:00:00+00:00", "2021-07-21 00:00:00+00:00")
    ]


def test_a_floating_time_is_the_countys_wall_clock() -> None:
    content = calendar("UID:1\nSUMMARY:张三\nDTSTART:20210719T080000\nDTEND:20210720T080000")
    assert starts(content, window()) == ["07-19 08:00"]


def test_an_occurrence_that_only_touches_the_window_is_not_in_it() -> None:
    content = calendar("UID:1\nDTSTART:20210601T080000\nDTEND:20210602T080000\nRRULE:FREQ=DAILY")
    told = starts(content, Window(*_day(3), ZONE))
    assert told == ["07-02 08:00", "07-03 08:00"]


def _day(day: int) -> tuple[datetime, datetime]:
    start = datetime(2021, 7, day, tzinfo=ZONE)
    return start, start + timedelta(days=1)


def test_a_cancelled_event_does_not_happen() -> None:
    content = calendar("UID:1\nSTATUS:CANCELLED\nDTSTART:20210719T080000\nDTEND:20210720T080000")
    assert starts(content, window()) == []


def test_one_broken_series_leaves_the_others_as_they_are() -> None:
    content = calendar(
        "UID:bad\nDTSTART:20210719T080000\nDTEND:20210720T080000\nRRULE:FREQ=SOMETIMES",
        "UID:good\nDTSTART:20210719T080000\nDTEND:20210720T080000",
    )
    found, refused = occurrences(content, "x.ics", window())
    assert [one.uid for one in found] == ["good"]
    assert [remark.cell for remark in refused] == ["bad"]


def test_a_zone_that_nobody_knows_refuses_the_event_instead_of_guessing() -> None:
    content = calendar("UID:1\nDTSTART;TZID=Nowhere/Town:20210719T080000\nDTEND;TZID=Nowhere/Town:20210720T080000")
    found, refused = occurrences(content, "x.ics", window())
    assert not found
    assert "Nowhere/Town" in refused[0].english


@pytest.mark.parametrize("often", ["SECONDLY", "MINUTELY"])
def test_what_repeats_every_minute_is_no_duty(often: str) -> None:
    content = calendar(f"UID:1\nDTSTART:20210701T000000\nDTEND:20210701T000100\nRRULE:FREQ={often}")
    _, refused = occurrences(content, "x.ics", window())
    assert often in refused[0].english


def test_a_repetition_that_matches_no_day_ever_ends_at_the_time_limit() -> None:
    rule = "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"
    content = calendar(*(f"UID:{n}\nDTSTART:20210701T000000\nDTEND:20210701T010000\n{rule}" for n in range(9)))
    with pytest.raises(RosterFileError, match="RRULE"):
        occurrences_within(content, "x.ics", window(), limit_s=4.0)


def test_a_sound_calendar_comes_back_from_its_own_process() -> None:
    content = calendar("UID:1\nDTSTART:20210719T080000\nDTEND:20210720T080000")
    found, refused = occurrences_within(content, "x.ics", window())
    assert (len(found), refused) == (1, ())


def test_a_window_without_end_is_refused() -> None:
    with pytest.raises(RosterFileError, match="800"):
        occurrences(calendar(), "x.ics", window(days=5000))


@given(st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_bytes_that_are_no_calendar_are_refused_and_never_crash(content: bytes) -> None:
    with pytest.raises(RosterFileError):
        occurrences(content, "x.ics", window())


def _read_back(content: bytes, post: str = "") -> object:
    found, refused = occurrences(content, "x.ics", window())
    return shifts_of(found, refused, duty_county(), post=post, name="x.ics")


def test_the_summary_names_the_person_and_the_post_where_it_says_so() -> None:
    content = calendar(
        "UID:1\nSUMMARY:张三、李四\nDTSTART;VALUE=DATE:20210719",
        "UID:2\nSUMMARY:溪口镇带班领导：赵敏\nDTSTART;VALUE=DATE:20210719",
        "UID:3\nSUMMARY:某人\nDTSTART;VALUE=DATE:20210720",
    )
    found = _read_back(content, post="t100-duty")
    assert [(shift.post, shift.person, shift.deputy) for shift in found.shifts] == [
        ("t100-duty", "p1", "p2"),
        ("t100-leader", "p4", ""),
    ]
    assert "某人" in found.refused[0].reason


def test_a_calendar_with_names_reads_back_the_same_roster() -> None:
    shifts = (
        a_shift("t100-duty", "w1", "2021-07-05T08:00", deputy="w2"),
        a_shift("t100-leader", "p1", "2021-07-05T08:00", 48),
        a_shift("c-duty", "p2", "2021-07-06T20:15", 11.5),
    )
    content = write_ical(shifts, duty_county(), at=datetime(2021, 7, 1, tzinfo=UTC), with_names=True)
    found = _read_back(content)
    assert found.shifts == shifts
    assert not found.refused


def test_a_calendar_names_nobody_and_no_phone_unless_asked_to() -> None:
    shifts = [a_shift("t100-duty", "p1", "2021-07-05T08:00", deputy="p2")]
    text = write_ical(shifts, duty_county(), at=datetime(2021, 7, 1, tzinfo=UTC)).decode()
    assert "溪口镇值班员" in text
    assert not any(word in text for word in ("张三", "李四", "p1", "138"))
