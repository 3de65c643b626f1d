"""`make vendors` in one terminal and `make up` in the other: a red warning goes the whole way over both vendors' wires.

Real processes and real seconds; only calls go faster than in life. Ladders are not waited for: that everybody is rung,
heard, written down and shown once is what this is about.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from agents.callout.state import ANSWERED, Callout, CalloutState
from agents.dial.carriers.simulated import Habit, Kind
from agents.dial.replies import code_of
from agents.dial.state import ATTEMPTS, Attempt
from config.hazards import load_hazards
from config.settings import read_settings
from streams.broker import free_port, listens
from streams.cli.tokens import own_token
from streams.ledger.sql import SqlLedger
from streams.letters import Mode
from streams.replay.cap_writer import Document, write_cap
from streams.wiring import TABLES
from streams.words import Channel, Colour
from tests.e2e.onlooker import Onlooker
from tests.e2e.waiting import HERE, read_lines, wait_until
from tests.wire.vendor_county import write_county

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
TOWNSHIP, NAME = "419926201000", "云台乡"
SPEED = 2.5
"""Aliyun's receipts hold real times; what is read out faster than this is not believed to have been heard."""
SOON_S = 240.0
MINUTE = timedelta(seconds=55)
ENDS: dict[Kind, set[str]] = {
    Kind.ANSWERS: {"confirmed"},
    Kind.SLOW: {"confirmed"},
    Kind.FETCHES: {"fetching"},
    Kind.CANNOT: {"cannot"},
    Kind.CHILD: {"heard_no_key"},
    Kind.HANGS_UP_EARLY: {"hung_up_early"},
    Kind.SLEEPS: {"no_answer"},
    Kind.REPLIES_BY_SMS: {"no_answer"},
    Kind.SWITCHED_OFF: {"switched_off", "no_answer"},
    Kind.NO_COVERAGE: {"no_coverage", "no_answer"},
    Kind.OUT_OF_SERVICE: {"out_of_service", "wrong_number"},
    Kind.VOICEMAIL: {"voicemail", "heard_no_key"},
}
"""How a first call ends by the telephone's habit, at Aliyun and at Twilio: each has no word for something."""


class Rung(NamedTuple):
    """A call as a vendor knows it."""

    vendor: str
    number: str
    at: datetime


class Duty(Onlooker):
    """Somebody at the duty desk, and at the telephones of the vendors' page."""

    def __init__(self, folder: Path, phones: str) -> None:
        self.settings, self._journal, self._phones = read_settings(), folder / "vendors.jsonl", phones
        self.ledger = SqlLedger(self.settings.ledger, TABLES)
        # Written again elsewhere: the same numbers, with what their telephones do.
        self.habits = write_county(folder / "the same county", some_abroad=True).habits

    @property
    def rung(self) -> dict[str, Rung]:
        """Return the calls that the vendors took, by their ids."""
        lines: list[dict[str, Any]] = read_lines(self._journal)
        return {
            line["id"]: Rung(line["vendor"], e164(line["number"]), datetime.fromisoformat(line["at"]))
            for line in lines
            if line["what"] == "call"
        }

    def asked(self) -> list[Callout]:
        """Return the callouts of the warning that want a call."""
        rows = self.callouts()
        return [row for row in rows if row.mode is Mode.CALL and row.hazard == "rainstorm" and not row.visit_id]

    def state_of(self, callout_id: str) -> CalloutState:
        """Return how a callout stands."""
        return next(row.state for row in self.callouts() if row.id == callout_id)

    def calls(self) -> list[Attempt]:
        """Return the calls that a vendor took."""
        return [each for each in self.rows(ATTEMPTS) if each.channel is Channel.VOICE and each.vendor_id]

    def everybody_was_called(self) -> bool:
        """Tell whether the first call of each callout has ended."""
        ended = {callout for each in self.calls() if each.outcome is not None for callout in each.callouts}
        asked = self.asked()
        return len(asked) >= 10 and all(row.id in ended for row in asked)

    def write(self, number: str, text: str) -> None:
        """Write a text at a telephone of the vendors' page."""
        asked = {"number": number, "doing": "write", "text": text}
        assert httpx.post(f"{self._phones}do", json=asked, timeout=20).status_code == 200

    def board(self) -> str:
        """Log in with this machine's token, and return the page of the duty room."""
        with httpx.Client(base_url=self.url, timeout=20, follow_redirects=True) as browser:
            mark = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)
            assert mark is not None
            return browser.post("/login", data={"csrf": mark[1], "token": own_token(self.settings)}).text


@contextmanager
def begun(folder: Path, name: str, ends_by: signal.Signals, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command as a terminal would, its output in files; ended by Ctrl-C it must say that nothing was wrong."""
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=out, stderr=err)
    try:
        yield process
        process.send_signal(ends_by)
        assert process.wait(60) == 0, (folder / f"{name}.err").read_text(encoding="utf-8")[-2000:]
    finally:
        process.kill()
        process.wait()


def said(path: Path, pattern: str) -> str:
    """Wait until a process has said something, and return the first group of it."""
    wait_until(lambda: re.search(pattern, path.read_text(encoding="utf-8")) is not None, SOON_S, pattern)
    return re.findall(pattern, path.read_text(encoding="utf-8"))[0]


def red_rain() -> bytes:
    """A red rainstorm warning for one township, sent now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return write_cap(
        Document(
            identifier=f"41992641600000_{now:%Y%m%d%H%M%S}", issuer="禾溪县气象台", sent=now,
            hazard=next(each for each in load_hazards() if each.key == "rainstorm"), colour=Colour.RED,
            text="过去3小时云台乡降雨量已达100毫米以上。", geocodes=(TOWNSHIP,), area_names=(NAME,),
        )
    )  # fmt: skip


@pytest.fixture
def duty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Duty]:
    """Both fake vendors, and the whole service under the settings that they printed."""
    port, county = free_port(), tmp_path / "county"
    vendors = ("tests.wire.vendors", "--gateway", f"http://{HERE}:{port}", "--county", str(county), "--some-abroad")
    how = ("--speed", str(SPEED), "--journal", str(tmp_path / "vendors.jsonl"))
    with begun(tmp_path, "vendors", signal.SIGTERM, *vendors, *how):
        phones = said(tmp_path / "vendors.err", r"(http://127.0.0.1:\d+/)")
        for line in shlex.split((tmp_path / "vendors.out").read_text(encoding="utf-8").replace("export ", "")):
            monkeypatch.setenv(*line.split("=", 1))
        ours = {"DATA_DIR": tmp_path / "data", "PORT": port, "METRICS_PORT": free_port()}
        for name, value in {**ours, "ALIYUN_CALLS_PER_S": 20, "TWILIO_CALLS_PER_S": 20}.items():
            monkeypatch.setenv(f"JIAOYING_{name}", str(value))
        approve = [sys.executable, "-m", "streams.cli", "live", "approve", str(county / "numbers.txt"), "--by", "试用"]
        subprocess.run(approve, check=True, capture_output=True, env=os.environ)
        with begun(tmp_path, "up", signal.SIGINT, "streams.cli", "up"):
            wait_until(lambda: listens(HERE, port), SOON_S, "the start of the service")
            told = Duty(tmp_path, phones)
            yield told
            told.ledger.close()


def test_a_red_warning_is_called_over_both_vendors_and_stands_on_the_board(duty: Duty):
    async def night() -> None:
        assert (await duty.send(red_rain())).status_code == httpx.codes.ACCEPTED
        await duty.until(duty.everybody_was_called, SOON_S, "a first call to everybody")
        calls, rung = duty.calls(), duty.rung
        check_calls(calls, rung, duty.habits)
        check_rung(rung)
        await duty.until(lambda: set(rung) <= {each.vendor_id for each in duty.calls()}, SOON_S, "every call's record")

        silent = next(each for each in calls if each.outcome == "no_answer" and rung[each.vendor_id].vendor == "aliyun")
        await asyncio.to_thread(duty.write, rung[silent.vendor_id].number, f"收到 {code_of(silent.callouts[0])}")
        await duty.until(lambda: duty.state_of(silent.callouts[0]) is CalloutState.REPLIED, SOON_S, "a reply")
        await check_board(duty)

    asyncio.run(night())


def e164(number: str) -> str:
    """Return a number as it stands in the roster: Aliyun leaves the country away."""
    return number if number.startswith("+") else f"+86{number}"


def check_calls(calls: Sequence[Attempt], rung: Mapping[str, Rung], habits: Mapping[str, Habit]) -> None:
    """Each first call ended by its telephone's habit, and who confirmed heard it to the end and pressed 1."""
    first = [each for each in calls if each.outcome is not None and each.dial_no == 1]
    ends = {each.vendor_id: (habits[rung[each.vendor_id].number].kind, each.outcome) for each in first}
    assert {sid: told for sid, told in ends.items() if told[1] not in ENDS[told[0]]} == {}
    confirmed = [each for each in calls if each.outcome == "confirmed"]
    assert confirmed
    assert all(each.played_at and each.key_at and each.key == "1" for each in confirmed)


def check_rung(rung: Mapping[str, Rung]) -> None:
    """Both vendors rang, and no number twice within its minute; the journal is written a moment after the claim."""
    assert {each.vendor for each in rung.values()} == {"aliyun", "twilio"}
    times: dict[str, list[datetime]] = {}
    for each in sorted(rung.values(), key=lambda item: item.at):
        times.setdefault(each.number, []).append(each.at)
    assert [(late - early) for each in times.values() for early, late in pairwise(each) if late - early < MINUTE] == []


async def check_board(duty: Duty) -> None:
    """What the duty room is shown adds up to what the ledger holds."""
    round_id = duty.asked()[0].round_id
    levels = (await duty.get(f"/v1/rounds/{round_id}")).json()["levels"].values()
    total = Counter[str]()
    for each in levels:
        total.update(each)
    rows = [row for row in duty.callouts() if row.round_id == round_id and not row.visit_id]
    assert total["called"] == len(rows)
    assert total["called"] == total["answered"] + total["told"] + total["calling"] + total["unanswered"]
    assert 0 < total["answered"] <= sum(row.state in ANSWERED for row in rows)
    board = await asyncio.to_thread(duty.board)
    assert "暴雨红色预警" in board
    assert NAME in board
