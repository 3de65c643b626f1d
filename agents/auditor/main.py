"""The auditor as a process: put together from the settings, ended by a signal.

`python -m agents.auditor` starts it without loading anything of the engine, as the supervisor does.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

from agents.auditor.agent import Auditor, complain
from agents.auditor.line import LineCheck
from agents.auditor.look import Patience
from agents.auditor.questions import Eye
from agents.auditor.ways import Caller, Door, ErrorWay, FileWay, Heartbeat, UrlWay, Way
from config.settings import Settings, SettingsError, read_settings

ALARM_FILE = "auditor.log"
HEARTBEAT_FILE = "heartbeat"
LINE_CHECK_FILE = "line_check.json"


def build(settings: Settings) -> tuple[Auditor, Callable[[], None]]:
    """Return the auditor of an installation, and what lets go of its thread and database."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    caller = Caller(lambda what: complain(f"URL: {what}"))
    ways: list[Way] = [ErrorWay(), FileWay(settings.data_dir / ALARM_FILE)]
    if settings.alarm_url:
        ways.append(UrlWay(settings.alarm_url, caller))
    heartbeat = Heartbeat(settings.data_dir / HEARTBEAT_FILE, settings.heartbeat_url, caller)
    eye = Eye(settings.ledger, settings.data_dir)
    clock = settings.clock()
    line_check, door = _line_check(settings)
    auditor = Auditor(
        eye, ways, heartbeat, clock, clock.monotonic_s, settings.language, patience=Patience(), line_check=line_check
    )

    def let_go() -> None:
        caller.close()
        eye.close()
        if door is not None:
            door.close()

    return auditor, let_go


def _line_check(settings: Settings) -> tuple[LineCheck, Door] | tuple[None, None]:
    """Return the line check and its door, where the settings ask for one."""
    if not settings.line_check_every_min:
        return None, None
    url = settings.line_check_url or f"http://{settings.host}:{settings.port}"
    door = Door(url, settings.line_check_token.get_secret_value())
    every, within = timedelta(minutes=settings.line_check_every_min), timedelta(minutes=settings.line_check_within_min)
    path = settings.data_dir / LINE_CHECK_FILE
    return LineCheck(every, within, settings.line_check_area, door.post, path), door


def run(settings: Settings) -> None:
    """Look until SIGINT or SIGTERM."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    auditor, let_go = build(settings)
    try:
        auditor.run(stopped)
    finally:
        let_go()


def main() -> None:
    """Run with the settings of the environment; a wrong one is told in one sentence."""
    try:
        run(read_settings())
    except (SettingsError, ValueError, OSError) as error:
        sys.stderr.write(f"✗ {error}\n")
        sys.exit(1)
