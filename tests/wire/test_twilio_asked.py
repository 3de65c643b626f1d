"""Twilio without any callback: calls follow a flow, and everything is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from agents.dial.carriers.protocol import RefusedByVendorError, VendorBusyError, VendorDownError
from agents.dial.carriers.studio import StudioCarrier
from agents.dial.carriers.studio_flow import definition
from agents.dial.carriers.twilio import TwilioAccount
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from streams.clock import VirtualClock
from streams.doors.polling import Poller
from streams.ledger.memory import MemoryLedger
from streams.letters import CallNews, TextReplied
from streams.wiring import TABLES
from streams.words import Channel, Outcome
from tests.wire.fake_phones import Handset
from tests.wire.fake_studio import FLOW, FakeStudio
from tests.wire.twilio_house import MESSAGE, NUMBER, NUMBER_KEY, SCRIPT, House, Wires

pytestmark = pytest.mark.anyio


class Asking(House):
    """A house behind a firewall: what it knows it asked for."""

    fake: FakeStudio
    ledger: MemoryLedger
    clock: VirtualClock

    def polled(self) -> StudioCarrier:
        account = TwilioAccount.model_validate(
            {
                "account_sid": self.fake.account_sid,
                "auth_token": self.fake.auth_token,
                "from_number": self.fake.numbers[0],
                "flow_sid": FLOW,
                "api_base": self.fake.url,
                "china_basis": "the numbers of these tests are nobody's",
            }
        )
        return StudioCarrier(account, approved=lambda _: True)

    def poller(self, carrier: StudioCarrier) -> Poller:
        return Poller(carrier, self.ledger, self.hear, self.clock, NUMBER_KEY)

    def know(self, vendor_id: str, channel: Channel = Channel.VOICE) -> None:
        """Let the ledger know an attempt that the vendor took."""
        dial = self.dial(channel=channel)
        row = Attempt(
            id=dial.attempt_id, realm="real", channel=channel, carrier="twilio", number_key="k", masked="m",
            person_id="p", phone=0, callouts=(), rounds=(), severity=4, voice=MESSAGE, prompt=SCRIPT.prompt,
            text=SCRIPT.text, state=AttemptState.PLACED, owner="test", lease_until=dial.at, dialled_at=dial.at,
            dial_no=1, vendor_id=vendor_id,
        )  # fmt: skip
        self.ledger.step(lambda step: step.save(ATTEMPTS, [row]))


@pytest.fixture
def asking(wires: Wires) -> Iterator[Asking]:
    fake = FakeStudio(definition())
    fake.url, wires.theirs.app = wires.theirs.url, fake.app
    house = Asking(fake)
    house.ledger, house.clock = MemoryLedger(TABLES), VirtualClock(fake.now)
    yield house
    fake.close()
    assert fake.unexpected == []


@pytest.fixture
async def carrier(asking: Asking):
    made = asking.polled()
    yield made
    await made.close()


async def call(asking: Asking, carrier: StudioCarrier, handset: Handset) -> list[tuple[str, str, str]]:
    """Call somebody, let it happen, ask; return what was heard."""
    asking.fake.handsets[NUMBER] = handset
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    asking.fake.play()
    await asking.poller(carrier).ask_once()
    return asking.told()


@pytest.mark.parametrize("key", ["1", "2", "0"])
async def test_a_key_after_the_whole_message_is_known_without_any_callback(
    asking: Asking, carrier: StudioCarrier, key: str
):
    told = await call(asking, carrier, Handset(keys=[key]))
    assert told == [("answered", "", ""), ("played", "", ""), ("key", key, ""), ("ended", "", "")]
    assert asking.fake.webhooks == []


async def test_what_was_recorded_is_read_back(asking: Asking, carrier: StudioCarrier):
    await call(asking, carrier, Handset(keys=["0"]))
    (execution,) = asking.fake.executions.values()
    assert execution.spoken == [MESSAGE, SCRIPT.prompt, "已记录：不能到岗。再见。"]


async def test_hanging_up_during_the_message_is_never_played(asking: Asking, carrier: StudioCarrier):
    assert await call(asking, carrier, Handset(hangs_up_at_s=3, keys=["1"])) == [
        ("answered", "", ""),
        ("ended", "", ""),
    ]


async def test_no_key_is_asked_for_three_times_and_ends_without_one(asking: Asking, carrier: StudioCarrier):
    told = await call(asking, carrier, Handset())
    assert [progress for progress, _, _ in told] == ["answered", "played", "ended"]
    (execution,) = asking.fake.executions.values()
    assert execution.spoken == [MESSAGE, *[SCRIPT.prompt] * 3, "没有收到您的按键。再见。"]


async def test_a_wrong_key_is_named_as_one_and_asked_for_again(asking: Asking, carrier: StudioCarrier):
    told = await call(asking, carrier, Handset(keys=["7", "1"]))
    assert [key for _, key, _ in told if key] == ["1"]
    (execution,) = asking.fake.executions.values()
    assert "按键无效。" in execution.spoken


async def test_key_three_speaks_the_message_again_three_times_at_the_most(asking: Asking, carrier: StudioCarrier):
    told = await call(asking, carrier, Handset(keys=["3", "3", "3", "1"]))
    assert [progress for progress, _, _ in told].count("played") == 3
    assert [key for _, key, _ in told if key] == ["3", "3", "1"]


@pytest.mark.parametrize(
    ("handset", "outcome"),
    [
        (Handset(answers="busy"), Outcome.BUSY),
        (Handset(answers="no-answer"), Outcome.NO_ANSWER),
        (Handset(answers="failed"), Outcome.VENDOR_FAILED),
        (Handset(answers="machine"), Outcome.VOICEMAIL),
    ],
)
async def test_a_call_that_nobody_answered_ends_with_the_network_s_word(
    asking: Asking, carrier: StudioCarrier, handset: Handset, outcome: Outcome
):
    told = await call(asking, carrier, handset)
    assert told[-1] == ("ended", "", outcome)


async def test_a_call_under_way_tells_what_is_known_and_its_end_later(asking: Asking, carrier: StudioCarrier):
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    poller = asking.poller(carrier)
    assert await poller.ask_once() == 0
    asking.fake.handsets[NUMBER] = Handset(keys=["1"])
    asking.fake.play()
    assert await poller.ask_once() == 4


async def test_asked_again_nothing_is_told_twice(asking: Asking, carrier: StudioCarrier):
    asking.fake.handsets[NUMBER] = Handset(keys=["1"])
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    asking.fake.play()
    poller = asking.poller(carrier)
    assert [await poller.ask_once(), await poller.ask_once()] == [4, 0]


async def test_a_second_gateway_tells_the_same_news_with_the_same_seq(asking: Asking, carrier: StudioCarrier):
    await call(asking, carrier, Handset(keys=["1"]))
    once = {(news.attempt_id, news.seq) for news in asking.heard if isinstance(news, CallNews)}
    await asking.poller(carrier).ask_once()
    assert {(news.attempt_id, news.seq) for news in asking.heard if isinstance(news, CallNews)} == once


async def test_news_that_could_not_be_kept_are_asked_for_again(asking: Asking, carrier: StudioCarrier):
    asking.fake.handsets[NUMBER] = Handset(keys=["1"])
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    asking.fake.play()
    asking.away = 1
    poller = asking.poller(carrier)
    with pytest.raises(RuntimeError):
        await poller.ask_once()
    assert await poller.ask_once() == 4


@pytest.mark.parametrize("fault", ["429", "500", "not json"])
async def test_a_vendor_that_does_not_answer_is_asked_again(asking: Asking, carrier: StudioCarrier, fault: str):
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    asking.fake.play()
    asking.fake.faults.append(fault)  # type: ignore[arg-type]
    poller = asking.poller(carrier)
    assert [await poller.ask_once() > 0, await poller.ask_once() > 0] == [False, True]


async def test_a_call_whose_answer_was_lost_is_found_by_number_and_time(asking: Asking, carrier: StudioCarrier):
    asking.fake.faults.append("500 after")
    dial = asking.dial()
    with pytest.raises(VendorDownError):
        await carrier.place(dial)
    found = await carrier.look_up(dial)
    assert found is not None
    assert found.vendor_id == "FN" + f"{1:032x}"


async def test_an_earlier_call_to_the_same_number_is_not_taken_for_this_one(asking: Asking, carrier: StudioCarrier):
    await carrier.place(asking.dial())
    asking.fake.play()
    asking.fake.now += timedelta(minutes=2)
    assert await carrier.look_up(asking.dial(cause="2")) is None


async def test_a_second_call_to_a_number_that_is_being_called_is_told_as_what_it_is(
    asking: Asking, carrier: StudioCarrier
):
    await carrier.place(asking.dial())
    with pytest.raises((VendorBusyError, RefusedByVendorError)) as refused:
        await carrier.place(asking.dial(cause="2"))
    assert isinstance(refused.value, VendorBusyError)


async def test_a_call_can_be_hung_up_before_it_is_answered(asking: Asking, carrier: StudioCarrier):
    placed = await carrier.place(asking.dial())
    asking.know(placed.vendor_id)
    await carrier.hang_up(placed.vendor_id)
    asking.fake.play()
    await asking.poller(carrier).ask_once()
    assert asking.told() == [("ended", "", "")]
    assert asking.fake.executions[placed.vendor_id].spoken == []


async def test_the_delivery_of_a_text_is_asked_for(asking: Asking, carrier: StudioCarrier):
    placed = await carrier.place(asking.dial(channel=Channel.TEXT))
    asking.know(placed.vendor_id, Channel.TEXT)
    assert asking.fake.texts[placed.vendor_id].parameter("StatusCallback") == ""
    asking.fake.texts[placed.vendor_id].status = "delivered"
    await asking.poller(carrier).ask_once()
    assert asking.told() == [("delivered", "", "text_delivered")]


async def test_a_reply_is_found_with_a_digest_and_a_masked_number_only(asking: Asking, carrier: StudioCarrier):
    asking.fake.receive("+15005550123", "收到 1234")
    poller = asking.poller(carrier)
    assert [await poller.ask_once(), await poller.ask_once()] == [1, 0]
    (reply,) = asking.heard
    assert isinstance(reply, TextReplied)
    assert (reply.text, reply.realm) == ("收到 1234", "real")
    assert "5550123" not in reply.model_dump_json()


async def test_a_reply_listed_late_is_still_found(asking: Asking, carrier: StudioCarrier):
    poller = asking.poller(carrier)
    asking.fake.receive("+15005550123", "收到 1234")
    await poller.ask_once()
    asking.fake.now -= timedelta(seconds=60)
    asking.fake.receive("+15005550124", "收到 5678")
    assert await poller.ask_once() == 1


def test_the_flow_is_told_in_the_language_that_is_spoken():
    flow = json.dumps(definition("en-US"))
    assert "Polly.Joanna" in flow
    assert "Polly.Zhiyu" not in flow
