"""What is not real says so first: in every call, every message, and in the words that a person is to say."""

from __future__ import annotations

import pytest

from agents.dial.budget import Budget
from agents.dial.state import ATTEMPTS
from streams.words import Channel

MEDIA = (Channel.VOICE, Channel.TEXT, Channel.HAND)


def told(night, channel):
    """Return all that was said in one medium, each warning of a call and each line of a message by itself."""
    attempts = [item for item in night.find(ATTEMPTS) if item.channel is channel]
    said = [item.text if channel is Channel.TEXT else item.voice for item in attempts]
    return [line for words in said for line in words.replace("另有：", "\n").split("\n")]


@pytest.fixture
def unreal(make_night, rules):
    """Make a long night of a realm in which people call too, whole villages are visited, and leaders are told."""

    def make(realm: str):
        ladders = rules.ladders | {"county": rules.ladders["county"].model_copy(update={"human_first_s": 120})}
        few = Budget(per_hour=2, per_day=20, reserve_per_hour=0, reserve_per_day=0)
        night = make_night(rules=rules.model_copy(update={"ladders": ladders}), realm=realm, budget=few)
        night.phone("v201-head").habit("sleeps")
        night.phone("sim:v201-head-b").habit("sleeps")
        return night.warning().advance(minutes=20).cancel().advance(minutes=5)

    return make


@pytest.mark.parametrize("channel", MEDIA)
def test_in_a_drill_that_it_is_one_is_the_first_thing_said(unreal, channel):
    words = told(unreal("drill:a"), channel)
    assert words
    assert [item for item in words if not item.startswith("【演练】")] == []


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.TEXT])
def test_in_a_test_that_it_is_one_is_the_first_thing_said(unreal, channel):
    words = told(unreal("check:a"), channel)
    assert words
    assert [item for item in words if not item.startswith("【测试】")] == []


@pytest.mark.parametrize("channel", MEDIA)
def test_the_real_thing_is_marked_as_nothing_else(unreal, channel):
    words = told(unreal("real"), channel)
    assert words
    assert [item for item in words if "演练" in item or "测试" in item] == []
