"""Whether a carrier can be relied on at the moment: if not, the next one that may dial the number goes first.

Judged by two things: how it answers when it is asked, and what becomes of what it took. A vendor whose door is open
and whose network is dead takes every call and fails each of them: only their receipts tell.

Kept with the carrier's pace, so that all workers know it. A carrier that is down is used all the same where it is the
only one: a call that may fail is better than none, and the first that is placed again shows that it is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from agents.dial.state import ATTEMPTS, PACES, Pace
from streams.ledger.contract import Step
from streams.letters import CallNews
from streams.rooms import Trouble, trouble
from streams.words import Channel, Outcome

ENDS = frozenset({"ended", "failed"})

FAILURES_MAX = 3
"""So often in a row a carrier may give no clear answer before another goes first."""
DOWN_S = 60
"""How long another goes first then; after that one more attempt shows how it is."""
FAILED_CALLS_MAX = 5
"""So many in a row a carrier may take and then fail by its own fault. Ours."""
REFUSED_S = 300
"""How long after the account was refused, or what it took failed: that does not mend itself."""


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
    ailing = [row for row in rows if row.failures or (row.down_until and row.failed_calls < FAILED_CALLS_MAX)]
    step.save(PACES, [_answering(row) for row in ailing])


def unended(step: Step, told: Iterable[CallNews]) -> frozenset[str]:
    """Return which attempts news tell the end of that have not ended yet: what was told before is not judged twice.

    Nothing where no carrier is at fault and none was: then there is nothing to note.
    """
    ends = [news for news in told if news.progress in ENDS]
    if not ends:
        return frozenset()
    attempts = step.load(ATTEMPTS, {news.attempt_id for news in ends})
    at_fault = any(news.outcome is Outcome.VENDOR_FAILED for news in ends)
    used = {pace_id(attempt.carrier, attempt.channel) for attempt in attempts.values()}
    if not at_fault and not any(row.failed_calls for row in step.load(PACES, used).values()):
        return frozenset()
    return frozenset(attempt.id for attempt in attempts.values() if attempt.outcome is None)


def judge(step: Step, attempt_ids: Iterable[str], now: datetime) -> list[Trouble]:
    """Note what became of attempts that ended just now; return what a person must look at.

    A row of `FAILED_CALLS_MAX` without any that reached its telephone: the carrier is down.
    """
    ended = [attempt for attempt in step.load(ATTEMPTS, attempt_ids).values() if attempt.outcome is not None]
    rows: dict[tuple[str, Channel], Pace] = {}
    for attempt in sorted(ended, key=lambda item: (item.ended_at or now, item.id)):
        used = (attempt.carrier, attempt.channel)
        row = rows.get(used) or _row(step, *used, now)
        failed = row.failed_calls + 1 if attempt.outcome is Outcome.VENDOR_FAILED else 0
        rows[used] = row.model_copy(update={"failed_calls": failed})
    down_until = now + timedelta(seconds=REFUSED_S)
    down = {used for used, row in rows.items() if row.failed_calls >= FAILED_CALLS_MAX}
    step.save(
        PACES,
        [row.model_copy(update={"down_until": down_until}) if used in down else row for used, row in rows.items()],
    )
    return [
        trouble(
            "vendor_down",
            f"real|vendor|{carrier}",
            f"线路 {carrier} 接下的呼叫连续{rows[carrier, channel].failed_calls}个失败在线路一侧，请联系线路商",
            now,
        )
        for carrier, channel in sorted(down)
    ]


def _answering(row: Pace) -> Pace:
    """Return the row of a carrier that took something. That it takes calls says nothing of what becomes of them."""
    failing = row.failed_calls >= FAILED_CALLS_MAX
    return row.model_copy(update={"failures": 0, "down_until": row.down_until if failing else None})


def _is_down(row: Pace | None, now: datetime) -> bool:
    return row is not None and row.down_until is not None and row.down_until > now


def _row(step: Step, carrier: str, channel: Channel, now: datetime) -> Pace:
    name = pace_id(carrier, channel)
    return step.load(PACES, [name]).get(name) or Pace(id=name, next_at=now)
