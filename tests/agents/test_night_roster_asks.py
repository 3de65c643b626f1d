"""A change asked for in advance: nothing moves until the leader on duty agrees, and nothing moves after that alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.duty import asking
from rosters import arrange
from rosters.changes import ChangeError
from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, AskRow, AskState
from streams.replay.night import Night
from streams.replay.times import read_local

DUTY = "t100-duty"
FIRST, SECOND, OTHER = f"{DUTY}-1", f"{DUTY}-2", "c-leader-2"
AFTERNOON = "2021-07-19 15:00"


@pytest.fixture
def afternoon(make_night) -> Night:
    return make_night(start="2021-07-18 15:00")


def ask_swap(night: Night) -> AskRow:
    first = read_local("2021-07-19 12:00", night.county.zone, after=night.now)
    change = arrange.swap(
        night.roster,
        DUTY,
        first,
        first + timedelta(days=1),
        asked_by=FIRST,
        agreed_by=None,
        why="孩子高考",
        at=night.now,
    )
    row = night.ledger.step(lambda step: asking.ask(step, night.house.facts, change, by="test", now=night.now))
    night.advance(seconds=1)
    return row


def agree(night: Night, row: AskRow, by: str = "县领导") -> None:
    night.ledger.step(
        lambda step: asking.agree(step, night.house.facts, row.id, agreed_by=by, by="test", now=night.now)
    )
    night.advance(seconds=1)


def ask_stand_in(night: Night, **bounds) -> AskRow:
    change = arrange.stand_in(
        night.roster, DUTY, OTHER, asked_by=FIRST, agreed_by=None, why="就医", at=night.now, **bounds
    )
    return night.ledger.step(lambda step: asking.ask(step, night.house.facts, change, by="test", now=night.now))


def state_of(night: Night, row: AskRow) -> AskState:
    return next(each.state for each in night.find(ROSTER_ASKS) if each.id == row.id)


def holder(night: Night, at: str) -> tuple[str, str]:
    held = night.roster.who(DUTY, read_local(at, night.county.zone, after=night.now))
    assert held is not None
    return held.person.id, held.why


def test_a_swap_that_is_only_asked_for_moves_nobody(afternoon: Night) -> None:
    row = ask_swap(afternoon)

    assert state_of(afternoon, row) is AskState.PENDING
    assert holder(afternoon, "2021-07-19 22:00") == (FIRST, "shift")
    assert afternoon.find(ROSTER_CHANGES) == []


def test_a_swap_comes_into_force_once_it_is_agreed_and_the_calls_go_to_the_other_one(afternoon: Night) -> None:
    agree(afternoon, ask_swap(afternoon))
    assert holder(afternoon, "2021-07-19 22:00") == (SECOND, "swap")

    afternoon.at("2021-07-19 22:00").warning().advance(minutes=5)

    afternoon.phone(f"sim:{SECOND}").expects_call(1)
    afternoon.phone(f"sim:{FIRST}").expects_no_call()


def test_a_swap_that_nobody_agreed_to_runs_out_when_its_first_shift_begins(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    afternoon.at("2021-07-19 08:01")

    assert state_of(afternoon, row) is AskState.EXPIRED
    with pytest.raises(ChangeError, match="已过期"):
        agree(afternoon, row)
    assert holder(afternoon, "2021-07-19 22:00") == (FIRST, "shift")


def test_a_refusal_leaves_the_roster_and_says_why(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    afternoon.ledger.step(
        lambda step: asking.refuse(
            step, afternoon.roster, row.id, refused_by="县领导", why="汛期不换", by="test", now=afternoon.now
        )
    )

    (_, entry) = afternoon.ledger.step(lambda step: step.entries(row.id))
    assert (entry.what, entry.by, entry.facts["why"]) == ("refused", "县领导", "汛期不换")
    assert holder(afternoon, "2021-07-19 22:00") == (FIRST, "shift")
    with pytest.raises(ChangeError, match="未同意"):
        agree(afternoon, row)


def test_only_the_leader_on_duty_agrees_or_refuses(night: Night) -> None:
    row = ask_stand_in(night)
    with pytest.raises(ChangeError, match="t100-leader-1"):
        agree(night, row, by="路人")
    with pytest.raises(ChangeError, match="t100-leader-1"):
        night.ledger.step(
            lambda step: asking.refuse(step, night.roster, row.id, refused_by="路人", why="x", by="t", now=night.now)
        )
    agree(night, row, by="t100-leader-1")
    assert night.roster.who(DUTY, night.now).person.id == OTHER


def test_a_request_taken_back_cannot_be_agreed_to(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    take_back(afternoon, row.id, agreed_by="")

    assert state_of(afternoon, row) is AskState.WITHDRAWN
    with pytest.raises(ChangeError, match="已撤回"):
        agree(afternoon, row)


def take_back(night: Night, row_id: str, agreed_by: str) -> None:
    night.ledger.step(
        lambda step: asking.withdraw(
            step, night.roster, row_id, withdrawn_by=FIRST, agreed_by=agreed_by, why="不换了", by="test", now=night.now
        )
    )
    night.advance(seconds=1)


def test_a_change_in_force_is_taken_back_with_the_leaders_word_and_from_now_on_only(night: Night) -> None:
    row = ask_stand_in(night)
    agree(night, row, by="t100-leader-1")
    night.advance(minutes=30)
    with pytest.raises(ChangeError, match="t100-leader-1"):
        take_back(night, row.id, agreed_by="")
    before = night.now
    take_back(night, row.id, agreed_by="t100-leader-1")

    assert night.roster.who(DUTY, night.now).person.id == FIRST
    assert night.roster.who(DUTY, before - timedelta(seconds=1)).person.id == OTHER
    (change,) = night.find(ROSTER_CHANGES)
    entry = night.ledger.step(lambda step: step.entries(change.id))[-1]
    assert (entry.facts["withdrawn_by"], entry.facts["agreed_by"]) == (FIRST, "t100-leader-1")


def test_a_swap_taken_back_before_its_first_shift_never_happens(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    agree(afternoon, row)
    take_back(afternoon, row.id, agreed_by="县领导")

    assert holder(afternoon, "2021-07-19 22:00") == (FIRST, "shift")
    assert holder(afternoon, "2021-07-20 22:00") == (SECOND, "shift")


def test_a_swap_whose_shifts_changed_hands_meanwhile_is_asked_for_again(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    shift = afternoon.roster.shift(DUTY, read_local("2021-07-19 12:00", afternoon.county.zone, after=afternoon.now))
    whole = {"starts_at": shift.starts_at, "ends_at": shift.ends_at}
    agree(afternoon, ask_stand_in(afternoon, **whole))

    with pytest.raises(ChangeError, match="请重新申请"):
        agree(afternoon, row)


def test_a_shift_swapped_once_is_swapped_on_by_whoever_has_it_now(afternoon: Night) -> None:
    agree(afternoon, ask_swap(afternoon))
    afternoon.advance(minutes=1)
    agree(afternoon, ask_swap(afternoon))

    assert holder(afternoon, "2021-07-19 22:00") == (FIRST, "swap")
    assert holder(afternoon, "2021-07-20 22:00") == (SECOND, "swap")


def test_a_change_that_nobody_agreed_to_is_never_written_down(night: Night) -> None:
    change = arrange.stand_in(night.roster, DUTY, OTHER, asked_by=FIRST, agreed_by=None, why="x", at=night.now)
    with pytest.raises(ChangeError, match="还没有人同意"):
        night.change(change)


def test_a_swap_agreed_while_the_first_round_rings_leaves_the_call_under_way(night: Night) -> None:
    night.phone(f"sim:{FIRST}").habit("sleeps")
    night.warning().advance(seconds=10)
    row = ask_stand_in(night)
    agree(night, row, by="t100-leader-1")
    night.advance(minutes=4)

    assert len(night.phone(f"sim:{FIRST}").calls) == 1
    night.phone(f"sim:{OTHER}").expects_call()


def test_the_leader_is_told_of_a_request_and_those_it_is_about_of_the_word(make_night, rules) -> None:
    duty = rules.knobs.duty.model_copy(update={"notices": True})
    told = rules.model_copy(update={"knobs": rules.knobs.model_copy(update={"duty": duty})})
    night = make_night(rules=told)
    row = ask_stand_in(night)
    night.advance(minutes=1)
    night.phone("t100-leader").expects_text("待您同意：顶班")
    agree(night, row, by="t100-leader-1")
    night.advance(minutes=1)

    night.phone(f"sim:{OTHER}").expects_text("t100-leader-1同意")
    assert night.phone("t100-leader").calls == []


def test_two_desks_that_agree_at_once_make_one_change(afternoon: Night) -> None:
    row = ask_swap(afternoon)
    agree(afternoon, row)
    with pytest.raises(ChangeError, match="已同意"):
        agree(afternoon, row)
    assert len(afternoon.find(ROSTER_CHANGES)) == 1
