"""The night again without faults: what came in, in the order in which INTAKE took it, through the virtual-time runner.

Which rounds are opened for whom must not depend on who died when. Compared are the rounds of warnings and orders that
are opened or raised; what a continuation opens depends on who answered, so it may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from agents.callout.state import CALLOUTS
from agents.intake.state import CHAINS
from agents.plan.state import ROUNDS
from streams.clock import VirtualClock
from streams.ledger.contract import FullStep
from streams.ledger.memory import MemoryLedger
from streams.letters import Move
from streams.replay.runner import Runner
from streams.sim.county import START
from streams.sim.faults import Fault
from streams.sim.network import NUMBER_KEY
from streams.sim.world import World
from streams.wiring import TABLES, build

ALL = 1_000_000
EVERY = 8
"""Every eighth night is replayed: it costs as much as the night itself."""
REPLAYED = (Move.OPENED, Move.RAISED)


def a_replay_opens_the_same(world: World) -> Iterator[str]:
    """What came in, run again without faults, opens the same rounds for the same posts."""
    if world.seed % EVERY or world.faults & {Fault.ROSTER, Fault.JUMP}:
        return
    clock = VirtualClock(START - timedelta(seconds=10))
    ledger = MemoryLedger(TABLES)
    facts = world.editions[0]
    house = build(ledger=ledger, clock=clock, facts=facts, carriers=(), number_key=NUMBER_KEY, owner="replay")
    runner = Runner(house, clock)
    for at, letters in world.seen.intake:
        runner.run_until(max(at, clock.now()))
        for letter in letters:
            # Alarms come again of themselves: the readings are not played, so they are handed over as they were.
            runner.post(letter.model_copy(update={"not_before": clock.now()}))
            runner.run_until(clock.now())
    live, again = world.ledger.step(_opened), ledger.step(_opened)
    yield from (f"only live: {name}" for name in sorted(live - again))
    yield from (f"only in the replay: {name}" for name in sorted(again - live))


def _opened(step: FullStep) -> set[str]:
    """Return the rounds of warnings and orders, and the posts they were opened for."""
    chains = {row.id for row in step.find(CHAINS, limit=ALL) if row.source != "monitor"}
    rounds = {row.id: row for row in step.find(ROUNDS, limit=ALL) if row.chain_id in chains and row.move in REPLAYED}
    callouts = [row for row in step.find(CALLOUTS, limit=ALL) if row.round_id in rounds and not row.visit_id]
    return {f"{row.move} {name}" for name, row in rounds.items()} | {
        f"{rounds[row.round_id].move} {row.round_id} for {row.post_id}" for row in callouts
    }
