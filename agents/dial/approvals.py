"""Which real numbers may be dialled at all: those that somebody approved by name (`jiaoying live approve`).

Kept as keyed digests. A worker holds them in memory and looks again every few seconds, because the carrier asks in the
middle of a claim.
"""

from __future__ import annotations

from datetime import datetime

from rosters.numbers import number_digest
from streams.ids import make_id
from streams.ledger.contract import Draft, Ledger, Row, Step, Table, Where

NUMBERS_MAX = 500_000


class Approval(Row):
    """A number that may be dialled for real, who approved it and when."""

    number_key: str
    masked: str
    by: str
    at: datetime
    revoked_at: datetime | None = None


APPROVALS: Table[Approval] = Table("approvals", Approval, ("number_key", "revoked_at"), (("revoked_at",),))


class ApprovedNumbers:
    """The approved numbers as this process knows them."""

    def __init__(self, ledger: Ledger, number_key: bytes) -> None:
        self._ledger = ledger
        self._number_key = number_key
        self._known: frozenset[str] = frozenset()

    def __call__(self, number: str) -> bool:
        """Tell whether a number is approved."""
        return number_digest(number, self._number_key) in self._known

    async def look(self) -> int:
        """Read them anew; return 0, for there is never more to do at once."""
        self._known = await self._ledger.run(_read)
        return 0


def approve(step: Step, number: str, masked: str, by: str, at: datetime, number_key: bytes) -> None:
    """Approve a number for real calls and write down who did."""
    key = number_digest(number, number_key)
    approval_id = make_id("real", "approval", key)
    known = step.load(APPROVALS, [approval_id]).get(approval_id)
    fresh = Approval(id=approval_id, version=known.version if known else 0, number_key=key, masked=masked, by=by, at=at)
    step.save(APPROVALS, [fresh])
    step.append(
        [Draft(subject=approval_id, what="number_approved", why="approved", by=by, at=at, facts={"number": masked})]
    )


def _read(step: Step) -> frozenset[str]:
    return frozenset(row.number_key for row in step.find(APPROVALS, Where("revoked_at", "is null"), limit=NUMBERS_MAX))
