"""What a telephone is told to do, as TwiML. Pure: a script goes in, XML comes out.

How `played` is proved: the first document says the whole message and then sends Twilio to the next address. A verb
begins when the one before it has ended, and a call that was hung up asks for nothing more; so the request to that next
address itself shows that the message was spoken to the end. Only there is a key asked for; what is pressed while the
message is spoken stands outside every <Gather> and is not listened to.
"""

from __future__ import annotations

from twilio.twiml.voice_response import Gather, VoiceResponse

from agents.dial.carriers.protocol import Script

MANDARIN = "Polly.Zhiyu"
KEY_WAIT_S = 8
RECORDED = {
    "1": "已记录：本人听到。再见。",
    "2": "已记录：代接，去叫人。请马上叫本人接听。再见。",
    "0": "已记录：不能到岗。再见。",
}
REPEAT_KEY = "3"
_NO_KEY = "没有收到您的按键。再见。"
_WRONG_KEY = "按键无效。"
_CANCELLED = "此次呼叫已经取消。再见。"
_EXERCISE = "演练"


def ask(script: Script, played_url: str, *, voice: str = MANDARIN) -> str:
    """Say the whole message, then go to `played_url`, where the key is asked for. Also how it is repeated.

    Args:
        script: What is said.
        played_url: Requested when, and only when, the message was spoken to the end.
        voice: A voice of twilio.com/docs/voice/twiml/say that speaks the script's language.
    """
    response = VoiceResponse()
    _say(response, with_exercise(script.voice, script), script.language, voice)
    response.redirect(played_url, method="POST")
    return str(response)


def ask_key(script: Script, key_url: str, *, wrong: bool = False, voice: str = MANDARIN) -> str:
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
    _say(gather, _WRONG_KEY + script.prompt if wrong else script.prompt, script.language, voice)
    response.append(gather)
    return str(response)


def read_back(key: str, *, language: str = "zh-CN", voice: str = MANDARIN) -> str:
    """Say what was recorded for key 1, 2 or 0, and hang up.

    Raises:
        KeyError: No such key is recorded.
    """
    return _last_words(RECORDED[key], language, voice)


def goodbye(*, language: str = "zh-CN", voice: str = MANDARIN) -> str:
    """Say that no key was received, and hang up."""
    return _last_words(_NO_KEY, language, voice)


def cancelled(*, language: str = "zh-CN", voice: str = MANDARIN) -> str:
    """Say that this call was cancelled, and hang up."""
    return _last_words(_CANCELLED, language, voice)


def hang_up() -> str:
    """Hang up without a word: nobody talks to a machine."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def with_exercise(words: str, script: Script) -> str:
    """Return the words of a drill with 演练 in front where whoever wrote them left it out."""
    return f"【{_EXERCISE}】{words}" if script.exercise and _EXERCISE not in words else words


def _last_words(words: str, language: str, voice: str) -> str:
    response = VoiceResponse()
    _say(response, words, language, voice)
    response.hangup()
    return str(response)


def _say(into: VoiceResponse | Gather, words: str, language: str, voice: str) -> None:
    # Polly calls Mandarin cmn-CN; zh-CN is what the other voices call it.
    spoken = "cmn-CN" if language == "zh-CN" and voice.startswith("Polly.") else language
    into.say(words, voice=voice, language=spoken)
