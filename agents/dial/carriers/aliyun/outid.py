"""How an attempt is named at Aliyun: its OutId, which comes back with every receipt. Pure.

A call's OutId holds 15 bytes at the most, an attempt's id is longer. So the OutId carries the digest of the id, and
whoever gets a receipt puts the realm before it again: the digest is made of the callout's id, which starts with the
realm, so no two realms share one.
"""

from __future__ import annotations

import base64
import binascii

from streams.ids import REAL

_DIGEST_BYTES = 10


def out_id_of(attempt_id: str) -> str:
    """Return the OutId of an attempt: 14 characters.

    Raises:
        ValueError: The id does not end in a digest of 20 hex digits.
    """
    digest = bytes.fromhex(attempt_id.rsplit("|", 1)[-1])
    if len(digest) != _DIGEST_BYTES:
        raise ValueError("an attempt's id ends in a digest of 20 hex digits")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def attempt_of(out_id: str, realm: str = REAL) -> str:
    """Return the id that an attempt of this OutId has in a realm.

    Raises:
        ValueError: It is no OutId of ours.
    """
    try:
        digest = base64.b64decode(out_id + "=" * (-len(out_id) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the OutId was not made by this house") from error
    if len(digest) != _DIGEST_BYTES:
        raise ValueError("the OutId was not made by this house")
    return f"{realm}|attempt|{digest.hex()}"


def is_ours(out_id: str) -> bool:
    """Return whether an OutId may have been made by this house; an account may serve others too."""
    try:
        attempt_of(out_id)
    except ValueError:
        return False
    return True
