"""Both fake vendors on this machine, to run the whole service against: `python -m tests.wire.vendors`.

They listen on loopback only and print the settings under which the service uses them. A call takes the time it would
take (`--speed 10`: a tenth of it). The telephones of `--county` are the sample's simulated ones, with their habits;
what any other does follows from the last digit of its number: 0 is switched off, 1 does not answer, 2 hangs up early,
3 hears it without a key, 4 presses 0, 5 presses 2, and all others press 1. At the page named on
standard error any number can be taken into one's own hand.

    python -m tests.wire.vendors --gateway http://127.0.0.1:8010 --twilio-port 9001 --aliyun-port 9002 \\
        --faults '429=0.02,500=0.01,500 after=0.02,hang=0.005' --receipts 'late=0.1,twice=0.1,lost=0.02' \\
        --seed 7 --journal vendors.jsonl

The journal has a line of JSON for everything that was taken (`call`, `text`), each callback with what our gateway
answered (`webhook`), and what nobody should have said (`unexpected`). Ended by Ctrl-C or SIGTERM it prints its counts,
with status 1 if anything unexpected was said.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.wire.fake_aliyun import FakeAliyun
from tests.wire.fake_aliyun import Fault as AliyunFault
from tests.wire.fake_twilio import FakeTwilio, serving
from tests.wire.fake_twilio import Fault as TwilioFault
from tests.wire.hand_phones import HandAliyun, Hands, HandTwilio
from tests.wire.live_vendors import LATE_S, Journal, Nature
from tests.wire.sample_phones import SamplePhones
from tests.wire.vendor_county import write_county

SECRET = "receipts-of-the-fake-vendors-only"
RECEIPTS = ("late", "twice", "lost")
FAULTS = (*TwilioFault.__args__, *AliyunFault.__args__)  # type: ignore[attr-defined]  # Literals have them.


def settings_of(twilio: FakeTwilio, aliyun: FakeAliyun, gateway: str, speed: float = 1.0) -> dict[str, str]:
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
        "JIAOYING_ALIYUN_REPEAT_TEMPLATE": "TTS_1004",
        "JIAOYING_ALIYUN_SIGN_NAME": min(aliyun.sign_names),
        "JIAOYING_ALIYUN_TEXT_TEMPLATE": "SMS_2001",
        "JIAOYING_ALIYUN_TEXT_VARIABLES": "text1,text2,text3,text4,text5,text6",
        "JIAOYING_ALIYUN_RECEIPT_SECRET": SECRET,
        "JIAOYING_ALIYUN_CHARS_PER_S": f"{min(10.0, 4.0 * speed):g}",
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
def open_vendors(
    gateway: str,
    nature: Nature | None = None,
    journal: Journal | None = None,
    ports: tuple[int, int] = (0, 0),
) -> Iterator[tuple[HandTwilio, HandAliyun]]:
    """Serve both until the block ends; `gateway` is where our HTTP door listens, `ports` Twilio's and Aliyun's."""
    journal = journal or Journal()
    hands = Hands(nature.speed if nature else 1.0)
    twilio, aliyun = HandTwilio(hands, nature, journal), HandAliyun(hands, nature, journal)
    hands.write = aliyun.say_up
    aliyun.receipts_url = f"{gateway}/aliyun/{SECRET}"
    with serving(twilio.app, ports[0]) as twilio.url, serving(aliyun.app, ports[1]) as aliyun.url:
        yield twilio, aliyun
        for vendor in (twilio, aliyun):
            vendor.stop()
            vendor.close()


def shares(written: str, known: Sequence[str]) -> dict[str, float]:
    """Read `name=share,name=share`.

    Raises:
        argparse.ArgumentTypeError: A name is not known, or a share is none.
    """
    found: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in written.split(","))):
        name, _, share = part.rpartition("=")
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(sorted(set(known)))}")
        try:
            found[name] = float(share)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{share!r} is no share, as in {name}=0.02") from None
    return found


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", default="http://127.0.0.1:8010", help="where our HTTP door listens")
    parser.add_argument("--twilio-port", type=int, default=0, help="0 = a free one")
    parser.add_argument("--aliyun-port", type=int, default=0, help="0 = a free one")
    parser.add_argument("--county", type=Path, help="write the sample county there with numbers that they dial")
    parser.add_argument("--some-abroad", action="store_true", help="half of its numbers are such as Twilio alone dials")
    parser.add_argument("--phones-port", type=int, default=0, help="of the page of telephones; 0 = a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of a call in one real second")
    parser.add_argument("--faults", type=lambda written: shares(written, FAULTS), default={}, help="name=share,…")
    parser.add_argument("--receipts", type=lambda written: shares(written, RECEIPTS), default={}, help="name=share,…")
    parser.add_argument("--late-s", type=float, default=LATE_S, help="how late receipts may come")
    parser.add_argument("--seed", type=int, default=1, help="of all chances")
    parser.add_argument("--journal", type=Path, help="a file for what was taken, answered and unexpected")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    options = options_of(arguments)
    gateway = options.gateway.rstrip("/")
    assert urlsplit(gateway).hostname in ("127.0.0.1", "localhost"), "the fake vendors speak to this machine only"
    nature = Nature(options.speed, options.faults, options.receipts, options.late_s, options.seed)
    journal = Journal(options.journal)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with open_vendors(gateway, nature, journal, (options.twilio_port, options.aliyun_port)) as (twilio, aliyun):
        settings = settings_of(twilio, aliyun, gateway, options.speed)
        if options.county is not None:
            numbers, habits = write_county(options.county, some_abroad=options.some_abroad)
            twilio.phones = aliyun.phones = SamplePhones(habits)
            settings["JIAOYING_COUNTY_FOLDER"] = str(options.county.absolute())
            approving = f"jiaoying live approve {shlex.quote(str(numbers))} --by 试用"
            sys.stderr.write(f"批准这些号码 / approve its numbers, under the settings: {approving}\n")
        sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
        sys.stdout.flush()
        with serving(twilio.hands.app, options.phones_port) as page:
            sys.stderr.write(f"电话页面 / telephones to be held by hand: {page}/\n")
            over.wait()
    journal.close()
    sys.stderr.write(json.dumps(dict(sorted(journal.counts.items()))) + "\n")
    return 1 if twilio.unexpected or aliyun.unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
