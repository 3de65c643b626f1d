"""Nights in which people call: a leader first, whom no vendor may ring any more, and where there is only a radio."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from agents.dial.budget import Budget
from agents.dial.state import ATTEMPTS, AttemptState
from streams.ledger.contract import Where
from streams.words import Channel, Outcome

LEADER, HEAD = "c-main", "v201-head"
DUTY = "c-duty"


@pytest.fixture
def leaders_first(make_night, rules):
    """A night whose county leaders are called by a person first."""
    ladders = rules.ladders | {"county": rules.ladders["county"].model_copy(update={"human_first_s": 120})}
    return make_night(rules=rules.model_copy(update={"ladders": ladders}))


def by_hand(night, state=None):
    found = night.find(ATTEMPTS, Where("channel", "=", Channel.HAND), order=("dialled_at",))
    return [item for item in found if state is None or item.state is state]


def waiting(night, post):
    """Return the calls for a post that are before people now."""
    mine = night.post(post).id
    return [item for item in by_hand(night, AttemptState.PLACED) if mine in item.callouts]


def test_a_leader_is_put_before_people_at_once_and_rung_by_the_machine_after_two_minutes(leaders_first):
    night = leaders_first.warning().advance(seconds=5)
    (asked,) = waiting(night, LEADER)
    assert asked.hand_why == "leader_first"
    assert "暴雨红色" in asked.voice
    night.phone(LEADER).expects_no_call()

    night.advance(minutes=2)
    (call,) = night.phone(LEADER).calls
    first_after = call.dialled_at - night.post(LEADER).opened_at
    assert timedelta(seconds=120) <= first_after <= timedelta(seconds=125)


def test_what_a_person_writes_down_answers_the_callout_and_the_machine_rings_nobody(leaders_first):
    night = leaders_first.warning().advance(seconds=40)
    night.called_by_hand(LEADER, by="李某", spoken_to="王县长", note="知道了，马上到").advance(minutes=10)

    callout = night.post(LEADER)
    receipt = callout.hand_receipt
    assert callout.state is CalloutState.SPOKEN
    assert callout.receipt is None
    assert (receipt.by, receipt.spoken_to, receipt.proxy) == ("李某", "王县长", False)
    assert receipt.at == callout.answered_at
    assert night.phone(LEADER).calls == []
    assert "spoken: spoken" in night.why(callout.id)


def test_a_liaison_officer_confirms_as_a_proxy_and_it_is_written_so(leaders_first):
    night = leaders_first.warning().advance(seconds=40)
    night.called_by_hand(LEADER, "proxy", by="李某", spoken_to="联络员赵某").advance(minutes=10)

    callout = night.post(LEADER)
    assert callout.state is CalloutState.VOUCHED
    assert callout.hand_receipt.proxy
    assert callout.hand_receipt.spoken_to == "联络员赵某"


def test_when_a_person_calls_in_vain_the_machine_calls_a_minute_later_and_not_after_the_whole_time(leaders_first):
    night = leaders_first.warning().advance(seconds=20)
    night.called_by_hand(LEADER, "no_answer").advance(minutes=3)
    (call,) = night.phone(LEADER).calls
    assert call.dialled_at - night.post(LEADER).opened_at <= timedelta(seconds=90)


def test_a_leader_who_tells_a_person_that_they_cannot_come_is_followed_by_the_next_at_once(leaders_first):
    night = leaders_first.warning().advance(seconds=20)
    night.called_by_hand(LEADER, "cannot").advance(seconds=5)
    night.phone(LEADER).expects_no_call()
    night.phone(f"sim:{LEADER}-b").expects_call(1)


def test_a_call_by_hand_leaves_the_page_when_the_machine_reaches_them(leaders_first):
    night = leaders_first.warning().advance(minutes=5)
    assert night.post(LEADER).state is CalloutState.CONFIRMED
    assert by_hand(night, AttemptState.PLACED) == []


def test_a_call_by_hand_leaves_the_page_when_the_warning_is_cancelled(leaders_first):
    night = leaders_first.warning().advance(seconds=30)
    night.cancel().advance(seconds=30)
    assert by_hand(night, AttemptState.PLACED) == []
    assert night.phone(LEADER).calls == []


def test_two_people_cannot_take_the_same_call_and_the_first_name_stands(leaders_first):
    night = leaders_first.warning().advance(seconds=20)
    night.called_by_hand(LEADER, "taken", by="李某").called_by_hand(LEADER, "taken", by="周某")
    assert waiting(night, LEADER)[0].taken_by == "李某"


def test_what_is_written_down_a_second_time_changes_nothing_but_is_kept(leaders_first):
    night = leaders_first.warning().advance(seconds=20)
    night.called_by_hand(LEADER, by="李某", spoken_to="王县长").called_by_hand(LEADER, "no_answer", by="周某")
    assert night.post(LEADER).hand_receipt.by == "李某"
    assert night.why(night.post(LEADER).hand_ids[0]).count("hand_logged: doubled") == 1


def test_the_duty_room_is_told_whom_to_call_and_by_when_the_machine_does(leaders_first):
    night = leaders_first.warning().advance(seconds=30)
    (told,) = [text for text in night.phone(DUTY).texts if "请人工呼叫" in text.text]
    assert LEADER in told.text
    assert "120秒内没有登记" in told.text


def test_in_a_drill_the_duty_room_is_told_that_it_is_one(make_night, rules):
    ladders = rules.ladders | {"county": rules.ladders["county"].model_copy(update={"human_first_s": 120})}
    night = make_night(rules=rules.model_copy(update={"ladders": ladders}), realm="drill:a")
    night.warning().advance(seconds=30)
    (text,) = [text.text for text in night.phone(DUTY).texts if "请人工呼叫" in text.text]
    assert text.startswith("【演练】")


def sleepy(make_night, **more):
    """A village head who hears nothing, and vendors that may ring a number only twice an hour."""
    few = Budget(per_hour=2, per_day=20, reserve_per_hour=0, reserve_per_day=0)
    night = make_night(budget=few, **more)
    night.phone(HEAD).habit("sleeps")
    night.phone(f"sim:{HEAD}-b").habit("sleeps")
    return night.warning()


def test_a_number_that_may_not_be_rung_any_more_is_put_before_people_while_the_ladder_goes_on(make_night):
    night = sleepy(make_night).advance(minutes=4)
    (asked,) = waiting(night, HEAD)
    assert asked.hand_why == "budget_used_up"
    assert len(night.phone(HEAD).calls) == 2

    night.advance(minutes=8)
    night.phone(f"sim:{HEAD}-b").expects_call()


def test_who_is_reached_by_hand_after_the_ladder_ended_comes_off_the_visit_list(make_night):
    night = sleepy(make_night).advance(minutes=20)
    assert night.post(HEAD).state is CalloutState.UNREACHED
    night.called_by_hand(HEAD, by="云某", spoken_to="村主任").advance(minutes=1)
    assert night.post(HEAD).state is CalloutState.SPOKEN
    assert night.post(HEAD).listed_on == ""


def test_one_number_is_put_before_people_once_for_each_step_and_not_with_every_look(make_night):
    night = sleepy(make_night).advance(minutes=6)
    assert len([item for item in by_hand(night) if night.post(HEAD).id in item.callouts]) == 1


def test_who_was_called_by_hand_in_vain_is_not_put_before_people_again_in_the_same_step(make_night):
    night = sleepy(make_night).advance(minutes=4)
    night.called_by_hand(HEAD, "no_answer", by="李某").advance(seconds=75)
    assert night.post(HEAD).step == 0
    assert len([item for item in by_hand(night) if night.post(HEAD).id in item.callouts]) == 1


def test_a_call_that_nobody_makes_leaves_the_page_after_two_hours(make_night):
    night = sleepy(make_night).advance(hours=3)
    night.vouch("v202-head").advance(minutes=1)
    assert by_hand(night, AttemptState.PLACED) == []
    assert {item.outcome for item in by_hand(night)} == {Outcome.NO_NEWS}


def radio(make_night):
    night = make_night(second_phones={HEAD: "hand:radio-3"})
    night.phone(HEAD).habit("switched_off")
    return night.warning()


def test_where_there_is_a_radio_people_are_asked_to_call_by_it_when_the_phone_is_off(make_night):
    night = radio(make_night).advance(minutes=1)
    (asked,) = waiting(night, HEAD)
    assert (asked.masked, asked.carrier, asked.hand_why) == ("hand:radio-3", "by_hand", "no_number")

    night.called_by_hand(HEAD, spoken_to="村主任")
    assert night.post(HEAD).state is CalloutState.SPOKEN


def test_the_ladder_waits_three_minutes_for_the_radio_and_goes_on(make_night):
    night = radio(make_night).advance(minutes=2)
    night.phone(f"sim:{HEAD}-b").expects_no_call()
    night.advance(minutes=3)
    night.phone(f"sim:{HEAD}-b").expects_call()


def test_a_village_with_a_radio_whose_phones_are_all_off_is_lost_all_the_same(make_night):
    night = make_night(second_phones={HEAD: "hand:radio-3"})
    night.phone(HEAD).habit("switched_off")
    night.phone(f"sim:{HEAD}-b").habit("no_coverage")
    night.warning().advance(minutes=10)
    assert [trouble.kind for trouble in night.troubles() if trouble.closed_at is None] == ["village_lost"]


def test_no_text_goes_to_a_radio(make_night):
    night = radio(make_night).advance(minutes=5)
    assert all(text.masked != "hand:radio-3" for text in night.find(ATTEMPTS, Where("channel", "=", Channel.TEXT)))


def test_in_a_spot_check_nobody_is_put_before_people(make_night, rules):
    ladders = {name: each.model_copy(update={"human_first_s": 120}) for name, each in rules.ladders.items()}
    night = make_night(rules=rules.model_copy(update={"ladders": ladders}), realm="check:spot")
    night.warning().advance(minutes=3)
    assert by_hand(night) == []
    night.phone(LEADER).expects_call()
