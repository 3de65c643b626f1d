"""An Aliyun on this machine: the parts of its voice and SMS services that we use, over real HTTP.

It checks signatures, parameter names (by the SDK's own models), templates, and the documented limits per callee; what
was accepted happens in `play()`, in virtual seconds, and is told by receipts pushed in batches.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import anyio.to_thread
import httpx
from alibabacloud_dysmsapi20170525 import models as texts
from alibabacloud_dyvmsapi20170525 import models as voice
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

CHINA = ZoneInfo("Asia/Shanghai")
REQUESTS: dict[str, Any] = {
    "IvrCall": voice.IvrCallRequest,
    "SingleCallByTts": voice.SingleCallByTtsRequest,
    "QueryCallDetailByCallId": voice.QueryCallDetailByCallIdRequest,
    "SendSms": texts.SendSmsRequest,
    "QuerySendDetails": texts.QuerySendDetailsRequest,
}
CHARS_PER_S, KEYS_S, REPLY_S = 5.0, 6.0, 3.0
CALLEE_LIMITS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(hours=24), 20))
FORBIDDEN = "#/:%￥【】"
Fault = Literal["429", "500", "500 after", "hang", "not json", "isp.SYSTEM_ERROR"]
"""What befalls the next request."""


@dataclass
class Handset:
    """How a telephone behaves: the status code its call ends with, or what whoever answers does."""

    status: str = ""
    early_media: str = ""
    key: str = ""
    key_at_s: float | None = None
    hangs_up_at_s: float | None = None
    text_error: str = ""


@dataclass
class Accepted:
    """A call or a text that was accepted."""

    id: str
    asked: dict[str, Any]
    at: datetime
    status: str = ""
    began_at: datetime | None = None
    over_at: datetime | None = None
    talk_s: float = 0.0

    @property
    def number(self) -> str:
        return str(self.asked.get("CalledNumber") or self.asked.get("PhoneNumbers"))


class FakeAliyun:
    """The vendor. `receipts_url` is what its consoles were told; `pushes` how receipts arrive."""

    def __init__(self) -> None:
        self.key_id, self.key_secret = "LTAI-of-the-tests", "the-secret"
        self.show_numbers, self.sign_names = {"05711234567"}, {"禾溪县应急局"}
        self.templates = {"TTS_1001", "TTS_1002", "TTS_1003", "SMS_2001"}
        self.text_variable_chars = 35
        self.url, self.receipts_url = "", ""
        self.pushes: Literal["once", "twice", "together", "dropped"] = "once"
        self.now = datetime(2026, 7, 19, 14, 0, tzinfo=UTC)
        self.faults: deque[Fault] = deque()
        self.handsets: dict[str, Handset] = {}
        self.calls: dict[str, Accepted] = {}
        self.texts: dict[str, Accepted] = {}
        self.requests: list[str] = []
        self.pushed: list[tuple[str, int]] = []
        self._unplayed: deque[Accepted] = deque()
        self._together: list[tuple[str, dict[str, Any]]] = []
        self._client = httpx.Client(timeout=10, trust_env=False, verify=False)
        self._released = threading.Event()

    @property
    def app(self) -> Starlette:
        """Both services behind one address: the action stands in a header."""
        return Starlette(routes=[Route("/", self._answer, methods=["POST"])])

    def close(self) -> None:
        """Let go of connections, and of requests that were left hanging."""
        self._released.set()
        self._client.close()

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        while self._unplayed:
            accepted = self._unplayed.popleft()
            if accepted.id in self.calls:
                self._play_call(accepted)
            else:
                self._play_text(accepted)
        self._flush()

    def play_accepted_before(self, at: datetime) -> None:
        """Let happen what was accepted before a time, each from when it was accepted on."""
        while self._unplayed and self._unplayed[0].at <= at:
            accepted = self._unplayed.popleft()
            self.now = accepted.at
            (self._play_call if accepted.id in self.calls else self._play_text)(accepted)

    def write(self, number: str, words: str) -> int:
        """Somebody writes to us; return what our gateway answered."""
        receipt = {"phone_number": number, "send_time": self._time(self.now), "content": words, "sequence_id": 77}
        receipt |= {"sign_name": "禾溪县应急局", "dest_code": "1234"}
        return self.push("sms-up", [receipt])

    def push(self, kind: str, batch: Any) -> int:
        """Push a batch as the vendor does, again after a failure, three times at the most; return the last status."""
        for _ in range(4):
            try:
                answer = self._client.post(f"{self.receipts_url}/{kind}", json=batch)
            except httpx.TransportError:
                self.pushed.append((kind, 0))
                continue
            self.pushed.append((kind, answer.status_code))
            if answer.status_code == 200:
                assert isinstance(answer.json()["code"], int)
                break
        return self.pushed[-1][1]

    async def _answer(self, request: Request) -> Response:
        action = request.headers.get("x-acs-action", "")
        self.requests.append(action)
        fault = self.faults.popleft() if self.faults else None
        if fault == "429":
            return refused(429, "Throttling.User")
        if fault == "500":
            return refused(500, "InternalError")
        if fault == "isp.SYSTEM_ERROR":
            return refused(200, fault)
        if fault == "hang":
            await anyio.to_thread.run_sync(self._released.wait)
            return refused(500, "InternalError")
        if not self._is_signed(request):
            return refused(400, "SignatureDoesNotMatch")
        answer = self._act(action, request)
        if fault == "500 after":
            return refused(500, "InternalError")
        return PlainTextResponse("<html>proxy</html>") if fault == "not json" else answer

    def _is_signed(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        signed = DaraRequest()
        signed.method, signed.pathname, signed.query = "POST", "/", dict(request.query_params)
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        signed.headers = {name: request.headers.get(name, "") for name in names}
        payload = request.headers.get("x-acs-content-sha256", "")
        right = Utils.get_authorization(signed, "ACS3-HMAC-SHA256", payload, self.key_id, self.key_secret)
        return given == right and {"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce"} <= set(names)

    def _act(self, action: str, request: Request) -> Response:
        asked = unflattened(dict(request.query_params))
        wrong = unknown_parameters(action, asked)
        if wrong:
            return refused(400, "InvalidParameters", f"unknown parameters {wrong}")
        return {
            "IvrCall": self._call,
            "SingleCallByTts": self._call,
            "QueryCallDetailByCallId": self._call_detail,
            "SendSms": self._text,
            "QuerySendDetails": self._text_details,
        }[action](asked)

    def _call(self, asked: dict[str, Any]) -> Response:
        code, message = asked.get("StartCode") or asked.get("TtsCode"), _message(asked)
        if asked.get("CalledShowNumber") not in self.show_numbers:
            return refused(400, "isv.DISPLAY_NUMBER_ILLEGAL")
        if not is_mainland(str(asked.get("CalledNumber"))):
            return refused(400, "isv.MOBILE_NUMBER_ILLEGAL", f"{asked.get('CalledNumber')} is illegal")
        codes = {code, *(each.get("Code") for each in asked.get("MenuKeyMap", []))} - {None}
        if not codes <= self.templates:
            return refused(400, "isv.TTS_TEMPLATE_ILLEGAL")
        if not message or len(message) > 250 or set(message) & set(FORBIDDEN):
            return refused(400, "isv.TEMPLATE_PARAMS_ILLEGAL")
        if not 1 <= len(str(asked.get("OutId", "")).encode()) <= 15 or asked.get("PlayTimes") not in ("1", "2", "3"):
            return refused(400, "isv.INVALID_PARAMETERS")
        before = [each.at for each in self.calls.values() if each.number == asked["CalledNumber"]]
        for span, most in CALLEE_LIMITS:
            if len([at for at in before if at > self.now - span]) >= most:
                return refused(200, "isv.BUSINESS_LIMIT_CONTROL")
        call = Accepted(f"{len(self.calls) + 1:012d}^{777:012d}", asked, self.now)
        self.calls[call.id] = call
        self._unplayed.append(call)
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "R", "CallId": call.id})

    def _text(self, asked: dict[str, Any]) -> Response:
        if asked.get("SignName") not in self.sign_names:
            return refused(200, "isv.SMS_SIGNATURE_ILLEGAL")
        if asked.get("TemplateCode") not in self.templates:
            return refused(200, "isv.SMS_TEMPLATE_ILLEGAL")
        if not is_mainland(str(asked.get("PhoneNumbers"))):
            return refused(200, "isv.MOBILE_NUMBER_ILLEGAL")
        values = json.loads(asked.get("TemplateParam", "{}"))
        if not all(values.values()) or any(len(value) > self.text_variable_chars for value in values.values()):
            return refused(200, "isv.PARAM_LENGTH_LIMIT")
        if any(set(value) & set("【】") for value in values.values()):
            return refused(200, "isv.SMS_CONTENT_ILLEGAL")
        text = Accepted(f"{len(self.texts) + 1:012d}^0", asked, self.now, status="1")
        self.texts[text.id] = text
        self._unplayed.append(text)
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "R", "BizId": text.id})

    def _call_detail(self, asked: dict[str, Any]) -> Response:
        call = self.calls.get(str(asked.get("CallId")))
        if call is None:
            return refused(400, "100008.0")
        product = "11000000300005" if "MenuKeyMap" in call.asked else "11010000138001"
        if asked.get("ProdId") != product or not str(asked.get("QueryDate", "")).isdecimal():
            return refused(400, "InvalidParameters")
        detail = {
            "callee": call.number,
            "state": call.status,
            "duration": int(call.talk_s),
            "startDate": self._time(call.began_at),
            "endDate": self._time(call.over_at),
            "gmtCreate": self._time(call.at),
        }
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "R", "Data": json.dumps(detail)})

    def _text_details(self, asked: dict[str, Any]) -> Response:
        if not {"PhoneNumber", "SendDate", "PageSize", "CurrentPage"} <= set(asked):
            return refused(200, "isv.INVALID_PARAMETERS")
        found = [
            {
                "PhoneNum": text.number,
                "OutId": text.asked.get("OutId"),
                "SendStatus": int(text.status),
                "ErrCode": "" if text.status == "1" else self._handset(text).text_error or "DELIVERED",
                "SendDate": self._time(text.at),
            }
            for text in self.texts.values()
            if text.number == asked["PhoneNumber"]
            and asked.get("BizId") in (None, text.id)
            and text.at.astimezone(CHINA).strftime("%Y%m%d") == asked["SendDate"]
        ]
        body = {"Code": "OK", "Message": "OK", "RequestId": "R", "TotalCount": len(found)}
        return JSONResponse({**body, "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}})

    def _play_call(self, call: Accepted) -> None:
        handset = self._handset(call)
        self.now += timedelta(seconds=5)
        key = ""
        if handset.status:
            call.status = handset.status
        else:
            call.began_at = self.now
            self._progress(call, "200103")
            key = self._talk(call, handset)
        call.over_at = self.now
        self._tell(
            "voice-report",
            {
                "call_id": call.id,
                "out_id": call.asked.get("OutId"),
                "status_code": call.status,
                "early_media_code": handset.early_media,
                "start_time": self._time(call.began_at),
                "end_time": self._time(call.over_at),
                "duration": str(int(call.talk_s)),
                "callee": call.number,
                "dtmf": key,
                "hangup_direction": "用户",
                "voice_type": "voice",
            },
        )

    def _talk(self, call: Accepted, handset: Handset) -> str:
        """Speak, wait for a key, read back; return the key."""
        spoken_s = len(_message(call.asked)) / CHARS_PER_S + KEYS_S
        waits_s = int(call.asked.get("Timeout", 0)) / 1000
        leaves_s, pressed_s = handset.hangs_up_at_s, handset.key_at_s
        if pressed_s is None and handset.key:
            pressed_s = spoken_s + 1
        known = {each.get("Key") for each in call.asked.get("MenuKeyMap", [])}
        if handset.key in known and pressed_s is not None and (leaves_s is None or pressed_s <= leaves_s):
            self.now += timedelta(seconds=pressed_s)
            self._progress(call, "300000", dtmf=handset.key)
            over_s = min(leaves_s or 1e9, pressed_s + REPLY_S)
            self.now += timedelta(seconds=over_s - pressed_s)
            call.talk_s, call.status = over_s, "200000"
            return handset.key
        whole_s = spoken_s + waits_s
        call.talk_s = min(leaves_s or 1e9, whole_s)
        self.now += timedelta(seconds=call.talk_s)
        heard = call.talk_s >= spoken_s
        call.status = ("200008" if known else "200000") if heard else "200001"
        return ""

    def _play_text(self, text: Accepted) -> None:
        handset = self._handset(text)
        self.now += timedelta(seconds=3)
        text.status = "2" if handset.text_error else "3"
        receipt = {
            "phone_number": text.number,
            "send_time": self._time(text.at),
            "report_time": self._time(self.now),
            "success": not handset.text_error,
            "err_code": handset.text_error or "DELIVERED",
            "biz_id": text.id,
            "out_id": text.asked.get("OutId"),
            "sms_size": "1",
        }
        self._tell("sms-report", receipt)

    def _progress(self, call: Accepted, code: str, dtmf: str = "") -> None:
        receipt = {"call_id": call.id, "out_id": call.asked.get("OutId"), "status_code": code}
        self._tell("voice-call-report", {**receipt, "status_time": self._time(self.now), "dtmf": dtmf})

    def _tell(self, kind: str, receipt: dict[str, Any]) -> None:
        if self.pushes == "together":
            self._together.append((kind, receipt))
        for _ in range({"once": 1, "twice": 2}.get(self.pushes, 0)):
            self.push(kind, [receipt])

    def _flush(self) -> None:
        for kind in ("voice-call-report", "voice-report", "sms-report"):
            batch = [receipt for of_kind, receipt in self._together if of_kind == kind]
            if batch:
                self.push(kind, batch)
        self._together = []

    def _handset(self, accepted: Accepted) -> Handset:
        return self.handsets.get(accepted.number, Handset())

    def _time(self, at: datetime | None) -> str:
        return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def refused(status: int, code: str, message: str = "refused") -> JSONResponse:
    """Answer as Aliyun refuses: many refusals are HTTP 200 with a code."""
    return JSONResponse({"Code": code, "Message": message, "RequestId": "R"}, status)


def is_mainland(number: str) -> bool:
    """Return whether it is written as the vendor wants it: 11 digits, or a landline with its area code."""
    return number.isdecimal() and (
        (len(number) == 11 and number[0] == "1") or (10 <= len(number) <= 12 and number[0] == "0")
    )


def unflattened(query: dict[str, str]) -> dict[str, Any]:
    """Undo `MenuKeyMap.1.Key=1`."""
    found: dict[str, Any] = {}
    for name, value in query.items():
        head, *rest = name.split(".")
        if not rest:
            found[head] = value
            continue
        items = found.setdefault(head, [])
        while len(items) < int(rest[0]):
            items.append({})
        items[int(rest[0]) - 1][rest[1]] = value
    return found


def unknown_parameters(action: str, asked: dict[str, Any]) -> set[str]:
    """Return what the SDK's own model of this action does not know."""
    return set(asked) - set(REQUESTS[action]().from_map(asked).to_map())


def _message(asked: dict[str, Any]) -> str:
    values = json.loads(asked.get("StartTtsParams") or asked.get("TtsParam") or "{}")
    return str(values.get("message", ""))
