"""Calls through Twilio, over HTTP against the fake: what is placed, what is heard of it."""

from __future__ import annotations

import pytest

from agents.dial.carriers.twilio import TwilioCarrier
from tests.wire.fake_phones import Handset
from tests.wire.twilio_house import MESSAGE, NUMBER, SCRIPT, House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def carrier(ours: House):
    made = ours.carrier()
    yield made
    await made.close()


async def call(ours: House, carrier: TwilioCarrier, handset: Handset) -> None:
    ours.fake.handsets[NUMBER] = handset
    await carrier.place(ours.dial())
    ours.fake.play()


def ended(ours: House) -> tuple[str, str, float]:
    """Outcome, vendor code and seconds of the last piece of news."""
    news = ours.heard[-1]
    assert news.progress == "ended"
    return (news.outcome or ""), news.vendor_code, news.heard_s


async def test_a_key_pressed_after_the_whole_message_is_heard_as_news_in_order(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["1"]))
    assert ours.told() == [
        ("answered", "", ""),
        ("answered", "", ""),
        ("played", "", ""),
        ("key", "1", ""),
        ("ended", "", ""),
    ]
    assert ours.in_order() == [news.progress for news in ours.heard]


async def test_all_news_of_a_call_are_about_its_attempt(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["1"]))
    assert {news.attempt_id for news in ours.heard} == {ours.dial().attempt_id}


async def test_what_was_recorded_is_read_back(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["0"]))
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken == [MESSAGE, SCRIPT.prompt, "已记录：不能到岗。再见。"]


async def test_no_number_stands_in_an_address_twilio_is_given(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["1"]))
    placed = ours.fake.calls["CA" + f"{1:032x}"]
    addresses = [placed.parameter("Url"), placed.parameter("StatusCallback"), *(path for path, _ in ours.fake.webhooks)]
    assert not [address for address in addresses if NUMBER.removeprefix("+") in address]


async def test_hanging_up_during_the_message_is_never_heard_as_played(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["1"], hangs_up_at_s=4))
    assert [progress for progress, _, _ in ours.told()] == ["answered", "answered", "ended"]
    assert ended(ours) == ("", "", 4.0)


async def test_no_key_is_asked_for_three_times_and_ends_without_one(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset())
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken == [MESSAGE, *[SCRIPT.prompt] * 3, "没有收到您的按键。再见。"]
    assert [progress for progress, _, _ in ours.told()][-2:] == ["played", "ended"]


async def test_a_wrong_key_is_asked_for_again_and_is_no_news(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["7", "2"]))
    assert [key for progress, key, _ in ours.told() if progress == "key"] == ["2"]
    assert "按键无效。" + SCRIPT.prompt in ours.fake.calls["CA" + f"{1:032x}"].spoken


async def test_key_three_speaks_the_message_again(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["3", "1"]))
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken.count(MESSAGE) == 2
    assert [key for progress, key, _ in ours.told() if progress == "key"] == ["3", "1"]


async def test_the_message_is_spoken_three_times_at_the_most(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(keys=["3"] * 20))
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken.count(MESSAGE) == 3


@pytest.mark.parametrize(
    ("handset", "outcome"),
    [
        (Handset(answers="busy"), "busy"),
        (Handset(answers="busy", sip_code="603"), "rejected"),
        (Handset(answers="no-answer"), "no_answer"),
        (Handset(answers="failed", sip_code="404"), "wrong_number"),
        (Handset(answers="failed", sip_code="502"), "out_of_service"),
        (Handset(answers="failed", error_code="13227"), "barred"),
        (Handset(answers="failed"), "vendor_failed"),
    ],
)
async def test_a_call_that_nobody_answers_ends_with_the_network_s_word(
    ours: House, carrier: TwilioCarrier, handset: Handset, outcome: str
):
    await call(ours, carrier, handset)
    assert ended(ours)[0] == outcome


async def test_a_voicemail_hears_nothing_and_is_told_as_voicemail(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(answers="machine"))
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken == []
    assert [outcome for _, _, outcome in ours.told()][-2:] == ["voicemail", "voicemail"]


async def test_an_attempt_stopped_meanwhile_says_that_it_was_cancelled(ours: House, carrier: TwilioCarrier):
    ours.scripts[ours.dial().attempt_id] = None
    await call(ours, carrier, Handset(keys=["1"]))
    assert ours.fake.calls["CA" + f"{1:032x}"].spoken == ["此次呼叫已经取消。再见。"]
    assert not [news for news in ours.heard if news.progress in ("played", "key")]


async def test_doubled_callbacks_carry_the_same_seq(ours: House, carrier: TwilioCarrier):
    ours.fake.callbacks = "twice"
    await call(ours, carrier, Handset(keys=["1"]))
    assert ours.in_order() == ["answered", "answered", "played", "key", "ended"]


async def test_callbacks_in_the_wrong_order_are_put_right_by_seq(ours: House, carrier: TwilioCarrier):
    ours.fake.callbacks = "reversed"
    await call(ours, carrier, Handset(keys=["1"]))
    assert ours.in_order() == ["answered", "answered", "played", "key", "ended"]
    assert [progress for progress, _, _ in ours.told()][-1] == "answered"


async def test_the_key_is_heard_even_when_every_status_callback_is_lost(ours: House, carrier: TwilioCarrier):
    ours.fake.callbacks = "dropped"
    await call(ours, carrier, Handset(keys=["1"]))
    assert [progress for progress, _, _ in ours.told()] == ["answered", "played", "key"]


async def test_news_that_could_not_be_kept_are_sent_again(ours: House, carrier: TwilioCarrier):
    ours.away = 2
    await call(ours, carrier, Handset(keys=["1"]))
    assert [status for _, status in ours.fake.webhooks][:3] == [503, 503, 204]
    assert ours.in_order() == ["answered", "answered", "played", "key", "ended"]


async def test_a_call_can_be_hung_up_before_it_is_answered(ours: House, carrier: TwilioCarrier):
    placed = await carrier.place(ours.dial())
    await carrier.hang_up(placed.vendor_id)
    ours.fake.play()
    assert ours.told() == [("ended", "", "stopped")]


async def test_hanging_up_a_call_that_is_over_changes_nothing(ours: House, carrier: TwilioCarrier):
    placed = await carrier.place(ours.dial())
    ours.fake.play()
    await carrier.hang_up(placed.vendor_id)
    assert ours.fake.calls[placed.vendor_id].status == "completed"


async def test_the_seconds_that_were_heard_are_told_with_the_end(ours: House, carrier: TwilioCarrier):
    await call(ours, carrier, Handset(hangs_up_at_s=4))
    assert ended(ours) == ("", "", 4.0)
