"""The telephone network behind the fake Twilio: what was accepted happens here, in virtual seconds or in real ones.

It fetches TwiML, speaks it, presses keys, hangs up, and sends status callbacks, signed as the real one signs them.
What happens is written once, as coroutines: `Network` lets their seconds pass at once and speaks HTTP itself;
`live_vendors.py` lets them take their time, and has callbacks delayed, doubled and lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urldefrag, urlsplit
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator

T = TypeVar("T")
CHARS_PER_S = 4.3
FINAL = ("completed", "busy", "no-answer", "failed", "canceled")
FOLLOWS: dict[str, frozenset[str]] = {
    "queued": frozenset({"ringing", "failed", "canceled"}),
    "ringing": frozenset({"in-progress", "busy", "no-answer", "failed", "canceled"}),
    "in-progress": frozenset({"completed"}),
}
"""What a call may become next (twilio.com/docs/voice/api/call-resource, Call status values)."""
VERBS: dict[str, frozenset[str]] = {
    "Say": frozenset({"voice", "language", "loop"}),
    "Pause": frozenset({"length"}),
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset(),
    "Gather": frozenset(
        {"input", "numDigits", "finishOnKey", "timeout", "action", "method", "actionOnEmptyResult", "language"}
    ),
}
"""The verbs that are known here, and their attributes."""


class Answer(NamedTuple):
    """What our gateway answered."""

    status_code: int
    text: str


@dataclass
class Handset:
    """How a telephone behaves. `keys` are pressed one per question; when they run out, none is pressed."""

    answers: Literal["human", "machine", "busy", "no-answer", "failed"] = "human"
    keys: list[str] = field(default_factory=list)
    hangs_up_at_s: float | None = None
    ring_s: float = 6.0
    sip_code: str = ""
    error_code: str = ""
    opted_out: bool = False
    text_status: Literal["delivered", "undelivered", "sent"] = "delivered"


@dataclass
class Placed:
    """A call or a text that was accepted."""

    sid: str
    asked: dict[str, list[str]]
    created_at: datetime
    status: str = "queued"
    talk_s: float = 0.0
    answered_by: str = ""
    ended_at: datetime | None = None
    spoken: list[str] = field(default_factory=list)

    def parameter(self, name: str) -> str:
        return self.asked.get(name, [""])[0]

    def become(self, status: str) -> None:
        """Go on to a status, which must be one that may follow."""
        assert status in FOLLOWS.get(self.status, ()), f"a call that is {self.status} cannot become {status}"
        self.status = status


class HungUpError(Exception):
    """The telephone was put down, or the call was ended from our side."""


def at_once(happening: Coroutine[Any, Any, T]) -> T:
    """Let something happen in virtual time, where nothing waits."""
    try:
        happening.send(None)
    except StopIteration as over:
        result: T = over.value
        return result
    raise AssertionError("in virtual time nothing waits")


class Network:
    """Telephones, and the callbacks that tell of them.

    `signs_with` is the token that signs; `callbacks` how status callbacks arrive; `webhooks` what our gateway answered;
    `unexpected` what nobody should have said to a vendor, or answered it: a test in which something stands there fails.
    """

    account_sid = "AC" + "1" * 32

    def __init__(self, auth_token: str, numbers: tuple[str, ...]) -> None:
        self.signs_with = auth_token
        self.numbers = numbers
        self.handsets: dict[str, Handset] = {}
        self.callbacks: Literal["once", "twice", "reversed", "dropped"] = "once"
        self.now = datetime(2026, 7, 19, 22, 0, tzinfo=UTC)
        self.webhooks: list[tuple[str, int]] = []
        self.unexpected: list[str] = []
        self._unplayed: deque[Placed] = deque()
        self._client = httpx.Client(timeout=60, trust_env=False, verify=False)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        while self._unplayed:
            at_once(self._happen(self._unplayed.popleft()))

    def write(self, url: str, number: str, body: str, sid: str = "SM" + "f" * 32) -> int:
        """Somebody at `number` writes to us; return what our gateway answered."""
        fields = {"MessageSid": sid, "From": number, "To": self.numbers[0], "Body": body}
        return self.post(url, fields).status_code

    def call_in(self, url: str, number: str, status_url: str = "", sid: str = "CA" + "e" * 32) -> Placed:
        """Somebody at `number` calls us and does with the call what their handset does; return what became of it.

        `url` and `status_url` are what our number is set to ask when it is rung, and when the call ended.
        """
        asked = {"To": [self.numbers[0]], "From": [number], "Url": [url], "Direction": ["inbound"]}
        call = Placed(sid, asked, self.now, status="in-progress")
        with suppress(HungUpError):
            at_once(self._follow(call, self.handset(number)))
        call.status = "completed"
        if status_url:
            self.post(
                status_url, self._about(call) | {"CallStatus": "completed", "CallDuration": str(int(call.talk_s))}
            )
        return call

    def post(self, url: str, fields: dict[str, str]) -> Answer:
        """Send one signed request, as a test wants it."""
        return at_once(self._post(url, fields))

    def handset(self, number: str) -> Handset:
        return self.handsets.get(number, Handset())

    async def _pass(self, seconds: float) -> None:
        """Let seconds go by."""
        self.now += timedelta(seconds=seconds)

    async def _carry(self, url: str, fields: dict[str, str], headers: dict[str, str]) -> Answer:
        """Send one request."""
        response = self._client.post(url, data=fields, headers=headers)
        return Answer(response.status_code, response.text)

    async def _aside(self, happening: Coroutine[Any, Any, None]) -> None:
        """Let something happen beside the call: its status callbacks hold it up nowhere but in virtual time."""
        await happening

    async def _post(self, url: str, fields: dict[str, str]) -> Answer:
        """Send one signed request as Twilio would, asking again after a 5xx as often as the address allows."""
        bare, overrides = urldefrag(url)
        allowed = dict(parse_qsl(overrides))
        tries = 1 + (int(allowed.get("rc", "1")) if allowed.get("rp") in ("all", "5xx") else 0)
        fields = {"AccountSid": self.account_sid, **fields}
        signature = RequestValidator(self.signs_with).compute_signature(bare, fields)
        for _ in range(tries):
            answer = await self._carry(bare, fields, {"X-Twilio-Signature": signature})
            self.webhooks.append((urlsplit(bare).path, answer.status_code))
            if answer.status_code < 500:
                break
        return answer

    async def _call_back(self, url: str, fields: dict[str, str]) -> Answer:
        """Send a request of a call's or a text's own course; our gateway refuses none of these."""
        answer = await self._post(url, fields)
        if 400 <= answer.status_code < 500:
            self.unexpected.append(f"our gateway answered {answer.status_code} to {urlsplit(url).path}")
        return answer

    async def _happen(self, placed: Placed) -> None:
        """Let what was accepted happen, to its end."""
        await (self._play_call(placed) if placed.sid.startswith("CA") else self._play_text(placed))

    async def _play_call(self, call: Placed) -> None:
        handset = self.handset(call.parameter("To"))
        events: list[tuple[str, dict[str, str]]] = []
        if call.status == "canceled":
            await self._end(call, events, handset)
            return
        await self._tell(call, events, "initiated", {"CallStatus": "initiated"})
        if handset.answers == "failed":
            call.become("failed")
            await self._end(call, events, handset)
            return
        call.become("ringing")
        await self._tell(call, events, "ringing", {"CallStatus": "ringing"})
        await self._pass(handset.ring_s)
        if call.status != "canceled":
            await self._pick_up(call, events, handset)
        await self._end(call, events, handset)

    async def _pick_up(self, call: Placed, events: list[tuple[str, dict[str, str]]], handset: Handset) -> None:
        """Answer and do what our documents say, or do not answer."""
        if handset.answers in ("busy", "no-answer"):
            call.become(handset.answers)
            return
        call.become("in-progress")
        if call.parameter("MachineDetection"):
            call.answered_by = "machine_start" if handset.answers == "machine" else "human"
        await self._tell(call, events, "answered", {"CallStatus": "in-progress"})
        with suppress(HungUpError):
            await self._follow(call, handset)
        if call.status == "in-progress":
            call.become("completed")

    async def _end(self, call: Placed, events: list[tuple[str, dict[str, str]]], handset: Handset) -> None:
        call.ended_at = self.now
        fields = {"CallStatus": call.status, "CallDuration": str(int(call.talk_s))}
        fields |= {"SipResponseCode": handset.sip_code} if handset.sip_code else {}
        fields |= {"ErrorCode": handset.error_code} if handset.error_code else {}
        fields |= {"AnsweredBy": call.answered_by} if call.answered_by else {}
        await self._tell(call, events, "completed", fields)
        if self.callbacks == "reversed":
            await self._send_events(call, list(reversed(events)))

    async def _tell(
        self, call: Placed, events: list[tuple[str, dict[str, str]]], event: str, fields: dict[str, str]
    ) -> None:
        """Send the status callback of an event, or keep it where callbacks come in the wrong order."""
        events.append((event, {**fields, "SequenceNumber": str(len(events))}))
        if self.callbacks != "reversed":
            await self._aside(self._send_events(call, events[-1:]))

    async def _send_events(self, call: Placed, events: list[tuple[str, dict[str, str]]]) -> None:
        for event, fields in events:
            if event not in call.asked.get("StatusCallbackEvent", ["completed"]) or self.callbacks == "dropped":
                continue
            for _ in range(2 if self.callbacks == "twice" else 1):
                await self._call_back(call.parameter("StatusCallback"), self._about(call) | fields)

    def _about(self, call: Placed) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "From": call.parameter("From"),
            "To": call.parameter("To"),
            "Direction": call.parameter("Direction") or "outbound-api",
            "Timestamp": format_datetime(self.now),
        }

    async def _follow(self, call: Placed, handset: Handset) -> None:
        """Fetch documents and do what they say until one ends the call."""
        url, fields = call.parameter("Url"), {"AnsweredBy": call.answered_by} if call.answered_by else {}
        keys = list(handset.keys)
        for _ in range(50):
            answer = await self._call_back(url, self._about(call) | {"CallStatus": "in-progress"} | fields)
            if answer.status_code != 200:
                call.spoken.append("an application error has occurred")
                return
            step = await self._obey(call, handset, keys, ElementTree.fromstring(answer.text))
            if step is None:
                return
            url, fields = step
        raise AssertionError("the documents lead in a circle")

    async def _obey(
        self, call: Placed, handset: Handset, keys: list[str], document: ElementTree.Element
    ) -> tuple[str, dict[str, str]] | None:
        for verb in document:
            self._know(verb)
            if verb.tag == "Say":
                await self._speak(call, handset, verb)
            elif verb.tag == "Pause":
                await self._spend(call, handset, float(verb.get("length", "1")))
            elif verb.tag == "Gather":
                for inner in verb:
                    self._know(inner)
                    await self._speak(call, handset, inner)
                key = keys.pop(0) if keys else ""
                await self._spend(call, handset, 1.0 if key else float(verb.get("timeout", "5")))
                if key or verb.get("actionOnEmptyResult") == "true":
                    return verb.attrib["action"], {"Digits": key}
            elif verb.tag == "Redirect":
                return str(verb.text), {}
            else:
                return None
        return None

    def _know(self, verb: ElementTree.Element) -> None:
        unknown = set(verb.attrib) - VERBS.get(verb.tag, frozenset())
        if verb.tag not in VERBS or unknown:
            self.unexpected.append(f"a document says <{verb.tag}> with {sorted(unknown)}, which nobody here knows")

    async def _speak(self, call: Placed, handset: Handset, say: ElementTree.Element) -> None:
        words = str(say.text)
        await self._spend(call, handset, len(words) / CHARS_PER_S)
        call.spoken.append(words)

    async def _spend(self, call: Placed, handset: Handset, seconds: float) -> None:
        """Let seconds of a call go by; the telephone may be put down in them, or the call ended from our side."""
        leaves_at_s = handset.hangs_up_at_s
        stays_s = seconds if leaves_at_s is None else min(seconds, leaves_at_s - call.talk_s)
        if call.status != "in-progress":
            raise HungUpError
        await self._pass(stays_s)
        call.talk_s += stays_s
        if call.status != "in-progress" or (leaves_at_s is not None and call.talk_s >= leaves_at_s):
            raise HungUpError

    async def _play_text(self, text: Placed) -> None:
        handset = self.handset(text.parameter("To"))
        statuses = ["sent"] if handset.text_status == "sent" else ["sent", handset.text_status]
        if self.callbacks == "reversed":
            statuses.reverse()
        for status in statuses:
            text.status = status
            await self._aside(self._tell_of_text(text, status, handset))

    async def _tell_of_text(self, text: Placed, status: str, handset: Handset) -> None:
        if not text.parameter("StatusCallback"):
            return
        fields = {"MessageSid": text.sid, "MessageStatus": status, "To": text.parameter("To")}
        if status == "undelivered":
            fields["ErrorCode"] = handset.error_code or "30003"
        for _ in range({"twice": 2, "dropped": 0}.get(self.callbacks, 1)):
            await self._call_back(text.parameter("StatusCallback"), fields)
