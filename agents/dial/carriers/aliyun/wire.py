"""Aliyun's own clients on a transport of ours: their requests and signature, our time limit and connections.

The vendor's transport makes a TLS context and a connection for every request, 57 ms of standstill of the event loop
each (measured on the 2-core machine): at three calls a second half the room's time. Only `call_api_async`, the one
place where all their requests pass, is replaced. Nothing is sent twice, nothing is logged: an address holds a number.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from alibabacloud_dybaseapi20170525.client import Client as VendorTokens
from alibabacloud_dysmsapi20170525.client import Client as VendorTexts
from alibabacloud_dyvmsapi20170525.client import Client as VendorVoice
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.request import DaraRequest
from yarl import URL

from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.aliyun.verdicts import refusal
from agents.dial.carriers.protocol import CarrierError, RefusedByVendorError, VendorBusyError, VendorDownError

SIGNATURE = "ACS3-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()


class _Wire:
    """What both clients share: how a request goes out and what its answer means. Both set its three fields."""

    _account: AliyunAccount
    _base: str
    _text: bool
    _session: aiohttp.ClientSession | None = None

    async def call_api_async(self, params: Any, request: Any, _runtime: Any) -> dict[str, Any]:
        """Send one request, once, and return its answer as the vendor's client wants it.

        Raises:
            VendorBusyError, VendorDownError, RefusedByVendorError: By the code of the answer.
        """
        query = request.query
        pairs = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query.items())
        url = URL(f"{self._base}/?{pairs}", encoded=True)
        headers = self._signed(params, query)
        try:
            async with self._open().request(params.method, url, headers=headers) as response:
                status, content = response.status, await response.read()
            body = json.loads(content)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise VendorDownError(
                f"no clear answer from Aliyun ({type(error).__name__}); the attempt may have been placed"
            ) from None
        code = str(body.get("Code", "")) if isinstance(body, dict) else ""
        if status >= 400 or code != "OK":
            raise self._refused(params.action, status, code)
        return {"body": body, "headers": {}, "statusCode": status}

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        # Not in __init__: a session belongs to the event loop that runs when it is made.
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._account.timeout_s))
        return self._session

    def _signed(self, params: Any, query: dict[str, str]) -> dict[str, str]:
        signed = DaraRequest()
        signed.method, signed.pathname, signed.query = params.method, "/", query
        signed.headers = {
            "host": urlsplit(self._base).netloc,
            "x-acs-version": params.version,
            "x-acs-action": params.action,
            "x-acs-date": Utils.get_timestamp(),
            "x-acs-signature-nonce": Utils.get_nonce(),
            "x-acs-content-sha256": _NO_BODY,
            "accept": "application/json",
        }
        secret = self._account.access_key_secret.get_secret_value()
        authorization = Utils.get_authorization(signed, SIGNATURE, _NO_BODY, self._account.access_key_id, secret)
        return {**signed.headers, "Authorization": authorization}

    def _refused(self, action: str, status: int, code: str) -> CarrierError:
        """Return what a refusal means. The vendor's own sentence is left out: it may quote the number."""
        meant = refusal(code, status, text=self._text)
        sentence = f"Aliyun refused {action} (HTTP {status}, code {code or 'none'})"
        if meant.fault == "busy":
            return VendorBusyError(sentence)
        if meant.fault == "down":
            return VendorDownError(f"{sentence}; the attempt may have been placed")
        return RefusedByVendorError(
            f"{sentence}: look it up under 错误码 at help.aliyun.com", outcome=meant.outcome, vendor_code=code
        )


class Voice(_Wire, VendorVoice):  # type: ignore[misc]  # The package is untyped.
    """The voice service."""

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(_config(account, account.voice_api))
        self._account, self._base, self._text = account, account.voice_api, False


class Texts(_Wire, VendorTexts):  # type: ignore[misc]  # The package is untyped.
    """The SMS service."""

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(_config(account, account.text_api))
        self._account, self._base, self._text = account, account.text_api, True


class Tokens(_Wire, VendorTokens):  # type: ignore[misc]  # The package is untyped.
    """The service that hands out tokens for queues of receipts."""

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(_config(account, account.base_api))
        self._account, self._base, self._text = account, account.base_api, False


def _config(account: AliyunAccount, base: str) -> Config:
    secret = account.access_key_secret.get_secret_value()
    return Config(access_key_id=account.access_key_id, access_key_secret=secret, endpoint=urlsplit(base).netloc)


def _quoted(value: str) -> str:
    return quote(value, safe="~")
