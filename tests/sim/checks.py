"""What must hold of every night, whatever came in: checked over the ledger after it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from agents.callout.state import CalloutState
from agents.dial.budget import Budget
from agents.dial.state import ATTEMPTS, Attempt
from streams.ledger.chain import GENESIS, check_entry
from streams.letters import Mode
from streams.replay.night import Night
from streams.words import Channel, Outcome

LADDER_MAX = timedelta(minutes=45)


def calls_by_number(night: Night) -> dict[str, list[Attempt]]:
    calls: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in night.find(ATTEMPTS, order=("dialled_at",)):
        if attempt.channel is Channel.VOICE:
            calls[attempt.number_key].append(attempt)
    return calls


def too_soon(night: Night) -> list[tuple[Attempt, Attempt]]:
    """Return pairs of calls to one number within 60 s."""
    minute = timedelta(seconds=60)
    return [
        pair
        for calls in calls_by_number(night).values()
        for pair in pairwise(calls)
        if pair[1].dialled_at - pair[0].dialled_at < minute
    ]


def live_together(night: Night) -> list[tuple[Attempt, Attempt]]:
    """Return pairs of calls to one number of which the second began before the first had ended."""
    return [
        (first, second)
        for calls in calls_by_number(night).values()
        for first, second in pairwise(calls)
        if first.ended_at is None or second.dialled_at < first.ended_at
    ]


def over_budget(night: Night, budget: Budget | None = None) -> list[str]:
    """Return numbers that were rung more often in an hour or a day than allowed."""
    budget = budget or Budget()
    over = []
    for number_key, calls in calls_by_number(night).items():
        for first in calls:
            for span, limit in ((timedelta(hours=1), budget.per_hour), (timedelta(hours=24), budget.per_day)):
                inside = [call for call in calls if first.dialled_at <= call.dialled_at < first.dialled_at + span]
                if len(inside) > limit:
                    over.append(number_key)
    return over


def called_after_receipt(night: Night) -> list[str]:
    """Return callouts that a call was dialled for after their key was pressed."""
    confirmed = {
        item.id: item.receipt.key_at
        for item in night.callouts()
        if item.state is CalloutState.CONFIRMED and item.receipt and item.receipt.key_at
    }
    return [
        callout_id
        for calls in calls_by_number(night).values()
        for call in calls
        for callout_id in call.callouts
        if callout_id in confirmed and call.dialled_at > confirmed[callout_id]
    ]


def never_ended(night: Night) -> list[str]:
    """Return callouts still open though their ladder must be over."""
    return [
        item.id
        for item in (*night.callouts(), *night.callouts(visits=True))
        if item.is_open and item.mode is not Mode.HOLD and item.opened_at < night.now - LADDER_MAX
    ]


def confirmed_without_proof(night: Night) -> list[str]:
    """Return confirmed callouts whose call was not played to the end before key 1 was pressed."""
    attempts = {item.id: item for item in night.find(ATTEMPTS)}
    wrong = []
    for item in (*night.callouts(), *night.callouts(visits=True)):
        if item.state is not CalloutState.CONFIRMED:
            continue
        call = attempts[item.receipt.attempt_id] if item.receipt else None
        proved = (
            call is not None
            and call.outcome is Outcome.CONFIRMED
            and call.key == "1"
            and call.played_at is not None
            and call.key_at is not None
            and call.played_at <= call.key_at
        )
        if not proved:
            wrong.append(item.id)
    return wrong


def broken_entries(night: Night) -> list[str]:
    """Return subjects whose chain of entries does not verify."""
    broken = []
    for subject, last, _ in night.ledger.heads():
        entries = night.ledger.step(lambda step, subject=subject: step.entries(subject))
        previous = GENESIS
        for n, entry in enumerate(entries, start=1):
            if check_entry(entry, n, previous) is not None:
                broken.append(subject)
                break
            previous = entry.hash
        if len(entries) != last:
            broken.append(subject)
    return broken
