"""What one telephone does, and what its callout makes of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from agents.callout.state import CalloutState
from agents.visit.state import VISITS, ItemState
from streams.ledger.contract import Where
from streams.words import Outcome

HEAD = "v201-head"


def outcomes(phone):
    return [call.outcome for call in phone.calls]


def gaps_s(phone):
    times = [call.dialled_at for call in phone.calls]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


def test_a_key_after_the_whole_message_confirms(night):
    night.warning().advance(minutes=2)

    callout = night.post(HEAD)

    assert callout.state is CalloutState.CONFIRMED
    assert callout.receipt.played_at < callout.receipt.key_at
    night.phone(HEAD).expects_call(1)


def test_nobody_who_confirmed_is_called_again(night):
    night.warning().advance(hours=3)

    assert all(len(night.phone(callout.target_post).calls) == 1 for callout in night.callouts())


def test_hanging_up_early_reaches_nobody_and_is_called_three_times_in_five_minutes(night):
    night.phone(HEAD).habit("hangs_up_early")
    night.phone("sim:v201-head-b").habit("sleeps")
    night.warning().advance(minutes=30)

    assert outcomes(night.phone(HEAD)) == [Outcome.HUNG_UP_EARLY] * 3
    assert sum(gaps_s(night.phone(HEAD))) <= 300
    assert night.post(HEAD).state is CalloutState.UNREACHED


def test_a_voicemail_reaches_nobody(night):
    night.phone(HEAD).habit("voicemail")
    night.phone("sim:v201-head-b").habit("voicemail")
    night.warning().advance(minutes=30)

    assert night.post(HEAD).state is CalloutState.UNREACHED
    assert set(outcomes(night.phone(HEAD))) == {Outcome.VOICEMAIL}


def test_the_deputy_is_called_when_the_holder_sleeps(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=10)

    night.phone("sim:v201-head-b").expects_call(1)
    assert night.post(HEAD).state is CalloutState.CONFIRMED
    assert night.post(HEAD).target_role == "deputy"


def test_key_0_calls_the_next_person_at_once(night):
    night.phone(HEAD).habit("cannot")
    night.warning().advance(minutes=10)

    cannot = night.phone(HEAD).calls
    deputy = night.phone("sim:v201-head-b").calls
    assert [call.outcome for call in cannot] == [Outcome.CANNOT]
    assert deputy[0].dialled_at - cannot[0].key_at <= timedelta(seconds=5)


def test_key_2_stays_open_three_minutes_and_then_rings_again(night):
    night.phone(HEAD).habit("fetches")
    night.warning().advance(minutes=2)
    assert night.post(HEAD).state is CalloutState.FETCHING

    night.advance(minutes=5)

    first, second = night.phone(HEAD).calls
    assert (first.outcome, second.outcome) == (Outcome.FETCHING, Outcome.CONFIRMED)
    assert timedelta(minutes=3) <= second.dialled_at - first.key_at <= timedelta(minutes=3, seconds=5)


def test_hearing_without_a_key_earns_one_more_call_and_a_message(night):
    night.phone(HEAD).habit("child")
    night.phone("sim:v201-head-b").habit("sleeps")
    night.warning().advance(minutes=4)

    phone = night.phone(HEAD)
    assert outcomes(phone) == [Outcome.HEARD_NO_KEY] * 2
    assert len(phone.texts) == 2
    assert night.post(HEAD).heard


def test_those_who_heard_without_a_key_stand_after_the_silent_on_the_visit_list(night):
    for post in ("v201-head", "v202-head"):
        night.phone(f"sim:{post}-b").habit("sleeps")
    night.phone("v201-head").habit("child")
    night.phone("v202-head").habit("sleeps")
    night.warning().advance(minutes=20)

    handed_over = night.callouts("t100-duty", visits=True)[-1].text
    assert handed_over.index("下湾村") < handed_over.index("上湾村（听完未按键）")


def test_a_village_without_coverage_is_cut_off_and_not_asleep(night):
    night.phone(HEAD).habit("no_coverage")
    night.phone("sim:v201-head-b").habit("switched_off")
    night.warning().advance(minutes=10)

    assert night.post(HEAD).state is CalloutState.LOST
    assert [trouble.kind for trouble in night.troubles() if trouble.closed_at is None] == ["village_lost"]
    assert night.visit("溪口镇").items[0].lost_contact


def test_the_second_phone_is_rung_when_the_first_is_switched_off(make_night):
    night = make_night(second_phones={HEAD: "sim:v201-home"})
    night.phone(HEAD).habit("switched_off")
    night.warning().advance(minutes=2)

    night.phone("sim:v201-home").expects_call(1)
    assert night.post(HEAD).state is CalloutState.CONFIRMED


def test_a_dead_number_asks_for_a_right_one(night):
    night.phone(HEAD).habit("out_of_service")
    night.warning().advance(minutes=5)

    assert [trouble.kind for trouble in night.troubles()] == ["number_wrong"]
    night.phone("sim:v201-head-b").expects_call(1)


def test_a_late_receipt_confirms_and_takes_the_place_off_the_visit_list(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().advance(minutes=20)
    assert night.post(HEAD).state is CalloutState.UNREACHED

    last = night.phone("sim:v201-head-b")
    last.reports("played").reports("key", key="1")

    assert night.post(HEAD).state is CalloutState.CONFIRMED
    assert night.visit("溪口镇").items[0].state is ItemState.SETTLED
    assert night.unreached() == []


def test_an_operator_who_vouches_is_written_down_as_that_and_no_more(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1).vouch(HEAD, by="王值班", heard_by="上湾村主任", how="打了家里座机")

    assert night.post(HEAD).state is CalloutState.VOUCHED
    assert night.post(HEAD).receipt is None
    night.advance(minutes=30)
    night.phone(HEAD).expects_no_call()


def test_somebody_at_the_door_settles_the_visit(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().advance(minutes=20).knocked(HEAD)

    assert night.post(HEAD).state is CalloutState.KNOCKED
    assert night.visit("溪口镇").open_items == 0


def test_an_sms_answer_without_a_code_counts_where_one_callout_is_open(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1)
    night.phone(HEAD).replies("收到")

    assert night.post(HEAD).state is CalloutState.REPLIED


def test_an_sms_answer_without_a_code_is_put_to_people_where_three_callouts_are_open(make_night):
    shared = "sim:shared"
    night = make_night(numbers={"v201-head": shared, "v202-head": shared, "v202-safety": shared})
    night.phone(shared).habit("sleeps")
    night.warning().advance(minutes=1)
    night.phone(shared).replies("收到")

    assert {night.post(post).state for post in ("v201-head", "v202-head", "v202-safety")} == {CalloutState.CALLING}
    assert [trouble.kind for trouble in night.troubles()] == ["reply_unclear"]


def test_a_reply_that_asks_to_stop_silences_nothing(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1)
    night.phone(HEAD).replies("退订")
    night.advance(minutes=5)

    night.phone(HEAD).expects_call()
    assert [trouble.kind for trouble in night.troubles()] == ["stop_asked"]


def test_a_phone_shared_by_two_posts_rings_once_and_one_key_confirms_both(make_night):
    shared = "sim:shared"
    night = make_night(numbers={"v202-head": shared, "hz1-keeper": shared})
    night.warning().advance(minutes=10)

    call = night.phone(shared).expects_call(1).calls[0]
    assert len(call.callouts) == 2
    assert "下湾村" in call.voice
    assert "鹰嘴岩滑坡点" in call.voice
    assert {night.post(post).state for post in ("v202-head", "hz1-keeper")} == {CalloutState.CONFIRMED}


def test_nobody_on_duty_goes_to_the_leader_at_once_and_is_loud(make_night):
    night = make_night(vacant=["t100-duty"])
    night.warning().advance(minutes=3)

    assert night.post("t100-duty").target_post == "t100-leader"
    assert night.post("t100-duty").state is CalloutState.CONFIRMED
    assert [trouble.kind for trouble in night.troubles()] == ["nobody_on_duty"]


def test_a_post_that_nobody_held_is_called_when_somebody_takes_it_over(make_night):
    night = make_night(vacant=["c-duty", "c-leader"], start="2021-07-20 07:30")
    night.warning(hazard="rainstorm").advance(minutes=10)
    assert night.post("c-duty").state is CalloutState.UNREACHED

    night.at("08:10")

    assert night.phone("sim:c-duty-2").calls
    assert night.post("c-duty").state is CalloutState.CONFIRMED


def test_no_number_in_clear_stands_in_the_ledger_but_simulated_ones(night):
    night.warning().advance(minutes=2)

    assert all(call.number_key != night.phone(HEAD).number for call in night.phone(HEAD).calls)


def test_a_visit_list_goes_to_the_township_once_with_every_place_and_who_may_go(night):
    for number in ("sim:v201-head", "sim:v201-head-b", "sim:v202-head", "sim:v202-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().advance(minutes=30)

    orders = night.callouts("t100-duty", visits=True)
    assert len(orders) == 1
    assert "上湾村，可派上湾组长" in orders[0].text
    assert "下湾村，可派下湾组长" in orders[0].text
    assert night.visit("溪口镇").taken_by


def test_a_visit_that_nobody_reports_from_is_called_out(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().advance(minutes=50)

    assert [trouble.kind for trouble in night.troubles()] == ["visit_overdue"]


def test_a_post_that_answers_a_later_round_is_taken_off_the_list_of_the_earlier_one(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().advance(minutes=40)
    first = night.visit("溪口镇")
    assert first.open_items == 1

    night.phone(HEAD).habit("answers")
    night.warning(kind="Update", continued=True).advance(minutes=5)

    assert night.find(VISITS, Where("id", "=", first.id))[0].open_items == 0
    earlier, later = night.callouts(HEAD)
    assert (earlier.state, later.state) == (CalloutState.UNREACHED, CalloutState.CONFIRMED)
    assert "answered_later_round: answered_later_round" in night.why(earlier.id)
