"""What people do about the roster over HTTP: ask for a change, agree, refuse, take back, publish, see who was on duty.

Each act is one step with an entry that says whose token it was done with. That the leader on duty agreed proves that
the name was entered with this token, and nothing more. A roster that blocks is not published here either.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from agents.duty import asking
from agents.duty.publishing import faults_of, publish, who_was
from agents.duty.record import record_change
from agents.phones.record import with_verified
from config.faults import Word
from config.settings import Settings
from rosters.changes import Change, ChangeError, tell
from rosters.county import County
from rosters.findings import blocking, score, told
from rosters.holidays import DutyYear, duty_year_of
from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, ROSTER_VERSIONS, AskRow, AskState, ChangeRow, RosterVersion
from rosters.load import load_county
from rosters.past import Answer
from rosters.quality import DAYS_CHECKED, examine
from rosters.sheets import CountyError
from streams.doors.http.api import ContentId
from streams.doors.http.desk import check_text
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.problems import not_found
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.doors.refusal import RefusedError
from streams.doors.roster import ChangeRequest, DecideRequest, PublishRequest, Time, change_of, refused
from streams.ledger.contract import FullStep, Where
from streams.roster_watch import ROSTER_LOOK_S
from streams.wiring import House

CHANGE = Word("变更或申请", "change or request")
POST = Word("岗位", "post")
LISTED_MAX = 500
Decided = Literal["agree", "refuse", "withdraw"]


@dataclass(frozen=True)
class RosterDesk:
    """Does what callers ask for, within their region."""

    house: House
    guard: Guard
    settings: Settings

    async def change(self, caller: Caller, request: ChangeRequest) -> tuple[ChangeRow | AskRow, str]:
        """Change the roster, or keep what is only asked for; return the row, and what it comes to in words.

        Raises:
            RefusedError: 400; the change cannot be, or was not agreed by the leader on duty.
            ProblemError: 403; a post of it lies outside the caller's region.
        """
        now = self.house.clock.now()
        for name in ("post", "person", "asked_by", "agreed_by", "why"):
            check_text(name, getattr(request, name))

        def keep(step: FullStep) -> tuple[ChangeRow | AskRow, str]:
            county = self._county(step, now)
            change = change_of(request, county, now)
            self._check_covers(caller, county, change)
            if not change.agreed_by:
                return asking.ask(step, self.house.facts, change, by=caller.name, now=now), tell(county, change)
            row = record_change(step, county, change, by=caller.name, now=now, known_at=self._known_at(now))
            return row, tell(county, change)

        done = await self.house.ledger.run(keep)
        await self._take_in(now)
        return done

    async def decide(self, caller: Caller, row_id: str, what: Decided, request: DecideRequest) -> AskRow | ChangeRow:
        """Agree to a request, refuse it, or take a request or a change back.

        Raises:
            RefusedError: 400; it is decided already, cannot be any more, or somebody else is the leader on duty.
            ProblemError: 404 there is no such row; 403 it lies outside the caller's region.
        """
        now = self.house.clock.now()
        for name in ("by", "why", "agreed_by"):
            check_text(name, getattr(request, name))

        def keep(step: FullStep) -> AskRow | ChangeRow:
            county = self._county(step, now)
            found = step.load(ROSTER_ASKS, [row_id]).get(row_id) or step.load(ROSTER_CHANGES, [row_id]).get(row_id)
            if found is None:
                raise not_found(CHANGE, row_id)
            self._check_covers(caller, county, found.change)
            try:
                return self._decide(step, county, row_id, what, request, caller, now)
            except ChangeError as error:
                raise refused(error) from error

        row = await self.house.ledger.run(keep)
        await self._take_in(now)
        return row

    async def listed(self, caller: Caller) -> tuple[list[AskRow], list[ChangeRow]]:
        """Return the requests nobody decided and the changes that are not over, which the caller may see."""
        now, county = self.house.clock.now(), self.house.facts.county

        def look(step: FullStep) -> tuple[list[AskRow], list[ChangeRow]]:
            pending = Where("state", "=", AskState.PENDING)
            asks = step.find(ROSTER_ASKS, pending, order=("made_at",), limit=LISTED_MAX)
            made = step.find(ROSTER_CHANGES, Where("ends_at", ">", now), order=("-n",), limit=LISTED_MAX)
            return asks, made

        asks, made = await self.house.ledger.look(look)
        return (
            [row for row in asks if self._covers(caller, county, row.change)],
            [row for row in made if self._covers(caller, county, row.change)],
        )

    async def who(self, caller: Caller, post: str, at: datetime | None, known_at: datetime | None) -> Answer:
        """Return who held a post, as it was published and known at a time.

        Raises:
            ProblemError: 404; there is no such post, or nothing published by then speaks of that time. 403.
        """
        now = self.house.clock.now()
        found = self.house.facts.county.posts.get(post)
        if found is None:
            raise not_found(POST, post)
        self.guard.check_covers(caller, found.region)
        answer = await self.house.ledger.look(lambda step: who_was(step, post, at or now, known_at or now))
        if answer is None:
            raise not_found(Word("那时已发布的值班表", "roster published by then"), post)
        return answer

    async def check(self, caller: Caller, days: int) -> dict[str, Any]:
        """Return every flaw of the roster in the coming days that the caller may see."""
        now, year, key = self.house.clock.now(), self._year(), self.house.number_key
        county = await self.house.ledger.look(lambda step: with_verified(step, self.house.facts.county, key))
        found = await asyncio.to_thread(examine, county, now, now + timedelta(days=days), year=year)
        mine = [
            one
            for one in found
            if all(self.guard.covers(caller, county.posts[post].region) for post in one.posts)
            and (one.posts or self.guard.covers(caller, county.code))
        ]
        lines = [
            {
                "flaw": one.flaw,
                "severity": one.flaw.severity,
                "posts": one.posts,
                "people": one.people,
                "from": one.starts_at,
                "until": one.ends_at,
                "said": told(one, county),
            }
            for one in mine
        ]
        return {"publishable": not blocking(mine), "score": score(mine).points, "findings": lines}

    async def publish(self, caller: Caller, request: PublishRequest) -> RosterVersion:
        """Publish the county's files as they are, behind the gate of the check.

        Raises:
            RefusedError: 400; the files have faults, or something blocks and no reason was given.
            ProblemError: 403; only who may act for the whole county publishes.
        """
        now, ledger = self.house.clock.now(), self.house.ledger
        self.guard.check_covers(caller, self.house.facts.county.code)
        for name in ("by", "despite"):
            check_text(name, getattr(request, name))
        try:
            county = await asyncio.to_thread(load_county, self.settings.county_folder, now)
        except (CountyError, OSError) as error:
            raise RefusedError(
                400, "folder", f"值班表文件有误，不能发布：{str(error)[:400]}", "The county's folder has faults."
            ) from error
        year = self._year()
        key = self.house.number_key
        faults = await ledger.look(lambda step: faults_of(step, with_verified(step, county, key), year, now))
        by = f"{request.by}（{caller.name}）"
        try:
            return await ledger.run(lambda step: publish(step, county, faults, by=by, now=now, despite=request.despite))
        except ChangeError as error:
            raise refused(error) from error

    def _decide(
        self,
        step: FullStep,
        county: County,
        row_id: str,
        what: Decided,
        request: DecideRequest,
        caller: Caller,
        now: datetime,
    ) -> AskRow | ChangeRow:
        by = caller.name
        match what:
            case "agree":
                known_at = self._known_at(now)
                return asking.agree(
                    step, self.house.facts, row_id, agreed_by=request.by, by=by, now=now, known_at=known_at
                )
            case "refuse":
                return asking.refuse(step, county, row_id, refused_by=request.by, why=request.why, by=by, now=now)
            case "withdraw":
                return asking.withdraw(
                    step,
                    county,
                    row_id,
                    withdrawn_by=request.by,
                    agreed_by=request.agreed_by,
                    why=request.why,
                    by=by,
                    now=now,
                )

    def _county(self, step: FullStep, now: datetime) -> County:
        self.house.roster.look(step, now)
        return self.house.facts.county

    async def _take_in(self, now: datetime) -> None:
        await self.house.ledger.run(lambda step: self.house.roster.look(step, now))

    def _known_at(self, now: datetime) -> datetime:
        """Return when every process will have seen it; the clock of a demo runs faster than the wall's."""
        return now + timedelta(seconds=2 * ROSTER_LOOK_S) * self.house.clock.speed

    def _year(self) -> DutyYear:
        try:
            return duty_year_of(self.settings.county_folder)
        except ValueError as error:
            raise RefusedError(400, "duty_year.yaml", str(error)[:400], "duty_year.yaml has faults.") from error

    def _regions(self, county: County, change: Change) -> list[str]:
        posts = {post for stretch in change.stretches for post in _posts(county, stretch.post, stretch.person)}
        return [county.posts[post].region for post in sorted(posts) if post in county.posts]

    def _check_covers(self, caller: Caller, county: County, change: Change) -> None:
        self.guard.check_covers(caller, *self._regions(county, change))

    def _covers(self, caller: Caller, county: County, change: Change) -> bool:
        return all(self.guard.covers(caller, region) for region in self._regions(county, change))


def _posts(county: County, post: str, person: str) -> tuple[str, ...]:
    return (post,) if post else county.posts_of_person(person)


def roster_router(desk: RosterDesk) -> APIRouter:
    """Return the API of the roster."""
    router = APIRouter(prefix="/v1/roster", tags=["roster"])
    operator, reader = Depends(desk.guard.needs(Scope.OPERATOR)), Depends(desk.guard.needs(Scope.READER))

    @router.post("/changes", status_code=201, responses={202: {"description": "asked for; in force once agreed"}})
    async def change(body: ChangeRequest, caller: Caller = operator) -> Response:
        """Swap two shifts, let somebody stand in, or note a leave. Without `agreed_by` it is only asked for (202)."""
        row, words = await desk.change(caller, body)
        answer = {"id": row.id, "kind": row.kind, "said": words}
        if isinstance(row, AskRow):
            return JSONResponse(answer | {"state": row.state}, 202)
        return JSONResponse(answer | {"n": row.n}, 201)

    @router.get("/changes")
    async def changes(caller: Caller = reader) -> dict[str, Any]:
        """The requests nobody decided, and the changes in force or to come."""
        asks, made = await desk.listed(caller)
        county = desk.house.facts.county
        body = {
            "asked": [
                row.model_dump(mode="json", exclude={"errors"}) | {"said": tell(county, row.change)} for row in asks
            ],
            "changes": [row.model_dump(mode="json") | {"said": tell(county, row.change)} for row in made],
        }
        return dict(hide_numbers(body))

    async def decide(row_id: str, what: Decided, body: DecideRequest, caller: Caller) -> dict[str, Any]:
        row = await desk.decide(caller, row_id, what, body)
        return dict(hide_numbers(row.model_dump(mode="json", exclude={"errors"})))

    @router.post("/changes/{row_id}/agree")
    async def agree(row_id: ContentId, body: DecideRequest, caller: Caller = operator) -> dict[str, Any]:
        """Agree, as the leader on duty: checked anew, and in force."""
        return await decide(row_id, "agree", body, caller)

    @router.post("/changes/{row_id}/refuse")
    async def refuse(row_id: ContentId, body: DecideRequest, caller: Caller = operator) -> dict[str, Any]:
        """Refuse, as the leader on duty; the roster stays as it is."""
        return await decide(row_id, "refuse", body, caller)

    @router.post("/changes/{row_id}/withdraw")
    async def withdraw(row_id: ContentId, body: DecideRequest, caller: Caller = operator) -> dict[str, Any]:
        """Take a request back, or end a change from now on with the word of the leader on duty."""
        return await decide(row_id, "withdraw", body, caller)

    _add_reads(router, desk, operator, reader)
    return router


def _add_reads(router: APIRouter, desk: RosterDesk, operator: Any, reader: Any) -> None:
    """Add who was on duty, the check, and the versions published behind it."""

    @router.get("/who")
    async def who(
        post: Annotated[str, Query(max_length=60)],
        at: Time | None = None,
        known_at: Time | None = None,
        caller: Caller = reader,
    ) -> Answer:
        """Who held a post at a time and why, as published and known by `known_at` (now)."""
        return await desk.who(caller, post, at, known_at)

    @router.get("/check")
    async def check(days: Annotated[int, Query(ge=1, le=60)] = DAYS_CHECKED, caller: Caller = reader) -> dict[str, Any]:
        """Every flaw of the roster in the coming days, by severity, and the score."""
        return await desk.check(caller, days)

    @router.post("/versions", status_code=201)
    async def publish_version(body: PublishRequest, caller: Caller = operator) -> dict[str, Any]:
        """Publish the county's files; refused where something blocks and `despite` is empty."""
        return _shown(await desk.publish(caller, body))

    @router.get("/versions")
    async def versions(caller: Caller = reader) -> dict[str, Any]:
        """The versions published, the last one first."""
        desk.guard.check_covers(caller, desk.house.facts.county.code)
        rows = await desk.house.ledger.look(lambda step: step.find(ROSTER_VERSIONS, order=("-n",), limit=LISTED_MAX))
        return {"versions": [_shown(row) for row in rows]}


def _shown(row: RosterVersion) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude={"raw_id", "version"})
