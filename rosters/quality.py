"""How good a roster is, to the minute: what is missing, what cannot be true, and what a night would not forgive.

Pure: it looks at one County between two times, changes on top of it included, and repairs nothing. The digest says
nothing when all is well. What a flaw is called and what it costs stands in `findings.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from rosters.county import County
from rosters.findings import Finding, Flaw, Language, Severity, told
from rosters.holidays import DutyYear
from rosters.model import Phone, Post, Shift
from rosters.overlay import gaps_between
from rosters.staffing import not_entitled, understaffed

DIGEST_LINES_MAX = 20
DAYS_CHECKED = 14
"""So many days ahead a roster is looked at before it is published, and each day after."""
BESIDE = timedelta(days=7)
"""So far outside the days looked at, or as far as one may be on duty, a stretch of duty is followed to its ends."""
NOTHING_SET = DutyYear()


def examine(
    county: County,
    starts_at: datetime,
    ends_at: datetime,
    *,
    year: DutyYear = NOTHING_SET,
    texted: Callable[[Post], bool] = lambda post: True,
) -> tuple[Finding, ...]:
    """Return every flaw of a roster between two times, in order of kind, time and post.

    A minute in which nobody holds a post is found once: as ON_LEAVE where whoever is on shift is away, else as GAP.

    Args:
        county: With its roster, and the changes on top of it.
        starts_at: Aware.
        ends_at: Aware, after it.
        year: What the county decided: who may lead, special periods, how long one may be on duty without a break
            (deputies are not on watch; a 24-hour shift is the custom, so more than the figure is told).
        texted: Whether the full text is sent to a post by SMS, so that a landline is not enough.
    """
    longest = timedelta(hours=year.duty_h_max)
    first, last = starts_at - max(BESIDE, longest), ends_at + max(BESIDE, longest)
    nearby = [shift for shift in county.shifts if shift.starts_at < last and shift.ends_at > first]
    published = [shift for shift in nearby if shift.starts_at < ends_at and shift.ends_at > starts_at]
    changed = _changed_posts(county)
    effective = list(_effective(county, published, changed, starts_at, ends_at))
    around = list(_effective(county, nearby, changed, first, last))
    standing = _standing(county, effective)
    found = [
        *_gaps(county, starts_at, ends_at),
        *_vacant(county),
        *_overlaps(published, starts_at, ends_at),
        *_two_places(effective, starts_at, ends_at),
        *_too_long(around, starts_at, ends_at, longest),
        *not_entitled(county, effective, year),
        *understaffed(county, effective, year, starts_at, ends_at),
        *_phones(county, standing, texted),
        *_shared(county, standing),
    ]
    order = list(Flaw)
    return tuple(sorted(found, key=lambda one: (order.index(one.flaw), one.starts_at or starts_at, one.posts)))


def readiness(
    county: County,
    at: datetime,
    days: int = DAYS_CHECKED,
    language: Language = "zh",
    year: DutyYear = NOTHING_SET,
) -> tuple[str, ...]:
    """Return what stands between the coming days and a night of calls; empty when all is well.

    The first 20, worst first; what is only for information is not among them.
    """
    found = [
        one
        for one in examine(county, at, at + timedelta(days=days), year=year)
        if one.flaw.severity is not Severity.NOTE
    ]
    lines = [told(one, county, language) for one in found[:DIGEST_LINES_MAX]]
    if len(found) > DIGEST_LINES_MAX:
        rest = len(found) - DIGEST_LINES_MAX
        lines.append(f"……还有 {rest} 处" if language == "zh" else f"… and {rest} more")
    return tuple(lines)


def _changed_posts(county: County) -> frozenset[str]:
    """Return the posts on shift that a change lies on top of: only there who is on duty differs from the sheet."""
    posts = {override.post for override in county.overlay.overrides}
    posts |= {post for absence in county.overlay.absences for post in county.posts_of_person(absence.person)}
    return frozenset(post for post in posts if post in county.posts and county.posts[post].on_shift)


def _effective(
    county: County, shifts: Iterable[Shift], changed: frozenset[str], starts_at: datetime, ends_at: datetime
) -> Iterator[Shift]:
    """Yield who is on duty when: the sheet's shifts, and where changes lie on top, the stretches that come of it."""
    yield from (shift for shift in shifts if shift.post not in changed)
    for post in changed:
        moment = starts_at
        while moment < ends_at:
            until = min(county.next_change((post,), moment) or ends_at, ends_at)
            held, beside = county.who(post, moment), county.who(post, moment, "deputy")
            if held is not None:
                deputy = beside.person.id if beside and beside.shift else ""
                yield Shift(
                    id=f"{post}@{moment.isoformat()}",
                    post=post,
                    person=held.person.id,
                    deputy=deputy,
                    starts_at=moment,
                    ends_at=until,
                )
            moment = until


def _gaps(county: County, starts_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """Find when nobody holds a post: of a post on shift, and of a standing post whose holders are all away."""
    away = {absence.person for absence in county.overlay.absences}
    for post in county.posts.values():
        if post.on_shift:
            for begins, ends in county.gaps(post.id, starts_at, ends_at):
                yield from _by_cause(county, post, begins, ends) if away else (_gap(post, "", begins, ends),)
        elif not away.isdisjoint(post.holders):
            yield from (
                Finding(Flaw.ON_LEAVE, (post.id,), post.holders, begins, ends)
                for begins, ends in gaps_between(
                    starts_at,
                    ends_at,
                    lambda at, post=post: county.who(post.id, at) is not None,  # type: ignore[misc]
                    lambda at, post=post: county.next_change((post.id,), at),  # type: ignore[misc]
                )
            )


def _by_cause(county: County, post: Post, starts_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """Cut a stretch that nobody holds by who should have: somebody on leave, or nobody at all."""
    begins, moment = starts_at, starts_at
    shift = county.shift(post.id, moment)
    person = shift.person if shift else ""
    while moment < ends_at:
        moment = min(county.next_change((post.id,), moment) or ends_at, ends_at)
        shift = county.shift(post.id, moment)
        follows = shift.person if shift else ""
        if moment == ends_at or follows != person:
            yield _gap(post, person, begins, moment)
            begins, person = moment, follows


def _gap(post: Post, person: str, starts_at: datetime, ends_at: datetime) -> Finding:
    if person:
        return Finding(Flaw.ON_LEAVE, (post.id,), (person,), starts_at, ends_at)
    return Finding(Flaw.GAP, (post.id,), (), starts_at, ends_at)


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
        for person in sorted(set(shift.people)):
            by_person[person].append(shift)
    for person, of_person in by_person.items():
        several = _stretches(of_person, starts_at, ends_at, lambda shifts: len({shift.post for shift in shifts}) > 1)
        for begins, ends, running in several:
            yield Finding(Flaw.TWO_PLACES, tuple(sorted({shift.post for shift in running})), (person,), begins, ends)


def _too_long(shifts: Iterable[Shift], starts_at: datetime, ends_at: datetime, longest: timedelta) -> Iterator[Finding]:
    """Find who holds posts without a break for longer than allowed; what lies outside the span counts as well."""
    by_person: defaultdict[str, list[Shift]] = defaultdict(list)
    for shift in shifts:
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
            for person in sorted(set(shift.people)):
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
        if not all(phone.is_verified for phone in phones):
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
