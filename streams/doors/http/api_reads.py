"""What the API tells: warnings, chains, rounds, callouts with their entries, and who has not answered.

Limited to the region of the token. Every number in it was masked before it was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from agents.callout.state import CALLOUTS, Callout
from agents.intake.state import ALIASES, CHAINS
from agents.plan.state import ROUNDS
from config.faults import Word
from rosters.county import County
from streams.doors.http.api import ContentId
from streams.doors.http.desk import CALLOUT, CHAIN, ROUND, WARNING
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.problems import not_found
from streams.doors.http.showing import (
    Need,
    Township,
    View,
    chains_of,
    progress_of,
    show_chains,
    unanswered_of,
)
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.ids import make_id, realm_of
from streams.ledger.contract import FullStep
from streams.wiring import House
from streams.words import Level

JsonBody = dict[str, Any]


def reads_router(house: House, guard: Guard, realm: str) -> APIRouter:
    """Return everything that may be asked for."""
    reads = Reads(house, guard, realm)
    router = APIRouter(prefix="/v1", tags=["reads"])
    reader = Depends(guard.needs(Scope.READER))
    sender_or_reader = Depends(guard.needs(Scope.READER, Scope.SENDER))

    @router.get("/warnings/{warning_id}")
    async def warning(warning_id: ContentId, caller: Caller = sender_or_reader) -> JsonBody:
        """What became of a warning: how it was received, and its chain once INTAKE has read it."""
        return await reads.ask(lambda step: reads.warning(step, warning_id))

    @router.get("/chains")
    async def chains(caller: Caller = reader, *, closed: bool = False) -> JsonBody:
        """The open chains of the installation's realm, the worst first; with `closed` the others too."""
        return await reads.ask(lambda step: reads.chains(step, caller, closed=closed))

    @router.get("/chains/{chain_id}")
    async def chain(chain_id: ContentId, caller: Caller = reader) -> JsonBody:
        """One chain with its running rounds and its entries."""
        return await reads.ask(lambda step: reads.chain(step, caller, chain_id))

    @router.get("/rounds/{round_id}")
    async def one_round(round_id: ContentId, caller: Caller = reader) -> JsonBody:
        """One round and its progress by level."""
        return await reads.ask(lambda step: reads.round(step, caller, round_id))

    @router.get("/callouts/{callout_id}")
    async def callout(callout_id: ContentId, caller: Caller = reader) -> JsonBody:
        """One callout with every entry about it."""
        return await reads.ask(lambda step: reads.callout(step, caller, callout_id))

    @router.get("/unreached")
    async def unreached(
        township: Annotated[str | None, Query(pattern=r"^[0-9]{12}$")] = None, caller: Caller = reader
    ) -> JsonBody:
        """Who has not answered, by township, the worst first."""
        return await reads.ask(lambda step: reads.unreached(step, caller, township))

    return router


class Reads:
    """The answers, each from one step of the ledger."""

    def __init__(self, house: House, guard: Guard, realm: str) -> None:
        self._house, self._guard, self._realm = house, guard, realm

    @property
    def _county(self) -> County:
        return self._house.facts.county

    async def ask(self, work: Callable[[FullStep], JsonBody]) -> JsonBody:
        """Run one answer in one step; a number that somebody wrote into a text is masked like every other."""
        body: JsonBody = hide_numbers(await self._house.ledger.run(work))
        return body

    def view(self, caller: Caller, realm: str) -> View:
        """Return what a caller may see of a realm."""
        return View(realm, self._county, self._house.clock.now(), caller.token.region)

    def warning(self, step: FullStep, warning_id: str) -> JsonBody:
        """Return a warning's entries and chain."""
        entries = step.entries(warning_id)
        if not entries:
            raise not_found(WARNING, warning_id)
        facts = entries[0].facts
        alias = make_id(realm_of(warning_id), "alias", str(facts["identifier"]))
        row = step.load(ALIASES, [alias]).get(alias)
        received = {"received_at": entries[0].at.isoformat(), "raw_id": facts["raw"], "status": facts["status"]}
        return {"id": warning_id, **received, "chain_id": row.chain_id if row else None}

    def chains(self, step: FullStep, caller: Caller, *, closed: bool) -> JsonBody:
        """Return chains without their texts."""
        view = self.view(caller, self._realm)
        rows = chains_of(step, view, only_open=not closed)
        return {"chains": [row.model_dump(mode="json", exclude={"identifiers", "errors"}) for row in rows]}

    def chain(self, step: FullStep, caller: Caller, chain_id: str) -> JsonBody:
        """Return one chain."""
        row = step.load(CHAINS, [chain_id]).get(chain_id)
        view = self.view(caller, realm_of(chain_id))
        if row is None or not view.touches(row.regions):
            raise not_found(CHAIN, chain_id)
        shown = show_chains(step, view, [row])[0]
        rounds = [
            {"id": each.round.id, "move": each.round.move, "levels": _levels(each.levels)} for each in shown.rounds
        ]
        body = row.model_dump(mode="json", exclude={"errors"})
        return {**body, "rounds": rounds, "entries": _entries(step, chain_id) if view.whole else []}

    def round(self, step: FullStep, caller: Caller, round_id: str) -> JsonBody:
        """Return one round."""
        row = step.load(ROUNDS, [round_id]).get(round_id)
        if row is None:
            raise not_found(ROUND, round_id)
        view = self.view(caller, row.realm)
        levels = progress_of(step, view, [round_id]).get(round_id, {})
        if not levels and not view.whole:
            raise not_found(ROUND, round_id)
        return {**row.model_dump(mode="json"), "levels": _levels(levels)}

    def callout(self, step: FullStep, caller: Caller, callout_id: str) -> JsonBody:
        """Return one callout and its entries."""
        row = step.load(CALLOUTS, [callout_id]).get(callout_id)
        if row is None:
            raise not_found(CALLOUT, callout_id)
        self._guard.check_covers(caller, row.region)
        return {**_callout(row), "entries": _entries(step, callout_id)}

    def unreached(self, step: FullStep, caller: Caller, township: str | None) -> JsonBody:
        """Return the unanswered."""
        if township is not None:
            if township not in self._county.regions:
                raise not_found(Word("区划", "region"), township)
            self._guard.check_covers(caller, township)
        view = self.view(caller, self._realm)
        lists = unanswered_of(step, view, township)
        return {"total": sum(len(each.rows) for each in lists), "townships": [_township(each) for each in lists]}


def _levels(levels: Any) -> JsonBody:
    return {Level(level).value: vars(progress) for level, progress in levels.items()}


def _entries(step: FullStep, subject: str) -> list[JsonBody]:
    return [entry.model_dump(mode="json") for entry in step.entries(subject)]


def _callout(row: Callout) -> JsonBody:
    return row.model_dump(mode="json", exclude={"ladder", "errors", "late_noted"})


def _township(each: Township) -> JsonBody:
    return {
        "code": each.code,
        "name": each.name,
        "calling": each.calling,
        "counts": {need.name.lower(): each.count(need) for need in Need},
        "places": [
            {
                "callout_id": row.callout.id,
                "place": row.callout.place,
                "post_id": row.callout.post_id,
                "region": row.callout.region,
                "hazard": row.callout.hazard,
                "colour": row.callout.colour,
                "state": row.callout.state,
                "need": row.need.name.lower(),
                "calls": row.callout.calls,
                "opened_at": row.callout.opened_at.isoformat(),
                "visit": row.item.state if row.item else None,
                "visit_due_at": row.item.due_at.isoformat() if row.item and row.item.due_at else None,
            }
            for row in each.rows
        ],
    }
