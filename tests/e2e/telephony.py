"""How an installation of the end-to-end tests comes to its telephones: the vendor's process, settings, approvals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.dial.approvals import approve
from config.settings import Settings
from rosters.numbers import mask
from streams.broker import listens
from streams.installation import number_key
from streams.ledger.contract import Ledger
from tests.e2e.county import Habits
from tests.e2e.waiting import HERE, wait_until

UP_WITHIN_S = 240


def settings_of(vendor_port: int, door_port: int, calls_per_s: float) -> dict[str, Any]:
    """Return the settings of an installation that dials through the vendor's process, in story time."""
    return {
        "rehearsal": False,
        "carrier": "twilio",
        "number_key": "only for these tests, nobody's numbers",
        "call_pace_per_s": calls_per_s,
        "twilio_calls_per_s": calls_per_s,
        "twilio_account_sid": "AC" + "1" * 32,
        "twilio_auth_token": "the-token",
        "twilio_from_number": "+15005550006",
        "twilio_public_url": f"http://{HERE}:{door_port}",
        "twilio_api_base": f"http://{HERE}:{vendor_port}",
    }


def vendor_command(settings: Settings, port: int, journal: Path, habits: Habits) -> list[str]:
    """Return the module and arguments of a vendor that shares the installation's clock; writes its habits down."""
    assert settings.wall_origin is not None
    assert settings.story_origin is not None
    kept = journal.with_suffix(".habits.json")
    kept.write_text(json.dumps(habits), encoding="utf-8")
    return [
        "tests.e2e.vendor",
        f"--port={port}",
        f"--journal={journal}",
        f"--habits={kept}",
        f"--speed={settings.speed}",
        f"--wall-origin={settings.wall_origin.isoformat()}",
        f"--story-origin={settings.story_origin.isoformat()}",
    ]


@contextmanager
def vendor_running(settings: Settings, port: int, journal: Path, habits: Habits) -> Iterator[None]:
    """Run a vendor as long as the block lasts."""
    with journal.with_suffix(".out").open("ab") as out:
        command = [sys.executable, "-m", *vendor_command(settings, port, journal, habits)]
        vendor = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_until(lambda: listens(HERE, port), UP_WITHIN_S, "the vendor's answer")
        yield
    finally:
        vendor.kill()
        vendor.wait()


def approve_all(ledger: Ledger, settings: Settings, habits: Habits) -> None:
    """Approve all numbers for real calls, as `jiaoying live approve` does."""
    key, now = number_key(settings), settings.clock().now()

    def write(step: Any) -> None:
        for number in habits:
            approve(step, number, mask(number), "a test", now, key)

    ledger.step(write)
