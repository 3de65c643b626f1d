"""The page 换班 of the duty room: what was asked for, what is agreed, who is on duty now, and the forms for each act.

Times typed into a form are the county's. The page only shows and hands on to the desk of `roster.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from rosters.changes import tell
from rosters.past import Because
from streams.doors.http.api import ContentId
from streams.doors.http.roster import Decided, RosterDesk
from streams.doors.http.website import Website
from streams.doors.refusal import unreadable
from streams.doors.roster import ChangeRequest, DecideRequest

TIMES = ("starts_at", "ends_at", "second_at")


def roster_pages(site: Website, desk: RosterDesk) -> APIRouter:
    """Return the page and what is done at it."""
    router = APIRouter()

    @router.get("/roster")
    async def page(request: Request) -> Response:
        """What is asked for and agreed, and who is on duty at the posts the caller may see."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return RedirectResponse("/", 303)
        asks, made = await desk.listed(caller)
        county, now = site.house.facts.county, site.house.clock.now()
        posts = [post for post in county.posts.values() if post.on_shift and site.guard.covers(caller, post.region)]
        held = [(post, county.who(post.id, now)) for post in posts]
        context: dict[str, Any] = {
            "asks": [(row, tell(county, row.change)) for row in asks],
            "changes": [(row, tell(county, row.change)) for row in made],
            "on_duty": [(post, found, Because(found.why if found else "nobody")) for post, found in held],
        }
        return site.page(request, "roster.html", context, caller=caller)

    @router.post("/roster/changes")
    async def change(request: Request) -> Response:
        """Ask for a change, or record one that the leader on duty agreed to."""
        caller, form = await site.acting(request)
        names = ("kind", "post", "person", "asked_by", "agreed_by", "why")
        fields: dict[str, Any] = {name: str(form.get(name, "")) for name in names}
        fields |= {name: _time(str(form.get(name, "")), name, site.house.facts.county.zone) for name in TIMES}
        await desk.change(caller, site.checked(ChangeRequest, fields))
        return RedirectResponse(f"/roster?said={'changed' if fields['agreed_by'] else 'asked'}", 303)

    async def decide(request: Request, row_id: str, what: Decided) -> Response:
        caller, form = await site.acting(request)
        fields = {name: str(form.get(name, "")) for name in ("by", "why", "agreed_by")}
        await desk.decide(caller, row_id, what, site.checked(DecideRequest, fields))
        return RedirectResponse("/roster?said=decided", 303)

    @router.post("/roster/changes/{row_id}/agree")
    async def agree(request: Request, row_id: ContentId) -> Response:
        """Agree at the page."""
        return await decide(request, row_id, "agree")

    @router.post("/roster/changes/{row_id}/refuse")
    async def refuse(request: Request, row_id: ContentId) -> Response:
        """Refuse at the page."""
        return await decide(request, row_id, "refuse")

    @router.post("/roster/changes/{row_id}/withdraw")
    async def withdraw(request: Request, row_id: ContentId) -> Response:
        """Take back at the page."""
        return await decide(request, row_id, "withdraw")

    return router


def _time(typed: str, field: str, zone: ZoneInfo) -> datetime | None:
    """Return a time typed into a form, in the county's zone; None where nothing was typed."""
    if not typed.strip():
        return None
    try:
        at = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise unreadable(field, typed) from error
    return at if at.tzinfo else at.replace(tzinfo=zone)
