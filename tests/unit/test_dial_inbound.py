"""Whoever calls back: what a number shown by a caller, which can be forged, must not answer."""

from __future__ import annotations

from agents.dial.inbound import Caller, take_call
from agents.dial.state import Attempt
from rosters.numbers import number_digest
from streams.words import Channel
from tests.unit.callout_samples import NOW
from tests.unit.dial_samples import NUMBER_KEY, Desk

NUMBER = "sim:v201-head"
KEY = number_digest(NUMBER, NUMBER_KEY)


def call_back(desk: Desk) -> Attempt | None:
    caller = Caller(NUMBER, KEY, "fake", "call-1")
    return desk.ledger.step(lambda step: take_call(step, desk.desk.facts, caller, "gateway", NOW, NOW))


def test_a_call_back_hears_what_is_open_for_its_number():
    desk = Desk()
    callout_id = desk.want("v201-head")
    assert call_back(desk).callouts == (callout_id,)


def test_a_call_back_never_verifies_a_number():
    desk = Desk()
    desk.want("v201-head", number_key=KEY)
    desk.claim(Channel.VOICE)
    assert call_back(desk) is None


def test_a_call_back_told_twice_is_one_attempt():
    desk = Desk()
    desk.want("v201-head")
    assert call_back(desk).id == call_back(desk).id
    assert len(desk.attempts()) == 1


def test_a_call_back_while_we_ring_leaves_the_ladder_waiting_for_our_call():
    desk = Desk()
    callout_id = desk.want("v201-head")
    (dial,) = desk.claim()
    assert call_back(desk).id != dial.attempt_id
    assert desk.callout(callout_id).attempt_id == dial.attempt_id


def test_a_call_back_between_two_calls_is_what_the_ladder_waits_for():
    desk = Desk()
    callout_id = desk.want("v201-head")
    came = call_back(desk)
    waiting = desk.callout(callout_id)
    assert (waiting.attempt_id, waiting.call_at) == (came.id, None)
