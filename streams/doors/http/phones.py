"""Fake telephones in the browser, for trying by hand: a page per number that rings, speaks, takes keys and texts.

It is part of the gateway only where no telephone is real (`streams/fake_phones.py`). What is done at a page becomes
news of the call, as any carrier tells them; the page itself decides nothing. Numbers stand in addresses as digests.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.dial.carriers.simulated import CHARS_PER_S, RING_S
from agents.dial.manned import HELD_S, MANNED_PHONES, Act, act, heard_at, held_s, hold, is_live, message_s
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from config.faults import Language, Word
from rosters.county import County
from rosters.model import Person
from rosters.numbers import mask, number_digest
from streams.doors.http.api import ContentId
from streams.doors.http.guard import Caller
from streams.doors.http.hearing import Hearing
from streams.doors.http.problems import not_found
from streams.doors.http.website import Website, kind_of
from streams.ids import realm_of
from streams.ledger.contract import FullStep, Where
from streams.letters import TextReplied
from streams.listening import can_speak, speech_of
from streams.words import Channel

NumberKey = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
SHOWN_WITHIN = timedelta(hours=24)
SHOWN_MAX, LIVE_MAX = 20, 200
TEXT_CHARS_MAX = 200
KEYS = "1203"
PHONE = Word("号码", "number")
# Nothing may be loaded from elsewhere; a page of a telephone asks its own gateway for news and for what is spoken.
POLICY = "connect-src 'self'; media-src 'self'"


@dataclass(frozen=True)
class FakePhone:
    """A telephone of the roster that is nobody's: its digest, how it is shown, and whose it is said to be."""

    key: str
    number: str
    person: Person
    posts: tuple[str, ...]
    habit: str
    township: str

    @property
    def shown(self) -> str:
        """Return the number as a screen may show it."""
        return mask(self.number)


@dataclass
class PhoneDesk:
    """Knows the telephones of a house, and takes what is done with them."""

    site: Website
    hearing: Hearing
    _known: dict[str, FakePhone] = field(default_factory=dict, init=False)
    _known_of: County | None = field(default=None, init=False)

    def phones(self) -> dict[str, FakePhone]:
        """Return the simulated telephones of the roster by digest."""
        county = self.site.house.facts.county
        if self._known_of is not county:
            self._known, self._known_of = self._phones_of(county), county
        return self._known

    def _phones_of(self, county: County) -> dict[str, FakePhone]:
        house = self.site.house
        habits: Any = next((each.habit_of for each in house.carriers if hasattr(each, "habit_of")), None)
        found: dict[str, FakePhone] = {}
        for person in county.people.values():
            posts = [county.posts[post] for post in county.posts_of_person(person.id) if post in county.posts]
            for phone in person.phones:
                if phone.number.startswith("sim:"):
                    key = number_digest(phone.number, house.number_key)
                    region = county.township_of(posts[0].region) if posts else ""
                    names = tuple(post.name for post in posts)
                    habit = habits(phone.number).kind if habits else ""
                    found.setdefault(key, FakePhone(key, phone.number, person, names, habit, region or county.code))
        return found

    def phone(self, key: str) -> FakePhone:
        """Return one telephone.

        Raises:
            ProblemError: 404; the roster has no such simulated number.
        """
        phone = self.phones().get(key)
        if phone is None:
            raise not_found(PHONE, key)
        return phone

    async def screen(self, key: str, *, renew: bool) -> dict[str, Any]:
        """Return what a telephone shows now; a page that looks keeps it held."""
        clock = self.site.house.clock
        now, wall = clock.now(), clock.wall()

        def read(step: FullStep) -> dict[str, Any]:
            recent = (Where("number_key", "=", key), Where("dialled_at", ">", now - SHOWN_WITHIN))
            attempts = step.find(ATTEMPTS, *recent, order=("-dialled_at",), limit=SHOWN_MAX)
            return {"attempts": attempts, "held_s": held_s(step, key, wall)}

        shown = await self.site.house.ledger.look(read)
        # Written now and then only: a page looks once a second.
        if renew and 0 < shown["held_s"] < HELD_S / 2:
            await self.hold(key, held=True)
        live = next((each for each in shown["attempts"] if is_live(each)), None)
        over_at = heard_at(live) if live else None
        state = "idle" if live is None else "talking" if live.answered_at else "ringing"
        return {
            **shown,
            "held": shown["held_s"] > 0,
            "live": live,
            "state": state,
            "message_s": message_s(live) if live else 0,
            "left_s": max(0.0, (over_at - now).total_seconds()) if over_at else 0.0,
            "may_press": over_at is not None and now >= over_at,
            "last": next((each for each in shown["attempts"] if each.channel is Channel.VOICE and each != live), None),
            "texts": [each for each in reversed(shown["attempts"]) if each.channel is Channel.TEXT],
            "calls": [each for each in shown["attempts"] if each.channel is Channel.VOICE and each != live],
        }

    async def do(self, key: str, attempt_id: str, doing: Act, pressed: str) -> None:
        """Tell the house what is done with a telephone.

        Raises:
            ProblemError: 404; there is no such call to this telephone.
        """
        ledger, now = self.site.house.ledger, self.site.house.clock.now()
        attempt = await ledger.look(lambda step: step.load(ATTEMPTS, [attempt_id]).get(attempt_id))
        if attempt is None or attempt.number_key != key:
            raise not_found(Word("呼叫", "call"), attempt_id)
        for news in act(attempt, doing, now, pressed):
            await self.hearing.hear(news)

    async def hold(self, key: str, *, held: bool) -> None:
        """Take a telephone in hand, or put it back."""
        wall = self.site.house.clock.wall()
        await self.site.house.ledger.run(lambda step: hold(step, key, wall, **({} if held else {"for_s": 0})))

    async def write(self, phone: FakePhone, text: str) -> None:
        """Send a text from a telephone to the house."""
        now = self.site.house.clock.now()
        await self.hearing.hear(
            TextReplied(
                realm=self.site.settings.realm,
                number_key=phone.key,
                masked=phone.shown,
                text=text,
                vendor_id=f"fake-{now.isoformat()}",
                at=now,
            )
        )


def phones_router(site: Website) -> APIRouter:
    """Return the routes of the fake telephones; to be asked for only where no telephone is real."""
    desk = PhoneDesk(site, Hearing(site.house, site.settings.realm))
    router = APIRouter()
    for add in (_add_list, _add_phone, _add_acts):
        add(router, site, desk)
    return router


def _add_list(router: APIRouter, site: Website, desk: PhoneDesk) -> None:
    @router.get("/fake-phones")
    async def phones(request: Request, find: str = "") -> Response:
        """Every telephone by township, those that ring or talk now first."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return RedirectResponse("/", 303)
        known = desk.phones()
        wall = site.house.clock.wall()

        def read(step: FullStep) -> tuple[list[Attempt], set[str]]:
            placed = (Where("state", "=", AttemptState.PLACED), Where("channel", "=", Channel.VOICE))
            held = step.find(MANNED_PHONES, Where("until", ">", wall))
            return step.find(ATTEMPTS, *placed, order=("-dialled_at",), limit=LIVE_MAX), {row.id for row in held}

        live, held = await site.house.ledger.look(read)
        wanted = find.strip()[:30]
        context = {
            "find": wanted,
            "live": [known[each.number_key] for each in live if each.number_key in known],
            "held": held,
            "townships": _by_township(site, known, wanted),
            "kind": kind_of(site.settings.realm),
        }
        return site.page(request, "phones.html", context, caller=caller)


def _add_phone(router: APIRouter, site: Website, desk: PhoneDesk) -> None:
    @router.get("/fake-phones/{key}")
    async def phone(request: Request, key: NumberKey) -> Response:
        """One telephone."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return RedirectResponse("/", 303)
        context = await _context(site, desk, key, caller)
        return site.page(request, "phone.html", context, caller=caller, policy=POLICY)

    @router.get("/fake-phones/{key}/screen")
    async def screen(request: Request, key: NumberKey) -> Response:
        """What it shows now, for the page to put in place of what it showed before."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return HTMLResponse("", 401)
        return site.page(request, "phone_screen.html", await _context(site, desk, key, caller), caller=caller)

    @router.get("/fake-phones/{key}/calls/{attempt_id}/speech.wav")
    async def speech(request: Request, key: NumberKey, attempt_id: ContentId) -> Response:
        """What a call says, as audio."""
        caller = await site.guard.visitor(request)
        if caller is None:
            return Response(status_code=401)
        attempt = await site.house.ledger.look(lambda step: step.load(ATTEMPTS, [attempt_id]).get(attempt_id))
        if attempt is None or attempt.number_key != key or not can_speak():
            raise not_found(Word("语音", "speech"), attempt_id)
        language: Language = "en" if attempt.language.startswith("en") else "zh"
        wav = await asyncio.to_thread(speech_of, f"{attempt.voice} {attempt.prompt}", language)
        return Response(wav, media_type="audio/wav", headers={"Cache-Control": "no-store"})


def _add_acts(router: APIRouter, site: Website, desk: PhoneDesk) -> None:
    @router.post("/fake-phones/{key}/hold")
    async def take(request: Request, key: NumberKey) -> Response:
        """Take it in hand, or put it back."""
        _, form = await site.acting(request)
        await desk.hold(desk.phone(key).key, held=form.get("held") == "yes")
        return _back(key)

    @router.post("/fake-phones/{key}/calls/{attempt_id}/{doing}")
    async def do(request: Request, key: NumberKey, attempt_id: ContentId, doing: Act) -> Response:
        """Answer, press a key, hang up."""
        _, form = await site.acting(request)
        await desk.do(key, attempt_id, doing, str(form.get("key", ""))[:1])
        return _back(key)

    @router.post("/fake-phones/{key}/texts")
    async def write(request: Request, key: NumberKey) -> Response:
        """Answer by text."""
        _, form = await site.acting(request)
        text = str(form.get("text", "")).strip()[:TEXT_CHARS_MAX]
        if text:
            await desk.write(desk.phone(key), text)
        return _back(key)


async def _context(site: Website, desk: PhoneDesk, key: str, caller: Caller) -> dict[str, Any]:
    phone = desk.phone(key)
    screen = await desk.screen(key, renew=caller.may_act())
    realm = realm_of(screen["live"].id) if screen["live"] else site.settings.realm
    return {
        **screen,
        "phone": phone,
        "keys": KEYS,
        "ring_s": RING_S,
        "chars_per_s": CHARS_PER_S,
        "audio": can_speak(),
        "fast": site.house.clock.speed != 1.0,
        "kind": kind_of(realm),
    }


def _by_township(site: Website, known: dict[str, FakePhone], wanted: str) -> list[tuple[str, list[FakePhone]]]:
    county = site.house.facts.county
    grouped: dict[str, list[FakePhone]] = {}
    for phone in known.values():
        if all(part in " ".join((phone.person.name, phone.shown, *phone.posts)) for part in wanted.split()):
            grouped.setdefault(phone.township, []).append(phone)
    named = {code: county.regions[code].name if code in county.regions else county.name for code in grouped}
    return [(named[code], phones) for code, phones in sorted(grouped.items(), key=lambda each: each[0] != county.code)]


def _back(key: str) -> RedirectResponse:
    return RedirectResponse(f"/fake-phones/{key}", 303)
