"""What the ledger keeps of a roster: changes asked for and made, versions published and what they said, the pulse.

Rows only, and how they are read; what writes them is `agents/duty/record.py`. A change and a version are never edited,
only followed; all that is ever added to a change is that it ended before its time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from rosters.changes import Change, ChangeKind
from rosters.versions import Snapshot
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


class SnapshotRow(Row):
    """What a version was seen to say from `starts_at` until before `ends_at`; `id` is also that of the kept bytes.

    A version whose shifts follow a pattern has several: each tells more weeks than the one before.
    """

    version_id: str
    starts_at: datetime
    ends_at: datetime


class AskState(StrEnum):
    """Where a change that was asked for stands; only AGREED ever came into force."""

    PENDING = "pending"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def chinese(self) -> str:
        """Return its Chinese name."""
        words = {
            "pending": "待同意",
            "agreed": "已同意",
            "refused": "未同意",
            "withdrawn": "已撤回",
            "expired": "已过期",
        }
        return words[self.value]


class AskRow(Row):
    """A change somebody asked for in advance. It counts for nothing until the leader on duty agrees.

    Args:
        kind: Of the change.
        change: As it was asked for, agreed by nobody.
        posts: Ids of the posts it is about.
        state: Where it stands.
        made_at: When it was asked for.
        decided_at: When somebody decided, or time did.
        decided_by: Who decided, by name.
        said: Why it was refused or withdrawn.
        change_id: Of the change that came of it.
        due_at: When it expires: a swap is agreed before its first shift begins, or not at all.
    """

    kind: ChangeKind
    change: Change
    posts: tuple[str, ...]
    state: AskState = AskState.PENDING
    made_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    said: str = ""
    change_id: str = ""
    due_at: datetime | None = None
    errors: int = 0


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
ROSTER_SNAPSHOTS: Table[SnapshotRow] = Table(
    "roster_snapshots", SnapshotRow, ("version_id", "starts_at", "ends_at"), (("version_id", "starts_at"),)
)
ROSTER_ASKS: Table[AskRow] = Table(
    "roster_asks", AskRow, ("kind", "state", "made_at", "due_at"), (("due_at",), ("made_at",))
)
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


def changes_known(step: Step, known_at: datetime) -> tuple[Change, ...]:
    """Return the changes as they were known at a time, in the order in which they were made: no later end counts."""
    rows = step.find(ROSTER_CHANGES, Where("made_at", "<=", known_at), order=("n",), limit=CHANGES_MAX)
    return tuple(
        row.change.model_copy(update={"ended_at": None})
        if row.change.ended_at is not None and row.change.ended_at > known_at
        else row.change
        for row in rows
    )


def version_at(step: Step, at: datetime) -> RosterVersion | None:
    """Return the version that was in force at a time; None before the first was published."""
    rows = step.find(ROSTER_VERSIONS, Where("at", "<=", at), order=("-n",), limit=1)
    return rows[0] if rows else None


def snapshot_at(step: Step, version: RosterVersion, at: datetime, known_at: datetime) -> Snapshot | None:
    """Return what a version said of `at`, as far as it was known at `known_at`; None where it said nothing of it."""
    rows = step.find(
        ROSTER_SNAPSHOTS,
        Where("version_id", "=", version.id),
        Where("starts_at", "<=", min(at, known_at)),
        order=("-starts_at",),
        limit=1,
    )
    raw = step.raw(rows[0].id if rows else version.raw_id)
    snapshot = Snapshot.model_validate_json(raw) if raw else None
    return snapshot if snapshot and snapshot.starts_at <= at < snapshot.ends_at else None


def latest_version(step: Step) -> RosterVersion | None:
    """Return the version published last."""
    rows = step.find(ROSTER_VERSIONS, order=("-n",), limit=1)
    return rows[0] if rows else None
