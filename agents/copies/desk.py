"""The hands of COPIES: one step writes copies, one claims, then each is handed over, and one step records.

It waits for no receiver: each has a thread of its own, and one that hangs holds up neither the others nor the worker,
nor the end of the process.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from agents.copies.receivers import NotTakenError, Receiver
from agents.copies.state import Copy
from agents.copies.wording import Voice
from agents.copies.write import Told, claim, record, write_copies
from agents.facts import Facts
from streams.clock import Clock
from streams.ledger.contract import Ledger, LedgerError, Step

log = logging.getLogger(__name__)
LEASE_S = 15.0


@dataclass
class CopyDesk:
    """Sends copies for one installation; of several workers, the holder of a lease does.

    Args:
        ledger: Where copies are remembered.
        clock: Where time comes from.
        facts: The county and its rules.
        receivers: Who gets copies; without any it does nothing.
        voice: Language, and whether this is a rehearsal.
        owner: A name for this process, unique among the living.
    """

    ledger: Ledger
    clock: Clock
    facts: Facts
    receivers: tuple[Receiver, ...]
    voice: Voice
    owner: str
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False, repr=False)
    _threads: dict[str, threading.Thread] = field(default_factory=dict, init=False, repr=False)

    async def run_once(self) -> int:
        """Write what is to be told, and begin to hand over what is due; return how many were begun.

        Raises:
            LedgerAwayError: The ledger is away; nothing is lost.
        """
        if not self.receivers:
            return 0
        wall = self.clock.wall()
        if not await self.ledger.run(lambda step: step.lease("copies", self.owner, wall, LEASE_S)):
            return 0
        claimed = await self.ledger.run(self._write_and_claim)
        for receiver, copy in claimed:
            task = asyncio.create_task(self._hand_over(receiver, copy))
            self._under_way[receiver.name] = task
            task.add_done_callback(partial(self._forget, receiver.name))
        return len(claimed)

    async def settle(self) -> None:
        """Wait until every handing over that was begun has ended and is recorded."""
        await asyncio.gather(*self._under_way.values())

    def _write_and_claim(self, step: Step) -> list[tuple[Receiver, Copy]]:
        told = Told(self.receivers, self.facts, self.voice, self.clock.now(), self.clock.wall())
        write_copies(step, told)
        return claim(step, [receiver for receiver in self.receivers if self._is_free(receiver)], told)

    def _is_free(self, receiver: Receiver) -> bool:
        """Tell whether nothing is under way to a receiver; a thread that was given up on may still hang."""
        thread = self._threads.get(receiver.name)
        return receiver.name not in self._under_way and (thread is None or not thread.is_alive())

    def _forget(self, name: str, _: asyncio.Task[None]) -> None:
        self._under_way.pop(name, None)

    async def _hand_over(self, receiver: Receiver, copy: Copy) -> None:
        refused = await self._ask(receiver, copy)
        if refused is not None:
            log.warning("copies: %s did not take one: %s", receiver.name, refused)
        try:
            await self.ledger.run(lambda step: record(step, copy.id, refused, self.clock.now(), self.clock.wall()))
        except LedgerError as error:
            # It is due again at the time that its claim set: what was taken already is then sent once more.
            log.warning("copies: what %s answered could not be recorded: %s", receiver.name, error)

    async def _ask(self, receiver: Receiver, copy: Copy) -> NotTakenError | None:
        """Hand over in a thread that nobody waits for at the end; return why it was not taken, or None."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[NotTakenError | None] = loop.create_future()
        thread = threading.Thread(
            target=_work, args=(receiver, copy, partial(_tell, loop, answer)), name="copies", daemon=True
        )
        self._threads[receiver.name] = thread
        thread.start()
        try:
            # A server that sends a byte now and then outlasts every timeout of its connection.
            return await asyncio.wait_for(answer, receiver.timeout_s * 1.5)
        except TimeoutError:
            return NotTakenError("no answer in time")


def _work(receiver: Receiver, copy: Copy, tell: Callable[[NotTakenError | None], None]) -> None:
    # Only here: the library takes a quarter of a second to import, and most counties send no copies.
    from agents.copies.hand_over import hand_over

    try:
        hand_over(receiver, copy.title, copy.text)
    except NotTakenError as error:
        tell(error)
    except Exception as error:  # noqa: BLE001 - a fault in a library of twenty services must not end the worker.
        # Its message may hold the address.
        tell(NotTakenError(f"a fault on the way: {type(error).__name__}"))
    else:
        tell(None)


def _tell(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[NotTakenError | None], verdict: NotTakenError | None
) -> None:
    def settle() -> None:
        if not answer.done():
            answer.set_result(verdict)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The process ended meanwhile, and nobody is there to be told.
        return
