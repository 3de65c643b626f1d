"""An installation spread over machines, each worker and gateway behind a cable of its own, under a service manager.

What ends is started again after a second. Nothing here knows what the processes do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from config.settings import read_settings
from streams.broker import listens
from streams.installation import environment, prepare
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES
from tests.e2e.apache_kafka import ApacheKafka, make_topics
from tests.e2e.county import Habits
from tests.e2e.network import Cable
from tests.e2e.onlooker import STORY, Onlooker
from tests.e2e.ports import free_port, free_ports_in_a_row
from tests.e2e.telephony import approve_all, settings_of, vendor_command
from tests.e2e.waiting import HERE, read_log

AGAIN_AFTER_S = 1.0
LOOK_EVERY_S = 0.2
UP_WITHIN_S = 400.0
STOP_WITHIN_S = 30.0
CALLS_PER_S = 4.0
"""In story time: 500 posts are dialled once in some two minutes."""


@dataclass
class Machine:
    """One process on a machine of its own: how it is started, and its cable."""

    name: str
    command: list[str]
    variables: dict[str, str]
    cable: Cable | None
    child: asyncio.subprocess.Process | None = field(default=None, init=False)


class Crew(Onlooker):
    """Workers, gateways, an auditor and a vendor.

    Args:
        folder: Where everything is kept.
        county: Its sheets, with numbers that the vendor knows.
        habits: What its telephones do.
        database: The ledger's URL for those who are not cut off, and the socket behind it.
        kafka: The broker.
        speed: Story seconds in a real one.
        workers, gateways: How many of each.
        own_clock: Variables for the last worker only, by which its clock can be set.
    """

    def __init__(
        self,
        folder: Path,
        county: Path,
        habits: Habits,
        database: tuple[str, Path],
        kafka: ApacheKafka,
        *,
        speed: float,
        workers: int,
        gateways: int,
        own_clock: dict[str, str],
    ) -> None:
        self.vendor_port, self.door_port, self.habits = free_port(), free_port(), habits
        self.journal, self._folder, self._kafka, self._database = folder / "vendor.jsonl", folder, kafka, database
        self.settings = read_settings(
            data_dir=folder / "data",
            county_folder=county,
            ledger_url=database[0],
            kafka=(kafka.server,),
            port=self.door_port,
            metrics_port=free_ports_in_a_row(workers),
            speed=speed,
            wall_origin=datetime.now(UTC),
            story_origin=STORY,
            **settings_of(self.vendor_port, self.door_port, CALLS_PER_S),
        )
        self.machines: dict[str, Machine] = {}
        self.restarts = 0
        self._is_over = False
        self._watching: asyncio.Task[None] | None = None
        self._add_all(workers, gateways, own_clock)

    @property
    def workers(self) -> list[str]:
        return [name for name in self.machines if name.startswith("worker")]

    @property
    def gateways(self) -> list[str]:
        return [name for name in self.machines if name.startswith("gateway")]

    def _add_all(self, workers: int, gateways: int, own_clock: dict[str, str]) -> None:
        self._add("vendor", vendor_command(self.settings, self.vendor_port, self.journal, self.habits), {}, None)
        for no in range(workers):
            name = f"worker-{no}"
            self._add_behind_a_cable(
                name, ["streams.cli", "worker", "--number", str(no)], own_clock if no == workers - 1 else {}
            )
        doors = []
        for no in range(gateways):
            port = free_port()
            doors.append(f"{HERE}:{port}")
            self._add_behind_a_cable(f"gateway-{no}", ["streams.cli", "gateway"], {"JIAOYING_PORT": str(port)})
        self._add("auditor", ["agents.auditor"], {}, None)
        self.door = Cable(((self.door_port, tuple(doors)),), self._folder / "door.out")

    def _add(self, name: str, command: list[str], variables: dict[str, str], cable: Cable | None) -> None:
        self.machines[name] = Machine(name, command, variables, cable)

    def _add_behind_a_cable(self, name: str, command: list[str], variables: dict[str, str]) -> None:
        """Add a machine that reaches database, broker and vendor through a cable that can be pulled."""
        database, vendor = free_port(), free_port()
        here, there = self._kafka.doors.get(name, (self._kafka.port, free_port()))
        ways = (
            (database, (str(self._database[1]),)),
            (there, (f"{HERE}:{here}",)),
            (vendor, (f"{HERE}:{self.vendor_port}",)),
        )
        url = f"postgresql://jiaoying@{HERE}:{database}/{self._database[0].rpartition('/')[2].partition('?')[0]}"
        variables = {
            "JIAOYING_LEDGER_URL": url,
            "JIAOYING_KAFKA": f"{HERE}:{there}",
            "JIAOYING_TWILIO_API_BASE": f"http://{HERE}:{vendor}",
            **variables,
        }
        self._add(name, command, variables, Cable(ways, self._folder / f"{name}.cable"))

    async def __aenter__(self) -> Crew:
        try:
            await asyncio.to_thread(self._make_ready)
            for machine in self.machines.values():
                await self._start(machine)
            self._watching = asyncio.create_task(self._watch())
            await self.until(lambda: all(listens(HERE, port) for port in self._ports()), UP_WITHIN_S, "the start")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    def _make_ready(self) -> None:
        prepare(self.settings)
        make_topics(self.settings.kafka)
        self.ledger = SqlLedger(self.settings.ledger, TABLES)
        approve_all(self.ledger, self.settings, self.habits)
        for cable in self.cables():
            cable.plug_in()
        for cable in self.cables():
            cable.wait_until_up()

    def cables(self) -> Iterable[Cable]:
        return (self.door, *(machine.cable for machine in self.machines.values() if machine.cable is not None))

    def _ports(self) -> list[int]:
        gateways = [int(self.machines[name].variables["JIAOYING_PORT"]) for name in self.gateways]
        return [self.vendor_port, *gateways]

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        if self._watching is not None:
            # Not cancelled: a process that it is just starting would be left behind. What it ended with is told below.
            await asyncio.wait([self._watching])
        await asyncio.gather(*(self._end(machine) for machine in self.machines.values()))
        for cable in self.cables():
            cable.lose()
        if self.ledger is not None:
            self.ledger.close()

    async def _start(self, machine: Machine) -> None:
        variables = {**os.environ, **environment(self.settings), **machine.variables}
        with (self._folder / f"{machine.name}.out").open("ab") as out:
            machine.child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *machine.command, stdout=out, stderr=out, env=variables
            )

    async def _watch(self) -> None:
        """Start again what ended."""
        while not self._is_over:
            await asyncio.sleep(LOOK_EVERY_S)
            ended = [each for each in self.machines.values() if each.child is None or each.child.returncode is not None]
            if ended:
                await asyncio.sleep(AGAIN_AFTER_S)
            for machine in ended:
                if not self._is_over:
                    self.restarts += 1
                    await self._start(machine)

    async def _end(self, machine: Machine) -> None:
        child = machine.child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGCONT)
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN_S)
        except TimeoutError:
            child.kill()
            await child.wait()

    def tell(self, name: str, what: signal.Signals) -> None:
        """Send a signal to a process, unless it ended meanwhile."""
        child = self.machines[name].child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(what)

    def errors(self) -> str:
        """Return what the processes said last, for a failure."""
        tails = []
        for name in self.machines:
            lines = read_log(self._folder / f"{name}.out").splitlines()[-12:]
            tails.append(f"--- {name}\n" + "\n".join(line[:300] for line in lines))
        return "\n".join(tails)
