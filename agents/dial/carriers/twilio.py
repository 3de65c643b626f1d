"""Calls and texts through Twilio.

Twilio has no idempotency key: the same request sent twice rings twice. So nothing is sent again from here, and after
an unclear answer `look_up` searches for the call before anybody dials again.
It never dials a number that was not approved, and never puts a number into an address, a log or an error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, SecretStr
from twilio.base import values
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from agents.dial.carriers.protocol import (
    CarrierError,
    Dial,
    Placed,
    RefusedByVendorError,
    VendorBusyError,
    VendorDownError,
)
from agents.dial.carriers.signature import TRY_AGAIN, token_of
from agents.dial.carriers.twiml import with_exercise
from agents.dial.carriers.verdicts import VERDICTS, Verdict, call_news, text_news
from streams.words import Channel, Model, Outcome

T = TypeVar("T")
API_BASE = "https://api.twilio.com"
LOOK_BACK = timedelta(seconds=5)
"""How much earlier than the claim a call may seem to be created: two clocks, one of them in whole seconds."""
LOOK_AHEAD = timedelta(seconds=55)
"""How much later: shorter than the 60 s within which no number is dialled twice (design, law 12)."""

OVER = frozenset({"20404", "21220"})
"""There is no such call, or it is not in progress."""


class TwilioAccount(Model):
    """An account and how it is used.

    Args:
        account_sid: AC…
        auth_token: Its token; signs callbacks too.
        from_number: E.164, a number of the account that may call and text.
        public_url: Where Twilio reaches our gateway, https, without a slash at the end; "" where it cannot, then
            `flow_sid` is needed (studio.py).
        flow_sid: FW…, the flow that calls follow where nothing can be called back.
        api_base: Another address only in tests.
        pace_per_s: Calls per second; an account starts with 1 (twilio.com/docs/glossary/cps).
        texts_per_s: Texts per second; a long code starts with 1.
        machine_detection: Enable, DetectMessageEnd, or "" for none. With it a voicemail is known as one, at the price
            of a few seconds of silence for humans.
        ring_s: How long it rings.
        talk_s: The longest call.
        timeout_s: How long we wait for Twilio's answer.
        china_basis: On what legal basis numbers of the mainland are sent abroad (PIPL §36 ff.); "" = they are not
            dialled through Twilio.
    """

    account_sid: str
    auth_token: SecretStr
    from_number: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    public_url: str = Field(default="", pattern=r"^(https?://.*[^/])?$")
    flow_sid: str = Field(default="", pattern=r"^(FW[0-9a-fA-F]{32})?$")
    api_base: str = API_BASE
    pace_per_s: float = Field(default=1.0, gt=0)
    texts_per_s: float = Field(default=1.0, gt=0)
    machine_detection: str = Field(default="Enable", pattern=r"^(Enable|DetectMessageEnd|)$")
    ring_s: int = Field(default=35, ge=10, le=120)
    talk_s: int = Field(default=180, ge=60, le=600)
    timeout_s: float = Field(default=8.0, gt=0, lt=10)
    china_basis: str = ""


class VendorHttp(AsyncTwilioHttpClient):  # type: ignore[misc]  # The package is untyped.
    """Twilio's client with a limit in time, another address for tests, and an ear for Retry-After."""

    def __init__(self, api_base: str = API_BASE, timeout_s: float = 8.0) -> None:
        super().__init__(timeout=timeout_s)
        self._api_base = api_base.rstrip("/")
        self._timeout_s = timeout_s

    async def request(self, method: str, url: str, **how: Any) -> Any:
        """Send one request, once.

        Raises:
            VendorBusyError: 429.
            VendorDownError: 5xx.
        """
        if self._api_base != API_BASE:
            url = self._api_base + urlsplit(url).path
        # The client would make an aiohttp.BasicAuth, which aiohttp means to drop.
        secret = base64.b64encode(":".join(how.pop("auth")).encode()).decode()
        headers = {**(how.pop("headers") or {}), "Authorization": f"Basic {secret}"}
        response = await super().request(method, url, **{**how, "headers": headers, "timeout": self._timeout_s})
        if response.status_code == 429:
            raise VendorBusyError("Twilio takes no more at the moment", retry_after_s=_seconds(response.headers))
        if response.status_code >= 500:
            raise VendorDownError(f"Twilio answered {response.status_code}; the attempt may have been placed")
        return response

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Log nothing: the address of a search holds the number."""


class TwilioCarrier:
    """The carrier of numbers that were approved for it."""

    name = "twilio"

    def __init__(
        self,
        account: TwilioAccount,
        approved: Callable[[str], bool],
        *,
        http_client: AsyncTwilioHttpClient | None = None,
    ) -> None:
        """Args are the account, who may be dialled (`jiaoying live approve`), and a client of one's own."""
        self.pace_per_s = account.pace_per_s
        self.texts_per_s = account.texts_per_s
        self._account = account
        self._approved = approved
        self._http = http_client
        self._client: Client | None = None

    def may_dial(self, number: str) -> bool:
        """Return whether it is an E.164 number that somebody approved, and that may leave the country."""
        abroad = not number.startswith("+86") or bool(self._account.china_basis)
        return number.startswith("+") and abroad and self._approved(number)

    def takes_replies(self, number: str) -> bool:
        """Return whether its texts are answered: from the Chinese mainland not (twilio.com/en-us/guidelines/cn/sms)."""
        return not number.startswith("+86")

    async def place(self, dial: Dial) -> Placed:
        """Create the call or the message; what follows is told by callbacks."""
        if not self.may_dial(dial.number):
            raise RefusedByVendorError(
                "this number is not approved for real calls; approve it with `jiaoying live approve`",
                outcome=Outcome.BARRED,
                vendor_code="not-approved",
            )
        create = self._call if dial.channel is Channel.VOICE else self._text
        return Placed(vendor_id=await create(dial))

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Fetch by id, or search among the latest calls (texts) to this number for the one placed at that time.

        Twilio keeps nothing of ours with a call and filters by day only, so number and time of creation must do: one
        match is it, none or several tell nothing. Key presses are not kept either: a call found as completed has
        news without them.
        """
        find = self._look_up_call if dial.channel is Channel.VOICE else self._look_up_text
        try:
            return await find(dial, vendor_id)
        except RefusedByVendorError as error:
            if error.vendor_code in OVER:
                return None
            raise

    async def hang_up(self, vendor_id: str) -> None:
        """End a call; `completed` ends queued and ringing ones too. Texts and ended calls are left as they are."""
        if not vendor_id.startswith("CA"):
            return
        try:
            await self._ask(self._twilio().calls(vendor_id).update_async(status="completed"))
        except RefusedByVendorError as error:
            if error.vendor_code not in OVER:
                raise

    async def close(self) -> None:
        """Let go of connections."""
        if self._http is not None:
            await self._http.close()
        self._http, self._client = None, None

    def _twilio(self) -> Client:
        # Not in __init__: the client's session belongs to the event loop that runs when it is made.
        if self._client is None:
            account = self._account
            self._http = self._http or VendorHttp(account.api_base, account.timeout_s)
            self._client = Client(account.account_sid, account.auth_token.get_secret_value(), http_client=self._http)
        return self._client

    def _address(self, *parts: str) -> str:
        return "/".join((self._account.public_url, *parts)) + TRY_AGAIN

    def _texts_address(self, attempt_id: str) -> Any:
        return self._address("texts", token_of(attempt_id), "status") if self._account.public_url else values.unset

    async def _call(self, dial: Dial) -> str:
        token = token_of(dial.attempt_id)
        call = await self._ask(
            self._twilio().calls.create_async(
                to=dial.number,
                from_=self._account.from_number,
                url=self._address("voice", token),
                method="POST",
                status_callback=self._address("calls", token, "status"),
                status_callback_event=["answered", "completed"],
                status_callback_method="POST",
                machine_detection=self._account.machine_detection or values.unset,
                timeout=self._account.ring_s,
                time_limit=self._account.talk_s,
            )
        )
        return str(call.sid)

    async def _text(self, dial: Dial) -> str:
        message = await self._ask(
            self._twilio().messages.create_async(
                to=dial.number,
                from_=self._account.from_number,
                body=with_exercise(dial.script.text, dial.script),
                status_callback=self._texts_address(dial.attempt_id),
            )
        )
        return str(message.sid)

    async def _look_up_call(self, dial: Dial, vendor_id: str) -> Placed | None:
        calls = self._twilio().calls
        if vendor_id:
            call = await self._ask(calls(vendor_id).fetch_async())
        else:
            latest = await self._ask(calls.list_async(to=dial.number, from_=self._account.from_number, limit=20))
            call = _only([call for call in latest if placed_for(dial, call.date_created)])
        if call is None:
            return None
        at = call.end_time or call.start_time or dial.at
        told = call_news(
            dial.attempt_id,
            call.status,
            at.astimezone(UTC),
            duration_s=float(call.duration or 0),
            answered_by=call.answered_by or "",
        )
        # Its callbacks were lost. That it was answered is told by its end; that it was played to the end, by nothing.
        answered = call_news(dial.attempt_id, "in-progress", at.astimezone(UTC)) if call.status == "completed" else None
        return Placed(vendor_id=call.sid, to_come=tuple(news for news in (answered, told) if news))

    async def _look_up_text(self, dial: Dial, vendor_id: str) -> Placed | None:
        messages = self._twilio().messages
        if vendor_id:
            message = await self._ask(messages(vendor_id).fetch_async())
        else:
            body = with_exercise(dial.script.text, dial.script)
            latest = await self._ask(messages.list_async(to=dial.number, from_=self._account.from_number, limit=20))
            message = _only([each for each in latest if placed_for(dial, each.date_created) and each.body == body])
        if message is None:
            return None
        at = (message.date_updated or dial.at).astimezone(UTC)
        told = text_news(dial.attempt_id, message.status, at, error_code=str(message.error_code or ""))
        return Placed(vendor_id=message.sid, to_come=(told,) if told else ())

    async def _ask(self, request: Awaitable[T]) -> T:
        try:
            return await request
        except CarrierError:
            raise
        except (TimeoutError, aiohttp.ClientError, json.JSONDecodeError) as error:
            raise VendorDownError(
                f"no clear answer from Twilio ({type(error).__name__}); the attempt may have been placed"
            ) from None
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refusal(error.status, str(error.code or "")) from None


def _refusal(status: int, code: str) -> CarrierError:
    """Return what a 4xx means. Twilio's own sentence is left out: it quotes the number."""
    verdict = VERDICTS.get(code, Verdict(Outcome.VENDOR_FAILED, permanent=True))
    sentence = f"Twilio refused ({status}, code {code}): see twilio.com/docs/api/errors/{code}"
    # 409: Studio conducts a call to this number already.
    if status in (409, 429) or not verdict.permanent:
        return VendorBusyError(sentence)
    if status >= 500:
        return VendorDownError(sentence)
    return RefusedByVendorError(sentence, outcome=verdict.outcome, vendor_code=code)


def placed_for(dial: Dial, created_at: datetime | None) -> bool:
    """Return whether what was created then may be this attempt: Twilio keeps nothing of ours with it."""
    return created_at is not None and dial.at - LOOK_BACK <= created_at <= dial.at + LOOK_AHEAD


def _only(found: list[Any]) -> Any | None:
    return found[0] if len(found) == 1 else None


def _seconds(headers: Any) -> float | None:
    given = str((headers or {}).get("Retry-After", ""))
    return float(given) if given.isdigit() else None
