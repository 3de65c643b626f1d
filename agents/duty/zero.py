"""The daily zero report (零报告): each duty post reports every day, also that there is nothing; who has not is told.

The rule is that of 山西省政务值班通知: a report each day, even nil. Nothing here says why one is missing, and none is
made up for anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agents.duty.decide import DutyReason, posts_on_shift
from agents.duty.state import ZERO_REPORTS, ZeroReport
from agents.facts import Facts
from rosters.changes import ChangeError
from rosters.county import DUTY_OFFICER
from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.rooms import record_troubles, trouble

POSTS_MAX = 10_000
NAMED_MAX = 20


def day_of(at: datetime, facts: Facts) -> str:
    """Return the county's day of a time, as 2021-07-19."""
    return f"{at.astimezone(facts.county.zone):%Y-%m-%d}"


def report(step: Step, post_id: str, person_id: str, text: str, *, by: str, now: datetime, facts: Facts) -> ZeroReport:
    """File the report of a duty post for today; an empty text says that there is nothing. One a day: the first stays.

    Raises:
        ChangeError: There is no such duty post, or somebody else holds it.
    """
    post = facts.county.posts.get(post_id)
    if post is None or post.kind != DUTY_OFFICER:
        raise ChangeError("post", f"没有值班岗“{post_id}”，请核对编号。", f"There is no duty post {post_id!r}.")
    here = [facts.county.who(post_id, now), facts.county.who(post_id, now, "deputy")]
    names = {held.person.id: held.person.name for held in here if held is not None}
    if person_id not in names:
        told = "、".join(names.values()) or "-"
        raise ChangeError("person", f"应由当班人员报告（此刻：{told}）。", f"Whoever is on duty reports (now: {told}).")
    day = day_of(now, facts)
    row = ZeroReport(
        id=make_id(REAL, "zeroreport", post_id, day),
        post_id=post_id,
        unit_id=post.unit,
        region=post.region,
        day=day,
        nothing=not text.strip(),
        text=text.strip(),
        person_id=person_id,
        name=names[person_id],
        at=now,
        by=by,
    )
    known = step.load(ZERO_REPORTS, [row.id]).get(row.id)
    if known is not None:
        return known
    step.save(ZERO_REPORTS, [row])
    noted = {"post": post_id, "day": day, "nothing": row.nothing, "text": row.text, "with_token": by}
    step.append(
        [Draft(subject=row.id, what="reported", why=DutyReason.ZERO_REPORTED, by=row.name, at=now, facts=noted)]
    )
    return row


def missing(step: Step, day: str, facts: Facts) -> list[str]:
    """Return the ids of the duty posts that have not reported on a day."""
    filed = {row.post_id for row in step.find(ZERO_REPORTS, Where("day", "=", day), limit=POSTS_MAX)}
    return [post.id for post in posts_on_shift(facts.county, (DUTY_OFFICER,)) if post.id not in filed]


def find_missing(step: Step, at: datetime, now: datetime, facts: Facts) -> None:
    """Put to a person which posts have not reported; one trouble a day, with the names."""
    # The day is that of the hour at which it was due, also where the look at it falls behind midnight.
    day = day_of(at - timedelta(minutes=facts.book.knobs.duty.zero_report_late_min), facts)
    silent = missing(step, day, facts)
    if not silent:
        return
    names = "、".join(facts.county.posts[post].name for post in silent[:NAMED_MAX])
    more = f"等{len(silent)}个岗位" if len(silent) > NAMED_MAX else ""
    text = f"{day}零报告未收到：{names}{more}"
    row = make_id(REAL, "zeroreport", "missing", day)
    record_troubles(step, [trouble("zero_report_missing", row, text, now, facts.county.code)])
    noted = {"day": day, "posts": silent}
    step.append([Draft(subject=row, what="missing", why=DutyReason.ZERO_MISSING, by="duty", at=now, facts=noted)])
