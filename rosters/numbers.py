"""How a number is shown and matched without being told.

Nothing here stores a number. A bare hash of one is never made: eleven digits are guessed in seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re

BY_HAND_SCHEME = "hand:"
NO_NUMBERS = ("sim:", BY_HAND_SCHEME)
"""What stands where a number does and is none: nothing in it is anybody's secret."""

# People write numbers into texts. Between letters or digits it is part of an id.
_IN_WORDS = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?(1[3-9]\d)\d{4}(\d{4})(?![0-9A-Za-z])")
_CHINESE_MOBILE = re.compile(r"^(?:\+?86)?(1\d{2})\d{4}(\d{4})$")


def mask(number: str) -> str:
    """Return a number as screens, logs and the ledger may show it: 138****1234.

    A simulated number is nobody's, and what is called by hand has a name and no number: both are shown whole.
    """
    if number.startswith(NO_NUMBERS):
        return number
    if mobile := _CHINESE_MOBILE.match(number):
        return f"{mobile[1]}****{mobile[2]}"
    if len(number) >= 10:
        return f"{number[:3]}****{number[-4:]}"
    return f"****{number[-2:]}"


def mask_within(words: str) -> str:
    """Return words with every mobile number in them masked."""
    return _IN_WORDS.sub(r"\1****\2", words)


def number_digest(number: str, key: bytes) -> str:
    """Return the keyed digest by which a number is matched: 24 hex digits of HMAC-SHA256.

    Raises:
        ValueError: The key is shorter than 16 bytes.
    """
    if len(key) < 16:
        raise ValueError("the key for number digests is shorter than 16 bytes; set a longer one")
    return hmac.new(key, number.encode(), hashlib.sha256).hexdigest()[:24]
