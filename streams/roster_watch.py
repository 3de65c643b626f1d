"""Keeps the roster of a running process fresh: changes and publications from the ledger, the county's folder from disk.

The folder is loaded anew when a day has passed (turns reach 100 days ahead), when somebody published, and when its
files changed. A folder with faults is never taken in: what was there stays, and a person is told. Once a county
publishes, only what is published is taken in while the process runs.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from agents.facts import Facts
from config.load import ConfigError
from rosters.ledger import RosterPulse, pulse_of
from rosters.sheets import CountyError
from streams.county_in_force import FAULTY, UNPUBLISHED, keep, newest_ns
from streams.installation import Installation, load_facts
from streams.ledger.contract import FullStep, LedgerError
from streams.rooms import record_troubles, trouble

log = logging.getLogger(__name__)
ROSTER_LOOK_S = 3.0


class Known(NamedTuple):
    """What the last loading was of: the day, the content that was published then, the newest file."""

    day: date
    published: str
    newest_ns: int


@dataclass
class RosterWatch:
    """Looks every few seconds of real time, for one process."""

    installation: Installation
    _known: Known | None = None

    async def run(self) -> None:
        """Look until cancelled; a ledger that is away leaves everything as it was."""
        while True:
            try:
                await self.look()
            except LedgerError:
                log.warning("the ledger is away; the roster stays as it was")
            await asyncio.sleep(ROSTER_LOOK_S)

    async def look(self) -> None:
        """Take in what is new.

        Raises:
            LedgerError: The ledger is away.
        """
        house, clock = self.installation.house, self.installation.clock
        pulse: RosterPulse = await house.ledger.run(pulse_of)
        read_ns = await asyncio.to_thread(newest_ns, self.installation.settings.county_folder)
        day = clock.now().astimezone(house.facts.county.zone).date()
        known = Known(day, pulse.published, read_ns)
        if self._known is not None and known != self._known:
            await self._load(pulse.published, read_ns)
        self._known = known
        await house.ledger.run(lambda step: house.roster.look(step, clock.now()))

    async def _load(self, published: str, read_ns: int) -> None:
        house, settings, now = self.installation.house, self.installation.settings, self.installation.clock.now()
        try:
            fresh = await asyncio.to_thread(load_facts, settings, now, house.facts.book)
        except (CountyError, ConfigError, OSError) as error:
            log.warning("the county's folder has faults; the roster stays as it was: %s", error)
            await self._tell(FAULTY, f"值班表文件有误，仍用原来的值班表：{str(error)[:200]}")
            return
        if published not in ("", fresh.county.version):
            await self._tell(UNPUBLISHED, "值班表文件已改动但尚未发布，仍用原来的值班表；核对后请发布")
            return
        await house.ledger.run(lambda _: self._take(fresh))
        await asyncio.to_thread(keep, settings.county_folder, settings.data_dir, fresh.county.version, read_ns)

    def _take(self, fresh: Facts) -> None:
        self.installation.house.roster.publish(fresh.county, fresh.book, fresh.year)
        log.info("the roster was loaded anew: %s", fresh.county.version)

    async def _tell(self, kind: str, text: str) -> None:
        county, now = self.installation.house.facts.county, self.installation.clock.now()

        def tell(step: FullStep) -> None:
            record_troubles(step, [trouble(kind, county.code, text, now, county.code)])

        await self.installation.house.ledger.run(tell)
