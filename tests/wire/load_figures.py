"""The figures of a load run, from the vendor's journal and from the ledger; what was broken is named."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from agents.callout.state import CALLOUTS, CalloutState
from agents.dial.budget import Budget
from agents.dial.state import ATTEMPTS, Attempt
from rosters.numbers import number_digest
from streams.ledger.contract import Ledger
from streams.words import Channel
from tests.wire.load_county import BURST_S, NUMBER_KEY

WINDOW_S = 5.0
LOAD_ROWS = 5000
ENDED = frozenset({CalloutState.CONFIRMED, CalloutState.UNREACHED})


@dataclass(frozen=True)
class Journalled:
    """What the vendor wrote down: when it took a call to which number, and what its requests to us took."""

    calls: Sequence[tuple[float, str, str]]
    webhooks: Mapping[str, Sequence[float]]
    statuses: Mapping[int, int]
    unexpected: Sequence[str]

    @property
    def by_number(self) -> dict[str, list[float]]:
        """Return when each number was called."""
        found: dict[str, list[float]] = defaultdict(list)
        for at, number, _ in self.calls:
            found[number].append(at)
        return found


@dataclass
class Run:
    """What a run was asked for, when its worker was killed (seconds from its start), and what it took."""

    people: int
    per_s: float
    began_at: datetime
    kills: list[float] = field(default_factory=list)
    took_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    load_average: float = 0.0


def read_journal(path: Path, began_at: datetime) -> Journalled:
    """Read the vendor's journal."""
    calls: list[tuple[float, str, str]] = []
    webhooks: dict[str, list[float]] = defaultdict(list)
    statuses: Counter[int] = Counter()
    unexpected: list[str] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            told: dict[str, Any] = json.loads(line)
            if told["what"] == "call":
                at = (datetime.fromisoformat(told["at"]) - began_at).total_seconds()
                calls.append((at, told["number"], told["id"]))
            elif told["what"] == "webhook":
                webhooks[told["kind"]].append(told["ms"])
                statuses[told["status"]] += 1
            elif told["what"] == "unexpected":
                unexpected.append(told["said"])
    return Journalled(sorted(calls), webhooks, statuses, unexpected)


def report(run: Run, journal: Journalled, ledger: Ledger) -> tuple[list[str], list[str]]:
    """Return the figures as lines, and what was broken."""
    states = Counter(
        {CalloutState(state): count for (state,), count in ledger.step(lambda s: s.count(CALLOUTS, ("state",))).items()}
    )
    attempts = _attempts(ledger)
    pace_lines, pace_broken = _pace(run, journal, attempts)
    number_lines, number_broken = _numbers(run, journal, attempts)
    known = {each.vendor_id for each in attempts}
    unnamed = [sid for _, _, sid in journal.calls if sid not in known]
    doubled = _doubled(journal, attempts)
    confirmed = [each for each in attempts if each.outcome == "confirmed"]
    unproved = [each for each in confirmed if each.played_at is None or each.key_at is None]
    tries = Counter(each.tries for each in attempts if each.channel is Channel.VOICE)
    lines = [
        f"{run.people} people, {run.per_s:g} calls/s, {run.took_s:.0f} s, worker killed at "
        f"{', '.join(f'{at:.0f} s' for at in run.kills) or 'no time'}; load average of 5 min {run.load_average:.1f}",
        *pace_lines,
        *number_lines,
        f"calls dialled twice (more at the vendor than attempts, by number): {doubled}; whose answer died with "
        f"a worker (known by their callbacks only): {len(unnamed)}",
        f"attempts by tries: {dict(sorted(tries.items()))}",
        f"callouts: {dict(sorted((state.value, count) for state, count in states.items()))}; receipts without proof: "
        f"{len(unproved)}",
        *_webhooks(journal),
        f"processor seconds: {', '.join(f'{role} {spent:.0f}' for role, spent in sorted(run.cpu_s.items()))} for "
        f"{len(journal.calls)} calls and {sum(map(len, journal.webhooks.values()))} webhooks",
    ]
    broken = [*pace_broken, *number_broken]
    if doubled:
        broken.append("a call was dialled twice")
    if unproved:
        broken.append("a receipt has no proof")
    if set(states) - ENDED:
        broken.append("a callout did not end")
    if journal.unexpected:
        broken.append(f"unexpected: {journal.unexpected[:3]}")
    return lines, broken


def _pace(run: Run, journal: Journalled, attempts: Sequence[Attempt]) -> tuple[list[str], list[str]]:
    times = [at for at, _, _ in journal.calls]
    if not times:
        return ["no call was taken"], ["nobody was rung"]
    most_1, most_5 = _most(times, 1.0), _most(times, WINDOW_S)
    claimed = sorted(each.dialled_at.timestamp() for each in attempts if each.channel is Channel.VOICE)
    claimed_5, allowed_5 = _most(claimed, WINDOW_S), run.per_s * (WINDOW_S + BURST_S) + 1
    halves = Counter(int(at // 30) for at in times)
    lines = [
        f"calls the vendor took: {len(times)}, of them within 5 min: {sum(at <= 300 for at in times)}",
        f"calls in each half minute: {[halves[part] for part in range(max(halves) + 1)]}",
        f"most calls in any {WINDOW_S:g} s: {claimed_5} claimed (the pace allows {allowed_5:.0f}), {most_5} as they "
        f"came to the vendor; there in any second {most_1}",
    ]
    return lines, ["the pace was broken"] if claimed_5 > allowed_5 else []


def _numbers(run: Run, journal: Journalled, attempts: Sequence[Attempt]) -> tuple[list[str], list[str]]:
    by_number = journal.by_number
    first = sorted(times[0] for times in by_number.values())
    gaps = _gaps(by_number.values())
    claims: dict[str, list[float]] = defaultdict(list)
    for each in sorted(attempts, key=lambda item: item.dialled_at):
        if each.channel is Channel.VOICE:
            claims[each.number_key].append(each.dialled_at.timestamp())
    claimed_gap_s = min(_gaps(claims.values()), default=0.0)
    rung = Counter(len(times) for times in by_number.values())
    budget = Budget()
    in_an_hour = max((_most(times, 3600.0) for times in by_number.values()), default=0)
    lines = [
        f"first call to everybody after {first[-1] if first else 0:.1f} s ({len(first)} of {run.people} were rung)",
        f"calls per number: {dict(sorted(rung.items()))}; most in an hour {in_an_hour} (budget {budget.per_hour}); "
        f"least time between two calls to a number: {claimed_gap_s:.1f} s claimed (budget {budget.gap_s} s), "
        f"{min(gaps, default=0):.1f} s as they came to the vendor",
    ]
    broken = []
    if in_an_hour > budget.per_hour:
        broken.append("a number was rung more often than its budget")
    if 0 < claimed_gap_s < budget.gap_s:
        broken.append("a number was rung twice within its minute")
    if len(first) < run.people:
        broken.append("somebody was never rung")
    return lines, broken


def _doubled(journal: Journalled, attempts: Sequence[Attempt]) -> int:
    """Return how many calls the vendor took beyond one for each attempt: by number, for some attempts know no id."""
    meant = Counter(each.number_key for each in attempts if each.channel is Channel.VOICE)
    key = NUMBER_KEY.encode()
    return sum(max(0, len(times) - meant[number_digest(number, key)]) for number, times in journal.by_number.items())


def _gaps(times_of_each: Iterable[Sequence[float]]) -> list[float]:
    return [later - earlier for times in times_of_each for earlier, later in pairwise(times)]


def _webhooks(journal: Journalled) -> list[str]:
    all_ms = sorted(ms for each in journal.webhooks.values() for ms in each)
    if not all_ms:
        return []
    kinds = [f"{kind} {_percentiles(sorted(each))}" for kind, each in sorted(journal.webhooks.items())]
    return [
        f"webhooks answered: {len(all_ms)}, by status {dict(sorted(journal.statuses.items()))}; "
        f"ms {_percentiles(all_ms)}",
        *(f"  {kind}" for kind in kinds),
    ]


def _percentiles(sorted_ms: Sequence[float]) -> str:
    def at(share: float) -> float:
        return sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * share))]

    return f"p50 {at(0.5):.0f}, p95 {at(0.95):.0f}, p99 {at(0.99):.0f}, max {sorted_ms[-1]:.0f} ({len(sorted_ms)})"


def _most(times: Sequence[float], window_s: float) -> int:
    """Return the most events in any window of this length; `times` are sorted."""
    return max((bisect_left(times, start + window_s) - no for no, start in enumerate(times)), default=0)


def _attempts(ledger: Ledger) -> list[Attempt]:
    return ledger.step(lambda step: list(step.find(ATTEMPTS, limit=10_000_000)))
