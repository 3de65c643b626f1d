"""Dead numbers: marked once, shown to whoever keeps the roster, until another number stands there."""

from __future__ import annotations

from agents.callout.numbers import wrong_numbers
from tests.small_county import small_county

HEAD = "v201-head"


def wrong(night, county=None):
    return [item.text for item in night.ledger.step(lambda step: wrong_numbers(step, county or night.county))]


def test_a_number_out_of_service_is_told_with_whose_it_is_and_why(night):
    night.phone(HEAD).habit("out_of_service")
    night.warning().advance(minutes=5)
    assert wrong(night) == [f"{HEAD}（上湾村）的号码 sim:{HEAD} 无法使用（停机），请更正"]


def test_however_often_a_dead_number_is_rung_it_is_marked_once(night):
    night.phone(HEAD).habit("out_of_service")
    night.warning(colour="orange").advance(minutes=5)
    night.warning(colour="red", kind="Update").advance(minutes=5)
    assert len(night.phone(HEAD).calls) == 2
    assert len(wrong(night)) == 1


def test_a_number_that_was_replaced_in_the_roster_is_corrected(night):
    night.phone(HEAD).habit("out_of_service")
    night.warning().advance(minutes=5)
    assert wrong(night, small_county(numbers={HEAD: "sim:another"})) == []


def test_a_number_that_a_person_found_to_be_wrong_is_marked_as_one_that_the_machine_found(make_night, rules):
    ladders = rules.ladders | {"county": rules.ladders["county"].model_copy(update={"human_first_s": 120})}
    night = make_night(rules=rules.model_copy(update={"ladders": ladders}))
    night.warning().advance(seconds=20)
    night.called_by_hand("c-main", "wrong_number").advance(seconds=5)
    assert len(wrong(night)) == 1
    night.phone("sim:c-main-b").expects_call()


def test_what_a_drill_found_is_no_mark_on_the_real_roster(make_night):
    night = make_night(realm="drill:a")
    night.phone(HEAD).habit("out_of_service")
    night.warning().advance(minutes=5)
    assert wrong(night) == []
