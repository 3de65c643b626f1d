"""What the Aliyun carrier does when Aliyun refuses, fails, or never answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.dial.carriers.aliyun.carrier import AliyunCarrier
from agents.dial.carriers.aliyun.outid import attempt_of, out_id_of
from agents.dial.carriers.protocol import RefusedByVendorError, VendorBusyError, VendorDownError
from streams.words import Channel, Outcome
from tests.wire.aliyun_house import House
from tests.wire.fake_aliyun import Fault
from tests.wire.fake_mainland import Handset

pytestmark = pytest.mark.anyio


@pytest.fixture
async def carrier(mainland: House):
    made = mainland.carrier(timeout_s=0.5)
    yield made
    await made.close()


async def test_a_number_that_was_not_approved_is_never_sent_to_aliyun(mainland: House, carrier: AliyunCarrier):
    with pytest.raises(RefusedByVendorError, match="jiaoying live approve") as refusal:
        await carrier.place(mainland.dial("+8613900009999"))
    assert (refusal.value.outcome, mainland.fake.requests) == (Outcome.BARRED, [])


@pytest.mark.parametrize("number", ["sim:1500", "+85291234567", "+15005550006"])
async def test_only_numbers_of_the_mainland_are_dialled(carrier: AliyunCarrier, number: str):
    assert not carrier.may_dial(number)


async def test_the_second_call_to_a_number_within_a_minute_is_refused_as_busy(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(cause="1"))
    with pytest.raises(VendorBusyError):
        await carrier.place(mainland.dial(cause="2"))
    assert len(mainland.fake.calls) == 1


async def test_the_sixth_call_to_a_number_within_an_hour_is_refused_as_busy(mainland: House, carrier: AliyunCarrier):
    for nth in range(5):
        await carrier.place(mainland.dial(cause=str(nth)))
        mainland.fake.now += timedelta(seconds=carrier.budget.gap_s)
    with pytest.raises(VendorBusyError):
        await carrier.place(mainland.dial(cause="sixth"))
    assert carrier.budget.per_hour == 5


async def test_too_many_requests_are_busy(mainland: House, carrier: AliyunCarrier):
    mainland.fake.faults.append("429")
    with pytest.raises(VendorBusyError):
        await carrier.place(mainland.dial())
    assert mainland.fake.calls == {}


@pytest.mark.parametrize("fault", ["500", "500 after", "hang", "not json", "isp.SYSTEM_ERROR"])
async def test_an_unclear_answer_is_asked_for_once_and_told_as_unclear(
    mainland: House, carrier: AliyunCarrier, fault: Fault
):
    mainland.fake.faults.append(fault)
    with pytest.raises(VendorDownError):
        await carrier.place(mainland.dial())
    assert len(mainland.fake.requests) == 1


async def test_a_vendor_that_cannot_be_reached_is_down(mainland: House):
    carrier = mainland.carrier(voice_api="http://127.0.0.1:9")
    with pytest.raises(VendorDownError):
        await carrier.place(mainland.dial())
    await carrier.close()


async def test_a_call_whose_answer_was_lost_is_told_of_by_its_receipts(mainland: House, carrier: AliyunCarrier):
    mainland.fake.faults.append("500 after")
    dial = mainland.dial()
    with pytest.raises(VendorDownError):
        await carrier.place(dial)
    assert await carrier.look_up(dial) is None
    mainland.play(Handset(key="1"))
    assert mainland.progress() == ["answered", "played", "key", "ended"]
    assert {news.attempt_id for news in mainland.heard} == {dial.attempt_id}


async def test_a_text_whose_answer_was_lost_is_found_by_its_out_id(mainland: House, carrier: AliyunCarrier):
    mainland.fake.faults.append("500 after")
    dial = mainland.dial(channel=Channel.TEXT)
    with pytest.raises(VendorDownError):
        await carrier.place(dial)
    mainland.fake.pushes = "dropped"
    mainland.play()
    found = await carrier.look_up(dial)
    assert found is not None
    assert [news.outcome for news in found.to_come] == [Outcome.TEXT_DELIVERED]


async def test_a_text_to_the_same_number_that_is_not_this_one_is_not_found(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(channel=Channel.TEXT, cause="1"))
    assert await carrier.look_up(mainland.dial(channel=Channel.TEXT, cause="2")) is None


async def test_a_call_looked_up_by_its_id_tells_how_it_ended(mainland: House, carrier: AliyunCarrier):
    dial = mainland.dial()
    placed = await carrier.place(dial)
    mainland.fake.pushes = "dropped"
    mainland.play(Handset(status="200010"))
    found = await carrier.look_up(dial, placed.vendor_id)
    assert found is not None
    assert [news.outcome for news in found.to_come] == [Outcome.SWITCHED_OFF]


async def test_a_call_under_way_is_found_with_nothing_to_tell_yet(mainland: House, carrier: AliyunCarrier):
    dial = mainland.dial()
    placed = await carrier.place(dial)
    found = await carrier.look_up(dial, placed.vendor_id)
    assert found is not None
    assert found.to_come == ()


async def test_an_id_aliyun_does_not_know_tells_nothing(mainland: House, carrier: AliyunCarrier):
    assert await carrier.look_up(mainland.dial(), "1^2") is None


@pytest.mark.parametrize(
    "settings",
    [{"show_number": "02100000000"}, {"ivr_template": "TTS_9"}, {"access_key_secret": "wrong"}],
)
async def test_a_wrong_account_is_told_as_the_vendor_s_failure_not_the_number_s(mainland: House, settings: dict):
    carrier = mainland.carrier(**settings)
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(mainland.dial())
    assert refusal.value.outcome is Outcome.VENDOR_FAILED
    await carrier.close()


async def test_a_text_longer_than_the_account_may_fails_as_a_text(mainland: House):
    carrier = mainland.carrier(text_variable_chars=100)
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(mainland.dial(channel=Channel.TEXT))
    assert (refusal.value.outcome, refusal.value.vendor_code) == (Outcome.TEXT_FAILED, "isv.PARAM_LENGTH_LIMIT")
    await carrier.close()


async def test_what_a_refusal_says_quotes_no_number(mainland: House, carrier: AliyunCarrier):
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(mainland.dial("+861234"))
    assert "1234" not in str(refusal.value)


async def test_no_number_is_logged(mainland: House, carrier: AliyunCarrier, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    await carrier.place(mainland.dial())
    assert "13800001234" not in caplog.text


def test_the_out_id_of_an_attempt_is_short_enough_and_leads_back_to_it(mainland: House):
    attempt_id = mainland.dial().attempt_id
    assert len(out_id_of(attempt_id)) <= 15
    assert attempt_of(out_id_of(attempt_id)) == attempt_id
