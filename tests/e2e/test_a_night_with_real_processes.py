"""A warning posted over HTTP goes through Kafka and agents to phones, in real processes, through a power cut too."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.e2e.county import one_township
from tests.e2e.history import check_history
from tests.e2e.live import Live
from tests.e2e.onlooker import ANSWER_WITHIN_S, red_rain

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
SLOW_ENOUGH = 30.0
"""Story seconds in a real one, so that the round is not over before something is killed in the middle of it."""
BEGINS_WITHIN_S = 240


def test_a_posted_warning_ends_as_confirmed_and_as_unreached_callouts(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county")) as live:
            answer = await live.send(red_rain())
            assert answer.status_code == httpx.codes.ACCEPTED
            await live.until_all_ended(at_least=20)
            states = live.states()
            assert states["confirmed"] > states["lost"] + states["unreached"] > 0
            again = await live.send(red_rain())
            assert again.status_code == httpx.codes.OK
            assert again.json()["id"] == answer.json()["id"]
            await check_history(live)
            board = await live.get("/v1/unreached")
            assert board.status_code == httpx.codes.OK
            figures = await live.get("/metrics")
            assert figures.status_code == httpx.codes.OK
            port = live.settings.metrics_port
            await live.until(lambda: counts_confirmed(port), BEGINS_WITHIN_S, "a metric that counts what was confirmed")

    asyncio.run(night())


def counts_confirmed(port: int) -> bool:
    worker = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_WITHIN_S).text
    confirmed = [line for line in worker.splitlines() if 'reason="confirmed"' in line and "callouts" in line]
    return any(float(line.rsplit(" ", 1)[1]) > 0 for line in confirmed)


def test_after_a_power_cut_in_the_middle_of_the_round_every_callout_still_ends(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county"), speed=SLOW_ENOUGH) as live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until(lambda: live.states()["confirmed"] > 0, BEGINS_WITHIN_S, "a first answer")
            await live.kill_everything()
            assert any(row.is_open for row in live.callouts()), "the round was over before the power went"
            await live.start()
            await live.until_all_ended(at_least=20)
            await check_history(live)

    asyncio.run(night())


def test_with_the_broker_killed_calling_goes_on(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county")) as live:
            live.kill("broker")
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until_all_ended(at_least=20)
            await check_history(live)

    asyncio.run(night())


def test_with_a_broker_that_cannot_be_started_again_calling_goes_on(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county")) as live:
            assert live.stack.broker is not None
            # Where its output should go there is a folder now.
            live.stack.broker.log_path.unlink()
            live.stack.broker.log_path.mkdir()
            live.kill("broker")
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until_all_ended(at_least=20)
            assert live.watching is not None
            assert not live.watching.done()
            assert live.stack.restarts == 0
            await check_history(live)

    asyncio.run(night())


def test_a_worker_killed_in_the_middle_of_the_round_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county"), speed=SLOW_ENOUGH) as live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until(lambda: live.states()["confirmed"] > 0, BEGINS_WITHIN_S, "a first answer")
            live.kill("worker-0")
            assert any(row.is_open for row in live.callouts()), "the round was over before the worker was killed"
            await live.until_all_ended(at_least=20)
            await live.until(lambda: live.stack.restarts >= 1, BEGINS_WITHIN_S, "the worker's being started again")
            await check_history(live)

    asyncio.run(night())


def test_nobody_gets_in_without_a_token(tmp_path: Path) -> None:
    async def night() -> None:
        async with Live(tmp_path, one_township(tmp_path / "county")) as live:
            refused = await live.send(red_rain(), token="x" * 43)
            assert refused.status_code == httpx.codes.UNAUTHORIZED
            assert refused.headers["content-type"].startswith("application/problem+json")
            assert live.callouts() == []

    asyncio.run(night())
