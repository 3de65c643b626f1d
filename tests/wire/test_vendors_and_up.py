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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.callout.state import Callout, CalloutState
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

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
TOWNSHIP, NAME = "419926201000", "云台乡"
SPEED = 2.5
"""Aliyun's receipts hold real times; what is read out faster than this is not believed to have been heard."""
SOON_S = 240.0
ENDS = {
    "0": {"switched_off", "no_answer"}, "1": {"no_answer"}, "2": {"hung_up_early"}, "3": {"heard_no_key"},
    "4": {"cannot"}, "5": {"fetching"},
}  # fmt: skip
"""How a call ends by the last digit of its number; all others press 1. Twilio knows no telephone that is off."""


class Duty(Onlooker):
    """Somebody at the duty desk, and at the telephones of the vendors' page."""

    def __init__(self, folder: Path, phones: str) -> None:
        self.settings, self._journal, self._phones = read_settings(), folder / "vendors.jsonl", phones
        self.ledger = SqlLedger(self.settings.ledger, TABLES)

    @property
    def called(self) -> dict[str, tuple[str, str]]:
        """Return what the vendors took: their id of each call, with whose it was and the number."""
        lines: list[dict[str, Any]] = read_lines(self._journal)
        return {line["id"]: (line["vendor"], line["number"]) for line in lines if line["what"] == "call"}

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


def send_some_abroad(county: Path) -> None:
    """Give every other ten of numbers to those that only Twilio dials; each keeps its last digit."""
    for name in ("people.csv", "numbers.txt"):
        path = county / name
        words = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\+86120\d(\d{5}[13579]\d)", r"+1500\1", words), encoding="utf-8")


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
    vendors = ("tests.wire.vendors", "--gateway", f"http://{HERE}:{port}", "--county", str(county))
    how = ("--speed", str(SPEED), "--journal", str(tmp_path / "vendors.jsonl"))
    with begun(tmp_path, "vendors", signal.SIGTERM, *vendors, *how):
        phones = said(tmp_path / "vendors.err", r"(http://127.0.0.1:\d+/)")
        for line in shlex.split((tmp_path / "vendors.out").read_text(encoding="utf-8").replace("export ", "")):
            monkeypatch.setenv(*line.split("=", 1))
        ours = {"DATA_DIR": tmp_path / "data", "PORT": port, "METRICS_PORT": free_port()}
        for name, value in {**ours, "ALIYUN_CALLS_PER_S": 20, "TWILIO_CALLS_PER_S": 20}.items():
            monkeypatch.setenv(f"JIAOYING_{name}", str(value))
        send_some_abroad(county)
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
        called, calls = duty.called, duty.calls()
        check_calls(called, calls)

        silent = next(each for each in calls if each.outcome == "no_answer" and called[each.vendor_id][0] == "aliyun")
        await asyncio.to_thread(duty.write, called[silent.vendor_id][1], f"收到 {code_of(silent.callouts[0])}")
        await duty.until(lambda: duty.state_of(silent.callouts[0]) is CalloutState.REPLIED, SOON_S, "a reply")

        asked = duty.asked()
        shown = (await duty.get(f"/v1/rounds/{asked[0].round_id}")).json()["levels"].values()
        assert sum(each["called"] for each in shown) == len(
            [r for r in duty.callouts() if r.round_id == asked[0].round_id]
        )
        assert sum(each["called"] - each["answered"] - each["told"] - each["calling"] for each in shown) == sum(
            each["unanswered"] for each in shown
        )
        answered = {CalloutState.CONFIRMED, CalloutState.REPLIED}
        assert sum(each["answered"] for each in shown) >= sum(row.state in answered for row in asked) > 0
        board = await asyncio.to_thread(duty.board)
        assert "暴雨红色预警" in board
        assert NAME in board

    asyncio.run(night())


def check_calls(called: Mapping[str, tuple[str, str]], calls: Sequence[Attempt]) -> None:
    """Each call that a vendor took is one of ours and ended by its telephone's habit, and no number rang twice."""
    over = [each for each in calls if each.outcome is not None]
    ends = {each.vendor_id: (called[each.vendor_id][1], each.outcome) for each in over}
    wrong = {sid: told for sid, told in ends.items() if told[1] not in ENDS.get(told[0][-1], {"confirmed"})}
    assert wrong == {}
    assert {vendor for vendor, _ in called.values()} == {"aliyun", "twilio"}
    assert set(called) <= {each.vendor_id for each in calls}
    rung = Counter(number for _, number in called.values())
    assert [number for number, times in rung.items() if times > 1] == []
    confirmed = [each for each in over if each.outcome == "confirmed"]
    assert all(each.played_at and each.key_at and each.key == "1" for each in confirmed)
