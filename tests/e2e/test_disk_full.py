"""The disk of a whole installation runs full in the middle of a round, ledger, logs and all, and gets room again.

Needs the right to mount a small file system; skips with a reason where there is none.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.county import one_township
from tests.e2e.history import check_history
from tests.e2e.live import Live
from tests.e2e.needs import a_small_disk
from tests.e2e.onlooker import red_rain
from tests.e2e.small_disk import fill, make_room

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
FULL_S = 5.0


def test_with_the_disk_full_nothing_is_accepted_and_with_room_again_the_round_goes_on(tmp_path: Path) -> None:
    async def night(disk: Path) -> None:
        async with Live(disk, one_township(tmp_path / "county"), speed=10.0) as live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until(lambda: live.states()["confirmed"] > 0, 240, "a first answer")
            await asyncio.to_thread(fill, disk)
            refused = await live.send(red_rain(no=2))
            assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
            await asyncio.sleep(FULL_S)
            make_room(disk)
            await live.until_all_ended(at_least=20, within_s=600)
            assert (await live.send(red_rain(no=2))).status_code == httpx.codes.ACCEPTED
            await check_history(live)

    with ExitStack() as stack:
        disks = a_small_disk(stack, house=64)
        if not disks:
            pytest.skip("no small disk can be mounted here")
        asyncio.run(night(disks["house"]))
