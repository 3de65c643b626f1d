"""How a page is made: templates, words, times of the county, and the headers that keep it to itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.datastructures import FormData

from agents.callout.state import Callout
from config.faults import Word
from config.settings import Settings
from rosters.numbers import mask
from streams.doors.http.desk import Desk
from streams.doors.http.guard import Caller, Guard, check_mark
from streams.doors.http.problems import ProblemError, refusal_of
from streams.doors.http.telling import hide_numbers
from streams.doors.http.words import Words, load_words
from streams.fake_phones import phones_are_fake
from streams.ids import REAL, make_id
from streams.wiring import House
from streams.words import Model

TEMPLATES = Path(__file__).with_name("templates")
REFRESH_S = 10
M = TypeVar("M", bound=Model)


@dataclass
class Website:
    """Renders the pages of one house."""

    house: House
    guard: Guard
    desk: Desk
    settings: Settings
    words: Words = field(init=False)
    _environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.words = load_words(self.settings.language)
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.globals.update(
            say=self.words.say,
            t=self.words.page,
            language=self.settings.language,
            hazard_name=self.hazard_name,
            post_name=self.post_name,
            refresh_s=REFRESH_S,
            fake_phones=phones_are_fake(self.settings),
        )
        self._environment.filters.update(clock=self.clock, minute=self.minute, mask=mask, hide=hide_numbers)

    def page(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any],
        *,
        caller: Caller | None = None,
        status: int = 200,
        policy: str = "",
    ) -> HTMLResponse:
        """Return a page; it may load nothing from anywhere, stand in no frame, and be kept by no cache.

        `policy` is what it may do besides, as a content security policy.
        """
        nonce = secrets.token_urlsafe(12)
        shown = {
            "caller": caller,
            "county": self.house.facts.county,
            "csrf": caller.csrf if caller else "",
            "may_act": caller is not None and caller.may_act(),
            "nonce": nonce,
            "now": self.house.clock.now(),
            "realm": self.settings.realm,
            "rehearsal": self.settings.rehearsal,
            "said": self.words.sections["said"].get(request.query_params.get("said", ""), ""),
            **context,
        }
        response = HTMLResponse(self._environment.get_template(name).render(shown), status)
        allowed = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" + (f"; {policy}" if policy else "")
        )
        response.headers.update(
            {
                "Content-Security-Policy": allowed,
                "Cache-Control": "no-store",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            }
        )
        return response

    async def acting(
        self, request: Request, *, fields_max: int = 120, may_only_look: bool = False
    ) -> tuple[Caller, FormData]:
        """Return who sends a form of a page, and the form, once it has shown the mark of its session.

        Raises:
            ProblemError: 401 nobody is logged in; 403 another site's form, or somebody who may only look.
        """
        caller = await self.guard.visitor(request)
        if caller is None:
            raise ProblemError(401, Word("登录已过期，请重新登录。", "The session is over; log in again."))
        form = await request.form(max_fields=fields_max)
        check_mark(caller.csrf, form)
        if not (may_only_look or caller.may_act()):
            raise ProblemError(403, Word("这个令牌只能查看，不能操作。", "This token may look and not act."))
        return caller, form

    def checked(self, model: type[M], fields: Mapping[str, Any]) -> M:
        """Return the fields of a form as a request.

        Raises:
            RefusedError: 400; a field is missing or does not fit.
        """
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            raise refusal_of(error) from None

    def fault(self, request: Request, status: int, title: str, detail: str) -> Response:
        """Return the page of something that did not work."""
        return self.page(request, "error.html", {"heading": title, "detail": detail}, status=status)

    def clock(self, at: datetime | None) -> str:
        """Return a time in the county's zone to the second; the day is told where it is not today."""
        return self._told(at, "%H:%M:%S")

    def minute(self, at: datetime | None) -> str:
        """Return a time in the county's zone to the minute; the day is told where it is not today."""
        return self._told(at, "%H:%M")

    def _told(self, at: datetime | None, shape: str) -> str:
        if at is None:
            return ""
        zone = self.house.facts.county.zone
        local, today = at.astimezone(zone), self.house.clock.now().astimezone(zone).date()
        return local.strftime(shape if local.date() == today else f"%m-%d {shape}")

    def hazard_name(self, key: str) -> str:
        """Return how a hazard is spoken of."""
        if self.settings.language == "en":
            return key.replace("_", " ")
        own = self.words.sections["not_hazards"].get(key, "未判读灾种")
        return next((hazard.name for hazard in self.house.facts.book.hazards if hazard.key == key), own)

    def post_name(self, callout: Callout) -> str:
        """Return the name of the post that is called; of one that is no longer in the roster, its place."""
        post = self.house.facts.county.posts.get(callout.post_id)
        return post.name if post else callout.place


def kind_of(realm: str) -> str:
    """Return real, drill or check."""
    return REAL if realm == REAL else realm.split(":", 1)[0]


def is_realm(words: str) -> bool:
    """Tell whether words name a realm."""
    try:
        return bool(make_id(words, "realm"))
    except ValueError:
        return False
