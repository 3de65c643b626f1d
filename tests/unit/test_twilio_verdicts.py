"""What Twilio's words mean."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from agents.dial.carriers.verdicts import VERDICTS, call_news, call_outcome, seq_of, text_news
from streams.words import Outcome

AT = datetime(2026, 7, 19, 14, 0, tzinfo=UTC)


def test_later_progress_always_has_a_later_seq():
    steps = ["ringing", "answered", "played", "key", "ended"]
    assert all(seq_of(before, 5000) < seq_of(after, 0) for before, after in itertools.pairwise(steps))


@pytest.mark.parametrize("answered_by", ["machine_start", "machine_end_beep", "fax"])
def test_a_call_that_no_human_answered_is_a_voicemail(answered_by: str):
    assert call_outcome("completed", answered_by) is Outcome.VOICEMAIL


def test_a_call_that_a_human_answered_has_no_outcome_of_the_vendor_s():
    assert call_outcome("completed", "human") is None


@pytest.mark.parametrize("status", ["queued", "initiated", "", "no such status"])
def test_a_state_that_tells_nothing_is_no_news(status: str):
    assert call_news("real|attempt|1", status, AT) is None


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "read"])
def test_a_text_on_its_way_and_a_read_mark_are_no_news(status: str):
    assert text_news("real|attempt|1", status, AT) is None


def test_an_unknown_code_of_a_failed_text_is_kept_and_the_text_failed():
    news = text_news("real|attempt|1", "failed", AT, error_code="39999")
    assert news is not None
    assert (news.outcome, news.vendor_code) == (Outcome.TEXT_FAILED, "39999")


def test_being_unreachable_for_a_moment_is_not_permanent_and_a_wrong_number_is():
    assert not VERDICTS["30003"].permanent
    assert VERDICTS["21211"].permanent
