"""How good a roster is, to the minute: what is missing, what cannot be true, and what a night would not forgive.

Pure: it looks at one County between two times and repairs nothing. Its score is a sum that anybody can check, and its
digest says nothing when all is well. It must never print a phone number or call anybody absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from rosters.county import County
from rosters.model import Phone, Post, Shift

Language = Literal["zh", "en"]
Span = tuple[datetime, datetime]
DIGEST_LINES_MAX = 20


class Flaw(StrEnum):
    """What can be wrong with a roster."""

    GAP = "gap"
    VACANT = "vacant"
    NO_PHONE = "no_phone"
    TWO_PLACES = "two_places"
    OVERLAP = "overlap"
    TOO_LONG = "too_long"
    LANDLINE_ONLY = "landline_only"
    UNVERIFIED = "unverified"
    SHARED_PHONE = "shared_phone"


@dataclass(frozen=True)
class Cost:
    """What one flaw of a kind takes off the score, and what all of that kind take off at most."""

    each: int
    at_most: int
    chinese: str
    english: str


# A figure for each kind, not a share of the county: one hole is one night nobody is called, however large the county.
# The figures are ours, a proposal; no rule of the field sets them.
COSTS: dict[Flaw, Cost] = {
    Flaw.GAP: Cost(10, 60, "无人值班", "nobody on duty"),
    Flaw.VACANT: Cost(5, 40, "没有责任人", "no holder"),
    Flaw.NO_PHONE: Cost(5, 40, "没有电话", "no phone"),
    Flaw.TWO_PLACES: Cost(4, 20, "同时在两处值班", "in two places at once"),
    Flaw.OVERLAP: Cost(2, 10, "班次重叠", "overlapping shifts"),
    Flaw.TOO_LONG: Cost(2, 10, "连续值班过长", "on duty too long"),
    Flaw.LANDLINE_ONLY: Cost(1, 10, "只有座机，收不到短信", "a landline only, where texts are sent"),
    Flaw.UNVERIFIED: Cost(1, 10, "电话未核实", "an unverified phone"),
    Flaw.SHARED_PHONE: Cost(0, 0, "几人共用一部手机（提示）", "a mobile shared (for information)"),
}


@dataclass(frozen=True)
class Finding:
    """One flaw: of which posts and people, and from when to when (aware), where it has a time."""

    flaw: Flaw
    posts: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Score:
    """0 to 100, and what cost how many points: (flaw, how often it was found, points taken)."""

    points: int
    costs: tuple[tuple[Flaw, int, int], ...]

    def explained(self, language: Language = "zh") -> tuple[str, ...]:
        """Return the score and each cost as one line."""
        chinese = language == "zh"
        lines = [f"得分 {self.points}/100" if chinese else f"score {self.points} of 100"]
        for flaw, count, points in self.costs:
            cost = COSTS[flaw]
            if chinese:
                most = "（已到上限）" if points == cost.at_most and count * cost.each > points else ""
                lines.append(f"{cost.chinese} {count} 处，每处 {cost.each} 分：−{points}{most}")
            else:
                most = " (the most it can cost)" if points == cost.at_most and count * cost.each > points else ""
                lines.append(f"{cost.english}: {count} at {cost.each} each: -{points}{most}")
        return tuple(lines)


def examine(
    county: County,
    starts_at: datetime,
    ends_at: datetime,
    *,
    duty_h_max: float = 24,
    texted: Callable[[Post], bool] = lambda post: True,
) -> tuple[Finding, ...]:
    """Return every flaw of a roster between two times, in order of kind, time and post.

    Args:
        county: With its roster.
        starts_at: Aware.
        ends_at: Aware, after it.
        duty_h_max: Hours that one person may hold posts without a break; deputies are not on watch. A 24-hour shift
            is the county's custom, so more than that is told; the county may set another figure.
        texted: Whether the full text is sent to a post by SMS, so that a landline is not enough.
    """
    shifts = [shift for shift in county.shifts if shift.starts_at < ends_at and shift.ends_at > starts_at]
    standing = _standing(county, shifts)
    found = [
        *_gaps(county, starts_at, ends_at),
        *_vacant(county),
        *_overlaps(shifts, starts_at, ends_at),
        *_two_places(shifts, starts_at, ends_at),
        *_too_long(county, starts_at, ends_at, timedelta(hours=duty_h_max)),
        *_phones(county, standing, texted),
        *_shared(county, standing),
    ]
    order = list(Flaw)
    return tuple(sorted(found, key=lambda one: (order.index(one.flaw), one.starts_at or starts_at, one.posts)))


def score(findings: Iterable[Finding]) -> Score:
    """Return the score that findings make: 100 less what each kind costs, never below 0."""
    counts = dict.fromkeys(Flaw, 0)
    for finding in findings:
        counts[finding.flaw] += 1
    costs = tuple(
        (flaw, count, min(count * COSTS[flaw].each, COSTS[flaw].at_most)) for flaw, count in counts.items() if count
    )
    return Score(max(0, 100 - sum(points for _, _, points in costs)), costs)


def readiness(county: County, at: datetime, days: int = 14, language: Language = "zh") -> tuple[str, ...]:
    """Return what stands between the coming days and a night of calls; empty when all is well.

    The first 20, worst first; shared phones are only for information and are not among them.
    """
    found = [one for one in examine(county, at, at + timedelta(days=days)) if one.flaw is not Flaw.SHARED_PHONE]
    lines = [told(one, county, language) for one in found[:DIGEST_LINES_MAX]]
    if len(found) > DIGEST_LINES_MAX:
        rest = len(found) - DIGEST_LINES_MAX
        lines.append(f"……还有 {rest} 处" if language == "zh" else f"… and {rest} more")
    return tuple(lines)


def told(finding: Finding, county: County, language: Language = "zh") -> str:
    """Return a finding as one line in the county's local time."""
    chinese = language == "zh"
    cost = COSTS[finding.flaw]
    if chinese:
        posts = "、".join(f"{county.posts[post].name}（{post}）" for post in finding.posts)
        people = "、".join(f"{county.people[person].name}（{person}）" for person in finding.people)
    else:
        posts, people = ", ".join(finding.posts), ", ".join(finding.people)
    bounds = [bound.astimezone(county.zone) for bound in (finding.starts_at, finding.ends_at) if bound]
    span = " – ".join(f"{bound:%Y-%m-%d %H:%M}" for bound in bounds)
    parts = [part for part in (people, posts, span) if part]
    return f"{cost.chinese}：{'，'.join(parts)}" if chinese else f"{cost.english}: {', '.join(parts)}"


def _gaps(county: County, starts_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    for post in county.posts:
        for begins, ends in county.gaps(post, starts_at, ends_at):
            yield Finding(Flaw.GAP, (post,), (), begins, ends)


def _vacant(county: County) -> Iterator[Finding]:
    for post in county.posts.values():
        if not post.on_shift and not post.holders:
            yield Finding(Flaw.VACANT, (post.id,))


def _overlaps(shifts: Iterable[Shift], starts_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """Find stretches in which more than one shift of a post runs; the one that began last is in force."""
    by_post: defaultdict[str, list[Shift]] = defaultdict(list)
    for shift in shifts:
        by_post[shift.post].append(shift)
    for post, of_post in by_post.items():
        for begins, ends, running in _stretches(of_post, starts_at, ends_at, lambda shifts: len(shifts) > 1):
            yield Finding(Flaw.OVERLAP, (post,), tuple(sorted({shift.person for shift in running})), begins, ends)


def _two_places(shifts: Iterable[Shift], starts_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """Find stretches in which one person stands on shifts of several posts, as holder or deputy."""
    by_person: defaultdict[str, list[Shift]] = defaultdict(list)
    for shift in shifts:
        for person in {shift.person, shift.deputy} - {""}:
            by_person[person].append(shift)
    for person, of_person in by_person.items():
        several = _stretches(of_person, starts_at, ends_at, lambda shifts: len({shift.post for shift in shifts}) > 1)
        for begins, ends, running in several:
            yield Finding(Flaw.TWO_PLACES, tuple(sorted({shift.post for shift in running})), (person,), begins, ends)


def _too_long(county: County, starts_at: datetime, ends_at: datetime, longest: timedelta) -> Iterator[Finding]:
    """Find who holds posts without a break for longer than allowed; the whole stretch counts, also outside the span."""
    by_person: defaultdict[str, list[Shift]] = defaultdict(list)
    for shift in county.shifts:
        by_person[shift.person].append(shift)
    for person, of_person in by_person.items():
        for begins, ends, posts in _runs(of_person):
            if ends - begins > longest and begins < ends_at and ends > starts_at:
                yield Finding(Flaw.TOO_LONG, posts, (person,), begins, ends)


def _runs(shifts: Sequence[Shift]) -> Iterator[tuple[datetime, datetime, tuple[str, ...]]]:
    """Join shifts that touch or overlap into unbroken stretches."""
    ordered = sorted(shifts, key=lambda shift: shift.starts_at)
    begins, ends = ordered[0].starts_at, ordered[0].ends_at
    posts = {ordered[0].post}
    for shift in ordered[1:]:
        if shift.starts_at > ends:
            yield begins, ends, tuple(sorted(posts))
            begins, ends, posts = shift.starts_at, shift.ends_at, set()
        ends = max(ends, shift.ends_at)
        posts.add(shift.post)
    yield begins, ends, tuple(sorted(posts))


def _stretches(
    shifts: Sequence[Shift], starts_at: datetime, ends_at: datetime, wrong: Callable[[Sequence[Shift]], bool]
) -> Iterator[tuple[datetime, datetime, tuple[Shift, ...]]]:
    """Return the longest stretches in a span through which the running shifts are wrong, with all that ran in them."""
    changes = sorted(
        {starts_at, *(max(shift.starts_at, starts_at) for shift in shifts), *(shift.ends_at for shift in shifts)}
    )
    changes = [*(change for change in changes if change < ends_at), ends_at]
    ordered = sorted(shifts, key=lambda shift: shift.starts_at)
    running: list[Shift] = []
    position = 0
    begins: datetime | None = None
    ran: dict[str, Shift] = {}
    for moment in changes:
        while position < len(ordered) and ordered[position].starts_at <= moment:
            running.append(ordered[position])
            position += 1
        running = [shift for shift in running if shift.ends_at > moment]
        if moment < ends_at and wrong(running):
            begins = begins or moment
            ran |= {f"{shift.id}|{shift.person}": shift for shift in running}
        elif begins is not None:
            yield begins, moment, tuple(ran.values())
            begins, ran = None, {}


def _standing(county: County, shifts: Iterable[Shift]) -> dict[str, list[Post]]:
    """Return who holds or deputises a post in these shifts or by standing, with the posts."""
    standing: defaultdict[str, dict[str, Post]] = defaultdict(dict)
    for shift in shifts:
        if shift.post in county.posts:
            for person in {shift.person, shift.deputy} - {""}:
                standing[person][shift.post] = county.posts[shift.post]
    for post in county.posts.values():
        for person in () if post.on_shift else post.holders:
            standing[person][post.id] = post
    return {person: list(posts.values()) for person, posts in standing.items()}


def _phones(county: County, standing: dict[str, list[Post]], texted: Callable[[Post], bool]) -> Iterator[Finding]:
    for person, posts in standing.items():
        phones: tuple[Phone, ...] = county.people[person].phones
        ids = tuple(sorted(post.id for post in posts))
        if not phones:
            yield Finding(Flaw.NO_PHONE, ids, (person,))
            continue
        if all(phone.kind == "landline" for phone in phones) and any(texted(post) for post in posts):
            yield Finding(Flaw.LANDLINE_ONLY, tuple(sorted(post.id for post in posts if texted(post))), (person,))
        if not all(phone.verified for phone in phones):
            yield Finding(Flaw.UNVERIFIED, ids, (person,))


def _shared(county: County, standing: Iterable[str]) -> Iterator[Finding]:
    """Find mobiles that several of those who stand share; a duty room's landline is meant to be shared."""
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for person in standing:
        for phone in county.people[person].phones:
            if phone.kind == "mobile":
                owners[phone.number].append(person)
    for people in owners.values():
        if len(people) > 1:
            yield Finding(Flaw.SHARED_PHONE, (), tuple(sorted(people)))
