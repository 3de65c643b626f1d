"""An Aliyun on this machine: the parts of its voice and SMS services that we use, over real HTTP.

It checks signatures, parameter names (by the SDK's own models), templates, and the documented limits per callee; what
was accepted happens in `play()`, in virtual seconds, and is told by receipts pushed in batches.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from datetime import timedelta
from typing import Any, Literal

import anyio.to_thread
from alibabacloud_dysmsapi20170525 import models as texts
from alibabacloud_dyvmsapi20170525 import models as voice
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.wire.fake_mainland import CHINA, Accepted, Mainland, message_of, written

REQUESTS: dict[str, Any] = {
    "IvrCall": voice.IvrCallRequest,
    "SingleCallByTts": voice.SingleCallByTtsRequest,
    "QueryCallDetailByCallId": voice.QueryCallDetailByCallIdRequest,
    "SendSms": texts.SendSmsRequest,
    "QuerySendDetails": texts.QuerySendDetailsRequest,
}
CALLEE_LIMITS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(hours=24), 20))
FORBIDDEN = "#/:%￥【】"
Fault = Literal["429", "500", "500 after", "hang", "not json", "isp.SYSTEM_ERROR"]
"""What befalls the next request."""


class FakeAliyun(Mainland):
    """The vendor. `with serving(fake.app) as fake.url` puts it on a port; `close()` it at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.key_id, self.key_secret = "LTAI-of-the-tests", "the-secret"
        self.show_numbers, self.sign_names = {"05711234567"}, {"禾溪县应急局"}
        self.templates = {"TTS_1001", "TTS_1002", "TTS_1003", "TTS_1004", "SMS_2001"}
        self.text_variable_chars = 35
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.refusals: deque[str] = deque()
        """Codes with which the next calls and texts are refused, whatever is asked."""
        self.requests: list[str] = []
        self._released = threading.Event()

    def close(self) -> None:
        """Let go of connections, and of requests that were left hanging."""
        self._released.set()
        super().close()

    @property
    def app(self) -> Starlette:
        """Both services behind one address: the action stands in a header."""
        return Starlette(routes=[Route("/", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        action = request.headers.get("x-acs-action", "")
        self.requests.append(action)
        fault = self._next_fault()
        if fault == "429":
            return refused(429, "Throttling.User")
        if fault == "500":
            return refused(500, "InternalError")
        if fault == "isp.SYSTEM_ERROR":
            return refused(200, fault)
        if fault == "hang":
            await self._hang()
            return refused(500, "InternalError")
        if not self._is_signed(request):
            return refused(400, "SignatureDoesNotMatch")
        answer = self._act(action, request)
        if fault == "500 after":
            return refused(500, "InternalError")
        return PlainTextResponse("<html>proxy</html>") if fault == "not json" else answer

    def _next_fault(self) -> Fault | None:
        return self.faults.popleft() if self.faults else None

    async def _hang(self) -> None:
        """Leave a request without an answer until the vendor closes."""
        await anyio.to_thread.run_sync(self._released.wait)

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
        if action not in REQUESTS:
            self.unexpected.append(f"{action} is no action that is known here")
            return refused(404, "InvalidAction.NotFound")
        wrong = unknown_parameters(action, asked)
        if wrong:
            self.unexpected.append(f"{action} takes no parameters {sorted(wrong)}")
            return refused(400, "InvalidParameters", f"unknown parameters {wrong}")
        if self.refusals and action in ("IvrCall", "SingleCallByTts", "SendSms"):
            return refused(200, self.refusals.popleft(), f"no: {asked}")
        return {
            "IvrCall": self._call,
            "SingleCallByTts": self._call,
            "QueryCallDetailByCallId": self._call_detail,
            "SendSms": self._text,
            "QuerySendDetails": self._text_details,
        }[action](asked)

    def _call(self, asked: dict[str, Any]) -> Response:
        code, message = asked.get("StartCode") or asked.get("TtsCode"), message_of(asked)
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
        self._take(call, self.calls)
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
        self._take(text, self.texts)
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "R", "BizId": text.id})

    def _take(self, accepted: Accepted, into: dict[str, Accepted]) -> None:
        into[accepted.id] = accepted
        self._unplayed.append(accepted)

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
            "startDate": written(call.began_at),
            "endDate": written(call.over_at),
            "gmtCreate": written(call.at),
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
                "SendDate": written(text.at),
            }
            for text in self.texts.values()
            if text.number == asked["PhoneNumber"]
            and asked.get("BizId") in (None, text.id)
            and text.at.astimezone(CHINA).strftime("%Y%m%d") == asked["SendDate"]
        ]
        body = {"Code": "OK", "Message": "OK", "RequestId": "R", "TotalCount": len(found)}
        return JSONResponse({**body, "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}})


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
