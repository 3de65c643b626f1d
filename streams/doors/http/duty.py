"""What a duty room does at a change of shift: sign for a handover, see its handovers and spot checks.

By API and at a page. Each act is one step with an entry that says whose token it was done with. Who is on duty is the
roster's to say; that somebody signed proves that the name was entered, and nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from agents.duty.checks import tally
from agents.duty.record import record_signature
from agents.duty.state import HANDOVERS, SPOT_CHECKS, CheckResult, Handover
from config.faults import Word
from rosters import arrange
from rosters.changes import ChangeError
from streams.doors.http.api import ContentId
from streams.doors.http.desk import check_text
from streams.doors.http.guard import Caller, Guard, check_mark
from streams.doors.http.problems import ProblemError, not_found
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.doors.http.website import Website
from streams.doors.roster import SignRequest, refused
from streams.ledger.contract import FullStep, Where
from streams.wiring import House

HANDOVER = Word("交接班记录", "handover")
SHOWN_FOR = timedelta(hours=36)
SHOWN_MAX = 500
CHECKS_MAX = 100_000
Month = Annotated[str, Query(pattern=r"^(20\d\d-(0[1-9]|1[0-2]))?$")]


@dataclass(frozen=True)
class DutyDesk:
    """Does what callers ask for, within their region."""

    house: House
    guard: Guard

    async def sign(self, caller: Caller, handover_id: str, request: SignRequest) -> Handover:
        """Sign for a handover.

        Raises:
            RefusedError: 400; somebody else has to sign, or nobody is called so.
            ProblemError: 404 no such handover; 403 it lies outside the caller's region.
        """
        now, facts = self.house.clock.now(), self.house.facts
        check_text("notes", request.notes)

        def keep(step: FullStep) -> Handover:
            self.house.roster.look(step, now)
            found = step.load(HANDOVERS, [handover_id]).get(handover_id)
            if found is None:
                raise not_found(HANDOVER, handover_id)
            self.guard.check_covers(caller, found.region)
            try:
                person = arrange.find_person(facts.county, request.person)
                return record_signature(
                    step,
                    handover_id,
                    request.side,
                    person.id,
                    by=caller.name,
                    now=now,
                    facts=facts,
                    notes=request.notes,
                )
            except ChangeError as error:
                raise refused(error) from error

        return await self.house.ledger.run(keep)

    async def handovers(self, caller: Caller) -> list[Handover]:
        """Return the handovers of the last day and a half that the caller may see, the newest first."""
        since = self.house.clock.now() - SHOWN_FOR
        rows = await self.house.ledger.look(
            lambda step: step.find(HANDOVERS, Where("starts_at", ">", since), order=("-starts_at",), limit=SHOWN_MAX)
        )
        return [row for row in rows if self.guard.covers(caller, row.region)]


def duty_router(desk: DutyDesk) -> APIRouter:
    """Return the API of the duty room."""
    router = APIRouter(prefix="/v1", tags=["duty"])
    operator, reader = Depends(desk.guard.needs(Scope.OPERATOR)), Depends(desk.guard.needs(Scope.READER))

    @router.get("/handovers")
    async def handovers(caller: Caller = reader) -> dict[str, Any]:
        """The handovers of the last 36 hours."""
        body = {"handovers": [row.model_dump(mode="json", exclude={"errors"}) for row in await desk.handovers(caller)]}
        return dict(hide_numbers(body))

    @router.post("/handovers/{handover_id}/sign")
    async def sign(handover_id: ContentId, body: SignRequest, caller: Caller = operator) -> dict[str, Any]:
        """Sign for a handover, with what is open now."""
        row = await desk.sign(caller, handover_id, body)
        return dict(hide_numbers(row.model_dump(mode="json", exclude={"errors"})))

    @router.get("/spotchecks")
    async def spotchecks(month: Month = "", caller: Caller = reader) -> dict[str, Any]:
        """Spot checks by unit and month: how many were made, and what was found."""
        where = [Where("month", "=", month)] if month else []
        rows = await desk.house.ledger.look(lambda step: step.find(SPOT_CHECKS, *where, limit=CHECKS_MAX))
        mine = [row for row in rows if desk.guard.covers(caller, row.region)]
        words = {result.value: result.chinese for result in CheckResult}
        tallies = [
            {"month": one.month, "unit": one.unit_id, "made": one.made, "skipped": one.skipped, "planned": one.planned}
            | {"results": {result.value: count for result, count in one.results.items()}}
            for one in tally(mine)
        ]
        return {"words": words, "tallies": tallies}

    return router


def duty_pages(site: Website, desk: DutyDesk) -> APIRouter:
    """Return the page 交接班 and what is done at it."""
    router = APIRouter()

    @router.get("/handovers")
    async def page(request: Request) -> Response:
        """The handovers of the last day and a half, with what is carried over, and who signed."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return RedirectResponse("/", 303)
        county = site.house.facts.county
        context = {"handovers": await desk.handovers(caller), "posts": county.posts, "people": county.people}
        return site.page(request, "handovers.html", context, caller=caller)

    @router.post("/handovers/{handover_id}/sign")
    async def sign(request: Request, handover_id: ContentId) -> Response:
        """Sign at the page."""
        caller = await site.guard.visitor(request)
        if caller is None:
            raise ProblemError(401, Word("登录已过期，请重新登录。", "The session is over; log in again."))
        form = await request.form(max_fields=10)
        check_mark(caller.csrf, form)
        if not caller.may_act():
            raise ProblemError(403, Word("这个令牌只能查看，不能操作。", "This token may look and not act."))
        fields = {name: str(form.get(name, "")) for name in ("side", "person", "notes")}
        await desk.sign(caller, handover_id, site.checked(SignRequest, fields))
        return RedirectResponse("/handovers?said=signed", 303)

    return router
