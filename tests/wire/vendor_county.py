"""The sample county with numbers that the fake vendors dial, the list by which they are approved, and their habits.

The numbers begin with +86 120, which is no telephone's in China, or with +1 500, which is nobody's in America: should
they ever reach a real carrier, nobody rings.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from agents.dial.carriers.simulated import Habit, load_habits

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
APPROVED = "numbers.txt"
_SIMULATED = re.compile(r"sim:[a-z0-9-]+")


class Written(NamedTuple):
    """The file of a county's numbers, and what the telephone of each does."""

    approved: Path
    habits: dict[str, Habit]


def write_county(folder: Path, *, some_abroad: bool = False) -> Written:
    """Write the county into a folder that is made anew.

    Args:
        folder: Where to.
        some_abroad: Half of the numbers are such as only Twilio dials: then both vendors have something to do.

    Raises:
        FileExistsError: The folder is there already and is none that was written here.
    """
    if folder.exists():
        if not (folder / APPROVED).exists():
            raise FileExistsError(f"{folder} is there already and holds something else; name another folder")
        shutil.rmtree(folder)
    shutil.copytree(SAMPLE, folder)
    habits = load_habits(folder / "habits.csv")
    (folder / "habits.csv").unlink()
    people = folder / "people.csv"
    words = people.read_text(encoding="utf-8-sig")
    found = sorted(set(_SIMULATED.findall(words)))
    numbers = {
        simulated: f"+1500{no:07d}" if some_abroad and no % 2 else f"+86120{no:08d}"
        for no, simulated in enumerate(found)
    }
    people.write_text(_SIMULATED.sub(lambda each: numbers[each[0]], words), encoding="utf-8")
    approved = folder / APPROVED
    approved.write_text("\n".join(numbers.values()) + "\n", encoding="utf-8")
    return Written(approved, {numbers[simulated]: habits.get(simulated, Habit()) for simulated in found})
