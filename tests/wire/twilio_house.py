"""Our side of the wire for the Twilio tests: the gateway's routes on a real port, and the carrier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from agents.dial.carriers.protocol import Dial, Script
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from streams.clock import VirtualClock
from streams.doors.http.twilio import twilio_router
from streams.ids import make_id
from streams.letters import CallNews, TextReplied
from streams.words import Channel
from tests.wire.fake_twilio import FakeTwilio, serving

NUMBER = "+8613800001234"
NUMBER_KEY = b"a key for the digests of numbers"
MESSAGE = "这里是青川县应急值班室，暴雨红色预警，请立即组织河边群众转移。"
SCRIPT = Script(voice=MESSAGE, text=MESSAGE + "详情见全文。", prompt="听到请按1，代接请按2，不能到岗请按0，重听请按3。")


@dataclass
class House:
    """The gateway and what it heard. `away` counts how many more pieces of news the ledger cannot keep."""

    fake: FakeTwilio
    url: str = ""
    heard: list[CallNews | TextReplied] = field(default_factory=list)
    scripts: dict[str, Script | None] = field(default_factory=dict)
    away: int = 0

    async def hear(self, news: CallNews | TextReplied) -> None:
        if self.away > 0:
            self.away -= 1
            raise RuntimeError("the ledger is away")
        self.heard.append(news)

    async def script_of(self, attempt_id: str) -> Script | None:
        return self.scripts.get(attempt_id, SCRIPT)

    def dial(self, number: str = NUMBER, channel: Channel = Channel.VOICE, cause: str = "1") -> Dial:
        return Dial(
            attempt_id=make_id("real", "attempt", cause),
            channel=channel,
            number=number,
            script=SCRIPT,
            at=self.fake.now,
        )

    def carrier(self, **settings: object) -> TwilioCarrier:
        account = TwilioAccount.model_validate(
            {
                "account_sid": self.fake.account_sid,
                "auth_token": SecretStr(self.fake.auth_token),
                "from_number": self.fake.numbers[0],
                "public_url": self.url,
                "api_base": self.fake.url,
                "china_basis": "the numbers of these tests are nobody's",
                **settings,
            }
        )
        return TwilioCarrier(account, approved=lambda number: number == NUMBER or number.startswith("+1500"))

    def told(self) -> list[tuple[str, str, str]]:
        """What was heard of calls and texts: progress, key, outcome."""
        return [(news.progress, news.key, news.outcome or "") for news in self.heard if isinstance(news, CallNews)]

    def in_order(self) -> list[str]:
        """The progress of all different pieces of news, as their `seq` puts them."""
        news = {each.seq: each for each in self.heard if isinstance(each, CallNews)}
        return [news[seq].progress for seq in sorted(news)]


@dataclass
class Wire:
    """A port that is kept for many tests: starting a server takes longer than most of them."""

    url: str = ""
    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@dataclass
class Wires:
    """The vendor's port and ours."""

    theirs: Wire
    ours: Wire

    @contextmanager
    def house(self, tokens: Sequence[str] = ("the-token",)) -> Iterator[House]:
        """A new fake Twilio and a new gateway that knows `tokens`, on these ports."""
        fake = FakeTwilio()
        fake.url, self.theirs.app = self.theirs.url, fake.app
        house = House(fake, self.ours.url)
        gateway = FastAPI()
        clock = VirtualClock(fake.now)
        gateway.include_router(twilio_router(house.hear, house.script_of, tokens, house.url, clock, NUMBER_KEY))
        self.ours.app = gateway
        yield house
        fake.close()


@contextmanager
def open_wires() -> Iterator[Wires]:
    """Serve both ports until the block ends."""
    wires = Wires(Wire(), Wire())
    with serving(wires.theirs) as wires.theirs.url, serving(wires.ours) as wires.ours.url:
        yield wires
