"""What Aliyun tells us over HTTP: how calls go and end, what became of texts, what somebody wrote back.

Aliyun pushes receipts in batches (HTTP批量推送模式) and signs nothing: the secret in the path is what lets it in. Each
receipt is handed to `hear`, which keeps it in the ledger, before the answer; where that fails it gets a 503 and pushes
again after 1, 5 and 10 minutes (help.aliyun.com/document_detail/214640.htm). An answer that takes longer than 700 ms
is pushed again too: the same news carry the same `seq`.
No number is logged, and none leaves this file but masked or as a keyed digest.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse

from agents.dial.carriers.aliyun.receipts import (
    Call,
    ended_news,
    progress_news,
    text_report_news,
    vendor_time,
)
from agents.dial.carriers.aliyun.speech import needed_s
from agents.dial.carriers.protocol import Script
from agents.dial.state import Attempt
from rosters.numbers import mask, number_digest
from streams.clock import Clock
from streams.ids import REAL
from streams.letters import CallNews, TextReplied

BODY_MAX_BYTES = 262_144
BATCH_MAX = 1000
Hear = Callable[[CallNews | TextReplied], Awaitable[None]]
AttemptsOf = Callable[[Collection[str]], Awaitable[Mapping[str, Attempt]]]
Receipt = Mapping[str, Any]
_log = logging.getLogger(__name__)
_TAKEN = {"code": 0, "msg": "接收成功"}


def aliyun_router(receipts: Receipts, secret: str) -> APIRouter:
    """Make the routes to enter in the vendor's consoles, one for each kind of receipt.

    Args:
        receipts: Turns receipts into news and keeps them.
        secret: Stands in every path; whoever does not know it finds nothing there.
    """
    router = APIRouter(prefix="/aliyun/{secret}", tags=["aliyun"])

    async def batch_of(request: Request) -> list[Receipt]:
        given = str(request.path_params["secret"])
        if not hmac.compare_digest(given.encode(), secret.encode()):
            _log.warning("refused a receipt that does not know the secret")
            raise HTTPException(404, "not found")
        return await _batch(request)

    @router.post("/voice-call-report")
    async def progressed(request: Request) -> JSONResponse:
        """How calls go: VoiceCallReport (呼叫中间状态消息)."""
        return await _kept(receipts.progressed(await batch_of(request)))

    @router.post("/voice-report")
    async def ended(request: Request) -> JSONResponse:
        """How calls ended: VoiceReport (呼叫记录消息)."""
        return await _kept(receipts.ended(await batch_of(request)))

    @router.post("/sms-report")
    async def texts(request: Request) -> JSONResponse:
        """What became of texts: SmsReport (状态报告)."""
        return await _kept(receipts.texts(await batch_of(request)))

    @router.post("/sms-up")
    async def replies(request: Request) -> JSONResponse:
        """What somebody wrote to us: SmsUp (上行短信)."""
        return await _kept(receipts.replies(await batch_of(request)))

    return router


@dataclass
class Receipts:
    """Turns receipts into news.

    Args:
        hear: Keeps a piece of news in the ledger, or raises.
        attempts_of: Finds attempts by their OutId.
        clock: Gives the story time of each piece of news.
        number_key: For the digests that match replies with numbers.
        chars_per_s: How fast the vendor's voice reads.
    """

    hear: Hear
    attempts_of: AttemptsOf
    clock: Clock
    number_key: bytes
    chars_per_s: float

    def __post_init__(self) -> None:
        # A key that cannot be used is told now, not when the first reply comes.
        number_digest("", self.number_key)

    async def progressed(self, batch: list[Receipt]) -> None:
        """Keep what calls under way tell. One batch may hold both the answer and the key of a call."""
        calls = await self._calls(batch)
        news: list[CallNews] = []
        for receipt in sorted(batch, key=lambda each: str(each.get("status_time"))):
            call = calls.get(str(receipt.get("out_id")))
            if call is None:
                continue
            told = progress_news(call, receipt, self.clock.wall())
            if call.answered_at is None and told and told[0].progress == "answered":
                calls[str(receipt.get("out_id"))] = replace(call, answered_at=told[0].at)
            news += told
        await self._hear_all(news)

    async def ended(self, batch: list[Receipt]) -> None:
        """Keep how calls ended."""
        calls = await self._calls(batch)
        known = [(calls[str(each["out_id"])], each) for each in batch if each.get("out_id") in calls]
        await self._hear_all([news for call, each in known for news in ended_news(call, each, self.clock.wall())])

    async def texts(self, batch: list[Receipt]) -> None:
        """Keep what became of texts."""
        attempts = await self._attempts(batch)
        story = self._story()
        known = [(attempts[str(each["out_id"])].id, each) for each in batch if each.get("out_id") in attempts]
        at = self.clock.wall()
        await self._hear_all(
            [
                text_report_news(attempt_id, each, story(vendor_time(each.get("report_time")) or at))
                for attempt_id, each in known
            ]
        )

    async def replies(self, batch: list[Receipt]) -> None:
        """Keep what was written to us. It names no realm: whoever reads it knows which callouts are open."""
        story, at = self._story(), self.clock.wall()
        for each in batch:
            number = "+86" + str(each.get("phone_number", "")).removeprefix("+").removeprefix("86")
            reply = TextReplied(
                realm=REAL,
                number_key=number_digest(number, self.number_key),
                masked=mask(number),
                text=str(each.get("content", "")),
                vendor_id=str(each.get("sequence_id", "")),
                at=story(vendor_time(each.get("send_time")) or at),
            )
            await self.hear(reply)

    async def _calls(self, batch: list[Receipt]) -> dict[str, Call]:
        attempts, story = await self._attempts(batch), self._story()
        return {
            out_id: Call(
                attempt_id=attempt.id,
                needed_s=needed_s(_script_of(attempt), self.chars_per_s),
                chars_per_s=self.chars_per_s,
                answered_at=attempt.answered_at,
                key_at=attempt.key_at,
                story=story,
                speed=self.clock.speed,
            )
            for out_id, attempt in attempts.items()
        }

    async def _attempts(self, batch: list[Receipt]) -> Mapping[str, Attempt]:
        named = {str(each["out_id"]) for each in batch if each.get("out_id")}
        found = await self.attempts_of(named)
        if len(found) < len(named):
            # One account may serve several systems; what is not ours is no fault.
            _log.warning("%d receipts name no attempt of this house", len(named) - len(found))
        return found

    async def _hear_all(self, news: list[CallNews]) -> None:
        """Keep all of it: calls together, for the vendor waits 700 ms only, each call's news one after the other."""
        calls: dict[str, list[CallNews]] = {}
        for each in news:
            calls.setdefault(each.attempt_id, []).append(each)
        await asyncio.gather(*(self._hear_in_order(of_one) for of_one in calls.values()))

    async def _hear_in_order(self, news: list[CallNews]) -> None:
        for each in news:
            await self.hear(each)

    def _story(self) -> Callable[[datetime], datetime]:
        now, wall, speed = self.clock.now(), self.clock.wall(), self.clock.speed
        return lambda at: min(now, now - (wall - at) * speed)


async def _batch(request: Request) -> list[Receipt]:
    """Return the receipts of a request.

    Raises:
        HTTPException: 413 where it is too long, 400 where it is no list of objects.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise HTTPException(413, f"the body is longer than {BODY_MAX_BYTES} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON in UTF-8") from None
    if not isinstance(found, list) or len(found) > BATCH_MAX or not all(isinstance(each, dict) for each in found):
        raise HTTPException(400, f"the body is not a list of at most {BATCH_MAX} receipts")
    return found


async def _kept(keeping: Awaitable[None]) -> JSONResponse:
    try:
        await keeping
    except Exception as error:
        _log.exception("receipts could not be kept; Aliyun is asked to push them again")
        raise HTTPException(503, "not kept; push it again", headers={"Retry-After": "1"}) from error
    return JSONResponse(_TAKEN)


def _script_of(attempt: Attempt) -> Script:
    return Script(voice=attempt.voice, text=attempt.text, prompt=attempt.prompt, exercise=attempt.exercise)
