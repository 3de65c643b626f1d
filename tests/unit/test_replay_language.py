"""The language of nights says what is wrong when a night goes another way than was expected."""

from __future__ import annotations

import pytest

from streams.doors.warnings import read_warning
from streams.replay.cap_writer import Document, write_cap
from streams.replay.phones import UnexpectedError
from streams.words import Colour, MsgType


def test_a_call_that_did_not_come_is_told_with_all_that_did(night):
    night.warning().advance(minutes=5)

    with pytest.raises(UnexpectedError, match=r"sim:v201-head expected 2 call .* 21:59:\d\d voice confirmed"):
        night.phone("v201-head").expects_call(2)


def test_a_call_that_came_unexpectedly_is_told(night):
    night.warning().advance(minutes=5)

    with pytest.raises(UnexpectedError, match="expected no call"):
        night.phone("v201-head").expects_no_call()


def test_what_came_before_the_last_thing_that_came_in_does_not_count(night):
    night.warning().advance(minutes=5).warning(status="Test")

    night.phone("v201-head").expects_no_call()


def test_a_clock_time_that_has_passed_is_of_the_next_day(night):
    assert night.at("06:30").local == "07-20 06:30:00"


def test_a_night_does_not_go_back(night):
    with pytest.raises(ValueError, match="does not go back"):
        night.at("2021-07-19 21:00")


def test_a_post_that_has_no_callout_is_told(night):
    with pytest.raises(LookupError, match="v201-head has no callout"):
        night.post("v201-head")


def test_what_the_writer_writes_the_door_reads(night, rules):
    hazard = rules.hazard("rainstorm")
    document = Document(
        identifier="41992641600000_20210719215900",
        issuer="禾溪县气象台",
        sent=night.now,
        kind=MsgType.UPDATE,
        hazard=hazard,
        colour=Colour.RED,
        text="继续。",
        geocodes=("419926000000",),
        area_names=("禾溪县",),
        references=("41992641600000_20210719180000",),
        continued=True,
    )

    (warning,) = read_warning(write_cap(document), "application/cap+xml", rules.hazards, received_at=night.now)

    assert (warning.kind, warning.hazard, warning.colour) == (MsgType.UPDATE, "rainstorm", Colour.RED)
    assert warning.sent == night.now
    assert warning.geocodes == ("419926000000",)
    assert warning.references == ("41992641600000_20210719180000",)
    assert warning.expires_at is None
    assert warning.continued


@pytest.mark.parametrize("colour", list(Colour))
def test_every_hazard_and_colour_comes_through_the_door_as_it_was_sent(night, rules, colour):
    for hazard in rules.hazards:
        document = Document(
            identifier="41992641600000_20210719215900",
            issuer="禾溪县气象台",
            sent=night.now,
            hazard=hazard,
            colour=colour,
            text="请注意防范。",
            geocodes=("419926000000",),
        )
        (warning,) = read_warning(write_cap(document), None, rules.hazards, received_at=night.now)
        assert (warning.hazard, warning.colour) == (hazard.key, colour)
