"""How entries are hashed. Pure; the auditor and the verifier use the same few lines."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from streams.ledger.contract import Draft, Entry

GENESIS = "0" * 64


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text for one content."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seal_entry(draft: Draft, n: int, previous: str) -> Entry:
    """Give a draft its number and its hash over everything it says and the hash before it."""
    content = draft.model_dump(mode="json", include=set(Draft.model_fields))
    digest = hashlib.sha256(canonical([content, n, previous]).encode()).hexdigest()
    # Validated data only: building it again through the validator would double the cost of every step.
    return Entry.model_construct(
        **{name: getattr(draft, name) for name in Draft.model_fields}, n=n, previous=previous, hash=digest
    )


def check_entry(entry: Entry, n: int, previous: str) -> str:
    """Return what is wrong with an entry that should follow `previous` as number `n`, or an empty string."""
    if entry.n != n:
        return f"entry {n} is missing (found {entry.n})"
    if entry.previous != previous:
        return f"entry {n} does not follow the one before it"
    if seal_entry(entry, n, previous).hash != entry.hash:
        return f"entry {n} was changed after it was written"
    return ""
