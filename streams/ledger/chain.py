"""How entries are hashed. Pure; the auditor and the verifier use the same few lines."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any

from streams.ledger.contract import Draft, Entry

GENESIS = "0" * 64


class Break(StrEnum):
    """What can be wrong with an entry in its chain."""

    MISSING = "missing"
    UNLINKED = "unlinked"
    CHANGED = "changed"


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text for one content."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_of(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def seal_entry(draft: Draft, n: int, previous: str) -> Entry:
    """Give a draft its number and its hash over everything it says and the hash before it."""
    content = draft.model_dump(mode="json", include=set(Draft.model_fields))
    # Validated data only: building it again through the validator would double the cost of every step.
    return Entry.model_construct(
        **{name: getattr(draft, name) for name in Draft.model_fields},
        n=n,
        previous=previous,
        hash=hash_of([content, n, previous]),
    )


def check_entry(entry: Entry, n: int, previous: str) -> Break | None:
    """Return what is wrong with an entry that should follow `previous` as number `n`, or None."""
    if entry.n != n:
        return Break.MISSING
    if entry.previous != previous:
        return Break.UNLINKED
    if seal_entry(entry, n, previous).hash != entry.hash:
        return Break.CHANGED
    return None
