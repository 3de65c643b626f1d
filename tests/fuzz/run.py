"""Hands spoiled documents to doors and counts how they end; each door in a process of its own, its memory bounded.

A seed and a number name a document: `python -m tests.fuzz --door warnings --seed 1 --only 217` hands in that one again.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from random import Random
from types import FrameType
from typing import Any

from tests.fuzz.doors import Door, LostError
from tests.fuzz.seeds import Seed

MEMORY_MAX_MIB = 1536
"""What a door may take in all before the system refuses it more."""
ONE_WITHIN_CPU_S = 30
LOOK_ROUND_EVERY = 100
TOLD_MAX = 20
MIB = 1024 * 1024

Tell = Callable[[str, int], None]


class TooSlowError(BaseException):
    """A document kept its door busy for too long. No `Exception`: no door may take it for a fault of the document."""


@dataclass
class Figures:
    """What became of the documents handed in at one door."""

    door: str
    seed: int
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    crashes: int = 0
    lost: int = 0
    too_slow: int = 0
    base_mib: int = 0
    peak_mib: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether every document ended as it should."""
        return self.inputs > 0 and not (self.crashes or self.lost or self.too_slow)


def fuzz(door: type[Door], inputs: int, seed: int, tell: Tell, only: int | None = None) -> Figures:
    """Hand in so many documents at one door, in a process of its own.

    Args:
        door: The door, opened in that process.
        inputs: How many.
        seed: Another seed gives other documents.
        tell: Told the door and how many documents are done.
        only: Hand in just the one of this number.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(door, inputs, seed, only, theirs), daemon=True)
    process.start()
    theirs.close()
    figures = Figures(door.name, seed)
    try:
        while isinstance(told := ours.recv(), int):
            tell(door.name, told)
        figures = Figures(**told)
    except EOFError:
        process.join()
        figures.crashes += 1
        figures.told.append(f"the process of door {door.name} died with status {process.exitcode}")
    process.join()
    return figures


def document(door: Door, seed: int, number: int) -> tuple[Seed, str]:
    """Make document `number` of a seed, and say how it was made; every ninth is handed in as it is."""
    chance = Random(f"{door.name}:{seed}:{number}")
    chosen = chance.choice(door.seeds())
    if number % 9 == 0:
        return chosen, "as it is"
    spoilers = chance.choices(door.spoilers(chosen.hint), k=chance.choice((1, 1, 1, 2, 3)))
    content = chosen.content
    for spoil in spoilers:
        content = spoil(content, chance)
    return Seed(content, chosen.hint), " + ".join(spoil.__name__ for spoil in spoilers)


def _work(made: type[Door], inputs: int, seed: int, only: int | None, told: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX_MIB * MIB, resource.RLIM_INFINITY))
    signal.signal(signal.SIGPROF, _too_slow)
    figures = Figures(made.name, seed)
    door = made()
    door.seeds()
    figures.base_mib = _peak_mib()
    ends: Counter[str] = Counter()
    for number in range(inputs) if only is None else (only,):
        given, how = document(door, seed, number)
        ends[_hand_in(door, given, f"{number} ({how}, {given.hint})", figures)] += 1
        if number % LOOK_ROUND_EVERY == LOOK_ROUND_EVERY - 1 or only is not None or number == inputs - 1:
            _note(figures, f"after {number}", door.look_round)
            told.send(number + 1)
    figures.inputs, figures.accepted, figures.refused = ends.total(), ends["accepted"], ends["refused"]
    figures.peak_mib = _peak_mib()
    told.send(asdict(figures))
    told.close()


def _hand_in(door: Door, given: Seed, where: str, figures: Figures) -> str:
    return _note(figures, where, lambda: door.hand_in(given.content, given.hint))


def _note(figures: Figures, where: str, work: Callable[[], Any]) -> str:
    """Run something; count and tell how it failed."""
    try:
        with _within(ONE_WITHIN_CPU_S):
            return str(work())
    except TooSlowError:
        figures.too_slow += 1
        figures.told.append(f"{where}: took over {ONE_WITHIN_CPU_S} s of work")
    except LostError as error:
        figures.lost += 1
        figures.told.append(f"{where}: {error}")
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for.
        figures.crashes += 1
        figures.told.append(f"{where}: {''.join(traceback.format_exc(limit=-4))}")
    del figures.told[TOLD_MAX:]
    return "failed"


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    # Work and not waiting: on a busy machine a sound door may wait for its turn.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlowError


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
