"""What a telephone is told to do, as TwiML. Pure: a script goes in, XML comes out.

How `played` is proved: the first document says the whole message and then sends Twilio to the next address. A verb
begins when the one before it has ended, and a call that was hung up asks for nothing more; so the request to that next
address itself shows that the message was spoken to the end. Only there is a key asked for; what is pressed while the
message is spoken stands outside every <Gather> and is not listened to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml.voice_response import Gather, VoiceResponse

from agents.dial.carriers.protocol import Script

CHINESE = "zh-CN"
MANDARIN = "Polly.Zhiyu"
VOICES: Mapping[str, str] = {CHINESE: MANDARIN, "en-US": "Polly.Joanna"}
"""A voice of twilio.com/docs/voice/twiml/say for each language that is spoken."""
KEY_WAIT_S = 8
REPEAT_KEY = "3"
MARK_WITHIN_CHARS = 12
"""The words of a drill say so within so many characters, or the mark is put before them."""


@dataclass(frozen=True)
class Phrases:
    """What is said around a message in one language; `recorded` reads back what a key was taken for."""

    recorded: Mapping[str, str]
    no_key: str
    wrong_key: str
    cancelled: str
    nothing: str
    exercise: str
    exercise_mark: str


PHRASES: Mapping[str, Phrases] = {
    CHINESE: Phrases(
        recorded={
            "1": "已记录：本人听到。再见。",
            "2": "已记录：代接，去叫人。请马上叫本人接听。再见。",
            "0": "已记录：不能到岗。再见。",
        },
        no_key="没有收到您的按键。再见。",
        wrong_key="按键无效。",
        cancelled="此次呼叫已经取消。再见。",
        nothing="您好，这里是{county}叫应系统，现在没有给这个号码的叫应。有险情请拨打值班室电话。再见。",
        exercise="演练",
        exercise_mark="【演练】",
    ),
    "en-US": Phrases(
        recorded={
            "1": "Recorded: you have heard it. Goodbye.",
            "2": "Recorded: you fetch the person. Please do so now. Goodbye.",
            "0": "Recorded: you cannot come. Goodbye.",
        },
        no_key="No key was received. Goodbye.",
        wrong_key="That key is not used. ",
        cancelled="This call was cancelled. Goodbye.",
        nothing="Hello. This is the calling system of {county}. There is no call for this number now. "
        "If there is danger, please ring the duty room. Goodbye.",
        exercise="DRILL",
        exercise_mark="[DRILL] ",
    ),
}
RECORDED = PHRASES[CHINESE].recorded
"""The keys that are recorded, and what is read back for each in Chinese."""


def ask(script: Script, played_url: str, *, voice: str = "") -> str:
    """Say the whole message, then go to `played_url`, where the key is asked for. Also how it is repeated.

    Args:
        script: What is said.
        played_url: Requested when, and only when, the message was spoken to the end.
        voice: A voice that speaks the script's language; by default that of `VOICES`.
    """
    response = VoiceResponse()
    _say(response, with_exercise(script.voice, script), script.language, voice)
    response.redirect(played_url, method="POST")
    return str(response)


def ask_key(script: Script, key_url: str, *, wrong: bool = False, voice: str = "") -> str:
    """Ask for one key, and go to `key_url` with it, or without one after `KEY_WAIT_S` seconds."""
    response = VoiceResponse()
    gather = Gather(
        input="dtmf",
        num_digits=1,
        finish_on_key="",
        timeout=KEY_WAIT_S,
        action=key_url,
        method="POST",
        action_on_empty_result=True,
    )
    prompt = phrases(script.language).wrong_key + script.prompt if wrong else script.prompt
    _say(gather, prompt, script.language, voice)
    response.append(gather)
    return str(response)


def read_back(key: str, *, language: str = CHINESE, voice: str = "") -> str:
    """Say what was recorded for key 1, 2 or 0, and hang up.

    Raises:
        KeyError: No such key is recorded.
    """
    return _last_words(phrases(language).recorded[key], language, voice)


def goodbye(*, language: str = CHINESE, voice: str = "") -> str:
    """Say that no key was received, and hang up."""
    return _last_words(phrases(language).no_key, language, voice)


def cancelled(*, language: str = CHINESE, voice: str = "") -> str:
    """Say that this call was cancelled, and hang up."""
    return _last_words(phrases(language).cancelled, language, voice)


def nothing_meant(county: str, *, language: str = CHINESE, voice: str = "") -> str:
    """Say to whoever calls in that there is no message for their number, and hang up."""
    return _last_words(phrases(language).nothing.format(county=county), language, voice)


def hang_up() -> str:
    """Hang up without a word: nobody talks to a machine."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def with_exercise(words: str, script: Script) -> str:
    """Return the words of a drill with 演练 in front where whoever wrote them left it out there."""
    said = phrases(script.language)
    # Only in front does it tell what follows: a place may be called 演练场.
    marked = said.exercise in words[:MARK_WITHIN_CHARS]
    return f"{said.exercise_mark}{words}" if script.exercise and not marked else words


def phrases(language: str) -> Phrases:
    """Return what is said around a message; in Chinese where the language is not known."""
    return PHRASES.get(language, PHRASES[CHINESE])


def _last_words(words: str, language: str, voice: str) -> str:
    response = VoiceResponse()
    _say(response, words, language, voice)
    response.hangup()
    return str(response)


def _say(into: VoiceResponse | Gather, words: str, language: str, voice: str) -> None:
    voice = voice or VOICES.get(language, MANDARIN)
    # Polly calls Mandarin cmn-CN; zh-CN is what the other voices call it.
    spoken = "cmn-CN" if language == CHINESE and voice.startswith("Polly.") else language
    into.say(words, voice=voice, language=spoken)
