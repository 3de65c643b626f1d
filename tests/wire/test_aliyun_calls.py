"""Calls and texts through Aliyun, over HTTP against the fake: what is placed, what is heard of it."""

from __future__ import annotations

import json

import pytest

from agents.dial.carriers.aliyun.carrier import AliyunCarrier
from agents.dial.carriers.aliyun.verdicts import ENDINGS
from agents.dial.carriers.protocol import Script
from agents.dial.hear import KEYS
from streams.words import Channel
from tests.wire.aliyun_house import LOCAL, House
from tests.wire.fake_mainland import CHARS_PER_S, Handset
from tests.wire.twilio_house import MESSAGE, SCRIPT

pytestmark = pytest.mark.anyio
WHOLE_S = len(MESSAGE) / 4.0


@pytest.fixture
async def carrier(mainland: House):
    made = mainland.carrier()
    yield made
    await made.close()


async def call(mainland: House, carrier: AliyunCarrier, handset: Handset) -> None:
    await carrier.place(mainland.dial())
    mainland.play(handset)


async def test_a_call_asks_for_the_key_with_an_approved_template(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial())
    (placed,) = mainland.fake.calls.values()
    assert (placed.asked["CalledNumber"], placed.asked["StartCode"]) == (LOCAL, "TTS_1001")
    assert json.loads(placed.asked["StartTtsParams"]) == {"message": MESSAGE.rstrip("。")}
    assert [(each["Key"], each["Code"]) for each in placed.asked["MenuKeyMap"]] == [
        ("1", "TTS_1002"),
        ("2", "TTS_1002"),
        ("0", "TTS_1002"),
    ]


async def test_without_a_template_for_it_nothing_is_read_back(mainland: House):
    carrier = mainland.carrier(reply_template="")
    await carrier.place(mainland.dial())
    await carrier.close()
    (placed,) = mainland.fake.calls.values()
    assert placed.asked["MenuKeyMap"] == [{"Key": "1"}, {"Key": "2"}, {"Key": "0"}]


async def test_a_call_that_asks_for_no_key_is_a_notice(mainland: House, carrier: AliyunCarrier):
    script = Script(voice="预警已解除。", text="", prompt="")
    await carrier.place(mainland.dial(script=script))
    assert mainland.fake.requests == ["SingleCallByTts"]
    mainland.play()
    assert mainland.progress() == ["answered", "played", "ended"]


@pytest.mark.parametrize("key", sorted(KEYS))
async def test_a_key_pressed_after_the_whole_message_counts(mainland: House, carrier: AliyunCarrier, key: str):
    await call(mainland, carrier, Handset(key=key))
    assert mainland.progress() == ["answered", "played", "key", "ended"]
    assert {told for _, told, _ in mainland.told() if told} == {key}


async def test_a_key_pressed_after_the_message_counts_at_once_and_not_only_at_the_end(
    mainland: House, carrier: AliyunCarrier
):
    await call(mainland, carrier, Handset(key="1"))
    assert [progress for progress, _, _ in mainland.told()][:3] == ["answered", "played", "key"]


async def test_a_key_that_cuts_the_message_short_is_told_but_the_message_was_not_played(
    mainland: House, carrier: AliyunCarrier
):
    await call(mainland, carrier, Handset(key="1", key_at_s=2))
    assert mainland.progress() == ["answered", "key", "ended"]


async def test_a_key_just_before_the_end_does_not_count_though_the_call_lasted_long_enough(
    mainland: House, carrier: AliyunCarrier
):
    await call(mainland, carrier, Handset(key="1", key_at_s=int(WHOLE_S) - 1))
    (placed,) = mainland.fake.calls.values()
    assert placed.talk_s > WHOLE_S
    assert "played" not in mainland.progress()


@pytest.mark.parametrize(("lasted_s", "counts"), [(WHOLE_S + 1, False), (WHOLE_S + 12, True)])
@pytest.mark.parametrize("pushed", [1, 2])
async def test_a_key_whose_time_is_not_told_counts_only_if_all_was_read_back_after_the_whole_message(
    mainland: House, carrier: AliyunCarrier, lasted_s: float, counts: bool, pushed: int
):
    placed = await carrier.place(mainland.dial())
    receipt = {
        "out_id": mainland.fake.calls[placed.vendor_id].asked["OutId"],
        "status_code": "200000",
        "dtmf": "1",
        "start_time": "2026-07-19 22:00:05",
        "duration": str(int(lasted_s)),
    }
    mainland.clock.advance(600)
    for _ in range(pushed):
        mainland.fake.push("voice-report", [receipt])
    assert ("played" in mainland.progress()) is counts


async def test_hearing_it_whole_without_a_key_is_told_as_played(mainland: House, carrier: AliyunCarrier):
    await call(mainland, carrier, Handset())
    assert mainland.progress() == ["answered", "played", "ended"]


async def test_hanging_up_during_the_message_is_never_told_as_played(mainland: House, carrier: AliyunCarrier):
    await call(mainland, carrier, Handset(hangs_up_at_s=4))
    assert mainland.progress() == ["answered", "ended"]
    assert mainland.heard[-1].heard_s == 4.0


async def test_the_vendor_s_word_that_it_was_heard_does_not_stand_against_impossible_seconds(
    mainland: House, carrier: AliyunCarrier
):
    placed = await carrier.place(mainland.dial())
    out_id = mainland.fake.calls[placed.vendor_id].asked["OutId"]
    mainland.fake.push("voice-report", [{"out_id": out_id, "status_code": "200000", "duration": "2"}])
    assert mainland.progress() == ["answered", "ended"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(code, ending.outcome) for code, ending in ENDINGS.items() if ending.outcome is not None],
)
async def test_every_code_of_a_call_that_nobody_answered_has_its_outcome(
    mainland: House, carrier: AliyunCarrier, status: str, outcome: str
):
    await call(mainland, carrier, Handset(status=status))
    assert mainland.told() == [("ended", "", outcome)]
    assert mainland.heard[-1].vendor_code == status


async def test_an_announcement_that_was_recognised_tells_more_than_no_answer(mainland: House, carrier: AliyunCarrier):
    await call(mainland, carrier, Handset(status="200003", early_media="200011"))
    assert mainland.told() == [("ended", "", "out_of_service")]


async def test_a_code_nobody_knows_ends_the_call_and_is_passed_on(mainland: House, carrier: AliyunCarrier):
    await call(mainland, carrier, Handset(status="200999"))
    assert (mainland.told(), mainland.heard[-1].vendor_code) == ([("ended", "", "")], "200999")


async def test_doubled_receipts_carry_the_same_seq(mainland: House, carrier: AliyunCarrier):
    mainland.fake.pushes = "twice"
    await call(mainland, carrier, Handset(key="1"))
    assert mainland.progress() == ["answered", "played", "key", "ended"]


async def test_receipts_that_come_together_are_put_in_order(mainland: House, carrier: AliyunCarrier):
    mainland.fake.pushes = "together"
    await call(mainland, carrier, Handset(key="1"))
    assert [progress for progress, _, _ in mainland.told()][:3] == ["answered", "played", "key"]


async def test_receipts_that_could_not_be_kept_are_pushed_again(mainland: House, carrier: AliyunCarrier):
    mainland.away = 1
    await call(mainland, carrier, Handset(key="1"))
    assert mainland.fake.pushed[:2] == [("voice-call-report", 503), ("voice-call-report", 200)]
    assert mainland.progress() == ["answered", "played", "key", "ended"]


async def test_hanging_up_asks_nothing_of_a_vendor_that_cannot(mainland: House, carrier: AliyunCarrier):
    placed = await carrier.place(mainland.dial())
    await carrier.hang_up(placed.vendor_id)
    assert mainland.fake.requests == ["IvrCall"]


async def test_a_drill_says_so_without_the_brackets_that_templates_refuse(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(script=SCRIPT.model_copy(update={"exercise": True})))
    (placed,) = mainland.fake.calls.values()
    assert json.loads(placed.asked["StartTtsParams"])["message"].startswith("演练，")


async def test_a_text_is_spread_over_the_variables_of_its_template(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(channel=Channel.TEXT))
    (placed,) = mainland.fake.texts.values()
    values = json.loads(placed.asked["TemplateParam"])
    assert list(values) == ["text1", "text2", "text3"]
    assert "".join(values.values()).rstrip("。") == SCRIPT.text.rstrip("。")


async def test_a_text_that_is_too_long_ends_with_an_ellipsis(mainland: House, carrier: AliyunCarrier):
    long = SCRIPT.model_copy(update={"text": "水" * 200})
    await carrier.place(mainland.dial(channel=Channel.TEXT, script=long))
    (placed,) = mainland.fake.texts.values()
    assert "".join(json.loads(placed.asked["TemplateParam"]).values()) == "水" * 104 + "…"


async def test_the_delivery_of_a_text_is_heard(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(channel=Channel.TEXT))
    mainland.play()
    assert mainland.told() == [("delivered", "", "text_delivered")]


async def test_a_text_that_failed_says_why_by_the_network_s_code(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial(channel=Channel.TEXT))
    mainland.play(Handset(text_error="MK:0001"))
    assert (mainland.told(), mainland.heard[-1].vendor_code) == ([("failed", "", "text_failed")], "MK:0001")


def test_the_fake_reads_faster_than_the_house_assumes():
    assert CHARS_PER_S > 4.0


async def hear_again(mainland: House, handset: Handset, **settings: object) -> list[dict[str, str]]:
    """Call somebody through an account with a template for key 3; return the menu that the vendor was given."""
    carrier = mainland.carrier(repeat_template="TTS_1004", **settings)
    await carrier.place(mainland.dial())
    mainland.play(handset)
    await carrier.close()
    (call,) = mainland.fake.calls.values()
    menu: list[dict[str, str]] = call.asked["MenuKeyMap"]
    return menu


async def test_key_three_says_the_message_once_more_where_there_is_a_template_for_it(mainland: House):
    menu = await hear_again(mainland, Handset(key="3"))
    assert [each["Key"] for each in menu] == ["1", "2", "0", "3"]
    assert json.loads(menu[-1]["TtsParams"]) == {"message": MESSAGE.rstrip("。")}


async def test_who_heard_it_again_to_the_end_has_heard_it_and_confirmed_nothing(mainland: House):
    await hear_again(mainland, Handset(key="3"))
    assert mainland.progress() == ["answered", "played", "key", "ended"]
    assert {news.key for news in mainland.heard if news.progress == "key"} == {"3"}


async def test_who_asked_for_it_again_at_once_and_hung_up_has_not_heard_it(mainland: House):
    await hear_again(mainland, Handset(key="3", key_at_s=1, hangs_up_at_s=4))
    assert "played" not in mainland.progress()


async def test_without_a_template_for_it_key_three_is_not_listened_to(mainland: House, carrier: AliyunCarrier):
    await carrier.place(mainland.dial())
    mainland.play(Handset(key="3"))
    (call,) = mainland.fake.calls.values()
    assert [each["Key"] for each in call.asked["MenuKeyMap"]] == ["1", "2", "0"]
    assert mainland.progress() == ["answered", "played", "ended"]


async def test_a_message_may_be_said_twice_by_itself_and_a_key_still_counts(mainland: House):
    carrier = mainland.carrier(play_times=2)
    await carrier.place(mainland.dial())
    mainland.play(Handset(key="1", key_at_s=40))
    await carrier.close()
    (call,) = mainland.fake.calls.values()
    assert call.asked["PlayTimes"] == "2"
    assert mainland.progress() == ["answered", "played", "key", "ended"]
