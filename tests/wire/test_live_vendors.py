"""The fake vendors as they run for the whole service: real time, chance, and a journal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.wire.fake_phones import Answer
from tests.wire.live_vendors import Journal, LiveTwilio, Nature, kind_of
from tests.wire.vendors import FAULTS, open_vendors, options_of, settings_of, shares


@contextmanager
def vendor(folder: Path, nature: Nature) -> Iterator[tuple[LiveTwilio, Path]]:
    """A Twilio that draws its own chances, and its journal."""
    path = folder / "journal.jsonl"
    journal = Journal(path)
    yield LiveTwilio(nature, journal), path
    journal.close()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_chances_are_drawn_from_the_seed_so_that_a_night_can_be_had_again(tmp_path: Path):
    def drawn(seed: int) -> list[str | None]:
        fake = LiveTwilio(Nature(faults={"429": 0.3, "500": 0.3}, seed=seed))
        faults = [fake._next_fault() for _ in range(50)]
        fake.close()
        return faults

    assert drawn(7) == drawn(7) != drawn(8)
    assert {"429", "500", None} == set(drawn(7))


def test_what_nobody_should_have_said_stands_in_the_journal(tmp_path: Path):
    with vendor(tmp_path, Nature()) as (fake, path):
        fake.unexpected.append("GET /secrets is no request that is known here")
        fake.close()
    assert [line["what"] for line in lines(path)] == ["unexpected"]


@pytest.mark.anyio
async def test_a_gateway_that_refuses_a_callback_is_unexpected(tmp_path: Path):
    with vendor(tmp_path, Nature()) as (fake, path):

        async def refuse(*_: object, **__: object) -> Answer:
            return Answer(403, "")

        fake._send_once = refuse  # type: ignore[method-assign]  # The wire itself.
        await fake._call_back("http://127.0.0.1:1/voice/x", {})
        fake.close()
    assert [line["said"] for line in lines(path)] == ["our gateway answered 403 to /voice/x"]


def test_a_fault_that_no_vendor_knows_is_told_when_it_is_typed():
    with pytest.raises(argparse.ArgumentTypeError, match="burns"):
        shares("burns=0.5", FAULTS)
    assert options_of(["--faults", "500 after=0.5,429=0.1"]).faults == {"500 after": 0.5, "429": 0.1}


def test_no_token_of_an_address_stands_in_the_journal():
    assert kind_of("http://h:1/voice/cmVhbHxh/asked?hearing=1#rc=5") == "voice/asked"
    assert kind_of("http://h:1/aliyun/secret/voice-call-report") == "aliyun/voice-call-report"


def test_the_printed_settings_lead_to_both_fakes():
    with open_vendors("http://127.0.0.1:1") as (twilio, aliyun):
        settings = settings_of(twilio, aliyun, "http://127.0.0.1:1", speed=2)
        assert (settings["JIAOYING_TWILIO_API_BASE"], settings["JIAOYING_ALIYUN_VOICE_API"]) == (twilio.url, aliyun.url)
        assert settings["JIAOYING_ALIYUN_CHARS_PER_S"] == "8"
