"""Writes roster changes, signatures and planned spot checks into the ledger, each in one step, with who and why.

Called by the desk, by the command line and by DUTY itself. A change writes no call and stops none: it moves the pulse
that every process looks at, and lets open chains of orange and red look at the shifts again when it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from agents.duty.carrying import carried_over
from agents.duty.checks import planned
from agents.duty.decide import DutyReason, sign
from agents.duty.looking import look_again
from agents.duty.measures import seen
from agents.duty.state import HANDOVERS, SPOT_CHECKS, Equipment, Handover, Note, SpotCheck
from agents.facts import Facts
from rosters.changes import Change, ChangeError, ChangeKind, apply, in_two_places, tell, uncovered
from rosters.county import County
from rosters.ledger import ROSTER_CHANGES, ROSTER_PULSES, ChangeRow, pulse_of
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Step
from streams.rooms import TROUBLES, trouble
from streams.rooms import apply as write


def record_change(
    step: Step, county: County, change: Change, *, by: str, now: datetime, known_at: datetime | None = None
) -> ChangeRow:
    """Write an agreed change down; the same change twice is one.

    Args:
        step: The transaction.
        county: The roster as it is without this change.
        change: From `rosters/arrange.py`.
        by: Whose token or command it was.
        now: Story time.
        known_at: When every process will have taken it in; from then on open chains call the new holder (接班叫应).

    Raises:
        ChangeError: Nobody agreed to it. Only holding over needs nobody's word: who is not relieved may not leave.
    """
    if not change.agreed_by and change.kind is not ChangeKind.HELD_OVER:
        raise ChangeError(
            "agreed_by", "还没有人同意，不能生效。", "Nobody agreed to it yet; it cannot come into force."
        )
    row_id = make_id(REAL, "change", change.key)
    known = step.load(ROSTER_CHANGES, [row_id]).get(row_id)
    if known is not None:
        return known
    pulse = pulse_of(step)
    row = ChangeRow(
        id=row_id,
        kind=change.kind,
        change=change.model_copy(update={"by": by}),
        n=pulse.changes + 1,
        starts_at=min(stretch.starts_at for stretch in change.stretches),
        ends_at=change.ends_at,
        made_at=now,
    )
    step.save(ROSTER_CHANGES, [row])
    step.save(ROSTER_PULSES, [pulse.model_copy(update={"changes": pulse.changes + 1})])
    holes = uncovered(apply(county, [change]), change)
    noted = {
        "kind": change.kind,
        "said": tell(county, change),
        "asked_by": change.asked_by,
        "agreed_by": change.agreed_by,
        "why": change.why,
        "with_token": by,
        "stretches": [stretch.model_dump(mode="json") for stretch in change.stretches],
        "uncovered": [[post, start.isoformat(), end.isoformat()] for post, start, end in holes],
        "in_two_places": [
            [post, start.isoformat(), end.isoformat()] for post, start, end in in_two_places(county, change)
        ],
        "roster": county.version,
    }
    step.append(
        [Draft(subject=row.id, what="roster_changed", why=DutyReason.ROSTER_CHANGED, by=by, at=now, facts=noted)]
    )
    look_again(step, max(row.starts_at, known_at or now))
    return row


def end_change(
    step: Step, row_id: str, *, by: str, now: datetime, why: str, withdrawn_by: str = "", agreed_by: str = ""
) -> None:
    """End a change before its time, from `now` on; of one taken back, with who did and who agreed."""
    row = step.load(ROSTER_CHANGES, [row_id]).get(row_id)
    if row is None or row.ends_at <= now:
        return
    ended = row.change.model_copy(update={"ended_at": now})
    step.save(ROSTER_CHANGES, [row.model_copy(update={"change": ended, "ends_at": ended.ends_at})])
    pulse = pulse_of(step)
    step.save(ROSTER_PULSES, [pulse.model_copy(update={"changes": pulse.changes + 1})])
    noted = {"why": why, "with_token": by, "withdrawn_by": withdrawn_by, "agreed_by": agreed_by}
    step.append([Draft(subject=row_id, what="change_ended", why=DutyReason.ROSTER_CHANGED, by=by, at=now, facts=noted)])
    look_again(step, now)


def record_signature(  # noqa: PLR0913 - whose name, on which side, with whose token, and what to know
    step: Step,
    handover_id: str,
    side: Literal["out", "in"],
    person_id: str,
    *,
    by: str,
    now: datetime,
    facts: Facts,
    notes: str = "",
    equipment: Sequence[Equipment] = (),
) -> Handover:
    """Sign for a handover, with what is carried over as it stands now; who was held over is free when relief signs.

    Raises:
        ChangeError: No such handover, somebody else has to sign, or whoever leaves said nothing of some equipment.
    """
    row = step.load(HANDOVERS, [handover_id]).get(handover_id)
    if row is None:
        raise ChangeError("id", "没有这份交接班记录，请核对编号。", "There is no such handover; check its id.")
    if side == "out":
        row = row.model_copy(update={"equipment": seen(row, equipment, facts.county.people.get(person_id), now, facts)})
    post = facts.county.posts.get(row.post_id)
    carried = carried_over(step, post, now, facts) if post else row.carried
    decision = sign(row, side, person_id, carried, now, facts, by=by)
    signed = decision.state
    if signed is None:
        return row
    if notes:
        note = Note(by=facts.county.people[person_id].name, text=notes, at=now)
        signed = signed.model_copy(update={"notes": (*row.notes, note)})
    write(step, HANDOVERS, [signed], [decision])
    if side == "in":
        late = trouble("handover_late", row.id, "", now).id
        closed = [item for item in step.load(TROUBLES, [late]).values() if item.closed_at is None]
        step.save(TROUBLES, [item.model_copy(update={"closed_at": now, "closed_by": by}) for item in closed])
        if row.change_id:
            end_change(step, row.change_id, by=by, now=now, why="relieved")
    return signed


def plan_spot_checks(
    step: Step, times: Sequence[tuple[str, datetime]], county: County, *, seed: str, by: str, now: datetime
) -> list[SpotCheck]:
    """Plan spot checks at drawn times (`checks.draw_times`); the seed is logged, so that they can be drawn again.

    Returns:
        Those that are new; times that have passed are left out.
    """
    rows = [planned(county.posts[post], at, seed, county) for post, at in times if at > now]
    known = step.load(SPOT_CHECKS, [row.id for row in rows])
    fresh = [row for row in rows if row.id not in known]
    step.save(SPOT_CHECKS, fresh)
    for row in fresh:
        noted = {"post": row.post_id, "seed": seed, "month": row.month}
        step.append(
            [Draft(subject=row.id, what="check_planned", why=DutyReason.CHECK_PLANNED, by=by, at=now, facts=noted)]
        )
    return fresh
