"""What every ledger promises about letters."""

from __future__ import annotations

import pytest
from ledger_samples import at, letter

from streams.ledger.contract import Ledger
from streams.letters import SCHEMA_VERSION, Letter
from streams.topics import AUDIT, CALLS


def write(ledger: Ledger, *letters: Letter) -> list[str]:
    ledger.step(lambda step: step.write(letters))
    return [item.id for item in letters]


def publish(ledger: Ledger, ids: list[str], wall: float) -> None:
    ledger.step(lambda step: step.mark_published(ids, at(wall)))


def open_now(ledger: Ledger, now: float, wall: float, **options: object) -> list[Letter]:
    return ledger.step(
        lambda step: step.open_letters(at(now), at(wall), **{"resend_after_s": 10, "limit": 100, **options})
    )


def test_a_letter_is_taken_once_only(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    assert [item.id for item in ledger.step(lambda step: step.take(ids, at(1)))] == ids
    assert ledger.step(lambda step: step.take(ids, at(2))) == []


def test_a_letter_named_twice_in_one_page_is_taken_once(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    assert len(ledger.step(lambda step: step.take(ids * 2, at(1)))) == 1


def test_a_taken_letter_says_what_was_written(ledger: Ledger) -> None:
    written = letter("a", due=3, written=1)
    ids = write(ledger, written)
    assert ledger.step(lambda step: step.take(ids, at(3))) == [written]


def test_letters_are_taken_in_the_order_they_were_written(ledger: Ledger) -> None:
    late, early = letter("late", written=2), letter("early", written=1)
    ids = write(ledger, late, early)
    assert ledger.step(lambda step: step.take(ids, at(5))) == [early, late]


def test_a_letter_is_not_taken_before_its_time(ledger: Ledger) -> None:
    ids = write(ledger, letter("a", due=60))
    assert ledger.step(lambda step: step.take(ids, at(59.999999))) == []
    assert len(ledger.step(lambda step: step.take(ids, at(60)))) == 1


def test_an_unknown_letter_is_left_out(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    assert len(ledger.step(lambda step: step.take([*ids, "real|letter|unknown"], at(1)))) == 1


def test_more_letters_than_one_statement_names_are_taken_together(ledger: Ledger) -> None:
    ids = write(ledger, *(letter(str(i)) for i in range(1203)))
    assert len(ledger.step(lambda step: step.take(ids, at(1)))) == 1203


def test_a_letter_of_a_newer_program_is_left_open_for_it_and_holds_nobody_up(ledger: Ledger) -> None:
    newer = letter("newer").model_copy(update={"schema_version": SCHEMA_VERSION + 1})
    ids = write(ledger, newer, letter("own", written=1))
    assert [item.id for item in open_now(ledger, 2, 2, limit=1)] == ids[1:]
    publish(ledger, ids, 2)
    assert [item.id for item in open_now(ledger, 2, 20, limit=1)] == ids[1:]
    assert [item.id for item in ledger.step(lambda step: step.take(ids, at(2)))] == ids[1:]
    assert ledger.step(lambda step: step.count_open_letters()) == {"callouts": 1}


def test_a_letter_put_back_is_open_again_later_and_counts_its_tries(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    ledger.step(lambda step: step.mark_published(ids, at(0)))

    def fail_softly(step):
        (taken,) = step.take(ids, at(1))
        step.put_back(taken, at(30))

    ledger.step(fail_softly)
    assert open_now(ledger, now=29, wall=1000) == []
    (again,) = open_now(ledger, now=30, wall=1)
    assert (again.tries, again.not_before) == (1, at(30))
    assert len(ledger.step(lambda step: step.take(ids, at(30)))) == 1


def test_a_letter_written_twice_is_one_letter(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"), letter("a"))
    write(ledger, letter("a"))
    assert len(ledger.step(lambda step: step.take(ids, at(1)))) == 1
    write(ledger, letter("a"))
    assert ledger.step(lambda step: step.count_open_letters()) == {}


def test_open_letters_are_the_due_ones_oldest_first(ledger: Ledger) -> None:
    second, first, later = letter("b", due=2), letter("a", due=1), letter("c", due=9)
    write(ledger, second, first, later)
    assert open_now(ledger, now=5, wall=5) == [first, second]
    assert open_now(ledger, now=5, wall=5, limit=1) == [first]


def test_open_letters_can_be_asked_for_by_topic(ledger: Ledger) -> None:
    call, other = letter("a", topic=CALLS), letter("b")
    write(ledger, call, other)
    assert open_now(ledger, now=1, wall=1, topics=(CALLS,)) == [call]


def test_a_published_letter_is_not_offered_again_at_once(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    ledger.step(lambda step: step.mark_published(ids, at(0)))
    assert open_now(ledger, now=5, wall=9.9) == []
    assert len(open_now(ledger, now=5, wall=10)) == 1


def test_a_letter_that_a_stepped_clock_says_was_sent_in_an_hour_is_offered_again(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    ledger.step(lambda step: step.mark_published(ids, at(3600)))
    assert len(open_now(ledger, now=5, wall=5)) == 1


def test_the_pause_before_a_letter_is_offered_again_doubles_six_times(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    published = 0.0
    for pause in (10, 20, 40, 80, 160, 320, 640, 640):
        publish(ledger, ids, published)
        assert open_now(ledger, now=1, wall=published + pause - 0.5) == []
        assert len(open_now(ledger, now=1, wall=published + pause)) == 1
        published += pause


def test_letters_never_published_come_before_those_to_be_sent_again(ledger: Ledger) -> None:
    old, new = letter("old"), letter("new", due=50)
    write(ledger, old, new)
    ledger.step(lambda step: step.mark_published([old.id], at(0)))
    assert open_now(ledger, now=60, wall=60) == [new, old]
    assert open_now(ledger, now=60, wall=60, limit=1) == [new]


def test_publishing_does_not_close_a_letter(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    ledger.step(lambda step: step.mark_published(ids, at(0)))
    assert len(ledger.step(lambda step: step.take(ids, at(1)))) == 1


def test_a_letter_that_others_read_ends_when_published(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))
    ledger.step(lambda step: step.mark_published(ids, at(0), close=True))
    assert open_now(ledger, now=5, wall=10_000) == []
    assert ledger.step(lambda step: step.take(ids, at(1))) == []


def test_a_handled_letter_can_still_be_looked_up(ledger: Ledger) -> None:
    written = letter("a")
    ids = write(ledger, written)
    ledger.step(lambda step: step.take(ids, at(1)))
    assert ledger.step(lambda step: step.letter(written.id)) == written
    assert ledger.step(lambda step: step.letter("real|letter|unknown")) is None


def test_open_letters_are_counted_by_topic(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"), letter("b"), letter("c", topic=CALLS, due=99))
    ledger.step(lambda step: step.take(ids[:1], at(1)))
    assert ledger.step(lambda step: step.count_open_letters()) == {"callouts": 1, "calls": 1}


def test_the_next_letter_is_the_earliest_open_one(ledger: Ledger) -> None:
    assert ledger.step(lambda step: step.next_letter_at()) is None
    ids = write(ledger, letter("a", due=5), letter("b", due=9))
    assert ledger.step(lambda step: step.next_letter_at()) == at(5)
    ledger.step(lambda step: step.take(ids[:1], at(5)))
    assert ledger.step(lambda step: step.next_letter_at()) == at(9)


def test_a_failed_step_leaves_its_letters_open(ledger: Ledger) -> None:
    ids = write(ledger, letter("a"))

    def fail(step):
        step.take(ids, at(1))
        step.write([letter("b")])
        step.mark_published(ids, at(1))
        raise RuntimeError("the room broke")

    with pytest.raises(RuntimeError, match="the room broke"):
        ledger.step(fail)
    assert ledger.step(lambda step: step.count_open_letters()) == {"callouts": 1}
    assert len(open_now(ledger, now=1, wall=1)) == 1
    assert AUDIT not in ledger.step(lambda step: step.count_open_letters())


def test_letters_of_topics_that_are_passed_on_by_id_may_be_left_unread(ledger: Ledger) -> None:
    by_id, whole = letter("by-id"), letter("whole", topic=CALLS)
    write(ledger, by_id, whole)
    found = {item.id: item for item in open_now(ledger, 1, 1, unread=(by_id.topic,))}
    assert found[whole.id] == whole
    assert (found[by_id.id].topic, found[by_id.id].key) == (by_id.topic, by_id.key)
    assert ledger.step(lambda step: step.take([by_id.id], at(1))) == [by_id]
