"""The dictionary ledger: the same verbs as the SQL one, for simulation, replay and tests, in one thread.

An exception in a step takes everything back by an undo log. Nothing here survives the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from operator import attrgetter
from typing import Any, TypeVar

from streams.ledger.appending import audit_letters, chain_drafts
from streams.ledger.columns import saved
from streams.ledger.contract import (
    AHEAD_MAX_S,
    LEASE_AHEAD_MAX_S,
    RESENDS_COUNTED_MAX,
    Covered,
    Draft,
    Edition,
    EditionKind,
    Entry,
    FullStep,
    LedgerError,
    R,
    Seal,
    StaleRowError,
    Table,
    Where,
)
from streams.ledger.shelves import Envelope, LetterShelf, RowShelf, Undo
from streams.letters import SCHEMA_VERSION, Letter

T = TypeVar("T")


class MemoryLedger:
    """A ledger of dictionaries. Not for more than one thread."""

    def __init__(self, tables: Sequence[Table[Any]]) -> None:
        self._store = _Store(tables)
        self._busy = False

    def step(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in one transaction in place; any exception rolls it back and is raised on."""
        if self._busy:
            raise LedgerError("a step was begun inside a step; do all of it in the outer one")
        self._busy = True
        try:
            return work(MemoryStep(self._store))
        except BaseException:
            self._store.roll_back()
            raise
        finally:
            self._store.undo.clear()
            self._busy = False

    async def run(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in place: with one thread no row can go stale between tries."""
        return self.step(work)

    async def look(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in place."""
        return self.step(work)

    async def database_at(self) -> None:
        """Return None: dictionaries have no clock."""

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered."""
        return self.step(lambda step: step.heads())

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


class _Store:
    """Everything remembered, and how to take back what the running step did."""

    def __init__(self, tables: Sequence[Table[Any]]) -> None:
        self.undo: Undo = []
        self.rows: dict[str, RowShelf[Any]] = {table.name: RowShelf(table, self.undo) for table in tables}
        self.letters = LetterShelf(self.undo)
        self.chains: dict[str, list[Entry]] = {}
        self.seals: list[Seal] = []
        self.sealed_to: dict[str, int] = {}
        self.raws: dict[str, bytes] = {}
        self.leases: dict[str, tuple[str, datetime]] = {}
        self.editions: list[Edition] = []

    def roll_back(self) -> None:
        while self.undo:
            self.undo.pop()()

    def put(self, shelf: dict[str, Any], key: str, value: Any) -> None:
        """Set a key of a plain shelf undoably."""
        if key in shelf:
            self.undo.append(partial(shelf.__setitem__, key, shelf[key]))
        else:
            self.undo.append(partial(shelf.pop, key))
        shelf[key] = value


class MemoryStep:
    """One transaction of a `MemoryLedger`; the verbs are described in `contract.py`."""

    def __init__(self, store: _Store) -> None:
        self._store = store

    def take(self, letter_ids: Sequence[str], at: datetime) -> list[Letter]:
        """Mark letters handled and return those that were open and due."""
        shelf = self._store.letters
        taken: list[Letter] = []
        for letter_id in letter_ids:
            envelope = shelf.by_id.get(letter_id)
            if envelope is None or envelope.handled_at is not None or envelope.letter.not_before > at:
                continue
            if envelope.letter.schema_version > SCHEMA_VERSION:
                continue
            shelf.put(letter_id, envelope._replace(handled_at=at))
            taken.append(envelope.letter)
        return sorted(taken, key=lambda letter: (letter.at, letter.id))

    def put_back(self, letter: Letter, not_before: datetime) -> None:
        """Open a letter of this step again, as one never published."""
        self._store.letters.put(
            letter.id, Envelope(letter.model_copy(update={"tries": letter.tries + 1, "not_before": not_before}))
        )

    def write(self, letters: Iterable[Letter]) -> None:
        """Write letters that are not known yet."""
        shelf = self._store.letters
        for letter in letters:
            if letter.id not in shelf.by_id:
                shelf.put(letter.id, Envelope(letter))

    def load(self, table: Table[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the rows that exist, by id."""
        rows = self._shelf(table).rows
        return {row_id: rows[row_id] for row_id in ids if row_id in rows}

    def save(self, table: Table[R], rows: Iterable[R]) -> None:
        """Insert or update rows whose version is still the one stored."""
        shelf = self._shelf(table)
        for row in rows:
            stored = shelf.rows.get(row.id)
            if row.version != (0 if stored is None else stored.version):
                raise StaleRowError(f"{table.name} {row.id} was saved by somebody else; run the step again")
            shelf.put(row.id, saved(row))

    def find(
        self, table: Table[R], *where: Where, order: tuple[str, ...] = (), limit: int = 1000, lock: bool = False
    ) -> list[R]:
        """Return rows that meet all conditions, in order; there is nobody else to hold a lock."""
        return self._shelf(table).find(where, order, limit)

    def count(self, table: Table[R], by: tuple[str, ...], *where: Where) -> dict[tuple[Any, ...], int]:
        """Count rows that meet all conditions, grouped by columns."""
        return self._shelf(table).count(by, where)

    def append(self, drafts: Iterable[Draft]) -> list[Entry]:
        """Number, chain and append entries, and write the audit letter."""
        drafts = list(drafts)
        if not drafts:
            return []
        chains = self._store.chains
        heads = {
            draft.subject: (len(chains[draft.subject]), chains[draft.subject][-1].hash)
            for draft in drafts
            if draft.subject in chains
        }
        links = chain_drafts(drafts, heads)
        entries = [linked.entry for linked in links]
        for entry in entries:
            if entry.subject not in chains:
                self._store.put(chains, entry.subject, [])
            self._store.undo.append(chains[entry.subject].pop)
            chains[entry.subject].append(entry)
        self.write(audit_letters(links))
        return entries

    def entries(self, subject: str) -> list[Entry]:
        """Return the entries of a subject in order."""
        return list(self._store.chains.get(subject, ()))

    def keep_raw(self, raw_id: str, content: bytes, *, at: datetime, door: str, media_type: str) -> bool:
        """Keep bytes as they came; return False where the id was known."""
        if raw_id in self._store.raws:
            return False
        self._store.put(self._store.raws, raw_id, content)
        return True

    def raw(self, raw_id: str) -> bytes | None:
        """Return kept bytes."""
        return self._store.raws.get(raw_id)

    def lease(self, name: str, owner: str, wall: datetime, lease_s: float) -> bool:
        """Take or renew a named lease; False while another owner holds it."""
        held = self._store.leases.get(name)
        if held is not None and held[0] != owner and held[1] > wall:
            # A clock that was stepped in the middle of a step wrote such an end: nobody else would have it until then.
            if held[1] > wall + timedelta(seconds=lease_s + LEASE_AHEAD_MAX_S):
                self._store.put(self._store.leases, name, (held[0], wall + timedelta(seconds=lease_s)))
            return False
        self._store.put(self._store.leases, name, (owner, wall + timedelta(seconds=lease_s)))
        return True

    def open_letters(
        self,
        now: datetime,
        wall: datetime,
        *,
        resend_after_s: float,
        limit: int,
        topics: Sequence[str] = (),
        unread: Sequence[str] = (),
    ) -> list[Letter]:
        """Return open letters that are due: those never published first, then those whose pause is over."""
        shelf = self._store.letters
        found = [envelope.letter for envelope in islice(shelf.fresh(now, topics), limit)]
        # A clock that was stepped in the middle of a step wrote a later one: the letter would lie until then.
        believed = wall + timedelta(seconds=AHEAD_MAX_S)
        for envelope in shelf.sent(now, topics) if len(found) < limit else ():
            pause = timedelta(seconds=resend_after_s * 2 ** min(envelope.resends, RESENDS_COUNTED_MAX))
            sent_at = envelope.published_at
            if sent_at is not None and (sent_at + pause <= wall or sent_at > believed):
                found.append(envelope.letter)
                if len(found) == limit:
                    break
        return found

    def mark_published(self, letter_ids: Sequence[str], wall: datetime, *, close: bool = False) -> None:
        """Note when open letters were published; `close` ends them."""
        shelf = self._store.letters
        for letter_id in dict.fromkeys(letter_ids):
            envelope = shelf.by_id.get(letter_id)
            if envelope is None or envelope.handled_at is not None:
                continue
            resends = 0 if envelope.published_at is None else envelope.resends + 1
            shelf.put(letter_id, Envelope(envelope.letter, wall, resends, wall if close else None))

    def letter(self, letter_id: str) -> Letter | None:
        """Return one letter, handled or not; dictionaries keep messages as they were written."""
        envelope = self._store.letters.by_id.get(letter_id)
        return None if envelope is None else envelope.letter

    def count_open_letters(self) -> dict[str, int]:
        """Return how many letters are open, by topic."""
        return self._store.letters.count_open()

    def next_letter_at(self) -> datetime | None:
        """Return the earliest `not_before` of an open letter."""
        return self._store.letters.next_at()

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered."""
        return [(subject, len(entries), entries[-1].hash) for subject, entries in self._chains()]

    def unsealed(self, limit: int) -> list[Covered]:
        """Return entries that no seal covers yet, ordered by (subject, n)."""
        tails = (entries[self._store.sealed_to.get(subject, 0) :] for subject, entries in self._chains())
        return list(map(_covered, islice(chain.from_iterable(tails), limit)))

    def write_seal(self, seal: Seal) -> None:
        """Keep a seal and note how far it covers each subject."""
        if seal.n != len(self._store.seals) + 1:
            raise StaleRowError(f"seal {seal.n} was written by somebody else; seal again")
        self._store.undo.append(self._store.seals.pop)
        self._store.seals.append(seal)
        for span in seal.spans:
            self._store.put(self._store.sealed_to, span.subject, span.last)

    def seals(self, after_n: int = 0, limit: int = 1000) -> list[Seal]:
        """Return seals with a number above `after_n`, in order."""
        return self._store.seals[after_n : after_n + limit]

    def last_seal(self) -> Seal | None:
        """Return the latest seal."""
        return self._store.seals[-1] if self._store.seals else None

    def sealed_by(self, seal_n: int) -> list[Covered]:
        """Return the entries covered by a seal, ordered by (subject, n)."""
        spans = self._store.seals[seal_n - 1].spans if 0 < seal_n <= len(self._store.seals) else ()
        chains = self._store.chains
        return [_covered(entry) for span in spans for entry in chains[span.subject][span.first - 1 : span.last]]

    def page(self, after: Entry | None, limit: int, *, by_time: bool = False) -> list[Entry]:
        """Return the entries that follow `after`; each page sorts everything, so ask for large ones."""
        entries: Iterable[Entry] = chain.from_iterable(entries for _, entries in self._chains())
        place = attrgetter("at", "subject", "n") if by_time else attrgetter("subject", "n")
        if by_time:
            entries = sorted(entries, key=place)
        return list(islice((entry for entry in entries if after is None or place(entry) > place(after)), limit))

    def editions(self, kind: EditionKind) -> list[Edition]:
        """Return the editions of a kind, oldest first."""
        return [edition for edition in self._store.editions if edition.kind == kind]

    def publish_edition(self, edition: Edition) -> None:
        """Put an edition into force; one process alone is never outdated."""
        if edition.n != len(self.editions(edition.kind)) + 1:
            raise StaleRowError(f"edition {edition.n} of {edition.kind} is in force already; run the step again")
        self._store.undo.append(self._store.editions.pop)
        self._store.editions.append(edition)

    def _chains(self) -> list[tuple[str, list[Entry]]]:
        return sorted(self._store.chains.items())

    def _shelf(self, table: Table[R]) -> RowShelf[R]:
        try:
            return self._store.rows[table.name]
        except KeyError:
            raise LedgerError(f"the ledger was not opened with table {table.name}; add it where it is wired") from None


def _covered(entry: Entry) -> Covered:
    return Covered(entry.subject, entry.n, entry.hash)
