"""Who asks the vendors, in a house that nothing outside can reach: one task for each carrier or queue that is asked.

Every gateway of the house may do so at once: what two of them find is the same news.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from agents.dial.carriers.protocol import Polled
from config.settings import Settings
from streams.doors.fetching import Fetcher, Keep
from streams.doors.http.aliyun import Receipts
from streams.doors.http.hearing import Hearing
from streams.doors.polling import Poller
from streams.wiring import House

Asker = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def asking(house: House, settings: Settings) -> AsyncIterator[None]:
    """Ask whoever has to be asked until the block ends."""
    tasks = [asyncio.ensure_future(ask()) for ask in askers(house, settings)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for carrier in house.carriers:
            if isinstance(carrier, Polled):
                await carrier.close()


def askers(house: House, settings: Settings) -> Iterator[Asker]:
    """Yield what keeps asking: nothing where the vendors can reach us, or no real carrier is used."""
    hearing = Hearing(house, settings.realm)
    for carrier in house.carriers:
        if isinstance(carrier, Polled):
            yield Poller(carrier, house.ledger, hearing.hear, house.clock, house.number_key).keep_asking
    if settings.aliyun_queue_account and any(carrier.name == "aliyun" for carrier in house.carriers):
        yield from _fetchers(house, settings, hearing)


def _fetchers(house: House, settings: Settings, hearing: Hearing) -> Iterator[Asker]:
    # Only here: the vendor's packages are an extra, and take two seconds to import.
    from agents.dial.carriers.aliyun.queues import KINDS, Mailbox
    from streams.installation import aliyun_account

    receipts = Receipts(hearing.hear, hearing.attempts_of, house.clock, house.number_key, settings.aliyun_chars_per_s)
    keep: dict[str, Keep] = {
        "VoiceCallReport": receipts.progressed,
        "VoiceReport": receipts.ended,
        "SmsReport": receipts.texts,
        "SmsUp": receipts.replies,
    }
    for kind in KINDS:
        yield Fetcher(Mailbox(aliyun_account(settings), kind), keep[kind], house.clock).keep_fetching
