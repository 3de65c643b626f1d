"""The HTTP door of one house: the API, the pages, the carrier's callbacks, health and metrics in one application.

It only takes in, shows and hands on; every decision is a room's. Nothing is made at import. No answer, log line or
address holds a number, a token or a cookie.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import Settings
from streams.clock import Clock
from streams.doors import files
from streams.doors.asking import asking
from streams.doors.http import api, pages
from streams.doors.http.api_reads import reads_router
from streams.doors.http.by_hand import hand_router
from streams.doors.http.desk import Desk
from streams.doors.http.duty import DutyDesk, duty_pages, duty_router
from streams.doors.http.guard import Guard
from streams.doors.http.hearing import hearing_router
from streams.doors.http.limits import BodyLimit
from streams.doors.http.phone_checks import PhoneCheckDesk, phone_checks_router
from streams.doors.http.phones import phones_router
from streams.doors.http.problems import PROBLEMS, install
from streams.doors.http.prompt import ANSWER_WITHIN_S, SHOW_WITHIN_S, PromptLedger
from streams.doors.http.roster import RosterDesk, roster_router
from streams.doors.http.roster_pages import roster_pages
from streams.doors.http.tokens import Scope as Right
from streams.doors.http.website import Website
from streams.doors.reception import Reception
from streams.fake_phones import phones_are_fake
from streams.ledger.contract import FullStep, LedgerAwayError, OutdatedError
from streams.wiring import House

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
log = logging.getLogger(__name__)


def create_gateway(house: House, settings: Settings, *, registry: CollectorRegistry | None = None) -> FastAPI:
    """Make the HTTP door of a house.

    Args:
        house: Its ledger, clock and facts.
        settings: Realm, language, carrier, and the data folder whose `inbox` is watched while the app runs.
        registry: Where the gateway counts, and what `/metrics` tells; its own if None.
    """
    metrics = registry if registry is not None else CollectorRegistry()
    # The vendors' callbacks have a limit of their own (twilio_signed.py), and so have those who ask vendors.
    prompt = replace(house, ledger=PromptLedger(house.ledger, ANSWER_WITHIN_S))
    shown = replace(house, ledger=PromptLedger(house.ledger, SHOW_WITHIN_S))
    reception = Reception(prompt.ledger, house.facts, house.clock, settings.realm)
    guard = Guard(prompt.ledger, house.clock, house.facts)
    desk = Desk(prompt, guard, settings.realm)

    async def take_file(content: bytes, name: str) -> None:
        await reception.take_warnings(content, None, door="files", by=f"file:{name[:80]}")

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(files.watch(settings.data_dir / "inbox", take_file, house.clock))
        try:
            async with asking(house, settings):
                yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    # The interactive documentation would load scripts from elsewhere: the description itself is enough.
    app = FastAPI(
        title="叫应 jiaoying", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, responses=PROBLEMS
    )
    website = Website(shown, guard, desk, settings)
    install(app, settings.language, website.fault)
    app.include_router(api.documents_router(guard, reception))
    app.include_router(api.orders_router(guard, desk))
    app.include_router(hand_router(desk))
    app.include_router(reads_router(shown, guard, settings.realm))
    duty = DutyDesk(shown, guard)
    app.include_router(duty_router(duty))
    roster = RosterDesk(shown, guard, settings)
    app.include_router(roster_router(roster))
    app.include_router(phone_checks_router(PhoneCheckDesk(shown, guard)))
    app.include_router(health_router(prompt, guard, metrics))
    if settings.carriers:
        app.include_router(hearing_router(house, settings, metrics), include_in_schema=False)
    app.include_router(pages.pages_router(website), include_in_schema=False)
    if phones_are_fake(settings):
        app.include_router(phones_router(website), include_in_schema=False)
    app.include_router(duty_pages(website, duty), include_in_schema=False)
    app.include_router(roster_pages(website, roster), include_in_schema=False)
    app.add_middleware(BodyLimit, documents=api.DOCUMENTS)
    app.add_middleware(Journal, registry=metrics, clock=house.clock)
    return app


def health_router(house: House, guard: Guard, metrics: CollectorRegistry) -> APIRouter:
    """Return whether the process lives, whether its ledger answers, and what it counted."""
    router = APIRouter(tags=["health"])

    @router.get("/live")
    async def live() -> dict[str, bool]:
        """The process answers."""
        return {"live": True}

    @router.get("/ready", responses={503: {"description": "It would not.", "content": {"application/json": {}}}})
    async def ready() -> JSONResponse:
        """The ledger answers: what comes in now would be kept."""
        try:
            await house.ledger.run(_ask)
        except (LedgerAwayError, OutdatedError):
            return JSONResponse({"ready": False, "ledger": "away"}, 503, {"Retry-After": "2"})
        return JSONResponse({"ready": True, "ledger": "answers"})

    @router.get("/metrics", response_class=PlainTextResponse)
    async def tell_metrics(request: Request) -> Response:
        """What was counted, for Prometheus: on this machine without, from elsewhere with a reader's token."""
        if not _is_local(request):
            await guard.bearer(request, Right.READER)
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return router


class Journal:
    """Middleware that logs and counts each request by its route: no query, header, cookie or body is written."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, clock: Clock) -> None:
        self._app, self._clock = app, clock
        self._requests = Counter(
            "jiaoying_http_requests", "Requests by route and status.", ("method", "route", "status"), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began_at = 500, self._clock.wall()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route: Any = scope.get("route")
            path = getattr(route, "path", "(none)")
            self._requests.labels(method, path, str(status)).inc()
            took_s = (self._clock.wall() - began_at).total_seconds()
            log.info("%s %s %d %.0f ms", method, path, status, took_s * 1000)


def _ask(step: FullStep) -> dict[str, int]:
    return step.count_open_letters()


def _is_local(request: Request) -> bool:
    """Tell whether a request comes from this machine itself and not through a proxy on it."""
    if {"x-forwarded-for", "forwarded", "x-real-ip"} & set(request.headers):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
