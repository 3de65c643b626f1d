"""A night whose copies go out over the wire: receivers of the fake chats, and a desk that looks every few seconds."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import SecretStr

from agents.copies.desk import CopyDesk
from agents.copies.receivers import Receiver
from agents.copies.state import COPIES, Copy, Event
from agents.copies.wording import Voice
from streams.ledger.contract import Entry
from streams.replay.night import Night
from tests.wire.fake_chats import DINGTALK_SECRET, DINGTALK_TOKEN, FEISHU_TOKEN, WECOM_KEY, FakeChats

URLS = {
    "wecom": f"wecombot://{WECOM_KEY}",
    "dingtalk": f"dingtalk://{DINGTALK_SECRET}@{DINGTALK_TOKEN}",
    "feishu": f"feishu://{FEISHU_TOKEN}",
}


def receiver(
    service: str = "wecom", *, url: str = "", events: tuple[Event, ...] = tuple(Event), **more: Any
) -> Receiver:
    return Receiver(name=f"{service}群", url=SecretStr(url or URLS[service]), events=events, **more)


class Copying:
    """A night, and the desk that sends its copies."""

    def __init__(
        self, night: Night, chats: FakeChats, *receivers: Receiver, owner: str = "worker-0", **voice: Any
    ) -> None:
        self.night, self.chats = night, chats
        self.desk = CopyDesk(
            night.ledger,
            night.clock,
            night.house.facts,
            receivers,
            Voice(**{"language": "zh", "rehearsal": False} | voice),
            owner,
        )

    def look(self) -> int:
        """Let the desk look once, and wait for what it began."""

        async def once() -> int:
            begun = await self.desk.run_once()
            await self.desk.settle()
            return begun

        return asyncio.run(once())

    def pass_time(self, *, minutes: float = 0, every_s: float = 10) -> None:
        """Let time pass; the desk looks every few seconds."""
        for _ in range(int(minutes * 60 / every_s)):
            self.night.advance(seconds=every_s)
            self.look()

    @property
    def copies(self) -> list[Copy]:
        return sorted(self.night.find(COPIES), key=lambda copy: (copy.at, copy.id))

    def entries(self, copy: Copy) -> list[Entry]:
        return self.night.ledger.step(lambda step: step.entries(copy.id))
