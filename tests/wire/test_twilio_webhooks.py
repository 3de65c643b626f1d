"""The gateway's routes for Twilio: who gets in, what is heard of texts and replies."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx
import pytest
from fastapi import HTTPException
from twilio.request_validator import RequestValidator

from agents.dial.carriers.signature import attempt_of, token_of
from rosters.numbers import number_digest
from streams.doors.http import twilio_signed
from streams.letters import TextReplied
from streams.words import Channel
from tests.wire.fake_phones import Handset
from tests.wire.twilio_house import NUMBER, NUMBER_KEY, SCRIPT, House, Wires

pytestmark = pytest.mark.anyio
PATHS = ("voice/{}", "voice/{}/asked", "voice/{}/key", "calls/{}/status", "texts/{}/status", "texts/inbound")


def address(ours: House, path: str) -> str:
    return f"{ours.url}/{path.format(token_of(ours.dial().attempt_id))}"


def post(url: str, fields: dict[str, str], headers: dict[str, str]) -> int:
    return httpx.post(url, data=fields, headers=headers, trust_env=False, verify=False).status_code


@pytest.mark.parametrize("path", PATHS)
def test_an_unsigned_request_is_refused_and_nothing_is_heard(ours: House, path: str):
    assert (post(address(ours, path), {"CallStatus": "ringing"}, {}), ours.heard) == (403, [])


@pytest.mark.parametrize("path", PATHS)
def test_a_request_signed_with_another_token_is_refused(ours: House, path: str):
    ours.fake.signs_with = "another-token"
    assert ours.fake.post(address(ours, path), {"CallStatus": "ringing"}).status_code == 403


def test_a_signature_does_not_fit_another_attempt(ours: House):
    fields = {"CallStatus": "ringing"}
    headers = {
        "X-Twilio-Signature": RequestValidator("the-token").compute_signature(address(ours, "calls/{}/status"), fields)
    }
    other = f"{ours.url}/calls/{token_of('real|attempt|other')}/status"
    assert post(address(ours, "calls/{}/status"), fields, headers) == 204
    assert post(other, fields, headers) == 403
    assert len(ours.heard) == 1


def test_a_signature_does_not_fit_other_fields(ours: House):
    url = address(ours, "calls/{}/status")
    headers = {"X-Twilio-Signature": RequestValidator("the-token").compute_signature(url, {"CallStatus": "ringing"})}
    assert (post(url, {"CallStatus": "completed"}, headers), ours.heard) == (403, [])


@pytest.mark.parametrize("signs_with", ["the-token", "the-next-token"])
def test_while_a_token_is_replaced_the_old_and_the_new_both_get_in(wires: Wires, signs_with: str):
    with wires.house(tokens=("the-token", "the-next-token")) as ours:
        ours.fake.signs_with = signs_with
        assert ours.fake.post(address(ours, "calls/{}/status"), {"CallStatus": "ringing"}).status_code == 204


def test_an_address_that_names_no_attempt_is_not_found(ours: House):
    assert ours.fake.post(f"{ours.url}/calls/***/status", {"CallStatus": "ringing"}).status_code == 404


def test_a_body_that_is_too_long_is_refused(ours: House):
    answer = ours.fake.post(address(ours, "calls/{}/status"), {"CallStatus": "x" * 70_000})
    assert answer.status_code == 413


def test_a_status_nobody_knows_is_taken_and_is_no_news(ours: House):
    answer = ours.fake.post(address(ours, "calls/{}/status"), {"CallStatus": "levitating"})
    assert (answer.status_code, ours.heard) == (204, [])


def test_a_message_is_not_played_if_the_call_is_over_when_it_is_said_to_be(ours: House):
    ours.fake.post(address(ours, "voice/{}/asked") + "?hearing=1", {"CallStatus": "completed"})
    assert ours.heard == []


def test_an_attempt_s_token_leads_back_to_it():
    assert attempt_of(token_of("drill:night-1|attempt|0a1b")) == "drill:night-1|attempt|0a1b"


async def test_a_text_is_sent_and_its_delivery_heard(ours: House):
    carrier = ours.carrier()
    await carrier.place(ours.dial(channel=Channel.TEXT))
    ours.fake.play()
    await carrier.close()
    assert ours.fake.texts["SM" + f"{1:032x}"].parameter("Body") == SCRIPT.text
    assert ours.told() == [("sent", "", "text_sent"), ("delivered", "", "text_delivered")]


async def test_a_text_that_is_not_delivered_says_why_by_the_vendor_s_code(ours: House):
    ours.fake.handsets[NUMBER] = Handset(text_status="undelivered", error_code="30006")
    carrier = ours.carrier()
    await carrier.place(ours.dial(channel=Channel.TEXT))
    ours.fake.play()
    await carrier.close()
    assert ours.told()[-1] == ("failed", "", "text_failed")
    assert ours.heard[-1].vendor_code == "30006"


def test_a_reply_is_heard_with_a_digest_and_a_masked_number_only(ours: House):
    assert ours.fake.write(f"{ours.url}/texts/inbound", NUMBER, "收到") == 200
    [reply] = ours.heard
    assert isinstance(reply, TextReplied)
    assert (reply.number_key, reply.masked, reply.text) == (number_digest(NUMBER, NUMBER_KEY), "138****1234", "收到")
    assert NUMBER[3:] not in reply.model_dump_json()


def test_a_reply_that_could_not_be_kept_is_a_503(ours: House):
    ours.away = 1
    assert ours.fake.write(f"{ours.url}/texts/inbound", NUMBER, "收到") == 503


def test_no_number_is_logged(ours: House, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    ours.fake.signs_with = "another-token"
    ours.fake.write(f"{ours.url}/texts/inbound", NUMBER, "收到")
    assert "refused an unsigned request" in caplog.text
    assert NUMBER[-8:] not in caplog.text


async def test_a_ledger_that_hangs_lets_twilio_ask_again_within_its_limit():
    assert twilio_signed.ANSWER_WITHIN_S < 15
    with pytest.raises(HTTPException) as refused:
        await twilio_signed.or_again(asyncio.Event().wait(), within_s=0.0)
    assert refused.value.status_code == 503


def test_the_gateway_has_no_kafka_that_could_hold_up_an_answer():
    loaded = "import sys, streams.doors.http.gateway; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert {"faust", "aiokafka", "kafka"} & set(found) == set()
