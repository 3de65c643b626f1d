"""What a real telephone carrier tells us, kept in the ledger before it gets its answer, and what a phone is to say."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter

from agents.dial.carriers.aliyun.outid import attempt_of, is_ours
from agents.dial.carriers.protocol import Script
from agents.dial.inbound import Caller, find_call, take_call
from agents.dial.script import spoken_by
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from agents.plan.state import ROUNDS
from config.settings import Settings
from rosters.numbers import number_digest
from streams import topics
from streams.doors.http.aliyun import Receipts, aliyun_router
from streams.doors.http.twilio import twilio_router
from streams.ids import REAL
from streams.ledger.contract import FullStep, Step, Where
from streams.letters import CallNews, TextReplied, write_letter
from streams.wiring import House

TWILIO = "twilio"
RECEIPTS_WITHIN = timedelta(days=3)
"""How old a round may be whose receipts are still asked about."""


def hearing_router(house: House, settings: Settings, metrics: CollectorRegistry | None = None) -> APIRouter:
    """Return the routes that carriers call: Twilio's under the path of its public URL, Aliyun's under /aliyun.

    A carrier that cannot reach us has none: it is asked (streams/doors/asking.py).

    Args:
        house: Where it is kept.
        settings: Which carriers there are, and their accounts.
        metrics: Where calls of strangers are counted.
    """
    hearing = Hearing(house, settings.realm)
    routers = APIRouter()
    if "aliyun" in settings.carriers and settings.aliyun_receipt_secret.get_secret_value():
        speed = settings.aliyun_chars_per_s
        receipts = Receipts(hearing.hear, hearing.attempts_of, house.clock, house.number_key, speed)
        routers.include_router(aliyun_router(receipts, settings.aliyun_receipt_secret.get_secret_value()))
    if "twilio" not in settings.carriers or not settings.twilio_public_url:
        return routers
    tokens = [settings.twilio_auth_token.get_secret_value(), settings.twilio_auth_token_next.get_secret_value()]
    router = APIRouter(prefix=urlsplit(settings.twilio_public_url).path.rstrip("/"))
    public_url, key = settings.twilio_public_url, house.number_key
    router.include_router(
        twilio_router(
            hearing.hear,
            hearing.script_of,
            [token for token in tokens if token],
            public_url,
            house.clock,
            key,
            calls_back=CallsBack(house, TWILIO, metrics),
        )
    )
    routers.include_router(router)
    return routers


class CallsBack:
    """Answers whoever calls one of our numbers. Of a stranger nothing is kept but that one more called."""

    def __init__(self, house: House, carrier: str, metrics: CollectorRegistry | None = None) -> None:
        self._house, self._carrier = house, carrier
        self._strangers = Counter(
            "jiaoying_strangers_called", "Calls to us from numbers that nothing is meant for.", registry=metrics
        )

    @property
    def county(self) -> str:
        """Return the county's name as it is spoken."""
        return self._house.facts.county.name

    async def take_call(self, number: str, call_id: str) -> str | None:
        """Return the id of the attempt that a call back is; None where nothing is meant for the number.

        Raises:
            LedgerAwayError: It was not kept.
        """
        house = self._house
        caller = self._caller(number, call_id)
        now, wall = house.clock.now(), house.clock.wall()
        attempt = await house.ledger.run(lambda step: take_call(step, house.facts, caller, house.owner, now, wall))
        if attempt is None:
            self._strangers.inc()
            return None
        return attempt.id

    async def find_call(self, number: str, call_id: str) -> str:
        """Return the id of the attempt that a call back became, or "".

        Raises:
            LedgerAwayError: The ledger is away.
        """
        caller, now = self._caller(number, call_id), self._house.clock.now()
        return await self._house.ledger.look(lambda step: find_call(step, caller, now))

    def _caller(self, number: str, call_id: str) -> Caller:
        key = number_digest(number, self._house.number_key)
        return Caller(number=number, number_key=key, carrier=self._carrier, call_id=call_id)


class Hearing:
    """Keeps news of calls, and looks up what a call says."""

    def __init__(self, house: House, realm: str) -> None:
        self._ledger, self._clock, self._realm = house.ledger, house.clock, realm
        self._keeping: dict[str, asyncio.Task[None]] = {}

    async def hear(self, news: CallNews | TextReplied) -> None:
        """Write a piece of news as a letter; told again, it is the same letter.

        A vendor that waited too long tells it again while the first telling still waits for the ledger: both wait for
        the same step then. Otherwise each repetition would make the crowd before the ledger larger.

        Raises:
            LedgerAwayError: It was not kept.
        """
        mark = _mark(news)
        keeping = self._keeping.get(mark)
        if keeping is None:
            keeping = self._keeping[mark] = asyncio.ensure_future(self._keep(news))
            keeping.add_done_callback(partial(self._kept, mark))
        await asyncio.shield(keeping)

    async def _keep(self, news: CallNews | TextReplied) -> None:
        now = self._clock.now()

        def keep(step: FullStep) -> None:
            if isinstance(news, CallNews):
                step.write([write_letter(topics.CALLS, news.attempt_id, news, now, cause=_mark(news))])
                return
            reply = news.model_copy(update={"realm": self._realm_of(news.number_key, step)})
            key = f"{reply.realm}|number|{reply.number_key}"
            step.write([write_letter(topics.CALLS, key, reply, now, cause=_mark(news))])

        await self._ledger.run(keep)

    def _kept(self, mark: str, keeping: asyncio.Task[None]) -> None:
        del self._keeping[mark]
        if not keeping.cancelled():
            # Whoever waited was told of it; where nobody waits any more, the vendor tells the news again.
            keeping.exception()

    async def attempts_of(self, out_ids: Collection[str]) -> Mapping[str, Attempt]:
        """Return attempts by the OutId that they have at Aliyun; those that are none of ours are left out."""
        since = self._clock.now() - RECEIPTS_WITHIN
        return await self._ledger.look(lambda step: _attempts_of(step, out_ids, self._realm, since))

    async def script_of(self, attempt_id: str) -> Script | None:
        """Return what an attempt says; None where it is unknown, over, or all of its rounds were stopped."""
        return await self._ledger.look(lambda step: _script_of(step, attempt_id))

    def _realm_of(self, number_key: str, step: Step) -> str:
        """Return the realm in which a number was last dialled: a reply names none, and a drill's is not a real one."""
        latest = step.find(ATTEMPTS, Where("number_key", "=", number_key), order=("-dialled_at",), limit=1)
        return latest[0].realm if latest else self._realm


def _mark(news: CallNews | TextReplied) -> str:
    """Return what makes a piece of news the same one."""
    return f"{news.attempt_id}:{news.seq}" if isinstance(news, CallNews) else news.vendor_id or news.at.isoformat()


def _attempts_of(step: Step, out_ids: Collection[str], realm: str, since: datetime) -> dict[str, Attempt]:
    """Find attempts in every realm in which something was opened lately: an OutId has no room for the realm."""
    opened = step.count(ROUNDS, ("realm",), Where("opened_at", ">", since))
    realms = sorted({REAL, realm, *(str(found) for (found,) in opened)})
    named = {attempt_of(out_id, each): out_id for out_id in out_ids if is_ours(out_id) for each in realms}
    return {named[attempt_id]: attempt for attempt_id, attempt in step.load(ATTEMPTS, named).items()}


def _script_of(step: Step, attempt_id: str) -> Script | None:
    attempt = step.load(ATTEMPTS, [attempt_id]).get(attempt_id)
    if attempt is None or attempt.stop or attempt.state is AttemptState.ENDED:
        return None
    rounds = step.load(ROUNDS, attempt.rounds)
    if rounds and all(row.stopped_at is not None for row in rounds.values()):
        return None
    return spoken_by(attempt)
