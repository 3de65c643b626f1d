"""SMS answers by code: several callouts open for one telephone, told apart."""

from __future__ import annotations

import re

import pytest

from agents.callout.state import CalloutState
from agents.dial.replies import code_of

SHARED = "sim:shared"
POSTS = ("v201-head", "v202-head", "v202-safety")


@pytest.fixture
def shared(make_night):
    """Three posts on one telephone that nobody answers, a minute into a warning."""
    night = make_night(numbers=dict.fromkeys(POSTS, SHARED))
    night.phone(SHARED).habit("sleeps")
    return night.warning().advance(minutes=1)


def states(night):
    return [night.post(post).state for post in POSTS]


def test_a_text_names_the_code_of_each_callout_behind_the_place_it_is_for(shared):
    text = shared.phone(SHARED).texts[0].text
    for post, place in zip(POSTS, ("上湾村", "下湾村", "下湾村"), strict=True):
        (line,) = [each for each in text.splitlines() if place in each]
        assert code_of(shared.post(post).id) in re.findall(r"\d{4}", line.partition("回复")[2])


@pytest.mark.parametrize("chosen", range(3))
def test_an_answer_with_a_code_counts_for_that_callout_and_for_no_other(shared, chosen):
    shared.phone(SHARED).replies(f"{code_of(shared.post(POSTS[chosen]).id)}收到")

    expected = [CalloutState.CALLING] * 3
    expected[chosen] = CalloutState.REPLIED
    assert states(shared) == expected


def test_an_answer_with_two_codes_counts_for_both(shared):
    codes = [code_of(shared.post(post).id) for post in POSTS[:2]]
    shared.phone(SHARED).replies("收到 " + "、".join(codes))

    assert states(shared) == [CalloutState.REPLIED, CalloutState.REPLIED, CalloutState.CALLING]


def test_a_code_in_the_middle_of_a_longer_number_is_none(shared):
    code = code_of(shared.post(POSTS[0]).id)
    shared.phone(SHARED).replies(f"收到，我的电话是138{code}5678")

    assert states(shared) == [CalloutState.CALLING] * 3
    assert [item.kind for item in shared.troubles()] == ["reply_unclear"]


@pytest.mark.parametrize("words", ["{code} 不能到岗", "没收到", "{code}不收到", "{code}暂未收到"])
def test_an_answer_that_denies_is_put_to_people_and_confirms_nothing(night, words):
    night.phone("v201-head").habit("sleeps")
    night.warning().advance(minutes=1)
    night.phone("v201-head").replies(words.format(code=code_of(night.post("v201-head").id)))

    assert night.post("v201-head").state is CalloutState.CALLING
    assert [item.kind for item in night.troubles()] == ["reply_unclear"]


def test_who_is_only_told_is_not_asked_for_an_answer(night):
    night.warning(hazard="heat").advance(minutes=5)

    (text,) = night.phone("v201-head").texts
    assert "回复" not in text.text


def test_a_text_holds_no_link(shared):
    assert not re.search(r"https?:|www\.", shared.phone(SHARED).texts[0].text)
