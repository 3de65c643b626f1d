"""How long what is said takes: seconds of speech, and parts of an SMS. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from config.faults import Language

CHARS_PER_S: Mapping[Language, float] = {"zh": 4.3, "en": 14.0}
"""How fast it is read out: a full Chinese message of 80 characters takes some 19 s (勉县 2024: 20 s, heard whole)."""

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_DOUBLE = frozenset("^{}\\[~]|€")
"""Characters that take the room of two (3GPP TS 23.038)."""


def speech_s(words: str, language: Language) -> float:
    """Return about how many seconds it takes to say something."""
    return len(words) / CHARS_PER_S[language]


def voice_chars_max(chinese_chars_max: int, language: Language) -> int:
    """Return how many characters a call may have in a language, so that it takes no longer than in Chinese."""
    return int(chinese_chars_max * CHARS_PER_S[language] / CHARS_PER_S["zh"])


def sms_parts(text: str) -> int:
    """Return in how many parts an SMS is sent and paid for.

    A text of the GSM alphabet alone has 160 characters in one part, or 153 in each of several; any other, as every
    Chinese one, 70 or 67 (UCS-2, 3GPP TS 23.040).
    """
    if all(each in _GSM_7 or each in _GSM_7_DOUBLE for each in text):
        size = len(text) + sum(each in _GSM_7_DOUBLE for each in text)
        single, several = 160, 153
    else:
        size = len(text.encode("utf-16-be")) // 2
        single, several = 70, 67
    return 1 if size <= single else -(-size // several)
