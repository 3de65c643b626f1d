"""What is seen of a night: rows and entries of its ledger, under the words of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from agents.callout.state import CALLOUTS, UNANSWERED, Callout
from agents.duty.notices import HAZARD as NOTICE
from agents.intake.state import CHAINS, Chain
from agents.plan.state import ROUNDS, Round
from agents.visit.state import VISITS, VisitList
from rosters.county import County
from streams.clock import VirtualClock
from streams.ledger.contract import R, Table, Where
from streams.ledger.memory import MemoryLedger
from streams.letters import Mode
from streams.rooms import TROUBLES, Trouble

ALL = 10_000_000


class Seen:
    """The side of a night that is read from the ledger, and from nowhere else."""

    county: County
    clock: VirtualClock
    ledger: MemoryLedger

    @property
    def now(self) -> datetime:
        """The time of the night, in UTC."""
        return self.clock.now()

    @property
    def local(self) -> str:
        """The county's clock and day."""
        return f"{self.now.astimezone(self.county.zone):%m-%d %H:%M:%S}"

    def post(self, post_id: str) -> Callout:
        """Return a post's latest callout, not counting those that hand a visit list over.

        Raises:
            LookupError: It has none.
        """
        found = self.callouts(post_id)
        if not found:
            raise LookupError(f"{post_id} has no callout by {self.local}; county posts: {', '.join(self.county.posts)}")
        return found[-1]

    def callouts(self, post_id: str = "", *, visits: bool = False) -> list[Callout]:
        """Return callouts, oldest first: of a post, or all; with `visits`, those that hand visit lists over.

        What those on duty are only told of (shifts, how a round stands, whom to call) is no callout of a warning.
        """
        where = [Where("visit_id", "!=" if visits else "=", "")]
        if post_id:
            where.append(Where("post_id", "=", post_id))
        found = self.find(CALLOUTS, *where, order=("opened_at", "post_id"))
        return [item for item in found if item.hazard != NOTICE]

    def unreached(self) -> list[Callout]:
        """Return the latest callout of each post and chain where nobody answered or settled it since, by post."""
        latest = {(item.post_id, item.chain_id): item for item in self.callouts() if item.mode is Mode.CALL}
        return [item for _, item in sorted(latest.items()) if item.state in UNANSWERED]

    def visit(self, region: str) -> VisitList:
        """Return the latest visit list of a township, by its code or name.

        Raises:
            LookupError: It has none.
        """
        code = self.county.names().get(region, region)
        lists = self.find(VISITS, Where("region", "=", code), order=("opened_at",))
        if not lists:
            raise LookupError(f"{region} has no visit list by {self.local}")
        return lists[-1]

    def troubles(self, kind: str = "") -> list[Trouble]:
        """Return what people must look at, oldest first, of a kind where one is given."""
        where = [Where("kind", "=", kind)] if kind else []
        return self.find(TROUBLES, *where, order=("at",))

    def chains(self) -> list[Chain]:
        """Return the chains, oldest first."""
        return self.find(CHAINS, order=("opened_at",))

    def rounds(self) -> list[Round]:
        """Return the rounds of warnings, orders and alarms, oldest first."""
        return [row for row in self.find(ROUNDS, order=("opened_at",)) if row.hazard != NOTICE]

    def why(self, subject: str) -> list[str]:
        """Return what the ledger says about a chain, callout or attempt: `what: why`, in order."""
        return [f"{entry.what}: {entry.why}" for entry in self.ledger.step(lambda step: step.entries(subject))]

    def history(self) -> str:
        """Return the fingerprint of everything that was written down: SHA-256 over the heads of all chains."""
        return fingerprint(self.ledger.heads())

    def find(self, table: Table[R], *where: Where, order: tuple[str, ...] = ()) -> list[R]:
        """Return rows of the ledger."""
        return self.ledger.step(lambda step: step.find(table, *where, order=order, limit=ALL))


def fingerprint(heads: Sequence[tuple[str, int, str]]) -> str:
    """Return one hash for a whole history."""
    return hashlib.sha256(json.dumps(heads).encode()).hexdigest()
