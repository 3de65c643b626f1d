"""How entries are hashed. Pure; the auditor and the verifier use the same few lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from json.encoder import encode_basestring
from typing import Any

from pydantic_core import to_jsonable_python

from streams.ledger.contract import Draft, Entry

GENESIS = "0" * 64
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_quoted = encode_basestring
_SAID = tuple(Draft.model_fields)


class Break(StrEnum):
    """What can be wrong with an entry in its chain."""

    MISSING = "missing"
    UNLINKED = "unlinked"
    CHANGED = "changed"


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text for one content."""
    return _CANONICAL.encode(value)


def hash_of(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """An entry, and what was made of it to hash it: nobody has to make it again to store it or to tell of it.

    Args:
        entry: The entry.
        said: All of it as JSON can hold it.
        facts: The canonical JSON of its facts.
    """

    entry: Entry
    said: dict[str, Any]
    facts: str


def link(draft: Draft, n: int, previous: str) -> Link:
    """Give a draft its number and its hash over everything it says and the hash before it.

    What is hashed is the canonical JSON of `[draft, n, previous]`, put together here of its parts.
    """
    plain: dict[str, Any] = to_jsonable_python(draft.facts, inf_nan_mode="null")
    at: str = to_jsonable_python(draft.at)
    facts = canonical(plain)
    text = (
        f'[{{"at":{_quoted(at)},"by":{_quoted(draft.by)},"facts":{facts},"subject":{_quoted(draft.subject)},'
        f'"what":{_quoted(draft.what)},"why":{_quoted(draft.why)}}},{n},{_quoted(previous)}]'
    )
    numbered = {"n": n, "previous": previous, "hash": hashlib.sha256(text.encode()).hexdigest()}
    # Validated data only: building it again through the validator would double the cost of every step.
    entry = Entry.trusted({name: getattr(draft, name) for name in _SAID} | numbered)
    return Link(entry, {**entry.__dict__, "at": at, "facts": plain}, facts)


def seal_entry(draft: Draft, n: int, previous: str) -> Entry:
    """Give a draft its number and its hash over everything it says and the hash before it."""
    return link(draft, n, previous).entry


def check_entry(entry: Entry, n: int, previous: str) -> Break | None:
    """Return what is wrong with an entry that should follow `previous` as number `n`, or None."""
    if entry.n != n:
        return Break.MISSING
    if entry.previous != previous:
        return Break.UNLINKED
    if seal_entry(entry, n, previous).hash != entry.hash:
        return Break.CHANGED
    return None
