"""Whether a carrier can be relied on at the moment: if not, the next one that may dial the number goes first.

Kept with the carrier's pace, so that all workers know it. A carrier that is down is used all the same where it is the
only one: a call that may fail is better than none, and the first that is placed again shows that it is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from agents.dial.state import PACES, Pace
from streams.ledger.contract import Step
from streams.words import Channel

FAILURES_MAX = 3
"""So often in a row a carrier may give no clear answer before another goes first."""
DOWN_S = 60
"""How long another goes first then; after that one more attempt shows how it is."""
REFUSED_S = 300
"""How long after the account was refused: that does not mend itself."""


def pace_id(carrier: str, channel: Channel) -> str:
    """Return the id of the row that keeps a carrier's pace and health for calls, or for texts."""
    return f"{carrier}:{channel}"


def down_carriers(paces: Mapping[str, Pace], names: Iterable[str], channel: Channel, now: datetime) -> frozenset[str]:
    """Return which of these carriers are down."""
    return frozenset(name for name in names if _is_down(paces.get(pace_id(name, channel)), now))


def count_failure(step: Step, carrier: str, channel: Channel, now: datetime) -> None:
    """Note that a carrier gave no clear answer; after `FAILURES_MAX` in a row it is down."""
    row = _row(step, carrier, channel, now)
    failures = row.failures + 1
    down_until = now + timedelta(seconds=DOWN_S) if failures >= FAILURES_MAX else row.down_until
    step.save(PACES, [row.model_copy(update={"failures": failures, "down_until": down_until})])


def mark_refused(step: Step, carrier: str, channel: Channel, now: datetime) -> None:
    """Note that a carrier refused the account: it is down."""
    row = _row(step, carrier, channel, now)
    step.save(PACES, [row.model_copy(update={"down_until": now + timedelta(seconds=REFUSED_S)})])


def mark_well(step: Step, used: Iterable[tuple[str, Channel]]) -> None:
    """Note that carriers took something."""
    rows = step.load(PACES, {pace_id(carrier, channel) for carrier, channel in used}).values()
    ailing = [row for row in rows if row.failures or row.down_until]
    step.save(PACES, [row.model_copy(update={"failures": 0, "down_until": None}) for row in ailing])


def _is_down(row: Pace | None, now: datetime) -> bool:
    return row is not None and row.down_until is not None and row.down_until > now


def _row(step: Step, carrier: str, channel: Channel, now: datetime) -> Pace:
    name = pace_id(carrier, channel)
    return step.load(PACES, [name]).get(name) or Pace(id=name, next_at=now)
