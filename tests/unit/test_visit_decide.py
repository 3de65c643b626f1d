"""How a visit list grows, is handed over and is worked off, whatever order its letters come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agents.facts import Facts
from agents.plan.state import Round
from agents.visit.decide import VisitReason, decide, decide_due
from agents.visit.state import ItemState, VisitList
from config.load import load_rules
from streams.letters import Move, OpenCallouts, VisitNeeded, VisitSettled, VisitTaken
from streams.words import Colour
from tests.small_county import small_county

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
LIST = "real|visit|1"
FACTS = Facts(small_county(), load_rules())
KNOBS = FACTS.book.knobs
GATHER = timedelta(seconds=KNOBS.visit_gather_s)
KNOCK = timedelta(seconds=KNOBS.visit_knock_s)
ROUND = Round(
    id="real|round|1",
    realm="real",
    chain_id="real|chain|1",
    cause_id="c",
    move=Move.OPENED,
    hazard="rainstorm",
    colour=Colour.RED,
    opened_at=NOW,
)


def needed(name: str, at: datetime = NOW, *, unit: str = "t100") -> VisitNeeded:
    return VisitNeeded(
        visit_id=LIST,
        round_id=ROUND.id,
        unit_id=unit,
        callout_id=name,
        post_id="v201-head",
        place=f"{name}村",
        why="no_answer",
        at=at,
    )


def settled(name: str, at: datetime = NOW) -> VisitSettled:
    return VisitSettled(visit_id=LIST, callout_id=name, why="confirmed", at=at)


def told(visit: VisitList | None, message, at: datetime = NOW, listed: bool = True):
    decision = decide(visit, message, at, FACTS, lambda _: ROUND, lambda _: LIST if listed else "")
    return decision.state or visit


def handed_over(*names: str) -> VisitList:
    visit = None
    for name in names:
        visit = told(visit, needed(name))
    return decide_due(visit, 0, NOW + GATHER, FACTS).state


def test_the_first_place_opens_the_list_and_waits_for_others_to_gather():
    visit = told(None, needed("a"))
    assert [item.state for item in visit.items] == [ItemState.WAITING]
    assert visit.due_at == NOW + GATHER


def test_a_place_is_listed_once():
    assert len(told(told(None, needed("a")), needed("a")).items) == 1


def test_a_place_that_was_answered_before_its_letter_was_read_is_not_listed():
    decision = decide(None, needed("a"), NOW, FACTS, lambda _: ROUND, lambda _: "")
    assert (decision.reason, decision.state) == (VisitReason.ANSWERED_MEANWHILE, None)


def test_a_list_waits_while_calls_of_its_unit_still_ring_but_not_for_ever():
    visit, at = told(None, needed("a")), NOW + GATHER
    waited = 0
    while (decision := decide_due(visit, 5, at, FACTS)).reason is VisitReason.GATHERING:
        visit, at, waited = decision.state, decision.state.due_at, waited + 1
        assert waited < 10
    assert decision.reason is VisitReason.HANDED_OVER


def test_handing_over_rings_the_duty_post_and_tells_its_leader():
    visit = told(None, needed("a"))
    (letter,) = decide_due(visit, 0, NOW + GATHER, FACTS).letters
    assert isinstance(letter.message, OpenCallouts)
    assert [(opening.post_id, opening.mode.value) for opening in letter.message.openings] == [
        ("t100-duty", "call"),
        ("t100-leader", "message"),
    ]


def test_a_second_hand_over_opens_other_callouts_than_the_first():
    first = told(None, needed("a"))
    one = decide_due(first, 0, NOW + GATHER, FACTS)
    second = told(one.state, needed("b", NOW + GATHER), NOW + GATHER)
    two = decide_due(second, 0, NOW + 5 * GATHER, FACTS)
    assert one.letters[0].id != two.letters[0].id
    ids = [opening.callout_id for step in (one, two) for opening in step.letters[0].message.openings]
    assert len(ids) == len(set(ids))


def test_a_later_hand_over_does_not_put_off_the_clock_of_the_earlier_places():
    visit = handed_over("a")
    first_due = visit.due_at
    later = NOW + KNOCK / 2
    visit = told(visit, needed("b", later), later)
    visit = decide_due(visit, 0, later + GATHER, FACTS).state
    assert visit.due_at == first_due


def test_a_place_nobody_reported_from_in_time_is_told_once():
    visit = handed_over("a", "b")
    decision = decide_due(visit, 0, visit.due_at, FACTS)
    assert [item.kind for item in decision.troubles] == ["visit_overdue"] * 2
    assert decision.state.due_at is None


def test_a_list_that_is_worked_off_is_never_due_again():
    visit = handed_over("a")
    assert told(visit, settled("a")).due_at is None


def test_a_place_given_up_again_after_it_was_settled_is_listed_again():
    visit = told(told(handed_over("a"), settled("a")), needed("a"))
    assert [item.state for item in visit.items] == [ItemState.WAITING]
    assert visit.due_at is not None


def test_a_unit_without_a_duty_post_is_told_to_people():
    visit = told(None, needed("a", unit="v201"))
    decision = decide_due(visit, 0, NOW + GATHER, FACTS)
    assert [item.kind for item in decision.troubles] == ["no_duty_post"]
    assert decision.state.due_at is not None


def test_being_taken_or_settled_without_a_list_is_no_error():
    taken = VisitTaken(visit_id=LIST, callout_id="x", by="张", at=NOW)
    for message in (taken, settled("x")):
        assert decide(None, message, NOW, FACTS, lambda _: ROUND, lambda _: "").reason is VisitReason.UNKNOWN_LIST


@given(
    st.lists(
        st.tuples(st.sampled_from(["need", "settle", "due"]), st.sampled_from("abc"), st.integers(0, 3000)), max_size=30
    )
)
def test_whatever_happens_an_open_place_that_was_not_called_out_has_a_clock(events):
    visit, at = None, NOW
    for what, name, seconds in events:
        at += timedelta(seconds=seconds)
        if what == "due" and visit is not None:
            visit = decide_due(visit, 0, at, FACTS).state or visit
        elif what != "due":
            visit = told(visit, needed(name, at) if what == "need" else settled(name, at), at)
        waiting = [
            item for item in (visit.items if visit else ()) if item.state in (ItemState.WAITING, ItemState.HANDED_OVER)
        ]
        if waiting:
            assert visit.due_at is not None
        if visit is not None:
            assert visit.open_items == sum(item.state is not ItemState.SETTLED for item in visit.items)
