"""The load run: everybody of a county is called by Twilio's fake, up to three times, while the worker is killed twice.

    python -m tests.wire.load_twilio                                     506 people, 5 calls/s (勉县's roster, 2024)
    python -m tests.wire.load_twilio --people 10000 --per-s 100 --kill-at 60,240 --minutes 20 --postgres

In real time and with processes of their own: a worker that is killed with SIGKILL and started again, our gateway, an
embedded Kafka, and the vendor; the ledger is a file, or a PostgreSQL of its own. It tells how far it is every ten
seconds, then how fast the vendor was called, whether any number was rung too often or too soon, and how long the
gateway took to answer; it ends with status 1 where something was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agents.callout.state import CALLOUTS
from streams.broker import EmbeddedBroker, free_port, listens
from streams.kafka import set_up_topics
from streams.ledger.contract import Ledger
from streams.ledger.migrate import migrate
from streams.wiring import TABLES
from tests.contract.throwaway_postgres import running_postgres
from tests.wire.fake_twilio import serving
from tests.wire.live_vendors import Journal, LiveTwilio, Nature
from tests.wire.load_county import handsets, open_callouts, open_house
from tests.wire.load_crew import READY
from tests.wire.load_figures import Run, read_journal, report

RESTART_S = 2.0
TELL_S = 10.0
OPEN = ("calling", "heard_no_key", "fetching")


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=506)
    parser.add_argument("--per-s", type=float, default=5.0, help="calls per second that the account may make")
    parser.add_argument("--minutes", type=float, default=8.0, help="when to stop at the latest")
    parser.add_argument("--kill-at", default="20,150", help="seconds at which the worker is killed, comma-separated")
    parser.add_argument("--fault", action="append", default=[], help="'500 after=0.01': what befalls requests")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL of its own instead of a file")
    parser.add_argument("--ledger-url", default="", help="another ledger than a file, empty")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run it."""
    options = options_of(arguments)
    # Begun in the background of a shell it hears no Ctrl-C: whatever ends it, its processes end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="jiaoying-load-"))
        options.folder = folder
        if options.postgres:
            options.ledger_url = stack.enter_context(running_postgres())
        broker = EmbeddedBroker(free_port(), Path(folder) / "broker.log")
        stack.callback(broker.stop)
        options.ledger_url = options.ledger_url or f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
        return run(options, broker)


def run(options: argparse.Namespace, broker: EmbeddedBroker) -> int:
    """Call everybody, and say how it went."""
    folder = Path(options.folder)
    migrate(options.ledger_url, TABLES)
    house = open_house(options.ledger_url, options.people, options.per_s, "load")
    journal = Journal(folder / "vendor.jsonl")
    faults = {name: float(share) for name, _, share in (each.rpartition("=") for each in options.fault)}
    fake = LiveTwilio(Nature(faults=faults), journal)
    fake.handsets = handsets(options.people)
    broker.start()
    options.kafka, options.ours = f"127.0.0.1:{broker.port}", f"http://127.0.0.1:{free_port()}"
    set_up_topics((options.kafka,))
    with serving(fake.app) as options.theirs, processes(options) as kills:
        open_callouts(house, options.people)
        told = Run(options.people, options.per_s, datetime.now(UTC), kills)
        threading.Thread(target=kill_at_times, args=(options, kills, told.began_at), daemon=True).start()
        watch(house.ledger, fake, told, options.minutes * 60)
        fake.stop()
    told.cpu_s = {**SPENT, "vendor": time.process_time()}
    fake.close()
    journal.close()
    told.load_average = os.getloadavg()[1]
    lines, broken = report(told, read_journal(folder / "vendor.jsonl", told.began_at), house.ledger)
    house.ledger.close()
    say("\n".join([*lines, *(f"BROKEN: {text}" for text in broken), *(last_words(folder) if broken else ())]))
    return 1 if broken else 0


def last_words(folder: Path, lines_max: int = 20) -> Iterator[str]:
    """Yield the end of what the processes logged: where something is broken it is wanted, and the folder goes."""
    for role in ("gateway", "worker"):
        said = (folder / f"{role}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        yield from (f"{role}: {line[:300]}" for line in said[-lines_max:])


_WORKERS: list[subprocess.Popen[bytes]] = []
SPENT: dict[str, float] = {}


def begin(options: argparse.Namespace, role: str) -> subprocess.Popen[bytes]:
    """Start a process of this run."""
    given = {
        "--be": role, "--folder": options.folder, "--ledger-url": options.ledger_url, "--people": options.people,
        "--per-s": options.per_s, "--ours": options.ours, "--theirs": options.theirs, "--kafka": options.kafka,
    }  # fmt: skip
    words = [str(word) for pair in given.items() for word in pair]
    with (Path(options.folder) / f"{role}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "tests.wire.load_crew", *words], stdout=log, stderr=log)


@contextlib.contextmanager
def processes(options: argparse.Namespace) -> Iterator[list[float]]:
    """Run gateway and worker until the block ends; yields the list of times at which the worker is killed."""
    gateway = begin(options, "gateway")
    _WORKERS.append(begin(options, "worker"))
    try:
        while not (Path(options.folder) / READY).exists() or not listens("127.0.0.1", port_of(options.ours)):
            time.sleep(0.2)
        # What it took to start is no part of the load.
        for process, role in ((gateway, "gateway"), (_WORKERS[-1], "workers")):
            spend(process, role, sign=-1)
        yield []
    finally:
        spend(gateway, "gateway")
        spend(_WORKERS[-1], "workers")
        for process in (gateway, *_WORKERS):
            process.kill()
            process.wait()


def spend(process: subprocess.Popen[bytes], role: str, *, sign: int = 1) -> None:
    """Add (take away) what a process has used of the processors until now: other load does not change that."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        SPENT[role] = SPENT.get(role, 0.0) + sign * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_at_times(options: argparse.Namespace, kills: list[float], began_at: datetime) -> None:
    """Kill the worker at its times, and start it again."""
    never = threading.Event()
    for at_s in map(float, filter(None, options.kill_at.split(","))):
        never.wait(max(0.0, at_s - (datetime.now(UTC) - began_at).total_seconds()))
        spend(_WORKERS[-1], "workers")
        _WORKERS[-1].kill()
        _WORKERS[-1].wait()
        kills.append((datetime.now(UTC) - began_at).total_seconds())
        say(f"{kills[-1]:6.0f} s  worker killed")
        never.wait(RESTART_S)
        _WORKERS.append(begin(options, "worker"))


def port_of(url: str) -> int:
    """Return the port of an address."""
    return int(url.rpartition(":")[2])


def watch(ledger: Ledger, fake: LiveTwilio, told: Run, at_most_s: float) -> None:
    """Tell how far it is until everything has ended."""
    before = 0
    while told.took_s < at_most_s:
        time.sleep(TELL_S)
        told.took_s = (datetime.now(UTC) - told.began_at).total_seconds()
        rows = ledger.step(lambda step: step.count(CALLOUTS, ("state",)))
        left = sum(count for (state,), count in rows.items() if state in OPEN)
        calls, webhooks = fake.journal.counts["twilio call"], fake.journal.counts["twilio webhook"]
        rate = (webhooks - before) / TELL_S
        say(f"{told.took_s:6.0f} s  {calls} calls, {webhooks} webhooks ({rate:.0f}/s), {left} open")
        before = webhooks
        if left == 0:
            return


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
