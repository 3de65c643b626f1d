"""What the ledger keeps of a roster: every change of it, every version that was published, and how often it moved.

Rows only, and how they are read; what writes them is `agents/duty/record.py`. A change and a version are never edited,
only followed; all that is ever added to a change is that it ended before its time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rosters.changes import Change, ChangeKind
from streams.ids import REAL, make_id
from streams.ledger.contract import Row, Step, Table, Where

CHANGES_MAX = 100_000
KEPT = timedelta(days=40)
"""So long after its end a change is still applied: who was on duty last month can be asked."""


class ChangeRow(Row):
    """One change, the `n`th of this roster."""

    kind: ChangeKind
    change: Change
    n: int
    starts_at: datetime
    ends_at: datetime
    made_at: datetime


class RosterVersion(Row):
    """One published version.

    Args:
        n: Which one it is, from 1.
        content: `County.version`: names the content of the sheets.
        by: Who published it.
        at: When.
        follows: Id of the version before, or "".
        differences: What is different from the version before, one sentence each.
        despite: Why it was published with gaps, or "" where it had none.
        raw_id: Under which the ledger keeps who holds what when, for comparing.
    """

    n: int
    content: str
    by: str
    at: datetime
    follows: str = ""
    differences: tuple[str, ...] = ()
    despite: str = ""
    raw_id: str = ""


class RosterPulse(Row):
    """One row whose version moves with every change and every publication, so that looking for news costs one read."""

    changes: int = 0
    published: str = ""


ROSTER_CHANGES: Table[ChangeRow] = Table(
    "roster_changes",
    ChangeRow,
    ("kind", "n", "starts_at", "ends_at", "made_at"),
    (("ends_at",), ("made_at",)),
)
ROSTER_VERSIONS: Table[RosterVersion] = Table("roster_versions", RosterVersion, ("n", "content", "at"), (("at",),))
ROSTER_PULSES: Table[RosterPulse] = Table("roster_pulses", RosterPulse, ("changes",))


def pulse_id() -> str:
    """Return the id of the one pulse row."""
    return make_id(REAL, "roster", "pulse")


def pulse_of(step: Step) -> RosterPulse:
    """Return the pulse; one of version 0 where nothing was ever changed or published."""
    return step.load(ROSTER_PULSES, [pulse_id()]).get(pulse_id()) or RosterPulse(id=pulse_id())


def changes_at(step: Step, now: datetime) -> tuple[Change, ...]:
    """Return the changes that count at `now`, in the order in which they were made."""
    rows = step.find(ROSTER_CHANGES, Where("ends_at", ">", now - KEPT), order=("n",), limit=CHANGES_MAX)
    return tuple(row.change for row in rows)


def latest_version(step: Step) -> RosterVersion | None:
    """Return the version published last."""
    rows = step.find(ROSTER_VERSIONS, order=("-n",), limit=1)
    return rows[0] if rows else None
