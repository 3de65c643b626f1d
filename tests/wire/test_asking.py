"""Who is asked, and that the gateway asks while it runs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from fastapi import FastAPI

from agents.dial.carriers.studio_flow import definition
from config.settings import Settings
from streams.doors.asking import askers, asking
from streams.doors.fetching import Fetcher
from streams.doors.http.hearing import hearing_router
from streams.installation import open_installation, prepare
from tests.unit.test_carrier_settings import ALIYUN, KEY, TWILIO
from tests.wire.fake_studio import FakeStudio
from tests.wire.twilio_house import Wires

FLOW = "FW" + "0" * 32
QUEUES = {name: value for name, value in ALIYUN.items() if name != "aliyun_receipt_secret"} | {
    "aliyun_queue_account": "1234567890"
}
ASKED = {name: value for name, value in TWILIO.items() if name != "twilio_public_url"} | {"twilio_flow_sid": FLOW}


def asked(tmp_path: Path, **given: object) -> list[str]:
    """Return who is asked in an installation with these settings."""
    settings = Settings(data_dir=tmp_path, **KEY, **given)
    prepare(settings)
    installation = open_installation(settings)
    installation.ledger.close()
    owners = [ask.__self__ for ask in askers(installation.house, settings)]
    return [owner.mailbox.kind if isinstance(owner, Fetcher) else owner.carrier.name for owner in owners]


def was_asked(fake: FakeStudio) -> None:
    """Wait for the first request."""
    while not fake.requests:
        time.sleep(0.01)


def doors(tmp_path: Path, **given: object) -> set[str]:
    settings = Settings(data_dir=tmp_path, **KEY, **given)
    prepare(settings)
    installation = open_installation(settings)
    app = FastAPI()
    app.include_router(hearing_router(installation.house, settings))
    installation.ledger.close()
    return {path.split("/")[1] for path in app.openapi()["paths"]}


def test_nobody_is_asked_where_the_vendors_can_reach_us(tmp_path: Path):
    both = {"carrier": "aliyun", "carrier_fallback": "twilio", "rehearsal": False}
    assert asked(tmp_path, **both, **ALIYUN, **TWILIO) == []


def test_twilio_is_asked_where_its_calls_follow_a_flow(tmp_path: Path):
    assert asked(tmp_path, carrier="twilio", rehearsal=False, **ASKED) == ["twilio"]


def test_each_queue_of_aliyun_is_emptied_where_it_has_one(tmp_path: Path):
    found = asked(tmp_path, carrier="aliyun", rehearsal=False, **QUEUES)
    assert found == ["VoiceCallReport", "VoiceReport", "SmsReport", "SmsUp"]


def test_in_rehearsal_nobody_is_asked(tmp_path: Path):
    assert asked(tmp_path, carrier="aliyun", carrier_fallback="twilio", **QUEUES, **ASKED) == []


def test_who_is_asked_has_no_door_here(tmp_path: Path):
    given = {"carrier": "aliyun", "carrier_fallback": "twilio", "rehearsal": False}
    assert doors(tmp_path, **given, **QUEUES, **ASKED) == set()
    assert doors(tmp_path, **given, **ALIYUN, **TWILIO) == {"aliyun", "voice", "calls", "texts"}


@pytest.mark.anyio
async def test_asking_begins_with_the_gateway_and_ends_with_it(tmp_path: Path, wires: Wires):
    fake = FakeStudio(definition())
    wires.theirs.app = fake.app
    given = {"carrier": "twilio", "rehearsal": False, "twilio_api_base": wires.theirs.url, **ASKED}
    settings = Settings(data_dir=tmp_path, **KEY, **given)
    prepare(settings)
    installation = open_installation(settings)
    async with asyncio.timeout(30), asking(installation.house, settings):
        await asyncio.to_thread(was_asked, fake)
    assert [task for task in asyncio.all_tasks() if "keep_asking" in repr(task)] == []
    installation.ledger.close()
    fake.close()
