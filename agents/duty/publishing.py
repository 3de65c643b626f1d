"""Publishes a roster into the ledger, behind the gate of its check, and tells afterwards who was on duty when.

A version is never edited, only followed. What it said is kept without telephone numbers, so that years later it can be
told who was on duty at a time as it had been published then. Nothing here loads a county or looks at a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.duty.decide import DutyReason
from agents.duty.looking import look_again
from rosters.changes import ChangeError, apply
from rosters.county import County
from rosters.findings import Finding, blocking, told
from rosters.holidays import DutyYear
from rosters.ledger import (
    ROSTER_PULSES,
    ROSTER_SNAPSHOTS,
    ROSTER_VERSIONS,
    RosterVersion,
    SnapshotRow,
    changes_at,
    changes_known,
    latest_version,
    pulse_of,
    snapshot_at,
    version_at,
)
from rosters.past import Answer, who_then
from rosters.quality import DAYS_CHECKED, examine
from rosters.versions import Snapshot, differences, snapshot_of
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Step

TOLD_MAX = 20
DIFFERENCES_NOTED = 200
SNAPSHOT_EVERY = timedelta(days=28)


def faults_of(step: Step, county: County, year: DutyYear, now: datetime) -> tuple[Finding, ...]:
    """Return every flaw of a roster in the coming days, with the changes that already lie on top of it.

    Args:
        step: Reads only; better not the transaction that publishes, for a large roster takes seconds.
        county: As it is to be published.
        year: What the county decided about its duty.
        now: Story time.
    """
    changed = apply(county, changes_at(step, now))
    return examine(changed, now, now + timedelta(days=DAYS_CHECKED), year=year)


def publish(
    step: Step, county: County, faults: Sequence[Finding], *, by: str, now: datetime, despite: str = ""
) -> RosterVersion:
    """Publish a roster: a new version that follows the last one; the same content twice is one.

    Args:
        step: The transaction.
        county: As its files say, without changes.
        faults: From `faults_of`. What blocks keeps it from being published, unless somebody says why it has to be.
        by: Who publishes it, by name.
        now: Story time.
        despite: Why it is published although something blocks; it stands in the entry, with the name.

    Raises:
        ChangeError: Nobody is named, or something blocks and nobody said why it has to be.
    """
    before = latest_version(step)
    if before is not None and before.content == county.version:
        return before
    if not by.strip():
        raise ChangeError("by", "请写明由谁发布。", "Say who publishes it.")
    blocked = tuple(told(one, county) for one in blocking(faults))
    if blocked and not despite.strip():
        raise _refused(blocked, [told(one, county, "en") for one in blocking(faults)])
    shown = snapshot_of(county, now, blocked)
    old = step.raw(before.raw_id) if before else None
    version_id = make_id(REAL, "rosterversion", before.id if before else "", county.version)
    row = RosterVersion(
        id=version_id,
        n=before.n + 1 if before else 1,
        content=county.version,
        by=by,
        at=now,
        follows=before.id if before else "",
        differences=differences(Snapshot.model_validate_json(old), shown, county.zone) if old else (),
        despite=despite if blocked else "",
        raw_id=_keep(step, shown, version_id, county.version, now),
    )
    step.save(ROSTER_VERSIONS, [row])
    step.save(ROSTER_PULSES, [pulse_of(step).model_copy(update={"published": county.version})])
    noted = {"n": row.n, "content": row.content, "follows": row.follows, "despite": row.despite, "raw": row.raw_id}
    noted |= {"blocked": list(blocked), "differences": list(row.differences[:DIFFERENCES_NOTED])}
    noted |= {"warned": [told(one, county) for one in faults if one not in blocking(faults)][:TOLD_MAX]}
    step.append(
        [Draft(subject=row.id, what="roster_published", why=DutyReason.ROSTER_PUBLISHED, by=by, at=now, facts=noted)]
    )
    look_again(step, now)
    return row


def keep_telling(step: Step, county: County, now: datetime) -> bool:
    """Keep what the published version says of the coming weeks, where that is more than was kept; return whether so.

    Shifts that follow a pattern reach only so many days ahead; without this nobody could tell next spring who had been
    on duty this winter.
    """
    version = latest_version(step)
    if version is None or version.content != county.version:
        return False
    rows = step.find(ROSTER_SNAPSHOTS, order=("-starts_at",), limit=1)
    last = rows[0] if rows and rows[0].version_id == version.id else None
    if last is not None and now < last.starts_at + SNAPSHOT_EVERY:
        return False
    shown = snapshot_of(county, now)
    if last is not None and shown.ends_at <= last.ends_at:
        return False
    _keep(step, shown, version.id, county.version, now)
    return True


def who_was(step: Step, post: str, at: datetime, known_at: datetime) -> Answer | None:
    """Return who held a post at `at`, as published and changed by `known_at`.

    None where nothing was published yet, or where what was published says nothing of that time.
    """
    version = version_at(step, min(at, known_at))
    snapshot = snapshot_at(step, version, at, known_at) if version else None
    if version is None or snapshot is None:
        return None
    answer = who_then(snapshot, changes_known(step, known_at), post, at)
    return answer.model_copy(update={"version": version.n, "known_at": known_at})


def _keep(step: Step, shown: Snapshot, version_id: str, content: str, now: datetime) -> str:
    raw_id = make_id(REAL, "raw", "roster", content, now.isoformat())
    step.keep_raw(raw_id, shown.model_dump_json().encode(), at=now, door="roster", media_type="application/json")
    row = SnapshotRow(id=raw_id, version_id=version_id, starts_at=shown.starts_at, ends_at=shown.ends_at)
    step.save(ROSTER_SNAPSHOTS, [row])
    return raw_id


def _refused(chinese: Sequence[str], english: Sequence[str]) -> ChangeError:
    def joined(lines: Sequence[str], glue: str, more: str) -> str:
        return glue.join(lines[:TOLD_MAX]) + (more.format(len(lines)) if len(lines) > TOLD_MAX else "")

    return ChangeError(
        "gaps",
        f"不予发布：{joined(chinese, '；', '等{}处')}。补齐后再发布，或由专人写明理由。",
        f"It is not published: {joined(english, '; ', ' and more, {} in all')}. Mend it, or say by name why it is "
        "published despite that.",
    )
