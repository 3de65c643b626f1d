"""The sealer: a hash over the seal before and over all entries that no seal covers yet, of whatever subject.

A chain per subject cannot tell that its own tail is gone; the seals can. Entries are picked because they have no seal,
never because their place is after the last one: a step that began earlier may commit later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from streams.ledger.chain import GENESIS, hash_of
from streams.ledger.contract import Archive, Covered, Seal, Span


def seal_hash(n: int, at: datetime, previous: str, entries: Sequence[Covered]) -> str:
    """Return the hash of seal number `n` over the seal before and the (subject, n, hash) of its entries, sorted."""
    return hash_of([n, at.astimezone(UTC).isoformat(timespec="microseconds"), previous, sorted(entries)])


def write_next_seal(step: Archive, at: datetime, limit: int = 5000) -> Seal | None:
    """Seal what has no seal yet, inside a step; return the seal, or None where nothing was left to seal.

    Args:
        step: An open step.
        at: Story time of the step.
        limit: How many entries one seal covers at most; call again until None to seal everything.

    Raises:
        StaleRowError: Another worker sealed at the same time; run the step again.
    """
    entries = step.unsealed(limit)
    if not entries:
        return None
    last = step.last_seal()
    n, previous = (1, GENESIS) if last is None else (last.n + 1, last.hash)
    seal = Seal(n=n, at=at, spans=_spans(entries), previous=previous, hash=seal_hash(n, at, previous, entries))
    step.write_seal(seal)
    return seal


def _spans(entries: Sequence[Covered]) -> tuple[Span, ...]:
    """Return runs of entries without gaps; entries are ordered by (subject, n)."""
    spans: list[Span] = []
    for entry in entries:
        if spans and spans[-1].subject == entry.subject and spans[-1].last == entry.n - 1:
            spans[-1] = spans[-1].model_copy(update={"last": entry.n})
        else:
            spans.append(Span(subject=entry.subject, first=entry.n, last=entry.n))
    return tuple(spans)
