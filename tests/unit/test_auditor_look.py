"""What the auditor judges from rows, whom it tells and how often."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest

from agents.auditor.look import (
    ROWS_MAX,
    Finding,
    HeadRow,
    Kind,
    Patience,
    Queue,
    Row,
    Seen,
    When,
    judge,
)
from agents.auditor.standing import Standing
from agents.auditor.ways import Caller, Heartbeat, UrlWay

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
HERE = WALL + timedelta(seconds=10)


def ago(seconds: float, since: datetime = NOW) -> datetime:
    return since - timedelta(seconds=seconds)


def kinds(seen: Seen, **when: float) -> set[Kind]:
    return {finding.kind for finding in judge(seen, When(NOW, WALL, **when), Patience())}


def test_a_step_that_is_a_little_late_is_no_fault() -> None:
    seen = Seen(due={Kind.CALLOUT_LATE: [Row("a", ago(5))]}, worker_until=HERE)
    assert kinds(seen) == set()


def test_the_oldest_of_late_steps_is_named_with_how_late_it_is() -> None:
    seen = Seen(due={Kind.CALLOUT_LATE: [Row("a", ago(90)), Row("b", ago(20)), Row("c", ago(1))]}, worker_until=HERE)
    (finding,) = judge(seen, When(NOW, WALL), Patience())
    assert (finding.count, finding.subject, finding.late_s) == (2, "a", 90)
    assert finding.said() == "2 项叫应到点没有处理，最早的已拖延 90 秒。请检查工作进程"


def test_a_fast_story_is_given_as_much_real_time() -> None:
    seen = Seen(due={Kind.LETTER_LATE: [Row("a", ago(300))]}, worker_until=HERE)
    assert kinds(seen, speed=60.0) == set()
    assert kinds(seen, speed=40.0) == {Kind.LETTER_LATE}


def test_a_lease_is_real_time_whatever_the_speed() -> None:
    seen = Seen(claims=[Row("a", ago(7, WALL))], worker_until=HERE)
    assert kinds(seen, speed=60.0) == {Kind.CLAIM_ABANDONED}


def test_a_queue_that_moves_is_pace_and_no_fault() -> None:
    waiting = [Row("a", ago(100))]
    assert kinds(Seen(calls=Queue(waiting, ago(2)), worker_until=HERE)) == set()
    assert kinds(Seen(calls=Queue(waiting, ago(20)), worker_until=HERE)) == {Kind.CALLS_STAND_STILL}


@pytest.mark.parametrize(
    "row", [HeadRow("s", "h", "other", None), HeadRow("s", "h", None, None), HeadRow("s", "h", "h", 4)]
)
def test_a_head_that_is_not_the_last_entry_is_a_fault(row: HeadRow) -> None:
    assert kinds(Seen(heads=[HeadRow("t", "h", "h", None), row], worker_until=HERE)) == {Kind.HEAD_BROKEN}


def test_workers_are_given_time_to_start() -> None:
    assert kinds(Seen(), running_s=10) == set()
    assert kinds(Seen(), running_s=31) == {Kind.NO_WORKER}
    assert kinds(Seen(worker_until=ago(5, WALL)), running_s=31) == {Kind.NO_WORKER}


def test_a_full_disk_and_a_wrong_clock_are_faults() -> None:
    seen = Seen(worker_until=HERE, disk_free_bytes=100 * 2**20, database_at=ago(-3, WALL))
    found = judge(seen, When(NOW, WALL, stepped_s=-3600), Patience())
    assert {finding.kind for finding in found} == {Kind.DISK_FULL, Kind.CLOCK_OFF, Kind.CLOCK_STEPPED}
    assert "只剩 100 MiB" in found[0].said()


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_finding_has_its_sentence(kind: Kind, language: str) -> None:
    said = Finding(kind, ROWS_MAX, "s", 100_000, "细节").said(language)
    assert "{" not in said
    assert len(said) > 10


def test_what_stays_wrong_is_told_again_after_a_minute_and_its_end_once() -> None:
    standing, late = Standing(), [Finding(Kind.LETTER_LATE)]
    told = [standing.take(late, WALL + timedelta(seconds=second)) for second in range(0, 122, 2)]
    assert [(second * 2, news[0].state) for second, news in enumerate(told) if news] == [
        (0, "raised"),
        (60, "standing"),
        (120, "standing"),
    ]
    assert [news.state for news in standing.take([], WALL)] == ["cleared"]
    assert standing.take([], WALL) == ()


class Listener:
    """A web server that keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[tuple[str, str, str]] = SimpleQueue()
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked.put((self.command, self.path, self.rfile.read(length).decode()))
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Listener":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_an_alarm_is_posted_as_json_and_the_heart_beats_twice_a_minute(tmp_path: Path) -> None:
    failed: list[str] = []
    caller = Caller(failed.append)
    with Listener() as listener:
        UrlWay(f"{listener.url}/alarm", caller).tell({"text": "有事"})
        method, path, body = listener.asked.get(timeout=120)
        assert (method, path, json.loads(body)) == ("POST", "/alarm", {"text": "有事"})
        heartbeat = Heartbeat(tmp_path / "heartbeat", f"{listener.url}/beat", caller)
        for second in range(0, 40, 2):
            heartbeat.beat(WALL + timedelta(seconds=second))
        assert [listener.asked.get(timeout=120)[:2] for _ in range(2)] == [("GET", "/beat"), ("GET", "/beat")]
        assert listener.asked.empty()
    assert failed == []
    caller.close()


def test_a_url_that_nobody_answers_is_complained_of_without_repeating_it(tmp_path: Path) -> None:
    failed: SimpleQueue[str] = SimpleQueue()
    caller = Caller(failed.put)
    UrlWay("http://127.0.0.1:9/secret", caller).tell({"text": "有事"})
    assert failed.get(timeout=120) == "URLError"
    caller.close()
