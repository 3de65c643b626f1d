"""Whether a worker may go by its clock: compared with the clock that never jumps, and with the database's own.

Law 7 of the house: a worker whose clock is off the database's by more than two seconds, or whose wall and monotonic
clocks part, neither ticks nor claims, and says so. It must never set a clock right, nor guess which of two is right:
that is for a person, and the other workers go on meanwhile. See docs/adr/0020.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from streams.clock import CorrectedClock
from streams.ledger.contract import Ledger, LedgerError, Step
from streams.rooms import record_troubles, trouble

log = logging.getLogger(__name__)
CLOCK_LOOK_S = 1.0
CLOCK_OFF_S = 2.0
"""Design, law 7: how far two clocks may part."""
CLOCK_REST_S = 10.0
"""Ours: how long a clock that was stepped is not gone by; NTP steps a clock once or twice, then it holds."""


@dataclass
class ClockGuard:
    """Watches the wall clock of one process.

    A step is seen at the next look, by the monotonic clock. A clock that is wrong but steady is seen by asking the
    database, once a second; until it was asked for the first time nobody knows, and the clock is not trusted.

    Args:
        wall: Real time, as this machine has it.
        monotonic_s: Seconds that never jump.
    """

    wall: Callable[[], datetime]
    monotonic_s: Callable[[], float]
    step_s: float = 0.0
    off_s: float | None = None
    _last_wall: datetime | None = field(default=None, init=False)
    _last_s: float = field(default=0.0, init=False)
    _rest_until_s: float = field(default=0.0, init=False)

    def is_trusted(self) -> bool:
        """Compare the two clocks of this machine since the last look; False while the wall clock is not to be used."""
        wall, now_s = self.wall(), self.monotonic_s()
        if self._last_wall is not None:
            parted_s = (wall - self._last_wall).total_seconds() - (now_s - self._last_s)
            if abs(parted_s) > CLOCK_OFF_S:
                self.step_s = parted_s
                self._rest_until_s = now_s + CLOCK_REST_S
        self._last_wall, self._last_s = wall, now_s
        return now_s >= self._rest_until_s and self.off_s is not None and abs(self.off_s) <= CLOCK_OFF_S

    async def compare(self, database_at: Callable[[], Awaitable[datetime | None]]) -> None:
        """Ask for the database's clock, and note by how much this one is ahead of it (behind: negative).

        The answer takes its time, and was read somewhere on the way: only what lies outside of it counts. A database
        without a clock of its own (SQLite: the same machine) has nothing to say against this one.

        Raises:
            LedgerError: The database is away; what was last found still stands.
        """
        before = self.wall()
        at = await database_at()
        self.judge(before, at, self.wall())

    def judge(self, before: datetime, database_at: datetime | None, after: datetime) -> None:
        """Note what the database's clock showed between two looks at this one."""
        if database_at is None:
            self.off_s = 0.0
            return
        ahead_s, behind_s = (before - database_at).total_seconds(), (after - database_at).total_seconds()
        self.off_s = max(ahead_s, 0.0) or min(behind_s, 0.0)

    def offset_s(self) -> float:
        """Return by how much the wall clock was stepped, or is off the database's, while it is not trusted; else 0."""
        if self.off_s is not None and abs(self.off_s) > CLOCK_OFF_S:
            return self.off_s
        return self.step_s if self.monotonic_s() < self._rest_until_s else 0.0


def tell_clock(owner: str, off_s: float, then: str, now: datetime, step: Step) -> None:
    """Show people a clock that is off.

    Args:
        owner: The process whose clock it is.
        off_s: By how much it is ahead; behind is negative.
        then: What the process does meanwhile, in their words.
        now: Story time, which is right all the same.
        step: The transaction to write in.
    """
    text = f"{owner} 的时钟偏了 {off_s:+.0f} 秒，{then}。请打开时间同步"
    record_troubles(step, [trouble("clock_off", f"real|process|{owner}", text, now)])


async def keep_right(clock: CorrectedClock, guard: ClockGuard, ledger: Ledger, owner: str) -> None:
    """Let a door go by the database's clock while its own is off, and tell people once each time. Never returns."""
    while True:
        try:
            await guard.compare(ledger.database_at)
            was_s, off_s = clock.off_s, guard.off_s or 0.0
            clock.off_s = off_s if abs(off_s) > CLOCK_OFF_S else 0.0
            if clock.off_s and not was_s:
                log.error("the clock is off by %+.1f s: this door goes by the database's", off_s)
                then, now = "收件改用数据库的时间", clock.now()
                await ledger.run(lambda step: tell_clock(owner, off_s, then, now, step))  # noqa: B023 - awaited at once
        except LedgerError as error:
            log.warning("the ledger is away, its clock cannot be asked: %s", error)
        await clock.sleep(CLOCK_LOOK_S)
