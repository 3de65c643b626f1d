"""The sample county for the end-to-end tests: a part of it with simulated telephones, or all of it with real numbers.

The numbers are of the range that carriers' fakes use and nobody has.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
TOWNSHIP = "419926201"
SIMULATED = re.compile(r"sim:[a-z0-9-]+")

Habits = Mapping[str, tuple[str, int]]
"""What a telephone does, by number, and after how many calls it answers instead (0 = never)."""


def one_township(target: Path) -> Path:
    """Write the county with a single township: the one where a village has no coverage."""
    target.mkdir()
    posts = {row["id"] for row in rows_of("posts.csv") if _inside(row["region"])}
    keep: dict[str, Callable[[dict[str, str]], bool]] = {
        "regions.csv": lambda row: _inside(row["code"]),
        "units.csv": lambda row: _inside(row["region"]),
        "sites.csv": lambda row: _inside(row["region"]),
        "posts.csv": lambda row: row["id"] in posts,
        "people.csv": lambda row: True,
        "shifts.csv": lambda row: row["post"] in posts,
        "pattern.csv": lambda row: row["post"] in posts,
        "knockers.csv": lambda row: _inside(row["region"]),
        "stations.csv": lambda row: _inside(row["region"]),
        "habits.csv": lambda row: True,
    }
    (target / "county.yaml").write_text((SAMPLE / "county.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name, wanted in keep.items():
        _write(target / name, [row for row in rows_of(name) if wanted(row)], list(rows_of(name)[0]))
    return target


def whole_county(target: Path, posts: int) -> Path:
    """Write the whole county, with as many safety officers more as it takes to have so many posts."""
    shutil.copytree(SAMPLE, target)
    known, people = rows_of("posts.csv"), rows_of("people.csv")
    like = [row for row in known if row["kind"] == "safety_officer"][: posts - len(known)]
    more = [{**row, "id": f"{row['id']}-more", "holders": f"more{no:04d}"} for no, row in enumerate(like)]
    holders = [
        {"id": f"more{no:04d}", "name": f"安全员{no}", "phones": f"sim:more{no:04d}:mobile"} for no in range(len(like))
    ]
    _write(target / "posts.csv", [*known, *more], list(known[0]))
    _write(target / "people.csv", [*people, *holders], list(people[0]))
    return target


def with_real_numbers(county: Path) -> Habits:
    """Give every person of a county a number that a real carrier dials; return what their telephones do."""
    people = rows_of("people.csv", county)
    found = sorted({number for row in people for number in SIMULATED.findall(row["phones"])})
    numbers = {simulated: f"+1500{no:07d}" for no, simulated in enumerate(found)}
    habits = {row["number"]: (row["habit"], int(row["after"] or 0)) for row in rows_of("habits.csv", county)}
    for row in people:
        row["phones"] = SIMULATED.sub(lambda match: numbers[match[0]], row["phones"])
    _write(county / "people.csv", people, list(people[0]))
    (county / "habits.csv").unlink()
    return {numbers[simulated]: habits.get(simulated, ("answers", 0)) for simulated in found}


def rows_of(name: str, folder: Path = SAMPLE) -> list[dict[str, str]]:
    """Read a sheet."""
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]], columns: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns)
        writer.writeheader()
        writer.writerows(rows)


def _inside(code: str) -> bool:
    return code.startswith(TOWNSHIP) or code.endswith("000000")
