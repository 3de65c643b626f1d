"""The questions behind the figures of how things stand: each one look's worth, each to one or two gauges.

Never put here: a clock, a loop, or a label that is not from a closed set of words or the county's own townships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from agents.callout.state import CALLOUTS, UNANSWERED, CalloutState
from agents.dial.state import ATTEMPTS
from agents.intake.state import CHAINS
from agents.sense.state import STATIONS, Verdict
from agents.visit.state import VISITS, ItemState
from streams.ids import REAL
from streams.ledger.contract import FullStep, Table, Where
from streams.metrics import OTHER, REALM_KINDS, realm_kind_of
from streams.rooms import TROUBLES
from streams.topics import TOPICS
from streams.words import Channel, Outcome

LOOK_BACK = timedelta(hours=72)
SILENT_AFTER = timedelta(hours=1)
LISTS_MAX = 2000
STATIONS_PAGE = 20

Values = Mapping[Any, float]
"""A value for each tuple of labels."""


@dataclass(frozen=True)
class Gauge:
    """The name (without jiaoying_), the meaning and the labels of one figure."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def family(self, values: Values) -> Metric:
        """Return the figure with its values by label."""
        family = GaugeMetricFamily(f"jiaoying_{self.name}", self.meaning, labels=self.labels)
        for labels, value in sorted(values.items()):
            family.add_metric(labels, value)
        return family


LEDGER_UP = Gauge("ledger_up", "1 while the ledger is read, 0 while it is away or was not read for long.")
BY_STATE = Gauge("callouts_by_state", "Callouts as they stand.", ("realm_kind", "state"))
UNREACHED = Gauge("unreached", "Callouts of three days that nobody answered.", ("realm_kind", "township"))
OPEN_LETTERS = Gauge("open_letters", "Letters not handled yet, with those held back for later.", ("topic",))
OLDEST_LETTER = Gauge("oldest_letter_seconds", "How long the oldest open letter has been due.")
OVERDUE = Gauge("overdue_seconds", "How long the oldest due step has been waiting.", ("table",))
WAITING = Gauge("waiting_to_dial_seconds", "How long the oldest wanted call or message has waited.", ("channel",))
NOBODY = Gauge("posts_nobody_on_duty", "Posts that nobody holds now.", ("level",))
POSTS = Gauge("posts", "Posts in the roster.", ("level",))
TROUBLE = Gauge("open_troubles", "Troubles that nobody closed.", ("realm_kind", "kind"))
AVAILABLE = Gauge("calls_per_second_available", "Calls that a carrier may begin in a second.", ("carrier",))
NEEDED = Gauge("calls_per_second_needed", "Calls a second by which a red warning for the county is dialled in time.")
LAST_GOOD = Gauge("last_good_call_seconds", "Since a call of a carrier was last confirmed by a key.", ("carrier",))
PLACES = Gauge("visit_places", "Places on visit lists of three days.", ("realm_kind", "state"))
NOT_TAKEN = Gauge("list_not_taken_seconds", "Age of the oldest visit list that nobody took.", ("realm_kind",))
STATION_COUNT = Gauge("stations", "Stations in the roster.")
SILENT = Gauge("stations_silent", "Stations without a live reading in the last hour.")
CLOCK_OFFSET = Gauge("clock_offset_seconds", "How far the clock of this process is off the ledger's.")
GAUGES = (
    *(LEDGER_UP, BY_STATE, UNREACHED, OPEN_LETTERS, OLDEST_LETTER, OVERDUE, WAITING, NOBODY, POSTS, TROUBLE),
    *(AVAILABLE, NEEDED, LAST_GOOD, PLACES, NOT_TAKEN, STATION_COUNT, SILENT, CLOCK_OFFSET),
)
DUE_TABLES: tuple[Table[Any], ...] = (CALLOUTS, CHAINS, VISITS)


def ask_callouts(step: FullStep, *, now: datetime) -> list[Metric]:
    """Count callouts by state."""
    counts = _by_realm_kind(step.count(CALLOUTS, ("realm", "state")))
    zero: Values = {(realm_kind, state.value): 0 for realm_kind in REALM_KINDS for state in CalloutState}
    return [BY_STATE.family({**zero, **counts})]


def ask_unreached(step: FullStep, *, now: datetime, names: Mapping[str, str]) -> list[Metric]:
    """Count what nobody answered, by township; `names` are by code, the county's own posts under the empty one."""
    recent = Where("opened_at", ">", now - LOOK_BACK)
    rows = step.count(CALLOUTS, ("realm", "township"), Where("state", "in", UNANSWERED), recent)
    counts: Counter[tuple[str, ...]] = Counter({(kind, name): 0 for kind in REALM_KINDS for name in names.values()})
    for (realm, township), count in rows.items():
        counts[realm_kind_of(realm), names.get(township, OTHER)] += count
    return [UNREACHED.family(counts)]


def ask_letters(step: FullStep, *, now: datetime) -> list[Metric]:
    """Count open letters, and tell the age of the oldest: the lag of the house."""
    counts = step.count_open_letters()
    oldest_at = step.next_letter_at()
    waiting = {(topic.name,): counts.get(topic.name, 0) for topic in TOPICS if topic.carries != "nothing"}
    return [OPEN_LETTERS.family(waiting), OLDEST_LETTER.family({(): _seconds_since(oldest_at, now)})]


def ask_overdue(step: FullStep, *, now: datetime) -> list[Metric]:
    """Tell how late the oldest due step of each table is."""
    late_s: dict[tuple[str, ...], float] = {}
    for table in DUE_TABLES:
        rows = step.find(table, Where("due_at", "<=", now), order=("due_at",), limit=1)
        late_s[table.name,] = _seconds_since(rows[0].due_at if rows else None, now)
    return [OVERDUE.family(late_s)]


def ask_waiting(step: FullStep, *, now: datetime) -> list[Metric]:
    """Tell how long the queue of calls and of messages is, in time."""
    values: dict[tuple[str, ...], float] = {}
    for channel, column in ((Channel.VOICE, "call_at"), (Channel.TEXT, "text_at")):
        rows = step.find(CALLOUTS, Where(column, "<=", now), order=(column,), limit=1)
        values[channel.value,] = _seconds_since(getattr(rows[0], column) if rows else None, now)
    return [WAITING.family(values)]


def ask_troubles(step: FullStep, *, now: datetime) -> list[Metric]:
    """Count troubles that nobody closed."""
    return [TROUBLE.family(_by_realm_kind(step.count(TROUBLES, ("realm", "kind"), Where("closed_at", "is null"))))]


def ask_lists(step: FullStep, *, now: datetime) -> list[Metric]:
    """Count places on visit lists, and tell the age of the oldest list that nobody took."""
    lists = step.find(
        VISITS,
        Where("open_items", ">", 0),
        Where("opened_at", ">", now - LOOK_BACK),
        order=("opened_at",),
        limit=LISTS_MAX,
    )
    places: Counter[tuple[str, ...]] = Counter({(kind, state.value): 0 for kind in REALM_KINDS for state in ItemState})
    oldest: dict[tuple[str, ...], float] = {(kind,): 0.0 for kind in REALM_KINDS}
    for visit in lists:
        realm_kind = realm_kind_of(visit.realm)
        places.update((realm_kind, item.state.value) for item in visit.items)
        if visit.taken_at is None:
            oldest[realm_kind,] = max(oldest[realm_kind,], _seconds_since(visit.opened_at, now))
    return [PLACES.family(places), NOT_TAKEN.family(oldest)]


def ask_last_good(step: FullStep, *, now: datetime, carriers: Sequence[str]) -> list[Metric]:
    """Tell when a carrier last had a call confirmed, in whatever realm: the way to a phone and back was whole."""
    values: dict[tuple[str, ...], float] = {}
    for carrier in carriers:
        confirmed = (Where("carrier", "=", carrier), Where("outcome", "=", Outcome.CONFIRMED))
        rows = step.find(ATTEMPTS, *confirmed, order=("-dialled_at",), limit=1)
        if rows:
            values[carrier,] = _seconds_since(rows[0].key_at or rows[0].dialled_at, now)
    return [LAST_GOOD.family(values)]


def ask_silent(step: FullStep, *, now: datetime, stations: int) -> list[Metric]:
    """Tell how many of the county's stations were not heard of lately."""
    heard = step.count(STATIONS, (), Where("realm", "=", REAL), Where("last_at", ">", now - SILENT_AFTER))
    return [STATION_COUNT.family({(): stations}), SILENT.family({(): max(0, stations - heard.get((), 0))})]


@dataclass
class ReadingCounts:
    """What became of readings, from the rows of the stations: a few at each refresh, for the rows are long."""

    stations: tuple[str, ...]
    _next: int = 0
    _whole: bool = False
    _counts: dict[str, tuple[str, Mapping[Verdict, int]]] = field(default_factory=dict)

    def ask(self, step: FullStep, *, now: datetime) -> list[Metric]:
        """Read the next stations; nothing is shown before all were read once, or a restart would look like a flood."""
        page = list(islice(self.stations, self._next, self._next + STATIONS_PAGE))
        for row in step.find(STATIONS, Where("station", "in", page)) if page else ():
            self._counts[row.id] = (realm_kind_of(row.realm), row.counts)
        self._next += STATIONS_PAGE
        if self._next >= len(self.stations):
            self._next, self._whole = 0, True
        return [readings_family(self._totals())] if self._whole else []

    def _totals(self) -> Values:
        totals: Counter[tuple[str, ...]] = Counter(
            {(kind, verdict.value): 0 for kind in REALM_KINDS for verdict in Verdict}
        )
        for realm_kind, counts in self._counts.values():
            for verdict, count in counts.items():
                totals[realm_kind, verdict.value] += count
        return totals


def readings_family(values: Values) -> Metric:
    """Return the counter of readings with its values."""
    meaning = "Readings taken in since ever, and what became of them."
    family = CounterMetricFamily("jiaoying_readings", meaning, labels=("realm_kind", "verdict"))
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _by_realm_kind(counts: Mapping[tuple[Any, ...], int]) -> dict[tuple[str, ...], int]:
    """Add up counts by (realm, word) to counts by (kind of realm, word)."""
    totals: Counter[tuple[str, ...]] = Counter()
    for (realm, word), count in counts.items():
        totals[realm_kind_of(realm), word] += count
    return dict(totals)


def _seconds_since(at: datetime | None, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds()) if at else 0.0
