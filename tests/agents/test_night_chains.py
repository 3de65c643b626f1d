"""What later warnings, people and the clock do to a round under way."""

from __future__ import annotations

from itertools import pairwise

from agents.callout.state import CalloutState
from agents.intake.state import ChainState
from streams import topics
from streams.letters import DocumentRefused, Mode, Move, write_letter

HEAD = "v201-head"
HOME_WORDS = ("回家", "返回家中")


def moves(night):
    return [row.move for row in night.rounds()]


def test_a_rise_starts_a_new_round_even_for_those_who_confirmed(night):
    night.warning(colour="yellow").advance(minutes=3)
    assert night.post("t100-duty").state is CalloutState.CONFIRMED

    night.warning(colour="red", kind="Update").advance(minutes=3)

    night.phone("t100-duty").expects_call(1)
    assert moves(night) == [Move.OPENED, Move.RAISED]


def test_a_rise_while_the_first_round_rings_supersedes_it(night):
    night.phone("t100-duty").habit("sleeps", after=2)
    night.warning(colour="yellow").advance(minutes=1)
    night.warning(colour="red", kind="Update").advance(minutes=10)

    first, second = night.callouts("t100-duty")
    assert first.state is CalloutState.SUPERSEDED
    assert second.state is CalloutState.CONFIRMED


def test_a_receipt_to_an_old_round_is_kept_and_changes_neither(night):
    night.phone("t100-duty").habit("sleeps")
    night.warning(colour="yellow").advance(minutes=1)
    night.warning(colour="red", kind="Update")
    night.phone("t100-duty").reports("played", call=0).reports("key", key="1", call=0)

    first, second = night.callouts("t100-duty")
    assert first.state is CalloutState.SUPERSEDED
    assert first.receipt is not None
    assert second.state is CalloutState.CALLING


def test_a_second_hazard_is_one_call_per_number(night):
    night.warning(hazard="rainstorm")
    night.warning(hazard="geohazard").advance(minutes=5)

    calls = night.phone("hz1-keeper").calls
    assert {callout.state for callout in night.callouts("hz1-keeper")} == {CalloutState.CONFIRMED}
    assert all((later.dialled_at - earlier.dialled_at).total_seconds() >= 60 for earlier, later in pairwise(calls))


def test_two_hazards_that_wait_together_are_spoken_in_one_call(night):
    night.phone(HEAD).habit("sleeps", after=1)
    night.warning(hazard="rainstorm").advance(seconds=30)
    night.warning(hazard="geohazard").advance(minutes=5)

    spoken = night.phone(HEAD).calls[1].voice
    assert "暴雨" in spoken
    assert "地质灾害" in spoken
    assert {callout.state for callout in night.callouts(HEAD)} == {CalloutState.CONFIRMED}


def test_issued_again_only_a_message_for_those_who_are_awake(night):
    night.warning().at("23:59").warning(kind="Update", continued=True).advance(minutes=5)

    night.phone(HEAD).expects_no_call().expects_text("暴雨红色预警")
    assert night.post(HEAD).mode is Mode.MESSAGE


def test_issued_again_without_references_continues_the_same_chain(night):
    night.warning().at("23:59").warning(kind="Alert", continued=True).advance(minutes=5)

    assert len(night.chains()) == 1
    night.phone(HEAD).expects_no_call().expects_text()


def test_issued_again_calls_those_who_were_not_reached(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning().at("23:59")
    night.phone("sim:v201-head").habit("answers")
    night.warning(kind="Update", continued=True).advance(minutes=5)

    night.phone(HEAD).expects_call(1)
    assert night.unreached() == []


def test_issued_again_after_awake_hours_calls_everybody(night):
    night.warning().at("05:00").warning(kind="Update", continued=True).advance(minutes=5)

    night.phone(HEAD).expects_call(1)


def test_a_newly_named_township_is_called_in_full(night):
    night.warning(townships=["溪口镇"]).advance(minutes=10)
    night.phone("v208-head").expects_no_call()

    night.warning(kind="Update", continued=True, townships=["溪口镇", "柳林镇"]).advance(minutes=5)

    night.phone("v208-head").expects_call(1)
    night.phone(HEAD).expects_no_call()


def test_at_eight_the_new_holder_is_called_under_red(make_night):
    night = make_night(start="2021-07-20 06:00")
    night.warning().at("08:05")

    assert len(night.phone("sim:t100-duty-1").calls) == 1
    assert len(night.phone("sim:t100-duty-2").calls) == 1
    assert moves(night) == [Move.OPENED, Move.SHIFT_CHANGED]


def test_at_eight_nobody_is_called_under_yellow(make_night):
    night = make_night(start="2021-07-20 06:40")
    night.warning(colour="yellow").at("08:05")

    assert night.phone("sim:t100-duty-2").calls == []


def test_cancel_stops_what_is_queued_and_tells_the_woken_without_sending_anybody_home(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1).cancel(text="雨势减弱").advance(minutes=30)

    night.phone(HEAD).expects_no_call().expects_text("已解除")
    assert not any(word in text.text for text in night.phone(HEAD).texts for word in HOME_WORDS)
    assert night.callouts(HEAD)[0].state is CalloutState.CANCELLED


def test_a_cancel_tells_nobody_who_was_never_woken(night):
    night.warning(townships=["溪口镇"]).advance(minutes=5).cancel().advance(minutes=5)

    night.phone("v208-head").expects_no_text()


def test_a_false_alarm_is_corrected_to_exactly_those_who_were_dialled(night):
    night.phone(HEAD).habit("sleeps")
    night.warning(townships=["溪口镇"]).advance(minutes=1)
    night.correct(text="演练信息误发").advance(minutes=20)

    night.phone(HEAD).expects_no_call().expects_text("更正")
    night.phone("v202-head").expects_call(1).expects_text("更正")
    night.phone("v208-head").expects_no_call().expects_no_text()
    assert "误发" in night.phone("v202-head").new_calls[0].voice


def test_a_cancel_that_comes_before_its_alert_leaves_nobody_called(night):
    night.warning(kind="Cancel", references=["A_1"], identifier="C_1")
    night.warning(identifier="A_1", sent="2021-07-19 21:50").advance(minutes=10)

    assert night.callouts() == []


def test_an_update_that_comes_before_its_alert_is_called_once(night):
    night.warning(kind="Update", references=["A_1"], identifier="U_1").advance(minutes=5)
    night.warning(identifier="A_1", sent="2021-07-19 21:50").advance(minutes=10)

    assert len(night.chains()) == 1
    night.phone(HEAD).expects_no_call()
    assert len(night.phone(HEAD).calls) == 1


def test_the_same_document_twice_is_called_once(night):
    night.warning(identifier="A_1", sent="2021-07-19 21:50").advance(minutes=5)
    night.warning(identifier="A_1", sent="2021-07-19 21:50").advance(minutes=5)

    night.phone(HEAD).expects_no_call().expects_no_text()
    assert moves(night) == [Move.OPENED]


def test_an_older_document_that_comes_late_moves_nothing(night):
    night.warning(identifier="A_1", colour="orange").advance(minutes=5)
    night.warning(identifier="A_0", colour="red", sent="2021-07-19 21:00", continued=True).advance(minutes=5)

    night.phone(HEAD).expects_no_call()
    assert moves(night) == [Move.OPENED]


def test_a_warning_issued_again_after_its_cancel_calls_again(night):
    night.warning().advance(minutes=5).cancel().advance(minutes=30)
    night.warning(kind="Update", continued=True).advance(minutes=5)

    night.phone(HEAD).expects_call(1)
    assert [chain.state for chain in night.chains()] == [ChainState.CANCELLED, ChainState.OPEN]


def test_a_fall_in_colour_is_told_and_rings_nobody(night):
    night.warning().advance(minutes=10)
    night.warning(colour="yellow", kind="Update").advance(minutes=10)

    night.phone(HEAD).expects_no_call().expects_text("黄色")


def test_a_chain_runs_out_by_itself_and_rings_nobody_after(night):
    night.warning(expires="23:00").at("23:30")

    assert night.chains()[0].state is ChainState.EXPIRED
    assert not any(callout.is_open for callout in night.callouts())


def test_what_nobody_answered_stays_on_the_visit_list_after_the_warning_ran_out(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.warning(expires="23:00").at("23:30")

    assert [callout.post_id for callout in night.unreached()] == [HEAD]


def test_a_pause_holds_the_calls_and_resumes_by_itself(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1).pause(seconds=300).advance(minutes=4, seconds=50)
    night.phone(HEAD).expects_no_call()
    assert [trouble.kind for trouble in night.troubles()] == ["paused"]

    night.advance(minutes=5)

    night.phone(HEAD).expects_call()


def test_a_person_may_resume_before_the_pause_is_over(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1).pause().advance(minutes=1, seconds=30).resume().advance(seconds=30)

    night.phone(HEAD).expects_call()


def test_a_person_who_calls_off_stops_everything(night):
    night.phone(HEAD).habit("sleeps")
    night.warning().advance(minutes=1).call_off(by="李主任").advance(minutes=30)

    night.phone(HEAD).expects_no_call()
    assert night.chains()[0].state is ChainState.CANCELLED


def test_a_person_s_order_calls_the_village_on_whose_word_it_says(night):
    night.order(villages=["上湾村"], text="山体有响声，马上撤", by="王值班", on_word_of="巡查员电话").advance(minutes=5)

    night.phone(HEAD).expects_call(1).expects_text("山体有响声")
    night.phone("v202-head").expects_no_call()
    assert night.chains()[0].by == "王值班（巡查员电话）"


def test_a_document_that_no_door_could_read_wakes_the_duty_officer_once_an_hour(night):
    def refused(raw: str) -> None:
        message = DocumentRefused(
            realm="real", door="warnings", by="市平台", reason="缺少 identifier", raw_id=raw, at=night.now
        )
        night.put(write_letter(topics.WARNINGS_RAW, "real|door|warnings", message, night.now, cause=raw))

    refused("raw-1")
    refused("raw-2")
    night.advance(minutes=5)
    assert len(night.phone("c-duty").calls) == 1
    assert [callout.post_id for callout in night.callouts()] == ["c-duty"]

    night.advance(hours=1)
    refused("raw-3")
    night.advance(minutes=5)
    assert [callout.post_id for callout in night.callouts()] == ["c-duty", "c-duty"]
