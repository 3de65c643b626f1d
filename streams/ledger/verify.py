"""The verifier: recomputes every chain and every seal and says what does not fit, by subject, number and fault.

It reads page by page, each in a step of its own, so that a live ledger goes on working; what looks wrong because it
was written meanwhile is looked at again in one step before it is called a fault. It never repairs anything.
What it cannot see: history cut off together with its heads and the last seals. Seals kept elsewhere show that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import groupby
from operator import attrgetter

from streams.ledger.chain import GENESIS, Break, check_entry
from streams.ledger.contract import Archive, Covered, Entry, FullStep, Ledger, Seal
from streams.ledger.seal import seal_hash


class FaultKind(StrEnum):
    """What can be wrong with a history."""

    MISSING = "missing"
    UNLINKED = "unlinked"
    CHANGED = "changed"
    TAIL_MISSING = "tail_missing"
    HEAD_MISSING = "head_missing"
    HEAD_CHANGED = "head_changed"
    SEALED_MISSING = "sealed_missing"
    SEALED_FOREIGN = "sealed_foreign"
    SEAL_CHANGED = "seal_changed"
    SEAL_MISSING = "seal_missing"


_CHINESE = {
    FaultKind.MISSING: "记录缺失",
    FaultKind.UNLINKED: "与上一条记录不衔接",
    FaultKind.CHANGED: "记录写入后被改动",
    FaultKind.TAIL_MISSING: "末尾的记录被删除",
    FaultKind.HEAD_MISSING: "链头缺失",
    FaultKind.HEAD_CHANGED: "链头与最后一条记录不符",
    FaultKind.SEALED_MISSING: "已封存的记录被删除",
    FaultKind.SEALED_FOREIGN: "记录冒用封存号",
    FaultKind.SEAL_CHANGED: "封存与其记录不符",
    FaultKind.SEAL_MISSING: "封存缺失",
}
_ENGLISH = {
    FaultKind.MISSING: "the entry is missing",
    FaultKind.UNLINKED: "the entry does not follow the one before it",
    FaultKind.CHANGED: "the entry was changed after it was written",
    FaultKind.TAIL_MISSING: "the last entries were removed",
    FaultKind.HEAD_MISSING: "the head of the chain is missing",
    FaultKind.HEAD_CHANGED: "the head of the chain is not its last entry",
    FaultKind.SEALED_MISSING: "a sealed entry was removed",
    FaultKind.SEALED_FOREIGN: "the entry claims a seal that does not cover it",
    FaultKind.SEAL_CHANGED: "the seal does not fit its entries",
    FaultKind.SEAL_MISSING: "the seal is missing",
}
_BREAKS = {
    Break.MISSING: FaultKind.MISSING,
    Break.UNLINKED: FaultKind.UNLINKED,
    Break.CHANGED: FaultKind.CHANGED,
}

SEALS = "seals"
"""The subject named in faults of the seals themselves; `n` is then the number of the seal."""

_LOOKS = 3


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that does not fit: in entry `n` of `subject`, or in seal `n` where the subject is `seals`."""

    subject: str
    n: int
    kind: FaultKind

    @property
    def chinese(self) -> str:
        """Return the fault as a sentence for a duty room."""
        return f"{self.subject} 第 {self.n} 条：{_CHINESE[self.kind]}"

    @property
    def english(self) -> str:
        """Return the fault as an English sentence."""
        return f"{self.subject} number {self.n}: {_ENGLISH[self.kind]}"


@dataclass(frozen=True)
class Verdict:
    """What was looked at and what does not fit; faults ordered by subject and number."""

    subjects: int
    entries: int
    seals: int
    faults: tuple[Fault, ...]


def verify(ledger: Ledger, page: int = 2000) -> Verdict:
    """Check every chain, every head and every seal of a ledger.

    Args:
        ledger: Any ledger.
        page: How many entries one step reads.

    Raises:
        LedgerAwayError: The database is away; nothing is known then.
    """
    heads = {subject: (n, digest) for subject, n, digest in ledger.heads()}
    subjects = entries_read = 0
    suspects: set[str] = set()
    for subject, entries in groupby(_read_entries(ledger, page), key=attrgetter("subject")):
        chain = list(entries)
        subjects += 1
        entries_read += len(chain)
        if _check_chain(subject, chain, heads.pop(subject, None)):
            suspects.add(subject)
    faults = {fault for subject in sorted(suspects | set(heads)) for fault in _look_again(ledger, subject)}
    seals, seal_faults = _check_seals(ledger)
    return Verdict(subjects, entries_read, seals, tuple(sorted(faults | seal_faults)))


def _read_entries(ledger: Ledger, page: int) -> Iterator[Entry]:
    after: Entry | None = None
    while entries := ledger.step(partial(_read_page, after=after, limit=page)):
        yield from entries
        after = entries[-1]


def _read_page(step: Archive, after: Entry | None, limit: int) -> list[Entry]:
    return step.page(after, limit)


def _check_chain(subject: str, chain: Sequence[Entry], head: tuple[int, str] | None) -> set[Fault]:
    faults: set[Fault] = set()
    n, previous = 0, GENESIS
    for entry in chain:
        n += 1
        found = check_entry(entry, n, previous)
        if found is not None:
            faults.add(Fault(subject, n, _BREAKS[found]))
        # Go on from what is there, so that one hole is one fault and not as many as entries follow.
        n, previous = entry.n, entry.hash
    if head is None:
        faults.add(Fault(subject, n, FaultKind.HEAD_MISSING))
    elif head[0] > n:
        faults.add(Fault(subject, n + 1, FaultKind.TAIL_MISSING))
    elif head != (n, previous):
        faults.add(Fault(subject, n, FaultKind.HEAD_CHANGED))
    return faults


def _look_again(ledger: Ledger, subject: str) -> set[Fault]:
    """Return the faults of a subject that every one of a few looks shows: entries may have been appended meanwhile."""
    faults: set[Fault] | None = None
    for _ in range(_LOOKS):
        seen = ledger.step(partial(_check_subject, subject=subject))
        faults = seen if faults is None else faults & seen
        if not faults:
            return set()
    return faults or set()


def _check_subject(step: FullStep, subject: str) -> set[Fault]:
    chain = step.entries(subject)
    head = next(((n, digest) for name, n, digest in step.heads() if name == subject), None)
    return _check_chain(subject, chain, head)


def _check_seals(ledger: Ledger) -> tuple[int, set[Fault]]:
    """Check every seal, each in a step of its own, and return how many there are and what does not fit."""
    faults: set[Fault] = set()
    count, last_n, previous = 0, 0, GENESIS
    while (found := ledger.step(partial(_read_seal, after_n=last_n))) is not None:
        seal, covered = found
        if seal.n != last_n + 1:
            faults.add(Fault(SEALS, last_n + 1, FaultKind.SEAL_MISSING))
        faults |= _check_seal(seal, covered, previous)
        count, last_n, previous = count + 1, seal.n, seal.hash
    if ledger.step(partial(_is_marked_by_none, n=last_n + 1)):
        faults.add(Fault(SEALS, last_n + 1, FaultKind.SEAL_MISSING))
    return count, faults


def _is_marked_by_none(step: Archive, n: int) -> bool:
    """Tell whether entries are marked as covered by a seal that is not there.

    One that was written since the last look is no fault: the marks are read first, and it comes with them.
    """
    return bool(step.sealed_by(n)) and not step.seals(n - 1, 1)


def _read_seal(step: Archive, after_n: int) -> tuple[Seal, list[Covered]] | None:
    seals = step.seals(after_n, 1)
    return (seals[0], step.sealed_by(seals[0].n)) if seals else None


def _check_seal(seal: Seal, covered: Sequence[Covered], previous: str) -> set[Fault]:
    promised = {(span.subject, n) for span in seal.spans for n in range(span.first, span.last + 1)}
    there = {(entry.subject, entry.n) for entry in covered}
    faults = {Fault(subject, n, FaultKind.SEALED_MISSING) for subject, n in promised - there}
    faults |= {Fault(subject, n, FaultKind.SEALED_FOREIGN) for subject, n in there - promised}
    if not faults and (seal.previous != previous or seal_hash(seal.n, seal.at, previous, covered) != seal.hash):
        faults.add(Fault(SEALS, seal.n, FaultKind.SEAL_CHANGED))
    return faults
