"""Callouts and messages about them, made short for the tests of CALLOUT."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from agents.callout.decide import decide, decide_opening
from agents.callout.state import Callout
from agents.facts import Facts
from config.load import load_rules
from config.rules import Ladder, LadderStep
from streams.letters import AttemptEnded, Mode, NobodyHeld, OpenCallouts, Opening
from streams.rooms import Decision
from streams.words import Channel, Colour, Outcome
from tests.small_county import small_county

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
CALLOUT_ID = "real|callout|1"
LADDER = Ladder(
    title="test",
    steps=(
        LadderStep(to="holder", calls=3, gap_s=100, window_s=300, text=True),
        LadderStep(to="deputy", calls=2, gap_s=90, window_s=180),
        LadderStep(to="leader", calls=1, gap_s=60, window_s=120),
    ),
)


@cache
def facts(vacant: tuple[str, ...] = ()) -> Facts:
    return Facts(small_county(vacant=vacant, second_phones={"v201-head": "sim:v201-second"}), load_rules())


def opened(post: str = "v201-head", *, ladder: Ladder = LADDER, mode: Mode = Mode.CALL, **more: Any) -> Callout:
    opening = Opening(callout_id=CALLOUT_ID, post_id=post, mode=mode, ladder="x", voice="说", text="写", **more)
    page = OpenCallouts(
        realm="real",
        chain_id="real|chain|1",
        round_id="real|round|1",
        hazard="rainstorm",
        colour=Colour.RED,
        rules_hash="h",
        ladders={"x": ladder},
        openings=(opening,),
    )
    callout = decide_opening(None, page, opening, NOW, facts()).state
    assert callout is not None
    return saved(callout)


def saved(callout: Callout) -> Callout:
    return callout.model_copy(update={"version": callout.version + 1})


def claimed(callout: Callout, at: datetime, attempt_id: str = "") -> Callout:
    """Do to a callout what DIAL's claim of a call does."""
    return callout.model_copy(
        update={
            "version": callout.version + 1,
            "attempt_id": attempt_id or f"real|attempt|{callout.calls + 1}",
            "call_at": None,
            "calls": callout.calls + 1,
            "calls_in_step": callout.calls_in_step + 1,
            "contacted": True,
            "step_started_at": callout.step_started_at or at,
            "first_dial_at": callout.first_dial_at or at,
            "last_dial_at": at,
            "due_at": at + timedelta(seconds=300),
        }
    )


def ended(callout: Callout, outcome: Outcome, at: datetime, attempt_id: str = "") -> AttemptEnded:
    """Make what DIAL tells about a callout's present call."""
    keys = {Outcome.CONFIRMED: "1", Outcome.FETCHING: "2", Outcome.CANNOT: "0"}
    text = outcome in (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED, Outcome.TEXT_FAILED)
    heard = outcome in (*keys, Outcome.HEARD_NO_KEY)
    return AttemptEnded(
        callout_id=callout.id,
        attempt_id=attempt_id or callout.attempt_id or "real|attempt|text",
        channel=Channel.TEXT if text else Channel.VOICE,
        outcome=outcome,
        key=keys.get(outcome, ""),
        masked="sim:***",
        answered_at=at if heard else None,
        played_at=at if heard else None,
        key_at=at if outcome in keys else None,
        ended_at=at,
    )


def after(callout: Callout, message: Any, at: datetime) -> Decision[Callout]:
    return decide(callout, message, at, facts())


def state_after(callout: Callout, message: Any, at: datetime) -> Callout:
    return saved(after(callout, message, at).state or callout)


def nobody(callout: Callout, why: str, at: datetime) -> tuple[Callout, NobodyHeld]:
    """Do what a claim does that finds nobody: take the callout out of the queue, and tell it."""
    waiting = saved(callout.model_copy(update={"call_at": None}))
    return waiting, NobodyHeld(
        callout_id=callout.id, version=waiting.version, post_id=callout.target_post, why=why, at=at
    )
