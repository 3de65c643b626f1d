"""People of the duty room: they take some of the calls that are put before them, and write down what came of it.

Every fifth county asks its people: leaders are called by a person first there, and some villages have a radio. What
people do follows from the seed and from the call, so that it is the same whatever else happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agents.callout.state import ANSWERED, CALLOUTS, CalloutState
from agents.dial.state import ATTEMPTS, Attempt, AttemptState
from config.rules import RuleBook
from rosters.model import Person, Phone
from rosters.numbers import BY_HAND_SCHEME
from streams.doors.orders import LogRequest, log_call
from streams.letters import HandResult
from streams.sim.faults import Chance
from streams.sim.store import Store, Write
from streams.sim.tasks import Tasks
from streams.words import Channel, Outcome

if TYPE_CHECKING:
    from streams.sim.world import World

EVERY = 5
HUMAN_FIRST_S = 90
AGAIN_S = 7.0
STOPPED = (CalloutState.CANCELLED, CalloutState.CORRECTED, CalloutState.SUPERSEDED, CalloutState.EXPIRED)


def asks_people(seed: int) -> bool:
    """Tell whether the county of a seed has calls that begin in people's hands."""
    return seed % EVERY == EVERY - 1


def with_people(book: RuleBook, seed: int) -> RuleBook:
    """Return the rules of a seed: where people are asked, they call the county's own posts first."""
    if not asks_people(seed):
        return book
    county = book.ladders["county"].model_copy(update={"human_first_s": HUMAN_FIRST_S})
    return book.model_copy(update={"ladders": {**book.ladders, "county": county}})


def with_radio(person: Person, seed: int) -> Person:
    """Return a person of a seed's county: where people are asked, a village head with one phone has a radio too."""
    if not asks_people(seed) or len(person.phones) != 1 or not person.id.endswith("head"):
        return person
    radio = Phone(number=f"{BY_HAND_SCHEME}{person.id}", kind="landline")
    return person.model_copy(update={"phones": (*person.phones, radio)})


class People:
    """Those who see the calls and write down what came of some of them."""

    def __init__(self, seed: int, tasks: Tasks, store: Store) -> None:
        """Take the seed, the clock and the ledger."""
        self._seed, self._tasks, self._store = seed, tasks, store
        self._seen: set[str] = set()

    def note(self, writes: Sequence[Write]) -> None:
        """See calls that were just put before people."""
        rows: list[Any] = [row for one in writes if one.verb == "save" for row in one.args[1]]
        for row in rows:
            mine = isinstance(row, Attempt) and row.channel is Channel.HAND and row.state is AttemptState.PLACED
            if mine and row.id not in self._seen:
                self._seen.add(row.id)
                self._plan(row.id)

    def _plan(self, attempt_id: str) -> None:
        chance = Chance(self._seed, attempt_id)
        results = tuple(result for result in HandResult if result is not HandResult.TAKEN)
        if chance.happens(0.6):
            result, after_s = chance.one_of((HandResult.SPOKEN, *results)), chance.between(5, 400)
            self._tasks.do(after_s / 2, lambda: self._write(attempt_id, HandResult.TAKEN))
            self._tasks.do(after_s, lambda: self._write(attempt_id, result))

    def _write(self, attempt_id: str, result: HandResult) -> None:
        """Write it down; with the database away it is tried again, as at the page."""
        if self._store.is_away:
            self._tasks.do(AGAIN_S, lambda: self._write(attempt_id, result))
            return
        request = LogRequest(by="值班员", result=result, spoken_to="本人")
        letter = log_call(request, attempt_id, ordered_at=self._tasks.now)
        self._store.commit(lambda step: step.write([letter]))


def what_people_write_down_counts(world: World) -> Iterator[str]:
    """Whoever a person spoke to is answered, but where the callout was stopped; nobody is on a word nobody wrote."""
    attempts = {item.id: item for item in world.find(ATTEMPTS) if item.channel is Channel.HAND}
    spoken = {item.id for item in attempts.values() if item.outcome in (Outcome.SPOKEN, Outcome.PROXY)}
    for callout in world.find(CALLOUTS):
        if spoken & set(callout.hand_ids) and callout.state not in (*ANSWERED, *STOPPED):
            yield f"{callout.post_id} is {callout.state} though somebody wrote that they spoke to it"
        if callout.state is CalloutState.SPOKEN and (
            callout.hand_receipt is None or callout.hand_receipt.attempt_id not in spoken
        ):
            yield f"{callout.post_id} counts as spoken to, and nobody wrote so"


LAWS = (what_people_write_down_counts,)
