"""The servers of group robots on this machine, under their real names: an HTTPS proxy that answers for each of them.

Requests reach it as they would reach the vendor, through TLS, host and path included; what is not as the vendor
documents it is refused as the vendor refuses it, with HTTP 200 and a code. It can also misbehave: see `faults`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import trustme

HOSTS = ("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn")
WECOM_KEY, DINGTALK_TOKEN, DINGTALK_SECRET, FEISHU_TOKEN = (
    "wecom-key-0001",
    "a" * 64,
    "SEC" + "b" * 40,
    "feishu-token-1",
)
Fault = Literal["429", "500", "hang", "garbage", "refused", "drip", "redirect"]


@dataclass(frozen=True)
class Taken:
    """A message that was taken: by which service, and its words."""

    service: str
    text: str


@dataclass
class FakeChats:
    """All robots' servers. `taken` is what came into the chats, `asked` how often each host was asked."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    released: threading.Event = field(default_factory=threading.Event)

    def texts(self, service: str) -> list[str]:
        return [each.text for each in self.taken if each.service == service]

    def judge(self, host: str, target: str, body: Any) -> dict[str, Any]:
        """Take a message or refuse it, as the vendor's documents say."""
        parts, query = urlsplit(target), parse_qs(urlsplit(target).query)
        if host == HOSTS[0]:
            return self._wecom(parts.path, query, body)
        if host == HOSTS[1]:
            return self._dingtalk(parts.path, query, body)
        if host == HOSTS[2]:
            return self._feishu(parts.path, body)
        self.taken.append(Taken("json", json.dumps(body, ensure_ascii=False)))
        return {"ok": True}

    def _wecom(self, path: str, query: dict[str, list[str]], body: Any) -> dict[str, Any]:
        if path != "/cgi-bin/webhook/send" or query != {"key": [WECOM_KEY]}:
            return {"errcode": 93000, "errmsg": "invalid webhook url"}
        words = str(body["text"]["content"])
        if body["msgtype"] != "text" or not words or len(words.encode()) > 2048:
            return {"errcode": 40058, "errmsg": "text.content exceed max length 2048"}
        self.taken.append(Taken("wecom", words))
        return {"errcode": 0, "errmsg": "ok"}

    def _dingtalk(self, path: str, query: dict[str, list[str]], body: Any) -> dict[str, Any]:
        if path != "/robot/send" or query.get("access_token") != [DINGTALK_TOKEN]:
            return {"errcode": 300001, "errmsg": "token is not exist"}
        timestamp = query.get("timestamp", [""])[0]
        signed = hmac.new(DINGTALK_SECRET.encode(), f"{timestamp}\n{DINGTALK_SECRET}".encode(), hashlib.sha256).digest()
        if query.get("sign") != [base64.b64encode(signed).decode()]:
            return {"errcode": 310000, "errmsg": "sign not match"}
        if body["msgtype"] != "text":
            return {"errcode": 40035, "errmsg": "invalid parameter"}
        self.taken.append(Taken("dingtalk", str(body["text"]["content"])))
        return {"errcode": 0, "errmsg": "ok"}

    def _feishu(self, path: str, body: Any) -> dict[str, Any]:
        if path != f"/open-apis/bot/v2/hook/{FEISHU_TOKEN}":
            return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
        if body["msg_type"] != "text":
            return {"code": 9499, "msg": "Bad Request", "data": {}}
        self.taken.append(Taken("feishu", str(body["content"]["text"])))
        return {"code": 0, "msg": "success", "data": {}}


@contextmanager
def open_chats(folder: Path, environment: Any) -> Iterator[FakeChats]:
    """Serve until the block ends; `environment` is pytest's monkeypatch, by which this process goes through it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    contexts = {host: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for host in HOSTS}
    for host, context in contexts.items():
        authority.issue_cert(host).configure_cert(context)
    fake = FakeChats()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"fake": fake, "contexts": contexts}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "no_proxy", "NO_PROXY", "https_proxy"):
        environment.delenv(name, raising=False)
    environment.setenv("HTTPS_PROXY", fake.url)
    environment.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeChats
    contexts: dict[str, ssl.SSLContext]
    host = "plain"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Open a tunnel to a robot's server, which is this one."""
        self.host = self.path.partition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.contexts[self.host].wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def do_POST(self) -> None:
        self.fake.asked.append(self.host)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.fake.faults.popleft() if self.fake.faults else None
        self.close_connection = True
        match fault:
            case "429":
                self._answer(429, b"too many", {"Retry-After": "120"})
            case "500":
                self._answer(500, b"sorry")
            case "hang":
                self.fake.released.wait()
            case "garbage":
                self._answer(200, b"<html>please log in</html>")
            case "refused":
                self._answer(200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}')
            case "redirect":
                self._answer(302, b"", {"Location": "https://elsewhere.example.com/"})
            case "drip":
                self._drip()
            case _:
                self._answer(200, json.dumps(self.fake.judge(self.host, self.path, body)).encode())

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _drip(self) -> None:
        """Send a byte now and then and never come to an end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while not self.fake.released.wait(0.05):
                self.wfile.write(b" ")
        except OSError:
            return
