"""The code that is spoken or sent to a number. Pure.

Made from the installation's secret, so that nobody who reads callouts, pages or entries knows it: the words of a
callout only hold the place where it goes, and it is put in when the attempt is written.
"""

from __future__ import annotations

import hmac

from agents.callout.state import Callout
from rosters.numbers import number_digest

PLACE = "{code}"
DIGITS = 4


def phone_code(callout_id: str, secret: bytes) -> str:
    """Return the four digits that one call or text asks back."""
    return f"{int(number_digest(f'code|{callout_id}', secret), 16) % 10**DIGITS:0{DIGITS}d}"


def is_code(given: str, callout_id: str, secret: bytes) -> bool:
    """Tell whether what came back is the code; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(given.strip().encode(), phone_code(callout_id, secret).encode())


def with_code(callout: Callout, secret: bytes) -> Callout:
    """Return a callout whose words say its code, digit by digit in a call; one that asks for none as it is."""
    if PLACE not in callout.voice and PLACE not in callout.text:
        return callout
    code = phone_code(callout.id, secret)
    # Apart, or a voice would read one number of four digits.
    said = {"voice": callout.voice.replace(PLACE, "、".join(code)), "text": callout.text.replace(PLACE, code)}
    return callout.model_copy(update=said)
