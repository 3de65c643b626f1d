"""What goes into the vendor's templates, and how long it takes to say. Pure.

The vendor's templates take no brackets, colons or slashes, and its variables are short. Nothing is left out silently
but what does not fit into the text's variables, and that ends with an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.dial.carriers.protocol import Script
from agents.dial.carriers.twiml import with_exercise

VOICE_CHARS_MAX = 250
"""All variables of a call together (SingleCallByTts, TtsParam)."""
_BRACKETED = re.compile(r"【([^】]*)】")
_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})")
_FORBIDDEN = re.compile(r"[#/:：%¥￥$\[\]【】{}<>]")
_EMPTY = "。"


def plain(words: str) -> str:
    """Return words without the signs that templates refuse: 【演练】 becomes 演练，, 21:59 becomes 21点59分."""
    opened = _BRACKETED.sub(r"\1，", words)
    return _FORBIDDEN.sub("，", _CLOCK.sub(r"\1点\2分", opened)).strip()


def spoken(script: Script) -> str:
    """Return what stands for `${message}` in a call."""
    return plain(with_exercise(script.voice, script)).rstrip("。，")[:VOICE_CHARS_MAX]


def needed_s(script: Script, chars_per_s: float) -> float:
    """Return the seconds from the answer that a call must have lasted for its message to be heard whole.

    What the template says before the message is not counted in: a speed set rather too slow makes up for it.
    """
    return len(spoken(script)) / chars_per_s


def recorded_words(words: str) -> str:
    """Return what stands for `${recorded}`: what was recorded, without 已记录 and 再见, which the template says."""
    return words.removeprefix("已记录：").removesuffix("再见。").rstrip("。")


def spread(text: str, names: Sequence[str], chars: int) -> dict[str, str]:
    """Spread a text over a template's variables, each at most `chars` long and none empty.

    Args:
        text: As it would be written in one piece.
        names: The variables in the order in which the template shows them.
        chars: The most that one may hold.
    """
    words = plain(text)
    room = len(names) * chars
    if len(words) > room:
        words = words[: room - 1] + "…"
    pieces = {name: words[place * chars : (place + 1) * chars] for place, name in enumerate(names)}
    return {name: piece or _EMPTY for name, piece in pieces.items()}
