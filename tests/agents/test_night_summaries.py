"""What leaders are told of a round under way, at 5, 15 and then every 30 minutes, until it is over."""

from __future__ import annotations

import pytest

from agents.plan.state import SUMMARIES
from config.rules import SummaryKnobs, SummaryPosts
from streams.ledger.contract import Where
from streams.words import Colour, Level

COUNTY_LEADER, TOWN_LEADER = "c-leader", "t100-leader"
TOLD = SummaryKnobs(
    posts=(
        SummaryPosts(level=Level.COUNTY, kinds=("duty_leader", "main_leader")),
        SummaryPosts(level=Level.TOWNSHIP, kinds=("duty_leader",)),
    )
)


def with_summary(rules, summary=TOLD):
    return rules.model_copy(update={"knobs": rules.knobs.model_copy(update={"summary": summary})})


@pytest.fixture
def told(make_night, rules):
    """A night of a county whose leaders are told, in which 上湾村 sleeps."""
    night = make_night(rules=with_summary(rules))
    for number in ("v201-head", "v201-head-b", "v208-head", "v208-head-b"):
        night.phone(f"sim:{number}").habit("sleeps")
    return night


def summaries(night, post=COUNTY_LEADER):
    return [text for text in night.phone(post).texts if "叫应进度" in text.text]


def minutes(night, post=COUNTY_LEADER):
    opened = night.rounds()[0].opened_at
    return [round((text.dialled_at - opened).total_seconds() / 60) for text in summaries(night, post)]


def test_leaders_are_told_at_5_and_15_and_then_every_30_minutes(told):
    told.warning().advance(minutes=80)
    assert minutes(told) == [5, 15, 45, 75]


def test_a_summary_says_how_many_are_called_have_answered_and_have_not_by_township(told):
    told.warning().advance(minutes=6)
    (text,) = summaries(told)
    assert "暴雨红色，22:04（第5分钟）" in text.text
    assert "应叫12，已应10，未应2。" in text.text
    assert "溪口镇 应叫7已应6未应1；柳林镇 应叫2已应1未应1；其余1处全部已应。" in text.text


def test_a_townships_leader_is_told_of_the_own_township_only(told):
    told.warning().advance(minutes=6)
    (text,) = summaries(told, TOWN_LEADER)
    assert "应叫7，已应6，未应1" in text.text
    assert "柳林镇" not in text.text


def test_no_leader_is_rung_for_a_village_that_stays_silent(told):
    told.warning().advance(minutes=80)
    assert len(told.phone(COUNTY_LEADER).calls) == 1


def test_when_all_have_answered_leaders_are_told_once_more_and_no_more(make_night, rules):
    night = make_night(rules=with_summary(rules)).warning().advance(hours=2)
    assert minutes(night) == [5]
    assert "未应0。全部已应。" in summaries(night)[0].text


def test_when_the_warning_is_cancelled_nothing_more_is_told(told):
    told.warning().advance(minutes=10)
    told.cancel().advance(hours=2)
    assert minutes(told) == [5]


def test_a_rise_is_told_of_by_its_own_round_from_its_own_beginning(told):
    told.warning(colour="orange").advance(minutes=10)
    told.warning(colour="red", kind="Update").advance(minutes=20)
    texts = [text.text for text in summaries(told)]
    assert [("橙色" in text, "红色" in text) for text in texts] == [(True, False), (False, True), (False, True)]
    assert minutes(told) == [5, 15, 25]


def test_of_a_colour_that_the_county_does_not_name_nothing_is_told(make_night, rules):
    night = make_night(rules=with_summary(rules, TOLD.model_copy(update={"colours": (Colour.RED,)})))
    night.warning(colour="orange").advance(minutes=20)
    assert summaries(night) == []


def test_every_summary_is_an_entry_with_its_figures(told):
    told.warning().advance(minutes=16)
    chain = told.chains()[0].id
    entries = [entry for entry in told.ledger.step(lambda step: step.entries(chain)) if entry.what == "summary_sent"]
    assert [entry.facts["nth"] for entry in entries] == [1, 2]
    assert entries[0].facts["townships"]["溪口镇"] == [7, 6, 1]


def test_what_was_missed_while_everything_stood_still_is_not_caught_up_with(told):
    told.warning().advance(minutes=1)
    told.clock.advance(40 * 60)
    told.advance(minutes=10)
    assert minutes(told) == [41, 45]


def test_a_county_that_wants_calls_has_its_leaders_rung_once_beside_the_text(make_night, rules):
    night = make_night(rules=with_summary(rules, TOLD.model_copy(update={"by": "call"})))
    for number in ("v201-head", "v201-head-b"):
        night.phone(f"sim:{number}").habit("sleeps")
    night.warning().advance(minutes=8)
    (call,) = [call for call in night.phone(COUNTY_LEADER).calls if "叫应进度" in call.voice]
    assert "应叫十二，已应十一，未应一" in call.voice


def test_in_a_drill_a_summary_says_so(make_night, rules):
    night = make_night(rules=with_summary(rules), realm="drill:a")
    night.warning().advance(minutes=6)
    (text,) = summaries(night)
    assert text.text.startswith("【演练】")


def test_after_the_countys_limit_nothing_more_is_told(make_night, rules):
    night = make_night(rules=with_summary(rules, TOLD.model_copy(update={"until_h": 0.5})))
    night.phone("sim:v201-head").habit("sleeps")
    night.phone("sim:v201-head-b").habit("sleeps")
    night.warning().advance(hours=2)
    assert minutes(night) == [5, 15]
    assert night.find(SUMMARIES, Where("due_at", "not null")) == []


def test_a_summary_is_no_round_of_the_warning(told):
    told.warning().advance(minutes=20)
    chain = told.chains()[0].id
    assert len([row for row in told.rounds() if row.chain_id == chain]) == 1
