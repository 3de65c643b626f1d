"""What an SMS answer means, and what it does to a callout."""

from __future__ import annotations

import pytest

from agents.callout.state import CalloutState
from agents.dial.hear import DialReason
from agents.dial.replies import code_of, decide_reply
from streams.letters import Replied, TextReplied
from tests.unit.callout_samples import NOW, opened


def reply(text: str) -> TextReplied:
    return TextReplied(realm="real", number_key="k", masked="138****", text=text, vendor_id="v", at=NOW)


def callouts(count: int):
    return [opened().model_copy(update={"id": f"real|callout|{number}"}) for number in range(count)]


@pytest.mark.parametrize("text", ["收到", "收到！", "知道了", "明白", "OK", "yes"])
def test_a_word_of_receipt_confirms_the_only_open_callout(text):
    reason, (letter,), _, troubles = decide_reply(reply(text), callouts(1), NOW)
    assert reason is DialReason.REPLIED
    assert isinstance(letter.message, Replied)
    assert troubles == []


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_word_of_receipt_without_a_code_is_put_to_people_where_it_is_not_clear_what_for(count):
    reason, letters, entries, troubles = decide_reply(reply("收到"), callouts(count), NOW)
    assert (reason, letters) == (DialReason.REPLY_UNCLEAR, [])
    assert [item.kind for item in troubles] == ["reply_unclear"]
    assert len(entries) == 1


def test_a_code_names_one_of_several():
    several = callouts(3)
    _, (letter,), _, _ = decide_reply(reply(f"收到 {code_of(several[1].id)}"), several, NOW)
    assert letter.message.callout_id == several[1].id


def test_a_code_that_belongs_to_nothing_open_confirms_nothing_though_only_one_is_open():
    (only,) = callouts(1)
    wrong = f"{(int(code_of(only.id)) + 1) % 10_000:04d}"
    reason, letters, _, _ = decide_reply(reply(f"收到 {wrong}"), [only], NOW)
    assert (reason, letters) == (DialReason.REPLY_UNCLEAR, [])


@pytest.mark.parametrize("text", ["STOP", "退订", "td", " T "])
def test_stop_silences_nothing_and_is_shown_to_people(text):
    reason, letters, _, troubles = decide_reply(reply(text), callouts(1), NOW)
    assert (reason, letters) == (DialReason.STOP_ASKED, [])
    assert [item.kind for item in troubles] == ["stop_asked"]


@pytest.mark.parametrize("text", ["谁啊", "打错了", "", "水到哪了"])
def test_any_other_words_are_no_receipt(text):
    assert decide_reply(reply(text), callouts(1), NOW)[0] is DialReason.REPLY_UNCLEAR


def asleep(night):
    for post in ("v201-head", "v201-head-b"):
        night.phone(f"sim:{post}").habit("sleeps")
    night.warning(colour="red").advance(minutes=20)
    assert night.post("v201-head").state is CalloutState.UNREACHED
    return night


def test_somebody_who_answers_by_sms_after_the_calls_were_given_up_is_no_longer_unreached(night):
    asleep(night).phone("v201-head").replies("收到")
    night.advance(seconds=1)
    assert night.post("v201-head").state is CalloutState.REPLIED


def test_somebody_who_answers_by_sms_is_taken_off_the_visit_list(night):
    asleep(night).phone("v201-head").replies("收到")
    night.advance(seconds=1)
    states = {item.post_id: item.state for item in night.visit("溪口镇").items}
    assert states["v201-head"] == "settled"


def test_whoever_writes_stop_is_called_on_all_the_same(night):
    night.phone("v201-head").habit("sleeps")
    night.warning(colour="red").advance(minutes=1)
    night.phone("v201-head").replies("退订")
    night.advance(minutes=3)
    assert len(night.phone("v201-head").calls) == 3
    assert [item.kind for item in night.troubles()] == ["stop_asked"]


def test_an_answer_that_comes_a_day_later_confirms_nothing(night):
    asleep(night).advance(hours=25)
    night.phone("v201-head").replies("收到")
    night.advance(seconds=1)
    assert night.post("v201-head").state is CalloutState.UNREACHED
    assert "reply_unclear" in [item.kind for item in night.troubles()]


def test_an_answer_to_the_real_thing_confirms_no_drill(make_night):
    night = asleep(make_night(realm="drill:a"))
    night.realm = "real"
    night.phone("v201-head").replies("收到")
    night.advance(seconds=1)
    assert {item.state for item in night.callouts("v201-head")} == {CalloutState.UNREACHED}
