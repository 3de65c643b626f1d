"""Quiet hours, gauges, and warnings that are not ours or not to be understood."""

from __future__ import annotations

import pytest

from agents.callout.state import CalloutState
from agents.intake.state import ChainState
from streams.doors.refusal import RefusedError
from streams.letters import Move

HEAD = "v201-head"


def test_a_blue_warning_at_night_holds_the_village_for_the_morning_digest(night):
    night.warning(colour="blue", hazard="gale").at("06:29")
    night.phone(HEAD).expects_no_call().expects_no_text()
    assert night.post(HEAD).state is CalloutState.HELD
    assert night.post(HEAD).hold_reason

    night.at("06:31")

    night.phone(HEAD).expects_no_call().expects_text("大风蓝色预警")


def test_a_blue_warning_rings_the_duty_posts(night):
    night.warning(colour="blue", hazard="gale").advance(minutes=3)

    night.phone("t100-duty").expects_call(1)


def test_a_place_on_the_danger_list_is_rung_all_the_same(night):
    night.warning(colour="blue").advance(minutes=3)

    night.phone("v202-head").expects_call(1)


def test_a_rise_breaks_a_hold(night):
    night.warning(colour="blue").advance(minutes=10)
    night.warning(colour="orange", kind="Update").advance(minutes=3)

    night.phone(HEAD).expects_call(1)
    assert night.callouts(HEAD)[0].state is CalloutState.SUPERSEDED
    night.at("06:40")
    assert not any("蓝色" in text.text for text in night.phone(HEAD).texts)


def test_heat_never_rings_a_village(night):
    night.warning(colour="red", hazard="heat").advance(hours=12)

    night.phone(HEAD).expects_no_call()
    night.phone("t100-duty").expects_call()


def test_a_lone_gauge_asks_the_duty_room_and_goes_on_after_ninety_seconds(night):
    night.rain("R1", 61).advance(seconds=80)
    night.phone("c-duty").expects_call(1)
    night.phone(HEAD).expects_no_call()
    assert {chain.state for chain in night.chains()} == {ChainState.GATED}

    night.advance(minutes=3)

    night.phone(HEAD).expects_call()


def test_a_second_gauge_opens_the_gate_at_once(night):
    night.rain("R1", 61).advance(seconds=20)
    night.rain("R2", 61).advance(seconds=30)

    night.phone(HEAD).expects_call()


def test_a_false_gauge_can_be_stopped_within_the_gate(night):
    night.rain("R1", 61).advance(seconds=30)
    for chain in night.chains():
        night.call_off(by="值班员", hazard=chain.hazard)
    night.advance(minutes=10)

    night.phone(HEAD).expects_no_call()


def test_an_alarm_joins_the_open_warning_of_its_hazard(night):
    night.warning(colour="red", hazard="rainstorm").advance(minutes=5)
    night.rain("R1", 61).advance(minutes=5)

    assert [chain.source for chain in night.chains() if chain.hazard == "rainstorm"] == ["warning"]


def test_a_river_over_its_guarantee_level_alarms(night):
    night.level("L1", 86.6).advance(minutes=5)

    assert [chain.hazard for chain in night.chains()] == ["flood"]
    night.phone(HEAD).expects_call()


def test_an_alarm_never_calls_itself_a_warning_signal(night):
    night.rain("R1", 61).advance(minutes=5)

    spoken = [call.voice for callout in night.callouts() for call in night.phone(callout.target_post).calls]
    assert spoken
    assert not any("预警" in words for words in spoken)


def test_a_warning_without_a_hazard_wakes_the_duty_officer_only(night):
    night.warning(hazard=None, colour=None, text="请注意近期天气变化").advance(minutes=3)

    night.phone("c-duty").expects_call(1)
    night.phone(HEAD).expects_no_call()
    assert [trouble.kind for trouble in night.troubles()] == ["unclear_warning"]


def test_a_warning_of_another_county_calls_nobody(night):
    night.warning(issuer="腾冲市气象台", geocodes=["530581000000"]).advance(minutes=10)

    assert night.callouts() == []


def test_a_warning_of_the_province_calls_the_county(night):
    night.warning(issuer="某省气象台", geocodes=["410000000000"]).advance(minutes=3)

    night.phone(HEAD).expects_call(1)


@pytest.mark.parametrize("status", ["Test", "Draft", "System"])
def test_a_document_that_is_not_meant_to_call_calls_nobody(night, status):
    night.warning(status=status).advance(minutes=10)

    assert night.callouts() == []


def test_an_exercise_says_first_that_it_is_one(night):
    night.warning(status="Exercise").advance(minutes=3)

    assert night.phone(HEAD).calls[0].voice.startswith("【演练】")
    night.phone(HEAD).expects_text("【演练】")


def test_a_drill_says_first_that_it_is_one_and_its_ids_are_its_own(make_night):
    night = make_night(realm="drill:2021-07")
    night.warning().advance(minutes=3)

    assert night.phone(HEAD).calls[0].voice.startswith("【演练】")
    assert night.post(HEAD).id.startswith("drill:2021-07|")


def test_a_warning_of_yesterday_is_put_to_the_duty_officer_and_calls_nobody_else(night):
    night.warning(sent="2021-07-18 08:00", hazard="rainstorm").advance(minutes=10)

    night.phone(HEAD).expects_no_call()
    night.phone("c-duty").expects_call(1)
    assert [row.move for row in night.rounds()] == [Move.UNCLEAR]


def test_what_is_no_document_is_refused_at_the_door(night):
    with pytest.raises(RefusedError):
        night.send(b"<alert>")


def test_a_warning_for_an_area_nobody_knows_wakes_the_duty_officer_only(night):
    night.warning(issuer="某流域机构", identifier="X_1", geocodes=[], text="暴雨红色预警，涉及某河段").advance(
        minutes=3
    )

    night.phone("c-duty").expects_call(1)
    night.phone(HEAD).expects_no_call()
    assert [trouble.kind for trouble in night.troubles()] == ["unclear_warning"]
