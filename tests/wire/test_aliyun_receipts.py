"""The gateway's routes for Aliyun: who gets in, what is heard of batches and replies."""

from __future__ import annotations

import httpx
import pytest

from rosters.numbers import number_digest
from streams.letters import TextReplied
from tests.wire.aliyun_house import LOCAL, House
from tests.wire.twilio_house import NUMBER, NUMBER_KEY

KINDS = ("voice-call-report", "voice-report", "sms-report", "sms-up")


def post(url: str, **body: object) -> int:
    return httpx.post(url, trust_env=False, verify=False, **body).status_code


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_does_not_know_the_secret_finds_nothing(mainland: House, kind: str):
    base = mainland.fake.receipts_url.rpartition("/")[0]
    assert (post(f"{base}/another-secret/{kind}", json=[{}]), mainland.heard) == (404, [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_batch_is_refused(mainland: House, kind: str, body: bytes):
    assert post(f"{mainland.fake.receipts_url}/{kind}", content=body) == 400


def test_a_body_that_is_too_long_is_refused(mainland: House):
    assert post(f"{mainland.fake.receipts_url}/voice-report", content=b" " * 300_000) == 413


@pytest.mark.parametrize("out_id", ["", "PROD#2021042810271227", "AAAAAAAAAAAAAA", None, 7])
def test_receipts_of_somebody_else_are_taken_and_are_no_news(mainland: House, out_id: object):
    receipt = {"out_id": out_id, "status_code": "200002", "duration": "0"}
    assert [mainland.fake.push(kind, [receipt]) for kind in KINDS[:3]] == [200, 200, 200]
    assert mainland.heard == []


def test_a_receipt_with_nonsense_in_it_does_not_hold_up_the_others(mainland: House):
    dial = mainland.dial()
    (out_id,) = mainland.attempts
    odd = {"out_id": out_id, "status_code": None, "duration": "soon", "end_time": "yesterday", "dtmf": 9}
    good = {"out_id": out_id, "status_code": "200002", "duration": "0"}
    assert mainland.fake.push("voice-report", [odd, good]) == 200
    assert ("ended", "", "busy") in mainland.told()
    assert {news.attempt_id for news in mainland.heard} == {dial.attempt_id}


def test_a_reply_is_heard_with_a_digest_and_a_masked_number_only(mainland: House):
    assert mainland.fake.write(LOCAL, "收到") == 200
    (reply,) = mainland.heard
    assert isinstance(reply, TextReplied)
    assert (reply.number_key, reply.masked, reply.text) == (number_digest(NUMBER, NUMBER_KEY), "138****1234", "收到")
    assert LOCAL not in reply.model_dump_json()


@pytest.mark.parametrize("number", [f"86{LOCAL}", f"+86{LOCAL}"])
def test_a_reply_is_known_however_its_number_is_written(mainland: House, number: str):
    mainland.fake.write(number, "收到")
    assert mainland.heard[0].number_key == number_digest(NUMBER, NUMBER_KEY)


def test_a_reply_that_could_not_be_kept_is_pushed_again(mainland: House):
    mainland.away = 1
    assert mainland.fake.write(LOCAL, "收到") == 200
    assert [status for _, status in mainland.fake.pushed] == [503, 200]
