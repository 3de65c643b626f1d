"""What Twilio tells us over HTTP, and what a telephone that is being called asks of us.

Every piece of news is handed to `hear`, which keeps it in the ledger, before Twilio gets its answer; where that fails
Twilio gets a 503 and asks again (`signature.TRY_AGAIN`). Asked again, the same news carry the same `seq`.
Nothing unsigned gets in; no number is logged, and none leaves this file but masked or as a keyed digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter, HTTPException, Query, Request, Response

from agents.dial.carriers import twiml
from agents.dial.carriers.protocol import Script
from agents.dial.carriers.signature import TRY_AGAIN, attempt_of, token_of
from agents.dial.carriers.verdicts import Progress, call_news, is_machine, seq_of, text_news
from rosters.numbers import mask, number_digest
from streams.clock import Clock
from streams.doors.http.twilio_signed import Form, Signed, or_again, whole
from streams.ids import REAL
from streams.letters import CallNews, TextReplied
from streams.words import Outcome

HEARINGS_MAX = 3
"""How often one call speaks the message."""
ASKED_MAX = 3
"""How often one hearing asks for a key: once, and twice again after a wrong key or none."""

Hear = Callable[[CallNews | TextReplied], Awaitable[None]]
ScriptOf = Callable[[str], Awaitable[Script | None]]


class CallsBack(Protocol):
    """Looks up what whoever calls us is to hear."""

    @property
    def county(self) -> str:
        """Return the county's name as it is spoken."""
        ...

    async def take_call(self, number: str, call_id: str) -> str | None:
        """Return the id of the attempt that a call back is; None where nothing is meant for the number."""
        ...

    async def find_call(self, number: str, call_id: str) -> str:
        """Return the id of the attempt that a call back became, or ""."""
        ...


_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def twilio_router(
    hear: Hear,
    script_of: ScriptOf,
    tokens: Sequence[str],
    public_url: str,
    clock: Clock,
    number_key: bytes,
    calls_back: CallsBack | None = None,
) -> APIRouter:
    """Make the routes that Twilio calls; mount them where `public_url` leads.

    Args:
        hear: Keeps a piece of news in the ledger, or raises.
        script_of: What an attempt says, by its id; None where it was stopped or is unknown.
        tokens: Auth tokens of the account, two while one is being replaced.
        public_url: The same as the carrier's: signatures are made over it.
        clock: Gives the story time of each piece of news.
        number_key: For the digests that match replies with numbers.
        calls_back: What whoever calls us hears; without it nobody is answered.

    Raises:
        ValueError: `number_key` is too short.
    """
    # A key that cannot be used is told now, not when the first reply comes.
    number_digest("", number_key)
    told = _Told(hear, clock, number_key)
    speech = _Speech(told, script_of, public_url.rstrip("/"))
    signed = Signed(tokens, public_url.rstrip("/"))
    router = APIRouter(tags=["twilio"])

    if calls_back is not None:
        _answer_calls(router, signed, speech, told, calls_back)

    @router.post("/voice/{token}")
    async def answered(request: Request, token: str) -> Response:
        """The telephone was answered: speak the message."""
        form = await signed.form(request, f"/voice/{token}")
        return _xml(await speech.answered(_attempt(token), token, form))

    @router.post("/voice/{token}/asked")
    async def played(request: Request, token: str, hearing: int = Query(1, ge=1)) -> Response:
        """The message was spoken to the end: ask for a key."""
        form = await signed.form(request, f"/voice/{token}/asked")
        return _xml(await speech.played(_attempt(token), token, form, hearing))

    @router.post("/voice/{token}/key")
    async def key(request: Request, token: str, hearing: int = Query(1, ge=1), asked: int = Query(1, ge=1)) -> Response:
        """A key was pressed, or none in time: record it, speak again, ask again, or end."""
        form = await signed.form(request, f"/voice/{token}/key")
        return _xml(await speech.pressed(_attempt(token), token, form, (hearing, asked)))

    _take_news(router, signed, told)
    return router


def _take_news(router: APIRouter, signed: Signed, told: _Told) -> None:
    """Add what Twilio tells of calls and texts, and the texts that people send us."""

    @router.post("/calls/{token}/status", status_code=204)
    async def call_status(request: Request, token: str) -> Response:
        """How the call goes."""
        form = await signed.form(request, f"/calls/{token}/status")
        await told.call_status(_attempt(token), form)
        return Response(status_code=204)

    @router.post("/texts/{token}/status", status_code=204)
    async def text_status(request: Request, token: str) -> Response:
        """How the text goes."""
        form = await signed.form(request, f"/texts/{token}/status")
        await told.text_status(_attempt(token), form)
        return Response(status_code=204)

    @router.post("/texts/inbound")
    async def inbound(request: Request) -> Response:
        """Somebody sent us a text; nothing is answered."""
        form = await signed.form(request, "/texts/inbound")
        await told.reply(form)
        return _xml(_NOTHING)


def _answer_calls(router: APIRouter, signed: Signed, speech: _Speech, told: _Told, calls_back: CallsBack) -> None:
    """Add what a number of ours does when it is rung; before the routes that would take `inbound` for a token."""

    @router.post("/voice/inbound")
    async def called(request: Request) -> Response:
        """Somebody calls: speak the last message meant for that number, and ask for a key."""
        form = await signed.form(request, "/voice/inbound")
        attempt_id = await or_again(calls_back.take_call(form.get("From", ""), form.get("CallSid", "")))
        if attempt_id is None:
            return _xml(twiml.nothing_meant(calls_back.county))
        return _xml(await speech.answered(attempt_id, token_of(attempt_id), form))

    @router.post("/calls/inbound/status", status_code=204)
    async def call_back_status(request: Request) -> Response:
        """How a call to us ended, where the account is set to tell; else it is asked for."""
        form = await signed.form(request, "/calls/inbound/status")
        attempt_id = await or_again(calls_back.find_call(form.get("From", ""), form.get("CallSid", "")))
        if attempt_id:
            await told.call_status(attempt_id, form)
        return Response(status_code=204)


class _Told:
    """Turns callbacks into news and hands them on."""

    def __init__(self, hear: Hear, clock: Clock, number_key: bytes) -> None:
        self._hear = hear
        self._clock = clock
        self._number_key = number_key

    def now(self) -> datetime:
        """Return the story time."""
        return self._clock.now()

    async def hand_on(self, news: CallNews | TextReplied | None) -> None:
        """Hand news on, if there are any.

        Raises:
            HTTPException: 503 where they could not be kept.
        """
        if news is None:
            return
        await or_again(self._hear(news))

    async def progress(
        self, attempt_id: str, progress: Progress, nth: int = 0, key: str = "", outcome: Outcome | None = None
    ) -> None:
        """Hand on what a request of the telephone itself shows."""
        await self.hand_on(
            CallNews(
                attempt_id=attempt_id,
                seq=seq_of(progress, nth),
                progress=progress,
                key=key,
                outcome=outcome,
                at=self.now(),
            )
        )

    async def call_status(self, attempt_id: str, form: Form) -> None:
        """Hand on a CallStatus."""
        await self.hand_on(
            call_news(
                attempt_id,
                form.get("CallStatus", ""),
                self.now(),
                nth=whole(form.get("SequenceNumber", "")),
                duration_s=float(whole(form.get("CallDuration", ""))),
                answered_by=form.get("AnsweredBy", ""),
                sip_code=form.get("SipResponseCode", ""),
                error_code=form.get("ErrorCode", ""),
            )
        )

    async def text_status(self, attempt_id: str, form: Form) -> None:
        """Hand on a MessageStatus."""
        await self.hand_on(
            text_news(attempt_id, form.get("MessageStatus", ""), self.now(), error_code=form.get("ErrorCode", ""))
        )

    async def reply(self, form: Form) -> None:
        """Hand on what somebody wrote. It names no realm: whoever reads it knows which callouts are open."""
        number = form.get("From", "")
        await self.hand_on(
            TextReplied(
                realm=REAL,
                number_key=number_digest(number, self._number_key),
                masked=mask(number),
                text=form.get("Body", ""),
                vendor_id=form.get("MessageSid", ""),
                at=self.now(),
            )
        )


class _Speech:
    """Tells a telephone what to do next."""

    def __init__(self, told: _Told, script_of: ScriptOf, public_url: str) -> None:
        self._told = told
        self._script_of = script_of
        self._public_url = public_url

    async def answered(self, attempt_id: str, token: str, form: Form) -> str:
        """Speak the message, unless a machine answered."""
        if is_machine(form.get("AnsweredBy", "")):
            await self._told.progress(attempt_id, "answered", outcome=Outcome.VOICEMAIL)
            return twiml.hang_up()
        # Together: a phone that was picked up waits in silence for both.
        _, script = await asyncio.gather(self._told.progress(attempt_id, "answered"), self._script(attempt_id))
        return self._ask(script, token, hearing=1)

    async def played(self, attempt_id: str, token: str, form: Form, hearing: int) -> str:
        """Note that the message was heard to the end, and ask for a key."""
        if form.get("CallStatus") == "completed":
            return twiml.hang_up()
        _, script = await asyncio.gather(self._told.progress(attempt_id, "played", hearing), self._script(attempt_id))
        return self._ask_key(script, token, hearing, asked=1)

    async def pressed(self, attempt_id: str, token: str, form: Form, counts: tuple[int, int]) -> str:
        """Note keys 1, 2, 0 and 3; other keys and none are no news, they are asked for again."""
        hearing, asked = counts
        key = form.get("Digits", "")
        again = key == twiml.REPEAT_KEY and hearing < HEARINGS_MAX
        noting = self._told.progress(attempt_id, "key", hearing, key) if again or key in twiml.RECORDED else _nothing()
        _, script = await asyncio.gather(noting, self._script(attempt_id))
        language = script.language if script else twiml.CHINESE
        if key in twiml.RECORDED:
            return twiml.read_back(key, language=language)
        if again:
            return self._ask(script, token, hearing + 1)
        if asked >= ASKED_MAX:
            return twiml.goodbye(language=language)
        return self._ask_key(script, token, hearing, asked + 1, wrong=bool(key))

    async def _script(self, attempt_id: str) -> Script | None:
        script: Script | None = await or_again(self._script_of(attempt_id))
        return script

    def _ask(self, script: Script | None, token: str, hearing: int) -> str:
        if script is None:
            return twiml.cancelled()
        return twiml.ask(script, self._address(token, "asked", f"hearing={hearing}"))

    def _ask_key(self, script: Script | None, token: str, hearing: int, asked: int, *, wrong: bool = False) -> str:
        if script is None:
            return twiml.cancelled()
        url = self._address(token, "key", f"hearing={hearing}&asked={asked}")
        return twiml.ask_key(script, url, wrong=wrong)

    def _address(self, token: str, what: str, counts: str) -> str:
        return f"{self._public_url}/voice/{token}/{what}?{counts}{TRY_AGAIN}"


async def _nothing() -> None:
    """There is nothing to note."""


def _attempt(token: str) -> str:
    try:
        return attempt_of(token)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error


def _xml(document: str) -> Response:
    return Response(document, media_type="application/xml")
