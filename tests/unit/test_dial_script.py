"""What is said to one number, and whether it is asked for an SMS answer."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr

from agents.dial.carriers.protocol import TwoWay
from agents.dial.carriers.simulated import SimulatedCarrier
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from agents.dial.replies import code_of
from agents.dial.script import script_of
from config.load import load_rules
from streams.letters import Mode
from streams.words import Channel
from tests.unit.callout_samples import opened
from tests.unit.dial_samples import Desk, FakeCarrier

BOOK = load_rules()


class TwoWayCarrier(FakeCarrier):
    def takes_replies(self, number: str) -> bool:
        return number.startswith("sim:v2")


def test_a_carrier_whose_texts_cannot_be_answered_asks_for_no_answer():
    desk = Desk()
    desk.want("v201-head", text_at=desk.clock.now(), text="暴雨红色预警。")
    (dial,) = desk.claim(Channel.TEXT)
    assert dial.script.text == "暴雨红色预警。"


def test_a_carrier_whose_texts_can_be_answered_from_a_number_asks_it_for_the_code():
    desk = Desk(TwoWayCarrier())
    callout_id = desk.want("v201-head", text_at=desk.clock.now(), text="暴雨红色预警。")
    desk.want("c-main", text_at=desk.clock.now(), text="暴雨红色预警。")
    texts = {dial.number: dial.script.text for dial in desk.claim(Channel.TEXT)}
    assert texts["sim:v201-head"] == f"暴雨红色预警。回复{code_of(callout_id)}收到。"
    assert texts["sim:c-main"] == "暴雨红色预警。"


@pytest.mark.parametrize(("number", "answered"), [("+8613812345678", False), ("+15005550006", True)])
def test_twilio_texts_are_answered_from_anywhere_but_the_mainland(number: str, answered: bool):
    account = TwilioAccount(
        account_sid="AC" + "0" * 32,
        auth_token=SecretStr("x"),
        from_number="+15005550006",
        public_url="https://duty.example",
    )
    carrier = TwilioCarrier(account, approved=lambda _: True)
    assert isinstance(carrier, TwoWay)
    assert carrier.takes_replies(number) is answered


def test_simulated_phones_can_always_answer():
    assert SimulatedCarrier({}).takes_replies("sim:x")


def test_a_county_that_speaks_english_is_asked_for_keys_and_codes_in_english():
    english = BOOK.model_copy(update={"knobs": BOOK.knobs.model_copy(update={"speech_language": "en"})})
    script = script_of([opened(mode=Mode.CALL)], Channel.TEXT, english, replies=True)
    assert re.search(r"Reply \d{4} received\.", script.text)
    assert script.prompt.startswith("Press 1")
    assert script.language == "en-US"
