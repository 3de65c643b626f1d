"""How the auditor makes itself heard: a file of its own, standard error, a URL; and the heartbeat, a file and a URL.

Every way is tried whatever becomes of the others, and none may keep the next look waiting: what goes over the network
goes from a thread. It must never use the house's own doors, topics or carriers: those are what may be broken. The one
exception is `Door`, by which the line check goes in: what it is for is to find out whether they are.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Protocol

URL_TIMEOUT_S = 5
URL_PENDING_MAX = 20
BEAT_URL_EVERY = timedelta(seconds=30)

Line = Mapping[str, Any]


class Way(Protocol):
    """One way by which an alarm goes out."""

    def tell(self, line: Line) -> None:
        """Pass one line of news on.

        Raises:
            OSError: It did not get through.
        """
        ...


class FileWay:
    """Appends to a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, line: Line) -> None:
        """Append the line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class ErrorWay:
    """Says it on standard error, which a service manager keeps."""

    def tell(self, line: Line) -> None:
        """Print the sentence."""
        mark = "✓ 已恢复" if line["state"] == "cleared" else "✗"
        sys.stderr.write(f"{line['at']} {mark} {line['text']}\n")
        sys.stderr.flush()


class Caller:
    """Asks URLs from one thread; what piles up there is dropped, for the next alarm says the same again."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="auditor-url")
        self._free = BoundedSemaphore(URL_PENDING_MAX)
        self._failed = failed

    def ask(self, url: str, line: Line | None = None) -> None:
        """GET a URL, or POST a line to it as JSON."""
        if self._free.acquire(blocking=False):
            self._thread.submit(self._ask, url, line)

    def close(self) -> None:
        """Let go of the thread; what is pending is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _ask(self, url: str, line: Line | None) -> None:
        body = None if line is None else json.dumps(line, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"} if body else {}
        try:
            # Only http and https: the settings refuse anything else.
            request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=URL_TIMEOUT_S):  # noqa: S310
                pass
        except (OSError, ValueError) as error:
            # The URL itself may carry a secret and is not repeated.
            self._failed(type(error).__name__)
        finally:
            self._free.release()


class UrlWay:
    """POSTs to a URL, as chat rooms and pagers take it; `text` is the sentence."""

    def __init__(self, url: str, caller: Caller) -> None:
        self._url, self._caller = url, caller

    def tell(self, line: Line) -> None:
        """Send the line off."""
        self._caller.ask(self._url, line)


class Heartbeat:
    """Beats while all is well: a file is written at each look, a URL asked for twice a minute.

    Whoever watches the file's age, or the URL, learns also of an auditor that is dead itself.
    """

    def __init__(self, path: Path, url: str = "", caller: Caller | None = None) -> None:
        self._path, self._url, self._caller = path, url, caller
        self._asked_at: datetime | None = None

    def beat(self, wall: datetime) -> None:
        """Say that all is well at `wall` (real time).

        Raises:
            OSError: The file cannot be written.
        """
        self._path.write_text(wall.isoformat() + "\n", encoding="utf-8")
        due = self._asked_at is None or wall - self._asked_at >= BEAT_URL_EVERY
        if self._url and self._caller is not None and due:
            self._asked_at = wall
            self._caller.ask(self._url)


class Door:
    """The house's ordinary door for warnings, as any sender knocks at it.

    Args:
        url: Of the gateway.
        token: Of a sender.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = f"{url.rstrip('/')}/v1/warnings", token
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="auditor-door")

    def post(self, content: bytes) -> Future[str]:
        """Hand a document in; the answer is empty where it was taken, else why not."""
        return self._thread.submit(self._post, content)

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _post(self, content: bytes) -> str:
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {self._token}"}
        try:
            # Only http and https: the settings refuse anything else.
            request = urllib.request.Request(self._url, data=content, headers=headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=URL_TIMEOUT_S):  # noqa: S310
                return ""
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        except (OSError, ValueError) as error:
            return type(error).__name__
