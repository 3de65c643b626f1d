"""A gateway that nothing outside can reach, and both vendors in real time, ten times as fast: it asks, and it knows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from agents.dial.approvals import approve
from agents.dial.carriers.protocol import Carrier, Dial
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from config.settings import read_settings
from rosters.numbers import mask
from streams.doors.asking import asking
from streams.ids import make_id
from streams.installation import Installation, open_installation, prepare
from streams.ledger.contract import FullStep
from streams.letters import CallNews
from streams.words import Channel
from tests.wire.asked_vendors import asked_settings_of, open_asked_vendors
from tests.wire.live_vendors import Nature
from tests.wire.twilio_house import SCRIPT

pytestmark = pytest.mark.anyio
NUMBER = "+8613900001119"
SPEED = 2.0


async def approve_number(installation: Installation) -> None:
    now, key = installation.clock.now(), installation.house.number_key
    await installation.ledger.run(lambda step: approve(step, NUMBER, mask(NUMBER), "test", now, key))
    await installation.approved.look()


async def place(installation: Installation, carrier: Carrier) -> str:
    """Place one call through a carrier, as DIAL would, and let the ledger know it; return the attempt's id."""
    now = installation.clock.now()
    dial = Dial(
        attempt_id=make_id("real", "attempt", carrier.name), channel=Channel.VOICE, number=NUMBER, script=SCRIPT,
        at=now, carrier=carrier.name,
    )  # fmt: skip
    attempt = Attempt(
        id=dial.attempt_id, realm="real", channel=Channel.VOICE, carrier=carrier.name, number_key="k",
        masked=mask(NUMBER), person_id="p", phone=0, callouts=(), rounds=(), severity=4, voice=SCRIPT.voice,
        prompt=SCRIPT.prompt, state=AttemptState.PLACED, owner="test", lease_until=now + timedelta(minutes=1),
        dialled_at=now, dial_no=1,
    )  # fmt: skip
    placed = await carrier.place(dial)
    row = attempt.model_copy(update={"vendor_id": placed.vendor_id})
    await installation.ledger.run(lambda step: step.save(ATTEMPTS, [row]))
    return dial.attempt_id


async def until_ended(installation: Installation, attempt_id: str) -> list[str]:
    """Wait until the end of a call is in the ledger; return what is known of it, in order."""

    def told(step: FullStep) -> list[CallNews]:
        far = installation.clock.now() + timedelta(days=1)
        letters = step.open_letters(far, far, resend_after_s=0, limit=1000)
        news = [item.message for item in letters if isinstance(item.message, CallNews)]
        return sorted((item for item in news if item.attempt_id == attempt_id), key=lambda item: item.seq)

    async with asyncio.timeout(120):
        news: list[CallNews] = []
        while not news or news[-1].progress != "ended":
            await asyncio.sleep(0.1)
            news = await installation.ledger.look(told)
    return [f"{item.progress} {item.key}".strip() for item in news]


@pytest.mark.parametrize("name", ["twilio", "aliyun"])
async def test_a_key_is_known_to_a_gateway_that_nobody_can_call(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with open_asked_vendors(Nature(speed=SPEED)) as (twilio, aliyun):
        for variable, value in asked_settings_of(twilio, aliyun, SPEED).items():
            monkeypatch.setenv(variable, value)
        settings = read_settings(data_dir=tmp_path)
        prepare(settings)
        installation = open_installation(settings)
        carrier = next(each for each in installation.house.carriers if each.name == name)
        await approve_number(installation)
        async with asking(installation.house, settings):
            attempt_id = await place(installation, carrier)
            await carrier.close()  # type: ignore[attr-defined]  # Real ones have connections.
            assert await until_ended(installation, attempt_id) == ["answered", "played", "key 1", "ended"]
        installation.ledger.close()
    assert [*twilio.unexpected, *aliyun.unexpected] == []
