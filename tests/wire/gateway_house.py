"""A house over dictionaries and virtual time, its gateway, and those who knock at it: for the gateway's tests."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from agents.callout.state import CALLOUTS, Callout
from agents.dial.carriers.simulated import SimulatedCarrier, load_habits
from agents.dial.manned import Switchboard
from agents.facts import Facts
from config.load import load_rules
from config.settings import Settings
from rosters.load import load_county
from streams.clock import VirtualClock
from streams.doors.http.gateway import create_gateway
from streams.doors.http.tokens import issue
from streams.ledger.contract import Ledger, Where
from streams.ledger.memory import MemoryLedger
from streams.letters import Letter
from streams.replay.runner import Runner
from streams.wiring import TABLES, House, build

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
NIGHT = datetime(2021, 7, 19, 13, 59, tzinfo=UTC)
NUMBER_KEY = b"a key for the digests of numbers"
TOWNSHIP, OTHER_TOWNSHIP, CUT_OFF_TOWNSHIP = "419926101000", "419926102000", "419926201000"
THREE = (TOWNSHIP, OTHER_TOWNSHIP, CUT_OFF_TOWNSHIP)
SECRETS = {
    "sender": "sender-secret-that-is-long-enough-0001",
    "operator": "operator-secret-that-is-long-enough-02",
    "reader": "reader-secret-that-is-long-enough-0003",
    "township": "township-secret-that-is-long-enough-04",
    "watcher": "watcher-secret-that-is-long-enough-005",
}
ORDER = {
    "villages": ["青石岭镇"],
    "hazard": "暴雨",
    "text": "上游水库泄洪，请立即转移低洼处住户",
    "by": "王某",
    "on_word_of": "县防指值班领导",
}
CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>41992641600000</sender><sent>{sent}</sent>
<status>{status}</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>zh-CN</language><category>Met</category><event>11B03</event><urgency>Immediate</urgency>
<severity>{colour}</severity><certainty>Observed</certainty><effective>{sent}</effective><expires></expires>
<senderName>禾溪县气象台</senderName><headline>禾溪县气象台发布暴雨{word}预警信号</headline>
<description>{text}</description>
<area><areaDesc>{names}</areaDesc>{areas}</area></info>
</alert>
"""


@cache
def facts() -> Facts:
    """The sample county and its rules, loaded once."""
    return Facts(load_county(SAMPLE, around=NIGHT), load_rules())


def cap(
    identifier: str = "41992641600000_20210719215900",
    status: str = "Actual",
    text: str = "预计未来3小时降雨量将达100毫米以上，请注意防范。",
    areas: tuple[str, ...] = THREE,
) -> bytes:
    """A red rainstorm warning of the sample county's met office, by default for three of its townships."""
    codes = [f"<geocode><valueName>CN</valueName><value>{code}</value></geocode>" for code in areas]
    names = "、".join(facts().county.regions[code].name for code in areas)
    sent, colour, word = "2021-07-19T21:59:00+08:00", "Red", "红色"
    filled = {"identifier": identifier, "status": status, "text": text, "sent": sent, "colour": colour, "word": word}
    return CAP.format(**filled, names=names, areas="".join(codes)).encode()


@dataclass
class Wire:
    """Speaks HTTP to an application without a port; keeps cookies."""

    app: FastAPI
    headers: dict[str, str] = field(default_factory=dict)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    address: str = "127.0.0.1"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, more))

    async def _ask(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.address, 50000))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", headers=self.headers, cookies=self.cookies
        ) as client:
            answer = await client.request(method, path, **more)
            self.cookies = client.cookies
            return answer


@dataclass(repr=False)
class Gate:
    """A gateway with everything behind it."""

    house: House
    app: FastAPI
    runner: Runner

    def api(self, who: str = "", **headers: str) -> Wire:
        """A machine with a token, or without."""
        auth = {"Authorization": f"Bearer {SECRETS[who]}"} if who else {}
        return Wire(self.app, {**auth, **headers})

    def browser(self, who: str = "operator") -> Browser:
        """Somebody who has logged in at the pages."""
        browser = Browser(Wire(self.app, {"Accept": "text/html"}))
        page = browser.get("/")
        answer = browser.client.post("/login", data={"csrf": browser.mark(page), "token": SECRETS[who]})
        assert answer.status_code == 303, answer.text
        return browser

    def live_through(self, **after: float) -> None:
        """Let the night go on."""
        self.runner.run_until(self.runner.now + timedelta(**after))

    def letters(self, topic: str) -> list[Letter]:
        """The letters of a topic that no room has handled yet."""
        later = self.runner.now + timedelta(days=9)
        return self.house.ledger.step(
            lambda step: step.open_letters(later, later, resend_after_s=0, limit=10_000, topics=(topic,))
        )

    def callouts(self, **where: Any) -> list[Callout]:
        """Callouts by their columns."""
        conditions = [Where(name, "in" if isinstance(value, tuple) else "=", value) for name, value in where.items()]
        return self.house.ledger.step(lambda step: step.find(CALLOUTS, *conditions, limit=10_000))

    def unanswered(self, township: str = TOWNSHIP) -> Callout:
        """Somebody of a township who has not answered."""
        return next(each for each in self.callouts(state=("unreached", "lost")) if each.township == township)


@dataclass
class Browser:
    """Keeps cookies and finds the mark that forms carry."""

    client: Wire

    def get(self, path: str) -> str:
        """The page."""
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return str(answer.text)

    def mark(self, page: str) -> str:
        """The mark of a page's forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None
        return found[1]

    def send(self, path: str, page: str, **fields: Any) -> Any:
        """Send a form of a page."""
        return self.client.post(path, data={"csrf": self.mark(page), **fields})


def open_gate(
    tmp_path: Path, *, ledger: Ledger | None = None, clock: VirtualClock | None = None, **settings: Any
) -> Gate:
    """A new house with a gateway and tokens for everybody."""
    clock, ledger = clock or VirtualClock(NIGHT), ledger or MemoryLedger(TABLES)
    switchboard = Switchboard(ledger, clock, NUMBER_KEY)
    habits = load_habits(SAMPLE / "habits.csv")
    carrier = SimulatedCarrier(habits, number_key=NUMBER_KEY, is_manned=switchboard.is_manned)
    house = build(ledger=ledger, clock=clock, facts=facts(), carriers=[carrier], number_key=NUMBER_KEY, owner="test")
    rights = {
        "sender": (["sender"], ""),
        "operator": (["operator"], ""),
        "reader": (["reader"], ""),
        "township": (["operator"], TOWNSHIP),
        "watcher": (["reader"], TOWNSHIP),
    }
    for name, (scopes, region) in rights.items():
        ledger.step(lambda step, n=name, s=scopes, r=region: issue(step, n, s, r, NIGHT, SECRETS[n]))
    app = create_gateway(house, Settings(data_dir=tmp_path, **settings))
    return Gate(house, app, Runner(house, clock))
