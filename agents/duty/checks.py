"""Spot checks (抽查): when they are made, what they say, and what their results come to. Pure.

Times are drawn from a seed that is written down, so that anybody can draw them again. A check stands in a realm of its
own, says first that it is one, is of the lowest colour, and rings nobody while something real is under way.
Never said here: 缺岗 or 脱岗. That nobody answered is all that was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agents.callout.state import ANSWERED, Callout, CalloutState
from agents.duty.state import CheckResult, CheckState, SpotCheck
from agents.facts import Facts
from agents.plan.state import Round
from config.rules import Ladder, LadderStep
from rosters.county import County
from rosters.model import Post
from streams.ids import digest, make_id
from streams.letters import Letter, Mode, Move, OpenCallouts, Opening, write_letter
from streams.topics import PAGES
from streams.words import Colour, Outcome

HAZARD = "spot_check"
LADDER = Ladder(
    title="抽查",
    dial_within_s=1800,
    steps=(LadderStep(to="holder", calls=1, gap_s=60, window_s=60),),
    then="none",
    fetch_s=900,
)
"""One call: an unanswered line rings its five rings and more (35 s), and is not rung again for a check.

Key 2 says that somebody else answered; the check is over at the next look, long before `fetch_s`.
"""
LOOK_AGAIN = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=2)
_UNSEEN = {
    Outcome.NO_ANSWER: CheckResult.NO_ANSWER,
    Outcome.REJECTED: CheckResult.NO_ANSWER,
    Outcome.VOICEMAIL: CheckResult.NO_ANSWER,
    Outcome.HUNG_UP_EARLY: CheckResult.HEARD_NO_KEY,
    Outcome.HEARD_NO_KEY: CheckResult.HEARD_NO_KEY,
    Outcome.FETCHING: CheckResult.SOMEBODY_ELSE,
    Outcome.CANNOT: CheckResult.CANNOT_COME,
    Outcome.BUSY: CheckResult.BUSY,
}


def draw_times(
    posts: Sequence[str], days: Sequence[date], window: tuple[time, time], each: int, seed: str, county: County
) -> list[tuple[str, datetime]]:
    """Draw when each post is checked.

    Args:
        posts: Post ids.
        days: The days (of the window's beginning) to draw from.
        window: From and to, county time; `to` not after `from` means the next morning.
        each: How often each post is checked; never twice in one day.
        seed: Any words. The same seed draws the same times.
        county: For its zone.

    Returns:
        (post, time) in order of time.
    """
    begins, ends = window
    length_s = (ends.hour - begins.hour) * 3600 + (ends.minute - begins.minute) * 60
    length_s += 86_400 if length_s <= 0 else 0
    drawn = []
    for post in posts:
        order = sorted(days, key=lambda day, post=post: digest(seed, post, day.isoformat()))  # type: ignore[misc]
        for day in order[:each]:
            offset_s = int(digest(seed, post, day.isoformat(), "second", length=12), 16) % length_s
            drawn.append((post, datetime.combine(day, begins, county.zone) + timedelta(seconds=offset_s)))
    return sorted(drawn, key=lambda item: (item[1], item[0]))


def planned(post: Post, at: datetime, seed: str, county: County) -> SpotCheck:
    """Return a check to be made."""
    month = f"{at.astimezone(county.zone):%Y-%m}"
    realm = f"check:{month}-{digest(seed, length=8)}"
    return SpotCheck(
        id=make_id(realm, "spotcheck", post.id, at.isoformat()),
        realm=realm,
        post_id=post.id,
        unit_id=post.unit,
        region=post.region,
        month=month,
        at=at,
        seed=seed,
        due_at=at,
    )


def call(check: SpotCheck, now: datetime, facts: Facts) -> tuple[SpotCheck, Round, Letter]:
    """Ring the post for a check."""
    county = facts.county
    held = county.who(check.post_id, now)
    round_id = make_id(check.realm, "round", check.id, HAZARD)
    callout_id = make_id(check.realm, "callout", round_id, check.post_id)
    name = f"值班表上是{held.person.name}，" if held else ""
    voice = f"【抽查】{county.name}值班抽查，不是预警。{name}本人在岗请按1，他人接听请按2。"
    opening = Opening(
        callout_id=callout_id,
        post_id=check.post_id,
        mode=Mode.CALL,
        ladder=HAZARD,
        voice=voice,
        text=f"【抽查】{county.name}值班抽查，不是预警，请值班人员接听值班电话。",
    )
    page = OpenCallouts(
        realm=check.realm,
        chain_id=check.id,
        round_id=round_id,
        hazard=HAZARD,
        colour=Colour.BLUE,
        rules_hash=facts.book.hash,
        ladders={HAZARD: LADDER},
        openings=(opening,),
    )
    row = Round(
        id=round_id,
        realm=check.realm,
        chain_id=check.id,
        cause_id=check.id,
        move=Move.OPENED,
        hazard=HAZARD,
        colour=Colour.BLUE,
        headline="抽查",
        opened_at=now,
        posts=1,
        rules_hash=facts.book.hash,
        roster_version=county.version,
    )
    calling = check.model_copy(
        update={
            "state": CheckState.CALLING,
            "person_id": held.person.id if held else "",
            "callout_id": callout_id,
            "round_id": round_id,
            "called_at": now,
            "due_at": now + LOOK_AGAIN,
        }
    )
    return calling, row, write_letter(PAGES, round_id, page, now, cause="page:0")


def result_of(callout: Callout | None) -> CheckResult | None:
    """Say what a check found, None while the call goes on."""
    if callout is not None and callout.state is CalloutState.FETCHING:
        return CheckResult.SOMEBODY_ELSE
    if callout is None or callout.is_open:
        return None
    if callout.state in ANSWERED and callout.state is not CalloutState.HEARD:
        return CheckResult.IN_PLACE
    if callout.heard:
        return CheckResult.HEARD_NO_KEY
    if callout.vacant or not callout.outcomes:
        return CheckResult.NOBODY_ON_DUTY if callout.vacant else CheckResult.NO_WAY
    return _UNSEEN.get(callout.outcomes[-1], CheckResult.NO_WAY)


@dataclass(frozen=True)
class Tally:
    """The checks of one unit in one month, by result; `skipped` were not made because something real was under way."""

    unit_id: str
    month: str
    made: int
    skipped: int
    planned: int
    results: dict[CheckResult, int]


def tally(checks: Iterable[SpotCheck]) -> list[Tally]:
    """Count checks by unit and month, in order."""
    groups: dict[tuple[str, str], list[SpotCheck]] = {}
    for check in checks:
        groups.setdefault((check.month, check.unit_id), []).append(check)
    return [
        Tally(
            unit_id=unit,
            month=month,
            made=sum(row.state is CheckState.DONE for row in rows),
            skipped=sum(row.state is CheckState.SKIPPED for row in rows),
            planned=sum(row.state in (CheckState.PLANNED, CheckState.CALLING) for row in rows),
            results=dict(Counter(row.result for row in rows if row.result is not None)),
        )
        for (month, unit), rows in sorted(groups.items())
    ]
