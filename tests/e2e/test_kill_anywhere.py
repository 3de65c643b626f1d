"""Apache Kafka and PostgreSQL, three workers, a whole county called while everything is killed, stopped and restarted.

Needs Java 17, Maven and PostgreSQL; skips with a reason where one is missing. The order of the blows follows from a
seed that a failure prints.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.dial.state import ATTEMPTS
from tests.contract.throwaway_postgres import NoPostgresError, PostgresServer, fresh_database
from tests.e2e.apache_kafka import ApacheKafka, NoKafkaError
from tests.e2e.live import SAMPLE, Live, red_rain
from tests.e2e.test_a_night_with_real_processes import check_history

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
BLOWS = 14
SEED = int(os.environ.get("JIAOYING_TEST_SEED", "20210719"))


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[ApacheKafka]:
    try:
        broker = ApacheKafka(tmp_path / "kafka")
    except NoKafkaError as error:
        pytest.skip(str(error))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except NoPostgresError as error:
        pytest.skip(str(error))
    server.start()
    yield server
    server.remove()


@asynccontextmanager
async def stopped(live: Live, name: str) -> AsyncIterator[None]:
    """Freeze a process, as a machine that swaps or a debugger does."""
    pid = live.stack.children[name].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def strike(live: Live, kafka: ApacheKafka, postgres: PostgresServer, dice: random.Random) -> str:
    """Do one thing that must not matter; return what it was."""
    blow = dice.choice(["kill worker", "kill worker", "freeze worker", "kill gateway", "kill kafka", "kill database"])
    match blow:
        case "kill worker":
            live.kill(f"worker-{dice.randrange(3)}")
        case "freeze worker":
            async with stopped(live, f"worker-{dice.randrange(3)}"):
                await asyncio.sleep(dice.uniform(1, 8))
        case "kill gateway":
            live.kill("gateway")
        case "kill kafka":
            await asyncio.to_thread(kafka.kill)
            await asyncio.sleep(dice.uniform(0.5, 3))
            await asyncio.to_thread(kafka.start)
        case _:
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(dice.uniform(0.5, 3))
            await asyncio.to_thread(postgres.start)
    return blow


@pytest.mark.parametrize("seed", [SEED])
def test_whatever_dies_every_callout_ends_as_its_ladder_says(
    tmp_path: Path, kafka: ApacheKafka, postgres: PostgresServer, seed: int
) -> None:
    dice = random.Random(seed)
    url = fresh_database(postgres.url, "night")

    blows: list[str] = []

    async def night() -> None:
        live = Live(tmp_path, SAMPLE, workers=3, speed=20.0, kafka=(kafka.server,), ledger_url=url)
        async with live:
            assert (await live.send(red_rain())).is_success
            await live.until(lambda: len(live.callouts()) >= 484, 60, "the opening of the round")
            for _ in range(BLOWS):
                blows.append(await strike(live, kafka, postgres, dice))
                await asyncio.sleep(dice.uniform(0.5, 3))
            await live.until_all_ended(at_least=484, within_s=300)
            await check_history(live)
            twice = [attempt for attempt in live.rows(ATTEMPTS) if attempt.tries > 1]
            assert len(twice) <= 200 * BLOWS, "more calls were placed again than blows can explain"

    try:
        asyncio.run(night())
    except BaseException as error:
        error.add_note(f"seed {seed}, blows: {blows}")
        raise
