"""The pages of the duty room and of each township: who has not answered, and what a person may do about it.

Rendered here, usable on a phone, without anything loaded from elsewhere. Every form carries the mark of its session.
A page says what was proved and nothing more, and a person's order is one touch away.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agents.callout.state import CALLOUTS, OPEN, UNANSWERED
from agents.intake.state import CHAINS
from config.faults import Word
from rosters.model import Region
from streams.doors.http.api import ContentId
from streams.doors.http.by_hand import hand_calls_of, hand_pages
from streams.doors.http.desk import CALLOUT, CHAIN, Done
from streams.doors.http.guard import Caller
from streams.doors.http.problems import not_found
from streams.doors.http.showing import (
    Need,
    View,
    calling_of,
    chains_of,
    other_realms,
    show_chains,
    troubles_of,
    unanswered_of,
)
from streams.doors.http.telling import tell
from streams.doors.http.website import Website, is_realm, kind_of
from streams.doors.orders import CallRequest, ChainRequest, VouchRequest
from streams.doors.refusal import RefusedError
from streams.ids import realm_of
from streams.ledger.contract import FullStep
from streams.letters import OrderKind
from streams.words import Colour, Level

FIELDS_MAX = 800
SAID = {
    OrderKind.PAUSE: "paused",
    OrderKind.RESUME: "resumed",
    OrderKind.CANCEL: "cancelled",
    OrderKind.CORRECT: "corrected",
}


def pages_router(site: Website) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter()
    for add in (_add_login, _add_board, _add_callouts, _add_chains, _add_orders):
        add(router, site)
    router.include_router(hand_pages(site))
    return router


def _add_login(router: APIRouter, site: Website) -> None:
    @router.get("/")
    async def login(request: Request) -> Response:
        """Ask for the token once."""
        if await site.guard.visitor(request) is not None:
            return _to("/board")
        mark = site.guard.login_mark(request)
        page = site.page(request, "login.html", {"csrf": mark})
        site.guard.set_login_mark(request, page, mark)
        return page

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """Take the token and open a session."""
        form = await request.form(max_fields=5)
        site.guard.check_login_mark(request, form)
        response = _to("/board")
        await site.guard.log_in(request, response, str(form.get("token", "")).strip())
        return response

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        """End the session."""
        await site.acting(request, may_only_look=True)
        response = _to("/")
        await site.guard.log_out(request, response)
        return response


def _add_board(router: APIRouter, site: Website) -> None:
    @router.get("/board")
    async def board(request: Request, realm: str = "") -> Response:
        """The duty room's page: warnings under way, who has not answered, what needs a person."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return _to("/")
        view = _view(site, caller, realm)

        def read(step: FullStep) -> dict[str, Any]:
            chains = show_chains(step, view, chains_of(step, view))
            return {
                "chains": chains,
                "townships": unanswered_of(step, view),
                "troubles": troubles_of(step, view),
                "hand_calls": hand_calls_of(step, view),
                "realms": other_realms(step, view.realm) if view.whole else [],
            }

        context = await site.house.ledger.run(read)
        mine = {shown.chain.id for shown in context["chains"] if _all_mine(site, caller, shown.chain.regions)}
        context |= {"view": view, "kind": kind_of(view.realm), "needs": list(Need), "mine": mine}
        return site.page(request, "board.html", context, caller=caller)

    @router.get("/board/{code}")
    async def township(request: Request, code: str, realm: str = "") -> Response:
        """One township's list: every place that has not answered, who may go there, and what was done."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return _to("/")
        region = _township(site, caller, code)
        view = _view(site, caller, realm)

        def read(step: FullStep) -> dict[str, Any]:
            lists = unanswered_of(step, view, region.code)
            return {"rows": lists[0].rows if lists else (), "calling": calling_of(step, view, region.code)}

        context = await site.house.ledger.run(read)
        context |= {"view": view, "kind": kind_of(view.realm), "region": region, "knockers": _knockers(site)}
        return site.page(request, "township.html", context, caller=caller)

    @router.post("/troubles/{trouble_id}/close")
    async def close(request: Request, trouble_id: ContentId) -> Response:
        """Close a trouble by name."""
        caller, form = await site.acting(request)
        by = str(form.get("by", "")).strip()[:60]
        if not by:
            raise _fill_in(site, "your_name")
        await site.desk.close_trouble(caller, trouble_id, by)
        return _to(f"/board?realm={realm_of(trouble_id)}&said=closed")


def _add_callouts(router: APIRouter, site: Website) -> None:
    @router.get("/callouts/{callout_id}")
    async def callout(request: Request, callout_id: ContentId) -> Response:
        """The story of one callout."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return _to("/")
        row, entries = await site.house.ledger.run(
            lambda step: (step.load(CALLOUTS, [callout_id]).get(callout_id), step.entries(callout_id))
        )
        if row is None:
            raise not_found(CALLOUT, callout_id)
        site.guard.check_covers(caller, row.region)
        county = site.house.facts.county
        context = {
            "callout": row,
            "kind": kind_of(row.realm),
            "story": tell(entries, site.words, county),
            "can_vouch": caller.may_act() and row.state in (*OPEN, *UNANSWERED),
            "knockers": _knockers(site),
            "home": row.township or county.code,
        }
        return site.page(request, "callout.html", context, caller=caller)

    @router.post("/callouts/{callout_id}/vouch")
    async def vouch(request: Request, callout_id: ContentId) -> Response:
        """Say that a callout was heard, or that somebody was at the door."""
        caller, form = await site.acting(request)
        at_the_door = form.get("at_the_door") == "yes"
        fields = {name: str(form.get(name, "")) for name in ("by", "heard_by", "how")}
        done = await site.desk.vouch(
            caller, callout_id, site.checked(VouchRequest, {**fields, "at_the_door": at_the_door})
        )
        row = await site.house.ledger.run(lambda step: step.load(CALLOUTS, [callout_id])[callout_id])
        home = row.township or site.house.facts.county.code
        return _to(f"/board/{home}?realm={row.realm}&said={_said('knocked' if at_the_door else 'vouched', done)}")


def _add_chains(router: APIRouter, site: Website) -> None:
    @router.post("/chains/{chain_id}/{order}")
    async def act(request: Request, chain_id: ContentId, order: OrderKind) -> Response:
        """Pause, resume, cancel or correct."""
        caller, form = await site.acting(request)
        by = str(form.get("by", "")).strip() or caller.name
        asked = site.checked(ChainRequest, {"order": order, "by": by, "text": str(form.get("text", ""))})
        done = await site.desk.order(caller, chain_id, asked)
        return _to(f"/board?realm={realm_of(chain_id)}&said={_said(SAID[order], done)}")

    @router.get("/chains/{chain_id}/{order}")
    async def confirm(request: Request, chain_id: ContentId, order: OrderKind) -> Response:
        """Ask once more before a chain is cancelled or corrected."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return _to("/")
        chain = await site.house.ledger.run(lambda step: step.load(CHAINS, [chain_id]).get(chain_id))
        if chain is None or order not in (OrderKind.CANCEL, OrderKind.CORRECT):
            raise not_found(CHAIN, chain_id)
        site.guard.check_covers(caller, *chain.regions)
        context = {"chain": chain, "order": order, "kind": kind_of(chain.realm)}
        return site.page(request, "confirm.html", context, caller=caller)


def _add_orders(router: APIRouter, site: Website) -> None:
    @router.get("/order")
    async def order_form(request: Request) -> Response:
        """The form by which a person orders a call."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return _to("/")
        return _order_page(site, request, caller, {}, "")

    @router.post("/order")
    async def order(request: Request) -> Response:
        """Order a call; what was filled in stays where something is missing."""
        caller, form = await site.acting(request, fields_max=FIELDS_MAX)
        given: dict[str, Any] = {
            name: str(form.get(name, "")) for name in ("hazard", "colour", "text", "by", "on_word_of")
        }
        given["villages"] = [str(value) for value in form.getlist("villages")]
        if not given["villages"]:
            return _order_page(site, request, caller, given, site.words.page("select_some"))
        try:
            done = await site.desk.call(caller, site.checked(CallRequest, given))
        except RefusedError as refused:
            fault = refused.reason if site.settings.language == "zh" else refused.reason_en
            return _order_page(site, request, caller, given, fault)
        return _to(f"/board?said={_said('called', done)}")


def _order_page(site: Website, request: Request, caller: Caller, given: dict[str, Any], fault: str) -> Response:
    county = site.house.facts.county
    townships = [
        (township, county.below(township.code, Level.VILLAGE))
        for township in county.below(county.code, Level.TOWNSHIP)
        if site.guard.covers(caller, township.code)
    ]
    context = {
        "given": given,
        "fault": fault,
        "places": townships,
        "hazards": site.house.facts.book.hazards,
        "colours": list(reversed(Colour)),
        "kind": kind_of(site.settings.realm),
    }
    return site.page(request, "order.html", context, caller=caller, status=400 if fault else 200)


def _view(site: Website, caller: Caller, realm: str) -> View:
    """Return what a caller sees; a realm that is none shows the installation's own."""
    own, facts = site.settings.realm, site.house.facts
    shown = realm if is_realm(realm) else own
    return View(shown, facts.county, site.house.clock.now(), caller.token.region)


def _township(site: Website, caller: Caller, code: str) -> Region:
    region = site.house.facts.county.regions.get(code)
    if region is None or region.level is Level.VILLAGE:
        raise not_found(Word("乡镇", "township"), code)
    own = caller.token.region
    if not (own and site.house.facts.county.township_of(own) == code):
        site.guard.check_covers(caller, code)
    return region


def _all_mine(site: Website, caller: Caller, regions: tuple[str, ...]) -> bool:
    return all(site.guard.covers(caller, code) for code in regions)


def _knockers(site: Website) -> Any:
    return site.house.facts.county.knockers


def _fill_in(site: Website, label: str) -> RefusedError:
    page = site.words.page
    reason = f"{page('fill_in')}：{page(label)}"
    return RefusedError(400, label, reason, reason)


def _said(key: str, done: Done) -> str:
    return key if done.new else "known"


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)
