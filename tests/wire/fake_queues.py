"""The queues of the fake Aliyun, over its real protocol (消息服务 MNS): XML, its signature, tokens that end.

A message that was taken is hidden for half a minute, or until `reappear()`, and is gone when it was put away.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from alibabacloud_dybaseapi20170525 import models
from mns.auth import Credentials
from mns.mns_client import MNSClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.wire.fake_aliyun import FakeAliyun
from tests.wire.fake_mainland import written

ACCOUNT = "1234567890"
TOKEN_FOR = timedelta(hours=1)
HIDDEN_FOR = timedelta(seconds=30)
KINDS = {
    "voice-call-report": "VoiceCallReport",
    "voice-report": "VoiceReport",
    "sms-report": "SmsReport",
    "sms-up": "SmsUp",
}


@dataclass
class Message:
    """A message in a queue."""

    body: str
    handle: str
    hidden_until: datetime | None = None


@dataclass
class Token:
    """What opens queues for a while."""

    credentials: Credentials = field(
        default_factory=lambda: Credentials("STS.of-the-tests", "its secret", "its security token")
    )
    is_good: bool = True


class FakeQueues(FakeAliyun):
    """An Aliyun that keeps receipts in queues instead of pushing them. `plainly`: bodies are not in base64."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, list[Message]] = defaultdict(list)
        self.token = Token()
        self.tokens_given = 0
        self.plainly = False
        self.away = 0
        self._handles = 0

    @property
    def app(self) -> Any:
        app = super().app
        path = "/queues/{name}/messages"
        app.routes.append(Route(path, self._receive, methods=["GET"]))
        app.routes.append(Route(path, self._delete, methods=["DELETE"]))
        return app

    def reappear(self) -> None:
        """Let what was taken and not put away be seen again."""
        for messages in self.queues.values():
            for message in messages:
                message.hidden_until = None

    def left(self) -> int:
        """Return how many messages are in the queues."""
        return sum(map(len, self.queues.values()))

    def write_in(self, number: str, words: str) -> None:
        """Somebody writes to us."""
        self.put("sms-up", {"phone_number": number, "send_time": written(self.now), "content": words, "sequence_id": 7})

    def put(self, kind: str, receipt: Any) -> None:
        """Put a receipt, or a string as it is, into its queue."""
        body = receipt if isinstance(receipt, str) else json.dumps(receipt, ensure_ascii=False)
        if not self.plainly and not isinstance(receipt, str):
            body = base64.b64encode(body.encode()).decode()
        messages = self.queues[f"Alicom-Queue-{ACCOUNT}-{KINDS[kind]}"]
        self._handles += 1
        messages.append(Message(body, f"{self._handles}-handle"))

    async def _push(self, kind: str, batch: Any) -> int:
        for receipt in batch:
            self.put(kind, receipt)
        return 200

    def _act(self, action: str, request: Request) -> Response:
        if action != "QueryTokenForMnsQueue":
            return super()._act(action, request)
        asked = dict(request.query_params)
        unknown = set(asked) - set(models.QueryTokenForMnsQueueRequest().from_map(asked).to_map())
        if unknown or asked.get("MessageType") not in KINDS.values():
            self.unexpected.append(f"{action} with {sorted(unknown)} {asked.get('MessageType')}")
        self.token, self.tokens_given = Token(), self.tokens_given + 1
        given = self.token.credentials
        body = {
            "MessageTokenDTO": {
                "AccessKeyId": given.get_access_key_id(),
                "AccessKeySecret": given.get_access_key_secret(),
                "SecurityToken": given.get_security_token(),
                "CreateTime": written(self.now),
                "ExpireTime": written(self.now + TOKEN_FOR),
            }
        }
        return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "R", **body})

    async def _receive(self, request: Request) -> Response:
        if wrong := self._wrong(request, b""):
            return wrong
        name = request.path_params["name"]
        asked = dict(request.query_params)
        if set(asked) != {"numOfMessages", "waitseconds"} or int(asked["waitseconds"]) > 30:
            self.unexpected.append(f"receiving with {asked}")
        visible = await self._visible(name, int(asked["numOfMessages"]), int(asked["waitseconds"]))
        if not visible:
            return _fault(404, "MessageNotExist")
        for message in visible:
            message.hidden_until = self.now + HIDDEN_FOR
        return _xml("Messages", "".join(map(_message, visible)))

    async def _visible(self, name: str, most: int, _wait_s: int) -> list[Message]:
        """Return what can be taken; in virtual time nobody waits for it."""
        now = self.now
        return [each for each in self.queues[name] if each.hidden_until is None or each.hidden_until <= now][:most]

    async def _delete(self, request: Request) -> Response:
        body = await request.body()
        if wrong := self._wrong(request, body):
            return wrong
        handles = {str(each.text) for each in ElementTree.fromstring(body) if each.tag.endswith("ReceiptHandle")}
        name = request.path_params["name"]
        self.queues[name] = [message for message in self.queues[name] if message.handle not in handles]
        return Response(status_code=204)

    def _wrong(self, request: Request, body: bytes) -> Response | None:
        """Refuse what is not signed, what no queue is, and everything while the service is away."""
        if self.away > 0:
            self.away -= 1
            return _fault(500, "InternalError")
        uri = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        given = self.token.credentials
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        right = MNSClient("http://localhost").get_signature(request.method, headers, uri, given)
        if request.headers.get("authorization") != right:
            return _fault(403, "SignatureDoesNotMatch")
        if not self.token.is_good or request.headers.get("security-token") != given.get_security_token():
            return _fault(403, "SecurityTokenExpired")
        if request.path_params["name"] not in {f"Alicom-Queue-{ACCOUNT}-{kind}" for kind in KINDS.values()}:
            return _fault(404, "QueueNotExist")
        return None


def _message(message: Message) -> str:
    fields = {
        "MessageId": message.handle,
        "ReceiptHandle": message.handle,
        "MessageBodyMD5": "0" * 32,
        "MessageBody": escape(message.body),
        "EnqueueTime": "1",
        "NextVisibleTime": "1",
        "FirstDequeueTime": "1",
        "DequeueCount": "1",
        "Priority": "8",
    }
    return "<Message>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields.items()) + "</Message>"


def _fault(status: int, code: str) -> Response:
    inner = f"<Code>{code}</Code><Message>{code}</Message><RequestId>R</RequestId><HostId>H</HostId>"
    return _xml("Error", inner, status)


def _xml(tag: str, inner: str, status: int = 200) -> Response:
    text = f'<?xml version="1.0"?><{tag} xmlns="http://mns.aliyuncs.com/doc/v1/">{inner}</{tag}>'
    return Response(text, status, media_type="text/xml", headers={"x-mns-request-id": "R"})
