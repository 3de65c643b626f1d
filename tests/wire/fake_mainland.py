"""The telephones behind the fake Aliyun: what was accepted happens here and is told in receipts.

Written once, as coroutines: `Mainland` lets their seconds pass at once and pushes receipts itself; `live_vendors.py`
lets them take their time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx

from tests.wire.fake_phones import at_once

CHINA = ZoneInfo("Asia/Shanghai")
CHARS_PER_S, KEYS_S, REPLY_S = 5.0, 6.0, 3.0


@dataclass
class Handset:
    """How a telephone behaves: the status code its call ends with, or what whoever answers does."""

    status: str = ""
    early_media: str = ""
    key: str = ""
    key_at_s: float | None = None
    hangs_up_at_s: float | None = None
    text_error: str = ""


@dataclass
class Accepted:
    """A call or a text that was accepted."""

    id: str
    asked: dict[str, Any]
    at: datetime
    status: str = ""
    began_at: datetime | None = None
    over_at: datetime | None = None
    talk_s: float = 0.0

    @property
    def number(self) -> str:
        return str(self.asked.get("CalledNumber") or self.asked.get("PhoneNumbers"))


class Mainland:
    """Telephones, and the receipts that tell of them.

    `receipts_url` is what the vendor's consoles were told; `pushes` how receipts arrive; `pushed` what our gateway
    answered.
    """

    def __init__(self) -> None:
        self.receipts_url = ""
        self.pushes: Literal["once", "twice", "together", "dropped"] = "once"
        self.now = datetime(2026, 7, 19, 14, 0, tzinfo=UTC)
        self.handsets: dict[str, Handset] = {}
        self.calls: dict[str, Accepted] = {}
        self.texts: dict[str, Accepted] = {}
        self.pushed: list[tuple[str, int]] = []
        self.unexpected: list[str] = []
        """What nobody should have said to this vendor, or answered it: a test in which something stands here fails."""
        self._unplayed: deque[Accepted] = deque()
        self._together: list[tuple[str, dict[str, Any]]] = []
        self._client = httpx.Client(timeout=60, trust_env=False, verify=False)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        while self._unplayed:
            at_once(self._happen(self._unplayed.popleft()))
        self._flush()

    def write(self, number: str, words: str) -> int:
        """Somebody writes to us; return what our gateway answered."""
        receipt = {"phone_number": number, "send_time": written(self.now), "content": words, "sequence_id": 77}
        receipt |= {"sign_name": "禾溪县应急局", "dest_code": "1234"}
        return self.push("sms-up", [receipt])

    def push(self, kind: str, batch: Any) -> int:
        """Push a batch, as a test wants it; return the last status."""
        return at_once(self._push(kind, batch))

    async def _pass(self, seconds: float) -> None:
        """Let seconds go by."""
        self.now += timedelta(seconds=seconds)

    async def _carry(self, url: str, batch: Any) -> tuple[int, str]:
        """Send one request; return status and body of the answer, 0 where there was none."""
        try:
            answer = self._client.post(url, json=batch)
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, answer.text

    async def _aside(self, happening: Coroutine[Any, Any, None]) -> None:
        """Let something happen beside the call."""
        await happening

    async def _push(self, kind: str, batch: Any) -> int:
        """Push a batch as the vendor does, again after a failure, three times at the most; return the last status."""
        for _ in range(4):
            status, text = await self._carry(f"{self.receipts_url}/{kind}", batch)
            self.pushed.append((kind, status))
            if status == 200:
                assert isinstance(json.loads(text)["code"], int)
                break
        return self.pushed[-1][1]

    async def _happen(self, accepted: Accepted) -> None:
        """Let what was accepted happen, to its end."""
        await (self._play_call(accepted) if accepted.id in self.calls else self._play_text(accepted))

    async def _play_call(self, call: Accepted) -> None:
        handset = self._handset(call)
        await self._pass(5)
        key = ""
        if handset.status:
            call.status = handset.status
        else:
            call.began_at = self.now
            await self._progress(call, "200103")
            key = await self._talk(call, handset)
        call.over_at = self.now
        await self._tell(
            "voice-report",
            {
                "call_id": call.id,
                "out_id": call.asked.get("OutId"),
                "status_code": call.status,
                "early_media_code": handset.early_media,
                "start_time": written(call.began_at),
                "end_time": written(call.over_at),
                "duration": str(int(call.talk_s)),
                "callee": call.number,
                "dtmf": key,
                "hangup_direction": "用户",
                "voice_type": "voice",
            },
        )

    async def _talk(self, call: Accepted, handset: Handset) -> str:
        """Speak, wait for a key, say what the key is for; return the key. The menu is one level deep."""
        spoken_s = len(message_of(call.asked)) / CHARS_PER_S + KEYS_S
        waits_s = int(call.asked.get("Timeout", 0)) / 1000
        leaves_s, pressed_s = handset.hangs_up_at_s, handset.key_at_s
        if pressed_s is None and handset.key:
            pressed_s = spoken_s + 1
        menu = {str(each.get("Key")): each for each in call.asked.get("MenuKeyMap", [])}
        if handset.key in menu and pressed_s is not None and (leaves_s is None or pressed_s <= leaves_s):
            await self._pass(pressed_s)
            await self._progress(call, "300000", dtmf=handset.key)
            over_s = pressed_s + _says_s(menu[handset.key])
            call.talk_s = min(leaves_s or 1e9, over_s)
            await self._pass(call.talk_s - pressed_s)
            call.status = "200000" if call.talk_s >= over_s else "200001"
            return handset.key
        whole_s = spoken_s * int(call.asked.get("PlayTimes", 1)) + waits_s
        call.talk_s = min(leaves_s or 1e9, whole_s)
        await self._pass(call.talk_s)
        heard = call.talk_s >= spoken_s
        call.status = ("200008" if menu else "200000") if heard else "200001"
        return ""

    async def _play_text(self, text: Accepted) -> None:
        handset = self._handset(text)
        await self._pass(3)
        text.status = "2" if handset.text_error else "3"
        receipt = {
            "phone_number": text.number,
            "send_time": written(text.at),
            "report_time": written(self.now),
            "success": not handset.text_error,
            "err_code": handset.text_error or "DELIVERED",
            "biz_id": text.id,
            "out_id": text.asked.get("OutId"),
            "sms_size": "1",
        }
        await self._tell("sms-report", receipt)

    async def _progress(self, call: Accepted, code: str, dtmf: str = "") -> None:
        receipt = {"call_id": call.id, "out_id": call.asked.get("OutId"), "status_code": code}
        await self._tell("voice-call-report", {**receipt, "status_time": written(self.now), "dtmf": dtmf})

    async def _tell(self, kind: str, receipt: dict[str, Any]) -> None:
        if self.pushes == "together":
            self._together.append((kind, receipt))
        for _ in range({"once": 1, "twice": 2}.get(self.pushes, 0)):
            await self._aside(self._tell_kept(kind, [receipt]))

    async def _tell_kept(self, kind: str, batch: list[dict[str, Any]]) -> None:
        """Push receipts of calls and texts of ours; our gateway refuses none of these."""
        status = await self._push(kind, batch)
        if 400 <= status < 500:
            self.unexpected.append(f"our gateway answered {status} to {kind}")

    def _flush(self) -> None:
        for kind in ("voice-call-report", "voice-report", "sms-report"):
            batch = [receipt for of_kind, receipt in self._together if of_kind == kind]
            if batch:
                at_once(self._tell_kept(kind, batch))
        self._together = []

    def _handset(self, accepted: Accepted) -> Handset:
        return self.handsets.get(accepted.number, Handset())


def _says_s(menu_key: dict[str, Any]) -> float:
    """Return how long what a key is for takes to say: the words of its template and its variable."""
    said = json.loads(menu_key.get("TtsParams") or "{}")
    message = str(said.get("message", ""))
    return len(message) / CHARS_PER_S + REPLY_S if message else REPLY_S


def message_of(asked: dict[str, Any]) -> str:
    """Return what stands for `${message}` in a call."""
    values = json.loads(asked.get("StartTtsParams") or asked.get("TtsParam") or "{}")
    return str(values.get("message", ""))


def written(at: datetime | None) -> str:
    """Write a time as the vendor does."""
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if at else ""
