"""Receipts of Aliyun through the whole gateway: found by their OutId in every realm, kept before the answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from agents.dial.carriers.aliyun.outid import out_id_of
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.plan.state import ROUNDS, Round
from rosters.numbers import number_digest
from streams import topics
from streams.ids import make_id
from streams.letters import CallNews, Move, TextReplied
from streams.words import Channel, Colour
from tests.wire.gateway_house import NIGHT, NUMBER_KEY, Gate, open_gate

SECRET = "a-secret-of-the-addresses-of-receipts"
NUMBER = "+8613812345678"
ACCOUNT = {
    "aliyun_access_key_id": "LTAI",
    "aliyun_access_key_secret": SecretStr("secret"),
    "aliyun_show_number": "05711234567",
    "aliyun_ivr_template": "TTS_1",
    "aliyun_sign_name": "禾溪县应急局",
    "aliyun_text_template": "SMS_1",
    "aliyun_receipt_secret": SecretStr(SECRET),
}


def attempt_in(gate: Gate, realm: str, opened_ago: timedelta = timedelta(minutes=1)) -> str:
    """An attempt under way in a realm; return its id."""
    round_id, attempt_id = make_id(realm, "round", "1"), make_id(realm, "attempt", realm)
    attempt = Attempt(
        id=attempt_id,
        realm=realm,
        channel=Channel.VOICE,
        carrier="aliyun",
        number_key=number_digest(NUMBER, NUMBER_KEY),
        masked="138****5678",
        person_id="p1",
        phone=0,
        callouts=(),
        rounds=(round_id,),
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
        id=round_id,
        realm=realm,
        chain_id="",
        cause_id="",
        move=Move.OPENED,
        hazard="rainstorm",
        colour=Colour.RED,
        opened_at=NIGHT - opened_ago,
    )
    gate.house.ledger.step(lambda step: (step.save(ATTEMPTS, [attempt]), step.save(ROUNDS, [row])))
    return attempt_id


@pytest.fixture
def live(tmp_path: Path) -> Gate:
    return open_gate(tmp_path, carrier="aliyun", number_key=SecretStr(NUMBER_KEY.decode()), **ACCOUNT)


def push(gate: Gate, kind: str, **receipt: object) -> int:
    return gate.api().post(f"/aliyun/{SECRET}/{kind}", json=[receipt]).status_code


def news(gate: Gate) -> list[CallNews | TextReplied]:
    return [letter.message for letter in gate.letters(topics.CALLS)]


@pytest.mark.parametrize("realm", ["real", "drill:night", "check:2"])
def test_a_receipt_finds_its_attempt_in_whatever_realm(live: Gate, realm: str):
    attempt_id = attempt_in(live, realm)
    assert push(live, "voice-report", out_id=out_id_of(attempt_id), status_code="200011", duration="0") == 200
    assert [(each.attempt_id, each.outcome) for each in news(live)] == [(attempt_id, "out_of_service")]


def test_a_receipt_told_twice_is_one_letter(live: Gate):
    attempt_id = attempt_in(live, "real")
    for _ in range(2):
        push(live, "voice-report", out_id=out_id_of(attempt_id), status_code="200002", duration="0")
    assert len(news(live)) == 1


def test_a_reply_belongs_to_the_realm_in_which_its_number_was_rung(live: Gate):
    attempt_in(live, "drill:night")
    push(live, "sms-up", phone_number="13812345678", content="收到", sequence_id=1)
    assert [(reply.realm, reply.masked) for reply in news(live)] == [("drill:night", "138****5678")]


def test_twilio_has_no_door_where_only_aliyun_is_used(live: Gate):
    assert live.api().post("/voice/abc").status_code == 404


def test_both_have_their_doors_where_one_stands_in_for_the_other(tmp_path: Path):
    account = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": SecretStr("t")}
    address = {"twilio_from_number": "+15005550006", "twilio_public_url": "https://duty.example/phones"}
    key = SecretStr(NUMBER_KEY.decode())
    gate = open_gate(
        tmp_path, carrier="aliyun", carrier_fallback="twilio", number_key=key, **ACCOUNT, **account, **address
    )
    assert gate.api().post("/phones/voice/abc").status_code == 403
    assert push(gate, "voice-report") == 200


def test_without_that_carrier_there_is_no_such_door(gate: Gate):
    assert push(gate, "voice-report") == 404
