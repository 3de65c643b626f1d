"""What may be shown of chains, rounds and callouts, and to whom: the queries behind the API and the pages.

One function, one step of the ledger. Counts are made by the ledger; only what is unanswered is loaded row by row.
Numbers are masked before they were ever stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from agents.callout.state import ANSWERED, CALLOUTS, OPEN, UNANSWERED, Callout, CalloutState
from agents.intake.areas import within
from agents.intake.state import CHAINS, Chain, ChainState
from agents.plan.state import ROUNDS, Round
from agents.visit.state import VISITS, Item, ItemState
from rosters.county import County
from streams.ledger.contract import Step, Where
from streams.letters import Mode
from streams.rooms import TROUBLES, Trouble
from streams.words import Level

OPEN_CHAINS = (ChainState.OPEN, ChainState.GATED)
RINGING = (CalloutState.CALLING, CalloutState.FETCHING)
SHOWN_MAX = 2000
TROUBLES_MAX = 100
UNANSWERED_WITHIN = timedelta(hours=48)


class Need(IntEnum):
    """In what order the unanswered are listed: the worst first."""

    LOST = 0
    SILENT = 1
    HEARD_NO_KEY = 2
    VISITED = 3


@dataclass(frozen=True)
class Unanswered:
    """A callout that nobody answered yet, why it stands where it does in the list, and its place on a visit list."""

    callout: Callout
    need: Need
    item: Item | None = None
    overdue: bool = False


@dataclass(frozen=True)
class Township:
    """The unanswered of one township; code and name are the county's own for posts that lie in none."""

    code: str
    name: str
    rows: tuple[Unanswered, ...]
    calling: int = 0

    def count(self, need: Need) -> int:
        """Return how many are in one part of the list."""
        return sum(row.need is need for row in self.rows)


@dataclass(frozen=True)
class Progress:
    """How far a round is at one level. `called` leaves out what is held for the digest or was superseded."""

    called: int = 0
    answered: int = 0
    told: int = 0
    calling: int = 0
    unanswered: int = 0
    held: int = 0


@dataclass(frozen=True)
class RoundShown:
    """A round with its progress by level, in the order of levels; levels that it does not call are left out."""

    round: Round
    levels: Mapping[Level, Progress]
    paused: bool


@dataclass(frozen=True)
class ChainShown:
    """An open chain with its rounds, the newest first."""

    chain: Chain
    rounds: tuple[RoundShown, ...]
    paused_until: datetime | None


@dataclass(frozen=True)
class View:
    """Whose eyes: the realm, the county, when, and the region that all is limited to ("" = the county)."""

    realm: str
    county: County
    now: datetime
    region: str = ""

    @property
    def whole(self) -> bool:
        """Tell whether nothing is left out."""
        return self.region in ("", self.county.code)

    def holds(self, region: str) -> bool:
        """Tell whether a region lies inside."""
        return self.whole or within(self.county, region, (self.region,))

    def touches(self, regions: Iterable[str]) -> bool:
        """Tell whether any of these regions is inside, or holds it."""
        return self.whole or any(self.holds(code) or within(self.county, self.region, (code,)) for code in regions)

    def where(self) -> list[Where]:
        """Return the conditions on callouts that the ledger can check; a village is sorted out after loading."""
        conditions = [Where("realm", "=", self.realm)]
        if not self.whole:
            conditions.append(Where("township", "=", self.county.township_of(self.region)))
        return conditions


def chains_of(step: Step, view: View, *, only_open: bool = True) -> list[Chain]:
    """Return the chains of a realm that touch the region, the worst and then the newest first."""
    conditions = [Where("realm", "=", view.realm)]
    if only_open:
        conditions.append(Where("state", "in", OPEN_CHAINS))
    chains = [
        chain
        for chain in step.find(CHAINS, *conditions, order=("-opened_at",), limit=200)
        if view.touches(chain.regions)
    ]
    return sorted(chains, key=lambda chain: (-chain.colour.severity, -chain.opened_at.timestamp()))


def other_realms(step: Step, realm: str) -> list[str]:
    """Return the realms beside this one in which a chain is open."""
    counted = step.count(CHAINS, ("realm",), Where("state", "in", OPEN_CHAINS), Where("realm", "!=", realm))
    return sorted(realm_ for (realm_,) in counted)


def progress_of(step: Step, view: View, round_ids: Sequence[str]) -> dict[str, dict[Level, Progress]]:
    """Count callouts by round and level; the calls that only hand a visit list over are not counted."""
    if not round_ids:
        return {}
    counted = step.count(
        CALLOUTS,
        ("round_id", "level", "state"),
        *view.where(),
        Where("round_id", "in", list(round_ids)),
        Where("visit_id", "=", ""),
    )
    states: dict[str, dict[Level, dict[CalloutState, int]]] = {}
    for (round_id, level, state), count in counted.items():
        states.setdefault(round_id, {}).setdefault(Level(level), {})[CalloutState(state)] = count
    return {
        round_id: {level: _progress(levels[level]) for level in Level if level in levels}
        for round_id, levels in states.items()
    }


def show_chains(step: Step, view: View, chains: Sequence[Chain], rounds_max: int = 4) -> list[ChainShown]:
    """Return chains with their running rounds."""
    rounds: dict[str, list[Round]] = {chain.id: [] for chain in chains}
    wanted = [Where("chain_id", "in", list(rounds)), Where("stopped_at", "is null")]
    for row in step.find(ROUNDS, *wanted, order=("-opened_at",), limit=SHOWN_MAX) if rounds else ():
        if len(rounds[row.chain_id]) < rounds_max:
            rounds[row.chain_id].append(row)
    progress = progress_of(step, view, [row.id for each in rounds.values() for row in each])
    shown = []
    for chain in chains:
        mine = tuple(
            RoundShown(row, progress[row.id], row.paused_until is not None and row.paused_until > view.now)
            for row in rounds[chain.id]
            if row.id in progress
        )
        until = max((row.paused_until for row in rounds[chain.id] if row.paused_until), default=None)
        shown.append(ChainShown(chain, mine, until if until and until > view.now else None))
    return shown


def unanswered_of(step: Step, view: View, township: str | None = None) -> list[Township]:
    """Return who has not answered, by township: the lost first, then the silent, who heard it, who is gone to.

    A post that was called again for the same chain stands only where its latest call left it. What is older than two
    days is a matter for the reports.

    Args:
        step: The transaction.
        view: Whose eyes.
        township: Only this one's; the county's code means its own posts.
    """
    since = Where("opened_at", ">", view.now - UNANSWERED_WITHIN)
    only = [] if township is None else [Where("township", "=", _column_of(township, view.county))]
    states = (*UNANSWERED, CalloutState.HEARD_NO_KEY)
    rows = step.find(
        CALLOUTS, *view.where(), *only, since, Where("state", "in", states), order=("-opened_at",), limit=SHOWN_MAX
    )
    rows = [row for row in _latest(step, rows) if view.holds(row.region) or not row.region]
    items = _items(step, rows)
    calling = step.count(
        CALLOUTS, ("township",), *view.where(), *only, since, Where("state", "in", RINGING), Where("visit_id", "=", "")
    )
    lists: dict[str, list[Unanswered]] = {}
    for row in rows:
        lists.setdefault(row.township, []).append(_unanswered(row, items.get(row.id)))
    return [
        Township(
            code or view.county.code,
            _name(code, view.county),
            tuple(sorted(listed, key=_order)),
            calling.get((code,), 0),
        )
        for code, listed in sorted(lists.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]


def calling_of(step: Step, view: View, township: str) -> list[Callout]:
    """Return the callouts of a township that are still being called, those rung longest first."""
    rows = step.find(
        CALLOUTS,
        *view.where(),
        Where("township", "=", _column_of(township, view.county)),
        Where("state", "in", RINGING),
        order=("opened_at",),
        limit=500,
    )
    return [row for row in rows if view.holds(row.region) and row.mode is Mode.CALL]


def troubles_of(step: Step, view: View) -> list[Trouble]:
    """Return what a person must still look at, the newest first; what names no township is the county's."""
    rows = step.find(
        TROUBLES, Where("closed_at", "is null"), Where("realm", "=", view.realm), order=("-at",), limit=TROUBLES_MAX
    )
    return [row for row in rows if view.whole or (row.region and view.holds(row.region))]


def _progress(states: Mapping[CalloutState, int]) -> Progress:
    gone = (CalloutState.SUPERSEDED, CalloutState.HELD)
    return Progress(
        called=sum(count for state, count in states.items() if state not in gone),
        answered=sum(states.get(state, 0) for state in ANSWERED),
        told=states.get(CalloutState.TOLD, 0),
        calling=sum(states.get(state, 0) for state in OPEN if state is not CalloutState.HELD),
        unanswered=sum(states.get(state, 0) for state in UNANSWERED),
        held=states.get(CalloutState.HELD, 0),
    )


def _latest(step: Step, rows: Sequence[Callout]) -> list[Callout]:
    """Leave out what a later call of the same post for the same chain made out of date."""
    if not rows:
        return []
    later = step.find(
        CALLOUTS,
        Where("chain_id", "in", sorted({row.chain_id for row in rows})),
        Where("post_id", "in", sorted({row.post_id for row in rows})),
        order=("opened_at",),
        limit=SHOWN_MAX * 5,
    )
    newest = {(row.chain_id, row.post_id, bool(row.visit_id)): row.id for row in later if row.mode is Mode.CALL}
    return [row for row in rows if newest.get((row.chain_id, row.post_id, bool(row.visit_id)), row.id) == row.id]


def _items(step: Step, rows: Sequence[Callout]) -> dict[str, Item]:
    rounds = sorted({row.round_id for row in rows})
    lists = step.find(VISITS, Where("round_id", "in", rounds), Where("open_items", ">", 0), limit=500) if rounds else ()
    return {item.callout_id: item for visit in lists for item in visit.items if item.state is not ItemState.SETTLED}


def _unanswered(callout: Callout, item: Item | None) -> Unanswered:
    overdue = item is not None and item.state is ItemState.OVERDUE
    if callout.state is CalloutState.LOST:
        need = Need.LOST
    elif item is not None and item.state is ItemState.HANDED_OVER:
        need = Need.VISITED
    elif callout.heard and not overdue:
        need = Need.HEARD_NO_KEY
    else:
        need = Need.SILENT
    return Unanswered(callout, need, item, overdue)


def _order(row: Unanswered) -> tuple[int, bool, int, datetime, str]:
    return (row.need, not row.overdue, -row.callout.severity, row.callout.opened_at, row.callout.place)


def _column_of(township: str, county: County) -> str:
    return "" if township == county.code else township


def _name(code: str, county: County) -> str:
    return county.regions[code].name if code in county.regions else county.name
