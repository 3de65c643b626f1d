"""What may happen to an installation in a night and must not matter: one function each, and a list of all.

Each does its harm, waits a while and puts right what does not put itself right. `seconds` draws how long.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.contract.throwaway_postgres import NoPostgresError, PostgresServer
from tests.e2e.apache_kafka import ApacheKafka
from tests.e2e.crew import Crew
from tests.e2e.small_disk import fill, make_room
from tests.e2e.waiting import wait_until

DATABASE_UP_WITHIN_S = 240
AN_HOUR_S = 3600


@dataclass(frozen=True)
class Blow:
    """One blow as it fell: what it was, and from when to when in story time."""

    name: str
    began_at: datetime
    over_at: datetime
    wall_s: float


@dataclass
class Night:
    """Everything that can be hit.

    `disks` are the small disks of database and broker, where they could be mounted; `clock` is the file by which the
    last worker's clock is set, where there is a way to do so.
    """

    crew: Crew
    kafka: ApacheKafka
    postgres: PostgresServer
    dice: random.Random
    disks: dict[str, Path]
    clock: Path | None
    fallen: list[Blow] = field(default_factory=list)

    def worker(self) -> str:
        return self.dice.choice(self.crew.workers)

    def gateway(self) -> str:
        return self.dice.choice(self.crew.gateways)

    def seconds(self, least: float, most: float) -> float:
        return self.dice.uniform(least, most)

    async def suffer(self, name: str) -> None:
        """Let one blow fall and write it down."""
        clock = self.crew.settings.clock()
        began_at, began_s = clock.now(), clock.monotonic_s()
        try:
            await BLOWS[name](self)
        finally:
            self.fallen.append(Blow(name, began_at, clock.now(), clock.monotonic_s() - began_s))


async def _kill(night: Night, *names: str) -> None:
    for name in names:
        night.crew.tell(name, signal.SIGKILL)


async def _freeze(night: Night, name: str, seconds: float) -> None:
    night.crew.tell(name, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        night.crew.tell(name, signal.SIGCONT)


async def _pull(night: Night, name: str, seconds: float) -> None:
    """Cut a machine off from everything: what it sends is not answered."""
    cable = night.crew.machines[name].cable
    assert cable is not None
    cable.pull()
    try:
        await asyncio.sleep(seconds)
    finally:
        cable.put_back()


async def _reset(night: Night, name: str, seconds: float) -> None:
    """Cut a machine off from everything: what it opens is refused."""
    cable = night.crew.machines[name].cable
    assert cable is not None
    cable.lose()
    await asyncio.sleep(seconds)
    cable.plug_in()
    await asyncio.to_thread(cable.wait_until_up)


async def _kill_kafka(night: Night) -> None:
    await asyncio.to_thread(night.kafka.kill)
    await asyncio.sleep(night.seconds(0.5, 5))
    await asyncio.to_thread(night.kafka.start)


async def _freeze_kafka(night: Night) -> None:
    night.kafka.freeze()
    try:
        await asyncio.sleep(night.seconds(2, 8))
    finally:
        night.kafka.go_on()


async def _kill_database(night: Night) -> None:
    await asyncio.to_thread(night.postgres.stop)
    await asyncio.sleep(night.seconds(0.5, 5))
    await asyncio.to_thread(night.postgres.start)


async def _pull_the_door(night: Night) -> None:
    """Nobody outside reaches us: the vendor's callbacks wait."""
    night.crew.door.pull()
    try:
        await asyncio.sleep(night.seconds(2, 8))
    finally:
        night.crew.door.put_back()


async def _fill_database(night: Night) -> None:
    disk = night.disks["database"]
    await asyncio.to_thread(fill, disk)
    await asyncio.sleep(night.seconds(3, 6))
    make_room(disk)
    # It may have given up, as PostgreSQL does where it cannot write its log; a service manager starts it again.
    await asyncio.to_thread(
        wait_until, lambda: _is_up(night.postgres), DATABASE_UP_WITHIN_S, "an answer of the database"
    )


def _is_up(postgres: PostgresServer) -> bool:
    if postgres.answers():
        return True
    try:
        postgres.start()
    except NoPostgresError:
        return False
    return True


async def _fill_broker(night: Night) -> None:
    disk = night.disks["broker"]
    await asyncio.to_thread(fill, disk)
    await asyncio.sleep(night.seconds(3, 6))
    make_room(disk)
    # A broker whose only log folder failed has ended, or serves nothing any more: it is started again either way.
    await asyncio.to_thread(night.kafka.kill)
    await asyncio.to_thread(night.kafka.start)


async def _step_clock(night: Night) -> None:
    """Put one worker's clock an hour off, ahead or behind, for a while."""
    assert night.clock is not None
    _set(night.clock, f"{night.dice.choice('+-')}{AN_HOUR_S}")
    try:
        await asyncio.sleep(night.seconds(8, 15))
    finally:
        _set(night.clock, "+0")


def _set(clock: Path, offset: str) -> None:
    """Set a clock at once: whoever read half a line would end with a fault of its own."""
    part = clock.with_suffix(".part")
    part.write_text(f"{offset}\n")
    os.replace(part, clock)


async def _power_cut(night: Night) -> None:
    """Everything but the vendor and the database's disk ends at once."""
    await _kill(night, *night.crew.workers, *night.crew.gateways)
    await asyncio.gather(asyncio.to_thread(night.kafka.kill), asyncio.to_thread(night.postgres.stop))
    await asyncio.sleep(night.seconds(0.5, 3))
    await asyncio.gather(asyncio.to_thread(night.kafka.start), asyncio.to_thread(night.postgres.start))


BLOWS: dict[str, Callable[[Night], Awaitable[None]]] = {
    "worker killed": lambda night: _kill(night, night.worker()),
    "worker frozen": lambda night: _freeze(night, night.worker(), night.seconds(1, 8)),
    "worker cut off, nothing answers": lambda night: _pull(night, night.worker(), night.seconds(3, 12)),
    "worker cut off, all is refused": lambda night: _reset(night, night.worker(), night.seconds(1, 6)),
    "gateway killed": lambda night: _kill(night, night.gateway()),
    "gateway frozen": lambda night: _freeze(night, night.gateway(), night.seconds(1, 6)),
    "gateway cut off, nothing answers": lambda night: _pull(night, night.gateway(), night.seconds(2, 8)),
    "both gateways killed": lambda night: _kill(night, *night.crew.gateways),
    "no callback gets in": _pull_the_door,
    "vendor frozen": lambda night: _freeze(night, "vendor", night.seconds(1, 6)),
    "broker killed": _kill_kafka,
    "broker frozen": _freeze_kafka,
    "broker's disk full": _fill_broker,
    "database killed": _kill_database,
    "database's disk full": _fill_database,
    "clock an hour off": _step_clock,
    "power cut": _power_cut,
}
"""All blows by name."""


def blows_of(night: Night) -> tuple[list[str], dict[str, str]]:
    """Return the blows that can fall here, and of the others why not."""
    missing: dict[str, str] = {}
    for what in ("database", "broker"):
        if what not in night.disks:
            missing[f"{what}'s disk full"] = "no small disk can be mounted here"
    if night.clock is None:
        missing["clock an hour off"] = "libfaketime is not installed"
    return [name for name in BLOWS if name not in missing], missing


def order_of(names: Sequence[str], count: int, dice: random.Random) -> list[str]:
    """Return so many blows in a drawn order, each kind at least once."""
    drawn = [*names, *(dice.choice(names) for _ in range(count - len(names)))]
    dice.shuffle(drawn)
    return drawn
