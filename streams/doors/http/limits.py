"""How much a request may bring: counted while it is read, so that nothing larger is ever held."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.faults import Word
from streams.doors.http.problems import ProblemError

FORM_BYTES_MAX = 256 * 1024


class BodyLimit:
    """Middleware that ends requests whose body is longer than a form of ours; documents are counted by their routes."""

    def __init__(self, app: ASGIApp, documents: Collection[str], bytes_max: int = FORM_BYTES_MAX) -> None:
        self._app, self._documents, self._bytes_max = app, frozenset(documents), bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        if scope["type"] != "http" or scope["path"] in self._documents:
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._bytes_max:
                raise too_large(self._bytes_max)
            return message

        await self._app(scope, counted, send)


def too_large(bytes_max: int) -> ProblemError:
    """Return the problem of a body that is too long."""
    return ProblemError(
        413,
        Word(f"内容超过上限 {bytes_max} 字节，请拆分后发送。", f"The body is longer than {bytes_max} bytes; split it."),
        "body",
    )


async def read_document(request: Request, bytes_max: int) -> bytes:
    """Return a body, or as much of it as shows that it is too long: at most one chunk over `bytes_max`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            break
    return bytes(body)
