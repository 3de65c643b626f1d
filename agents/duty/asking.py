"""Changes asked for in advance: kept until the leader on duty agrees or refuses, or the asker takes them back.

Only an agreed one ever comes into force, as a change of its own that names who asked and who agreed. One that nobody
decided expires when its first shift begins. Nothing here decides for a leader.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agents.duty.decide import DutyReason
from agents.duty.notices import Notice, open_notices
from agents.duty.record import end_change, record_change
from agents.facts import Facts
from agents.plan.state import ROUNDS
from rosters.arrange import agree as made_anew
from rosters.arrange import check_leader, posts_of
from rosters.changes import Change, ChangeError, tell
from rosters.county import County
from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, AskRow, AskState, ChangeRow
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Step
from streams.rooms import Decision


def ask(step: Step, facts: Facts, asked: Change, *, by: str, now: datetime) -> AskRow:
    """Keep a change that is asked for, and tell the leader on duty by message; the same one twice is one.

    Args:
        step: The transaction.
        facts: The roster as it is now, and whether the county has notices switched on.
        asked: From `rosters/arrange.py`, with `agreed_by` None.
        by: Whose token or command it was.
        now: Story time.
    """
    county = facts.county
    row_id = make_id(REAL, "ask", asked.key)
    known = step.load(ROSTER_ASKS, [row_id]).get(row_id)
    if known is not None:
        return known
    begins = min(stretch.starts_at for stretch in asked.stretches)
    row = AskRow(
        id=row_id,
        kind=asked.kind,
        change=asked.model_copy(update={"by": by}),
        posts=posts_of(county, asked),
        made_at=now,
        # What is to begin at once can still be agreed to while it would go on.
        due_at=begins if begins > now else asked.ends_at,
    )
    step.save(ROSTER_ASKS, [row])
    noted: dict[str, Any] = {
        "kind": row.kind,
        "said": tell(county, asked),
        "asked_by": asked.asked_by,
        "why": asked.why,
    }
    noted |= {"posts": list(row.posts), "with_token": by}
    step.append([_entry(row, "asked", DutyReason.CHANGE_ASKED, asked.asked_by, now, noted)])
    posts = [county.posts[post] for post in row.posts if post in county.posts]
    leaders = dict.fromkeys(leader.id for post in posts if (leader := county.leader_post(post)) is not None)
    text = f"【{county.name}值班】有变更待您同意：{tell(county, asked)}"
    _notify(step, "change_asked", row.id, [Notice(leader, text) for leader in leaders], now, facts)
    return row


def agree(
    step: Step,
    facts: Facts,
    ask_id: str,
    *,
    agreed_by: str,
    by: str,
    now: datetime,
    known_at: datetime | None = None,
) -> ChangeRow:
    """Let a change that was asked for come into force, on the word of the leader on duty; those it is about are told.

    Raises:
        ChangeError: There is no such request or it is decided already, somebody else is the leader on duty, or the
            roster changed so that it cannot be any more.
    """
    row, county = _pending(step, ask_id), facts.county
    change = made_anew(county, row.change, agreed_by, now)
    made = record_change(step, county, change, by=by, now=now, known_at=known_at)
    decided = {"state": AskState.AGREED, "change_id": made.id, "decided_at": now, "decided_by": agreed_by}
    step.save(ROSTER_ASKS, [row.model_copy(update=decided | {"due_at": None})])
    noted: dict[str, Any] = {"agreed_by": agreed_by, "change": made.id, "with_token": by}
    step.append([_entry(row, "agreed", DutyReason.CHANGE_AGREED, agreed_by, now, noted)])
    text = f"【{county.name}值班】{tell(county, change)}"
    told = [Notice(stretch.post, text, stretch.person) for stretch in change.stretches if stretch.post]
    _notify(step, "change_agreed", row.id, told, now, facts)
    return made


def refuse(step: Step, county: County, ask_id: str, *, refused_by: str, why: str, by: str, now: datetime) -> AskRow:
    """Refuse a change that was asked for, on the word of the leader on duty; the roster stays as it is.

    Raises:
        ChangeError: There is no such request or it is decided already, or somebody else is the leader on duty.
    """
    row = _pending(step, ask_id)
    check_leader(county, row.posts, refused_by, now)
    return _decide(step, row, AskState.REFUSED, DutyReason.CHANGE_REFUSED, refused_by, why, by, now)


def withdraw(  # noqa: PLR0913 - which, and on whose word
    step: Step, county: County, row_id: str, *, withdrawn_by: str, agreed_by: str, why: str, by: str, now: datetime
) -> AskRow | ChangeRow:
    """Take back a change: one that is only asked for by whoever asked, one in force with the leader's word.

    A change in force ends now; what it was until now stays what it was.

    Raises:
        ChangeError: There is no such change, it is over, no reason is given, or the leader on duty did not agree.
    """
    if not withdrawn_by.strip() or not why.strip():
        raise ChangeError("why", "请写明由谁撤回和理由。", "Say who takes it back, and why.")
    asked = step.load(ROSTER_ASKS, [row_id]).get(row_id)
    if asked is not None and asked.state is AskState.PENDING:
        return _decide(step, asked, AskState.WITHDRAWN, DutyReason.CHANGE_WITHDRAWN, withdrawn_by, why, by, now)
    change_id = asked.change_id if asked is not None else row_id
    made = step.load(ROSTER_CHANGES, [change_id]).get(change_id)
    if made is None or made.ends_at <= now:
        raise ChangeError("id", "没有这项变更，或已经结束。", "There is no such change, or it is over.")
    check_leader(county, posts_of(county, made.change), agreed_by, now)
    end_change(step, made.id, by=by, now=now, why=why, withdrawn_by=withdrawn_by, agreed_by=agreed_by)
    return step.load(ROSTER_CHANGES, [made.id])[made.id]


def expire(row: AskRow, now: datetime) -> Decision[AskRow]:
    """Let a request that nobody decided run out. Pure."""
    if row.state is not AskState.PENDING or row.due_at is None or row.due_at > now:
        return Decision(DutyReason.NOT_DUE, row.model_copy(update={"due_at": None}))
    over = row.model_copy(update={"state": AskState.EXPIRED, "decided_at": now, "due_at": None})
    noted: dict[str, Any] = {"asked_by": row.change.asked_by, "posts": list(row.posts)}
    entry = _entry(row, "expired", DutyReason.CHANGE_EXPIRED, "duty", now, noted)
    return Decision(DutyReason.CHANGE_EXPIRED, over, entries=(entry,))


def _notify(step: Step, what: str, cause: str, told: Sequence[Notice], now: datetime, facts: Facts) -> None:
    if not told or not facts.book.knobs.duty.notices:
        return
    row, letters = open_notices(what, cause, told, now, facts)
    step.save(ROUNDS, [row])
    step.write(letters)


def _pending(step: Step, ask_id: str) -> AskRow:
    row = step.load(ROSTER_ASKS, [ask_id]).get(ask_id)
    if row is None:
        raise ChangeError("id", "没有这项申请，请核对编号。", "There is no such request; check its id.")
    if row.state is not AskState.PENDING:
        raise ChangeError(
            "id", f"这项申请{row.state.chinese}，不能再改。", f"This request is {row.state}; it is decided."
        )
    return row


def _decide(  # noqa: PLR0913 - which, how, and on whose word
    step: Step, row: AskRow, state: AskState, reason: DutyReason, decided_by: str, why: str, by: str, now: datetime
) -> AskRow:
    decided = row.model_copy(
        update={"state": state, "decided_at": now, "decided_by": decided_by, "said": why, "due_at": None}
    )
    step.save(ROSTER_ASKS, [decided])
    step.append([_entry(row, state, reason, decided_by, now, {"why": why, "with_token": by})])
    return decided


def _entry(row: AskRow, what: str, why: DutyReason, by: str, now: datetime, facts: dict[str, Any]) -> Draft:
    return Draft(subject=row.id, what=what, why=why, by=by, at=now, facts=facts)
