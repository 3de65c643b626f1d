"""Who is dialled first, how fast, and what is never dialled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.dial.budget import Budget
from agents.dial.hear import end
from agents.dial.state import ATTEMPTS
from streams.letters import Mode, NobodyHeld
from streams.words import Channel, Colour, Outcome
from tests.unit.callout_samples import NOW
from tests.unit.dial_samples import Desk, FakeCarrier

VILLAGES = ("v201-head", "v202-head", "v202-safety", "hz1-keeper", "v208-head", "c-main", "t100-main")


def end_all(desk: Desk, outcome: Outcome = Outcome.NO_ANSWER) -> None:
    ended = [end(attempt, outcome, desk.clock.now()).state for attempt in desk.attempts() if attempt.outcome is None]
    desk.ledger.step(lambda step: step.save(ATTEMPTS, ended))


def said(dials):
    return [dial.script.voice.removeprefix("说给") for dial in dials]


def test_the_worse_colour_is_dialled_first():
    desk = Desk()
    desk.want("v201-head", colour=Colour.YELLOW)
    desk.want("v202-head", colour=Colour.RED)
    desk.want("v208-head", colour=Colour.ORANGE)
    assert said(desk.claim()) == ["v202-head", "v208-head", "v201-head"]


def test_within_a_colour_the_first_contact_of_a_post_goes_before_a_repetition():
    desk = Desk()
    desk.want("v201-head", contacted=True, priority=9)
    desk.want("v202-head", contacted=False)
    assert said(desk.claim()) == ["v202-head", "v201-head"]


def test_after_that_priority_decides_and_then_age():
    desk = Desk()
    desk.want("v201-head", opened_at=NOW)
    desk.want("v202-head", opened_at=NOW - timedelta(seconds=9))
    desk.want("v208-head", priority=5)
    assert said(desk.claim()) == ["v208-head", "v202-head", "v201-head"]


def test_what_does_not_fit_into_the_pace_waits_its_turn_in_the_same_order():
    desk = Desk(FakeCarrier(pace_per_s=1))
    for place, post in enumerate(VILLAGES):
        desk.want(post, priority=9 - place)
    first = desk.claim()
    desk.later(2.0)
    assert said(first + desk.claim()) == list(VILLAGES[: len(first) + 1])


@pytest.mark.parametrize("per_s", [1.0, 3.0, 10.0])
def test_two_desks_together_dial_no_more_than_the_pace_and_one_burst(per_s):
    numbers = {post: f"sim:n{place}" for place, post in enumerate(VILLAGES)}
    carrier = FakeCarrier(pace_per_s=per_s)
    one = Desk(carrier, numbers=numbers, budget=Budget(per_hour=1000, per_day=1000, reserve_per_hour=0))
    other = Desk(carrier, ledger=one.ledger, clock=one.clock, owner="other", numbers=numbers)
    times = []
    for tick in range(40):
        for post in VILLAGES:
            one.want(post, round_no=tick)
        for desk in (one, other):
            times += [one.clock.now()] * len(desk.claim())
        end_all(one)
        one.later(0.25)
    for start in times:
        within = [at for at in times if start <= at < start + timedelta(seconds=5)]
        assert len(within) <= per_s * (5 + 1) + 1


def test_everything_open_for_one_number_is_one_call_worst_first_and_at_most_three_are_spoken():
    shared = dict.fromkeys(VILLAGES, "sim:one-phone")
    desk = Desk(numbers=shared)
    for post in VILLAGES[:4]:
        desk.want(post, colour=Colour.ORANGE)
    red = desk.want("v208-head", colour=Colour.RED)
    (dial,) = desk.claim()
    attempt = desk.attempt(dial.attempt_id)
    assert attempt.callouts[0] == red
    assert len(attempt.callouts) == 3


def test_a_call_takes_along_what_would_be_due_soon_for_the_same_number():
    desk = Desk(numbers={"v201-head": "sim:one", "v202-head": "sim:one"})
    desk.want("v201-head")
    desk.want("v202-head", call_at=NOW + timedelta(seconds=100))
    (dial,) = desk.claim()
    assert len(desk.attempt(dial.attempt_id).callouts) == 2


def test_a_drill_and_the_real_thing_are_never_one_call():
    desk = Desk()
    desk.want("v201-head", realm="real")
    desk.want("v201-head", realm="drill:x")
    dials = desk.claim()
    attempts = [desk.attempt(dial.attempt_id) for dial in dials]
    assert all({callout.split("|")[0] for callout in item.callouts} == {item.realm} for item in attempts)


def test_a_call_of_the_real_thing_takes_no_drill_along_that_would_be_due_soon():
    desk = Desk()
    desk.want("v201-head", realm="real")
    drill = desk.want("v201-head", realm="drill:x", call_at=NOW + timedelta(seconds=60))
    (dial,) = desk.claim()
    assert drill not in desk.attempt(dial.attempt_id).callouts


def test_a_drill_and_the_real_thing_do_not_ring_one_phone_at_once():
    desk = Desk()
    desk.want("v201-head", realm="real")
    drill = desk.want("v201-head", realm="drill:x")
    assert len(desk.claim()) == 1
    assert desk.callout(drill).call_at >= NOW + timedelta(seconds=60)


def test_a_drill_and_the_real_thing_are_never_one_text():
    desk = Desk()
    desk.want("v201-head", realm="real", mode=Mode.MESSAGE)
    desk.want("v201-head", realm="drill:x", mode=Mode.MESSAGE)
    assert len(desk.claim(Channel.TEXT)) == 2


def test_only_the_call_of_a_drill_is_marked_as_an_exercise():
    desk = Desk()
    desk.want("v201-head", realm="drill:x")
    desk.want("v202-head", realm="real")
    exercise = {dial.script.voice.removeprefix("说给"): dial.script.exercise for dial in desk.claim()}
    assert exercise == {"v201-head": True, "v202-head": False}


def test_a_number_is_not_rung_while_a_call_to_it_is_under_way():
    desk = Desk(numbers={"v201-head": "sim:one", "v202-head": "sim:one"})
    desk.want("v201-head")
    desk.claim()
    desk.later(200)
    waiting = desk.want("v202-head")
    assert desk.claim() == []
    assert desk.callout(waiting).call_at > desk.clock.now()


def test_a_number_rests_for_a_minute_whoever_shares_it():
    desk = Desk(numbers={"v201-head": "sim:one", "v202-head": "sim:one"})
    desk.want("v201-head")
    desk.claim()
    desk.later(20)
    end_all(desk)
    waiting = desk.want("v202-head")
    assert desk.claim() == []
    assert desk.callout(waiting).call_at == NOW + timedelta(seconds=60)


def rung_often(times: int) -> Desk:
    desk = Desk(budget=Budget(per_hour=4, reserve_per_hour=2))
    for number in range(times):
        desk.want("v201-head", round_no=number, colour=Colour.RED)
        assert len(desk.claim()) == 1
        end_all(desk)
        desk.later(61)
    return desk


def test_orange_may_not_use_what_is_kept_for_red():
    desk = rung_often(2)
    desk.want("v201-head", round_no=50, colour=Colour.ORANGE)
    assert desk.claim() == []


def test_red_may_use_what_is_kept_for_it_and_no_more():
    desk = rung_often(4)
    last = desk.want("v201-head", round_no=50, colour=Colour.RED)
    assert desk.claim() == []
    assert desk.callout(last).call_at == NOW + timedelta(hours=1)


def test_what_a_busy_vendor_did_not_take_uses_up_no_budget():
    desk = Desk(budget=Budget(per_hour=1, reserve_per_hour=0))
    desk.want("v201-head")
    desk.claim()
    end_all(desk, Outcome.VENDOR_BUSY)
    desk.later(2)
    desk.want("v201-head", round_no=2)
    assert len(desk.claim()) == 1


def test_a_call_back_that_is_over_uses_up_no_budget_and_needs_no_rest():
    desk = Desk(budget=Budget(per_hour=1, reserve_per_hour=0))
    desk.want("v201-head")
    desk.claim()
    called_back = desk.attempts()[0].model_copy(update={"direction": "inbound"})
    over = end(called_back, Outcome.HUNG_UP_EARLY, NOW).state
    desk.ledger.step(lambda step: step.save(ATTEMPTS, [over]))
    desk.later(1)
    desk.want("v201-head", round_no=2)
    assert len(desk.claim()) == 1


def test_what_is_meant_for_one_person_rings_them_and_not_whoever_holds_the_post_now():
    desk = Desk()
    desk.want("c-duty", person_id="c-duty-2")
    assert [dial.number for dial in desk.claim()] == ["sim:c-duty-2"]


def test_nobody_on_duty_is_told_to_the_callout_and_nothing_is_dialled():
    desk = Desk(vacant=("t100-duty",))
    callout = desk.want("t100-duty")
    assert desk.claim() == []
    (letter,) = desk.letters("nobody_held")
    assert isinstance(letter.message, NobodyHeld)
    assert letter.message.why == "nobody_on_duty"
    assert letter.message.version == desk.callout(callout).version
    assert desk.callout(callout).call_at is None


def test_a_number_that_no_carrier_may_dial_is_told_as_such():
    desk = Desk(FakeCarrier(serves="+86"))
    desk.want("v201-head")
    desk.claim()
    assert [letter.message.why for letter in desk.letters("nobody_held")] == ["number_not_approved"]


def test_a_stopped_round_is_never_claimed():
    desk = Desk()
    desk.want("v201-head")
    desk.change_round(stopped_at=NOW)
    assert desk.claim() == []


def test_a_paused_round_is_claimed_when_its_pause_is_over():
    desk = Desk()
    desk.want("v201-head")
    desk.change_round(paused_until=NOW + timedelta(seconds=100))
    assert desk.claim() == []
    desk.later(101)
    assert len(desk.claim()) == 1


def test_a_callout_of_a_stopped_or_paused_round_is_not_spoken_in_anothers_call():
    desk = Desk(numbers={"v201-head": "sim:one", "v202-head": "sim:one", "v208-head": "sim:one"})
    desk.want("v201-head", round_no=1)
    desk.want("v202-head", round_no=2)
    desk.want("v208-head", round_no=3)
    desk.change_round(round_no=2, stopped_at=NOW)
    desk.change_round(round_no=3, paused_until=NOW + timedelta(seconds=100))
    (dial,) = desk.claim()
    assert len(desk.attempt(dial.attempt_id).callouts) == 1


def test_a_claim_moves_the_version_of_every_callout_it_speaks_for():
    desk = Desk(numbers={"v201-head": "sim:one", "v202-head": "sim:one"})
    ids = [desk.want("v201-head"), desk.want("v202-head")]
    desk.claim()
    assert [desk.callout(callout).version for callout in ids] == [2, 2]


def test_no_number_in_clear_is_kept_with_an_attempt_or_an_entry():
    desk = Desk(numbers={"v201-head": "+8613912345678"})
    desk.carrier.serves = "+86"
    callout = desk.want("v201-head")
    (dial,) = desk.claim()
    written = desk.attempt(dial.attempt_id).model_dump_json()
    written += "".join(entry.model_dump_json() for entry in desk.ledger.step(lambda step: step.entries(callout)))
    assert "13912345678" not in written


def test_the_real_thing_goes_before_any_drill():
    desk = Desk()
    desk.want("v201-head", realm="drill:x", colour=Colour.RED)
    desk.want("v202-head", realm="real", colour=Colour.BLUE)
    assert said(desk.claim()) == ["v202-head", "v201-head"]


def test_a_drill_does_not_use_up_what_is_kept_for_red():
    desk = rung_often(2)
    desk.want("v201-head", round_no=50, colour=Colour.RED, realm="drill:x")
    assert desk.claim() == []


def test_no_text_is_sent_to_a_landline():
    desk = Desk(landlines=("v201-head",))
    desk.want("v201-head", mode=Mode.MESSAGE)
    assert desk.claim(Channel.TEXT) == []
    assert [letter.message.why for letter in desk.letters("nobody_held")] == ["no_mobile"]


def test_a_landline_is_called():
    desk = Desk(landlines=("v201-head",))
    desk.want("v201-head")
    assert len(desk.claim()) == 1


def test_a_text_goes_to_the_mobile_beside_a_landline():
    desk = Desk(landlines=("v201-head",), second_phones={"v201-head": "sim:mobile"})
    desk.want("v201-head", mode=Mode.MESSAGE)
    assert [dial.number for dial in desk.claim(Channel.TEXT)] == ["sim:mobile"]


def test_a_first_call_that_comes_after_its_time_says_so_though_nobody_was_there_to_say_it_in_time():
    desk = Desk()
    callout_id = desk.want("v201-head")
    desk.change(callout_id, due_at=NOW + timedelta(seconds=180))
    desk.later(215)
    desk.claim()
    (dialled,) = [entry for entry in desk.ledger.step(lambda step: step.entries(callout_id)) if entry.what == "dialled"]
    assert dialled.facts["late_s"] == 35.0
