"""What is wrong with a roster, to the minute, against a scan of every minute; the score and the digest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosters.arrange import leave, stand_in, swap
from rosters.changes import apply
from rosters.county import County
from rosters.findings import Finding, Flaw, Score, Severity, blocking, score, told
from rosters.holidays import DutyYear, Period
from rosters.model import Absence, Override, Person, Phone, Shift
from rosters.quality import examine, readiness
from tests.unit.duty_county import CODE, ZONE, a_shift, duty_county

UNHURRIED = settings(deadline=None)
BEGIN = datetime(2021, 7, 19, tzinfo=UTC)
MINUTES = 240
END = BEGIN + timedelta(minutes=MINUTES)
POSTS = ("t100-duty", "t100-leader", "t102-duty")
PEOPLE = ("p1", "p2", "p3")
ALL = ("p1", "p2", "p3", "p4", "p5", "w1", "w2")


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Shift, ...]:
    shifts = []
    for n in range(draw(st.integers(0, 7))):
        start = draw(st.integers(-60, MINUTES))
        person, deputy = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(("", *PEOPLE)))
        shifts.append(
            Shift(
                id=f"s{n}",
                post=draw(st.sampled_from(POSTS)),
                person=person,
                deputy="" if deputy == person else deputy,
                starts_at=BEGIN + timedelta(minutes=start),
                ends_at=BEGIN + timedelta(minutes=start + draw(st.integers(1, 150))),
            )
        )
    return tuple(shifts)


def minutes_of(findings: Iterable[Finding], flaw: Flaw) -> set[tuple[int, str, str]]:
    """Every minute in which a flaw was found, with the post or the person it is about."""
    told_minutes = set()
    for one in findings:
        if one.flaw is flaw:
            assert one.starts_at is not None
            assert one.ends_at is not None
            first, last = ((bound - BEGIN) // timedelta(minutes=1) for bound in (one.starts_at, one.ends_at))
            subject = one.people[0] if flaw is Flaw.TWO_PLACES else one.posts[0]
            told_minutes |= {(minute, flaw.value, subject) for minute in range(first, last)}
    return told_minutes


def running(shifts: Iterable[Shift], minute: int) -> list[Shift]:
    at = BEGIN + timedelta(minutes=minute)
    return [shift for shift in shifts if shift.starts_at <= at < shift.ends_at]


@given(rosters())
@UNHURRIED
def test_gaps_are_exactly_the_minutes_in_which_nobody_is_on_shift(shifts: tuple[Shift, ...]) -> None:
    county = duty_county(shifts)
    scanned = {
        (minute, "gap", post)
        for minute in range(MINUTES)
        for post in county.posts
        if not any(shift.post == post for shift in running(shifts, minute))
    }
    assert minutes_of(examine(county, BEGIN, END), Flaw.GAP) == scanned


@given(rosters())
@UNHURRIED
def test_overlaps_are_exactly_the_minutes_in_which_two_shifts_of_a_post_run(shifts: tuple[Shift, ...]) -> None:
    scanned = {
        (minute, "overlap", post)
        for minute in range(MINUTES)
        for post in POSTS
        if sum(shift.post == post for shift in running(shifts, minute)) > 1
    }
    assert minutes_of(examine(duty_county(shifts), BEGIN, END), Flaw.OVERLAP) == scanned


@given(rosters())
@UNHURRIED
def test_two_places_are_exactly_the_minutes_in_which_one_person_stands_at_two_posts(
    shifts: tuple[Shift, ...],
) -> None:
    scanned = {
        (minute, "two_places", person)
        for minute in range(MINUTES)
        for person in PEOPLE
        if len({shift.post for shift in running(shifts, minute) if person in (shift.person, shift.deputy)}) > 1
    }
    assert minutes_of(examine(duty_county(shifts), BEGIN, END), Flaw.TWO_PLACES) == scanned


@given(rosters(), st.integers(30, 200))
@UNHURRIED
def test_too_long_is_exactly_who_holds_posts_for_more_minutes_on_end_than_allowed(
    shifts: tuple[Shift, ...], allowed: int
) -> None:
    found = examine(duty_county(shifts), BEGIN, END, year=DutyYear(duty_h_max=allowed / 60))
    scanned = set()
    for person in PEOPLE:
        run: list[int] = []
        for minute in range(-61, MINUTES + 152):
            if any(shift.person == person for shift in running(shifts, minute)):
                run.append(minute)
                continue
            if len(run) > allowed and run[0] < MINUTES and run[-1] >= 0:
                scanned.add((person, run[0], run[-1] + 1))
            run = []
    told_spans = {
        (one.people[0], *((bound - BEGIN) // timedelta(minutes=1) for bound in (one.starts_at, one.ends_at) if bound))
        for one in found
        if one.flaw is Flaw.TOO_LONG
    }
    assert told_spans == scanned


@given(rosters())
@UNHURRIED
def test_the_score_is_a_hundred_less_its_costs_and_never_below_nothing(shifts: tuple[Shift, ...]) -> None:
    given_score = score(examine(duty_county(shifts), BEGIN, END))
    assert given_score.points == max(0, 100 - sum(points for _, _, points in given_score.costs))
    assert 0 <= given_score.points <= 100


def whole_day(county_posts: Iterable[str], days: int = 16) -> list[Shift]:
    people = ("p1", "p2", "p3", "p4", "p5", "w1", "w2")
    return [
        a_shift(post, people[(place + day) % len(people)], f"2021-07-{day + 1:02d}T08:00")
        for day in range(days)
        for place, post in enumerate(sorted(county_posts))
    ]


@pytest.fixture
def sound() -> County:
    return duty_county(whole_day(duty_county().posts))


AT = datetime(2021, 7, 1, 8, tzinfo=ZONE)
ALL_LEAD = DutyYear(leaders={"county": ALL, "t100": (), "t102": ()})


def test_a_sound_roster_has_a_full_score_and_nothing_to_say(sound: County) -> None:
    # Whoever holds one post on Monday holds the next on Tuesday here, so the long stretches are allowed for.
    found = examine(sound, AT, AT + timedelta(days=14), year=ALL_LEAD.model_copy(update={"duty_h_max": 700}))
    assert found == ()
    assert score(found) == Score(100, ())


def test_the_digest_says_nothing_when_all_is_well() -> None:
    people = {f"q{n}": (f"人{n}", f"+86138000001{n:02d}") for n in range(12)}
    posts = sorted(duty_county().posts)
    shifts = [
        a_shift(post, f"q{2 * place + day % 2}", f"2021-07-{day + 1:02d}T08:00")
        for day in range(15)
        for place, post in enumerate(posts)
    ]
    assert readiness(duty_county(shifts, people), AT) == ()


def test_the_digest_names_the_hole_with_its_hours_and_its_post(sound: County) -> None:
    holed = [shift for shift in sound.shifts if shift.id != "t100-duty@2021-07-05T08:00"]
    lines = readiness(duty_county(holed), AT)
    assert lines[0] == "无人值班：溪口镇值班员（t100-duty），2021-07-05 08:00 – 2021-07-06 08:00"
    assert readiness(duty_county(holed), AT, language="en")[0].startswith("nobody on duty: t100-duty")


def test_a_long_digest_is_cut_and_says_how_much_more_there_is() -> None:
    shifts = [
        a_shift("t100-duty", "p1", f"2021-07-{day:02d}T{hour}:00", 1) for day in range(1, 15) for hour in (10, 15)
    ]
    lines = readiness(duty_county(shifts), AT)
    assert len(lines) == 21
    assert lines[-1].startswith("……还有")


def with_phones(**phones: tuple[Phone, ...]) -> County:
    base = duty_county()
    return County(
        CODE,
        "禾溪县",
        ZONE,
        base.regions.values(),
        base.units.values(),
        base.posts.values(),
        [Person(id=key, name=key, phones=owned) for key, owned in phones.items()],
        [a_shift(post, person, "2021-07-01T08:00") for post, person in zip(sorted(base.posts), phones, strict=False)],
    )


LANDLINE = Phone(number="+869163210000", kind="landline", verified=True)
MOBILE = Phone(number="+8613800000001", verified=True)


@pytest.mark.parametrize(
    ("phones", "flaw"),
    [
        ((), Flaw.NO_PHONE),
        ((LANDLINE,), Flaw.LANDLINE_ONLY),
        ((LANDLINE, MOBILE), None),
        ((Phone(number="+8613800000001", verified=False),), Flaw.UNVERIFIED),
    ],
)
def test_phones_that_would_fail_a_night_are_found(phones: tuple[Phone, ...], flaw: Flaw | None) -> None:
    found = {one.flaw for one in examine(with_phones(p1=phones), AT, AT + timedelta(days=1), year=ALL_LEAD)}
    # Nobody is here but p1: the other posts are empty, and the leaders' list names people whom this county has not.
    found -= {Flaw.GAP, Flaw.LEADERS_UNKNOWN}
    assert found == ({flaw} if flaw else set())


def test_a_landline_is_enough_where_nothing_is_texted() -> None:
    found = examine(with_phones(p1=(LANDLINE,)), AT, AT + timedelta(days=1), texted=lambda post: False)
    assert Flaw.LANDLINE_ONLY not in {one.flaw for one in found}


def test_a_shared_mobile_is_told_but_costs_nothing_and_a_shared_landline_is_meant() -> None:
    found = examine(with_phones(p1=(LANDLINE, MOBILE), p2=(LANDLINE, MOBILE)), AT, AT + timedelta(days=1))
    shared = [one for one in found if one.flaw is Flaw.SHARED_PHONE]
    assert [one.people for one in shared] == [("p1", "p2")]
    assert (Flaw.SHARED_PHONE, 1, 0) in score(found).costs


def test_no_line_holds_a_phone_number() -> None:
    county = with_phones(p1=(MOBILE,), p2=(MOBILE,))
    lines = [told(one, county) for one in examine(county, AT, AT + timedelta(days=1))]
    assert "138" not in "".join(lines)


def test_a_score_explains_each_cost() -> None:
    found = [Finding(Flaw.GAP)] * 7 + [Finding(Flaw.UNVERIFIED)]
    assert score(found).explained() == (
        "得分 39/100",
        "无人值班 7 处，每处 10 分：−60（已到上限）",
        "电话未核实 1 处，每处 1 分：−1",
    )


# Changes on top, entitlement, special periods


def minutes_from(at: datetime) -> int:
    return (at - BEGIN) // timedelta(minutes=1)


@st.composite
def changed_counties(draw: st.DrawFn) -> County:
    """A roster with overrides and absences on top, as changes make them."""
    county = duty_county(draw(rosters()))
    spans = [
        (start, start + draw(st.integers(1, 120)), draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(POSTS)))
        for start in draw(st.lists(st.integers(-30, MINUTES), max_size=4))
    ]
    overrides, absences = [], []
    for n, (start, end, person, post) in enumerate(spans):
        begins, ends = BEGIN + timedelta(minutes=start), BEGIN + timedelta(minutes=end)
        if draw(st.booleans()):
            absences.append(Absence(person=person, starts_at=begins, ends_at=ends))
        else:
            overrides.append(
                Override(id=f"o{n}", post=post, person=person, starts_at=begins, ends_at=ends, why="stand_in")
            )
    return county.changed(overrides, absences, "changed")


@given(changed_counties())
@UNHURRIED
def test_every_minute_that_nobody_holds_is_found_exactly_once_as_a_gap_or_as_a_leave(county: County) -> None:
    found = examine(county, BEGIN, END)
    gaps, leaves = minutes_of(found, Flaw.GAP), minutes_of(found, Flaw.ON_LEAVE)
    counted = sum(
        minutes_from(one.ends_at) - minutes_from(one.starts_at)
        for one in found
        if one.flaw in (Flaw.GAP, Flaw.ON_LEAVE) and one.starts_at and one.ends_at
    )
    covered = {
        (minute, post)
        for minute in range(MINUTES)
        for post in county.posts
        if county.who(post, BEGIN + timedelta(minutes=minute)) is not None
    }
    told_minutes = [(minute, post) for minute, _, post in (*gaps, *leaves)]
    assert len(told_minutes) == len(set(told_minutes)) == counted
    assert len(covered) + counted == MINUTES * len(county.posts)
    assert covered.isdisjoint(told_minutes)


@given(changed_counties())
@UNHURRIED
def test_two_places_and_long_duty_count_who_is_really_there_after_all_changes(county: County) -> None:
    allowed_min = 90
    found = examine(county, BEGIN, END, year=DutyYear(duty_h_max=allowed_min / 60))
    at = [BEGIN + timedelta(minutes=minute) for minute in range(MINUTES)]
    long_ones = {one.people[0] for one in found if one.flaw is Flaw.TOO_LONG}
    for person in PEOPLE:
        there = [
            any(held is not None and held.person.id == person for held in (county.who(post, moment) for post in POSTS))
            for moment in at
        ]
        longest = max((len(run) for run in "".join("x" if here else " " for here in there).split()), default=0)
        if longest > allowed_min:
            assert person in long_ones


def test_a_leave_without_a_stand_in_blocks_and_names_the_minutes_and_the_person(sound: County) -> None:
    holder = sound.who("t100-duty", AT + timedelta(days=4))
    assert holder is not None
    away = leave(
        sound,
        holder.person.id,
        datetime(2021, 7, 5, 20, 30, tzinfo=ZONE),
        datetime(2021, 7, 6, 6, 15, tzinfo=ZONE),
        agreed_by=leader_name(sound, AT),
        why="就医",
        at=AT,
    )
    (line,) = [told(one, sound) for one in blocking(examine(apply(sound, [away]), AT, AT + timedelta(days=14)))]
    who = f"{holder.person.name}（{holder.person.id}）"
    span = "2021-07-05 20:30 – 2021-07-06 06:15"
    assert line == f"请假期间排了班，无人顶班：{who}，溪口镇值班员（t100-duty），{span}"


def test_a_leave_with_a_stand_in_is_no_fault(sound: County) -> None:
    begins, ends = datetime(2021, 7, 5, 20, 30, tzinfo=ZONE), datetime(2021, 7, 6, 6, 15, tzinfo=ZONE)
    holder = sound.who("t100-duty", begins)
    assert holder is not None
    agreed = {"agreed_by": leader_name(sound, AT), "why": "就医", "at": AT}
    spare = next(person for person in ALL if person != holder.person.id)
    away = leave(sound, holder.person.id, begins, ends, **agreed)
    filled = stand_in(sound, "t100-duty", spare, starts_at=begins, ends_at=ends, asked_by="x", **agreed)
    assert not blocking(examine(apply(sound, [away, filled]), AT, AT + timedelta(days=14)))


def test_a_swap_that_puts_somebody_in_two_places_is_found() -> None:
    shifts = [
        a_shift("t100-duty", "p1", "2021-07-02T08:00"),
        a_shift("t100-duty", "p2", "2021-07-04T08:00"),
        a_shift("t102-duty", "p2", "2021-07-02T08:00"),
    ]
    county = duty_county(shifts)
    change = swap(
        county, "t100-duty", shifts[0].starts_at, shifts[1].starts_at, asked_by="p1", agreed_by="x", why="y", at=AT
    )
    before, after = (
        {one.people for one in examine(each, AT, AT + timedelta(days=5)) if one.flaw is Flaw.TWO_PLACES}
        for each in (county, apply(county, [change]))
    )
    assert (before, after) == (set(), {("p2",)})


def leader_name(county: County, at: datetime) -> str:
    held = county.who("c-leader", at)
    return held.person.name if held else "领导"


@pytest.mark.parametrize(
    ("leaders", "found"),
    [
        ({"t100": ("p1",)}, set()),
        ({"t100": ("p2",)}, {("p1",)}),
        ({"t100": ("p2",), "county": ("p1",)}, set()),
        ({"t100": (), "t102": ("p1",)}, {("p1",)}),
    ],
    ids=["on the list", "not on it", "leads the superior unit", "leads a unit beside"],
)
def test_a_leader_on_duty_is_on_the_list_of_the_unit_or_of_one_above(
    leaders: dict[str, tuple[str, ...]], found: set[tuple[str, ...]]
) -> None:
    county = duty_county([a_shift("t100-leader", "p1", "2021-07-01T08:00")])
    looked = examine(county, AT, AT + timedelta(days=1), year=DutyYear(leaders=leaders))
    assert {one.people for one in looked if one.flaw is Flaw.NOT_ENTITLED} == found


def test_leaders_posts_without_a_list_are_named_and_nobody_is_judged() -> None:
    county = duty_county([a_shift("t100-leader", "p1", "2021-07-01T08:00")])
    looked = examine(county, AT, AT + timedelta(days=1), year=DutyYear(leaders={"county": ()}))
    assert [one.posts for one in looked if one.flaw is Flaw.LEADERS_UNKNOWN] == [("t100-leader", "t102-leader")]
    assert Flaw.NOT_ENTITLED not in {one.flaw for one in looked}


def test_an_id_on_a_list_that_is_nobodys_is_named() -> None:
    county = duty_county([a_shift("t100-leader", "p1", "2021-07-01T08:00")])
    leaders = {"county": (), "t100": ("p1", "p99"), "t102": (), "t999": ()}
    looked = examine(county, AT, AT + timedelta(days=1), year=DutyYear(leaders=leaders))
    (line,) = [told(one, county) for one in looked if one.flaw is Flaw.LEADERS_UNKNOWN]
    assert line.endswith("duty_year.yaml: p99, t999?")


FESTIVAL = Period(name="国庆", first=date(2021, 7, 2), last=date(2021, 7, 3))


def test_a_special_period_wants_two_officers_and_says_which_hours_lack_one() -> None:
    county = duty_county(
        [
            a_shift("t100-duty", "p1", "2021-07-01T08:00"),
            a_shift("t100-duty", "p2", "2021-07-02T08:00", deputy="p3"),
            a_shift("t100-duty", "p4", "2021-07-03T08:00"),
        ]
    )
    looked = examine(county, AT, AT + timedelta(days=9), year=DutyYear(periods=(FESTIVAL,)))
    lines = [told(one, county) for one in looked if one.flaw is Flaw.UNDERSTAFFED]
    assert lines == [
        "重要时段值班人数不足：张三（p1），溪口镇值班员（t100-duty），2021-07-02 00:00 – 2021-07-02 08:00，国庆 1/2",
        "重要时段值班人数不足：赵敏（p4），溪口镇值班员（t100-duty），2021-07-03 08:00 – 2021-07-04 00:00，国庆 1/2",
    ]
    assert all(one.flaw.severity is Severity.BLOCKS for one in looked if one.flaw is Flaw.UNDERSTAFFED)


@pytest.mark.parametrize(("own", "found"), [((MOBILE,), {Flaw.NOT_IN_ROOM}), ((MOBILE, LANDLINE), set())])
def test_in_a_special_period_the_room_s_phone_rings_for_the_leader_too(
    own: tuple[Phone, ...], found: set[Flaw]
) -> None:
    officer = Phone(number="+8613800000009")
    county = at_room(leader=own, officer=(LANDLINE, officer))
    looked = examine(county, AT, AT + timedelta(days=3), year=DutyYear(periods=(FESTIVAL,)))
    assert {one.flaw for one in looked} & {Flaw.NOT_IN_ROOM} == found


def at_room(leader: tuple[Phone, ...], officer: tuple[Phone, ...]) -> County:
    base = duty_county()
    return County(
        CODE,
        "禾溪县",
        ZONE,
        base.regions.values(),
        base.units.values(),
        base.posts.values(),
        [Person(id="leader", name="领导", phones=leader), Person(id="officer", name="值班员", phones=officer)],
        [
            a_shift("t100-leader", "leader", "2021-07-02T08:00"),
            a_shift("t100-duty", "officer", "2021-07-02T08:00"),
        ],
    )
