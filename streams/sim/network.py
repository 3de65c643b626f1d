"""Telephones and their vendor. The network knows what really happened, whatever the vendor says of it.

Telephones behave as those of `agents/dial/carriers/simulated.py`. The vendor tells by callbacks (which come twice,
late, in another order or never), or, on some nights, all at placing; he refuses, is down with or without having placed,
and forgets. Whoever asks the network later learns who rang when and what was pressed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from agents.dial.carriers.protocol import (
    Dial,
    News,
    Placed,
    RefusedByVendorError,
    VendorBusyError,
    VendorDownError,
)
from agents.dial.carriers.simulated import Habit, Kind, deliver, ring
from agents.dial.carriers.verdicts import seq_of
from rosters.numbers import mask, number_digest
from streams.ids import realm_of
from streams.letters import CallNews, TextReplied
from streams.sim.faults import Chance, Fault
from streams.sim.tasks import Tasks
from streams.words import Channel, Outcome

NUMBER_KEY = b"the numbers of a simulated night"
FIRST, SECOND = "simulated", "second"
_LIES = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VENDOR_FAILED)


@dataclass
class Ring:
    """One call or message that the network really carried; times in true virtual seconds.

    `news` is what happened, `told` what the vendor says of it.
    """

    attempt_id: str
    number: str
    channel: Channel
    vendor: str
    vendor_id: str
    claimed_s: float
    placed_s: float
    news: tuple[CallNews, ...]
    told: tuple[CallNews, ...]
    ends_s: float
    hung_up_s: float | None = None
    silenced_s: float | None = None

    @property
    def over_s(self) -> float:
        """When the news of it ends."""
        return self.ends_s if self.hung_up_s is None else min(self.ends_s, self.hung_up_s)

    @property
    def silent_s(self) -> float:
        """When the telephone was silent again: a vendor that told all at placing hangs up without telling it."""
        return self.over_s if self.silenced_s is None else min(self.over_s, self.silenced_s)


class Network:
    """All telephones and their vendor; on some nights also a second one, for when the first is gone altogether."""

    def __init__(self, tasks: Tasks, seed: int, habits: Mapping[str, Habit], hear: Callable[[News], None]) -> None:
        """Take the clock, the telephones, and where callbacks go."""
        self.faults: frozenset[Fault] = frozenset()
        self.rings: list[Ring] = []
        self._tasks, self._habits, self._hear = tasks, habits, hear
        self._seed = str(seed)
        self._chance = Chance(seed, "network")
        self._tells_at_placing = self._chance.happens(0.25)
        self.vendors: tuple[str, ...] = (FIRST,)
        self.is_out = False

    def place(self, dial: Dial, vendor: str) -> Placed:
        """Carry a call or a message.

        Raises:
            VendorBusyError, VendorDownError, RefusedByVendorError: As the protocol says.
        """
        self._need(vendor)
        if Fault.VENDOR_BUSY in self.faults and self._chance.happens(0.08):
            raise VendorBusyError("too many calls", retry_after_s=self._chance.between(1, 5))
        if Fault.VENDOR_REFUSES in self.faults and self._chance.happens(0.05):
            outcome = Outcome.BARRED if dial.channel is Channel.VOICE else Outcome.TEXT_FAILED
            raise RefusedByVendorError("this number is barred", outcome=outcome, vendor_code="barred")
        down = Fault.VENDOR_DOWN in self.faults and self._chance.happens(0.1)
        if down and self._chance.happens(0.5):
            raise VendorDownError("no answer, and nothing was placed")
        placed = self._carry(dial, vendor)
        if down:
            raise VendorDownError("no answer, and it was placed all the same")
        return Placed(vendor_id=placed.vendor_id, to_come=placed.told if self._tells_at_placing else ())

    def look_up(self, dial: Dial, vendor_id: str, vendor: str) -> Placed | None:
        """Say what became of an attempt.

        Raises:
            VendorDownError: The vendor does not answer.
        """
        self._need(vendor)
        if Fault.VENDOR_DOWN in self.faults and self._chance.happens(0.2):
            raise VendorDownError("no answer to the question")
        found = [one for one in self.rings if one.attempt_id == dial.attempt_id and one.vendor == vendor]
        if not found or (Fault.VENDOR_FORGETS in self.faults and self._chance.happens(0.4)):
            return None
        last = next((one for one in found if one.vendor_id == vendor_id), found[-1])
        over = last.over_s <= self._tasks.now_s
        known = last.told if self._tells_at_placing else self._told_of(last) if over else ()
        return Placed(vendor_id=last.vendor_id, to_come=known)

    def hang_up(self, vendor_id: str, vendor: str) -> None:
        """End a call.

        Raises:
            VendorDownError: The vendor does not answer.
        """
        self._need(vendor)
        if Fault.VENDOR_DOWN in self.faults and self._chance.happens(0.15):
            raise VendorDownError("no answer to the hang-up")
        for one in self.rings:
            live = one.vendor_id == vendor_id and one.channel is Channel.VOICE and one.silent_s > self._tasks.now_s
            if live and self._tells_at_placing:
                one.silenced_s = self._tasks.now_s
            elif live:
                one.hung_up_s = self._tasks.now_s
                self._call_back(self._cut_off(one))

    def pressed(self, attempt_id: str, key: str) -> bool:
        """Return whether a key was pressed in a call of this attempt, after the message had been played to the end."""
        for one in self.rings:
            said = [news.progress for news in one.news if self._tasks.seconds(news.at) <= one.over_s + 1e-6]
            keys = [news for news in one.news if news.key == key and self._tasks.seconds(news.at) <= one.over_s + 1e-6]
            if one.attempt_id == attempt_id and keys and "played" in said:
                return True
        return False

    def _need(self, vendor: str) -> None:
        """Raise where a vendor is gone: nothing is placed, and what was goes on ringing."""
        if self.is_out and vendor == FIRST:
            raise VendorDownError("the vendor is gone")

    def _carry(self, dial: Dial, vendor: str) -> Ring:
        """Let the telephone ring, or the message go, and let the vendor tell of it."""
        before = sum(one.number == dial.number and one.channel is dial.channel for one in self.rings)
        habit = self._habits.get(dial.number, Habit())
        really = dial.model_copy(update={"at": self._tasks.now})
        carry = ring if dial.channel is Channel.VOICE else deliver
        news = tuple(
            item.model_copy(update={"seq": seq_of(item.progress)}) for item in carry(habit, really, before, self._seed)
        )
        if dial.channel is Channel.TEXT and Fault.FALSE_DELIVERED in self.faults and self._chance.happens(0.2):
            news = (news[0], news[0].model_copy(update=_delivered(news[0])))
        one = Ring(
            attempt_id=dial.attempt_id,
            number=dial.number,
            channel=dial.channel,
            vendor=vendor,
            vendor_id=f"v{len(self.rings) + 1}",
            # Nothing is placed before it is claimed, whatever the clock of the claim showed.
            claimed_s=min(self._tasks.seconds(dial.at), self._tasks.now_s),
            placed_s=self._tasks.now_s,
            news=news,
            told=self._as_told(news) if dial.channel is Channel.VOICE else news,
            ends_s=max(self._tasks.seconds(item.at) for item in news),
        )
        self.rings.append(one)
        if not self._tells_at_placing:
            for item in one.told:
                self._tasks.do(self._tasks.seconds(item.at) - self._tasks.now_s, partial(self._tell, one, item))
        if dial.channel is Channel.TEXT and habit.on(before) is Kind.REPLIES_BY_SMS:
            self._tasks.do(self._chance.between(10, 60), lambda: self._reply(dial))
        return one

    def _as_told(self, news: tuple[CallNews, ...]) -> tuple[CallNews, ...]:
        """Return what the vendor says of a call: sometimes that nobody answered one that was answered."""
        if Fault.VENDOR_LIES not in self.faults or not self._chance.happens(0.1):
            return news
        lie = news[-1].model_copy(update={"outcome": self._chance.one_of(_LIES), "heard_s": 0.0})
        return (*(item for item in news[:-1] if item.progress == "ringing"), lie)

    def _tell(self, one: Ring, item: CallNews) -> None:
        if one.hung_up_s is None or self._tasks.seconds(item.at) <= one.hung_up_s:
            self._call_back(item)

    def _call_back(self, item: News) -> None:
        """Tell of something: at once, twice, late or never."""
        if Fault.NEWS_LOST in self.faults and self._chance.happens(0.1):
            return
        late = Fault.NEWS_LATE in self.faults and self._chance.happens(0.25)
        self._tasks.do(self._chance.between(*((2, 200) if late else (0.05, 0.6))), lambda: self._hear(item))
        if Fault.NEWS_DOUBLE in self.faults and self._chance.happens(0.2):
            self._tasks.do(self._chance.between(0.1, 20), lambda: self._hear(item))

    def _told_of(self, one: Ring) -> tuple[CallNews, ...]:
        happened = tuple(item for item in one.told if self._tasks.seconds(item.at) <= one.over_s)
        return happened if one.hung_up_s is None else (*happened, self._cut_off(one))

    def _cut_off(self, one: Ring) -> CallNews:
        at = self._tasks.at(one.hung_up_s or one.ends_s)
        return CallNews(attempt_id=one.attempt_id, seq=seq_of("ended"), progress="ended", at=at)

    def _reply(self, dial: Dial) -> None:
        self._hear(
            TextReplied(
                realm=realm_of(dial.attempt_id),
                number_key=number_digest(dial.number, NUMBER_KEY),
                masked=mask(dial.number),
                text=self._chance.one_of(("收到", "收到", "知道了", "退订", "在路上")),
                vendor_id=f"reply-{dial.attempt_id}",
                at=self._tasks.now,
            )
        )


def _delivered(sent: CallNews) -> dict[str, object]:
    at = sent.at + timedelta(seconds=5)
    return {"seq": seq_of("delivered"), "progress": "delivered", "outcome": Outcome.TEXT_DELIVERED, "at": at}


class SimCarrier:
    """The network at the door of the carrier protocol, as one worker reaches it."""

    pace_per_s = 2.0
    texts_per_s = 50.0

    def __init__(self, network: Network, point: Callable[[str], Awaitable[None]], name: str = FIRST) -> None:
        """Take the network, what stands between two steps of this worker, and whose door it is."""
        self.name = name
        self._network, self._point = network, point

    def may_dial(self, number: str) -> bool:
        """Return whether it is a simulated number."""
        return number.startswith("sim:")

    async def place(self, dial: Dial) -> Placed:
        """Place an attempt."""
        await self._point("before placing")
        placed = self._network.place(dial, self.name)
        await self._point("after placing")
        return placed

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Ask what became of an attempt."""
        await self._point("before asking")
        return self._network.look_up(dial, vendor_id, self.name)

    async def hang_up(self, vendor_id: str) -> None:
        """End a call."""
        await self._point("before hanging up")
        self._network.hang_up(vendor_id, self.name)
