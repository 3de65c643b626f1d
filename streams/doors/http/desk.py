"""What people do, whether by API or at a page: order a call, stop or correct a chain, vouch, close a trouble.

One step each: the letter that the room reads, and an entry that says whose token it was done with. A second press
within the same moment is the same letter and changes nothing. Whether the order still means anything is for the room
to say; whether there is such a chain or callout is said here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from agents.callout.state import CALLOUTS
from agents.dial.state import ATTEMPTS
from agents.intake.state import CHAINS
from config.faults import Word
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.problems import not_found
from streams.doors.orders import (
    CallRequest,
    ChainRequest,
    LogRequest,
    VouchRequest,
    call_order,
    chain_order,
    find_region,
    log_call,
    vouch,
)
from streams.doors.refusal import RefusedError, kept_spoiled
from streams.ids import make_id
from streams.ledger.contract import Draft, FullStep
from streams.letters import ChainOrdered, HandLogged, Letter, Ordered, Vouched
from streams.rooms import TROUBLES
from streams.wiring import House
from streams.words import Channel

CHAIN, CALLOUT = Word("预警链", "chain"), Word("叫应任务", "callout")
ROUND, TROUBLE = Word("轮次", "round"), Word("待办问题", "trouble")
WARNING, HAND_CALL = Word("预警", "warning"), Word("人工呼叫", "call by hand")


@dataclass(frozen=True)
class Done:
    """What an order became: its id, whether it was new, and the chain that a call opens."""

    id: str
    new: bool
    chain_id: str = ""


@dataclass(frozen=True)
class Desk:
    """Does what callers ask for, within their region."""

    house: House
    guard: Guard
    realm: str

    async def call(self, caller: Caller, request: CallRequest) -> Done:
        """Order a call.

        Raises:
            RefusedError: 400; a place or the hazard is not known, or it would be over already.
            ProblemError: 403; a place lies outside the caller's region.
        """
        county = self.house.facts.county
        self.guard.check_covers(caller, *(find_region(name, county) for name in request.villages))
        now = self.house.clock.now()
        letter = call_order(request, county, self.house.facts.book.hazards, realm=self.realm, ordered_at=now)
        done = await self._hand_in(caller, letter, {"regions": len(request.villages), "hazard": request.hazard})
        # The same recipe as INTAKE's, so that whoever ordered can follow the chain at once.
        return Done(done.id, done.new, make_id(self.realm, "chain", "order", done.id))

    async def order(self, caller: Caller, chain_id: str, request: ChainRequest) -> Done:
        """Cancel, correct, pause or resume a chain.

        Raises:
            RefusedError: 400; the id is none of a chain, or a correction gives no reason.
            ProblemError: 404 no such chain; 403 it reaches beyond the caller's region.
        """
        letter = chain_order(request, chain_id, ordered_at=self.house.clock.now())
        chain = await self.house.ledger.run(lambda step: step.load(CHAINS, [chain_id]).get(chain_id))
        if chain is None:
            raise not_found(CHAIN, chain_id)
        self.guard.check_covers(caller, *chain.regions)
        return await self._hand_in(caller, letter, {"chain": chain_id, "text": request.text})

    async def vouch(self, caller: Caller, callout_id: str, request: VouchRequest) -> Done:
        """Say that a callout was heard, or that somebody was at the door.

        Raises:
            RefusedError: 400; the id is none of a callout.
            ProblemError: 404 no such callout; 403 it lies outside the caller's region.
        """
        letter = vouch(request, callout_id, ordered_at=self.house.clock.now())
        callout = await self.house.ledger.run(lambda step: step.load(CALLOUTS, [callout_id]).get(callout_id))
        if callout is None:
            raise not_found(CALLOUT, callout_id)
        self.guard.check_covers(caller, callout.region)
        return await self._hand_in(caller, letter, {"callout": callout_id})

    async def log_call(self, caller: Caller, attempt_id: str, request: LogRequest) -> Done:
        """Take a call that people are to make, or write down what came of it.

        Raises:
            RefusedError: 400; the id is none of an attempt, or nobody is named who was spoken to.
            ProblemError: 404 no such call by hand; 403 it is for somebody outside the caller's region.
        """
        letter = log_call(request, attempt_id, ordered_at=self.house.clock.now())

        def look(step: FullStep) -> list[str] | None:
            attempt = step.load(ATTEMPTS, [attempt_id]).get(attempt_id)
            if attempt is None or attempt.channel is not Channel.HAND:
                return None
            return [row.region for row in step.load(CALLOUTS, attempt.callouts).values()]

        regions = await self.house.ledger.run(look)
        if regions is None:
            raise not_found(HAND_CALL, attempt_id)
        self.guard.check_covers(caller, *regions)
        return await self._hand_in(caller, letter, {"attempt": attempt_id, "result": request.result})

    async def close_trouble(self, caller: Caller, trouble_id: str, by: str) -> None:
        """Close a trouble: `by` looked at it. Closing it twice keeps the first.

        Raises:
            ProblemError: 404 no such trouble; 403 it lies outside the caller's region.
        """
        now, county = self.house.clock.now(), self.house.facts.county
        check_text("by", by)

        def close(step: FullStep) -> None:
            found = step.load(TROUBLES, [trouble_id]).get(trouble_id)
            if found is None:
                raise not_found(TROUBLE, trouble_id)
            self.guard.check_covers(caller, found.region or county.code)
            if found.closed_at is not None:
                return
            step.save(TROUBLES, [found.model_copy(update={"closed_at": now, "closed_by": by})])
            noted = {"kind": found.kind, "text": found.text, "about": found.subject, "with_token": caller.name}
            step.append([Draft(subject=trouble_id, what="trouble_closed", by=by, at=now, facts=noted)])

        await self.house.ledger.run(close)

    async def _hand_in(self, caller: Caller, letter: Letter, noted: dict[str, object]) -> Done:
        message = letter.message
        if not isinstance(message, Ordered | ChainOrdered | HandLogged | Vouched):
            raise TypeError(f"a desk hands in orders, not a {message.kind}")
        _check_words(message)
        facts = {**noted, "kind": message.kind, "with_token": caller.name}
        draft = Draft(subject=message.order_id, what="ordered", by=message.by, at=letter.at, facts=facts)

        def keep(step: FullStep) -> bool:
            known = step.letter(letter.id)
            if known is not None:
                if known.is_spoiled:
                    raise kept_spoiled("order_id")
                return False
            step.write([letter])
            step.append([draft])
            return True

        return Done(message.order_id, await self.house.ledger.run(keep))


def _check_words(message: Ordered | ChainOrdered | HandLogged | Vouched) -> None:
    """Refuse words that no database could keep and nobody could read aloud.

    Raises:
        RefusedError: 400.
    """
    for name, value in message:
        if isinstance(value, str):
            check_text(name, value)


def check_text(name: str, text: str) -> None:
    """Refuse a text that holds what no database could keep.

    Raises:
        RefusedError: 400.
    """
    if any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text):
        raise RefusedError(
            400,
            name,
            f"{name} 中有不可见的控制字符，请删去后重新提交。",
            f"{name} holds control characters; remove them and send again.",
        )
