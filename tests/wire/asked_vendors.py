"""Both fake vendors as a house behind a firewall has them: `python -m tests.wire.asked_vendors`.

They call nothing back and push nothing: Twilio conducts calls by our flow, Aliyun keeps receipts in queues, and the
gateway asks. It prints the settings for that; everything else is as with `tests.wire.vendors`, whose flags it takes.
"""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.wire.fake_queues import ACCOUNT
from tests.wire.fake_studio import FLOW
from tests.wire.fake_twilio import serving
from tests.wire.live_vendors import Journal, LiveQueues, LiveStudio, Nature
from tests.wire.vendors import options_of, settings_of


@contextmanager
def open_asked_vendors(
    nature: Nature | None = None, journal: Journal | None = None, ports: tuple[int, int] = (0, 0)
) -> Iterator[tuple[LiveStudio, LiveQueues]]:
    """Serve both until the block ends; `ports` are Twilio's and Aliyun's, 0 = a free one."""
    twilio, aliyun = LiveStudio(nature, journal), LiveQueues(nature, journal)
    with serving(twilio.app, ports[0]) as twilio.url, serving(aliyun.app, ports[1]) as aliyun.url:
        yield twilio, aliyun
        for vendor in (twilio, aliyun):
            vendor.stop()
            vendor.close()


def asked_settings_of(twilio: LiveStudio, aliyun: LiveQueues, speed: float = 1.0) -> dict[str, str]:
    """Return the settings of a house that nothing outside can reach."""
    told = settings_of(twilio, aliyun, "", speed)
    reached = {"JIAOYING_ALIYUN_RECEIPT_SECRET", "JIAOYING_TWILIO_PUBLIC_URL"}
    return {
        **{name: value for name, value in told.items() if name not in reached},
        "JIAOYING_TWILIO_FLOW_SID": FLOW,
        "JIAOYING_ALIYUN_QUEUE_ACCOUNT": ACCOUNT,
        "JIAOYING_ALIYUN_QUEUE_API": aliyun.url,
        "JIAOYING_ALIYUN_BASE_API": aliyun.url,
    }


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    options = options_of(arguments)
    journal = Journal(options.journal)
    nature = Nature(options.speed, options.faults, options.receipts, options.late_s, options.seed)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with open_asked_vendors(nature, journal, (options.twilio_port, options.aliyun_port)) as (twilio, aliyun):
        settings = asked_settings_of(twilio, aliyun, options.speed)
        sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
        sys.stdout.flush()
        over.wait()
    journal.close()
    return 1 if twilio.unexpected or aliyun.unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
