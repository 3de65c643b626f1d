"""The invented county that demos, drills and tests call: whole, simulated, with its deliberate hole."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rosters.county import County
from rosters.load import check_county, load_county
from streams.words import Level

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
ZONE = ZoneInfo("Asia/Shanghai")
JULY = datetime(2021, 7, 1, 8, tzinfo=ZONE)
HABITS = {
    "answers",
    "slow",
    "sleeps",
    "hangs_up_early",
    "child",
    "fetches",
    "cannot",
    "replies_by_sms",
    "voicemail",
    "switched_off",
    "no_coverage",
    "out_of_service",
}


@pytest.fixture(scope="module")
def county() -> County:
    return load_county(SAMPLE)


@pytest.fixture(scope="module")
def habits() -> dict[str, str]:
    with (SAMPLE / "habits.csv").open(encoding="utf-8", newline="") as sheet:
        return {row["number"]: row["habit"] for row in csv.DictReader(sheet)}


def test_it_has_about_five_hundred_posts_in_twelve_townships(county: County) -> None:
    levels = Counter(region.level for region in county.regions.values())
    assert 450 <= len(county.posts) <= 550
    assert levels[Level.TOWNSHIP] == 12
    assert 110 <= levels[Level.VILLAGE] <= 130


def test_it_has_only_simulated_phones(county: County) -> None:
    numbers = {phone.number for person in county.people.values() for phone in person.phones}
    knockers = {knocker.phone for code in county.regions for knocker in county.knockers(code)}
    assert all(number.startswith("sim:") for number in numbers | knockers)


def test_every_village_has_somebody_who_goes_to_the_door(county: County) -> None:
    villages = county.below(county.code, Level.VILLAGE)
    assert all(len(county.knockers(village.code)) >= 2 for village in villages)


def test_its_month_has_one_hole_and_nothing_else_missing(county: County) -> None:
    told = [line for line in check_county(county, JULY, 31) if "提示" not in line]
    assert told == ["无人值班：石桥河镇值班员（t104-duty），2021-07-11 08:00 – 2021-07-12 08:00"]


def test_in_the_hole_nobody_holds_the_post_and_the_stand_in_is_only_its_deputy(county: County) -> None:
    night = datetime(2021, 7, 12, 3, tzinfo=ZONE)
    assert county.who("t104-duty", night) is None
    assert county.who("t104-duty", night, "deputy") is not None


def test_the_shift_changes_at_eight_exactly(county: County) -> None:
    eight = datetime(2021, 7, 20, 8, tzinfo=ZONE)
    last, first = county.who("t100-duty", eight - timedelta(microseconds=1)), county.who("t100-duty", eight)
    assert last is not None
    assert first is not None
    assert last.person.id != first.person.id
    assert first.shift == "t100-duty@2021-07-20T08:00"


@pytest.mark.parametrize("now", [datetime(2026, 2, 28, tzinfo=UTC), datetime(2031, 12, 31, tzinfo=UTC)])
def test_its_pattern_leaves_no_day_without_duty_whenever_it_is_loaded(now: datetime) -> None:
    today = load_county(SAMPLE, around=now)
    assert not [line for line in check_county(today, now, 30) if "提示" not in line]


def test_some_phones_stand_for_several_posts(county: County) -> None:
    night = datetime(2021, 7, 19, 22, tzinfo=ZONE)
    heads = [post for post in county.posts.values() if post.kind == "village_head"]
    keepers = 0
    for head in heads:
        held = county.who(head.id, night)
        assert held is not None
        of_number = county.posts_of_number(held.person.phones[0].number, night)
        keepers += any(county.posts[post].kind == "site_keeper" for post in of_number)
    assert keepers >= 10


def test_every_duty_room_has_a_landline_before_the_mobile(county: County) -> None:
    night = datetime(2021, 7, 19, 22, tzinfo=ZONE)
    for post in county.posts.values():
        if post.kind == "duty_officer":
            held = county.who(post.id, night)
            assert held is not None
            assert [phone.kind for phone in held.person.phones] == ["landline", "mobile"]


def test_every_habit_occurs_and_about_seven_in_ten_answer(habits: dict[str, str]) -> None:
    counts = Counter(habits.values())
    assert set(counts) == HABITS
    assert 0.65 <= counts["answers"] / len(habits) <= 0.78


def test_habits_are_of_numbers_that_somebody_has(county: County, habits: dict[str, str]) -> None:
    numbers = {phone.number for person in county.people.values() for phone in person.phones}
    knockers = {knocker.phone for code in county.regions for knocker in county.knockers(code)}
    assert set(habits) <= numbers | knockers


def test_one_whole_village_is_without_coverage(county: County, habits: dict[str, str]) -> None:
    lost = [post for post in county.posts.values() if post.region == "419926201204"]
    numbers = {phone.number for post in lost for one in post.holders for phone in county.people[one].phones}
    assert {post.kind for post in lost} == {"village_head", "safety_officer", "site_keeper"}
    assert {habits[number] for number in numbers} == {"no_coverage"}


def test_names_that_trip_are_there(county: County) -> None:
    names = county.names()
    assert "柳树湾村" not in names
    assert {"溪口镇柳树湾村", "双河口镇柳树湾村", "东河村", "东河口村"} <= set(names)
