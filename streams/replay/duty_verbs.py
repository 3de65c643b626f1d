"""What a night says about its roster: somebody stands in, shifts are swapped, somebody signs for a handover.

The side of the language of `night.py` that the roster is changed by while the night runs; everything is written into
the ledger as the desk does it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol, TypeVar

from agents.duty.record import record_change, record_signature
from agents.duty.state import HANDOVERS
from rosters import arrange
from rosters.changes import Change
from rosters.county import County
from streams.ledger.contract import R, Table, Where
from streams.ledger.memory import MemoryLedger
from streams.letters import Letter
from streams.replay.times import read_local
from streams.wiring import House


class Base(Protocol):
    """What these verbs need of a night."""

    house: House
    ledger: MemoryLedger
    county: County

    @property
    def now(self) -> datetime:
        """The time of the night."""
        ...

    @property
    def roster(self) -> County:
        """The roster as it is now."""
        ...

    def put(self: N, *letters: Letter) -> N:
        """Put letters in."""
        ...

    def change(self: N, change: Change) -> N:
        """Write a change down."""
        ...

    def leader_of(self, post_id: str) -> str:
        """Say who agrees."""
        ...

    def find(self, table: Table[R], *where: Where, order: tuple[str, ...] = ()) -> list[R]:
        """Return rows."""
        ...


N = TypeVar("N", bound=Base)


class DutyVerbs:
    """The verbs of the roster."""

    house: House

    @property
    def roster(self) -> County:
        """The roster as it is now, changes included."""
        return self.house.facts.county

    def leader_of(self: Base, post_id: str) -> str:
        """Return the leader on duty over a post, who agrees where nobody else is named."""
        leader = self.roster.leader_post(self.roster.posts[post_id])
        held = self.roster.who(leader.id, self.now) if leader else None
        return held.person.id if held else "县领导"

    def stand_in(
        self: N,
        post_id: str,
        person: str,
        *,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        agreed_by: str = "",
        why: str = "临时离岗",
    ) -> N:
        """Let somebody, by id or name, stand in at a post: from now to the end of the shift, or between two times."""
        change = arrange.stand_in(
            self.roster,
            post_id,
            person,
            starts_at=starts_at,
            ends_at=ends_at,
            asked_by="值班员",
            agreed_by=agreed_by or self.leader_of(post_id),
            why=why,
            at=self.now,
        )
        return self.change(change)

    def swap(
        self: N, post_id: str, first: datetime | str, second: datetime | str, *, agreed_by: str = "", why: str = "换班"
    ) -> N:
        """Let two shifts of a post, each named by a time within it, change hands."""
        change = arrange.swap(
            self.roster,
            post_id,
            read_local(first, self.county.zone, after=self.now),
            read_local(second, self.county.zone, after=self.now),
            asked_by="值班员",
            agreed_by=agreed_by or self.leader_of(post_id),
            why=why,
            at=self.now,
        )
        return self.change(change)

    def leave(
        self: N, person: str, until: datetime | str, *, post_id: str, agreed_by: str = "", why: str = "请假"
    ) -> N:
        """Let somebody go on leave from now; `post_id` says whose leader agrees."""
        change = arrange.leave(
            self.roster,
            person,
            self.now,
            read_local(until, self.county.zone, after=self.now),
            agreed_by=agreed_by or self.leader_of(post_id),
            why=why,
            at=self.now,
        )
        return self.change(change)

    def change(self: N, change: Change) -> N:
        """Write a change of the roster down."""
        now, county = self.now, self.roster
        self.ledger.step(lambda step: record_change(step, county, change, by="值班员", now=now))
        return self.put()

    def sign(self: N, post_id: str, side: Literal["out", "in"], person: str) -> N:
        """Let somebody sign for the latest handover of a post, `out` or `in`."""
        row = self.find(HANDOVERS, Where("post_id", "=", post_id), order=("starts_at",))[-1]
        now, facts = self.now, self.house.facts
        self.ledger.step(lambda step: record_signature(step, row.id, side, person, by="值班页", now=now, facts=facts))
        return self.put()
