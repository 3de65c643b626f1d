"""Which addresses Twilio is told to call back, and how we know that it is Twilio who calls.

No number ever stands in an address: an attempt is named by its content id, as base64url because of its `|` and `:`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from twilio.request_validator import RequestValidator

# Twilio gives up a callback after one try by default and asks again only when it could not connect. Five more tries
# within its limit of 15 s, also after a 5xx, bridge a ledger that is away for a moment. The fragment is addressed to
# Twilio, is never sent and never signed. Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides
TRY_AGAIN = "#rc=5&rp=all"


def token_of(attempt_id: str) -> str:
    """Return an attempt's id as it stands in an address."""
    return base64.urlsafe_b64encode(attempt_id.encode()).decode().rstrip("=")


def attempt_of(token: str) -> str:
    """Return the attempt's id that a token of an address names.

    Raises:
        ValueError: It is no token of ours.
    """
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("the address names no attempt; it was not made by this house") from error


def is_signed(tokens: Sequence[str], url: str, form: Mapping[str, Any], signature: str) -> bool:
    """Return whether one of the account's tokens signed this request.

    Args:
        tokens: Auth tokens; two while one is being replaced by the next.
        url: The address exactly as Twilio was given it, with query and without fragment.
        form: The fields of the body; repeated ones by `getlist`.
        signature: The header X-Twilio-Signature (HMAC-SHA1, twilio.com/docs/usage/security).
    """
    return any(RequestValidator(token).validate(url, form, signature) for token in tokens if token)
