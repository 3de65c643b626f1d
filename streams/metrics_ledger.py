"""How things stand, for Prometheus: asked of the ledger every few seconds, shown from memory when Prometheus comes.

A scrape never touches the ledger, and each question is a look beside the steps, so that a claim never waits behind a
report. When the ledger cannot be read, or was not read for long, only `jiaoying_ledger_up 0` is shown: an old figure
that looks well is worse than none. Every process that shows these figures shows the same ones: take the maximum, never
the sum. Never put here: a number, a name of a person, an id.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from agents.dial.carriers.protocol import Carrier
from agents.facts import Facts
from config.rules import Rule
from rosters.county import County
from streams.clock import Clock
from streams.ledger.contract import Ledger, LedgerError
from streams.metrics_questions import (
    AVAILABLE,
    CLOCK_OFFSET,
    GAUGES,
    LEDGER_UP,
    NEEDED,
    NOBODY,
    POSTS,
    ReadingCounts,
    ask_callouts,
    ask_last_good,
    ask_letters,
    ask_lists,
    ask_overdue,
    ask_silent,
    ask_troubles,
    ask_unreached,
    ask_waiting,
    readings_family,
)
from streams.words import Colour, Level

log = logging.getLogger(__name__)

REFRESH_S = 5.0
ROSTER_LOOK = timedelta(seconds=60)
"""Shifts begin on the minute: who holds each of twenty thousand posts need not be asked every few seconds."""
POSTS_AT_ONCE = 200
STALE_AFTER_S = 30.0


class LedgerCollector(Collector):
    """Shows how things stand; `run` keeps it fresh.

    Args:
        ledger: What is asked.
        clock: Ages are of story time; whether the figures are stale, of real time.
        facts: The county and its rules.
        carriers: Whose pace is available.
        clock_offset_s: How far this process's clock is off, if anything knows.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        facts: Facts,
        carriers: Sequence[Carrier],
        clock_offset_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._ledger, self._clock, self._facts, self._carriers = ledger, clock, facts, tuple(carriers)
        self._clock_offset_s = clock_offset_s
        self._needed = calls_per_second_needed(facts)
        self._readings = ReadingCounts(tuple(sorted(facts.county.stations)))
        self._held: tuple[County, datetime, list[Metric]] | None = None
        self._shown: tuple[Metric, ...] = ()
        self._read_at: datetime | None = None

    async def run(self, every_s: float = REFRESH_S) -> None:
        """Refresh for ever; a failure is logged and shown as a ledger that is away."""
        while True:
            try:
                await self.refresh()
            except Exception:
                self._read_at = None
                log.exception("the figures of the ledger could not be made; tried again in %.0f s", every_s)
            await self._clock.sleep(every_s)

    async def refresh(self) -> None:
        """Ask the ledger once; while it is away nothing but that is shown."""
        now = self._clock.now()
        shown: list[Metric] = [LEDGER_UP.family({(): 1}), *self._of_carriers(), *await self._of_roster(now)]
        try:
            for question in self._questions():
                shown += await self._ledger.look(partial(question, now=now))
        except LedgerError as error:
            self._read_at = None
            log.warning("the ledger cannot be read for metrics: %s", error)
            return
        self._shown, self._read_at = tuple(shown), self._clock.wall()

    def collect(self) -> Iterator[Metric]:
        """Yield what was read last, or that the ledger is away."""
        read_at = self._read_at
        if read_at is None or (self._clock.wall() - read_at).total_seconds() > STALE_AFTER_S:
            yield LEDGER_UP.family({(): 0})
        else:
            yield from self._shown
        offset_s = self._clock_offset_s()
        if offset_s is not None:
            yield CLOCK_OFFSET.family({(): offset_s})

    def describe(self) -> Iterable[Metric]:
        """Return all families, empty, so that a registry can see two of one name."""
        return (*(gauge.family({}) for gauge in GAUGES), readings_family({}))

    def _questions(self) -> tuple[Callable[..., list[Metric]], ...]:
        return (
            ask_callouts,
            partial(ask_unreached, names=self._township_names()),
            ask_letters,
            ask_overdue,
            ask_waiting,
            ask_troubles,
            ask_lists,
            partial(ask_last_good, carriers=[carrier.name for carrier in self._carriers]),
            partial(ask_silent, stations=len(self._facts.county.stations)),
            self._readings.ask,
        )

    def _township_names(self) -> Mapping[str, str]:
        county = self._facts.county
        townships = county.below(county.code, Level.TOWNSHIP)
        return {"": county.name} | {township.code: township.name for township in townships}

    def _of_carriers(self) -> list[Metric]:
        """Return what the carriers say, without the ledger."""
        paces = {(carrier.name,): carrier.pace_per_s for carrier in self._carriers}
        return [AVAILABLE.family(paces), NEEDED.family({(): self._needed})]

    async def _of_roster(self, now: datetime) -> list[Metric]:
        """Return what the roster says: asked again when it is another, or when a shift may have begun."""
        county, held = self._facts.county, self._held
        if held is None or held[0] is not county or not timedelta(0) <= now - held[1] < ROSTER_LOOK:
            held = self._held = (county, now, await self._of_posts(county, now))
        return held[2]

    async def _of_posts(self, county: County, now: datetime) -> list[Metric]:
        """Count the posts by level, and those that nobody holds; calling has its turn in between."""
        posts, nobody = Counter[str](), Counter[str]()
        for number, post in enumerate(county.posts.values()):
            posts[post.level.value] += 1
            nobody[post.level.value] += county.who(post.id, now) is None
            if number % POSTS_AT_ONCE == 0:
                await self._clock.sleep(0)
        return [
            POSTS.family({(level.value,): posts[level] for level in Level}),
            NOBODY.family({(level.value,): nobody[level] for level in Level}),
        ]


def calls_per_second_needed(facts: Facts) -> float:
    """Return how many calls a second ring everyone in time who is called for a red warning to the whole county.

    In time is the `dial_within_s` of each post's ladder, 180 s by default (勉县: all dialled within 3 min); the rule
    that calls most counts, whatever the hour it holds at.
    """
    rules = [rule for rule in facts.book.rules if Colour.RED in rule.colours and "warning" in rule.sources]
    return max((_pace_of(rule, facts) for rule in rules), default=0.0)


def _pace_of(rule: Rule, facts: Facts) -> float:
    within_s: dict[str, int] = {}
    for selector in rule.posts:
        for post in facts.county.posts_where(
            level=selector.level, kinds=selector.kinds, site_kinds=selector.site_kinds
        ):
            if selector.mode == "call":
                within_s.setdefault(post.id, facts.book.ladders[selector.ladder].dial_within_s)
    return sum(1 / seconds for seconds in within_s.values())
