"""Attempts and news of them, made short for the tests of DIAL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agents.dial.state import Attempt, AttemptState
from streams.letters import CallNews
from streams.words import Channel, Outcome

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
ATTEMPT_ID = "real|attempt|1"


def attempt(**changes: Any) -> Attempt:
    facts: dict[str, Any] = {
        "id": ATTEMPT_ID,
        "version": 1,
        "realm": "real",
        "channel": Channel.VOICE,
        "carrier": "fake",
        "number_key": "k",
        "masked": "sim:***",
        "person_id": "p",
        "phone": 0,
        "callouts": ("real|callout|1",),
        "rounds": ("real|round|1",),
        "severity": 4,
        "state": AttemptState.PLACED,
        "owner": "desk",
        "lease_until": NOW,
        "dialled_at": NOW,
        "dial_no": 1,
    }
    return Attempt.model_validate(facts | changes)


def news(progress: str, seq: int, *, key: str = "", outcome: Outcome | None = None, after_s: float = 0) -> CallNews:
    return CallNews.model_validate(
        {
            "attempt_id": ATTEMPT_ID,
            "seq": seq,
            "progress": progress,
            "key": key,
            "outcome": outcome,
            "at": NOW + timedelta(seconds=after_s or seq),
        }
    )
