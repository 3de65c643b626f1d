"""Our side of the wire for the Aliyun tests: the gateway's routes on a real port, and the carrier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from pydantic import SecretStr

from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.aliyun.carrier import AliyunCarrier
from agents.dial.carriers.aliyun.outid import out_id_of
from agents.dial.carriers.protocol import Dial, Script
from agents.dial.state import Attempt, AttemptState
from rosters.numbers import mask, number_digest
from streams.clock import VirtualClock
from streams.doors.http.aliyun import Receipts, aliyun_router
from streams.doors.http.hearing import Hearing
from streams.ids import make_id
from streams.letters import CallNews, TextReplied
from streams.words import Channel
from tests.wire.fake_aliyun import FakeAliyun
from tests.wire.fake_mainland import Handset
from tests.wire.fake_twilio import serving
from tests.wire.twilio_house import NUMBER, NUMBER_KEY, SCRIPT, Wire

LOCAL = NUMBER.removeprefix("+86")
SECRET = "a-secret-of-the-addresses-of-receipts"
CHARS_PER_S = 4.0


@dataclass
class House:
    """The gateway and what it heard. `away` counts how many more pieces of news the ledger cannot keep."""

    fake: FakeAliyun
    clock: VirtualClock
    heard: list[CallNews | TextReplied] = field(default_factory=list)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    away: int = 0
    hearing: Hearing | None = None
    """The gateway's own, over a ledger, where a test has one; else what is heard is only kept in `heard`."""

    async def hear(self, news: CallNews | TextReplied) -> None:
        if self.away > 0:
            self.away -= 1
            raise RuntimeError("the ledger is away")
        self.heard.append(news)
        if self.hearing is not None:
            await self.hearing.hear(news)
        if isinstance(news, CallNews) and news.attempt_id in {each.id for each in self.attempts.values()}:
            self._gather(news)

    async def attempts_of(self, out_ids: Collection[str]) -> Mapping[str, Attempt]:
        if self.hearing is not None:
            return await self.hearing.attempts_of(out_ids)
        return {out_id: self.attempts[out_id] for out_id in out_ids if out_id in self.attempts}

    def dial(
        self, number: str = NUMBER, channel: Channel = Channel.VOICE, cause: str = "1", script: Script = SCRIPT
    ) -> Dial:
        """An attempt that was claimed; what it says is known to the gateway as the ledger would know it."""
        self.clock.set(max(self.clock.now(), self.fake.now))
        dial = Dial(
            attempt_id=make_id("real", "attempt", cause),
            channel=channel,
            number=number,
            script=script,
            at=self.fake.now,
            carrier="aliyun",
        )
        self.attempts.setdefault(out_id_of(dial.attempt_id), attempt_for(dial))
        return dial

    def carrier(self, **settings: object) -> AliyunCarrier:
        account = AliyunAccount.model_validate(
            {
                "access_key_id": self.fake.key_id,
                "access_key_secret": SecretStr(self.fake.key_secret),
                "show_number": "05711234567",
                "ivr_template": "TTS_1001",
                "reply_template": "TTS_1002",
                "notice_template": "TTS_1003",
                "sign_name": "禾溪县应急局",
                "text_template": "SMS_2001",
                "text_variables": ("text1", "text2", "text3"),
                "voice_api": self.fake.url,
                "text_api": self.fake.url,
                "chars_per_s": CHARS_PER_S,
                **settings,
            }
        )
        return AliyunCarrier(account, approved=lambda number: not number.endswith("9999"))

    def play(self, handset: Handset | None = None) -> None:
        """Let what was accepted happen, with this telephone; the gateway's clock goes along."""
        if handset is not None:
            self.fake.handsets[LOCAL] = handset
        self.clock.advance(600)
        self.fake.play()

    def told(self) -> list[tuple[str, str, str]]:
        """What was heard of calls and texts: progress, key, outcome."""
        return [(news.progress, news.key, news.outcome or "") for news in self.heard if isinstance(news, CallNews)]

    def progress(self) -> list[str]:
        """The progress of all different pieces of news, as their `seq` puts them."""
        news = {each.seq: each for each in self.heard if isinstance(each, CallNews)}
        return [news[seq].progress for seq in sorted(news)]

    def _gather(self, news: CallNews) -> None:
        out_id = out_id_of(news.attempt_id)
        names = {"answered": "answered_at", "key": "key_at"}
        if news.progress in names and getattr(self.attempts[out_id], names[news.progress]) is None:
            changes = {names[news.progress]: news.at}
            self.attempts[out_id] = self.attempts[out_id].model_copy(update=changes)


def attempt_for(dial: Dial) -> Attempt:
    """Return the row of an attempt that was placed."""
    return Attempt(
        id=dial.attempt_id,
        realm="real",
        channel=dial.channel,
        carrier="aliyun",
        number_key=number_digest(dial.number, NUMBER_KEY),
        masked=mask(dial.number),
        person_id="p",
        phone=0,
        callouts=(),
        rounds=(),
        severity=4,
        voice=dial.script.voice,
        text=dial.script.text,
        prompt=dial.script.prompt,
        state=AttemptState.PLACED,
        owner="test",
        lease_until=dial.at,
        dialled_at=dial.at,
        dial_no=1,
    )


@dataclass
class Wires:
    """The vendor's port and ours."""

    theirs: Wire
    ours: Wire

    @contextmanager
    def house(self) -> Iterator[House]:
        """A new fake Aliyun and a new gateway on these ports."""
        fake = FakeAliyun()
        fake.url, self.theirs.app = self.theirs.url, fake.app
        fake.receipts_url = f"{self.ours.url}/aliyun/{SECRET}"
        house = House(fake, VirtualClock(fake.now))
        gateway = FastAPI()
        receipts = Receipts(house.hear, house.attempts_of, house.clock, NUMBER_KEY, CHARS_PER_S)
        gateway.include_router(aliyun_router(receipts, SECRET))
        self.ours.app = gateway
        yield house
        fake.close()


@contextmanager
def open_wires() -> Iterator[Wires]:
    """Serve both ports until the block ends."""
    wires = Wires(Wire(), Wire())
    with serving(wires.theirs) as wires.theirs.url, serving(wires.ours) as wires.ours.url:
        yield wires
