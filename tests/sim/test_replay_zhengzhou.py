"""The whole Zhengzhou day over the invented county: its key facts hold, and the laws of calling are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from streams.letters import Move
from streams.replay.play import RunResult, run_scenario
from streams.words import Colour, Level
from tests.sim import checks

FIVE_REDS = ["07-19 21:59", "07-20 06:02", "07-20 09:08", "07-20 11:50", "07-20 16:01"]


@pytest.fixture(scope="module")
def result() -> RunResult:
    return run_scenario("zhengzhou-2021-07-20")


@pytest.fixture(scope="module")
def night(result):
    return result.night


@pytest.fixture(scope="module")
def first_round(night):
    first = night.rounds()[0]
    return [item for item in night.callouts() if item.round_id == first.id]


def test_the_five_red_warnings_come_when_they_came(night):
    rounds = [row for row in night.rounds() if row.hazard == "rainstorm" and row.move in (Move.OPENED, Move.CONTINUED)]

    assert [f"{row.opened_at.astimezone(night.county.zone):%m-%d %H:%M}" for row in rounds] == FIVE_REDS
    assert {row.colour for row in rounds} == {Colour.RED}
    assert len({row.chain_id for row in rounds}) == 1


def test_every_post_of_the_first_round_is_dialled_within_three_minutes(first_round):
    late = [
        item.post_id
        for item in first_round
        if item.first_dial_at is None or item.first_dial_at - item.opened_at > timedelta(minutes=3)
    ]

    answered_before = [item.post_id for item in first_round if item.first_dial_at is None]
    assert late == answered_before
    assert {item.state for item in first_round if item.first_dial_at is None} <= {CalloutState.REPLIED}


def test_the_county_and_the_townships_are_dialled_before_the_villages(first_round):
    def last(level):
        return max(item.first_dial_at for item in first_round if item.level is level and item.first_dial_at)

    duty = [item for item in first_round if item.post_id.endswith("-duty") and item.first_dial_at]
    assert max(item.first_dial_at for item in duty) < last(Level.VILLAGE)


def test_no_number_is_dialled_twice_within_a_minute(night):
    assert checks.too_soon(night) == []


def test_no_number_has_two_calls_at_once(night):
    assert checks.live_together(night) == []


def test_no_number_rings_more_than_its_budget(night):
    assert checks.over_budget(night) == []


def test_no_call_is_dialled_after_a_receipt(night):
    assert checks.called_after_receipt(night) == []


def test_every_callout_ends(night):
    assert checks.never_ended(night) == []


def test_every_confirmation_is_proved(night):
    assert checks.confirmed_without_proof(night) == []


def test_every_chain_of_entries_verifies(night):
    assert checks.broken_entries(night) == []


def test_the_village_without_coverage_is_cut_off_all_day(result):
    cut_off = {row.place for row in result.summary.unreached if row.lost_contact}

    assert "老林沟村" in cut_off


def test_the_change_of_shift_calls_the_new_holders(night):
    changed = [row for row in night.rounds() if row.move is Move.SHIFT_CHANGED]

    assert [f"{row.opened_at.astimezone(night.county.zone):%H:%M}" for row in changed] == ["08:00"]
    assert changed[0].posts == 26


def test_no_message_of_the_night_sends_anybody_home_or_judges_anybody(night):
    said = {item.text for item in night.callouts()} | {item.voice for item in night.callouts()}
    forbidden = ("回家", "返回家中", "脱岗", "失职", "迟报", "瞒报", "启动响应")

    assert [text for text in said if any(word in text for word in forbidden)] == []


def test_no_voice_is_longer_than_the_county_allows(night):
    longest = max((item.voice for item in night.callouts()), key=len)

    assert len(longest) <= night.rules.knobs.voice_chars_max, longest


def test_the_summary_shows_numerator_denominator_and_what_is_left_out(result):
    called = sum(row.callouts for row in result.summary.levels)
    for rate in (result.summary.dialled_in_3_min, result.summary.answered_in_5_min):
        assert rate.denominator + sum(rate.excluded.values()) == called
        assert 0 < rate.numerator <= rate.denominator


def test_it_runs_the_same_a_second_time(result):
    assert run_scenario("zhengzhou-2021-07-20").fingerprint == result.fingerprint
