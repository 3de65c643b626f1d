"""What is said in one call or one message: everything that is open for one number, worst first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from agents.callout.state import Callout
from agents.dial.carriers.protocol import LANGUAGE_TAGS, Dial, Script
from agents.dial.replies import code_of
from agents.dial.state import Attempt
from agents.plan.wording import joint_of, prompt_of, reply_of
from config.rules import RuleBook
from streams.letters import Mode
from streams.words import Channel


def script_of(spoken: Sequence[Callout], channel: Channel, book: RuleBook, *, replies: bool = False) -> Script:
    """Put everything that is open for one number into one call or one message.

    Args:
        spoken: What it is for, of one realm, worst first.
        channel: A call or a message.
        book: The county's rules: which language it speaks, and how it names the keys and codes.
        replies: Whether a message can be answered; then each warning in it that waits for an answer says its code.
    """
    said = list(dict.fromkeys(callout.voice for callout in spoken if callout.voice))
    return Script(
        voice=joint_of(book).join(said) if channel is Channel.VOICE else "",
        text="\n".join(_texts(spoken, book, replies=replies and channel is Channel.TEXT)),
        prompt=prompt_of(book),
        language=LANGUAGE_TAGS[book.knobs.speech_language],
        exercise=spoken[0].realm.startswith("drill:"),
    )


def _texts(spoken: Sequence[Callout], book: RuleBook, *, replies: bool) -> list[str]:
    """Return the different texts, each with the codes of the callouts it stands for."""
    codes: dict[str, list[str]] = defaultdict(list)
    for callout in spoken:
        if callout.text:
            codes[callout.text] += [code_of(callout.id)] if replies and callout.mode is Mode.CALL else []
    return [text + reply_of(book, list(dict.fromkeys(each))) for text, each in codes.items()]


def spoken_by(attempt: Attempt) -> Script:
    """Return what an attempt says, as it was frozen when it was claimed."""
    return Script(
        voice=attempt.voice,
        text=attempt.text,
        prompt=attempt.prompt,
        language=attempt.language,
        exercise=attempt.exercise,
    )


def dial_of(attempt: Attempt, number: str) -> Dial:
    """Return what a carrier is handed for an attempt."""
    return Dial(
        attempt_id=attempt.id,
        channel=attempt.channel,
        number=number,
        script=spoken_by(attempt),
        dial_no=attempt.dial_no,
        at=attempt.dialled_at,
        carrier=attempt.carrier,
    )
