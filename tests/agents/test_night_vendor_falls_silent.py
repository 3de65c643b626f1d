"""A vendor takes a call and falls silent: the other one rings, and what the first one tells too late still counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agents.callout.state import CalloutState
from agents.dial.budget import Budget
from agents.dial.carriers.protocol import Dial, Placed, VendorDownError
from agents.dial.carriers.simulated import Habit, ring
from agents.dial.state import Attempt, AttemptState
from agents.facts import Facts
from streams.doors.http.hearing import Hearing
from streams.letters import CallNews
from streams.replay.night import NUMBER_KEY
from streams.replay.runner import Runner
from streams.wiring import build
from streams.words import Channel, Outcome

HEAD, NUMBER = "v201-head", "sim:v201-head"
OVER_AFTER = timedelta(seconds=150)
UNLIMITED = Budget(per_hour=1000, per_day=1000, reserve_per_hour=0, reserve_per_day=0)
LOOK_S = 2


class Silent:
    """A vendor that gives no answer any more, whatever it is asked, though it rings the phones it was given."""

    name, pace_per_s, texts_per_s = "silent", 100.0, 0.0

    def __init__(self, *, says_that_it_took_it: bool) -> None:
        self._says_so = says_that_it_took_it
        self.rang: list[Dial] = []

    def may_dial(self, number: str) -> bool:
        return number.startswith("sim:")

    async def place(self, dial: Dial) -> Placed:
        self.rang.append(dial)
        if self._says_so and dial.number == NUMBER:
            return Placed(vendor_id="silent-1")
        raise VendorDownError("no answer")

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        raise VendorDownError("no answer")

    async def hang_up(self, vendor_id: str) -> None:
        raise VendorDownError("no answer")


class Sound:
    """A vendor at whose calls everybody answers and confirms, but for one telephone that rings on."""

    name, pace_per_s, texts_per_s = "sound", 100.0, 0.0

    def __init__(self) -> None:
        self.rang: list[Dial] = []
        self.hung_up: list[str] = []

    def may_dial(self, number: str) -> bool:
        return number.startswith("sim:")

    async def place(self, dial: Dial) -> Placed:
        self.rang.append(dial)
        told = () if dial.number == NUMBER else ring(Habit(), dial, 0)
        return Placed(vendor_id=f"sound-{len(self.rang)}", to_come=told)

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        return None

    async def hang_up(self, vendor_id: str) -> None:
        self.hung_up.append(vendor_id)


class TwoVendors:
    """A night of the small county with both of them, the silent one first."""

    def __init__(self, night, silent: Silent) -> None:
        self.silent, self.sound, self.night = silent, Sound(), night
        night.house = build(
            ledger=night.ledger,
            clock=night.clock,
            facts=Facts(night.county, night.rules),
            carriers=[silent, self.sound],
            number_key=NUMBER_KEY,
            owner="night",
            budget=UNLIMITED,
        )
        night.runner = Runner(night.house, night.clock)

    def pass_(self, seconds: float) -> None:
        """Let time pass, looking for what was lost as often as a worker does."""
        for _ in range(0, int(seconds), LOOK_S):
            self.night.advance(seconds=LOOK_S)

    def calls(self) -> list[Attempt]:
        """Return the calls to the telephone that rings on, in the order in which they began."""
        return sorted(self.night.phone(NUMBER).calls, key=lambda each: each.dialled_at)

    def until_the_second_rings(self) -> tuple[Attempt, Attempt]:
        while len(self.calls()) < 2 or self.calls()[1].state is not AttemptState.PLACED:
            assert self.night.now < self.night.started_at + timedelta(minutes=10), "the other vendor never rang"
            self.pass_(LOOK_S)
        first, second = self.calls()
        return first, second

    def tells_late(self, attempt: Attempt) -> None:
        """Let the callbacks of a call come in at the door of the gateway, minutes after they happened."""
        at, hearing = attempt.dialled_at, Hearing(self.night.house, "real")
        for seq, progress, after_s in (
            (1000, "answered", 8),
            (2000, "played", 30),
            (3000, "key", 33),
            (4000, "ended", 36),
        ):
            news = CallNews.model_validate(
                {
                    "attempt_id": attempt.id,
                    "seq": seq,
                    "progress": progress,
                    "key": "1" if progress == "key" else "",
                    "heard_s": 22.0,
                    "at": at + timedelta(seconds=after_s),
                }
            )
            asyncio.run(hearing.hear(news))
            self.pass_(LOOK_S)


@pytest.fixture(params=[True, False], ids=["took it", "never said so"])
def vendors(make_night, request) -> TwoVendors:
    vendors = TwoVendors(make_night(), Silent(says_that_it_took_it=request.param))
    vendors.night.warning()
    return vendors


def test_the_call_is_given_up_once_it_must_be_over_and_the_other_vendor_rings(vendors: TwoVendors):
    first, second = vendors.until_the_second_rings()
    assert (first.carrier, second.carrier) == ("silent", "sound")
    assert first.outcome in (Outcome.VENDOR_FAILED, Outcome.NO_NEWS)
    assert first.ended_at - first.dialled_at >= OVER_AFTER
    assert second.dialled_at >= first.ended_at


def test_the_key_that_is_told_late_is_the_receipt_and_the_second_call_is_hung_up(vendors: TwoVendors):
    first, second = vendors.until_the_second_rings()
    vendors.tells_late(first)
    callout = vendors.night.post(HEAD)
    assert callout.state is CalloutState.CONFIRMED
    assert callout.receipt.attempt_id == first.id
    assert vendors.sound.hung_up == [second.vendor_id]
    assert vendors.calls()[1].outcome is Outcome.STOPPED


def test_no_third_call_is_placed(vendors: TwoVendors):
    first, _ = vendors.until_the_second_rings()
    vendors.tells_late(first)
    vendors.pass_(1800)
    assert len(vendors.calls()) == 2
    rung = [dial for vendor in (vendors.silent, vendors.sound) for dial in vendor.rang if dial.number == NUMBER]
    assert [dial.carrier for dial in rung if dial.carrier == "sound"] == ["sound"]


def test_the_ledger_tells_the_silence_and_then_the_key(vendors: TwoVendors):
    first, _ = vendors.until_the_second_rings()
    vendors.tells_late(first)
    entries = vendors.night.ledger.step(lambda step: step.entries(first.id))
    ends = [(entry.why, entry.facts["outcome"]) for entry in entries if entry.what == "attempt_ended"]
    assert ends[0] in (("ended", "vendor_failed"), ("ended", "no_news"))
    assert ends[-1] == ("corrected", "confirmed")
    assert first.channel is Channel.VOICE
