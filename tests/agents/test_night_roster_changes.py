"""The roster changes while a night runs: calls under way stay, the next attempt finds the new person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from agents.duty.record import plan_spot_checks
from agents.duty.state import HANDOVERS, SPOT_CHECKS, CheckResult, CheckState, HandoverState
from config.rules import DutyKnobs, RuleBook
from rosters.changes import ChangeError
from rosters.ledger import ROSTER_CHANGES
from streams.replay.times import read_local
from streams.words import Channel

DUTY, LEADER = "t100-duty", "t100-leader"
FIRST, SECOND = f"sim:{DUTY}-1", f"sim:{DUTY}-2"
OTHER = "c-leader-2"


def with_duty(rules: RuleBook, **knobs) -> RuleBook:
    return rules.model_copy(update={"knobs": rules.knobs.model_copy(update={"duty": DutyKnobs(**knobs)})})


def test_the_next_attempt_goes_to_the_stand_in_and_the_call_under_way_stays(night):
    night.phone(FIRST).habit("sleeps")
    night.warning().advance(seconds=10)
    night.stand_in(DUTY, OTHER).advance(minutes=4)

    under_way = night.phone(FIRST).calls
    assert len(under_way) == 1
    assert under_way[0].outcome == "no_answer"
    night.phone(f"sim:{OTHER}").expects_call()
    assert night.post(DUTY).state is CalloutState.CONFIRMED
    assert night.post(DUTY).receipt.person_id == OTHER


def test_a_stand_in_under_red_is_called_when_he_takes_over_although_the_post_had_answered(night):
    night.warning().advance(minutes=5)
    assert night.post(DUTY).state is CalloutState.CONFIRMED

    night.stand_in(DUTY, OTHER).advance(minutes=2)

    night.phone(f"sim:{OTHER}").expects_call(1)
    assert len(night.phone(FIRST).calls) == 1


def test_a_stand_in_from_a_later_time_is_called_at_that_time_and_not_before(night):
    night.warning().advance(minutes=5)
    night.stand_in(DUTY, OTHER, starts_at=night.now + timedelta(hours=1)).advance(minutes=50)
    night.phone(f"sim:{OTHER}").expects_no_call()

    night.advance(minutes=15)

    night.phone(f"sim:{OTHER}").expects_call(1)


def test_after_a_swap_the_other_one_is_called_at_the_change_of_shift(make_night):
    night = make_night(start="2021-07-19 07:00")
    night.swap(DUTY, "2021-07-19 12:00", "2021-07-20 12:00")
    night.at("2021-07-19 22:00").warning().advance(minutes=5)

    night.phone(SECOND).expects_call(1)
    night.phone(FIRST).expects_no_call()


def test_whoever_is_on_leave_is_not_called_and_the_hole_is_loud(night):
    night.leave(f"{DUTY}-1", "2021-07-20 08:00", post_id=DUTY)
    night.warning().advance(minutes=3)

    night.phone(FIRST).expects_no_call()
    assert night.post(DUTY).target_post == LEADER
    assert [trouble.kind for trouble in night.troubles()] == ["nobody_on_duty"]


def test_every_change_is_an_entry_with_who_and_why(night):
    night.stand_in(DUTY, OTHER, why="送医")

    (row,) = night.find(ROSTER_CHANGES)
    (entry,) = night.ledger.step(lambda step: step.entries(row.id))
    assert entry.facts["agreed_by"] == f"{LEADER}-1"
    assert entry.facts["why"] == "送医"
    assert "顶班" in entry.facts["said"]


def test_a_stopped_chain_is_not_called_for_by_a_change(night):
    night.warning().advance(minutes=5).call_off()
    night.advance(minutes=1).stand_in(DUTY, OTHER).advance(hours=1)

    night.phone(f"sim:{OTHER}").expects_no_call()


def test_the_same_changes_give_the_same_history(make_night):
    def play():
        night = make_night()
        return night.warning().advance(minutes=5).stand_in(DUTY, OTHER).advance(hours=11).history()

    assert play() == play()


@pytest.fixture
def on_duty(make_night, rules):
    return make_night(rules=with_duty(rules, handovers=True), start="2021-07-20 07:00")


def test_a_handover_is_opened_before_the_shift_with_what_is_open(on_duty):
    on_duty.phone("v201-head").habit("sleeps")
    on_duty.phone("sim:v201-head-b").habit("sleeps")
    on_duty.warning(townships=["溪口镇"]).at("07:50")

    row = on_duty.find(HANDOVERS)[-1]
    county = next(item for item in on_duty.find(HANDOVERS) if item.post_id == "c-duty")
    assert row.state is HandoverState.OPEN
    assert [chain.colour for chain in county.carried.chains] == ["red"]
    assert county.carried.callouts == {"unreached": 1}
    assert (county.outgoing, county.incoming) == ("c-duty-1", "c-duty-2")


def test_a_shift_that_is_signed_for_is_taken_over_and_nothing_is_said(on_duty):
    on_duty.at("07:55")
    for post in ("c-duty", "t100-duty", "t102-duty"):
        on_duty.sign(post, "out", f"{post}-1").sign(post, "in", f"{post}-2")
    on_duty.at("09:00")

    assert {row.state for row in on_duty.find(HANDOVERS)} == {HandoverState.TAKEN}
    assert on_duty.troubles() == []


def test_a_shift_not_taken_in_ten_minutes_is_a_trouble_and_who_was_on_duty_is_held_over(on_duty):
    on_duty.at("08:10").advance(seconds=10)

    assert "handover_late" in [trouble.kind for trouble in on_duty.troubles()]
    held = on_duty.house.facts.county.who(DUTY, on_duty.now)
    assert (held.person.id, held.why) == (f"{DUTY}-1", "held_over")
    leader = on_duty.phone(LEADER)
    leader.expects_text("未签到接班")
    assert leader.calls == []


def test_what_comes_while_somebody_is_held_over_rings_the_one_who_stayed(on_duty):
    on_duty.at("08:15").warning().advance(minutes=5)

    on_duty.phone(FIRST).expects_call(1)
    on_duty.phone(SECOND).expects_no_call()


def test_who_comes_late_signs_and_takes_over_and_the_trouble_is_closed(on_duty):
    on_duty.at("08:20").sign(DUTY, "in", f"{DUTY}-2")

    held = on_duty.house.facts.county.who(DUTY, on_duty.now)
    assert (held.person.id, held.why) == (f"{DUTY}-2", "shift")
    open_ones = [item for item in on_duty.troubles("handover_late") if item.closed_at is None]
    assert len(open_ones) == 2


def test_nobody_signs_for_a_shift_of_somebody_else(on_duty):
    on_duty.at("07:55")
    with pytest.raises(ChangeError, match="t100-duty-2"):
        on_duty.sign(DUTY, "in", OTHER)


def test_without_the_knobs_no_handover_is_opened_and_nothing_is_sent(make_night):
    night = make_night(start="2021-07-20 07:00").at("10:00")

    assert night.find(HANDOVERS) == []
    assert night.troubles() == []


def test_a_shift_notice_reaches_the_one_who_will_hold_the_post(make_night, rules):
    night = make_night(rules=with_duty(rules, notices=True), start="2021-07-20 06:00").at("07:10")

    assert len(night.phone(SECOND).texts) == 1
    assert "08:00起由您值守" in night.phone(SECOND).texts[0].text
    assert night.phone(FIRST).texts == []


def test_the_morning_list_goes_to_the_leaders_on_duty_at_eight(make_night, rules):
    night = make_night(rules=with_duty(rules, notices=True), start="2021-07-20 07:59").at("08:05")

    text = night.phone("c-leader").texts[-1].text
    assert "值班人员" in text
    assert "t100-duty t100-duty-2" in text


def test_duty_posts_are_reminded_of_the_zero_report(make_night, rules):
    night = make_night(rules=with_duty(rules, notices=True, zero_report_at="17:00"), start="2021-07-20 16:50")
    night.at("17:05")

    assert "零报告" in night.phone(DUTY).texts[-1].text


def test_notices_are_sent_once_however_often_the_day_is_looked_at(make_night, rules):
    night = make_night(rules=with_duty(rules, notices=True), start="2021-07-20 07:59").at("08:05")
    night.stand_in("t102-duty", OTHER).at("09:00")

    assert len([text for text in night.phone("c-leader").texts if "值班人员" in text.text]) == 1


def plan_check(night, post: str, at: str):
    moment = read_local(at, night.county.zone, after=night.now)
    night.ledger.step(
        lambda step: plan_spot_checks(step, [(post, moment)], night.county, seed="seed", by="督查室", now=night.now)
    )
    return night


def test_a_spot_check_rings_the_post_says_that_it_is_one_and_notes_the_key(night):
    plan_check(night, DUTY, "23:00").at("23:20")

    (check,) = night.find(SPOT_CHECKS)
    (call,) = night.phone(FIRST).calls
    assert call.realm.startswith("check:")
    assert call.voice.startswith("【抽查】")
    assert (check.state, check.result, check.person_id) == (CheckState.DONE, CheckResult.IN_PLACE, f"{DUTY}-1")


@pytest.mark.parametrize(
    ("habit", "found"), [("fetches", CheckResult.SOMEBODY_ELSE), ("cannot", CheckResult.CANNOT_COME)]
)
def test_who_answered_is_what_the_key_says_beside_whom_the_roster_names(night, habit, found):
    night.phone(FIRST).habit(habit)
    plan_check(night, DUTY, "23:00").at("23:59")

    (check,) = night.find(SPOT_CHECKS)
    assert f"值班表上是{DUTY}-1" in night.phone(FIRST).calls[0].voice
    assert (check.result, check.person_id) == (found, f"{DUTY}-1")
    assert len(night.phone(FIRST).calls) == 1


def test_an_unanswered_spot_check_says_that_nobody_answered_and_nothing_else(night):
    night.phone(FIRST).habit("sleeps")
    plan_check(night, DUTY, "23:00").at("23:30")

    (check,) = night.find(SPOT_CHECKS)
    assert check.result is CheckResult.NO_ANSWER
    assert check.result.chinese == "未接听"
    assert len(night.phone(FIRST).calls) == 1


def test_nobody_is_checked_while_a_warning_is_in_force(night):
    night.warning(townships=["柳林镇"]).advance(minutes=10)
    before = len(night.phone(FIRST).calls)
    plan_check(night, DUTY, "23:00").at("23:30")

    assert night.find(SPOT_CHECKS)[0].state is CheckState.SKIPPED
    assert len(night.phone(FIRST).calls) == before


def test_a_spot_check_under_way_gives_way_to_a_warning(night):
    night.phone(FIRST).habit("sleeps")
    plan_check(night, DUTY, "23:00").at("23:00").advance(seconds=5)
    night.warning().advance(minutes=5)

    assert night.find(SPOT_CHECKS)[0].state is CheckState.SKIPPED
    checked, *real = [call for call in night.phone(FIRST).calls if call.channel is Channel.VOICE]
    assert checked.realm.startswith("check:")
    assert real[0].realm == "real"
    assert real[0].dialled_at - checked.dialled_at <= timedelta(seconds=30)


def test_spot_checks_stand_apart_from_what_is_real(night):
    night.phone(FIRST).habit("sleeps")
    plan_check(night, DUTY, "23:00").at("23:30")

    assert {item.realm for item in night.troubles()} <= {night.find(SPOT_CHECKS)[0].realm}
