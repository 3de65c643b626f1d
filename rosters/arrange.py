"""Making a change of the roster: a swap, a stand-in, leave, holding over. Pure.

Each function checks that the change can be and was agreed, and says to a person what is wrong where it cannot. With
`agreed_by` None it is only asked for: the same checks, and nobody's word yet; `agree` makes it anew when the leader on
duty agrees. Nothing here guesses: a name that several people have is refused, and nobody is on duty without having been
named.

Rules of the field: a swap is asked for in advance, whoever leaves mid-shift asks the leader on duty and names the
stand-in (rules of a town in 惠济区), and whoever is not relieved may not leave (街道值班制度).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rosters.changes import Change, ChangeError, ChangeKind, Stretch, told
from rosters.county import County
from rosters.model import Person, Shift

STRETCH_MAX = timedelta(days=92)
HELD_OVER_MAX = timedelta(hours=24)


def swap(  # noqa: PLR0913 - where, which two shifts, and on whose word
    county: County,
    post: str,
    first_at: datetime,
    second_at: datetime,
    *,
    asked_by: str,
    agreed_by: str | None,
    why: str,
    at: datetime,
) -> Change:
    """Let the holders of two shifts of a post take each other's, both whole and both still to come.

    Args:
        county: The roster as it is now.
        post: The post.
        first_at: A time within the first shift.
        second_at: A time within the second.
        asked_by: Who asks, by name or id.
        agreed_by: The leader on duty at `at`, by name or id; None = only asked for.
        why: The reason.
        at: When it is agreed.

    Raises:
        ChangeError: No such post or shift, one shift or one person only, not in advance, or not agreed.
    """
    _known_post(county, post)
    shifts = [_shift_at(county, post, moment) for moment in (first_at, second_at)]
    people = [_holder_through(county, post, shift) for shift in shifts]
    if shifts[0].id == shifts[1].id or people[0] == people[1]:
        raise ChangeError(
            "second_at",
            "两个时间在同一个班次内，或两个班次是同一个人，无需换班。",
            "Both times lie in one shift, or one person holds both; there is nothing to swap.",
        )
    late = next((shift for shift in shifts if shift.starts_at <= at), None)
    if late is not None:
        raise ChangeError(
            "first_at",
            f"换班须提前：{told(county, late.starts_at)}的班次已经开始，请改用顶班。",
            f"A swap is asked for in advance: the shift of {told(county, late.starts_at)} has begun; use a stand-in.",
        )
    stretches = tuple(
        Stretch(
            post=post,
            person=other,
            instead_of=person,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
        )
        for shift, person, other in zip(shifts, people, reversed(people), strict=True)
    )
    _refuse_away(county, stretches)
    word = _word_of(county, (post,), agreed_by, at)
    return Change(kind=ChangeKind.SWAP, stretches=stretches, asked_by=asked_by, agreed_by=word, why=why, at=at)


def stand_in(  # noqa: PLR0913 - who, where, from when to when, and on whose word
    county: County,
    post: str,
    person: str,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    asked_by: str,
    agreed_by: str | None,
    why: str,
    at: datetime,
) -> Change:
    """Let somebody, by name, stand in at a post.

    Args:
        county: The roster as it is now.
        post: The post.
        person: Who stands in, by id or by a name that only one person has.
        starts_at: From when; from now where it is None or has passed: what was, stays as it was.
        ends_at: Until when; None = to the end of the shift in force then.
        asked_by: Who asks.
        agreed_by: The leader on duty at `at`; None = only asked for.
        why: The reason.
        at: When it is agreed.

    Raises:
        ChangeError: No such post, person or phone, the person is away or holds the post already, wrong bounds, or not
            agreed.
    """
    _known_post(county, post)
    standing_in = find_person(county, person)
    begins = max(starts_at or at, at)
    ends = ends_at or _shift_at(county, post, begins).ends_at
    _check_bounds(county, begins, ends)
    if not standing_in.phones:
        raise ChangeError(
            "person", f"{standing_in.name}没有电话，不能顶班。", f"{standing_in.name} has no phone and cannot stand in."
        )
    held = county.who(post, begins)
    if held is not None and held.person.id == standing_in.id:
        raise ChangeError(
            "person", f"{standing_in.name}这时本来就在岗。", f"{standing_in.name} holds this post at that time already."
        )
    stretch = Stretch(
        post=post,
        person=standing_in.id,
        instead_of=held.person.id if held else "",
        starts_at=begins,
        ends_at=ends,
    )
    _refuse_away(county, (stretch,))
    word = _word_of(county, (post,), agreed_by, at)
    return Change(kind=ChangeKind.STAND_IN, stretches=(stretch,), asked_by=asked_by, agreed_by=word, why=why, at=at)


def leave(  # noqa: PLR0913 - who, from when to when, and on whose word
    county: County,
    person: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    asked_by: str = "",
    agreed_by: str | None,
    why: str,
    at: datetime,
) -> Change:
    """Note that a person is away. `uncovered` says which posts nobody holds meanwhile: name a stand-in for each.

    Raises:
        ChangeError: No such person, wrong bounds, or not agreed.
    """
    away = find_person(county, person)
    begins = max(starts_at, at)
    _check_bounds(county, begins, ends_at)
    stretch = Stretch(person=away.id, starts_at=begins, ends_at=ends_at)
    word = _word_of(county, _posts_of(county, stretch), agreed_by, at)
    return Change(
        kind=ChangeKind.LEAVE,
        stretches=(stretch,),
        asked_by=asked_by or away.name,
        agreed_by=word,
        why=why,
        at=at,
    )


def agree(county: County, asked: Change, agreed_by: str, at: datetime) -> Change:
    """Make a change that was asked for, now that the leader on duty agrees: checked anew against the roster as it is.

    Raises:
        ChangeError: It is too late, the roster changed meanwhile so that it would be another change, or whoever agrees
            is not the leader on duty.
    """
    first, asked_by, why = asked.stretches[0], asked.asked_by, asked.why
    match asked.kind:
        case ChangeKind.SWAP:
            second_at = asked.stretches[1].starts_at
            made = swap(
                county, first.post, first.starts_at, second_at, asked_by=asked_by, agreed_by=agreed_by, why=why, at=at
            )
        case ChangeKind.STAND_IN:
            made = stand_in(
                county,
                first.post,
                first.person,
                starts_at=first.starts_at,
                ends_at=first.ends_at,
                asked_by=asked_by,
                agreed_by=agreed_by,
                why=why,
                at=at,
            )
        case _:
            made = leave(
                county,
                first.person,
                first.starts_at,
                first.ends_at,
                asked_by=asked_by,
                agreed_by=agreed_by,
                why=why,
                at=at,
            )
    if asked.kind is ChangeKind.SWAP and made.stretches != asked.stretches:
        raise ChangeError(
            "id",
            "申请之后值班表已经变动，换的已不是原来的两个班次，请重新申请。",
            "The roster changed since it was asked for, and these are no longer the same two shifts; ask again.",
        )
    return made


def check_leader(county: County, posts: Iterable[str], named: str, at: datetime) -> None:
    """Refuse what none of the leaders on duty over these posts said yes or no to; where there is none, a name does.

    Raises:
        ChangeError: Somebody else is named, or nobody.
    """
    leaders: dict[str, Person] = {}
    for post_id in posts:
        leader_post = county.leader_post(county.posts[post_id]) if post_id in county.posts else None
        while leader_post is not None:
            held = county.who(leader_post.id, at)
            if held is not None:
                leaders[held.person.id] = held.person
            leader_post = county.leader_post(leader_post)
    known = {name for person in leaders.values() for name in (person.id, person.name)}
    if named.strip() and (not known or named in known):
        return
    names = "、".join(person.name for person in leaders.values()) or "-"
    raise ChangeError(
        "agreed_by",
        f"须经当班带班领导同意（此刻：{names}），请写明同意人。",
        f"The leader on duty has to agree (now: {names}); say who did.",
    )


def posts_of(county: County, change: Change) -> tuple[str, ...]:
    """Return the ids of the posts a change is about; of a leave, those the person stands at meanwhile."""
    return tuple(dict.fromkeys(post for stretch in change.stretches for post in _posts_of(county, stretch)))


def hold_over(county: County, post: str, shift_starts_at: datetime, *, why: str, at: datetime) -> Change | None:
    """Keep whoever held a post before a shift on duty because the relief has not come; whoever should have stands by.

    Nobody is asked: who is not relieved may not leave. It goes on to the end of the shift that nobody took over, or
    until somebody else is to have the post, by a stand-in agreed before. None where nobody held the post before.
    """
    before = county.who(post, shift_starts_at - timedelta(microseconds=1))
    shift = county.shift(post, at)
    relief = county.who(post, at)
    if before is None or (relief is not None and relief.person.id == before.person.id):
        return None
    ends_at = shift.ends_at if shift else county.next_change((post,), at) or at + HELD_OVER_MAX
    moment = county.next_change((post,), at)
    while moment is not None and moment < ends_at:
        follows = county.who(post, moment)
        if follows is not None and (relief is None or follows.person.id != relief.person.id):
            ends_at = moment
        moment = county.next_change((post,), moment)
    stretch = Stretch(
        post=post,
        person=before.person.id,
        instead_of=relief.person.id if relief else "",
        deputy=relief.person.id if relief else "",
        starts_at=at,
        ends_at=ends_at,
    )
    return Change(kind=ChangeKind.HELD_OVER, stretches=(stretch,), asked_by="duty", agreed_by="", why=why, at=at)


def find_person(county: County, named: str) -> Person:
    """Return a person by id, or by a name that only one person has.

    Raises:
        ChangeError: Nobody, or several people, are called so.
    """
    if named in county.people:
        return county.people[named]
    found = [person for person in county.people.values() if person.name == named]
    if len(found) == 1:
        return found[0]
    if found:
        ids = "、".join(person.id for person in found)
        raise ChangeError(
            "person",
            f"叫“{named}”的有{len(found)}人（{ids}），请写编号。",
            f"Several people are called so: {ids}.",
        )
    raise ChangeError(
        "person", f"值班表中没有“{named}”，请核对姓名或编号。", f"Nobody in the roster is called {named!r}."
    )


def _word_of(county: County, posts: Iterable[str], agreed_by: str | None, at: datetime) -> str:
    """Return whose word it is, checked; "" of what is only asked for."""
    if agreed_by is None:
        return ""
    check_leader(county, posts, agreed_by, at)
    return agreed_by


def _posts_of(county: County, stretch: Stretch) -> list[str]:
    if stretch.post:
        return [stretch.post]
    bounds = (stretch.starts_at, stretch.ends_at)
    return [
        post for post in county.posts_of_person(stretch.person) if _stands_during(county, post, stretch.person, *bounds)
    ]


def _refuse_away(county: County, stretches: Iterable[Stretch]) -> None:
    for stretch in stretches:
        if county.overlay.is_away(stretch.person, stretch.starts_at):
            name = county.people[stretch.person].name
            raise ChangeError("person", f"{name}这时请假，不能顶班。", f"{name} is on leave at that time.")


def _known_post(county: County, post: str) -> None:
    if post not in county.posts:
        raise ChangeError("post", f"没有岗位“{post}”，请核对编号。", f"There is no post {post!r}; check its id.")


def _shift_at(county: County, post: str, at: datetime) -> Shift:
    shift = county.shift(post, at)
    if shift is None:
        when = told(county, at)
        raise ChangeError(
            "starts_at",
            f"{county.posts[post].name}在{when}没有班次，请写明起止时间或先补班次。",
            f"{post} has no shift at {when}; give both times, or publish a shift first.",
        )
    return shift


def _holder_through(county: County, post: str, shift: Shift) -> str:
    """Return who holds a whole shift, changes that lie on top of it already included."""
    people: set[str] = set()
    moment = shift.starts_at
    while moment < shift.ends_at:
        held = county.who(post, moment)
        people.add(held.person.id if held else "")
        moment = county.next_change((post,), moment) or shift.ends_at
    if len(people) != 1 or "" in people:
        when = told(county, shift.starts_at)
        raise ChangeError(
            "first_at",
            f"{when}的班次中途换人或有空岗，不能整班互换，请改用顶班。",
            f"The shift of {when} changes hands midway or has a hole; name a stand-in instead.",
        )
    return people.pop()


def _check_bounds(county: County, starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise ChangeError(
            "ends_at",
            f"结束时间 {told(county, ends_at)} 已过，或早于开始时间，请改正。",
            f"It would end at {told(county, ends_at)}, before it begins; correct the times.",
        )
    if ends_at - starts_at > STRETCH_MAX:
        raise ChangeError(
            "ends_at",
            f"超过{STRETCH_MAX.days}天的变动请重新发布值班表。",
            f"A change of more than {STRETCH_MAX.days} days is a new roster: publish one.",
        )


def _stands_during(county: County, post: str, person: str, starts_at: datetime, ends_at: datetime) -> bool:
    moment: datetime | None = starts_at
    while moment is not None and moment < ends_at:
        held = county.who(post, moment)
        if held is not None and held.person.id == person:
            return True
        moment = county.next_change((post,), moment)
    return False
