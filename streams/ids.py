"""The recipe of every id: content, never chance, and always the realm first.

An id is `realm|kind|digest`. The same content gives the same id on every worker and in every replay, and a drill
can never stand in for the real thing because the realm is part of what is compared.
"""

from __future__ import annotations

import hashlib
import re

REAL = "real"
_REALM = re.compile(r"^(real|(drill|check):[A-Za-z0-9_.-]{1,40})$")


def digest(*parts: str, length: int = 20) -> str:
    """Return the first `length` hex digits of the SHA-256 over the parts, each kept apart from the next."""
    joined = "\x1f".join(parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:length]


def make_id(realm: str, kind: str, *parts: str) -> str:
    """Build a content id.

    Args:
        realm: `real`, `drill:<id>` or `check:<id>`.
        kind: One word for what the id names: warning, chain, round, callout, attempt, visit, letter …
        parts: What the thing is made of, in the order the recipe in docs/ids.md gives.

    Raises:
        ValueError: The realm is not one of the three shapes.
    """
    if not _REALM.match(realm):
        raise ValueError(f"realm {realm!r} is neither real, drill:<id> nor check:<id>")
    return f"{realm}|{kind}|{digest(*parts)}"


def realm_of(content_id: str) -> str:
    """Return the realm that an id starts with."""
    return content_id.split("|", 1)[0]
