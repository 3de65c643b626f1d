"""The telephone network behind the fake Twilio: what was accepted happens here, in virtual seconds.

It fetches TwiML, speaks it, presses keys, hangs up, and sends status callbacks, signed as the real one signs them.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal
from urllib.parse import parse_qsl, urldefrag
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator

CHARS_PER_S = 4.3
FINAL = ("completed", "busy", "no-answer", "failed", "canceled")


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
    spoken: list[str] = field(default_factory=list)

    def parameter(self, name: str) -> str:
        return self.asked.get(name, [""])[0]


class HungUpError(Exception):
    """The telephone was put down."""


class Network:
    """Telephones, and the callbacks that tell of them.

    `signs_with` is the token that signs; `callbacks` how status callbacks arrive; `webhooks` what our gateway answered.
    """

    account_sid = "AC" + "1" * 32

    def __init__(self, auth_token: str, numbers: tuple[str, ...]) -> None:
        self.signs_with = auth_token
        self.numbers = numbers
        self.handsets: dict[str, Handset] = {}
        self.callbacks: Literal["once", "twice", "reversed", "dropped"] = "once"
        self.now = datetime(2026, 7, 19, 22, 0, tzinfo=UTC)
        self.webhooks: list[tuple[str, int]] = []
        self._unplayed: deque[Placed] = deque()
        self._client = httpx.Client(timeout=10, trust_env=False, verify=False)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def play(self) -> None:
        """Let everything that was accepted happen, to its end."""
        while self._unplayed:
            placed = self._unplayed.popleft()
            if placed.sid.startswith("CA"):
                self._play_call(placed)
            else:
                self._play_text(placed)

    def play_accepted_before(self, at: datetime) -> None:
        """Let happen what was accepted before a time, each from when it was accepted on."""
        while self._unplayed and self._unplayed[0].created_at <= at:
            placed = self._unplayed.popleft()
            self.now = placed.created_at
            (self._play_call if placed.sid.startswith("CA") else self._play_text)(placed)

    def write(self, url: str, number: str, body: str) -> int:
        """Somebody at `number` writes to us; return what our gateway answered."""
        fields = {"MessageSid": "SM" + "f" * 32, "From": number, "To": self.numbers[0], "Body": body}
        return self.post(url, fields).status_code

    def call_in(self, url: str, number: str, status_url: str = "", sid: str = "CA" + "e" * 32) -> Placed:
        """Somebody at `number` calls us and does with the call what their handset does; return what became of it.

        `url` and `status_url` are what our number is set to ask when it is rung, and when the call ended.
        """
        asked = {"To": [self.numbers[0]], "From": [number], "Url": [url], "Direction": ["inbound"]}
        call = Placed(sid, asked, self.now, status="ringing")
        handset = self.handset(number)
        with suppress(HungUpError):
            self._follow(call, handset)
        call.status = "completed"
        if status_url:
            self.post(
                status_url, self._about(call) | {"CallStatus": "completed", "CallDuration": str(int(call.talk_s))}
            )
        return call

    def post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        """Send one signed request as Twilio would, asking again after a 5xx as often as the address allows."""
        bare, overrides = urldefrag(url)
        allowed = dict(parse_qsl(overrides))
        tries = 1 + (int(allowed.get("rc", "1")) if allowed.get("rp") in ("all", "5xx") else 0)
        fields = {"AccountSid": self.account_sid, **fields}
        signature = RequestValidator(self.signs_with).compute_signature(bare, fields)
        for _ in range(tries):
            response = self._client.post(bare, data=fields, headers={"X-Twilio-Signature": signature})
            self.webhooks.append((httpx.URL(bare).path, response.status_code))
            if response.status_code < 500:
                break
        return response

    def handset(self, number: str) -> Handset:
        return self.handsets.get(number, Handset())

    def _play_call(self, call: Placed) -> None:
        handset = self.handset(call.parameter("To"))
        events: list[tuple[str, dict[str, str]]] = []
        if call.status == "canceled":
            events.append(("completed", {"CallStatus": "canceled"}))
            self._send_events(call, events)
            return
        self._happen(call, events, "initiated", {"CallStatus": "initiated"})
        if handset.answers == "failed":
            self._end(call, events, "failed", handset)
            return
        call.status = "ringing"
        self._happen(call, events, "ringing", {"CallStatus": "ringing"})
        self.now += timedelta(seconds=handset.ring_s)
        if handset.answers in ("busy", "no-answer"):
            self._end(call, events, handset.answers, handset)
            return
        call.status = "in-progress"
        if call.parameter("MachineDetection"):
            call.answered_by = "machine_start" if handset.answers == "machine" else "human"
        self._happen(call, events, "answered", {"CallStatus": "in-progress"})
        with suppress(HungUpError):
            self._follow(call, handset)
        self._end(call, events, "completed", handset)

    def _end(self, call: Placed, events: list[tuple[str, dict[str, str]]], status: str, handset: Handset) -> None:
        call.status = status
        fields = {"CallStatus": status, "CallDuration": str(int(call.talk_s))}
        fields |= {"SipResponseCode": handset.sip_code} if handset.sip_code else {}
        fields |= {"ErrorCode": handset.error_code} if handset.error_code else {}
        fields |= {"AnsweredBy": call.answered_by} if call.answered_by else {}
        self._happen(call, events, "completed", fields)
        if self.callbacks == "reversed":
            self._send_events(call, list(reversed(events)))

    def _happen(
        self, call: Placed, events: list[tuple[str, dict[str, str]]], event: str, fields: dict[str, str]
    ) -> None:
        """Send the status callback of an event, or keep it where callbacks come in the wrong order."""
        events.append((event, {**fields, "SequenceNumber": str(len(events))}))
        if self.callbacks != "reversed":
            self._send_events(call, events[-1:])

    def _send_events(self, call: Placed, events: list[tuple[str, dict[str, str]]]) -> None:
        for event, fields in events:
            if event not in call.asked.get("StatusCallbackEvent", ["completed"]) or self.callbacks == "dropped":
                continue
            for _ in range(2 if self.callbacks == "twice" else 1):
                self.post(call.parameter("StatusCallback"), self._about(call) | fields)

    def _about(self, call: Placed) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "From": call.parameter("From"),
            "To": call.parameter("To"),
            "Direction": call.parameter("Direction") or "outbound-api",
            "Timestamp": format_datetime(self.now),
        }

    def _follow(self, call: Placed, handset: Handset) -> None:
        """Fetch documents and do what they say until one ends the call."""
        url, fields = call.parameter("Url"), {"AnsweredBy": call.answered_by} if call.answered_by else {}
        for _ in range(50):
            answer = self.post(url, self._about(call) | {"CallStatus": "in-progress"} | fields)
            if answer.status_code != 200:
                call.spoken.append("an application error has occurred")
                return
            step = self._obey(call, handset, ElementTree.fromstring(answer.text))
            if step is None:
                return
            url, fields = step
        raise AssertionError("the documents lead in a circle")

    def _obey(self, call: Placed, handset: Handset, document: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
        for verb in document:
            if verb.tag == "Say":
                self._speak(call, handset, verb)
            elif verb.tag == "Pause":
                self._spend(call, handset, float(verb.get("length", "1")))
            elif verb.tag == "Gather":
                for inner in verb:
                    self._speak(call, handset, inner)
                key = handset.keys.pop(0) if handset.keys else ""
                self._spend(call, handset, 1.0 if key else float(verb.get("timeout", "5")))
                if key or verb.get("actionOnEmptyResult") == "true":
                    return verb.attrib["action"], {"Digits": key}
            elif verb.tag == "Redirect":
                return str(verb.text), {}
            elif verb.tag == "Hangup":
                return None
            else:
                raise AssertionError(f"the fake knows no <{verb.tag}>")
        return None

    def _speak(self, call: Placed, handset: Handset, say: ElementTree.Element) -> None:
        words = str(say.text)
        self._spend(call, handset, len(words) / CHARS_PER_S)
        call.spoken.append(words)

    def _spend(self, call: Placed, handset: Handset, seconds: float) -> None:
        """Let virtual seconds go by; the telephone may be put down in them, or the call ended from our side."""
        leaves_at_s = handset.hangs_up_at_s
        if leaves_at_s is not None and call.talk_s + seconds >= leaves_at_s:
            call.talk_s = leaves_at_s
            raise HungUpError
        if call.status == "completed":
            raise HungUpError
        call.talk_s += seconds
        self.now += timedelta(seconds=seconds)

    def _play_text(self, text: Placed) -> None:
        handset = self.handset(text.parameter("To"))
        statuses = ["sent"] if handset.text_status == "sent" else ["sent", handset.text_status]
        if self.callbacks == "reversed":
            statuses.reverse()
        for status in statuses:
            text.status = status
            fields = {"MessageSid": text.sid, "MessageStatus": status, "To": text.parameter("To")}
            if status == "undelivered":
                fields["ErrorCode"] = handset.error_code or "30003"
            for _ in range({"twice": 2, "dropped": 0}.get(self.callbacks, 1)):
                self.post(text.parameter("StatusCallback"), fields)
