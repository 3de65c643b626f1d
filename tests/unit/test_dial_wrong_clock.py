"""What a worker whose clock was stepped an hour ahead in the middle of a step left behind holds nobody for an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from agents.dial.budget import AHEAD_MAX_S
from agents.dial.carriers.protocol import Placed, VendorDownError
from agents.dial.claiming import LEASE_S, NEWS_WITHIN
from agents.dial.state import AttemptState
from streams.clock import VirtualClock
from streams.words import Channel, Outcome
from tests.unit.callout_samples import NOW
from tests.unit.dial_samples import Desk

HOUR_S = 3600
LOOK_S = 2
VOICE_S = int(NEWS_WITHIN[Channel.VOICE].total_seconds())


def set_clock(desk: Desk, at: datetime) -> None:
    """Give a worker another time, an earlier one too."""
    desk.clock = desk.dialler.clock = VirtualClock(at)


def claimed_an_hour_ahead() -> tuple[Desk, str]:
    """Claim a call with a clock that is an hour ahead; the worker dies, and another one has the right time."""
    desk = Desk()
    desk.clock.set(NOW + timedelta(seconds=HOUR_S))
    desk.want("v201-head")
    (dial,) = desk.claim()
    set_clock(desk, NOW)
    return desk, dial.attempt_id


def placed_an_hour_ahead() -> tuple[Desk, str]:
    desk, attempt_id = claimed_an_hour_ahead()
    desk.change_attempt(attempt_id, state=AttemptState.PLACED, vendor_id="v-1")
    return desk, attempt_id


def look(desk: Desk, for_s: int) -> None:
    """Look for what was lost every two seconds, as a worker does."""
    for _ in range(0, for_s, LOOK_S):
        desk.run("recover")
        desk.later(LOOK_S)


def test_a_claim_whose_lease_ends_in_an_hour_is_asked_about_after_an_ordinary_lease():
    desk, attempt_id = claimed_an_hour_ahead()
    desk.carrier.knows[attempt_id] = Placed(vendor_id="found")
    look(desk, int(LEASE_S) + 3 * LOOK_S)
    assert [dial.attempt_id for dial in desk.carrier.looked_up] == [attempt_id]
    assert desk.carrier.placed == []
    assert desk.attempt(attempt_id).vendor_id == "found"


def test_a_claim_that_is_brought_back_is_dialled_once_and_not_at_once():
    desk, _ = claimed_an_hour_ahead()
    look(desk, int(LEASE_S))
    assert desk.carrier.placed == []
    look(desk, 120)
    assert len(desk.carrier.placed) == 1


def test_a_call_that_news_are_waited_for_until_in_an_hour_ends_after_the_ordinary_time():
    desk, attempt_id = placed_an_hour_ahead()
    look(desk, VOICE_S)
    assert desk.attempt(attempt_id).state is AttemptState.PLACED
    look(desk, 4 * LOOK_S)
    assert desk.attempt(attempt_id).outcome is Outcome.NO_NEWS


def test_its_number_can_be_rung_again_a_minute_later():
    desk, _ = placed_an_hour_ahead()
    look(desk, VOICE_S + 4 * LOOK_S)
    desk.want("v201-head", round_no=2)
    assert len(desk.claim()) == 1


def test_a_call_that_was_over_before_anybody_looked_does_not_bar_its_number_for_an_hour():
    desk, attempt_id = placed_an_hour_ahead()
    desk.change_attempt(attempt_id, state=AttemptState.ENDED, outcome=Outcome.NO_ANSWER, ended_at=NOW, due_at=None)
    look(desk, 60 + 2 * LOOK_S)
    desk.want("v201-head", round_no=2)
    assert len(desk.claim()) == 1


def test_a_claim_that_a_clock_an_hour_ahead_took_over_is_asked_about_by_the_next_worker():
    desk = Desk()
    desk.want("v201-head")
    (dial,) = desk.claim()
    desk.change_attempt(dial.attempt_id, lease_until=NOW + timedelta(seconds=HOUR_S + LEASE_S))
    look(desk, int(LEASE_S) + 3 * LOOK_S)
    assert [asked.attempt_id for asked in desk.carrier.looked_up] == [dial.attempt_id]


def test_a_call_that_a_clock_an_hour_ahead_asked_about_is_asked_about_by_the_next_worker():
    desk = Desk()
    desk.want("v201-head")
    desk.run()
    (attempt,) = desk.attempts()
    desk.carrier.look_up_errors = [VendorDownError("away")]
    desk.change_attempt(attempt.id, due_at=NOW + timedelta(seconds=HOUR_S + 60))
    look(desk, VOICE_S + 4 * LOOK_S)
    assert [asked.attempt_id for asked in desk.carrier.looked_up] == [attempt.id]
    assert desk.attempt(attempt.id).outcome is Outcome.NO_NEWS


def test_that_times_were_not_believed_is_told_to_people_once_and_stands_in_the_ledger():
    desk, attempt_id = placed_an_hour_ahead()
    look(desk, 10 * LOOK_S)
    (told,) = desk.troubles()
    assert (told.kind, told.subject) == ("clock_off", "real|process|desk")
    entries = desk.ledger.step(lambda step: step.entries(attempt_id))
    assert [entry.why for entry in entries] == ["time_not_believed"]
    assert entries[0].facts["dialled_at"] == (NOW + timedelta(seconds=HOUR_S)).isoformat()


@pytest.mark.parametrize("behind_s", [-HOUR_S, -10 * HOUR_S])
def test_a_worker_whose_own_clock_was_stepped_back_for_one_look_brings_nothing_back(behind_s: int):
    desk = Desk()
    desk.want("v201-head")
    desk.run()
    before = desk.attempts()
    set_clock(desk, NOW + timedelta(seconds=behind_s))
    desk.run("recover")
    set_clock(desk, NOW)
    for _ in range(3):
        desk.run("recover")
    assert desk.attempts() == before


@pytest.mark.parametrize("ahead_s", [0, 2, AHEAD_MAX_S - 1])
def test_times_that_a_right_clock_can_have_written_are_left_alone(ahead_s: int):
    desk = Desk()
    desk.want("v201-head")
    desk.run()
    before = desk.attempts()
    set_clock(desk, NOW - timedelta(seconds=ahead_s))
    look(desk, 3 * LOOK_S)
    assert desk.attempts() == before


def test_a_message_whose_news_may_take_an_hour_is_left_alone():
    desk = Desk()
    desk.want("v201-head", text_at=NOW, call_at=None)
    desk.run()
    before = desk.attempts()
    look(desk, 3 * LOOK_S)
    assert [item.channel for item in before] == [Channel.TEXT]
    assert desk.attempts() == before


def moments_of(desk: Desk, attempt_id: str) -> tuple[datetime, datetime | None]:
    attempt = desk.attempt(attempt_id)
    return attempt.dialled_at, attempt.due_at


def test_a_message_and_a_call_by_hand_are_brought_back_too():
    for channel in (Channel.TEXT, Channel.HAND):
        desk, attempt_id = placed_an_hour_ahead()
        due_at = NOW + timedelta(seconds=HOUR_S) + NEWS_WITHIN[channel]
        desk.change_attempt(attempt_id, channel=channel, due_at=due_at)
        desk.run("recover")
        desk.run("recover")
        assert moments_of(desk, attempt_id) == (NOW, NOW + NEWS_WITHIN[channel])
