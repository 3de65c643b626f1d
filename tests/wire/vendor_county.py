"""The sample county with numbers that the fake vendors dial, and the list by which they are approved.

The numbers begin with +86 120, which is no telephone's in China: should they ever reach a real carrier, nobody rings.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
APPROVED = "numbers.txt"
_SIMULATED = re.compile(r"sim:[a-z0-9-]+")


def write_county(folder: Path) -> Path:
    """Write the county into a folder that is made anew; return the file of its numbers.

    Raises:
        FileExistsError: The folder is there already and is none that was written here.
    """
    if folder.exists():
        if not (folder / APPROVED).exists():
            raise FileExistsError(f"{folder} is there already and holds something else; name another folder")
        shutil.rmtree(folder)
    shutil.copytree(SAMPLE, folder)
    (folder / "habits.csv").unlink()
    people = folder / "people.csv"
    words = people.read_text(encoding="utf-8-sig")
    found = sorted(set(_SIMULATED.findall(words)))
    numbers = {simulated: f"+86120{no:08d}" for no, simulated in enumerate(found)}
    people.write_text(_SIMULATED.sub(lambda each: numbers[each[0]], words), encoding="utf-8")
    approved = folder / APPROVED
    approved.write_text("\n".join(numbers.values()) + "\n", encoding="utf-8")
    return approved
