"""我来打: the calls that people are asked to make, with what to say, and the form that says what came of them.

Shown with masked numbers only: whoever calls has the number in the roster or on the telephone's own list. What is
written down proves that this name wrote it, and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from agents.callout.state import CALLOUTS, Callout
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from rosters.county import County
from streams.doors.http.api import ContentId, done_response
from streams.doors.http.desk import HAND_CALL, Desk
from streams.doors.http.guard import Caller
from streams.doors.http.problems import not_found
from streams.doors.http.showing import View
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.doors.http.website import Website, kind_of
from streams.doors.orders import LogRequest
from streams.ids import realm_of
from streams.ledger.contract import Step, Where
from streams.letters import HandResult
from streams.words import Channel

SHOWN_MAX = 200
RESULTS = tuple(result for result in HandResult if result is not HandResult.TAKEN)


@dataclass(frozen=True)
class HandCall:
    """A call that is before people: the attempt, whom it is to, and what it is for, worst first."""

    attempt: Attempt
    name: str
    callouts: tuple[Callout, ...]

    @property
    def lead(self) -> Callout:
        """The worst of what it is for."""
        return self.callouts[0]

    @property
    def machine_at(self) -> datetime | None:
        """When the machine rings next for any of it; None where it does not."""
        return min((item.call_at for item in self.callouts if item.call_at), default=None)


def hand_calls_of(step: Step, view: View) -> list[HandCall]:
    """Return what people are asked to call now: the worst first, what nobody took before what somebody did."""
    attempts = step.find(
        ATTEMPTS,
        Where("state", "=", AttemptState.PLACED),
        Where("channel", "=", Channel.HAND),
        Where("realm", "=", view.realm),
        order=("dialled_at",),
        limit=SHOWN_MAX,
    )
    callouts = step.load(CALLOUTS, {callout_id for item in attempts for callout_id in item.callouts})
    shown = [
        HandCall(item, _name(item, view.county), mine)
        for item in attempts
        if (mine := _of(item, callouts)) and all(view.holds(row.region) for row in mine)
    ]
    return sorted(shown, key=lambda each: (bool(each.attempt.taken_by), -each.lead.severity, -each.lead.priority))


def hand_router(desk: Desk) -> APIRouter:
    """Return the API of calls that people make."""
    router = APIRouter(prefix="/v1", tags=["by hand"])
    operator, reader = Depends(desk.guard.needs(Scope.OPERATOR)), Depends(desk.guard.needs(Scope.READER))

    @router.get("/handcalls")
    async def hand_calls(caller: Caller = reader) -> dict[str, Any]:
        """The calls that people are asked to make now."""
        house = desk.house
        view = View(desk.realm, house.facts.county, house.clock.now(), caller.token.region)
        found = await house.ledger.look(lambda step: hand_calls_of(step, view))
        return dict(hide_numbers({"hand_calls": [_told(each) for each in found]}))

    @router.post("/handcalls/{attempt_id}/log", status_code=202)
    async def log(attempt_id: ContentId, body: LogRequest, caller: Caller = operator) -> Response:
        """Take such a call, or say what came of it."""
        return done_response(await desk.log_call(caller, attempt_id, body))

    return router


def hand_pages(site: Website) -> APIRouter:
    """Return the page of one such call, and what is done at it."""
    router = APIRouter()

    @router.get("/hand/{attempt_id}")
    async def page(request: Request, attempt_id: ContentId) -> Response:
        """Whom to call, why, what to say, and the form."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return RedirectResponse("/", 303)

        def read(step: Step) -> HandCall | None:
            attempt = step.load(ATTEMPTS, [attempt_id]).get(attempt_id)
            if attempt is None or attempt.channel is not Channel.HAND:
                return None
            name = _name(attempt, site.house.facts.county)
            return HandCall(attempt, name, _of(attempt, step.load(CALLOUTS, attempt.callouts)))

        found = await site.house.ledger.look(read)
        if found is None or not found.callouts:
            raise not_found(HAND_CALL, attempt_id)
        site.guard.check_covers(caller, *(row.region for row in found.callouts))
        context = {
            "call": found,
            "results": RESULTS,
            "open": found.attempt.state is not AttemptState.ENDED,
            "kind": kind_of(found.attempt.realm),
        }
        return site.page(request, "hand.html", context, caller=caller)

    @router.post("/hand/{attempt_id}")
    async def log(request: Request, attempt_id: ContentId) -> Response:
        """Take the call, or say what came of it."""
        caller, form = await site.acting(request)
        fields = {name: str(form.get(name, "")) for name in ("by", "result", "spoken_to", "note")}
        asked = site.checked(LogRequest, fields)
        done = await site.desk.log_call(caller, attempt_id, asked)
        taken = asked.result is HandResult.TAKEN
        where = f"/hand/{attempt_id}?said=" if taken else f"/board?realm={realm_of(attempt_id)}&said="
        return RedirectResponse(where + (("taken" if taken else "logged") if done.new else "known"), 303)

    return router


def _of(attempt: Attempt, callouts: dict[str, Callout]) -> tuple[Callout, ...]:
    return tuple(callouts[callout_id] for callout_id in attempt.callouts if callout_id in callouts)


def _name(attempt: Attempt, county: County) -> str:
    person = county.people.get(attempt.person_id)
    return person.name if person else ""


def _told(call: HandCall) -> dict[str, Any]:
    attempt = call.attempt
    return {
        "id": attempt.id,
        "why": attempt.hand_why,
        "person": call.name,
        "number": attempt.masked,
        "posts": _posts(call.callouts),
        "colour": call.lead.colour,
        "say": attempt.voice,
        "text": attempt.text,
        "asked_at": attempt.dialled_at.isoformat(),
        "machine_at": call.machine_at.isoformat() if call.machine_at else None,
        "taken_by": attempt.taken_by,
    }


def _posts(callouts: Sequence[Callout]) -> list[str]:
    return list(dict.fromkeys(row.target_post for row in callouts))
