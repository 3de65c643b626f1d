"""Lets what depends on the roster look at it again: open chains of orange and red, and the calendar of the day.

It starts no call by itself; a chain that looks calls whoever took over a post meanwhile (接班叫应).
"""

from __future__ import annotations

from datetime import datetime

from agents.duty.state import CALENDARS, calendar_id
from agents.intake.chains import SHIFT_SEVERITY_MIN
from agents.intake.state import CHAINS, ChainState
from streams.ledger.contract import Step, Where

CHAINS_MAX = 10_000


def look_again(step: Step, at: datetime) -> None:
    """Let them look at `at`, if not before."""
    rows = step.find(CHAINS, Where("state", "=", ChainState.OPEN), limit=CHAINS_MAX)
    severe = [row for row in rows if row.colour.severity >= SHIFT_SEVERITY_MIN]
    earlier = [row for row in severe if row.due_at is not None and row.due_at > at]
    step.save(CHAINS, [row.model_copy(update={"due_at": at}) for row in earlier])
    calendar = step.load(CALENDARS, [calendar_id()]).get(calendar_id())
    if calendar is not None and (calendar.due_at is None or calendar.due_at > at):
        step.save(CALENDARS, [calendar.model_copy(update={"due_at": at})])
