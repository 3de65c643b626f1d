"""What happens to drafts when they are appended, the same in every ledger: numbers, hashes and the audit letter.

Pure. Storing the result is the business of the ledger that called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import UTC, timedelta

from streams.ledger.chain import GENESIS, Link, link
from streams.ledger.contract import Draft
from streams.letters import AuditWritten, Letter, write_letter
from streams.topics import AUDIT

_NO_OFFSET = timedelta(0)

Head = tuple[int, str]
"""The number and the hash of the last entry of a subject."""

ENTRIES_MAX = 200
"""How many entries one letter tells of."""


def chain_drafts(drafts: Iterable[Draft], heads: MutableMapping[str, Head]) -> list[Link]:
    """Number and chain drafts in the order given.

    Args:
        drafts: Drafts of any subjects.
        heads: The last entry of each subject that has one; moved on to the new last entries.
    """
    links: list[Link] = []
    for draft in drafts:
        n, previous = heads.get(draft.subject, (0, GENESIS))
        if draft.at.utcoffset() != _NO_OFFSET:
            # Stored in UTC, so hashed in UTC: read back, the entry must say the very same.
            draft = draft.model_copy(update={"at": draft.at.astimezone(UTC)})
        linked = link(draft, n + 1, previous)
        heads[draft.subject] = (linked.entry.n, linked.entry.hash)
        links.append(linked)
    return links


def audit_letters(links: Sequence[Link]) -> Iterator[Letter]:
    """Yield the letters that tell the `audit` topic about the entries of one call of `append`.

    A step may append thousands of entries, and a broker takes messages up to about a mebibyte only. The key of each
    letter is the subject of its first entry and its cause the hash of its last: the same entries, the same letters.
    """
    for start in range(0, len(links), ENTRIES_MAX):
        page = links[start : start + ENTRIES_MAX]
        first, last = page[0].entry, page[-1].entry
        message = AuditWritten.trusted({"kind": "audit_written", "entries": tuple(one.said for one in page)})
        yield write_letter(AUDIT, first.subject, message, last.at, cause=last.hash)
