"""How fast a large roster is loaded and asked: `python -m rosters.bench`. Figures, not a test; it makes its own people.

The county is invented: of its posts some are on shift for every day of a year, 24 hours each, the rest are standing.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rosters.county import County
from rosters.load import load_county

CODE = "419926000000"
DAYS = 365
FIRST = date(2021, 1, 1)
QUESTIONS = 20_000


@dataclass(frozen=True)
class Asked:
    """How long answers take: who holds a post, whose posts a number is, and the gaps of 14 days at every post."""

    who_median_us: float
    who_p99_us: float
    posts_of_number_median_us: float
    gaps_ms: float


@dataclass(frozen=True)
class Figures:
    """What was measured. Memory is the growth of the process while the county was loaded.

    `load_cpu_s` leaves out the time in which others had the machine.
    """

    people: int
    posts: int
    posts_on_shift: int
    shifts: int
    load_s: float
    load_cpu_s: float
    memory_mb: float
    asked: Asked


def write_county(folder: Path, people: int, posts: int, on_shift: int) -> None:
    """Write a county folder of this size: shifts as turns of pattern.csv would make them, but every one written out."""
    townships = [f"{CODE[:6]}{n:03d}000" for n in range(1, 21)]
    (folder / "county.yaml").write_text(f'code: "{CODE}"\nname: 试验县\nhandover: "08:00"\n', encoding="utf-8")
    _sheet(folder, "regions", "code,name,level,parent", (f"{code},镇{code[6:9]},township,{CODE}" for code in townships))
    _sheet(folder, "units", "id,name,region", (f"t{code[6:9]},镇{code[6:9]}政府,{code}" for code in townships))
    _sheet(folder, "people", "id,name,phones", (f"p{n},人{n},sim:m{n}:mobile" for n in range(people)))
    rows = (
        f"d{n},t{n % 20 + 1:03d},岗{n},duty_officer,township,{townships[n % 20]},"
        + ("yes," if n < on_shift else f",p{n % people}|p{(n + 1) % people}")
        for n in range(posts)
    )
    _sheet(folder, "posts", "id,unit,name,kind,level,region,on_shift,holders", rows)
    days = [FIRST + timedelta(days=n) for n in range(DAYS + 1)]
    shifts = (
        f"d{n},p{(5 * n + day % 5) % people},{days[day]} 08:00,{days[day + 1]} 08:00"
        for n in range(on_shift)
        for day in range(DAYS)
    )
    _sheet(folder, "shifts", "post,person,starts_at,ends_at", shifts)


def measure(people: int, posts: int, on_shift: int, seed: int = 1) -> Figures:
    """Write, load and ask a county of this size."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_county(folder, people, posts, on_shift)
        before_mb = _peak_mb()
        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        county = load_county(folder)
        load_s, load_cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
        memory_mb = _peak_mb() - before_mb
    return Figures(
        people=len(county.people),
        posts=len(county.posts),
        posts_on_shift=on_shift,
        shifts=len(county.shifts),
        load_s=round(load_s, 1),
        load_cpu_s=round(load_cpu_s, 1),
        memory_mb=round(memory_mb),
        asked=_ask(county, random.Random(seed)),  # noqa: S311 - which questions, not a secret.
    )


def _ask(county: County, chance: random.Random) -> Asked:
    posts, people = list(county.posts), list(county.people)
    begin = datetime(FIRST.year, 1, 2, tzinfo=UTC)
    times = [begin + timedelta(minutes=chance.randrange(360 * 1440)) for _ in range(QUESTIONS)]
    who_us = [_us(county.who, chance.choice(posts), at) for at in times]
    numbers = [f"sim:m{chance.choice(people)[1:]}" for _ in range(QUESTIONS // 20)]
    ends = begin + timedelta(days=14)
    return Asked(
        who_median_us=round(statistics.median(who_us), 1),
        who_p99_us=round(statistics.quantiles(who_us, n=100)[98], 1),
        posts_of_number_median_us=round(statistics.median(_us(county.posts_of_number, n, begin) for n in numbers), 1),
        gaps_ms=round(sum(_us(county.gaps, post, begin, ends) for post in posts) / 1000),
    )


def _us(question: Callable[..., object], *given: object) -> float:
    begun_ns = time.perf_counter_ns()
    question(*given)
    return (time.perf_counter_ns() - begun_ns) / 1000


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _sheet(folder: Path, name: str, header: str, rows: Iterable[str]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="\n") as file:
        file.write(header + "\n")
        file.writelines(f"{row}\n" for row in rows)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m rosters.bench", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--on-shift", type=int, default=1_200, help="posts on shift every day of the year")
    given = parser.parse_args()
    sys.stdout.write(json.dumps(asdict(measure(given.people, given.posts, given.on_shift)), indent=2) + "\n")


if __name__ == "__main__":
    main()
