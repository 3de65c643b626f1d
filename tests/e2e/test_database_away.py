"""The database is away while telephones ring: the door says so, an alarm is raised, and nothing that began is lost.

Needs PostgreSQL; skips with a reason where it is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from kafka import KafkaProducer

from agents.dial.state import ATTEMPTS, AttemptState
from streams.rooms import TROUBLES
from streams.topics import CALLOUTS
from tests.contract.throwaway_postgres import PostgresServer, fresh_database
from tests.e2e.blows import Blow
from tests.e2e.county import one_township, with_real_numbers
from tests.e2e.history import check_history
from tests.e2e.live import Live
from tests.e2e.needs import a_postgres
from tests.e2e.onlooker import red_rain
from tests.e2e.ports import free_port
from tests.e2e.telephony import approve_all, settings_of, vendor_running
from tests.e2e.waiting import read_lines, read_log
from tests.e2e.witness import both_sides, read_journal

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
SPEED = 6.0
AWAY_S = 8.0
GARBAGE = b"\xff no page"


@dataclass
class House:
    """A township's installation on PostgreSQL, and the vendor's journal of it."""

    live: Live
    postgres: PostgresServer
    journal: Path
    away: list[Blow] = field(default_factory=list)

    async def until_telephones_ring(self) -> None:
        """Wait until a few calls are under way."""
        await self.live.until(lambda: len(self.ringing()) > 2, 240, "the first calls")

    def ringing(self) -> list[str]:
        """Return the attempts whose calls are not over."""
        return [call.attempt for call in read_journal(self.journal).calls if call.over_at is None]

    def alarms(self) -> list[tuple[str, str]]:
        """Return what the auditor told, as (state, kind)."""
        log = self.live.settings.data_dir / "auditor.log"
        return [(alarm["state"], alarm["kind"]) for alarm in read_lines(log)]

    def worker_says(self, words: str) -> bool:
        """Tell whether a worker's log holds some words."""
        return any(words in read_log(log) for log in self.live.settings.data_dir.glob("worker-*.log"))


@contextmanager
def house(folder: Path) -> Iterator[House]:
    with a_postgres() as postgres:
        county = one_township(folder / "county")
        habits, journal = with_real_numbers(county), folder / "vendor.jsonl"
        vendor_port, door_port = free_port(), free_port()
        live = Live(
            folder,
            county,
            workers=2,
            speed=SPEED,
            ledger_url=fresh_database(postgres.url, "night"),
            port=door_port,
            **settings_of(vendor_port, door_port, calls_per_s=2.0),
        )
        with vendor_running(live.settings, vendor_port, journal, habits):
            made = House(live, postgres, journal)
            live.before_work = lambda ledger: approve_all(ledger, live.settings, habits)
            yield made


def test_while_the_database_is_away_the_door_says_so_an_alarm_is_raised_and_calls_under_way_come_to_their_end(
    tmp_path: Path,
) -> None:
    async def night(night_house: House) -> None:
        live, postgres = night_house.live, night_house.postgres
        async with live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await night_house.until_telephones_ring()
            clock = live.settings.clock()
            began_at = clock.now()
            under_way = night_house.ringing()
            await asyncio.to_thread(postgres.stop)
            refused = await live.send(red_rain())
            assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert int(refused.headers["Retry-After"]) > 0
            await live.until(lambda: ("raised", "blind") in night_house.alarms(), 240, "the auditor's alarm")
            await asyncio.sleep(AWAY_S)
            await asyncio.to_thread(postgres.start)
            night_house.away.append(Blow("database away", began_at, clock.now(), AWAY_S))

            await live.until(lambda: ("cleared", "blind") in night_house.alarms(), 240, "the end of the alarm")
            assert (await live.send(red_rain())).status_code == httpx.codes.OK
            await live.until_all_ended(at_least=20, within_s=600)
            await check_history(live)
            attempts = {row.id: row for row in live.rows(ATTEMPTS)}
            assert under_way
            assert {attempts[each].state for each in under_way} == {AttemptState.ENDED}
            witness = await both_sides(live, night_house.journal, night_house.away)
            assert not witness.complaints(), "\n".join(witness.complaints())

    with house(tmp_path) as one:
        asyncio.run(night(one))


def test_garbage_on_a_topic_while_the_database_is_away_is_kept_though_its_worker_is_killed(tmp_path: Path) -> None:
    async def night(night_house: House) -> None:
        live, postgres = night_house.live, night_house.postgres
        async with live:
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await night_house.until_telephones_ring()
            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(put, live.stack.servers, GARBAGE)
            await live.until(lambda: night_house.worker_says("unreadable message"), 240, "the meeting with the garbage")
            for name in ("worker-0", "worker-1"):
                live.kill(name)
            await asyncio.to_thread(postgres.start)
            await live.until(lambda: "dead_letter" in {row.kind for row in live.rows(TROUBLES)}, 240, "the dead letter")
            await live.until_all_ended(at_least=20, within_s=600)
            await check_history(live)

    with house(tmp_path) as one:
        asyncio.run(night(one))


def put(servers: tuple[str, ...], content: bytes) -> None:
    """Put bytes on the topic of callouts."""
    producer = KafkaProducer(bootstrap_servers=list(servers))
    try:
        producer.send(CALLOUTS, content).get(60)
    finally:
        producer.close()
