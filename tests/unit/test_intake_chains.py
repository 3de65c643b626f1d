"""Which chain a document belongs to, and that none of them is lost in the wrong one."""

from __future__ import annotations

import pytest

from agents.callout.state import CALLOUTS, CalloutState
from agents.intake.state import ChainState
from streams.ledger.contract import Where
from tests.small_county import LIULIN, XIKOU


def called(night) -> set[str]:
    return {callout.post_id for callout in night.callouts() if callout.calls}


def open_letters(night) -> dict[str, int]:
    return night.ledger.step(lambda step: step.count_open_letters())


def test_an_update_without_a_colour_to_an_open_chain_is_put_to_the_duty_officer_and_stalls_nothing(night):
    night.warning(colour="orange").advance(minutes=1)
    night.warning(colour=None, hazard=None, kind="Update").advance(minutes=10)
    assert night.troubles("unclear_warning")
    assert night.post("c-duty").voice.find("无法判读") > 0
    assert night.chains()[0].colour == "orange"


def test_an_update_that_ran_out_before_it_came_is_put_to_the_duty_officer_and_stalls_nothing(night):
    night.warning(colour="orange").advance(minutes=1)
    night.warning(colour="red", kind="Update", expires="2021-07-19 21:00").advance(minutes=10)
    assert night.troubles("unclear_warning")
    night.warning(colour="red", kind="Update").advance(minutes=10)
    assert [chain.colour for chain in night.chains()] == ["red"]


def test_a_fresh_warning_is_called_though_a_worse_one_of_yesterday_was_put_to_the_duty_officer(night):
    night.warning(colour="red", expires="2021-07-19 21:00").advance(minutes=20)
    assert called(night) == {"c-duty"}
    night.warning(colour="orange").advance(minutes=20)
    assert "v201-head" in called(night)


def test_a_warning_whose_hazard_is_told_only_by_its_update_is_called_then(night):
    night.warning(colour="red", hazard=None).advance(minutes=20)
    assert called(night) == {"c-duty"}
    night.warning(colour="red", hazard="rainstorm", kind="Update").advance(minutes=20)
    assert "v201-head" in called(night)
    assert len(night.chains()) == 1


def test_an_alert_of_the_same_second_as_its_cancel_calls_nobody(night):
    night.cancel(references=["A1"], identifier="C1", sent="2021-07-19 21:59")
    night.warning(identifier="A1", sent="2021-07-19 21:59").advance(minutes=10)
    assert called(night) == set()
    assert {chain.state for chain in night.chains()} == {ChainState.CANCELLED}


def test_a_cancel_for_one_area_leaves_the_chain_of_another_area_alone(night):
    night.warning(geocodes=[XIKOU], identifier="A1").advance(seconds=5)
    night.warning(geocodes=[LIULIN], identifier="A2").advance(seconds=5)
    night.cancel(geocodes=[LIULIN], references=[])
    states = {chain.regions: chain.state for chain in night.chains()}
    assert states == {(XIKOU,): ChainState.OPEN, (LIULIN,): ChainState.CANCELLED}


def test_a_cancel_for_a_place_without_a_chain_ends_no_other(night):
    night.warning(geocodes=[XIKOU], identifier="A1").advance(seconds=5)
    night.cancel(geocodes=[LIULIN], references=[])
    assert night.chains()[0].state is ChainState.OPEN


@pytest.mark.parametrize("status", ["Test", "System", "Draft"])
def test_what_is_not_meant_calls_nobody(night, status):
    night.warning(status=status).advance(minutes=10)
    assert night.callouts() == []


def test_everything_that_came_in_was_handled(night):
    night.warning(colour=None, hazard=None).warning(colour="red").cancel().advance(hours=1)
    assert sum(open_letters(night).values()) == 0


def test_a_document_moves_a_chain_once_however_often_it_comes(night):
    night.warning(identifier="A1", sent="2021-07-19 21:59").advance(minutes=5)
    before = len(night.rounds())
    for _ in range(3):
        night.warning(identifier="A1", sent="2021-07-19 21:59").advance(minutes=1)
    assert len(night.rounds()) == before


def test_a_drill_and_the_real_thing_are_two_chains(make_night):
    drill = make_night(realm="drill:x")
    drill.warning(colour="red").advance(minutes=10)
    assert {callout.id.split("|")[0] for callout in drill.callouts()} == {"drill:x"}
    assert drill.find(CALLOUTS, Where("realm", "=", "real")) == []
    assert {callout.state for callout in drill.callouts()} == {CalloutState.CONFIRMED}
