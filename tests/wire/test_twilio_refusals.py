"""What the Twilio carrier does when Twilio refuses, fails, or never answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.dial.carriers.protocol import RefusedByVendorError, VendorBusyError, VendorDownError
from agents.dial.carriers.twilio import TwilioCarrier
from agents.dial.carriers.verdicts import text_news
from agents.dial.hear import decide, end
from agents.dial.replies import decide_reply
from streams.letters import TextReplied
from streams.words import Channel, Outcome
from tests.unit.attempt_samples import NOW, attempt
from tests.wire.fake_phones import Handset
from tests.wire.fake_twilio import Fault
from tests.wire.twilio_house import NUMBER, House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def carrier(ours: House):
    made = ours.carrier(timeout_s=0.5)
    yield made
    await made.close()


async def test_a_number_that_was_not_approved_is_never_sent_to_twilio(ours: House, carrier: TwilioCarrier):
    with pytest.raises(RefusedByVendorError, match="jiaoying live approve") as refusal:
        await carrier.place(ours.dial("+8613900009999"))
    assert (refusal.value.outcome, ours.fake.requests) == (Outcome.BARRED, [])


async def test_a_simulated_number_is_not_dialled_even_if_approved(ours: House):
    assert not ours.carrier().may_dial("sim:+1500")


async def test_too_many_requests_say_when_to_come_again(ours: House, carrier: TwilioCarrier):
    ours.fake.faults.append("429")
    with pytest.raises(VendorBusyError) as busy:
        await carrier.place(ours.dial())
    assert (busy.value.retry_after_s, ours.fake.calls) == (7.0, {})


@pytest.mark.parametrize("fault", ["500", "500 after", "hang", "not json"])
async def test_an_unclear_answer_is_asked_for_once_and_told_as_unclear(
    ours: House, carrier: TwilioCarrier, fault: Fault
):
    ours.fake.faults.append(fault)
    with pytest.raises(VendorDownError):
        await carrier.place(ours.dial())
    assert len(ours.fake.requests) == 1


async def test_a_vendor_that_cannot_be_reached_is_down(ours: House):
    carrier = ours.carrier(api_base="http://127.0.0.1:9")
    with pytest.raises(VendorDownError):
        await carrier.place(ours.dial())
    await carrier.close()


async def test_a_call_placed_behind_a_5xx_is_found_by_looking_it_up(ours: House, carrier: TwilioCarrier):
    ours.fake.faults.append("500 after")
    with pytest.raises(VendorDownError):
        await carrier.place(ours.dial())
    found = await carrier.look_up(ours.dial())
    assert found is not None
    assert (found.vendor_id, found.to_come) == ("CA" + f"{1:032x}", ())


async def test_a_call_that_was_never_placed_is_not_found(ours: House, carrier: TwilioCarrier):
    ours.fake.faults.append("500")
    with pytest.raises(VendorDownError):
        await carrier.place(ours.dial())
    assert await carrier.look_up(ours.dial()) is None


async def test_an_earlier_call_to_the_same_number_is_not_taken_for_this_one(ours: House, carrier: TwilioCarrier):
    await carrier.place(ours.dial(cause="earlier"))
    ours.fake.now += timedelta(seconds=61)
    assert await carrier.look_up(ours.dial()) is None


async def test_two_calls_at_the_same_time_cannot_be_told_apart(ours: House, carrier: TwilioCarrier):
    await carrier.place(ours.dial(cause="1"))
    await carrier.place(ours.dial(cause="2"))
    assert await carrier.look_up(ours.dial()) is None


async def test_a_call_looked_up_by_its_id_tells_how_it_ended(ours: House, carrier: TwilioCarrier):
    ours.fake.handsets[NUMBER] = Handset(answers="no-answer")
    dial = ours.dial()
    placed = await carrier.place(dial)
    ours.fake.play()
    found = await carrier.look_up(dial, placed.vendor_id)
    assert found is not None
    assert [(news.progress, news.outcome) for news in found.to_come] == [("ended", Outcome.NO_ANSWER)]


async def test_a_call_whose_callbacks_were_all_lost_was_answered_and_is_not_taken_for_heard(
    ours: House, carrier: TwilioCarrier
):
    ours.fake.handsets[NUMBER] = Handset(keys=["1"])
    ours.fake.callbacks = "dropped"
    dial = ours.dial()
    placed = await carrier.place(dial)
    ours.fake.play()
    found = await carrier.look_up(dial, placed.vendor_id)
    assert found is not None
    assert [news.progress for news in found.to_come] == ["answered", "ended"]
    told = attempt(id=dial.attempt_id)
    for news in found.to_come:
        told = decide(told, news, NOW).state or told
    assert told.outcome is Outcome.HUNG_UP_EARLY


async def test_an_id_twilio_does_not_know_tells_nothing(ours: House, carrier: TwilioCarrier):
    assert await carrier.look_up(ours.dial(), "CA" + "0" * 32) is None


async def test_a_text_placed_behind_a_5xx_is_found_by_its_words(ours: House, carrier: TwilioCarrier):
    dial = ours.dial(channel=Channel.TEXT)
    ours.fake.faults.append("500 after")
    with pytest.raises(VendorDownError):
        await carrier.place(dial)
    found = await carrier.look_up(dial)
    assert found is not None
    assert found.vendor_id.startswith("SM")


async def test_a_person_who_answered_stop_is_barred(ours: House, carrier: TwilioCarrier):
    ours.fake.handsets[NUMBER] = Handset(opted_out=True)
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(ours.dial(channel=Channel.TEXT))
    assert (refusal.value.outcome, refusal.value.vendor_code) == (Outcome.BARRED, "21610")


async def test_a_number_twilio_finds_invalid_is_a_wrong_number(ours: House, carrier: TwilioCarrier):
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(ours.dial("+1500"))
    assert (refusal.value.outcome, refusal.value.vendor_code) == (Outcome.WRONG_NUMBER, "21211")


async def test_what_a_refusal_says_quotes_no_number(ours: House, carrier: TwilioCarrier):
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(ours.dial("+1500"))
    assert "1500" not in str(refusal.value)


@pytest.mark.parametrize("settings", [{"from_number": "+15005559999"}, {"auth_token": "wrong"}])
async def test_a_wrong_account_is_told_as_the_vendor_s_failure_not_the_number_s(ours: House, settings: dict):
    carrier = ours.carrier(**settings)
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(ours.dial())
    assert refusal.value.outcome is Outcome.VENDOR_FAILED
    await carrier.close()


async def test_who_answered_stop_gets_no_text_any_more_and_is_called_all_the_same(ours: House, carrier: TwilioCarrier):
    ours.fake.handsets[NUMBER] = Handset(opted_out=True, keys=["1"])
    with pytest.raises(RefusedByVendorError):
        await carrier.place(ours.dial(channel=Channel.TEXT))
    await carrier.place(ours.dial())
    ours.fake.play()
    assert "key" in ours.in_order()


async def test_a_stop_from_before_our_time_is_told_to_people_as_an_answer_of_stop_is(
    ours: House, carrier: TwilioCarrier
):
    ours.fake.handsets[NUMBER] = Handset(opted_out=True)
    with pytest.raises(RefusedByVendorError) as refusal:
        await carrier.place(ours.dial(channel=Channel.TEXT))
    refused = attempt(channel=Channel.TEXT, carrier="twilio", vendor_code=refusal.value.vendor_code)
    (told,) = end(refused, refusal.value.outcome, NOW).troubles
    (answered,) = decide_reply(
        TextReplied(realm="real", number_key=refused.number_key, masked="m", text="STOP", vendor_id="v", at=NOW),
        [],
        NOW,
    )[3]
    assert (told.id, told.kind) == (answered.id, answered.kind)


@pytest.mark.parametrize(("code", "kinds"), [("21610", ["stop_asked"]), ("30003", [])])
def test_a_text_that_fails_later_for_a_stop_is_told_to_people_too(code: str, kinds: list[str]):
    sent = attempt(channel=Channel.TEXT, carrier="twilio")
    failed = text_news(sent.id, "failed", NOW, error_code=code)
    assert failed is not None
    assert [each.kind for each in decide(sent, failed, NOW).troubles] == kinds
