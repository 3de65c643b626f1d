"""Lets in only what the Twilio account signed, and tells Twilio to ask again where the ledger could not keep it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from starlette.datastructures import ImmutableMultiDict

from agents.dial.carriers.signature import is_signed

BODY_MAX_BYTES = 65_536
ANSWER_WITHIN_S = 10.0
"""Twilio waits 15 s for a document, all its tries together
(twilio.com/docs/usage/webhooks/webhooks-connection-overrides). Shorter than that, so that it gets our answer; not
much shorter, for each 503 is asked again at once: of a crowd that is only slow it would make a larger one (measured: at
5 s a gateway that was short of processors was asked five times for each call)."""

Form = ImmutableMultiDict[str, str]
_log = logging.getLogger(__name__)


class Signed:
    """Lets in what the account signed."""

    def __init__(self, tokens: Sequence[str], public_url: str) -> None:
        self._tokens = tokens
        self._public_url = public_url

    async def form(self, request: Request, path: str) -> Form:
        """Return the fields of a signed request.

        The address is put together as Twilio was given it: behind a proxy the request's own is another.

        Raises:
            HTTPException: 413 where the body is too long, 403 where no token signed it.
        """
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                raise HTTPException(413, f"the body is longer than {BODY_MAX_BYTES} bytes")
        try:
            form: Form = ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True))
        except ValueError:
            raise HTTPException(400, "the body is not a form in UTF-8") from None
        url = self._public_url + path + (f"?{request.url.query}" if request.url.query else "")
        if not is_signed(self._tokens, url, form, request.headers.get("X-Twilio-Signature", "")):
            _log.warning("refused an unsigned request to %s", path)
            raise HTTPException(403, "the signature does not fit; check the auth token and the public address")
        return form


async def or_again(answer: Awaitable[Any], within_s: float = ANSWER_WITHIN_S) -> Any:
    """Return what the ledger says, or let Twilio ask again, whatever the trouble is: also where it takes too long.

    Args:
        answer: What the ledger is asked.
        within_s: How long it may take.

    Raises:
        HTTPException: 503.
    """
    try:
        async with asyncio.timeout(within_s):
            return await answer
    except TimeoutError as error:
        _log.warning("the ledger took longer than %.0f s; Twilio is asked to send it again", within_s)
        raise HTTPException(503, "not kept yet; send it again", headers={"Retry-After": "1"}) from error
    except Exception as error:
        _log.exception("a callback could not be kept; Twilio is asked to send it again")
        raise HTTPException(503, "not kept; send it again", headers={"Retry-After": "1"}) from error


def whole(number: str) -> int:
    """Return a whole number as it stands in a form, 0 for anything else."""
    return int(number) if number.isdecimal() and number.isascii() else 0
