"""Many nights, and for one that breaks a law the shortest history that still breaks it."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.sim.faults import Fault, faults_of
from streams.sim.laws import Broken, broken_laws
from streams.sim.script import Event, script_of
from streams.sim.world import World

CHUNK = 4
RUNS_MAX = 80
TOLD_MAX = 40


@dataclass(frozen=True)
class NightSeen:
    """What one night came to: which laws it broke, and how much happened in it."""

    seed: int
    faults: frozenset[Fault]
    events: tuple[Event, ...]
    broken: tuple[Broken, ...]
    calls: int
    commits: int
    crashes: int
    died_at: tuple[str, ...]
    history: tuple[str, ...] = ()

    def told(self) -> str:
        """Say a night that broke a law: seed, what was broken, its faults, and a short history."""
        shown = [f"  {line}" for line in self.history[:TOLD_MAX]]
        left = len(self.history) - len(shown)
        lines = [f"night {self.seed} breaks {len(self.broken)} laws; run it again: jiaoying sim --seed {self.seed}"]
        lines += [f"  broken: {one}" for one in self.broken[:10]]
        lines += [f"  faults: {', '.join(sorted(self.faults)) or 'none'}", *shown]
        return "\n".join([*lines, *([f"  … and {left} lines more"] if left > 0 else [])])


def run_night(seed: int, faults: frozenset[Fault] | None = None, events: Sequence[Event] | None = None) -> NightSeen:
    """Run one night and check it.

    Args:
        seed: Everything follows from it.
        faults: Other kinds of faults than the seed's own.
        events: Other things that come in than the seed's own.
    """
    kinds = faults_of(seed) if faults is None else faults
    script = tuple(script_of(seed, kinds) if events is None else events)
    world = World(seed, kinds, script).run()
    broken = tuple(broken_laws(world))
    return NightSeen(
        seed=seed,
        faults=kinds,
        events=script,
        broken=broken,
        calls=len(world.network.rings),
        commits=world.store.commits,
        crashes=world.crashes,
        died_at=tuple(world.died_at),
        history=tuple(f"{at_s:7.1f} s  {text}" for at_s, text in world.history) if broken else (),
    )


def run_nights(seeds: Sequence[int], jobs: int = 1) -> Iterator[NightSeen]:
    """Run many nights, several at a time, and give each as it ends.

    Args:
        seeds: Which.
        jobs: How many processes; 1 runs them in this one.
    """
    if jobs <= 1:
        yield from map(run_night, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=be_quiet) as pool:
        yield from pool.imap_unordered(run_night, seeds, chunksize=CHUNK)


def be_quiet() -> None:
    """Let no log line of a night through: what goes wrong in it is meant to."""
    logging.disable(logging.CRITICAL)


def shorten(night: NightSeen) -> NightSeen:
    """Return the shortest night found that breaks the same law: fewer kinds of faults, then fewer events."""
    law = night.broken[0].law
    best, runs = night, 0
    while runs < RUNS_MAX:
        shorter = None
        for faults, events in _shorter(best):
            runs += 1
            tried = run_night(night.seed, faults, events)
            if any(one.law == law for one in tried.broken):
                shorter = tried
                break
            if runs >= RUNS_MAX:
                break
        if shorter is None:
            return best
        best = shorter
    return best


def _shorter(night: NightSeen) -> Iterator[tuple[frozenset[Fault], tuple[Event, ...]]]:
    half = len(night.events) // 2
    if half:
        yield night.faults, night.events[:half]
        yield night.faults, night.events[half:]
    for fault in sorted(night.faults):
        yield night.faults - {fault}, night.events
    for number in range(len(night.events)):
        yield night.faults, night.events[:number] + night.events[number + 1 :]
