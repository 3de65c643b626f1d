"""Whoever calls our number hears the last message meant for theirs, and can confirm it: over HTTP, into the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from agents.callout.state import Callout, CalloutState
from agents.dial.state import Attempt, AttemptState
from config.settings import Settings
from streams.doors.http.hearing import hearing_router
from streams.letters import Mode
from streams.replay.runner import Runner
from streams.wiring import build
from streams.words import Colour, Outcome
from tests.unit.dial_samples import Desk, FakeCarrier
from tests.wire.fake_phones import Handset, Placed
from tests.wire.fake_twilio import FakeTwilio
from tests.wire.twilio_house import Wires

NUMBER, DEPUTY, STRANGER = "+15005551201", "+15005551202", "+15005559999"
NUMBER_KEY = "the numbers of these tests"
POSTS = {"v201-head": NUMBER, "v201-head-b": DEPUTY, "v202-head": NUMBER, "v202-safety": NUMBER}
NOTHING = "现在没有给这个号码的叫应"


class Telling(FakeTwilio):
    """A Twilio whose calls take time on the county's clock too."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    async def _spend(self, call: Placed, handset: Handset, seconds: float) -> None:
        self.desk.later(seconds)
        await super()._spend(call, handset, seconds)


class Line:
    """A county whose people have real numbers, a vendor that takes every call, and our number."""

    def __init__(self, wires: Wires, folder: Path) -> None:
        self.carrier = FakeCarrier("twilio", serves="+")
        self.desk = Desk(self.carrier, numbers=POSTS)
        self.fake = Telling(self.desk)
        self.url = wires.ours.url
        self.registry = CollectorRegistry()
        house = build(
            ledger=self.desk.ledger,
            clock=self.desk.clock,
            facts=self.desk.desk.facts,
            carriers=[self.carrier],
            number_key=NUMBER_KEY.encode(),
            owner="gateway",
        )
        settings = Settings(
            data_dir=folder,
            carrier="twilio",
            number_key=SecretStr(NUMBER_KEY),
            twilio_account_sid=self.fake.account_sid,
            twilio_auth_token=SecretStr(self.fake.auth_token),
            twilio_from_number=self.fake.numbers[0],
            twilio_public_url=self.url,
        )
        gateway = FastAPI()
        gateway.include_router(hearing_router(house, settings, self.registry))
        wires.ours.app = gateway
        self.runner = Runner(house, self.desk.clock)

    def calls_in(self, number: str = NUMBER, *keys: str, told: bool = True, **handset: float) -> Placed:
        """Somebody calls us and presses keys; the account tells us of the end, or not. What follows, happens."""
        self.fake.handsets[number] = Handset(keys=list(keys), **handset)
        status_url = f"{self.url}/calls/inbound/status" if told else ""
        call = self.fake.call_in(f"{self.url}/voice/inbound", number, status_url)
        self.runner.settle()
        return call

    def ring_out(self) -> None:
        """Let our own call under way end without an answer."""
        for attempt in self.desk.attempts():
            if attempt.state is not AttemptState.ENDED:
                self.desk.change_attempt(attempt.id, state=AttemptState.ENDED, outcome=Outcome.NO_ANSWER)
                for callout_id in attempt.callouts:
                    at = self.desk.clock.now() + timedelta(seconds=100)
                    self.desk.change(callout_id, attempt_id="", call_at=at)

    def inbound(self) -> list[Attempt]:
        return [item for item in self.desk.attempts() if item.direction == "inbound"]

    def callout(self, callout_id: str) -> Callout:
        return self.desk.callout(callout_id)

    def strangers(self) -> float | None:
        return self.registry.get_sample_value("jiaoying_strangers_called_total")


@pytest.fixture
def line(wires: Wires, tmp_path: Path) -> Iterator[Line]:
    line = Line(wires, tmp_path)
    yield line
    line.fake.close()


@pytest.fixture
def missed(line: Line) -> str:
    """A callout whose first call nobody answered; it is to be rung again in 100 s."""
    callout_id = line.desk.want("v201-head", voice="暴雨红色预警，涉及上湾村。")
    line.desk.run()
    line.ring_out()
    return callout_id


def test_who_calls_back_hears_the_message_to_the_end_and_confirms_with_a_key(line: Line, missed: str):
    call = line.calls_in(NUMBER, "1")

    assert call.spoken[0] == "暴雨红色预警，涉及上湾村。"
    assert call.spoken[-1] == "已记录：本人听到。再见。"
    assert line.callout(missed).state is CalloutState.CONFIRMED


def test_the_receipt_is_proved_by_an_inbound_call_in_the_ledger(line: Line, missed: str):
    line.calls_in(NUMBER, "1")

    (attempt,) = line.inbound()
    receipt = line.callout(missed).receipt
    assert receipt is not None
    assert (receipt.attempt_id, receipt.person_id) == (attempt.id, "v201-head")
    assert receipt.played_at is not None
    ended = line.desk.ledger.step(lambda step: step.entries(attempt.id))[-1]
    assert ended.facts["direction"] == "inbound"
    assert "called_back" in [entry.what for entry in line.desk.ledger.step(lambda step: step.entries(missed))]


def test_a_key_pressed_before_the_end_is_no_receipt(line: Line, missed: str):
    line.calls_in(NUMBER, "1", hangs_up_at_s=1.0)

    assert line.callout(missed).state is CalloutState.CALLING
    assert [item.outcome for item in line.inbound()] == [Outcome.HUNG_UP_EARLY]


def test_while_somebody_calls_back_the_number_is_not_rung(line: Line, missed: str):
    line.calls_in(NUMBER, told=False)
    line.desk.later(150)

    assert line.desk.claim() == []


def test_who_calls_back_and_hangs_up_is_rung_again_in_time(line: Line, missed: str):
    line.calls_in(NUMBER, hangs_up_at_s=1.0)
    line.desk.later(101)

    assert [dial.number for dial in line.desk.claim()] == [NUMBER]


def test_key_0_goes_to_the_next_person_at_once(line: Line, missed: str):
    line.calls_in(NUMBER, "0")

    assert line.callout(missed).target_role == "deputy"


def test_key_2_keeps_it_open_for_the_one_who_is_fetched(line: Line, missed: str):
    line.calls_in(NUMBER, "2")

    assert line.callout(missed).state is CalloutState.FETCHING


def test_hearing_it_again_and_a_wrong_key_are_as_in_a_call_of_ours(line: Line, missed: str):
    call = line.calls_in(NUMBER, "3", "7", "1")

    assert call.spoken.count("暴雨红色预警，涉及上湾村。") == 2
    assert line.callout(missed).state is CalloutState.CONFIRMED


def test_all_that_is_open_for_the_number_is_one_call_worst_first_and_one_key_confirms_what_was_spoken(line: Line):
    yellow = line.desk.want("v202-head", voice="黄。", colour=Colour.YELLOW)
    red = line.desk.want("v201-head", voice="红。", colour=Colour.RED)
    call = line.calls_in(NUMBER, "1")

    assert call.spoken[0] == "红。另有：黄。"
    assert {line.callout(each).state for each in (red, yellow)} == {CalloutState.CONFIRMED}


def test_the_deputy_who_calls_before_being_rung_hears_it_too(line: Line, missed: str):
    line.calls_in(DEPUTY, "1")

    receipt = line.callout(missed).receipt
    assert receipt is not None
    assert receipt.person_id == "v201-head-b"


def test_what_nobody_answered_is_still_confirmed_by_a_call_back_after_the_ladder_ended(line: Line, missed: str):
    line.desk.change(missed, state=CalloutState.UNREACHED, call_at=None, due_at=None)
    line.calls_in(NUMBER, "1")

    assert line.callout(missed).state is CalloutState.CONFIRMED


def test_who_was_only_told_by_message_hears_that_message(line: Line):
    callout_id = line.desk.want("v201-head", mode=Mode.MESSAGE, voice="", text="更正：此前系误发。")
    line.desk.run()
    line.desk.change(callout_id, state=CalloutState.TOLD, text_at=None)
    call = line.calls_in(NUMBER, "1")

    assert call.spoken[0] == "更正：此前系误发。"
    assert line.callout(callout_id).state is CalloutState.TOLD


def test_a_stopped_round_is_not_spoken(line: Line, missed: str):
    line.desk.change_round(stopped_at=line.desk.clock.now(), stop_why="cancelled")

    assert NOTHING in line.calls_in(NUMBER).spoken[0]


def test_the_real_thing_is_spoken_and_not_the_drill_beside_it(line: Line):
    line.desk.want("v201-head", realm="drill:x", voice="练。")
    real = line.desk.want("v202-head", voice="真。")
    call = line.calls_in(NUMBER, "1")

    assert call.spoken[0] == "真。"
    assert line.callout(real).state is CalloutState.CONFIRMED


def test_what_was_meant_a_day_ago_is_not_spoken(line: Line, missed: str):
    line.desk.change(missed, state=CalloutState.CONFIRMED, call_at=None, due_at=None)
    line.desk.later(25 * 3600)

    assert NOTHING in line.calls_in(NUMBER).spoken[0]


def test_a_stranger_hears_a_polite_sentence_and_only_a_count_is_kept(line: Line, missed: str):
    before = line.desk.ledger.heads()
    call = line.calls_in(STRANGER)

    assert NOTHING in call.spoken[0]
    assert line.inbound() == []
    assert line.desk.ledger.heads() == before
    assert line.strangers() == 1


def test_the_same_call_told_twice_is_one_attempt(line: Line, missed: str):
    for _ in range(2):
        fields = {"CallSid": "CA" + "d" * 32, "From": NUMBER, "To": line.fake.numbers[0], "CallStatus": "ringing"}
        assert line.fake.post(f"{line.url}/voice/inbound", fields).status_code == 200

    assert len(line.inbound()) == 1


def test_a_call_back_of_whose_end_nobody_tells_is_looked_up(line: Line, missed: str):
    line.calls_in(NUMBER, told=False, hangs_up_at_s=1.0)
    line.desk.later(95)
    line.desk.run("recover")

    assert [dial.number for dial in line.carrier.looked_up] == [NUMBER]


def test_a_call_back_uses_up_nothing_of_what_the_number_may_be_rung(line: Line, missed: str):
    for nth in range(6):
        fields = {"CallSid": f"CA{nth:032x}", "From": NUMBER, "To": line.fake.numbers[0]}
        line.fake.post(f"{line.url}/voice/inbound", fields | {"CallStatus": "ringing"})
        line.fake.post(f"{line.url}/calls/inbound/status", fields | {"CallStatus": "completed"})
        line.runner.settle()
    line.desk.later(101)

    assert [dial.number for dial in line.desk.claim()] == [NUMBER]


@pytest.mark.parametrize("path", ["/voice/inbound", "/calls/inbound/status"])
def test_an_unsigned_call_is_refused_and_leaves_nothing(line: Line, missed: str, path: str):
    fields = {"CallSid": "CA" + "d" * 32, "From": NUMBER, "CallStatus": "ringing"}
    answer = httpx.post(line.url + path, data=fields, trust_env=False, verify=False)

    assert (answer.status_code, line.inbound()) == (403, [])


def test_no_number_stands_in_the_addresses_of_a_call_back_nor_in_the_ledger(line: Line, missed: str):
    line.calls_in(NUMBER, "1")

    assert not any(NUMBER[3:] in path for path, _ in line.fake.webhooks)
    (attempt,) = line.inbound()
    assert NUMBER[3:] not in attempt.model_dump_json()
