"""失联村: a village in which no phone can be reached, in the small county and in the sample's 老林沟村."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from agents.callout.village import is_lost
from streams.replay.scenario import load_scenario, night_of, play
from streams.words import Outcome

POSTS = ("v202-head", "v202-safety", "hz1-keeper")
PHONES = tuple(f"sim:{post}{which}" for post in POSTS for which in ("", "-b"))


def cut_off(night, phones=PHONES):
    for place, phone in enumerate(phones):
        night.phone(phone).habit("switched_off" if place % 2 else "no_coverage")
    return night


def open_troubles(night):
    return [item for item in night.troubles() if item.closed_at is None]


def test_a_village_in_which_no_phone_can_be_reached_is_one_trouble(night):
    cut_off(night).warning().advance(minutes=10)

    (trouble,) = open_troubles(night)
    assert (trouble.kind, trouble.text[:7]) == ("village_lost", "下湾村全村失联")
    assert {night.post(post).state for post in POSTS} == {CalloutState.LOST}


def test_its_posts_are_on_the_visit_list_as_cut_off(night):
    cut_off(night).warning().advance(minutes=10)

    items = {item.post_id: item for item in night.visit("溪口镇").items}
    assert set(items) == set(POSTS)
    assert all(item.lost_contact for item in items.values())


def test_what_is_still_to_be_rung_there_is_not_rung_any_more(make_night):
    shared = {f"{post}-b": "sim:shared" for post in POSTS}
    night = cut_off(make_night(numbers=shared), [*(f"sim:{post}" for post in POSTS), "sim:shared"])
    night.phone("sim:v202-safety").habit("no_coverage")
    night.warning().advance(minutes=10)

    assert len(night.phone("sim:shared").calls) == 1
    assert {night.post(post).state for post in POSTS} == {CalloutState.LOST}
    assert len(open_troubles(night)) == 1


@pytest.mark.parametrize("habit", ["sleeps", "hangs_up_early", "voicemail", "out_of_service"])
def test_one_phone_that_meets_anything_else_keeps_the_village_from_being_lost(night, habit):
    cut_off(night)
    night.phone("sim:hz1-keeper-b").habit(habit)
    night.warning().advance(minutes=30)

    assert [item for item in night.troubles() if item.kind == "village_lost"] == []
    assert night.post("hz1-keeper").state is CalloutState.UNREACHED
    assert night.post("v202-head").state is CalloutState.LOST


def test_one_who_answers_keeps_the_village_from_being_lost(night):
    cut_off(night)
    night.phone("sim:v202-safety-b").habit("answers")
    night.warning().advance(minutes=30)

    assert [item for item in night.troubles() if item.kind == "village_lost"] == []
    assert night.post("v202-safety").state is CalloutState.CONFIRMED


def test_phones_that_fail_further_apart_than_the_county_s_limit_are_no_lost_village(night):
    cut_off(night).warning().advance(minutes=3)
    rows = [night.post(post) for post in POSTS]
    first = min(item.at for row in rows for item in row.unreachable)

    assert is_lost(rows, first + timedelta(seconds=600), night.house.facts)
    assert not is_lost(rows, first + timedelta(seconds=601), night.house.facts)


def test_the_next_round_tries_the_village_again_and_one_who_answers_is_awake(night):
    cut_off(night).warning().advance(minutes=10)
    for phone in PHONES:
        night.phone(phone).habit("answers")
    night.warning(kind="Update", continued=True).advance(minutes=5)

    assert {night.post(post).state for post in POSTS} == {CalloutState.CONFIRMED}


def test_a_drill_loses_its_village_in_its_own_realm(make_night):
    cut_off(night := make_night(realm="drill:x")).warning().advance(minutes=10)

    assert [item.realm for item in open_troubles(night)] == ["drill:x"]


def test_the_ledger_says_once_that_the_village_is_lost_and_why_its_posts_were_given_up(night):
    cut_off(night).warning().advance(minutes=10)

    (chain,) = night.chains()
    assert night.why(chain.id).count("village_lost: village_lost") == 1
    assert all(set(night.post(post).outcomes) <= {Outcome.SWITCHED_OFF, Outcome.NO_COVERAGE} for post in POSTS)


def test_the_village_without_coverage_of_the_sample_county_is_one_trouble(rules):
    scenario = load_scenario("zhengzhou-2021-07-20")
    first = tuple(event for event in scenario.events if event.kind == "warning" and event.at <= "2021-07-19 22:00")
    night = play(scenario.model_copy(update={"events": first, "end": "2021-07-19 22:20"}), night_of(scenario))

    lost = [item for item in open_troubles(night) if item.kind == "village_lost"]
    assert [item.text[:8] for item in lost] == ["老林沟村全村失联"]
    there = [item for item in night.callouts() if item.region == "419926201204"]
    assert {item.state for item in there} == {CalloutState.LOST}
