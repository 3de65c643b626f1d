"""The load run: 506 people × up to 3 calls within 5 minutes, 5 calls/s, on the fake Twilio, the worker killed twice.

    python -m tests.wire.load_twilio [--people 506] [--per-s 5] [--minutes 7] [--kills 2]

In real time and with real processes: the worker is one that is killed with SIGKILL and started again, the ledger is a
file, the vendor and our gateway speak HTTP. It prints how fast the vendor was called and whether any number was rung
too often or too soon, and ends with status 1 where a pace or a budget was broken. 506 is the roster of 勉县 (2024).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from pydantic import SecretStr

from agents.callout.state import CALLOUTS, Callout, CalloutState
from agents.dial.budget import Budget
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from agents.dial.state import ATTEMPTS
from agents.facts import Facts
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from config.rules import Ladder, LadderStep
from config.settings import Settings
from rosters.county import County
from rosters.model import Person, Phone, Post, Region, Unit
from streams import topics
from streams.clock import SystemClock
from streams.delivery import deliver
from streams.doors.http.hearing import hearing_router
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.letters import Mode, Move
from streams.wiring import TABLES, House, build
from streams.words import Colour, Level
from tests.wire.fake_phones import Handset, Placed
from tests.wire.fake_twilio import FakeTwilio, serving
from tests.wire.live_vendors import LiveTwilio
from tests.wire.twilio_house import Wire

NUMBER_KEY = "a key for the digests of numbers"
TICK_S = 0.2
ROUND_ID = "real|round|load"
KILL_AT_S = (20.0, 150.0, 260.0)
RESTART_S = 2.0
WINDOW_S = 5.0
LADDER = Ladder(title="load", steps=(LadderStep(to="holder", calls=3, gap_s=100, window_s=300),), then="none")
HABITS: tuple[tuple[int, Handset], ...] = (
    (60, Handset(keys=["1"])),
    (15, Handset(answers="no-answer", ring_s=30)),
    (10, Handset(hangs_up_at_s=4)),
    (10, Handset(answers="busy")),
    (5, Handset(answers="machine")),
)
"""Of a hundred telephones so many do this: about four in ten have to be called three times."""


class Taking(LiveTwilio):
    """The fake vendor in real time, which remembers when it took each call."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[float, str]] = []

    def _accept(self, prefix: str, asked: dict[str, list[str]], into: dict[str, Placed]) -> Placed:
        if prefix == "CA":
            self.taken.append((time.monotonic(), asked["To"][0]))
        return super()._accept(prefix, asked, into)


def county(people: int) -> County:
    """A county of one village whose posts have one person with one number each."""
    code, village = "419926000000", "419926100201"
    township = "419926100000"
    regions = (
        Region(code=township, name="溪口镇", level=Level.TOWNSHIP, parent=code),
        Region(code=village, name="上湾村", level=Level.VILLAGE, parent=township),
    )
    return County(
        code,
        "禾溪县",
        ZoneInfo("Asia/Shanghai"),
        regions,
        (Unit(id="v", name="上湾村村委会", region=village),),
        tuple(
            Post(
                id=f"p{no}", unit="v", name=f"p{no}", kind="village_head", level=Level.VILLAGE, region=village,
                holders=(f"p{no}",),
            )
            for no in range(people)
        ),
        tuple(Person(id=f"p{no}", name=f"p{no}", phones=(Phone(number=number_of(no)),)) for no in range(people)),
        (),
    )  # fmt: skip


def number_of(person: int) -> str:
    """Return the number of a person."""
    return f"+1500{person:07d}"


def open_house(folder: Path, options: argparse.Namespace, owner: str) -> House:
    """Wire a house on the shared ledger, with the Twilio carrier at the fake's address."""
    account = TwilioAccount(
        account_sid=FakeTwilio.account_sid,
        auth_token=SecretStr("the-token"),
        from_number="+15005550006",
        public_url=options.ours,
        api_base=options.theirs,
        pace_per_s=options.per_s,
    )
    return build(
        ledger=SqlLedger(f"sqlite:///{folder / 'ledger.sqlite3'}", TABLES),
        clock=SystemClock(),
        facts=Facts(county(options.people), load_rules()),
        carriers=[TwilioCarrier(account, approved=lambda _: True)],
        number_key=NUMBER_KEY.encode(),
        owner=owner,
        burst_s=TICK_S,
        budget=Budget(),
    )


async def work(house: House) -> None:
    """Be a worker: hand letters to their rooms, take due steps, dial; until killed."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(8))
    carrying = [topic for topic in topics.TOPICS if topic.carries != "nothing"]
    dialling: asyncio.Task[Any] | None = None
    while True:
        now, wall = house.clock.now(), house.clock.wall()
        for topic in carrying:
            ids = await house.ledger.run(
                lambda step, name=topic.name, at=now, real=wall: [
                    letter.id for letter in step.open_letters(at, real, resend_after_s=0, limit=200, topics=(name,))
                ]
            )
            if ids and topic.reader:
                await deliver(house.ledger, house.rooms[topic.name], ids, now)
            elif ids:
                await house.ledger.run(lambda step, page=ids, real=wall: step.mark_published(page, real, close=True))
        for room in house.timed:
            await house.ledger.run(lambda step, one=room, at=now: one.tick(step, at, 200))
        if dialling is None or dialling.done():
            if dialling is not None:
                dialling.result()
            dialling = asyncio.ensure_future(_dial(house))
        await asyncio.sleep(TICK_S)


async def _dial(house: House) -> None:
    await house.dialler.run_once()
    await house.dialler.recover()
    await house.dialler.hang_up()


def open_callouts(house: House, people: int) -> None:
    """Open one red callout per person, as PLAN would."""
    now = house.clock.now()
    rows = [
        Callout(
            id=f"real|callout|{no:04d}", realm="real", chain_id="real|chain|load", round_id=ROUND_ID, post_id=f"p{no}",
            unit_id="v", region="419926100201", township="419926100000", level=Level.VILLAGE, place="上湾村",
            hazard="rainstorm", colour=Colour.RED, severity=4, priority=0, mode=Mode.CALL, ladder=LADDER,
            ladder_name="load", rules_hash="", voice="禾溪县叫应：暴雨红色预警，涉及上湾村。", text="暴雨红色预警。",
            state=CalloutState.CALLING, opened_at=now, target_post=f"p{no}", call_at=now,
            due_at=now + timedelta(seconds=180),
        )
        for no in range(people)
    ]  # fmt: skip
    row = Round(
        id=ROUND_ID, realm="real", chain_id="real|chain|load", cause_id="w", move=Move.OPENED, hazard="rainstorm",
        colour=Colour.RED, opened_at=now,
    )  # fmt: skip
    house.ledger.step(lambda step: (step.save(ROUNDS, [row]), step.save(CALLOUTS, rows)))


@contextmanager
def worker(folder: Path, options: argparse.Namespace):
    """A worker that is killed and started again at its times."""
    command = [sys.executable, "-m", "tests.wire.load_twilio", "--worker", str(folder), "--theirs", options.theirs]
    command += ["--ours", options.ours, "--people", str(options.people), "--per-s", str(options.per_s)]
    ended = threading.Event()
    running = [subprocess.Popen(command)]

    def kill_and_restart() -> None:
        waited_s = 0.0
        for at_s in KILL_AT_S[: options.kills]:
            if ended.wait(at_s - waited_s):
                return
            running[-1].kill()
            running[-1].wait()
            sys.stdout.write(f"{at_s:5.0f} s  worker killed\n")
            if ended.wait(RESTART_S):
                return
            running.append(subprocess.Popen(command))
            waited_s = at_s + RESTART_S

    killer = threading.Thread(target=kill_and_restart)
    killer.start()
    try:
        yield
    finally:
        ended.set()
        killer.join()
        running[-1].kill()
        running[-1].wait()


def main(arguments: Sequence[str]) -> int:
    """Run it, or be its worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=506)
    parser.add_argument("--per-s", dest="per_s", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=7.0, help="when to stop at the latest")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--theirs", default="", help=argparse.SUPPRESS)
    parser.add_argument("--ours", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker is not None:
        asyncio.run(work(open_house(options.worker, options, f"worker:{os.getpid()}")))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), options)


def run(folder: Path, options: argparse.Namespace) -> int:
    """Call everybody, and say how it went."""
    migrate(f"sqlite:///{folder / 'ledger.sqlite3'}", TABLES)
    fake = Taking()
    handsets = [handset for share, handset in HABITS for _ in range(share)]
    for no in range(options.people):
        like = handsets[(no * 37) % 100]
        fake.handsets[number_of(no)] = Handset(
            answers=like.answers, keys=list(like.keys) * 3, hangs_up_at_s=like.hangs_up_at_s, ring_s=like.ring_s
        )
    ours = Wire()
    with serving(fake.app) as options.theirs, serving(ours) as options.ours:
        fake.url = options.theirs
        house = open_house(folder, options, "gateway")
        settings = Settings(
            data_dir=folder,
            carrier="twilio",
            number_key=SecretStr(NUMBER_KEY),
            twilio_account_sid=fake.account_sid,
            twilio_auth_token=SecretStr(fake.auth_token),
            twilio_from_number=fake.numbers[0],
            twilio_public_url=options.ours,
        )
        ours.app = FastAPI()
        ours.app.include_router(hearing_router(house, settings))
        open_callouts(house, options.people)
        began = time.monotonic()
        with worker(folder, options):
            while time.monotonic() - began < options.minutes * 60 and _open_left(house):
                time.sleep(2)
        took_s = time.monotonic() - began
        fake.stop()
        fake.close()
    broken = report(fake, house, options, began, took_s)
    house.ledger.close()
    return 1 if broken else 0


def _open_left(house: House) -> int:
    rows = house.ledger.step(lambda step: step.count(CALLOUTS, ("state",)))
    return sum(count for (state,), count in rows.items() if state in ("calling", "heard_no_key", "fetching"))


def report(fake: Taking, house: House, options: argparse.Namespace, began: float, took_s: float) -> list[str]:
    """Print the figures; return what was broken."""
    times = sorted(at - began for at, _ in fake.taken)
    by_number: dict[str, list[float]] = defaultdict(list)
    for at, number in sorted(fake.taken):
        by_number[number].append(at - began)
    first = sorted(each[0] for each in by_number.values())
    halves = Counter(int(at // 30) for at in times)
    most = max(sum(start <= at < start + WINDOW_S for at in times) for start in times)
    allowed = options.per_s * (WINDOW_S + TICK_S) + 1
    least_gap_s = min((later - earlier for each in by_number.values() for earlier, later in pairwise(each)), default=0)
    rung = Counter(len(each) for each in by_number.values())
    attempts = house.ledger.step(partial(_all, ATTEMPTS))
    callouts = house.ledger.step(partial(_all, CALLOUTS))
    known = {item.vendor_id for item in attempts}
    orphans = [sid for sid in fake.calls if sid not in known]
    states = Counter(item.state.value for item in callouts)
    confirmed = [item for item in callouts if item.state is CalloutState.CONFIRMED]
    tries = Counter(item.tries for item in attempts)
    within = sum(at <= 300 for at in times)
    lines = [
        f"people {options.people}, {options.per_s:g} calls/s, worker killed {options.kills} times, {took_s:.0f} s",
        f"calls the vendor took: {len(times)}, of them within 5 min: {within}",
        f"first call to everybody after {first[-1]:.1f} s ({len(first)} of {options.people} were rung)",
        f"calls in each half minute: {[halves[part] for part in range(max(halves) + 1)]}",
        f"most calls in any {WINDOW_S:g} s: {most} (pace allows {allowed:.0f})",
        f"calls per number: {dict(sorted(rung.items()))}; least time between two: {least_gap_s:.1f} s",
        f"callouts: {dict(states)}; attempts by tries: {dict(sorted(tries.items()))}",
        f"calls at the vendor that no attempt names: {len(orphans)}; receipts without proof: "
        f"{sum(item.receipt is None or item.receipt.played_at is None for item in confirmed)}",
    ]
    broken = [
        text
        for is_broken, text in (
            (most > allowed, "the pace was broken"),
            (max(rung, default=0) > Budget().per_hour, "a number was rung more often than its budget"),
            (0 < least_gap_s < Budget().gap_s - 1, "a number was rung twice within its minute"),
            (len(first) < options.people, "somebody was never rung"),
            (bool(states.keys() - {"confirmed", "unreached"}), "a callout did not end"),
        )
        if is_broken
    ]
    sys.stdout.write("\n".join([*lines, *(f"BROKEN: {text}" for text in broken)]) + "\n")
    return broken


def _all(table: Any, step: Any) -> list[Any]:
    return list(step.find(table, limit=1_000_000))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
