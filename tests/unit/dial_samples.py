"""A ledger with callouts that want to be dialled, and carriers that say what a test tells them to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from agents.callout.state import CALLOUTS, Callout
from agents.dial.budget import Budget
from agents.dial.carriers.protocol import CarrierError, Dial, Placed
from agents.dial.claim import ClaimDesk
from agents.dial.dialler import Dialler
from agents.dial.state import ATTEMPTS, Attempt
from agents.facts import Facts
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from streams.clock import VirtualClock
from streams.ledger.contract import Where
from streams.ledger.memory import MemoryLedger
from streams.letters import Letter, Mode, Move
from streams.rooms import TROUBLES, Trouble
from streams.wiring import TABLES
from streams.words import Channel, Colour
from tests.small_county import small_county
from tests.unit.callout_samples import NOW, opened

NUMBER_KEY = b"the numbers of these tests"


class FakeCarrier:
    """A way to phones that keeps what it was asked and answers as it was told to."""

    def __init__(self, name: str = "fake", *, pace_per_s: float = 100.0, serves: str = "sim:") -> None:
        self.name, self.pace_per_s, self.texts_per_s, self.serves = name, pace_per_s, pace_per_s, serves
        self.placed: list[Dial] = []
        self.looked_up: list[Dial] = []
        self.hung_up: list[str] = []
        self.errors: list[Exception] = []
        self.hang_up_errors: list[CarrierError] = []
        self.look_up_errors: list[CarrierError] = []
        self.knows: dict[str, Placed] = {}
        self.while_placing: list[Any] = []

    def may_dial(self, number: str) -> bool:
        return number.startswith(self.serves)

    async def place(self, dial: Dial) -> Placed:
        self.placed.append(dial)
        for happen in self.while_placing:
            happen(dial)
        if self.errors:
            raise self.errors.pop(0)
        return Placed(vendor_id=f"v-{len(self.placed)}")

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        self.looked_up.append(dial)
        if self.look_up_errors:
            raise self.look_up_errors.pop(0)
        return self.knows.get(dial.attempt_id)

    async def hang_up(self, vendor_id: str) -> None:
        if self.hang_up_errors:
            raise self.hang_up_errors.pop(0)
        self.hung_up.append(vendor_id)


class Desk:
    """One worker's desk, on a ledger that several may share."""

    def __init__(
        self,
        *carriers: FakeCarrier,
        ledger: MemoryLedger | None = None,
        clock: VirtualClock | None = None,
        budget: Budget | None = None,
        owner: str = "desk",
        **county: Any,
    ) -> None:
        self.carriers: Sequence[FakeCarrier] = carriers or (FakeCarrier(),)
        self.ledger = ledger or MemoryLedger(TABLES)
        self.clock = clock or VirtualClock(NOW)
        facts = Facts(small_county(**county), load_rules())
        self.desk = ClaimDesk(facts, self.carriers, NUMBER_KEY, owner, budget or Budget())
        self.dialler = Dialler(self.ledger, self.desk, self.clock)

    @property
    def carrier(self) -> FakeCarrier:
        return self.carriers[0]

    def want(self, post: str, *, realm: str = "real", round_no: int = 1, mode: Mode = Mode.CALL, **more: Any) -> str:
        """Open a callout that wants a call now (or a message); return its id."""
        callout = opened(post, mode=mode)
        callout_id = f"{realm}|callout|{post}:{round_no}:{more.get('visit_id', '')}"
        colour = more.pop("colour", Colour.RED)
        changes = {
            "id": callout_id,
            "version": 0,
            "realm": realm,
            "round_id": f"{realm}|round|{round_no}",
            "text_at": callout.text_at if mode is Mode.MESSAGE else None,
            "colour": colour,
            "severity": colour.severity,
            "voice": f"说给{post}",
        }
        row = callout.model_copy(update=changes | more)
        self.ledger.step(lambda step: step.save(CALLOUTS, [row]))
        known = self.ledger.step(lambda step: step.load(ROUNDS, [row.round_id]))
        if not known:
            self.ledger.step(lambda step: step.save(ROUNDS, [_round(row)]))
        return callout_id

    def change_round(self, realm: str = "real", round_no: int = 1, **changes: Any) -> None:
        round_id = f"{realm}|round|{round_no}"
        row = self.ledger.step(lambda step: step.load(ROUNDS, [round_id]))[round_id]
        self.ledger.step(lambda step: step.save(ROUNDS, [row.model_copy(update=changes)]))

    def change(self, callout_id: str, **changes: Any) -> None:
        row = self.callout(callout_id).model_copy(update=changes)
        self.ledger.step(lambda step: step.save(CALLOUTS, [row]))

    def change_attempt(self, attempt_id: str, **changes: Any) -> None:
        row = self.attempt(attempt_id).model_copy(update=changes)
        self.ledger.step(lambda step: step.save(ATTEMPTS, [row]))

    def claim(self, channel: Channel = Channel.VOICE) -> list[Dial]:
        now = self.clock.now()
        return self.ledger.step(lambda step: self.desk.claim(step, channel, now, now))

    def run(self, what: str = "run_once") -> int:
        return asyncio.run(getattr(self.dialler, what)())

    def later(self, seconds: float) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def callout(self, callout_id: str) -> Callout:
        return self.ledger.step(lambda step: step.load(CALLOUTS, [callout_id]))[callout_id]

    def attempts(self) -> list[Attempt]:
        return self.ledger.step(lambda step: step.find(ATTEMPTS, order=("dialled_at",), limit=100_000))

    def attempt(self, attempt_id: str) -> Attempt:
        return self.ledger.step(lambda step: step.load(ATTEMPTS, [attempt_id]))[attempt_id]

    def troubles(self) -> list[Trouble]:
        return self.ledger.step(lambda step: step.find(TROUBLES, Where("closed_at", "is null")))

    def letters(self, kind: str) -> list[Letter]:
        now = self.clock.now() + timedelta(days=2)
        found = self.ledger.step(lambda step: step.open_letters(now, now, resend_after_s=1.0, limit=10_000))
        return [letter for letter in found if letter.message.kind == kind]


def _round(callout: Callout) -> Round:
    return Round(
        id=callout.round_id,
        realm=callout.realm,
        chain_id=callout.chain_id,
        cause_id="c",
        move=Move.OPENED,
        hazard=callout.hazard,
        colour=callout.colour,
        opened_at=NOW,
    )
