"""Both fake vendors on this machine, to run the whole service against: `python -m tests.wire.vendors`.

They listen on loopback only. A call takes the time it would take: its receipts come when it would be over. What a
telephone does follows from the last digit of its number: 0 is switched off, 1 does not answer, 2 hangs up early, 3
hears it without a key, 4 presses 0, 5 presses 2, and all others press 1.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from streams.clock import SystemClock
from tests.wire.fake_aliyun import FakeAliyun
from tests.wire.fake_mainland import Accepted
from tests.wire.fake_mainland import Handset as MainlandHandset
from tests.wire.fake_phones import Handset
from tests.wire.fake_twilio import FakeTwilio, serving

SECRET = "receipts-of-the-fake-vendors-only"
CALL_S = 45


class LiveTwilio(FakeTwilio):
    """Telephones with habits by their last digit, in real time."""

    def handset(self, number: str) -> Handset:
        return {
            "0": Handset(answers="failed", sip_code="480"),
            "1": Handset(answers="no-answer"),
            "2": Handset(hangs_up_at_s=4),
            "3": Handset(),
            "4": Handset(keys=["0"]),
            "5": Handset(keys=["2"]),
        }.get(number[-1:], Handset(keys=["1"]))


class LiveAliyun(FakeAliyun):
    """The same telephones."""

    def _handset(self, accepted: Accepted) -> MainlandHandset:
        return {
            "0": MainlandHandset(status="200010"),
            "1": MainlandHandset(status="200003"),
            "2": MainlandHandset(hangs_up_at_s=4),
            "3": MainlandHandset(),
            "4": MainlandHandset(key="0"),
            "5": MainlandHandset(key="2"),
        }.get(accepted.number[-1:], MainlandHandset(key="1"))


def settings_of(twilio: FakeTwilio, aliyun: FakeAliyun, gateway: str) -> dict[str, str]:
    """Return the settings under which the service uses both fakes, Aliyun first."""
    return {
        "JIAOYING_REHEARSAL": "false",
        "JIAOYING_CARRIER": "aliyun",
        "JIAOYING_CARRIER_FALLBACK": "twilio",
        "JIAOYING_NUMBER_KEY": "only-for-the-fake-vendors-0001",
        "JIAOYING_ALIYUN_ACCESS_KEY_ID": aliyun.key_id,
        "JIAOYING_ALIYUN_ACCESS_KEY_SECRET": aliyun.key_secret,
        "JIAOYING_ALIYUN_SHOW_NUMBER": min(aliyun.show_numbers),
        "JIAOYING_ALIYUN_IVR_TEMPLATE": "TTS_1001",
        "JIAOYING_ALIYUN_REPLY_TEMPLATE": "TTS_1002",
        "JIAOYING_ALIYUN_NOTICE_TEMPLATE": "TTS_1003",
        "JIAOYING_ALIYUN_SIGN_NAME": min(aliyun.sign_names),
        "JIAOYING_ALIYUN_TEXT_TEMPLATE": "SMS_2001",
        "JIAOYING_ALIYUN_TEXT_VARIABLES": "text1,text2,text3,text4,text5,text6",
        "JIAOYING_ALIYUN_RECEIPT_SECRET": SECRET,
        "JIAOYING_ALIYUN_VOICE_API": aliyun.url,
        "JIAOYING_ALIYUN_TEXT_API": aliyun.url,
        "JIAOYING_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "JIAOYING_TWILIO_AUTH_TOKEN": twilio.auth_token,
        "JIAOYING_TWILIO_FROM_NUMBER": twilio.numbers[0],
        "JIAOYING_TWILIO_PUBLIC_URL": gateway,
        "JIAOYING_TWILIO_API_BASE": twilio.url,
        "JIAOYING_TWILIO_CHINA_BASIS": "none is needed: the vendor is on this machine",
    }


@contextmanager
def open_vendors(gateway: str) -> Iterator[tuple[LiveTwilio, LiveAliyun]]:
    """Serve both until the block ends; `gateway` is where our HTTP door listens."""
    twilio, aliyun = LiveTwilio(), LiveAliyun()
    aliyun.receipts_url = f"{gateway}/aliyun/{SECRET}"
    with serving(twilio.app) as twilio.url, serving(aliyun.app) as aliyun.url:
        yield twilio, aliyun
    twilio.close()
    aliyun.close()


def play_due(vendor: FakeTwilio | FakeAliyun, clock: SystemClock) -> None:
    """Let happen what was accepted so long ago that it would be over by now, each at its own time."""
    vendor.play_accepted_before(clock.wall() - timedelta(seconds=CALL_S))
    vendor.now = clock.wall()


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", default="http://127.0.0.1:8010", help="where our HTTP door listens")
    gateway = parser.parse_args().gateway.rstrip("/")
    assert urlsplit(gateway).hostname in ("127.0.0.1", "localhost"), "the fake vendors speak to this machine only"
    clock = SystemClock()
    with open_vendors(gateway) as (twilio, aliyun):
        exports = [
            f"export {name}={shlex.quote(value)}" for name, value in settings_of(twilio, aliyun, gateway).items()
        ]
        sys.stdout.write("\n".join(exports) + "\n")
        sys.stdout.flush()
        try:
            while True:
                for vendor in (twilio, aliyun):
                    play_due(vendor, clock)
                time.sleep(0.2)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
