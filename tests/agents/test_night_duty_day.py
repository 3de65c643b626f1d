"""The day of a duty room: equipment and measures handed over, the zero report, the readiness digest."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from agents.duty import measures, zero
from agents.duty.record import record_signature
from agents.duty.state import HANDOVERS, ZERO_REPORTS, Equipment, Handover
from agents.phones.state import VERIFIED_PHONES, VerifiedHow, VerifiedPhone
from agents.plan.state import ROUNDS
from config.rules import DutyKnobs, RuleBook
from rosters.changes import ChangeError
from rosters.county import County
from rosters.numbers import number_digest
from streams.replay.night import NUMBER_KEY, Night
from streams.replay.times import read_local
from tests.unit.duty_county import a_shift, duty_county

DUTY, OTHER = "t100-duty", "t102-duty"
FIRST, SECOND = f"{DUTY}-1", f"{DUTY}-2"


def with_duty(rules: RuleBook, **knobs) -> RuleBook:
    return rules.model_copy(update={"knobs": rules.knobs.model_copy(update={"duty": DutyKnobs(**knobs)})})


@pytest.fixture
def morning(make_night, rules) -> Night:
    knobs = {"handovers": True, "equipment": ("卫星电话", "发电机")}
    return make_night(rules=with_duty(rules, **knobs), start="2021-07-20 07:00").at("07:50")


def record(night: Night, post: str = DUTY) -> Handover:
    return next(row for row in night.find(HANDOVERS, order=("-starts_at",)) if row.post_id == post)


def sign(night: Night, side: str, person: str, *equipment: Equipment) -> Handover:
    row_id, facts = record(night).id, night.house.facts
    return night.ledger.step(
        lambda step: record_signature(
            step, row_id, side, person, by="test", now=night.now, facts=facts, equipment=equipment
        )
    )


def note(night: Night, text: str, post: str = DUTY) -> Handover:
    return night.ledger.step(
        lambda step: measures.note_measure(step, post, text, on_word_of="县防指", by="值班员", now=night.now)
    )


WORKS = (Equipment(name="卫星电话", works=True), Equipment(name="发电机", works=True))


def test_whoever_leaves_says_of_each_piece_of_equipment_whether_it_works(morning: Night) -> None:
    with pytest.raises(ChangeError, match="还缺：发电机"):
        sign(morning, "out", FIRST, WORKS[0])
    row = sign(morning, "out", FIRST, WORKS[0], Equipment(name="发电机", works=False, note="缺柴油"))

    assert [(each.name, each.works, each.by) for each in row.equipment] == [
        ("卫星电话", True, FIRST),
        ("发电机", False, FIRST),
    ]
    entry = morning.ledger.step(lambda step: step.entries(row.id))[-1]
    assert entry.facts["equipment"][1] == {"name": "发电机", "works": False, "note": "缺柴油"}


def test_the_relief_signs_without_equipment_and_nobody_is_kept_from_taking_over(morning: Night) -> None:
    assert sign(morning, "in", SECOND).signed_in is not None


def test_what_does_not_work_stands_in_the_next_handover_until_it_does(make_night, rules) -> None:
    night = make_night(rules=with_duty(rules, handovers=True, equipment=("发电机",)), start="2021-07-20 07:00")
    night.at("07:50")
    sign(night, "out", FIRST, Equipment(name="发电机", works=False, note="缺柴油"))
    relieved_in_the_evening(night)

    row = record(night)
    assert row.incoming == "c-leader-2"
    assert [(each.name, each.note) for each in row.equipment] == [("发电机", "缺柴油")]


def relieved_in_the_evening(night: Night) -> None:
    """Somebody stands in from 20:00: a change of person, and so a handover."""
    at = read_local("20:00", night.county.zone, after=night.now)
    night.stand_in(DUTY, "c-leader-2", starts_at=at).at("19:50")


def test_a_measure_in_force_goes_on_to_the_next_shift_and_a_lifted_one_does_not(morning: Night) -> None:
    note(morning, "后山公路封闭")
    note(morning, "砂石厂停工")
    morning.ledger.step(
        lambda step: measures.lift_measure(
            step, DUTY, "砂石厂停工", on_word_of="镇长", by="值班员", now=morning.now + timedelta(minutes=1)
        )
    )
    relieved_in_the_evening(morning)

    assert record(morning).incoming == "c-leader-2"
    assert [each.text for each in record(morning).measures] == ["后山公路封闭"]
    row_id = record(morning).id
    opened = morning.ledger.step(lambda step: step.entries(row_id))[0]
    assert opened.facts["measures"] == ["后山公路封闭"]


def test_a_measure_names_on_whose_word_it_is_and_is_an_entry(morning: Night) -> None:
    with pytest.raises(ChangeError, match="依据"):
        morning.ledger.step(
            lambda step: measures.note_measure(step, DUTY, "停工", on_word_of=" ", by="x", now=morning.now)
        )
    row = note(morning, "砂石厂停工")
    entry = morning.ledger.step(lambda step: step.entries(row.id))[-1]
    assert (entry.what, entry.facts["on_word_of"]) == ("measure_noted", "县防指")
    with pytest.raises(ChangeError, match="没有这项"):
        morning.ledger.step(
            lambda step: measures.lift_measure(step, DUTY, "别的", on_word_of="x", by="x", now=morning.now)
        )


# The zero report


@pytest.fixture
def evening(make_night, rules) -> Night:
    return make_night(rules=with_duty(rules, notices=True, zero_report_at="17:00"), start="2021-07-19 16:50")


def report(night: Night, post: str, person: str, text: str = ""):
    return night.ledger.step(
        lambda step: zero.report(step, post, person, text, by="test", now=night.now, facts=night.house.facts)
    )


def test_who_has_not_reported_an_hour_later_is_one_trouble_with_the_names(evening: Night) -> None:
    report(evening, DUTY, FIRST)
    report(evening, "c-duty", "c-duty-1", "柳林镇一处塌方")
    evening.at("17:59")
    assert evening.troubles("zero_report_missing") == []
    evening.at("18:30")

    (trouble,) = evening.troubles("zero_report_missing")
    assert trouble.text == f"2021-07-19零报告未收到：{OTHER}"


def test_where_all_reported_nothing_is_said(evening: Night) -> None:
    for post in (DUTY, OTHER, "c-duty"):
        report(evening, post, f"{post}-1")
    evening.at("20:00")

    assert evening.troubles("zero_report_missing") == []


def test_a_report_says_that_there_is_nothing_or_what_there_is_and_counts_once_a_day(evening: Night) -> None:
    assert report(evening, DUTY, FIRST).nothing
    report(evening, DUTY, FIRST, "后来才想起")
    report(evening, OTHER, f"{OTHER}-1", "塌方")

    rows = evening.find(ZERO_REPORTS)
    assert sorted((row.post_id, row.nothing, row.text) for row in rows) == [(DUTY, True, ""), (OTHER, False, "塌方")]


def test_only_whoever_is_on_duty_reports(evening: Night) -> None:
    with pytest.raises(ChangeError, match=f"此刻：{FIRST}"):
        report(evening, DUTY, SECOND)
    with pytest.raises(ChangeError, match="没有值班岗"):
        report(evening, "v201-head", "v201-head")


def test_a_report_due_before_midnight_and_looked_at_after_it_is_of_the_day_before(make_night, rules) -> None:
    knobs = {"notices": True, "zero_report_at": "23:30"}
    night = make_night(rules=with_duty(rules, **knobs), start="2021-07-19 23:00").at("2021-07-20 00:45")

    (trouble,) = night.troubles("zero_report_missing")
    assert trouble.text.startswith("2021-07-19")


# The digest


def test_the_digest_tells_the_leader_of_the_county_what_the_coming_days_lack(make_night, rules) -> None:
    night = make_night(
        rules=with_duty(rules, notices=True, readiness_at="15:00"), start="2021-07-19 14:50", vacant=["t100-duty"]
    ).at("15:05")

    night.phone("c-leader").expects_text("无人值班：t100-duty")
    assert night.phone("t100-leader").texts == []


def whole_county(number: str) -> County:
    """Twenty days without a hole, two people to a post; `number` is their number with {n} for who it is."""
    people = {f"q{n}": (f"人{n}", number.format(n=n)) for n in range(12)}
    shifts = [
        a_shift(post, f"q{2 * place + day % 2}", f"{date(2021, 7, 18) + timedelta(days=day)}T08:00")
        for day in range(20)
        for place, post in enumerate(sorted(duty_county().posts))
    ]
    return duty_county(shifts, people)


def test_the_digest_says_nothing_when_all_is_well(rules) -> None:
    knobs = with_duty(rules, notices=True, readiness_at="15:00")
    night = Night(county=whole_county("sim:q{n}"), rules=knobs, start="2021-07-19 14:50").at("15:30")

    assert [text for n in range(12) for text in night.phone(f"sim:q{n}").texts] == []


def test_the_digest_names_phones_until_they_are_verified(rules) -> None:
    knobs = with_duty(rules, notices=True, readiness_at="15:00")
    night = Night(county=whole_county("+8613800001{n:03d}"), rules=knobs, start="2021-07-19 14:50").at("15:30")
    assert len(told_by_digest(night)) == 1

    phones = [
        VerifiedPhone(
            id=f"real|phone|{person.id}",
            number_key=number_digest(person.phones[0].number, NUMBER_KEY),
            name=person.name,
            masked="+86138****",
            person_id=person.id,
            how=VerifiedHow.KEY,
            by="test",
            verified_at=night.now,
            verification_id="",
        )
        for person in night.county.people.values()
    ]
    night.ledger.step(lambda step: step.save(VERIFIED_PHONES, phones))
    night.at("2021-07-20 15:30")
    assert len(told_by_digest(night)) == 1


def told_by_digest(night: Night) -> list[str]:
    return [row.headline for row in night.find(ROUNDS) if row.headline == "not_ready"]
