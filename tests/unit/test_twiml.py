"""What a telephone is told to do."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from agents.dial.carriers import twiml
from agents.dial.carriers.protocol import Script

SCRIPT = Script(voice="暴雨红色预警<&>", text="全文", prompt="请按键")


def verbs(document: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(document))


def test_the_message_is_spoken_before_anything_else_is_asked_for():
    say, redirect = verbs(twiml.ask(SCRIPT, "https://x/asked?hearing=1#rc=5&rp=all"))
    assert (say.tag, say.text, redirect.tag, redirect.text) == (
        "Say",
        SCRIPT.voice,
        "Redirect",
        "https://x/asked?hearing=1#rc=5&rp=all",
    )


def test_no_key_is_listened_to_while_the_message_is_spoken():
    assert "Gather" not in twiml.ask(SCRIPT, "https://x")


def test_one_key_is_asked_for_and_its_absence_is_told_too():
    [gather] = verbs(twiml.ask_key(SCRIPT, "https://x/key"))
    assert (gather.tag, gather.get("numDigits"), gather.get("actionOnEmptyResult")) == ("Gather", "1", "true")
    assert [say.text for say in gather] == [SCRIPT.prompt]


@pytest.mark.parametrize("key", ["1", "2", "0"])
def test_what_was_recorded_is_said_and_the_call_ends(key: str):
    say, hang_up = verbs(twiml.read_back(key))
    assert (say.text, hang_up.tag) == (twiml.RECORDED[key], "Hangup")


def test_mandarin_is_named_as_the_voice_names_it():
    assert verbs(twiml.goodbye())[0].get("language") == "cmn-CN"
    assert verbs(twiml.goodbye(voice="Google.zh-CN-Standard-A"))[0].get("language") == "zh-CN"


@pytest.mark.parametrize(
    ("voice", "spoken"),
    [
        ("暴雨预警", "【演练】暴雨预警"),
        ("这是演练。暴雨预警", "这是演练。暴雨预警"),
        ("暴雨红色预警，请马上到老演练场集合", "【演练】暴雨红色预警，请马上到老演练场集合"),
    ],
)
def test_a_drill_always_says_that_it_is_one(voice: str, spoken: str):
    drill = Script(voice=voice, text="", prompt="", exercise=True)
    assert verbs(twiml.ask(drill, "https://x"))[0].text == spoken
