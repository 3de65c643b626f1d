"""Who was on duty at a time, as it had been published then: against the roster itself, and through the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.duty.publishing import keep_telling, publish, who_was
from agents.duty.record import end_change, record_change
from rosters.arrange import leave, stand_in
from rosters.changes import Change, ChangeError, ChangeKind, Stretch, apply
from rosters.county import County
from rosters.findings import Finding, Flaw
from rosters.ledger import ROSTER_SNAPSHOTS, ROSTER_VERSIONS
from rosters.past import Because, who_then
from rosters.versions import snapshot_of
from streams.ledger.memory import MemoryLedger
from streams.wiring import TABLES
from tests.small_county import FIRST_SHIFT, small_county
from tests.unit.duty_county import a_shift, duty_county

UNHURRIED = settings(deadline=None)
DUTY, HEAD = "t100-duty", "v201-head"
POSTS = (DUTY, "t102-duty", HEAD, "v202-head", "no-such-post")
FIRST, SECOND, OTHER = f"{DUTY}-1", f"{DUTY}-2", "c-leader-2"
PEOPLE = (FIRST, SECOND, OTHER, HEAD, f"{HEAD}-b", "somebody-gone")
START = FIRST_SHIFT + timedelta(hours=1)
SPAN_MIN = 300


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TABLES)


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    made = []
    for n in range(draw(st.integers(0, 5))):
        begins = draw(st.integers(0, SPAN_MIN))
        kind = draw(st.sampled_from((ChangeKind.STAND_IN, ChangeKind.LEAVE, ChangeKind.HELD_OVER)))
        stretch = Stretch(
            post="" if kind is ChangeKind.LEAVE else draw(st.sampled_from(POSTS[:4])),
            person=draw(st.sampled_from(PEOPLE)),
            starts_at=START + timedelta(minutes=begins),
            ends_at=START + timedelta(minutes=begins + draw(st.integers(1, 120))),
        )
        ended = draw(st.none() | st.integers(0, 120))
        made.append(
            Change(
                kind=kind,
                stretches=(stretch,),
                asked_by="x",
                agreed_by="y",
                why=str(n),
                at=START,
                ended_at=None if ended is None else stretch.starts_at + timedelta(minutes=ended),
            )
        )
    return made


@given(changes(), st.sampled_from(POSTS), st.integers(0, 23 * 60))
@UNHURRIED
def test_what_was_kept_of_a_version_answers_as_the_roster_itself_did(
    made: list[Change], post: str, minute: int
) -> None:
    county = small_county()
    at = START + timedelta(minutes=minute)
    held = apply(county, made).who(post, at)
    answer = who_then(snapshot_of(county, START), made, post, at)
    assert answer.person == (held.person.id if held else "")
    if held is not None:
        assert answer.because.value == held.why


def publish_at(ledger: MemoryLedger, county: County, at: datetime, despite: str = "", faults: tuple[Finding, ...] = ()):
    return ledger.step(lambda step: publish(step, county, faults, by="周主任", now=at, despite=despite))


def asked(ledger: MemoryLedger, at: datetime, known_at: datetime, post: str = DUTY) -> tuple[str, str, int] | None:
    answer = ledger.step(lambda step: who_was(step, post, at, known_at))
    return (answer.person, answer.because.value, answer.version) if answer else None


def test_a_later_version_changes_nothing_of_what_was_published_then(ledger: MemoryLedger) -> None:
    at = datetime(2021, 7, 2, 2, tzinfo=UTC)
    first = duty_county([a_shift(DUTY, "p1", "2021-07-01T08:00", 48)])
    second = duty_county([a_shift(DUTY, "p2", "2021-07-01T08:00", 48)])
    publish_at(ledger, first, at)
    later = at + timedelta(hours=5)
    publish_at(ledger, second, later)

    assert asked(ledger, at + timedelta(hours=1), known_at=later + timedelta(days=30)) == ("p1", "shift", 1)
    assert asked(ledger, later + timedelta(hours=1), known_at=later + timedelta(days=30)) == ("p2", "shift", 2)
    assert asked(ledger, later + timedelta(hours=1), known_at=at) == ("p1", "shift", 1)


def test_before_anything_was_published_nobody_can_say(ledger: MemoryLedger) -> None:
    publish_at(ledger, small_county(), START)

    assert asked(ledger, START - timedelta(hours=1), known_at=START + timedelta(days=9)) is None
    assert asked(ledger, START + timedelta(hours=1), known_at=START - timedelta(minutes=1)) is None
    assert asked(ledger, START + timedelta(days=400), known_at=START + timedelta(days=1)) is None


def test_a_change_counts_from_when_it_was_known_and_until_it_was_known_to_have_ended(ledger: MemoryLedger) -> None:
    county = small_county()
    publish_at(ledger, county, START)
    made_at, ended_at = START + timedelta(hours=2), START + timedelta(hours=4)
    noon = START + timedelta(hours=5)
    words = {"asked_by": FIRST, "agreed_by": "t100-leader-1", "why": "就医"}
    change = stand_in(county, DUTY, OTHER, starts_at=noon - timedelta(hours=2), at=made_at, **words)
    row = ledger.step(lambda step: record_change(step, county, change, by="t", now=made_at))
    ledger.step(lambda step: end_change(step, row.id, by="t", now=ended_at, why="回来了"))

    assert asked(ledger, noon, known_at=made_at - timedelta(minutes=1)) == (FIRST, "shift", 1)
    assert asked(ledger, noon, known_at=made_at) == (OTHER, "stand_in", 1)
    assert asked(ledger, noon, known_at=ended_at) == (FIRST, "shift", 1)
    assert asked(ledger, ended_at - timedelta(minutes=1), known_at=noon) == (OTHER, "stand_in", 1)


def test_nobody_because_of_a_leave_is_told_apart_from_nobody_at_all(ledger: MemoryLedger) -> None:
    county = small_county(vacant=["t102-duty"])
    publish_at(ledger, county, START)
    away = leave(county, FIRST, START, START + timedelta(hours=9), agreed_by="t100-leader-1", why="就医", at=START)
    ledger.step(lambda step: record_change(step, county, away, by="t", now=START))

    at = START + timedelta(hours=1)
    answer = ledger.step(lambda step: who_was(step, DUTY, at, at))
    assert answer is not None
    assert (answer.because, answer.away) == (Because.ON_LEAVE, FIRST)
    assert asked(ledger, at, at, "t102-duty") == ("", "nobody", 1)
    assert asked(ledger, at, at, "no-such-post") == ("", "no_such_post", 1)


def test_a_version_that_runs_on_by_its_pattern_is_still_told_next_spring(ledger: MemoryLedger) -> None:
    """Of a pattern each loading knows only so many days: what it says is kept again before that runs out."""

    def loaded(day: int) -> County:
        shifts = [
            a_shift(DUTY, f"p{1 + n % 5}", f"{datetime(2021, 7, 1) + timedelta(days=n):%Y-%m-%dT08:00}")  # noqa: DTZ001
            for n in range(day, day + 100)
        ]
        county = duty_county(shifts)
        return county.changed((), (), "the same files")

    start = datetime(2021, 7, 1, 1, tzinfo=UTC)
    publish_at(ledger, loaded(0), start)
    kept = [
        ledger.step(lambda step, day=day: keep_telling(step, loaded(day), start + timedelta(days=day)))
        for day in (1, 27, 28, 40, 56)
    ]

    assert kept == [False, False, True, False, True]
    assert len(ledger.step(lambda step: step.find(ROSTER_SNAPSHOTS))) == 3
    spring = start + timedelta(days=140)
    assert asked(ledger, spring, known_at=spring) == ("p1", "shift", 1)
    assert asked(ledger, spring, known_at=start + timedelta(days=10)) is None


def test_other_files_than_those_published_are_never_told_as_the_version(ledger: MemoryLedger) -> None:
    publish_at(ledger, small_county(), START)
    other = duty_county([a_shift(DUTY, "p1", "2021-07-19T08:00")])
    assert not ledger.step(lambda step: keep_telling(step, other, START + timedelta(days=60)))


GAP = Finding(Flaw.GAP, (DUTY,), (), FIRST_SHIFT, FIRST_SHIFT + timedelta(minutes=7))


def test_a_gap_keeps_a_roster_from_being_published_and_is_named_to_the_minute(ledger: MemoryLedger) -> None:
    with pytest.raises(ChangeError, match="t100-duty），2021-07-19 08:00 – 2021-07-19 08:07"):
        publish_at(ledger, small_county(), START, faults=(GAP,))
    assert ledger.step(lambda step: step.find(ROSTER_VERSIONS)) == []


def test_a_gap_with_a_name_and_a_reason_is_published_and_both_stand_in_the_entry(ledger: MemoryLedger) -> None:
    row = publish_at(ledger, small_county(), START, despite="县值班室代值", faults=(GAP,))
    (entry,) = ledger.step(lambda step: step.entries(row.id))
    assert (entry.by, entry.facts["despite"]) == ("周主任", "县值班室代值")
    assert "08:07" in entry.facts["blocked"][0]


def test_what_only_warns_is_published_and_noted_without_any_reason(ledger: MemoryLedger) -> None:
    row = publish_at(ledger, small_county(), START, faults=(Finding(Flaw.UNVERIFIED, (DUTY,), (FIRST,)),))
    (entry,) = ledger.step(lambda step: step.entries(row.id))
    assert entry.facts["blocked"] == []
    assert "电话未核实" in entry.facts["warned"][0]


def test_nobody_publishes_without_a_name(ledger: MemoryLedger) -> None:
    with pytest.raises(ChangeError, match="由谁发布"):
        ledger.step(lambda step: publish(step, small_county(), (), by=" ", now=START))


def test_what_is_kept_of_a_version_holds_no_phone_number(ledger: MemoryLedger) -> None:
    row = publish_at(ledger, duty_county([a_shift(DUTY, "p1", "2021-07-19T08:00")]), START)
    kept = ledger.step(lambda step: step.raw(row.raw_id))
    assert kept
    assert b"138" not in kept
