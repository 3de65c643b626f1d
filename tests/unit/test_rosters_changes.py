"""Changes on top of a roster: who holds a post under them, exactly, and which changes are refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosters.arrange import hold_over, leave, stand_in, swap
from rosters.changes import Change, ChangeError, ChangeKind, Stretch, apply, uncovered
from rosters.county import County
from tests.small_county import FIRST_SHIFT, small_county

UNHURRIED = settings(deadline=None)
DUTY, LEADER = "t100-duty", "t100-leader"
FIRST, SECOND, OTHER = f"{DUTY}-1", f"{DUTY}-2", "c-leader-2"
AGREED = {"asked_by": "t100-duty-1", "agreed_by": f"{LEADER}-1", "why": "家中有事"}
NOON = FIRST_SHIFT + timedelta(hours=4)
SECOND_SHIFT = FIRST_SHIFT + timedelta(days=1)
PEOPLE = (FIRST, SECOND, "c-duty-1", "c-main")
SPAN_MIN = 240


@pytest.fixture(scope="module")
def county() -> County:
    return small_county()


def holder(county: County, at: datetime, post: str = DUTY) -> tuple[str, str]:
    held = county.who(post, at)
    return (held.person.id, held.why) if held else ("", "nobody")


def minute(n: int) -> datetime:
    return FIRST_SHIFT - timedelta(hours=1) + timedelta(minutes=n)


def test_a_stand_in_holds_the_post_exactly_within_its_bounds(county: County):
    until = NOON + timedelta(hours=2)
    changed = apply(county, [stand_in(county, DUTY, OTHER, starts_at=NOON, ends_at=until, at=FIRST_SHIFT, **AGREED)])
    assert holder(changed, NOON - timedelta(microseconds=1)) == (FIRST, "shift")
    assert holder(changed, NOON) == (OTHER, "stand_in")
    assert holder(changed, until - timedelta(microseconds=1)) == (OTHER, "stand_in")
    assert holder(changed, until) == (FIRST, "shift")


def test_the_published_roster_itself_stays_as_it_was(county: County):
    apply(county, [stand_in(county, DUTY, OTHER, at=NOON, **AGREED)])
    assert holder(county, NOON) == (FIRST, "shift")


def test_a_changed_roster_has_a_version_of_its_own(county: County):
    change = stand_in(county, DUTY, OTHER, at=NOON, **AGREED)
    changed = apply(county, [change])
    assert changed.version != county.version
    assert apply(county, [change]).version == changed.version


def test_a_stand_in_without_an_end_stays_to_the_end_of_the_shift(county: County):
    changed = apply(county, [stand_in(county, DUTY, OTHER, at=NOON, **AGREED)])
    assert holder(changed, SECOND_SHIFT - timedelta(seconds=1)) == (OTHER, "stand_in")
    assert holder(changed, SECOND_SHIFT) == (SECOND, "shift")


def test_no_change_reaches_back_before_it_was_made(county: County):
    change = stand_in(county, DUTY, OTHER, starts_at=FIRST_SHIFT, at=NOON, **AGREED)
    assert change.stretches[0].starts_at == NOON


def test_a_swap_exchanges_two_whole_shifts(county: County):
    before = FIRST_SHIFT - timedelta(hours=3)
    by = {**AGREED, "agreed_by": "县领导"}
    changed = apply(county, [swap(county, DUTY, NOON, NOON + timedelta(days=1), at=before, **by)])
    assert holder(changed, FIRST_SHIFT) == (SECOND, "swap")
    assert holder(changed, SECOND_SHIFT - timedelta(seconds=1)) == (SECOND, "swap")
    assert holder(changed, SECOND_SHIFT) == (FIRST, "swap")


def test_a_swap_of_a_shift_that_has_begun_is_refused(county: County):
    with pytest.raises(ChangeError, match="换班须提前"):
        swap(county, DUTY, NOON, NOON + timedelta(days=1), at=NOON, **AGREED)


def test_a_change_needs_the_word_of_the_leader_on_duty_by_name(county: County):
    for nobody in ("", "路人", f"{LEADER}-2"):
        with pytest.raises(ChangeError, match=f"{LEADER}-1"):
            stand_in(county, DUTY, OTHER, at=NOON, **{**AGREED, "agreed_by": nobody})


def test_a_stand_in_nobody_knows_is_refused_and_so_is_one_who_is_on_duty_already(county: County):
    with pytest.raises(ChangeError, match="没有“张三”"):
        stand_in(county, DUTY, "张三", at=NOON, **AGREED)
    with pytest.raises(ChangeError, match="本来就在岗"):
        stand_in(county, DUTY, FIRST, at=NOON, **AGREED)


def test_who_is_on_leave_holds_nothing_and_the_hole_is_named(county: County):
    until = NOON + timedelta(hours=3)
    change = leave(county, FIRST, NOON, until, at=NOON, agreed_by=f"{LEADER}-1", why="就医")
    changed = apply(county, [change])
    assert holder(changed, NOON) == ("", "nobody")
    assert uncovered(changed, change) == ((DUTY, NOON, until),)
    filled = apply(changed, [stand_in(changed, DUTY, OTHER, starts_at=NOON, ends_at=until, at=NOON, **AGREED)])
    assert uncovered(filled, change) == ()


def test_the_deputy_holds_a_standing_post_whose_holder_is_away(county: County):
    change = leave(county, "v201-head", NOON, NOON + timedelta(days=3), at=NOON, agreed_by=f"{LEADER}-1", why="外出")
    changed = apply(county, [change])
    assert holder(changed, NOON, "v201-head") == ("v201-head-b", "deputy")
    assert changed.who("v201-head", NOON, "deputy") is None
    assert uncovered(changed, change) == ()


def test_who_is_not_relieved_is_held_over_and_the_relief_stands_beside(county: County):
    late = SECOND_SHIFT + timedelta(minutes=10)
    change = hold_over(county, DUTY, SECOND_SHIFT, why="接班人未到", at=late)
    changed = apply(county, [change])
    assert holder(changed, late) == (FIRST, "held_over")
    assert changed.who(DUTY, late, "deputy").person.id == SECOND
    relieved = apply(county, [change.model_copy(update={"ended_at": late + timedelta(minutes=5)})])
    assert holder(relieved, late + timedelta(minutes=5)) == (SECOND, "shift")


def test_nobody_is_held_over_where_nobody_was_on_duty():
    county = small_county(vacant=[DUTY])
    assert hold_over(county, DUTY, SECOND_SHIFT, why="", at=SECOND_SHIFT + timedelta(minutes=10)) is None


def test_a_change_is_the_next_time_at_which_a_post_changes_hands(county: County):
    changed = apply(county, [stand_in(county, DUTY, OTHER, starts_at=NOON, at=FIRST_SHIFT, **AGREED)])
    assert changed.next_change([DUTY], FIRST_SHIFT) == NOON
    assert county.next_change([DUTY], FIRST_SHIFT) == SECOND_SHIFT


def test_the_phone_of_a_stand_in_is_the_phone_of_the_post(county: County):
    changed = apply(county, [stand_in(county, DUTY, OTHER, at=NOON, **AGREED)])
    assert DUTY in changed.posts_of_number(f"sim:{OTHER}", NOON)
    assert DUTY not in changed.posts_of_number(f"sim:{FIRST}", NOON)


bounds = st.tuples(st.integers(0, SPAN_MIN), st.integers(1, SPAN_MIN)).map(lambda pair: (pair[0], sum(pair)))
kinds = st.sampled_from([ChangeKind.STAND_IN, ChangeKind.LEAVE])
changes = st.lists(st.tuples(kinds, bounds, st.sampled_from(PEOPLE)), max_size=6).map(
    lambda rows: [made(n, *row) for n, row in enumerate(rows)]
)


def made(n: int, kind: ChangeKind, within: tuple[int, int], person: str) -> Change:
    starts_at, ends_at = minute(within[0]), minute(within[1])
    post = "" if kind is ChangeKind.LEAVE else DUTY
    stretch = Stretch(post=post, person=person, starts_at=starts_at, ends_at=ends_at)
    return Change(kind=kind, stretches=(stretch,), asked_by="a", agreed_by="b", why=str(n), at=minute(0))


def scan(county: County, rows: list[Change], at: datetime) -> str:
    """The rule said plainly: the stand-in named last, else the shift's person unless away, else nobody."""
    on_top = [row for row in rows if row.stretches[0].starts_at <= at < row.stretches[0].ends_at]
    for row in reversed(on_top):
        if row.kind is ChangeKind.STAND_IN:
            return row.stretches[0].person
    shift = county.shift(DUTY, at)
    away = {row.stretches[0].person for row in on_top if row.kind is ChangeKind.LEAVE}
    return shift.person if shift and shift.person not in away else ""


@given(changes)
@UNHURRIED
def test_every_minute_is_held_by_whom_a_plain_scan_finds(rows: list[Change]):
    county = small_county()
    changed = apply(county, rows)
    for n in range(0, 2 * SPAN_MIN + 2, 1):
        assert holder(changed, minute(n))[0] == scan(county, rows, minute(n))


@given(changes)
@UNHURRIED
def test_gaps_are_exactly_the_minutes_nobody_holds(rows: list[Change]):
    changed = apply(small_county(), rows)
    gaps = changed.gaps(DUTY, minute(0), minute(2 * SPAN_MIN))
    for n in range(2 * SPAN_MIN):
        in_gap = any(start <= minute(n) < end for start, end in gaps)
        assert in_gap == (changed.who(DUTY, minute(n)) is None)


def test_who_is_held_over_is_free_when_a_stand_in_that_was_agreed_before_begins(county: County):
    evening = SECOND_SHIFT + timedelta(hours=12)
    agreed = {**AGREED, "agreed_by": f"{LEADER}-1"}
    coming = apply(county, [stand_in(county, DUTY, OTHER, starts_at=evening, at=NOON, **agreed)])
    late = SECOND_SHIFT + timedelta(minutes=10)
    changed = apply(coming, [hold_over(coming, DUTY, SECOND_SHIFT, why="接班人未到", at=late)])
    assert holder(changed, evening - timedelta(microseconds=1)) == (FIRST, "held_over")
    assert holder(changed, evening) == (OTHER, "stand_in")
