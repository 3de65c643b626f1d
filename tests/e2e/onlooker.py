"""What an end-to-end test sees and says: the ledger from outside, and the HTTP door."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from agents.callout.state import CALLOUTS, OPEN, Callout
from config.hazards import load_hazards
from config.settings import Settings
from streams.cli.tokens import own_token
from streams.ledger.contract import LedgerAwayError, StaleRowError
from streams.ledger.sql import SqlLedger
from streams.replay.cap_writer import Document, write_cap
from streams.topics import BY_NAME
from streams.words import Colour, MsgType

STORY = datetime(2021, 7, 19, 13, 50, tzinfo=UTC)
LOOK_EVERY_S = 0.2
LOOK_AT_ALL_EVERY_S = 1.0
"""Reading a thousand callouts takes from the processes what they need themselves."""
ANSWER_WITHIN_S = 90
AGAIN_AFTER_S = 1.0
ORANGE = "41992641600000_20210719215000"


class Onlooker:
    """Somebody who looks at an installation from outside."""

    settings: Settings
    ledger: SqlLedger | None = None

    @property
    def url(self) -> str:
        """Where the HTTP door is."""
        return f"http://{self.settings.host}:{self.settings.port}"

    async def send(self, content: bytes, token: str | None = None, url: str = "") -> httpx.Response:
        """Post a warning document."""
        secret = token if token is not None else await asyncio.to_thread(own_token, self.settings)
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S) as client:
            return await client.post(
                f"{url or self.url}/v1/warnings",
                content=content,
                headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/cap+xml"},
            )

    async def insist(self, content: bytes, within_s: float) -> httpx.Response:
        """Post a warning document until it is taken, as whoever sends it does where nobody answers."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            try:
                answer = await self.send(content)
            except httpx.TransportError as error:
                said = repr(error)
            else:
                if answer.is_success:
                    return answer
                said = f"{answer.status_code} {answer.text}"
            assert asyncio.get_running_loop().time() < deadline, f"the warning was not taken in {within_s} s: {said}"
            await asyncio.sleep(AGAIN_AFTER_S)

    async def get(self, path: str) -> httpx.Response:
        """Get something from the gateway with this machine's own token."""
        secret = await asyncio.to_thread(own_token, self.settings)
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S) as client:
            return await client.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {secret}"})

    def callouts(self) -> list[Callout]:
        """Return all callouts."""
        return self.rows(CALLOUTS)

    def rows(self, table: Any) -> list[Any]:
        """Return all rows of a table."""
        assert self.ledger is not None
        return self.ledger.step(lambda step: step.find(table, limit=10_000))

    def states(self) -> Counter[str]:
        """Count the callouts by state."""
        return Counter(row.state.value for row in self.callouts())

    def unread(self) -> dict[str, int]:
        """Count the letters that a room of ours has yet to read, by topic."""
        assert self.ledger is not None
        waiting = self.ledger.step(lambda step: step.count_open_letters())
        return {topic: count for topic, count in waiting.items() if BY_NAME[topic].reader}

    async def until(self, is_so: Callable[[], bool], within_s: float, what: str, every_s: float = LOOK_EVERY_S) -> None:
        """Wait until something is so, also while the ledger is away; tell how things stand if it takes too long."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not await asyncio.to_thread(_is, is_so):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{what} did not happen in {within_s} s: {await asyncio.to_thread(self.states)}")
            await asyncio.sleep(every_s)

    async def until_all_ended(self, at_least: int, within_s: float = 600) -> None:
        """Wait until the round has opened and every callout of it came to its end; visit lists go on."""

        def ended() -> bool:
            rows = [row for row in self.callouts() if not row.visit_id]
            return len(rows) >= at_least and all(row.state not in OPEN for row in rows)

        await self.until(ended, within_s, "the end of every callout", LOOK_AT_ALL_EVERY_S)


def _is(is_so: Callable[[], bool]) -> bool:
    try:
        return is_so()
    except (LedgerAwayError, StaleRowError):
        return False


def red_rain(no: int = 0) -> bytes:
    """Return a red rainstorm warning for the whole county, as the platform sends it; another `no` is another one."""
    return _rain(Colour.RED, f"41992641600000_2021071921590{no}", STORY + timedelta(minutes=9))


def orange_rain() -> bytes:
    """Return an orange rainstorm warning for the whole county."""
    return _rain(Colour.ORANGE, ORANGE, STORY)


def rise_to_red() -> bytes:
    """Return the update by which the issuer of the orange warning raises it to red."""
    return _rain(
        Colour.RED, f"{ORANGE[:-3]}590", STORY + timedelta(minutes=9), kind=MsgType.UPDATE, references=(ORANGE,)
    )


def _rain(colour: Colour, identifier: str, sent: datetime, **more: Any) -> bytes:
    hazards = {hazard.key: hazard for hazard in load_hazards()}
    return write_cap(
        Document(
            identifier=identifier,
            issuer="禾溪县气象台",
            sent=sent,
            hazard=hazards["rainstorm"],
            colour=colour,
            text=f"过去3小时我县部分乡镇降雨量已达{100 if colour is Colour.RED else 50}毫米以上。",
            geocodes=("419926000000",),
            area_names=("禾溪县",),
            **more,
        )
    )
