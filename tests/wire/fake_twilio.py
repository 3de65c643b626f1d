"""A Twilio on this machine: the parts of its REST API that we use, over real HTTP.

It queues what is asked of it; `play()` then lets the telephones ring (fake_phones.py). What it does not know it
refuses. It can also misbehave: see `faults` and `callbacks`.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qs

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.wire.fake_phones import FINAL, Network, Placed

CALL_PARAMETERS = {
    "To",
    "From",
    "Url",
    "Method",
    "StatusCallback",
    "StatusCallbackEvent",
    "StatusCallbackMethod",
    "MachineDetection",
    "Timeout",
    "TimeLimit",
}
TEXT_PARAMETERS = {"To", "From", "Body", "StatusCallback"}
LIST_PARAMETERS = {"To", "From", "PageSize"}

METHODS = ["GET", "POST", "PUT", "DELETE"]

Fault = Literal["429", "500", "500 after", "hang", "not json"]
"""What befalls the next request: refused, failed before or after it was done, never answered, answered by a proxy."""


class FakeTwilio(Network):
    """The vendor. `with serving(fake.app) as fake.url` puts it on a port; `close()` it at the end."""

    def __init__(self, auth_token: str = "the-token", numbers: tuple[str, ...] = ("+15005550006",)) -> None:
        super().__init__(auth_token, numbers)
        self.auth_token = auth_token
        self.faults: deque[Fault] = deque()
        self.refusals: deque[int] = deque()
        """Codes with which the next calls and texts are refused, whatever is asked."""
        self.calls: dict[str, Placed] = {}
        self.texts: dict[str, Placed] = {}
        self.requests: list[tuple[str, str]] = []
        self.url = ""
        self._released = threading.Event()

    @property
    def app(self) -> Starlette:
        """The REST API."""
        account = "/2010-04-01/Accounts/{account}"
        routes = [
            Route(account + "/Calls.json", self._guarded(self._create_call), methods=["POST"]),
            Route(account + "/Calls.json", self._guarded(self._list_calls), methods=["GET"]),
            Route(account + "/Calls/{sid}.json", self._guarded(self._fetch_call), methods=["GET"]),
            Route(account + "/Calls/{sid}.json", self._guarded(self._update_call), methods=["POST"]),
            Route(account + "/Messages.json", self._guarded(self._create_text), methods=["POST"]),
            Route(account + "/Messages.json", self._guarded(self._list_texts), methods=["GET"]),
            Route(account + "/Messages/{sid}.json", self._guarded(self._fetch_text), methods=["GET"]),
        ]
        return Starlette(routes=[*routes, Route("/{path:path}", self._unknown, methods=METHODS)])

    def close(self) -> None:
        """Let go of connections, and of requests that were left hanging."""
        self._released.set()
        super().close()

    async def _unknown(self, request: Request) -> JSONResponse:
        self.unexpected.append(f"{request.method} {request.url.path} is no request that is known here")
        return refused(404, 20404, "The requested resource was not found")

    def _next_fault(self) -> Fault | None:
        return self.faults.popleft() if self.faults else None

    async def _hang(self) -> None:
        """Leave a request without an answer until the vendor closes."""
        await anyio.to_thread.run_sync(self._released.wait)

    def _unknown_parameters(self, what: str, unknown: set[str]) -> JSONResponse:
        self.unexpected.append(f"{what} takes no parameters {sorted(unknown)}")
        return refused(400, 20001, f"Unknown parameters {sorted(unknown)}")

    def _guarded(self, handle: Callable[[Request, dict[str, list[str]]], JSONResponse]) -> Any:
        async def endpoint(request: Request) -> Any:
            self.requests.append((request.method, request.url.path))
            fault = self._next_fault()
            if fault == "429":
                return refused(429, 20429, "Too many requests", {"Retry-After": "7"})
            if fault == "500":
                return refused(500, 20500, "Internal error")
            if fault == "hang":
                await self._hang()
                return refused(500, 20500, "Too late")
            wrong = self._wrong_account(request)
            if wrong:
                return wrong
            body = (await request.body()).decode() if request.method == "POST" else request.url.query
            response = handle(request, parse_qs(body, keep_blank_values=True))
            if fault == "500 after":
                return refused(500, 20500, "Internal error")
            if fault == "not json":
                response.body = b"<html>proxy</html>"
                response.headers["content-length"] = str(len(response.body))
            return response

        return endpoint

    def _wrong_account(self, request: Request) -> JSONResponse | None:
        expected = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return refused(401, 20003, "Authenticate")
        if request.path_params["account"] != self.account_sid:
            return refused(404, 20404, "The requested resource was not found")
        return None

    def _wrong_request(self, asked: dict[str, list[str]], known: set[str], wrong_from: int) -> JSONResponse | None:
        if unknown := set(asked) - known:
            return self._unknown_parameters("creating", unknown)
        to = asked.get("To", [""])[0]
        if not (to.startswith("+") and to[1:].isdigit() and len(to) > 7):
            return refused(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if asked.get("From", [""])[0] not in self.numbers:
            return refused(400, wrong_from, "The From number is not yours")
        return None

    def _refuse(self, asked: dict[str, list[str]]) -> JSONResponse | None:
        return refused(400, self.refusals.popleft(), f"no: {asked['To'][0]}") if self.refusals else None

    def _create_call(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        wrong = self._wrong_request(asked, CALL_PARAMETERS, 21210) or self._refuse(asked)
        if wrong:
            return wrong
        if not asked.get("Url", [""])[0].startswith("http"):
            return refused(400, 21205, "Url is not a valid URL")
        return JSONResponse(self._call_json(self._accept("CA", asked, self.calls)), 201)

    def _create_text(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        wrong = self._wrong_request(asked, TEXT_PARAMETERS, 21606) or self._refuse(asked)
        if wrong:
            return wrong
        if self.handset(asked["To"][0]).opted_out:
            return refused(400, 21610, f"Attempt to send to unsubscribed recipient {asked['To'][0]}")
        if not asked.get("Body", [""])[0] or len(asked["Body"][0]) > 1600:
            return refused(400, 21617, "The body is missing or too long")
        return JSONResponse(self._text_json(self._accept("SM", asked, self.texts)), 201)

    def _accept(self, prefix: str, asked: dict[str, list[str]], into: dict[str, Placed]) -> Placed:
        placed = Placed(f"{prefix}{len(into) + 1:032x}", asked, self.now)
        into[placed.sid] = placed
        self._unplayed.append(placed)
        return placed

    def _list_calls(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        return self._page("calls", asked, self.calls, self._call_json)

    def _list_texts(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        return self._page("messages", asked, self.texts, self._text_json)

    def _page(
        self, name: str, asked: dict[str, list[str]], kept: dict[str, Placed], shown: Callable[[Placed], dict[str, Any]]
    ) -> JSONResponse:
        if unknown := set(asked) - LIST_PARAMETERS:
            return self._unknown_parameters("listing", unknown)
        wanted = {key: value[0] for key, value in asked.items() if key in ("To", "From")}
        found = [each for each in kept.values() if all(each.parameter(key) == value for key, value in wanted.items())]
        return JSONResponse({name: [shown(each) for each in reversed(found)], "next_page_uri": None, "page": 0})

    def _fetch_call(self, request: Request, _: dict[str, list[str]]) -> JSONResponse:
        call = self.calls.get(request.path_params["sid"])
        return JSONResponse(self._call_json(call)) if call else refused(404, 20404, "No such call")

    def _fetch_text(self, request: Request, _: dict[str, list[str]]) -> JSONResponse:
        text = self.texts.get(request.path_params["sid"])
        return JSONResponse(self._text_json(text)) if text else refused(404, 20404, "No such message")

    def _update_call(self, request: Request, asked: dict[str, list[str]]) -> JSONResponse:
        call = self.calls.get(request.path_params["sid"])
        if call is None:
            return refused(404, 20404, "No such call")
        if asked != {"Status": ["completed"]}:
            return self._unknown_parameters("hanging up", set(asked))
        if call.status in FINAL:
            return refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        call.status = "completed" if call.status == "in-progress" else "canceled"
        return JSONResponse(self._call_json(call))

    def _call_json(self, call: Placed) -> dict[str, Any]:
        over = call.status in FINAL
        return {
            "sid": call.sid,
            "account_sid": self.account_sid,
            "to": call.parameter("To"),
            "from": call.parameter("From"),
            "status": call.status,
            "direction": "outbound-api",
            "date_created": format_datetime(call.created_at),
            "date_updated": format_datetime(call.created_at),
            "start_time": None if call.status == "queued" else format_datetime(call.created_at),
            "end_time": format_datetime(call.ended_at or call.created_at + timedelta(seconds=60)) if over else None,
            "duration": str(int(call.talk_s)) if over else None,
            "answered_by": call.answered_by or None,
        }

    def _text_json(self, text: Placed) -> dict[str, Any]:
        return {
            "sid": text.sid,
            "account_sid": self.account_sid,
            "to": text.parameter("To"),
            "from": text.parameter("From"),
            "body": text.parameter("Body"),
            "status": text.status,
            "error_code": None,
            "date_created": format_datetime(text.created_at),
            "date_updated": format_datetime(text.created_at),
        }


def refused(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer as Twilio refuses: its code, and a sentence that may well quote the number."""
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return JSONResponse({**body, "status": status}, status, headers)


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """Serve an app on a port of this machine, a free one if 0, from a thread of its own; yield its address.

    The socket listens before the thread starts, so that nobody has to wait until it is ready.
    """
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)
