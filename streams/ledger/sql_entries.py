"""The verbs of a SQL step about the history: entries, heads, seals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from streams.ledger.appending import Head, audit_letters, chain_drafts
from streams.ledger.chain import Link, canonical
from streams.ledger.contract import Covered, Draft, Entry, Seal, Span, StaleRowError
from streams.ledger.schema import ENTRIES, HEADS, SEALS
from streams.ledger.sql_bulk import BulkInsert, stored_time
from streams.ledger.sql_letters import LetterVerbs
from streams.ledger.sql_rows import chunks

_COVERED = sa.select(ENTRIES.c.subject, ENTRIES.c.n, ENTRIES.c.hash).order_by(ENTRIES.c.subject, ENTRIES.c.n)
_PARTS = sa.select(*(column for column in ENTRIES.c if column.name != "seal"))
_NEW_ENTRIES = BulkInsert(ENTRIES, ("subject", "n", "at", "what", "why", "by", "facts", "previous", "hash"))
_MOVED_HEADS = BulkInsert(
    HEADS, ("subject", "n", "hash"), "ON CONFLICT (subject) DO UPDATE SET n = excluded.n, hash = excluded.hash"
)
_SPANS: TypeAdapter[tuple[Span, ...]] = TypeAdapter(tuple[Span, ...])


class EntryVerbs(LetterVerbs):
    """append, entries; heads, unsealed, write_seal, seals, last_seal, sealed_by, page."""

    def append(self, drafts: Iterable[Draft]) -> list[Entry]:
        """Number, chain and append entries, and write the audit letter."""
        drafts = list(drafts)
        if not drafts:
            return []
        subjects = sorted({draft.subject for draft in drafts})
        heads = self._lock_heads(subjects)
        links = chain_drafts(drafts, heads)
        _NEW_ENTRIES.run(self._connection, [_values(linked) for linked in links])
        _MOVED_HEADS.run(self._connection, [(subject, *heads[subject]) for subject in subjects])
        self.write(audit_letters(links))
        return [linked.entry for linked in links]

    def _lock_heads(self, subjects: Iterable[str]) -> dict[str, Head]:
        heads: dict[str, Head] = {}
        for chunk in chunks(subjects):
            question = sa.select(HEADS.c.subject, HEADS.c.n, HEADS.c.hash).where(HEADS.c.subject.in_(chunk))
            rows = self._connection.execute(question.order_by(HEADS.c.subject).with_for_update())
            heads.update((subject, (n, digest)) for subject, n, digest in rows)
        return heads

    def entries(self, subject: str) -> list[Entry]:
        """Return the entries of a subject in order."""
        return self._read_entries(_PARTS.where(ENTRIES.c.subject == subject).order_by(ENTRIES.c.n))

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered."""
        rows = self._connection.execute(sa.select(HEADS.c.subject, HEADS.c.n, HEADS.c.hash).order_by(HEADS.c.subject))
        return [(subject, n, digest) for subject, n, digest in rows]

    def unsealed(self, limit: int) -> list[Covered]:
        """Return entries that no seal covers yet, ordered by (subject, n)."""
        return self._read_covered(_COVERED.where(ENTRIES.c.seal.is_(None)).limit(limit))

    def write_seal(self, seal: Seal) -> None:
        """Keep a seal and mark the entries of its spans as covered by it."""
        spans = [span.model_dump() for span in seal.spans]
        values = {**seal.model_dump(exclude={"spans"}), "spans": canonical(spans)}
        if self._insert_new(SEALS, [values]) != 1:
            raise StaleRowError(f"seal {seal.n} was written by somebody else; seal again")
        mark = ENTRIES.update().values(seal=seal.n)
        mark = mark.where(ENTRIES.c.subject == sa.bindparam("_subject"))
        mark = mark.where(ENTRIES.c.n.between(sa.bindparam("_first"), sa.bindparam("_last")))
        self._connection.execute(mark, [{f"_{name}": value for name, value in span.items()} for span in spans])

    def seals(self, after_n: int = 0, limit: int = 1000) -> list[Seal]:
        """Return seals with a number above `after_n`, in order."""
        question = sa.select(SEALS).where(SEALS.c.n > after_n).order_by(SEALS.c.n).limit(limit)
        return [_seal(row) for row in self._connection.execute(question)]

    def last_seal(self) -> Seal | None:
        """Return the latest seal."""
        row = self._connection.execute(sa.select(SEALS).order_by(SEALS.c.n.desc()).limit(1)).one_or_none()
        return None if row is None else _seal(row)

    def sealed_by(self, seal_n: int) -> list[Covered]:
        """Return the entries marked as covered by a seal, ordered by (subject, n)."""
        return self._read_covered(_COVERED.where(ENTRIES.c.seal == seal_n))

    def page(self, after: Entry | None, limit: int, *, by_time: bool = False) -> list[Entry]:
        """Return the entries that follow `after`, ordered by (subject, n), or by (at, subject, n) with `by_time`."""
        columns = [ENTRIES.c[name] for name in (("at", "subject", "n") if by_time else ("subject", "n"))]
        question = _PARTS.order_by(*columns).limit(limit)
        if after is not None:
            place = [sa.bindparam(None, getattr(after, column.name), column.type) for column in columns]
            question = question.where(sa.tuple_(*columns) > sa.tuple_(*place))
        return self._read_entries(question)

    def _read_covered(self, question: sa.Select[Any]) -> list[Covered]:
        return [Covered(*row) for row in self._connection.execute(question)]

    def _read_entries(self, question: sa.Select[Any]) -> list[Entry]:
        return [_entry(row) for row in self._connection.execute(question)]


def _values(linked: Link) -> tuple[Any, ...]:
    """Return an entry as `_NEW_ENTRIES` stores it."""
    entry = linked.entry
    at = stored_time(entry.at)
    return (entry.subject, entry.n, at, entry.what, entry.why, entry.by, linked.facts, entry.previous, entry.hash)


def _entry(row: sa.Row[Any]) -> Entry:
    # Whether the content is what was written is for the verifier to say, entry by entry, not for a reader to trip on.
    return Entry.model_construct(**{**row._mapping, "facts": json.loads(row.facts)})


def _seal(row: sa.Row[Any]) -> Seal:
    return Seal(n=row.n, at=row.at, spans=_SPANS.validate_json(row.spans), previous=row.previous, hash=row.hash)
