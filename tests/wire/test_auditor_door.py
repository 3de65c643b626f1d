"""The auditor knocks at the door for warnings like any sender, and says why it was not let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agents.auditor.ways import Door

TOKEN = "a-sender-s-token-that-is-long-enough"


@dataclass
class Gateway:
    """What a gateway answers, and what it was asked."""

    status: int = 202
    asked: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    shown = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = self.headers["Authorization"], self.headers["Content-Type"]
            shown.asked.append((self.path, *told, body))
            self.send_response(shown.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shown.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield shown
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def door(gateway: Gateway) -> Iterator[Door]:
    door = Door(f"http://127.0.0.1:{gateway.port}/", TOKEN)
    yield door
    door.close()


def test_a_test_warning_is_posted_where_every_sender_posts_with_a_senders_token(gateway, door):
    assert door.post("【测试】".encode()).result(30) == ""
    asked = ("/v1/warnings", f"Bearer {TOKEN}", "application/json; charset=utf-8", "【测试】".encode())
    assert gateway.asked == [asked]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_why_the_door_did_not_take_it_is_told_by_its_number(gateway, door, status):
    gateway.status = status
    assert door.post(b"{}").result(30) == f"HTTP {status}"


def test_a_door_that_nobody_opens_is_told_too_and_the_token_is_not_repeated(gateway):
    door = Door("http://127.0.0.1:1", TOKEN)
    told = door.post(b"{}").result(30)
    door.close()
    assert told == "URLError"
