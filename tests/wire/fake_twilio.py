"""A Twilio on this machine: the parts of its REST API that we use, over real HTTP, and telephones that answer.

It queues what is asked of it. `play()` then lets the telephones ring, in virtual seconds: it fetches TwiML, speaks it,
presses keys, hangs up, and sends status callbacks, all signed as the real one signs. What it does not know it refuses.
It can also misbehave: see `faults` and `callbacks`.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urldefrag
from xml.etree import ElementTree

import anyio.to_thread
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from twilio.request_validator import RequestValidator

CHARS_PER_S = 4.3
FINAL = ("completed", "busy", "no-answer", "failed", "canceled")
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

Fault = Literal["429", "500", "500 after", "hang", "not json"]
"""What befalls the next request: refused, failed before or after it was done, never answered, answered by a proxy."""


@dataclass
class Handset:
    """How a telephone behaves. `keys` are pressed one per question; when they run out, none is pressed."""

    answers: Literal["human", "machine", "busy", "no-answer", "failed"] = "human"
    keys: list[str] = field(default_factory=list)
    hangs_up_at_s: float | None = None
    ring_s: float = 6.0
    sip_code: str = ""
    error_code: str = ""
    opted_out: bool = False
    text_status: Literal["delivered", "undelivered", "sent"] = "delivered"


@dataclass
class Placed:
    """A call or a text that was accepted."""

    sid: str
    asked: dict[str, list[str]]
    created_at: datetime
    status: str = "queued"
    talk_s: float = 0.0
    answered_by: str = ""
    spoken: list[str] = field(default_factory=list)

    def parameter(self, name: str) -> str:
        return self.asked.get(name, [""])[0]


class HungUpError(Exception):
    """The telephone was put down."""


class FakeTwilio:
    """The vendor. `with serving(fake.app) as fake.url` puts it on a port; `close()` it at the end."""

    account_sid = "AC" + "1" * 32

    def __init__(self, auth_token: str = "the-token", numbers: tuple[str, ...] = ("+15005550006",)) -> None:
        self.auth_token = auth_token
        self.signs_with = auth_token
        self.numbers = numbers
        self.handsets: dict[str, Handset] = {}
        self.faults: deque[Fault] = deque()
        self.callbacks: Literal["once", "twice", "reversed", "dropped"] = "once"
        self.now = datetime(2026, 7, 19, 22, 0, tzinfo=UTC)
        self.calls: dict[str, Placed] = {}
        self.texts: dict[str, Placed] = {}
        self.requests: list[tuple[str, str]] = []
        self.webhooks: list[tuple[str, int]] = []
        self.url = ""
        self._unplayed: deque[Placed] = deque()
        self._released = threading.Event()
        self._client = httpx.Client(timeout=10, trust_env=False, verify=False)

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
        return Starlette(routes=routes)

    def close(self) -> None:
        """Let go of connections, and of requests that were left hanging."""
        self._released.set()
        self._client.close()

    # ---- the REST API

    def _guarded(self, handle: Callable[[Request, dict[str, list[str]]], JSONResponse]) -> Any:
        async def endpoint(request: Request) -> Any:
            self.requests.append((request.method, request.url.path))
            fault = self.faults.popleft() if self.faults else None
            if fault == "429":
                return refused(429, 20429, "Too many requests", {"Retry-After": "7"})
            if fault == "500":
                return refused(500, 20500, "Internal error")
            if fault == "hang":
                await anyio.to_thread.run_sync(self._released.wait)
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
            return refused(400, 20001, f"Unknown parameters {sorted(unknown)}")
        to = asked.get("To", [""])[0]
        if not (to.startswith("+") and to[1:].isdigit() and len(to) > 7):
            return refused(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if asked.get("From", [""])[0] not in self.numbers:
            return refused(400, wrong_from, "The From number is not yours")
        return None

    def _create_call(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        wrong = self._wrong_request(asked, CALL_PARAMETERS, 21210)
        if wrong:
            return wrong
        if not asked.get("Url", [""])[0].startswith("http"):
            return refused(400, 21205, "Url is not a valid URL")
        return JSONResponse(self._call_json(self._accept("CA", asked, self.calls)), 201)

    def _create_text(self, _: Request, asked: dict[str, list[str]]) -> JSONResponse:
        wrong = self._wrong_request(asked, TEXT_PARAMETERS, 21606)
        if wrong:
            return wrong
        if self._handset(asked["To"][0]).opted_out:
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
            return refused(400, 20001, f"Unknown parameters {sorted(unknown)}")
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
            return refused(400, 20001, "Only Status=completed is known here")
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
            "end_time": format_datetime(call.created_at + timedelta(seconds=60)) if over else None,
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

    # ---- the telephones

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        while self._unplayed:
            placed = self._unplayed.popleft()
            if placed.sid.startswith("CA"):
                self._play_call(placed)
            else:
                self._play_text(placed)

    def write(self, url: str, number: str, body: str) -> int:
        """Somebody at `number` writes to us; return what our gateway answered."""
        fields = {"MessageSid": "SM" + "f" * 32, "From": number, "To": self.numbers[0], "Body": body}
        return self.post(url, fields).status_code

    def post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        """Send one signed request as Twilio would, asking again after a 5xx as often as the address allows."""
        bare, overrides = urldefrag(url)
        allowed = dict(parse_qsl(overrides))
        tries = 1 + (int(allowed.get("rc", "1")) if allowed.get("rp") in ("all", "5xx") else 0)
        fields = {"AccountSid": self.account_sid, **fields}
        signature = RequestValidator(self.signs_with).compute_signature(bare, fields)
        for _ in range(tries):
            response = self._client.post(bare, data=fields, headers={"X-Twilio-Signature": signature})
            self.webhooks.append((httpx.URL(bare).path, response.status_code))
            if response.status_code < 500:
                break
        return response

    def _handset(self, number: str) -> Handset:
        return self.handsets.get(number, Handset())

    def _play_call(self, call: Placed) -> None:
        handset = self._handset(call.parameter("To"))
        events: list[tuple[str, dict[str, str]]] = []
        if call.status == "canceled":
            events.append(("completed", {"CallStatus": "canceled"}))
            self._send_events(call, events)
            return
        self._happen(call, events, "initiated", {"CallStatus": "initiated"})
        if handset.answers == "failed":
            self._end(call, events, "failed", handset)
            return
        call.status = "ringing"
        self._happen(call, events, "ringing", {"CallStatus": "ringing"})
        self.now += timedelta(seconds=handset.ring_s)
        if handset.answers in ("busy", "no-answer"):
            self._end(call, events, handset.answers, handset)
            return
        call.status = "in-progress"
        if call.parameter("MachineDetection"):
            call.answered_by = "machine_start" if handset.answers == "machine" else "human"
        self._happen(call, events, "answered", {"CallStatus": "in-progress"})
        with suppress(HungUpError):
            self._follow(call, handset)
        self._end(call, events, "completed", handset)

    def _end(self, call: Placed, events: list[tuple[str, dict[str, str]]], status: str, handset: Handset) -> None:
        call.status = status
        fields = {"CallStatus": status, "CallDuration": str(int(call.talk_s))}
        fields |= {"SipResponseCode": handset.sip_code} if handset.sip_code else {}
        fields |= {"ErrorCode": handset.error_code} if handset.error_code else {}
        fields |= {"AnsweredBy": call.answered_by} if call.answered_by else {}
        self._happen(call, events, "completed", fields)
        if self.callbacks == "reversed":
            self._send_events(call, list(reversed(events)))

    def _happen(
        self, call: Placed, events: list[tuple[str, dict[str, str]]], event: str, fields: dict[str, str]
    ) -> None:
        """Send the status callback of an event, or keep it where callbacks come in the wrong order."""
        events.append((event, {**fields, "SequenceNumber": str(len(events))}))
        if self.callbacks != "reversed":
            self._send_events(call, events[-1:])

    def _send_events(self, call: Placed, events: list[tuple[str, dict[str, str]]]) -> None:
        for event, fields in events:
            if event not in call.asked.get("StatusCallbackEvent", ["completed"]) or self.callbacks == "dropped":
                continue
            for _ in range(2 if self.callbacks == "twice" else 1):
                self.post(call.parameter("StatusCallback"), self._about(call) | fields)

    def _about(self, call: Placed) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "From": call.parameter("From"),
            "To": call.parameter("To"),
            "Direction": "outbound-api",
            "Timestamp": format_datetime(self.now),
        }

    def _follow(self, call: Placed, handset: Handset) -> None:
        """Fetch documents and do what they say until one ends the call."""
        url, fields = call.parameter("Url"), {"AnsweredBy": call.answered_by} if call.answered_by else {}
        for _ in range(50):
            answer = self.post(url, self._about(call) | {"CallStatus": "in-progress"} | fields)
            if answer.status_code != 200:
                call.spoken.append("an application error has occurred")
                return
            step = self._obey(call, handset, ElementTree.fromstring(answer.text))
            if step is None:
                return
            url, fields = step
        raise AssertionError("the documents lead in a circle")

    def _obey(self, call: Placed, handset: Handset, document: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        for verb in document:
            if verb.tag == "Say":
                self._speak(call, handset, verb)
            elif verb.tag == "Pause":
                self._spend(call, handset, float(verb.get("length", "1")))
            elif verb.tag == "Gather":
                for inner in verb:
                    self._speak(call, handset, inner)
                key = handset.keys.pop(0) if handset.keys else ""
                self._spend(call, handset, 1.0 if key else float(verb.get("timeout", "5")))
                if key or verb.get("actionOnEmptyResult") == "true":
                    return verb.attrib["action"], {"Digits": key}
            elif verb.tag == "Redirect":
                return str(verb.text), {}
            elif verb.tag == "Hangup":
                return None
            else:
                raise AssertionError(f"the fake knows no <{verb.tag}>")
        return None

    def _speak(self, call: Placed, handset: Handset, say: ElementTree.Element) -> None:
        words = str(say.text)
        self._spend(call, handset, len(words) / CHARS_PER_S)
        call.spoken.append(words)

    def _spend(self, call: Placed, handset: Handset, seconds: float) -> None:
        """Let virtual seconds go by; the telephone may be put down in them, or the call ended from our side."""
        leaves_at_s = handset.hangs_up_at_s
        if leaves_at_s is not None and call.talk_s + seconds >= leaves_at_s:
            call.talk_s = leaves_at_s
            raise HungUpError
        if call.status == "completed":
            raise HungUpError
        call.talk_s += seconds
        self.now += timedelta(seconds=seconds)

    def _play_text(self, text: Placed) -> None:
        handset = self._handset(text.parameter("To"))
        statuses = ["sent"] if handset.text_status == "sent" else ["sent", handset.text_status]
        if self.callbacks == "reversed":
            statuses.reverse()
        for status in statuses:
            text.status = status
            fields = {"MessageSid": text.sid, "MessageStatus": status, "To": text.parameter("To")}
            if status == "undelivered":
                fields["ErrorCode"] = handset.error_code or "30003"
            for _ in range({"twice": 2, "dropped": 0}.get(self.callbacks, 1)):
                self.post(text.parameter("StatusCallback"), fields)


def refused(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer as Twilio refuses: its code, and a sentence that may well quote the number."""
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return JSONResponse({**body, "status": status}, status, headers)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an app on a free port of this machine from a thread of its own; yield its address.

    The socket listens before the thread starts, so that nobody has to wait until it is ready.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)
