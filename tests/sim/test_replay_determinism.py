"""The same input gives the same history, hash for hash; another input gives another."""

from __future__ import annotations


def run(night):
    night.phone("v201-head").habit("sleeps", after=2)
    return night.warning().advance(minutes=20).warning(kind="Update", continued=True).at("06:40")


def test_the_same_night_twice_has_the_same_fingerprint(make_night):
    assert run(make_night()).history() == run(make_night()).history()


def test_another_habit_gives_another_history(make_night):
    other = make_night()
    other.phone("v202-head").habit("child")

    assert run(make_night()).history() != run(other).history()


def test_another_seed_gives_another_history_and_the_same_answers(make_night):
    one, other = run(make_night()), run(make_night(seed="2"))

    assert one.history() != other.history()
    assert [item.state for item in one.callouts()] == [item.state for item in other.callouts()]


def test_stopping_to_look_changes_nothing(make_night):
    watched = make_night()
    watched.phone("v201-head").habit("sleeps", after=2)
    watched.warning()
    for _ in range(1200):
        watched.advance(seconds=1)
    watched.warning(kind="Update", continued=True).at("06:40")

    assert watched.history() == run(make_night()).history()
