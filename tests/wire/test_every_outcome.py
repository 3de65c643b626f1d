"""Every way a call or a text can end, at each vendor: what its telephone does, and what our callout is told.

The tables are exhaustive: an outcome that is in neither table of a vendor, or a documented code that is not tried here,
fails a test.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.callout.outcomes import CONSEQUENCES
from agents.dial.carriers.aliyun.verdicts import REFUSALS
from agents.dial.carriers.protocol import RefusedByVendorError, VendorBusyError, VendorDownError
from agents.dial.carriers.verdicts import VERDICTS
from agents.dial.hear import decide
from agents.dial.state import Attempt
from streams.letters import CallNews, TextReplied
from streams.words import Channel, Outcome
from tests.wire import aliyun_house, fake_mainland, twilio_house
from tests.wire.fake_phones import Handset
from tests.wire.twilio_house import NUMBER

pytestmark = pytest.mark.anyio
OURS = {Outcome.NO_NEWS, Outcome.STOPPED, Outcome.SPOKEN, Outcome.PROXY}
"""What no vendor tells: nothing was heard, we hung up, a person wrote it down."""
TWILIO_CALLS: dict[Outcome, Handset] = {
    Outcome.CONFIRMED: Handset(keys=["1"]),
    Outcome.FETCHING: Handset(keys=["2"]),
    Outcome.CANNOT: Handset(keys=["0"]),
    Outcome.HEARD_NO_KEY: Handset(),
    Outcome.HUNG_UP_EARLY: Handset(hangs_up_at_s=3),
    Outcome.NO_ANSWER: Handset(answers="no-answer"),
    Outcome.BUSY: Handset(answers="busy"),
    Outcome.REJECTED: Handset(answers="busy", sip_code="603"),
    Outcome.VOICEMAIL: Handset(answers="machine"),
    Outcome.OUT_OF_SERVICE: Handset(answers="failed", error_code="13224"),
    Outcome.WRONG_NUMBER: Handset(answers="failed", sip_code="404"),
    Outcome.BARRED: Handset(answers="failed", error_code="13225"),
    Outcome.VENDOR_BUSY: Handset(answers="failed", error_code="10004"),
    Outcome.VENDOR_FAILED: Handset(answers="failed"),
}
NOT_TOLD_BY_TWILIO = {Outcome.SWITCHED_OFF, Outcome.NO_COVERAGE}
"""SIP 480 stands for both, and for no answer."""
TWILIO_TEXTS: dict[Outcome, Handset] = {
    Outcome.TEXT_SENT: Handset(text_status="sent"),
    Outcome.TEXT_DELIVERED: Handset(),
    Outcome.TEXT_FAILED: Handset(text_status="undelivered"),
}
ALIYUN_CALLS: dict[Outcome, fake_mainland.Handset] = {
    Outcome.CONFIRMED: fake_mainland.Handset(key="1"),
    Outcome.FETCHING: fake_mainland.Handset(key="2"),
    Outcome.CANNOT: fake_mainland.Handset(key="0"),
    Outcome.HEARD_NO_KEY: fake_mainland.Handset(),
    Outcome.HUNG_UP_EARLY: fake_mainland.Handset(hangs_up_at_s=2),
    Outcome.NO_ANSWER: fake_mainland.Handset(status="200003"),
    Outcome.BUSY: fake_mainland.Handset(status="200002"),
    Outcome.REJECTED: fake_mainland.Handset(status="200111"),
    Outcome.SWITCHED_OFF: fake_mainland.Handset(status="200010"),
    Outcome.NO_COVERAGE: fake_mainland.Handset(status="200007"),
    Outcome.OUT_OF_SERVICE: fake_mainland.Handset(status="200011"),
    Outcome.WRONG_NUMBER: fake_mainland.Handset(status="200004"),
    Outcome.BARRED: fake_mainland.Handset(status="200105"),
    Outcome.VENDOR_BUSY: fake_mainland.Handset(status="200121"),
    Outcome.VENDOR_FAILED: fake_mainland.Handset(status="200104"),
}
NOT_TOLD_BY_ALIYUN = {Outcome.VOICEMAIL}
"""It knows no voicemail: a call assistant that lets the message run has heard it."""
ALIYUN_TEXTS: dict[Outcome, fake_mainland.Handset] = {
    Outcome.TEXT_DELIVERED: fake_mainland.Handset(),
    Outcome.TEXT_FAILED: fake_mainland.Handset(text_error="UNDELIV"),
}
NO_TEXT_RECEIPT_OF_ALIYUN = {Outcome.TEXT_SENT}
"""Told only to who asks (QuerySendDetails, SendStatus 1)."""


def told(attempt: Attempt, heard: Sequence[CallNews | TextReplied]) -> Outcome | None:
    """Return how an attempt ended once DIAL has heard all news of it."""
    for news in heard:
        assert isinstance(news, CallNews)
        attempt = decide(attempt, news, news.at).state or attempt
    return attempt.outcome


def test_every_outcome_is_tried_at_each_vendor_or_named_as_one_that_it_never_tells():
    everything = set(CONSEQUENCES)
    assert {*TWILIO_CALLS, *TWILIO_TEXTS, *NOT_TOLD_BY_TWILIO, *OURS} == everything
    assert {*ALIYUN_CALLS, *ALIYUN_TEXTS, *NOT_TOLD_BY_ALIYUN, *NO_TEXT_RECEIPT_OF_ALIYUN, *OURS} == everything


@pytest.mark.parametrize("callbacks", ["once", "twice", "reversed"])
@pytest.mark.parametrize("outcome", [*TWILIO_CALLS, *TWILIO_TEXTS], ids=str)
async def test_each_outcome_at_twilio_in_whatever_order_its_callbacks_come(
    ours: twilio_house.House, outcome: Outcome, callbacks: str
):
    channel = Channel.TEXT if outcome in TWILIO_TEXTS else Channel.VOICE
    ours.fake.handsets[NUMBER] = {**TWILIO_CALLS, **TWILIO_TEXTS}[outcome]
    ours.fake.callbacks = callbacks  # type: ignore[assignment]
    carrier = ours.carrier()
    dial = ours.dial(channel=channel)
    await carrier.place(dial)
    await carrier.close()
    ours.fake.play()
    assert told(aliyun_house.attempt_for(dial), ours.heard) is outcome


@pytest.mark.parametrize("pushes", ["once", "twice", "together"])
@pytest.mark.parametrize("outcome", [*ALIYUN_CALLS, *ALIYUN_TEXTS], ids=str)
async def test_each_outcome_at_aliyun_however_its_receipts_come(
    mainland: aliyun_house.House, outcome: Outcome, pushes: str
):
    channel = Channel.TEXT if outcome in ALIYUN_TEXTS else Channel.VOICE
    carrier = mainland.carrier()
    dial = mainland.dial(channel=channel)
    await carrier.place(dial)
    await carrier.close()
    mainland.fake.pushes = pushes  # type: ignore[assignment]
    mainland.play({**ALIYUN_CALLS, **ALIYUN_TEXTS}[outcome])
    assert told(aliyun_house.attempt_for(dial), mainland.heard) is outcome


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.TEXT])
@pytest.mark.parametrize("code", sorted(VERDICTS))
async def test_each_documented_code_of_twilio_is_come_again_or_never_and_quotes_no_number(
    ours: twilio_house.House, code: str, channel: Channel
):
    ours.fake.refusals.append(int(code))
    carrier = ours.carrier()
    with pytest.raises((VendorBusyError, RefusedByVendorError)) as refused:
        await carrier.place(ours.dial(channel=channel))
    await carrier.close()
    verdict = VERDICTS[code]
    assert isinstance(refused.value, RefusedByVendorError) == verdict.permanent
    if isinstance(refused.value, RefusedByVendorError):
        assert (refused.value.outcome, refused.value.vendor_code) == (verdict.outcome, code)
    assert NUMBER not in str(refused.value)


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.TEXT])
@pytest.mark.parametrize("code", sorted(VERDICTS))
async def test_each_documented_code_in_a_receipt_of_twilio_ends_the_attempt(
    ours: twilio_house.House, code: str, channel: Channel
):
    ours.fake.handsets[NUMBER] = Handset(answers="failed", text_status="undelivered", error_code=code)
    carrier = ours.carrier()
    dial = ours.dial(channel=channel)
    await carrier.place(dial)
    await carrier.close()
    ours.fake.play()
    expected = Outcome.TEXT_FAILED if channel is Channel.TEXT else VERDICTS[code].outcome
    assert told(aliyun_house.attempt_for(dial), ours.heard) is expected
    assert ours.heard[-1].vendor_code == code  # type: ignore[union-attr]


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.TEXT])
@pytest.mark.parametrize("code", sorted(REFUSALS))
async def test_each_documented_code_of_aliyun_is_come_again_unclear_or_never_and_quotes_no_number(
    mainland: aliyun_house.House, code: str, channel: Channel
):
    mainland.fake.refusals.append(code)
    carrier = mainland.carrier()
    kinds = {"busy": VendorBusyError, "down": VendorDownError, "refused": RefusedByVendorError}
    with pytest.raises(kinds[REFUSALS[code].fault]) as refused:
        await carrier.place(mainland.dial(channel=channel))
    await carrier.close()
    if isinstance(refused.value, RefusedByVendorError):
        about_words = REFUSALS[code].outcome is Outcome.TEXT_FAILED and channel is Channel.VOICE
        assert refused.value.outcome is (Outcome.VENDOR_FAILED if about_words else REFUSALS[code].outcome)
    assert aliyun_house.LOCAL not in str(refused.value)
