"""The API by which machines and other departments come in: warnings, readings, orders, and what may be asked for."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from streams.doors.http.desk import Desk, Done
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.limits import read_document
from streams.doors.http.problems import AGAIN, language_of
from streams.doors.http.tokens import Scope
from streams.doors.orders import CallRequest, ChainRequest, Name, VouchRequest
from streams.doors.readings import BYTES_MAX
from streams.doors.reception import Reception, Taken
from streams.doors.warnings import LIMIT_BYTES
from streams.letters import OrderKind
from streams.words import Model

DOCUMENTS = ("/v1/warnings", "/v1/readings")
LEFT_OUT_TOLD_MAX = 100

ContentId = Annotated[str, Path(max_length=120, pattern=r"^[A-Za-z0-9:_.-]+\|[a-z]+\|[0-9a-f]+$")]


class ChainOrder(Model):
    """An order about a chain."""

    chain_id: str = Field(max_length=120)
    by: Name
    text: str = Field(default="", max_length=500)
    pause_s: int = Field(default=300, ge=1, le=300)


def documents_router(guard: Guard, reception: Reception) -> APIRouter:
    """Return the doors that take documents in."""
    router = APIRouter(prefix="/v1", tags=["documents"], responses=AGAIN)
    sender = Depends(guard.needs(Scope.SENDER))

    @router.post("/warnings", status_code=202, openapi_extra=_body("application/cap+xml", "application/json"))
    async def take_warning(request: Request, caller: Caller = sender) -> Response:
        """Take a warning in: CAP 1.2 or 12379 XML, JSON or text. 202 means that its bytes are safe in the ledger."""
        content = await read_document(request, LIMIT_BYTES)
        taken = await reception.take_warnings(content, request.headers.get("content-type"), door="http", by=caller.name)
        body = {"id": taken.ids[0], "ids": list(taken.ids), "raw_id": taken.raw_id}
        return _taken(taken, body, {"Location": f"/v1/warnings/{quote(taken.ids[0])}"})

    @router.post("/readings", status_code=202, openapi_extra=_body("application/senml+json", "application/json"))
    async def take_readings(request: Request, caller: Caller = sender) -> Response:
        """Take readings in, SenML or a plain list; what cannot be used of it is told, item by item."""
        content = await read_document(request, BYTES_MAX)
        taken = await reception.take_readings(content, request.headers.get("content-type"), by=caller.name)
        english = language_of(request, "zh") == "en"
        told = [
            {"element": one.element, "reason": one.reason_en if english else one.reason}
            for one in taken.left_out[:LEFT_OUT_TOLD_MAX]
        ]
        return _taken(taken, {"id": taken.ids[0], "left_out": told, "left_out_count": len(taken.left_out)})

    return router


def orders_router(guard: Guard, desk: Desk) -> APIRouter:
    """Return the doors through which people act."""
    router = APIRouter(prefix="/v1", tags=["orders"], responses=AGAIN)
    operator = Depends(guard.needs(Scope.OPERATOR))

    @router.post("/orders/call", status_code=202)
    async def call(body: CallRequest, caller: Caller = operator) -> Response:
        """Call these places on somebody's word."""
        return done_response(await desk.call(caller, body))

    async def order(kind: OrderKind, body: ChainOrder, caller: Caller) -> Response:
        request = ChainRequest(order=kind, by=body.by, text=body.text, pause_s=body.pause_s)
        return done_response(await desk.order(caller, body.chain_id, request))

    @router.post("/orders/cancel", status_code=202)
    async def cancel(body: ChainOrder, caller: Caller = operator) -> Response:
        """End a chain: what is queued stops, those who were woken are told."""
        return await order(OrderKind.CANCEL, body, caller)

    @router.post("/orders/correct", status_code=202)
    async def correct(body: ChainOrder, caller: Caller = operator) -> Response:
        """Correct a false alarm (误发更正): exactly those who were called are told; `text` says what is right."""
        return await order(OrderKind.CORRECT, body, caller)

    @router.post("/orders/pause", status_code=202)
    async def pause(body: ChainOrder, caller: Caller = operator) -> Response:
        """Pause a chain for at most five minutes; it resumes by itself."""
        return await order(OrderKind.PAUSE, body, caller)

    @router.post("/orders/resume", status_code=202)
    async def resume(body: ChainOrder, caller: Caller = operator) -> Response:
        """Resume a paused chain now."""
        return await order(OrderKind.RESUME, body, caller)

    @router.post("/callouts/{callout_id}/vouch", status_code=202)
    async def vouch(callout_id: ContentId, body: VouchRequest, caller: Caller = operator) -> Response:
        """Say that a callout was heard (代确认), or that somebody was at the door (上门)."""
        return done_response(await desk.vouch(caller, callout_id, body))

    return router


def _taken(taken: Taken, body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({**body, "new": taken.new}, 202 if taken.new else 200, headers)


def done_response(done: Done) -> JSONResponse:
    """Return what an order became: 202 where it was new, 200 where it was handed in before."""
    body: dict[str, Any] = {"id": done.id, "new": done.new}
    headers = {}
    if done.chain_id:
        body["chain_id"] = done.chain_id
        headers["Location"] = f"/v1/chains/{quote(done.chain_id)}"
    return JSONResponse(body, 202 if done.new else 200, headers)


def _body(*media_types: str) -> dict[str, Any]:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(media_types, schema)}}
