"""What a warning that goes on means for those who were called before."""

from __future__ import annotations

from agents.callout.state import CalloutState
from streams.letters import Mode


def test_those_who_are_awake_are_not_rung_however_often_the_warning_is_issued_again(night):
    night.warning(colour="orange").advance(minutes=30)
    before = len(night.phone("v202-head").calls)
    for _ in range(4):
        night.warning(colour="orange", kind="Update", continued=True).advance(minutes=30)
    assert len(night.phone("v202-head").calls) == before


def test_those_who_are_awake_are_told_of_each_continuation(night):
    night.warning(colour="orange").advance(minutes=30)
    for _ in range(2):
        night.warning(colour="orange", kind="Update", continued=True).advance(minutes=30)
    told = [callout for callout in night.callouts("v202-head") if callout.mode is Mode.MESSAGE]
    assert [callout.state for callout in told] == [CalloutState.TOLD, CalloutState.TOLD]


def test_after_a_fall_in_colour_those_who_are_awake_are_still_known_to_be(night):
    night.warning(colour="red").advance(minutes=30)
    before = len(night.phone("v202-head").calls)
    night.warning(colour="orange", kind="Update").advance(minutes=30)
    night.warning(colour="orange", kind="Update", continued=True).advance(minutes=30)
    assert len(night.phone("v202-head").calls) == before


def test_the_next_shift_is_called_though_the_last_thing_the_former_heard_was_a_message(make_night):
    night = make_night(start="2021-07-20 05:00")
    night.warning(colour="red").advance(minutes=30)
    night.warning(colour="red", kind="Update", continued=True).at("08:10")
    night.phone("sim:t100-duty-2").expects_call()
