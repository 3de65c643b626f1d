"""Callbacks of a real carrier through the gateway: in the ledger before they are answered, and stopped in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from agents.dial.carriers.signature import token_of
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.plan.state import ROUNDS, Round
from rosters.numbers import number_digest
from streams import topics
from streams.ids import make_id
from streams.letters import CallNews, Move, TextReplied
from streams.words import Channel, Colour
from tests.wire.gateway_house import NIGHT, NUMBER_KEY, Gate, open_gate

PUBLIC, AUTH = "https://duty.example/phones", "an-auth-token"
NUMBER = "+8613812345678"
ROUND, ATTEMPT = make_id("real", "round", "1"), make_id("drill:x", "attempt", "1")


@pytest.fixture
def live(tmp_path: Path) -> Gate:
    """A gateway of an installation that rings by Twilio, while one call is under way."""
    account = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": SecretStr(AUTH)}
    address = {"twilio_from_number": "+15005550006", "twilio_public_url": PUBLIC}
    gate = open_gate(tmp_path, carrier="twilio", number_key=SecretStr(NUMBER_KEY.decode()), **account, **address)
    attempt = Attempt(
        id=ATTEMPT,
        realm="drill:x",
        channel=Channel.VOICE,
        carrier="twilio",
        number_key=number_digest(NUMBER, NUMBER_KEY),
        masked="138****5678",
        person_id="p1",
        phone=0,
        callouts=(),
        rounds=(ROUND,),
        severity=4,
        voice="暴雨红色预警",
        prompt="收到按1",
        state=AttemptState.PLACED,
        owner="test",
        lease_until=NIGHT,
        dialled_at=NIGHT - timedelta(minutes=1),
        dial_no=1,
    )
    row = Round(
        id=ROUND,
        realm="real",
        chain_id="",
        cause_id="",
        move=Move.OPENED,
        hazard="rainstorm",
        colour=Colour.RED,
        opened_at=NIGHT,
    )
    gate.house.ledger.step(lambda step: (step.save(ATTEMPTS, [attempt]), step.save(ROUNDS, [row])))
    return gate


def call_back(gate: Gate, path: str, **form: str):
    signature = RequestValidator(AUTH).compute_signature(PUBLIC + path, form)
    return gate.api().post(f"/phones{path}", data=form, headers={"X-Twilio-Signature": signature})


def calls(gate: Gate) -> list[CallNews | TextReplied]:
    return [letter.message for letter in gate.letters(topics.CALLS)]


def test_an_answered_call_is_news_in_the_ledger_and_hears_its_message(live: Gate):
    answer = call_back(live, f"/voice/{token_of(ATTEMPT)}", CallStatus="in-progress")
    (news,) = calls(live)
    assert (news.attempt_id, news.progress) == (ATTEMPT, "answered")
    assert "暴雨红色预警" in answer.text


def test_the_same_news_again_is_one_letter(live: Gate):
    for _ in range(2):
        call_back(live, f"/calls/{token_of(ATTEMPT)}/status", CallStatus="ringing", SequenceNumber="1")
    assert len(calls(live)) == 1


def test_a_stopped_round_is_not_spoken_any_more(live: Gate):
    def stop(step):
        row = step.load(ROUNDS, [ROUND])[ROUND]
        step.save(ROUNDS, [row.model_copy(update={"stopped_at": NIGHT, "stop_why": "cancelled"})])

    live.house.ledger.step(stop)
    answer = call_back(live, f"/voice/{token_of(ATTEMPT)}", CallStatus="in-progress")
    assert "暴雨红色预警" not in answer.text


def test_a_reply_belongs_to_the_realm_in_which_its_number_was_rung(live: Gate):
    call_back(live, "/texts/inbound", From=NUMBER, Body="收到", MessageSid="SM1")
    (reply,) = calls(live)
    assert (reply.realm, reply.masked) == ("drill:x", "138****5678")
    assert NUMBER not in reply.model_dump_json()


def test_a_reply_from_a_number_nobody_rang_is_of_this_installation(live: Gate):
    call_back(live, "/texts/inbound", From="+8613900000000", Body="收到", MessageSid="SM2")
    assert [reply.realm for reply in calls(live)] == ["real"]


def test_unsigned_callbacks_leave_nothing(live: Gate):
    answer = live.api().post(f"/phones/calls/{token_of(ATTEMPT)}/status", data={"CallStatus": "completed"})
    assert answer.status_code == 403
    assert calls(live) == []


def test_without_that_carrier_there_are_no_such_doors(gate: Gate):
    assert gate.api().post(f"/phones/voice/{token_of(ATTEMPT)}").status_code == 404
    assert gate.api().post(f"/voice/{token_of(ATTEMPT)}").status_code == 404
