"""Apache Kafka and PostgreSQL, three workers, two gateways, a vendor: 500 posts called while everything fails.

An orange warning comes in and is raised to red while its calls are under way and one of the first blows falls.
Each process is killed, stopped, cut off; broker and database are killed, frozen, and run out of disk; a clock is put an
hour off; the power goes. Then every callout has ended as its ladder says, and what the vendor saw is what the ledger
says. Needs Java 17, Maven and PostgreSQL; skips with a reason where one is missing. The order of the blows follows from
a seed that a failure prints.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from agents.plan.state import ROUNDS
from streams.letters import Move
from tests.contract.throwaway_postgres import fresh_database
from tests.e2e.blows import Night, blows_of, order_of
from tests.e2e.county import whole_county, with_real_numbers
from tests.e2e.crew import Crew
from tests.e2e.history import check_history
from tests.e2e.needs import a_kafka, a_postgres, a_small_disk, own_clock
from tests.e2e.onlooker import orange_rain, rise_to_red
from tests.e2e.rise import Rise
from tests.e2e.witness import both_sides, read_journal

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(2400)]
POSTS = 500
UNDER_WAY = 40
BLOWS = 20
RISES_WITH = 2
"""Which blow the rise falls together with, counted from 0."""
TAKEN_WITHIN_S = 400
SPEED = 4.0
SEED = int(os.environ.get("JIAOYING_TEST_SEED", "20210719"))
MACHINES = ("worker-0", "worker-1", "worker-2", "gateway-0", "gateway-1")


@pytest.mark.parametrize("seed", [SEED])
def test_whatever_dies_every_callout_ends_as_its_ladder_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    with ExitStack() as stack:
        disks = a_small_disk(stack, database=700, broker=500)
        kafka = stack.enter_context(a_kafka(disks.get("broker", tmp_path) / "kafka", MACHINES))
        postgres = stack.enter_context(a_postgres(disks.get("database")))
        clock_file, clock_variables = own_clock(tmp_path)
        county = whole_county(tmp_path / "county", POSTS)
        habits = with_real_numbers(county)
        crew = Crew(
            tmp_path,
            county,
            habits,
            (fresh_database(postgres.url, "night"), postgres.socket),
            kafka,
            speed=SPEED,
            workers=3,
            gateways=2,
            own_clock=clock_variables,
        )
        night = Night(crew, kafka, postgres, random.Random(seed), disks, clock_file)
        try:
            figures = asyncio.run(live_through(night))
        except BaseException as error:
            error.add_note(f"seed {seed}, blows: {[blow.name for blow in night.fallen]}\n{crew.errors()}")
            raise
    with capsys.disabled():
        show(figures)


async def live_through(night: Night) -> dict[str, object]:
    """Call everybody while blow after blow falls; return the figures."""
    crew, dice = night.crew, night.dice
    names, missing = blows_of(night)
    async with crew:
        await crew.insist(orange_rain(), TAKEN_WITHIN_S)
        await crew.until(lambda: len(read_journal(crew.journal).calls) >= UNDER_WAY, TAKEN_WITHIN_S, "the first calls")
        for no, name in enumerate(order_of(names, BLOWS, dice)):
            blow = night.suffer(name)
            await (asyncio.gather(blow, crew.insist(rise_to_red(), TAKEN_WITHIN_S)) if no == RISES_WITH else blow)
            await asyncio.sleep(dice.uniform(0.5, 2))
        await crew.until(lambda: risen(crew) >= POSTS, TAKEN_WITHIN_S, "the opening of the second round", 1.0)
        await crew.until_all_ended(at_least=POSTS, within_s=1200)
        await check_history(crew)
        return await judged(night, missing)


async def judged(night: Night, missing: dict[str, str]) -> dict[str, object]:
    """Hold the ledger of a night against what the vendor saw; return the figures."""
    crew = night.crew
    witness = await both_sides(crew, crew.journal, night.fallen)
    rise = Rise(witness.journal, crew.rows(ROUNDS), witness.callouts, witness.attempts)
    complaints = [*witness.complaints(), *rise.complaints()]
    figures = {
        **witness.figures(),
        **rise.figures(),
        "processes started again": crew.restarts,
        "blows left out": missing,
    }
    keep(figures, complaints)
    assert rise.superseded(), "the first round was over before the warning rose"
    assert not complaints, "\n".join(complaints)
    return figures


def risen(crew: Crew) -> int:
    """Count the callouts of the round that the rise made."""
    ids = {row.id for row in crew.rows(ROUNDS) if row.move is Move.RAISED}
    return sum(row.round_id in ids for row in crew.callouts())


def keep(figures: dict[str, object], complaints: list[str]) -> None:
    """Write the figures down where JIAOYING_TEST_FIGURES says, also those of a night that failed."""
    path = os.environ.get("JIAOYING_TEST_FIGURES")
    if path:
        text = json.dumps({**figures, "complaints": complaints}, ensure_ascii=False, indent=1)
        Path(path).write_text(text, encoding="utf-8")


def show(figures: dict[str, object]) -> None:
    """Print the figures."""
    table = Table("", "", title="kill anywhere", show_header=False)
    for name, value in figures.items():
        said = "\n".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name, said)
    Console(file=sys.stdout, width=110).print(table)
