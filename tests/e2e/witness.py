"""Holds the ledger against what the vendor saw: the vendor's journal is somebody else's word for what was dialled.

Each check returns what is wrong as sentences; none where all is as promised. Times are story times of both sides,
which share one clock on this machine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from agents.callout.state import OPEN, UNANSWERED, Callout, CalloutState
from agents.dial.state import ATTEMPTS, Attempt
from streams.rooms import TROUBLES
from tests.e2e.blows import Blow
from tests.e2e.history import READ_WITHIN_S
from tests.e2e.onlooker import Onlooker
from tests.e2e.waiting import read_lines

BEFORE = timedelta(minutes=1)
"""How long before its first call an attempt may have been claimed, for a blow to count as in its window."""

A_STEP = timedelta(minutes=3)
"""How long a step may wait and run, half a minute of real time, in the story. It carries the time at which it began: a
claim that came in between is of a later time, and could not know of it."""


@dataclass
class Call:
    """A call that the vendor took: when its line was busy, and the keys that were pressed in it."""

    sid: str
    attempt: str
    number: str
    began_at: datetime
    over_at: datetime | None = None
    keys: list[tuple[str, bool]] = field(default_factory=list)
    """Each key, and whether our gateway answered that it was kept."""


@dataclass(frozen=True)
class Journal:
    """What the vendor wrote down."""

    calls: Sequence[Call]
    texts: int
    unexpected: Sequence[str]


def read_journal(path: Path) -> Journal:
    """Read the vendor's journal."""
    calls: dict[str, Call] = {}
    texts, unexpected = 0, []
    for said in read_lines(path):
        match said["what"]:
            case "rings":
                at = datetime.fromisoformat(said["story"])
                calls[said["sid"]] = Call(said["sid"], said["attempt"], said["number"], at)
            case "over":
                call = calls[said["sid"]]
                call.over_at = call.over_at or datetime.fromisoformat(said["story"])
            case "key" if said["sid"] in calls:
                calls[said["sid"]].keys.append((said["key"], said["kept"]))
            case "text taken":
                texts += 1
            case "unexpected":
                unexpected.append(said["said"])
    return Journal(list(calls.values()), texts, unexpected)


@dataclass(frozen=True)
class Witness:
    """Both sides of a night: the journal as it stood, then the ledger when all that had come in was read.

    The calls by which visit lists are handed over go on meanwhile.
    """

    journal: Journal
    callouts: Sequence[Callout]
    attempts: Sequence[Attempt]
    blows: Sequence[Blow]
    pressed: frozenset[str]
    """Attempts in whose calls key 1 was pressed, as the journal stood after the ledger was read."""
    told_late: frozenset[str] = frozenset()
    """Callouts of which a person was told that they were not dialled, or not sent a text, in time."""

    def complaints(self) -> list[str]:
        """Return everything that is not as promised."""
        return [
            *(f"the vendor did not expect: {said}" for said in self.journal.unexpected),
            *self.not_ended(),
            *self.not_claimed(),
            *self.dialled_too_often(),
            *self.rung_twice_at_once(),
            *self.called_after_the_receipt(),
            *self.confirmed_without_a_key(),
            *self.keys_lost(),
        ]

    def not_ended(self) -> Iterator[str]:
        """Every callout of the round came to an end that its ladder knows.

        The calls by which visit lists are handed over go on: their clock is longer than the night.
        """
        for callout in (each for each in self.callouts if not each.visit_id):
            if callout.state in OPEN:
                yield f"{callout.id} is still {callout.state}"
            elif callout.state in UNANSWERED and not callout.calls and callout.id not in self.told_late:
                yield f"{callout.id} is {callout.state}, was never called, and no person was told"

    def not_claimed(self) -> Iterator[str]:
        """No call without a claim: what the vendor took is in the ledger."""
        known = {attempt.id for attempt in self.attempts}
        for call in self.journal.calls:
            if call.attempt not in known:
                yield f"{call.sid} was placed for an attempt that the ledger does not know"

    def by_attempt(self) -> dict[str, list[Call]]:
        """Return the calls that the vendor took, by attempt."""
        grouped: dict[str, list[Call]] = defaultdict(list)
        for call in self.journal.calls:
            grouped[call.attempt].append(call)
        return grouped

    def dialled_too_often(self) -> Iterator[str]:
        """An attempt is one call, and one more at the most for each blow in its window."""
        for attempt, calls in self.by_attempt().items():
            begins, ends = calls[0].began_at - BEFORE, calls[-1].began_at
            blows = [blow for blow in self.blows if blow.began_at <= ends and blow.over_at >= begins]
            if len(calls) > 1 + len(blows):
                yield f"{attempt} was dialled {len(calls)} times with {len(blows)} blows in its window"

    def rung_twice_at_once(self) -> Iterator[str]:
        """No number is rung while it rings."""
        by_number: dict[str, list[Call]] = defaultdict(list)
        for call in self.journal.calls:
            by_number[call.number].append(call)
        for calls in by_number.values():
            for earlier, later in pairwise(calls):
                if earlier.over_at is None or later.began_at < earlier.over_at:
                    yield f"{later.sid} rang for {later.attempt} before {earlier.sid} for {earlier.attempt} was over"

    def called_after_the_receipt(self) -> Iterator[str]:
        """No call is claimed when all that it speaks for was answered, and one at the most begins after the key.

        The key is pressed some time before the room has read of it: what was claimed in between may still ring.
        """
        for call, attempt, over_at in self.calls_after_the_key():
            if claimed_at(attempt, call) > over_at + A_STEP:
                yield f"{call.sid} was claimed after everything it speaks for was answered"
        late = Counter(callout for _, attempt, _ in self.calls_after_the_key() for callout in attempt.callouts)
        for callout, count in late.items():
            if count > 1:
                yield f"{callout} was rung {count} times after its key"

    def calls_after_the_key(self) -> Iterator[tuple[Call, Attempt, datetime]]:
        """Yield calls that began after the keys for all they speak for, and when the last of these was answered."""
        closed = {row.id: (row.receipt.key_at, row.closed_at) for row in self.callouts if row.receipt is not None}
        claims = {attempt.id: attempt for attempt in self.attempts}
        for call in self.journal.calls:
            attempt = claims.get(call.attempt)
            ends = [closed.get(callout, (None, None)) for callout in attempt.callouts] if attempt else []
            keys = [key_at for key_at, _ in ends if key_at is not None]
            overs = [closed_at for _, closed_at in ends if closed_at is not None]
            if attempt is not None and len(overs) == len(keys) == len(ends) and call.began_at > max(keys):
                yield call, attempt, max(overs)

    def confirmed_without_a_key(self) -> Iterator[str]:
        """What the ledger calls confirmed, the vendor saw: a key 1 in a call of that attempt."""
        for callout in self.callouts:
            if callout.state is CalloutState.CONFIRMED:
                if callout.receipt is None or callout.receipt.played_at is None or callout.receipt.key != "1":
                    yield f"{callout.id} is confirmed without proof"
                elif callout.receipt.attempt_id not in self.pressed:
                    yield f"{callout.id} is confirmed and the vendor saw no key"

    def keys_lost(self) -> Iterator[str]:
        """A key 1 that our gateway answered for stands in the ledger."""
        states = {row.id: row.state for row in self.callouts}
        claims = {attempt.id: attempt for attempt in self.attempts}
        for call in self.journal.calls:
            if ("1", True) not in call.keys or call.attempt not in claims:
                continue
            for callout in claims[call.attempt].callouts:
                if states[callout] in (*OPEN, *UNANSWERED):
                    yield f"{callout} is {states[callout]} though key 1 was pressed in {call.sid} and kept"

    def figures(self) -> dict[str, object]:
        """Return the figures of the night."""
        calls = self.by_attempt()
        times = Counter(len(of_one) for of_one in calls.values())
        again = sum(len(of_one) - 1 for of_one in calls.values())
        seconds: dict[str, float] = defaultdict(float)
        for blow in self.blows:
            seconds[blow.name] += blow.wall_s
        kinds = Counter(blow.name for blow in self.blows)
        lost = sum(not kept for call in self.journal.calls for _, kept in call.keys)
        return {
            "blows": len(self.blows),
            "blows by kind (times, seconds)": {
                name: (count, round(seconds[name], 1)) for name, count in sorted(kinds.items())
            },
            "seconds of outage": round(sum(seconds.values()), 1),
            "callouts": len(self.callouts),
            "callouts by end": dict(sorted(Counter(row.state.value for row in self.callouts).items())),
            "unanswered without a call, a person was told": sum(
                row.state in UNANSWERED and not row.calls for row in self.callouts
            ),
            "calls": len(self.journal.calls),
            "texts": self.journal.texts,
            "calls per attempt": dict(sorted(times.items())),
            "second calls for one attempt": again,
            "calls claimed before a key was read, begun after it": sum(1 for _ in self.calls_after_the_key()),
            "second calls per blow": round(again / max(1, len(self.blows)), 2),
            "attempts that no call was placed for": len(
                {item.id for item in self.attempts if _is_call(item)} - set(calls)
            ),
            "keys that no gateway could keep": lost,
        }


async def both_sides(live: Onlooker, journal: Path, blows: Sequence[Blow]) -> Witness:
    """Read the vendor's journal and the ledger, in an order in which neither knows what the other cannot know yet."""
    before = read_journal(journal)
    await live.until(lambda: not live.unread(), READ_WITHIN_S, "the reading of all letters")
    callouts, attempts = live.callouts(), live.rows(ATTEMPTS)
    late = frozenset(row.subject for row in live.rows(TROUBLES))
    pressed = {call.attempt for call in read_journal(journal).calls for key, _ in call.keys if key == "1"}
    return Witness(before, callouts, attempts, blows, frozenset(pressed), late)


def claimed_at(attempt: Attempt, call: Call) -> datetime:
    """Return when an attempt was claimed: before its call, whatever a clock that was an hour ahead wrote down."""
    return min(attempt.dialled_at, call.began_at)


def _is_call(attempt: Attempt) -> bool:
    return attempt.channel == "voice" and attempt.direction == "outbound"
