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


def test_a_full_disk_loses_nothing_that_was_accepted_and_with_room_again_the_round_goes_on(tmp_path: Path) -> None:
    async def night(disk: Path) -> None:
        async with Live(disk, one_township(tmp_path / "county"), speed=10.0) as live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until(lambda: live.states()["confirmed"] > 0, 240, "a first answer")
            await asyncio.to_thread(fill, disk)
            # What fits into pages that the ledger had already is still taken, and kept.
            answer = await live.send(red_rain(no=2))
            assert answer.status_code in (httpx.codes.ACCEPTED, httpx.codes.SERVICE_UNAVAILABLE)
            await asyncio.sleep(FULL_S)
            make_room(disk)
            await live.until_all_ended(at_least=20, within_s=600)
            again = await live.send(red_rain(no=2))
            assert again.status_code == (httpx.codes.OK if answer.is_success else httpx.codes.ACCEPTED)
            await check_history(live)

    with ExitStack() as stack:
        disks = a_small_disk(stack, house=64)
        if not disks:
            pytest.skip("no small disk can be mounted here")
        asyncio.run(night(disks["house"]))
