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

from agents.duty import zero
from agents.duty.checks import tally
from agents.duty.measures import lift_measure, note_measure
from agents.duty.record import record_signature
from agents.duty.state import HANDOVERS, SPOT_CHECKS, ZERO_REPORTS, CheckResult, Equipment, Handover, ZeroReport
from config.faults import Word
from rosters import arrange
from rosters.changes import ChangeError
from streams.doors.http.api import ContentId
from streams.doors.http.desk import check_text
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.problems import not_found
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.doors.http.website import Website
from streams.doors.roster import MeasureRequest, SignRequest, ZeroReportRequest, refused
from streams.ledger.contract import FullStep, Where
from streams.wiring import House

HANDOVER = Word("交接班记录", "handover")
POST = Word("岗位", "post")
SHOWN_FOR = timedelta(hours=36)
SHOWN_MAX = 500
CHECKS_MAX = 100_000
Day = Annotated[str, Query(pattern=r"^(20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$")]
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
        for text in (request.notes, *(each.note for each in request.equipment)):
            check_text("notes", text)
        seen = [Equipment(name=each.name, works=each.works, note=each.note) for each in request.equipment]

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
                    equipment=seen,
                )
            except ChangeError as error:
                raise refused(error) from error

        return await self.house.ledger.run(keep)

    async def measure(self, caller: Caller, request: MeasureRequest, *, lift: bool) -> Handover:
        """Note that a measure is in force, or that it is lifted.

        Raises:
            RefusedError: 400; the post has no handover, or no such measure is in force.
            ProblemError: 403; the post lies outside the caller's region.
        """
        now = self.house.clock.now()
        write = lift_measure if lift else note_measure
        self._check_post(caller, request.post)
        for name in ("text", "on_word_of"):
            check_text(name, getattr(request, name))

        def keep(step: FullStep) -> Handover:
            try:
                return write(step, request.post, request.text, on_word_of=request.on_word_of, by=caller.name, now=now)
            except ChangeError as error:
                raise refused(error) from error

        return await self.house.ledger.run(keep)

    async def report(self, caller: Caller, request: ZeroReportRequest) -> ZeroReport:
        """File the daily report of a duty post (零报告).

        Raises:
            RefusedError: 400; it is no duty post, or somebody else is on duty there.
            ProblemError: 403; the post lies outside the caller's region.
        """
        now, facts = self.house.clock.now(), self.house.facts
        self._check_post(caller, request.post)
        check_text("text", request.text)

        def keep(step: FullStep) -> ZeroReport:
            self.house.roster.look(step, now)
            try:
                person = arrange.find_person(facts.county, request.person).id
                return zero.report(step, request.post, person, request.text, by=caller.name, now=now, facts=facts)
            except ChangeError as error:
                raise refused(error) from error

        return await self.house.ledger.run(keep)

    async def reports(self, caller: Caller, day: str = "") -> tuple[list[ZeroReport], list[str]]:
        """Return the reports of a day (today) that the caller may see, and the posts that have not reported."""
        facts = self.house.facts
        chosen = day or zero.day_of(self.house.clock.now(), facts)

        def look(step: FullStep) -> tuple[list[ZeroReport], list[str]]:
            filed = step.find(ZERO_REPORTS, Where("day", "=", chosen), order=("at",), limit=SHOWN_MAX)
            return filed, zero.missing(step, chosen, facts)

        filed, silent = await self.house.ledger.look(look)
        posts = facts.county.posts
        return (
            [row for row in filed if self.guard.covers(caller, row.region)],
            [post for post in silent if self.guard.covers(caller, posts[post].region)],
        )

    def _check_post(self, caller: Caller, post_id: str) -> None:
        post = self.house.facts.county.posts.get(post_id)
        if post is None:
            raise not_found(POST, post_id)
        self.guard.check_covers(caller, post.region)

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

    @router.post("/measures", status_code=201)
    async def measure(body: MeasureRequest, caller: Caller = operator) -> dict[str, Any]:
        """Note a hard measure (刚性措施) that is in force at a post; it goes on from shift to shift until lifted."""
        return _measures(await desk.measure(caller, body, lift=False))

    @router.post("/measures/lift")
    async def lift(body: MeasureRequest, caller: Caller = operator) -> dict[str, Any]:
        """Note that a measure was lifted, named by its words."""
        return _measures(await desk.measure(caller, body, lift=True))

    @router.post("/zero-reports", status_code=201)
    async def report(body: ZeroReportRequest, caller: Caller = operator) -> dict[str, Any]:
        """File the daily report of a duty post (零报告), also that there is nothing; the first of a day stays."""
        row = await desk.report(caller, body)
        return dict(hide_numbers(row.model_dump(mode="json", exclude={"version"})))

    @router.get("/zero-reports")
    async def reports(day: Day = "", caller: Caller = reader) -> dict[str, Any]:
        """The reports of a day (today), and the duty posts that have not reported."""
        filed, silent = await desk.reports(caller, day)
        body = {"reports": [row.model_dump(mode="json", exclude={"version"}) for row in filed], "missing": silent}
        return dict(hide_numbers(body))

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


def _measures(row: Handover) -> dict[str, Any]:
    return dict(hide_numbers({"id": row.id, "measures": [each.model_dump(mode="json") for each in row.measures]}))


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
        filed, silent = await desk.reports(caller)
        context = {
            "handovers": await desk.handovers(caller),
            "posts": county.posts,
            "people": county.people,
            "equipment": site.house.facts.book.knobs.duty.equipment,
            "filed": filed,
            "silent": silent,
        }
        return site.page(request, "handovers.html", context, caller=caller)

    @router.post("/handovers/{handover_id}/sign")
    async def sign(request: Request, handover_id: ContentId) -> Response:
        """Sign at the page; of each piece of equipment the form has `works:<name>` and `note:<name>`."""
        caller, form = await site.acting(request)
        fields: dict[str, Any] = {name: str(form.get(name, "")) for name in ("side", "person", "notes")}
        named = [name.removeprefix("works:") for name in form if name.startswith("works:")]
        fields["equipment"] = [
            {"name": name, "works": form.get(f"works:{name}") == "yes", "note": str(form.get(f"note:{name}", ""))}
            for name in named
        ]
        await desk.sign(caller, handover_id, site.checked(SignRequest, fields))
        return RedirectResponse("/handovers?said=signed", 303)

    async def measured(request: Request, *, lift: bool) -> Response:
        caller, form = await site.acting(request)
        fields = {name: str(form.get(name, "")) for name in ("post", "text", "on_word_of")}
        await desk.measure(caller, site.checked(MeasureRequest, fields), lift=lift)
        return RedirectResponse("/handovers?said=decided", 303)

    @router.post("/measures")
    async def measure(request: Request) -> Response:
        """Note a measure at the page."""
        return await measured(request, lift=False)

    @router.post("/measures/lift")
    async def lift(request: Request) -> Response:
        """Note at the page that a measure was lifted."""
        return await measured(request, lift=True)

    @router.post("/zero-reports")
    async def report(request: Request) -> Response:
        """Report at the page."""
        caller, form = await site.acting(request)
        fields = {name: str(form.get(name, "")) for name in ("post", "person", "text")}
        await desk.report(caller, site.checked(ZeroReportRequest, fields))
        return RedirectResponse("/handovers?said=decided", 303)

    return router
