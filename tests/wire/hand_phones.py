"""Telephones of the fake vendors that a person holds, at a page: what the person does goes over the vendors' own wire.

`make vendors` serves it beside them. A number that nobody holds does what its last digit says.
"""

from __future__ import annotations

import asyncio
import html
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from tests.wire import fake_mainland
from tests.wire.fake_mainland import Accepted, message_of
from tests.wire.fake_phones import Handset, HungUpError, Placed
from tests.wire.live_vendors import LiveAliyun, LiveTwilio

RING_S, LOOK_S, HELD_S = 35.0, 0.05, 120.0
CHARS_PER_S, KEPT = 4.3, 30
STYLES = Path(__file__).parents[2] / "streams" / "doors" / "http" / "templates"
PAGE = Path(__file__).with_name("hand_phones.html")
State = Literal["idle", "ringing", "talking", "asked"]


@dataclass
class Hand:
    """One telephone in a person's hand. Read and written from several threads, one plain value at a time."""

    number: str
    speed: float = 1.0
    seen_s: float = 0.0
    state: State = "idle"
    words: str = ""
    answered: bool = False
    put_down: bool = False
    keys: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    calls: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def ring(self, goes_on: Callable[[], bool]) -> bool:
        """Ring until somebody answers, rejects it, or the caller gives up; return whether it was answered."""
        self.state, self.answered, self.put_down, self.words = "ringing", False, False, ""
        await _until(lambda: self.answered or self.put_down or not goes_on(), RING_S / self.speed)
        return self.answered and goes_on()

    async def hear(self, words: str, goes_on: Callable[[], bool]) -> bool:
        """Be told something, which takes its time; return False where the call was over before its end."""
        self.state, self.words = "talking", words
        await _until(lambda: self.put_down or not goes_on(), len(words) / CHARS_PER_S / self.speed)
        return not self.put_down and goes_on()

    async def press(self, within_s: float, goes_on: Callable[[], bool]) -> str:
        """Be asked for a key; return it, or nothing. What was pressed before the question does not count."""
        self.keys.clear()
        self.state = "asked"
        await _until(lambda: bool(self.keys) or self.put_down or not goes_on(), within_s / self.speed)
        return self.keys.popleft() if self.keys else ""

    def over(self, how: str) -> None:
        """End the call."""
        self.state = "idle"
        self.calls.appendleft(how)


async def _until(reached: Callable[[], bool], within_s: float) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    # Looked at and not told: the page runs in another thread, with a loop of its own.
    while not reached() and loop.time() < end_s:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)


class Hands:
    """Which telephones are held, and the page at which they are."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._hands: dict[str, Hand] = {}
        self._rung: deque[str] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self.write: Callable[[str, str], None] = lambda number, text: None

    def held(self, number: str) -> Hand | None:
        """Return the hand that a telephone is in, or None; note that it was called."""
        number = number.removeprefix("+86")
        with self._lock:
            if number in self._rung:
                self._rung.remove(number)
            self._rung.appendleft(number)
            hand = self._hands.get(number)
        return hand if hand and time.monotonic() - hand.seen_s < HELD_S else None

    def texted(self, number: str, text: str) -> None:
        """Show a text."""
        if hand := self._hands.get(number.removeprefix("+86")):
            hand.texts.append(text)

    @property
    def app(self) -> Starlette:
        """The page, and what it asks."""
        return Starlette(
            routes=[Route("/", self._page), Route("/now", self._now), Route("/do", self._do, methods=["POST"])]
        )

    async def _page(self, request: Request) -> HTMLResponse:
        styles = "\n".join((STYLES / name).read_text(encoding="utf-8") for name in ("style.css", "phone.css"))
        page = PAGE.read_text(encoding="utf-8").replace("/* styles */", styles)
        return HTMLResponse(page.replace("{number}", html.escape(request.query_params.get("number", ""))))

    async def _now(self, request: Request) -> JSONResponse:
        hand = self._hands.get(request.query_params.get("number", ""))
        if hand is not None:
            hand.seen_s = time.monotonic()
        shown = (
            {}
            if hand is None
            else {"state": hand.state, "words": hand.words, "texts": list(hand.texts), "calls": list(hand.calls)}
        )
        return JSONResponse({"rung": list(self._rung), **shown})

    async def _do(self, request: Request) -> JSONResponse:
        asked = await request.json()
        number, doing = str(asked["number"]).strip().removeprefix("+86"), asked["doing"]
        hand = self._hands.setdefault(number, Hand(number, self._speed))
        hand.seen_s = time.monotonic()
        if doing == "answer":
            hand.answered = True
        elif doing == "hang_up":
            hand.put_down = True
        elif doing == "press":
            hand.keys.append(str(asked["key"])[:1])
        elif doing == "write":
            await asyncio.to_thread(self.write, number, str(asked["text"])[:200])
        elif doing == "leave":
            del self._hands[number]
        return JSONResponse({})


class HandTwilio(LiveTwilio):
    """Twilio; a telephone in a hand does what the person does."""

    def __init__(self, hands: Hands, *given: Any) -> None:
        super().__init__(*given)
        self.hands = hands
        self._in_call: dict[str, Hand] = {}

    def handset(self, number: str) -> Handset:
        return Handset(ring_s=0) if self.hands.held(number) else super().handset(number)

    def _accept(self, prefix: str, asked: dict[str, list[str]], into: dict[str, Placed]) -> Placed:
        placed = super()._accept(prefix, asked, into)
        if prefix != "CA":
            self.hands.texted(placed.parameter("To"), placed.parameter("Body"))
        return placed

    async def _pick_up(self, call: Placed, events: list[tuple[str, dict[str, str]]], handset: Handset) -> None:
        hand = self.hands.held(call.parameter("To"))
        if hand is None:
            await super()._pick_up(call, events, handset)
            return
        if not await hand.ring(lambda: call.status == "ringing"):
            if call.status == "ringing":
                call.become("busy" if hand.put_down else "no-answer")
            hand.over(call.status)
            return
        self._in_call[call.sid] = hand
        await super()._pick_up(call, events, Handset())
        hand.over(call.status)

    async def _obey(
        self, call: Placed, handset: Handset, keys: list[str], document: ElementTree.Element
    ) -> tuple[str, dict[str, str]] | None:
        hand = self._in_call.get(call.sid)
        if hand is None:
            return await super()._obey(call, handset, keys, document)
        for verb in document:
            self._know(verb)
            if verb.tag == "Say":
                await self._speak(call, handset, verb)
            elif verb.tag == "Gather":
                for inner in verb:
                    await self._speak(call, handset, inner)
                key = await hand.press(float(verb.get("timeout", "5")), lambda: call.status == "in-progress")
                if hand.put_down:
                    raise HungUpError
                if key or verb.get("actionOnEmptyResult") == "true":
                    return verb.attrib["action"], {"Digits": key}
            elif verb.tag == "Redirect":
                return str(verb.text), {}
            elif verb.tag == "Pause":
                await self._spend(call, handset, float(verb.get("length", "1")))
            else:
                return None
        return None

    async def _speak(self, call: Placed, handset: Handset, say: ElementTree.Element) -> None:
        hand = self._in_call.get(call.sid)
        if hand is None:
            await super()._speak(call, handset, say)
            return
        words = str(say.text)
        if not await hand.hear(words, lambda: call.status == "in-progress"):
            raise HungUpError
        call.talk_s += len(words) / CHARS_PER_S
        call.spoken.append(words)


class HandAliyun(LiveAliyun):
    """Aliyun, likewise."""

    def __init__(self, hands: Hands, *given: Any) -> None:
        super().__init__(*given)
        self.hands = hands
        self._in_call: dict[str, Hand] = {}

    def _take(self, accepted: Accepted, into: dict[str, Accepted]) -> None:
        super()._take(accepted, into)
        if into is self.texts:
            values = json.loads(accepted.asked.get("TemplateParam", "{}"))
            self.hands.texted(accepted.number, "".join(str(value) for value in values.values()))

    async def _play_call(self, call: Accepted) -> None:
        hand = self.hands.held(call.number)
        if hand is None:
            await super()._play_call(call)
            return
        if await hand.ring(lambda: True):
            self._in_call[call.id] = hand
        await super()._play_call(call)
        hand.over(call.status)

    def _handset(self, accepted: Accepted) -> fake_mainland.Handset:
        hand = self.hands.held(accepted.number)
        if hand is None or accepted.id in self.texts:
            return super()._handset(accepted)
        # The vendor cannot tell a rejected call from one that could not be put through.
        return (
            fake_mainland.Handset()
            if accepted.id in self._in_call
            else fake_mainland.Handset(status="200005" if hand.put_down else "200003")
        )

    async def _talk(self, call: Accepted, handset: fake_mainland.Handset) -> str:
        hand = self._in_call.get(call.id)
        if hand is None:
            return await super()._talk(call, handset)
        began_s = time.monotonic()
        menu = {str(each.get("Key")) for each in call.asked.get("MenuKeyMap", [])}
        heard, key = False, ""
        for _ in range(int(call.asked.get("PlayTimes", 1))):
            heard = await hand.hear(f"{message_of(call.asked)} 收到按1，代接按2，不能到岗按0", lambda: True) or heard
            if hand.put_down:
                break
        if heard and not hand.put_down and menu:
            key = await hand.press(int(call.asked.get("Timeout", 0)) / 1000, lambda: True)
        call.talk_s = time.monotonic() - began_s
        if key in menu:
            await self._progress(call, "300000", dtmf=key)
            await hand.hear("已记录。再见。", lambda: True)
            call.status = "200000"
            return key
        call.status = ("200008" if menu else "200000") if heard else "200001"
        return ""

    def say_up(self, number: str, words: str) -> None:
        """Push what somebody wrote to us, from another thread."""
        loop = self._loop
        if loop is not None:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._write_up(number, words), loop).result(10)
