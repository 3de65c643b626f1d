"""The language that a past night is told in, for tests, replay and the command line.

    night = Night(county=county, rules=rules, habits={}, start="2021-07-19 21:59")
    night.warning(colour="red", hazard="rainstorm", townships=["溪口镇"])
    night.advance(minutes=5)
    night.phone("v100200-head").expects_call()

Everything goes in through the real doors and is seen in the ledger; a night never looks inside a room, and never
decides anything. Its phones are simulated ones only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from agents.dial.budget import Budget
from agents.dial.carriers.simulated import Habit, SimulatedCarrier
from agents.dial.state import ATTEMPTS, Attempt
from agents.facts import Facts
from agents.intake.state import CHAINS, ChainState
from config.rules import RuleBook
from rosters.county import County
from streams import topics
from streams.clock import VirtualClock
from streams.doors import orders
from streams.doors.readings import read_readings
from streams.doors.warnings import read_warning
from streams.ids import make_id
from streams.ledger.contract import Where
from streams.ledger.memory import MemoryLedger
from streams.letters import HandResult, Letter, OrderKind, Received, write_letter
from streams.replay.cap_writer import Document, write_cap
from streams.replay.duty_verbs import DutyVerbs
from streams.replay.phones import SimPhone
from streams.replay.runner import Runner
from streams.replay.seen import Seen, fingerprint
from streams.replay.times import read_local
from streams.wiring import TABLES, build
from streams.words import Colour, MsgType, Status

__all__ = ["Night", "fingerprint"]

NUMBER_KEY = b"the numbers of a simulated night"


class Night(DutyVerbs, Seen):
    """A county, its rules and its telephones, from a time on.

    Args:
        county: Who is called.
        rules: By which rules.
        start: Aware, or county time as `2021-07-19 21:59`.
        habits: What the phones do, by number; one that is not listed answers and presses 1.
        realm: `real`, `drill:<id>` or `check:<id>`; nothing real is dialled in any of them.
        seed: Another seed gives other seconds of ringing and thinking.
        calls_per_s: Pace of the simulated network; 5 a second is what a county buys for little money.
        budget: What one number may be rung.
    """

    def __init__(  # noqa: PLR0913 - what a night is made of
        self,
        *,
        county: County,
        rules: RuleBook,
        start: datetime | str,
        habits: Mapping[str, Habit] | None = None,
        realm: str = "real",
        seed: str = "",
        calls_per_s: float = 5.0,
        budget: Budget | None = None,
    ) -> None:
        self.county, self.rules, self.realm = county, rules, realm
        self.clock = VirtualClock(read_local(start, county.zone))
        self.started_at = self.clock.now()
        self.ledger = MemoryLedger(TABLES)
        self.habits: dict[str, Habit] = dict(habits or {})
        self.issuer = f"{county.name}气象台"
        carrier = SimulatedCarrier(
            self.habits, number_key=NUMBER_KEY, seed=seed, pace_per_s=calls_per_s, texts_per_s=calls_per_s * 10
        )
        self.house = build(
            ledger=self.ledger,
            clock=self.clock,
            facts=Facts(county, rules),
            carriers=[carrier],
            number_key=NUMBER_KEY,
            owner="night",
            budget=budget,
        )
        self.runner = Runner(self.house, self.clock)
        self.identifiers: list[str] = []
        self._mark_at = self.now
        self._marked: frozenset[str] = frozenset()

    # Time

    def at(self, when: datetime | str) -> Self:
        """Let everything happen until `when`: aware, `22:30` (of the next day where that has passed), or with a date.

        Raises:
            ValueError: A time with a date that has passed, or that cannot be read.
        """
        moment = read_local(when, self.county.zone, after=self.now)
        if moment < self.now:
            raise ValueError(f"it is {self.local} already; a night does not go back to {when}")
        self.runner.run_until(moment)
        return self

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Self:
        """Let so much time pass."""
        self.runner.run_until(self.now + timedelta(hours=hours, minutes=minutes, seconds=seconds))
        return self

    # What comes in

    def warning(  # noqa: PLR0913 - the fields of a warning
        self,
        *,
        colour: str | None = "red",
        hazard: str | None = "rainstorm",
        text: str = "",
        townships: Sequence[str] = (),
        kind: str = "Alert",
        references: Sequence[str] | None = None,
        identifier: str = "",
        geocodes: Sequence[str] | None = None,
        sent: datetime | str | None = None,
        expires: datetime | str | None = None,
        continued: bool = False,
        status: str = "Actual",
        issuer: str = "",
    ) -> Self:
        """Send a warning document in, now.

        Args:
            colour: blue, yellow, orange, red; None for one that tells none.
            hazard: A key of config/hazards.yaml; None for one that tells none.
            text: The description; by default one that says the warning and names the townships.
            townships: Names of townships and villages to be named in the text.
            kind: Alert, Update or Cancel.
            references: Identifiers; by default an Update or Cancel refers to the first document sent.
            identifier: By default the sender's code and the time.
            geocodes: By default the county's own.
            sent: When the issuer sent it; by default now.
            expires: By default left empty, as the platform does.
            continued: 继续发布.
            status: Actual, Exercise, Test, Draft or System.
            issuer: By default the county's met station.
        """
        msg_type = MsgType(kind)
        if references is None:
            references = self.identifiers[:1] if msg_type is not MsgType.ALERT else ()
        known = {item.key: item for item in self.rules.hazards}
        sent_at = read_local(sent, self.county.zone, after=None) if sent else self.now
        document = Document(
            identifier=identifier or self._identifier(sent_at),
            issuer=issuer or self.issuer,
            sent=sent_at,
            kind=msg_type,
            hazard=known[hazard] if hazard else None,
            colour=Colour(colour) if colour else None,
            text="",
            geocodes=tuple(geocodes) if geocodes is not None else (self.county.code,),
            area_names=(self.county.name,) if geocodes is None else (),
            references=tuple(references),
            expires_at=read_local(expires, self.county.zone, after=self.now) if expires else None,
            status=Status(status),
            continued=continued,
        )
        missing = [name for name in townships if name not in text]
        said = (text or document.headline) + (f"，涉及{'、'.join(missing)}" if missing else "") + "。"
        return self.send(write_cap(document.model_copy(update={"text": said})))

    def cancel(self, *, text: str = "", hazard: str | None = "rainstorm", colour: str = "red", **more: Any) -> Self:
        """Send the issuer's Cancel of the first document in; arguments as of `warning`."""
        return self.warning(kind="Cancel", colour=colour, hazard=hazard, text=text, **more)

    def send(self, content: bytes, media_type: str = "application/cap+xml") -> Self:
        """Send a document in as it is.

        Raises:
            RefusedError: The door does not take it.
        """
        warnings = read_warning(content, media_type, self.rules.hazards, realm=self.realm, received_at=self.now)
        raw_id = make_id(self.realm, "raw", hashlib.sha256(content).hexdigest())
        letters = []
        for warning in warnings:
            self.identifiers.append(warning.identifier)
            message = Received(warning=warning, raw_id=raw_id, source="replay", received_at=self.now)
            key = make_id(self.realm, "chainhint", warning.sender, warning.hazard or "")
            # A document that is sent twice comes in twice: INTAKE has to know it, not the night.
            cause = f"{warning.id}:{len(self.identifiers)}"
            letters.append(write_letter(topics.WARNINGS_RAW, key, message, self.now, cause=cause))
        self.ledger.step(lambda step: step.keep_raw(raw_id, content, at=self.now, door="replay", media_type=media_type))
        return self.put(*letters)

    def order(
        self,
        *,
        villages: Sequence[str],
        hazard: str = "rainstorm",
        text: str = "请立即转移",
        colour: str = "red",
        by: str = "值班员",
        on_word_of: str = "县防指值班领导",
    ) -> Self:
        """Let a person order a call for places by name or code."""
        request = orders.CallRequest(
            villages=tuple(villages), hazard=hazard, colour=Colour(colour), text=text, by=by, on_word_of=on_word_of
        )
        return self.put(
            orders.call_order(request, self.county, self.rules.hazards, realm=self.realm, ordered_at=self.now)
        )

    def pause(self, *, seconds: int = 300, by: str = "值班员", hazard: str = "") -> Self:
        """Let a person pause the open chain, of a hazard where several are."""
        return self._chain_order(OrderKind.PAUSE, hazard, by=by, pause_s=seconds)

    def resume(self, *, by: str = "值班员", hazard: str = "") -> Self:
        """Let a person resume it before its time."""
        return self._chain_order(OrderKind.RESUME, hazard, by=by)

    def correct(self, *, text: str = "测试信息误发", by: str = "值班员", hazard: str = "") -> Self:
        """Let a person say that the call was a mistake (误发更正)."""
        return self._chain_order(OrderKind.CORRECT, hazard, by=by, text=text)

    def call_off(self, *, text: str = "", by: str = "值班员", hazard: str = "") -> Self:
        """Let a person cancel the open chain."""
        return self._chain_order(OrderKind.CANCEL, hazard, by=by, text=text)

    def reading(self, station: str, value: float, *, quantity: str = "rain_mm") -> Self:
        """Send one reading of now in."""
        return self.readings([(station, quantity, self.now, value)])

    def rain(self, station: str, mm: float) -> Self:
        """Send in what fell at a gauge since its last reading."""
        return self.reading(station, mm)

    def level(self, station: str, metres: float) -> Self:
        """Send a river level in."""
        return self.reading(station, metres, quantity="level_m")

    def readings(self, rows: Sequence[tuple[str, str, datetime, float]]) -> Self:
        """Send a list of (station, quantity, time, value) in through the door of readings."""
        items = [
            {"station": station, "quantity": quantity, "at": at.isoformat(), "value": value}
            for station, quantity, at, value in rows
        ]
        delivery = read_readings(
            json.dumps(items).encode(),
            "application/json",
            self.county.stations,
            received_at=self.now,
            realm=self.realm,
        )
        return self.put(
            *(
                write_letter(
                    topics.READINGS,
                    make_id(self.realm, "station", page.station),
                    page,
                    self.now,
                    cause=":".join(f"{item.at.isoformat()}={item.value}" for item in page.readings),
                )
                for page in delivery.pages
            )
        )

    def vouch(
        self,
        post_id: str,
        *,
        by: str = "值班员",
        heard_by: str = "本人",
        how: str = "电话核实",
        at_the_door: bool = False,
    ) -> Self:
        """Let an operator say that a post heard it (代确认)."""
        request = orders.VouchRequest(by=by, heard_by=heard_by, how=how, at_the_door=at_the_door)
        return self.put(orders.vouch(request, self.post(post_id).id, ordered_at=self.now))

    def knocked(self, post_id: str, *, by: str = "网格员", heard_by: str = "本人", how: str = "上门叫醒") -> Self:
        """Let somebody who was at the door say that a post heard it."""
        return self.vouch(post_id, by=by, heard_by=heard_by, how=how, at_the_door=True)

    def called_by_hand(
        self, post_id: str, result: str = "spoken", *, by: str = "值班员", spoken_to: str = "本人", note: str = ""
    ) -> Self:
        """Let a person write down what came of the latest call for a post that people were asked to make (我来打)."""
        asked = self.post(post_id).hand_ids
        if not asked:
            raise LookupError(f"nobody was asked to call {post_id} by hand by {self.local}")
        request = orders.LogRequest(by=by, result=HandResult(result), spoken_to=spoken_to, note=note)
        return self.put(orders.log_call(request, asked[-1], ordered_at=self.now))

    def put(self, *letters: Letter) -> Self:
        """Put letters in as a door does, and let happen what happens at once."""
        self._mark_at = self.now
        self._marked = frozenset(item.id for item in self.find(ATTEMPTS, Where("dialled_at", "=", self.now)))
        self.ledger.step(lambda step: step.write(letters))
        self.runner.run_until(self.now)
        return self

    # Telephones

    def phone(self, whose: str) -> SimPhone:
        """Return a phone: by its number, `sim:…`, or the first one of whoever holds a post now.

        Raises:
            LookupError: The post is unknown, or nobody with a phone holds it.
        """
        if whose.startswith("sim:"):
            return SimPhone(self, whose)
        held = self.roster.who(whose, self.now)
        if held is None or not held.person.phones:
            raise LookupError(f"nobody with a phone holds {whose} at {self.local}")
        return SimPhone(self, held.person.phones[0].number)

    def is_news(self, attempt: Attempt) -> bool:
        """Tell whether an attempt was dialled after the last thing that came in."""
        return attempt.dialled_at >= self._mark_at and attempt.id not in self._marked

    # Inside

    def _identifier(self, sent: datetime) -> str:
        stamp = f"{sent.astimezone(self.county.zone):%Y%m%d%H%M%S}"
        name = f"{self.county.code[:6]}41600000_{stamp}"
        # Two documents of one second are told apart as the newer standard does it.
        return name if name not in self.identifiers else f"{name}_{len(self.identifiers)}"

    def _chain_order(self, kind: OrderKind, hazard: str, *, by: str, text: str = "", pause_s: int = 300) -> Self:
        wanted = [Where("hazard", "=", hazard)] if hazard else []
        chains = self.find(CHAINS, Where("state", "in", (ChainState.OPEN, ChainState.GATED)), *wanted)
        if not chains:
            raise LookupError(f"there is no open chain at {self.local} to {kind}")
        chain = max(chains, key=lambda item: (item.opened_at, item.id))
        request = orders.ChainRequest(order=kind, by=by, text=text, pause_s=pause_s)
        return self.put(orders.chain_order(request, chain.id, ordered_at=self.now))
