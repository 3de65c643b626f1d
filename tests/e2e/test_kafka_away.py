"""Kafka is away all night: warnings are accepted, telephones ring, callbacks are kept, one worker hands over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from agents.dial.state import ATTEMPTS
from streams.broker import EmbeddedBroker
from streams.topics import AUDIT
from tests.e2e.apache_kafka import make_topics
from tests.e2e.county import one_township, with_real_numbers
from tests.e2e.history import check_history
from tests.e2e.live import Live
from tests.e2e.onlooker import red_rain
from tests.e2e.ports import free_port
from tests.e2e.telephony import approve_all, settings_of, vendor_running
from tests.e2e.witness import both_sides, read_journal

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
SPEED = 6.0


def test_with_kafka_away_all_night_everybody_is_called_and_nothing_is_done_twice_when_it_returns(
    tmp_path: Path,
) -> None:
    county = one_township(tmp_path / "county")
    habits, journal = with_real_numbers(county), tmp_path / "vendor.jsonl"
    broker = EmbeddedBroker(free_port(), tmp_path / "broker.log")
    servers, vendor_port, door_port = (f"127.0.0.1:{broker.port}",), free_port(), free_port()
    live = Live(
        tmp_path,
        county,
        workers=2,
        speed=SPEED,
        kafka=servers,
        embedded_broker=True,
        port=door_port,
        **settings_of(vendor_port, door_port, calls_per_s=2.0),
    )

    live.before_work = lambda ledger: approve_all(ledger, live.settings, habits)

    async def night() -> None:
        async with live:
            await asyncio.to_thread(broker.stop)
            assert (await live.send(red_rain())).status_code == httpx.codes.ACCEPTED
            await live.until_all_ended(at_least=20, within_s=600)
            await live.until(lambda: is_quiet(live, journal), 240, "the end of all calls and letters")
            away = told(live, journal)
            assert waiting_outside(live) > 0, "what others read was closed though no broker took it"

            broker.start()
            await asyncio.to_thread(make_topics, servers)
            await live.until(lambda: waiting_outside(live) == 0, 240, "the sending of what waited for the broker")
            assert told(live, journal) == away
            await check_history(live)
            witness = await both_sides(live, journal, ())
            assert not witness.complaints(), "\n".join(witness.complaints())

    broker.start()
    try:
        with vendor_running(live.settings, vendor_port, journal, habits):
            asyncio.run(night())
    finally:
        broker.stop()


def told(live: Live, journal: Path) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Return the history of every callout of the round, and every call that the vendor took for one.

    The calls by which visit lists are handed over go on: their clock is longer than the night.
    """
    assert live.ledger is not None
    of_round = {row.id for row in live.callouts() if not row.visit_id}
    attempts = {row.id for row in live.rows(ATTEMPTS) if of_round & set(row.callouts)}
    heads = [head for head in live.ledger.heads() if head[0] in of_round]
    return heads, [call.sid for call in read_journal(journal).calls if call.attempt in attempts]


def is_quiet(live: Live, journal: Path) -> bool:
    """Tell whether no telephone rings any more, and no room has anything to read."""
    return not live.unread() and all(call.over_at is not None for call in read_journal(journal).calls)


def waiting_outside(live: Live) -> int:
    """Return how many letters wait for a broker, for others to read."""
    assert live.ledger is not None
    return live.ledger.step(lambda step: step.count_open_letters()).get(AUDIT, 0)
