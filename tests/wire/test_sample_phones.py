"""The simulated telephones at the vendors: the same habits whichever vendor rings, and however often."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agents.dial.carriers.simulated import Habit, Kind
from tests.wire.fake_mainland import Accepted
from tests.wire.fake_phones import Answer
from tests.wire.live_vendors import LiveAliyun, Nature
from tests.wire.sample_phones import SamplePhones

NUMBER = "+8612000000001"


@pytest.mark.parametrize("kind", list(Kind))
def test_every_habit_means_something_to_either_vendor(kind: Kind):
    phones = SamplePhones({NUMBER: Habit(kind=kind)})
    assert phones.at_twilio(NUMBER) is not None
    assert phones.at_aliyun(NUMBER.removeprefix("+86")) is not None


def test_a_number_that_is_none_of_the_county_s_is_left_to_its_last_digit():
    assert SamplePhones({NUMBER: Habit()}).at_twilio("+15000000007") is None


def test_who_sleeps_through_two_calls_answers_the_third_whichever_vendor_makes_it():
    phones = SamplePhones({NUMBER: Habit(kind=Kind.SLEEPS, after=2)})
    statuses = []
    for ringing in (NUMBER, NUMBER.removeprefix("+86"), NUMBER):
        phones.rings(ringing)
        handset = phones.at_aliyun(ringing)
        assert handset is not None
        statuses.append(handset.status or f"key {handset.key}")
    assert statuses == ["200003", "200003", "key 1"]


@pytest.mark.anyio
async def test_whoever_answers_texts_writes_back_over_the_wire():
    sent: list[Any] = []
    fake = LiveAliyun(Nature(speed=4000.0))
    fake.phones = SamplePhones({NUMBER: Habit(kind=Kind.REPLIES_BY_SMS)})

    async def carry(url: str, _: object, **body: Any) -> Answer:
        sent.extend((url.rpartition("/")[2], each.get("content")) for each in body["json"])
        return Answer(200, '{"code": 0}')

    fake._send_once = carry  # type: ignore[method-assign]  # The wire itself.
    fake._take(Accepted("1^0", {"PhoneNumbers": NUMBER.removeprefix("+86")}, fake.now), fake.texts)
    await asyncio.gather(*fake._tasks)
    fake.close()
    assert ("sms-up", "收到") in sent
    assert fake.unexpected == []
