"""A county of any size, made in memory: nobody's names, nobody's numbers, one post per person and number."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rosters.county import DUTY_OFFICER, County
from rosters.model import Person, Phone, Post, Region, Shift, Unit
from streams.words import Level

CODE = "990000000000"
VILLAGES_PER_TOWNSHIP = 99
VILLAGE_HEAD = "village_head"


def synthetic_county(posts: int, at: datetime) -> County:
    """Return a county with this many posts: a duty officer per township, and its villages with a head each.

    Args:
        posts: From 2 to 100,000; one is the county's own duty officer.
        at: A time within the shifts of the duty officers.

    Raises:
        ValueError: The tree of twelve-digit codes has no room for so many.
    """
    if not 2 <= posts <= 100_000:
        raise ValueError(f"a synthetic county has 2 to 100,000 posts, not {posts}")
    made = _Making(at)
    made.add("bench-c", Level.COUNTY, CODE, "county", DUTY_OFFICER)
    left = posts - 1
    number = 0
    while left > 0:
        number += 1
        villages = min(VILLAGES_PER_TOWNSHIP, left - 1)
        made.add_township(number, villages)
        left -= villages + 1
    return made.county()


class _Making:
    def __init__(self, at: datetime) -> None:
        self._at = at
        self._regions: list[Region] = []
        self._units = [Unit(id="county", name="测试县值班室", region=CODE)]
        self._posts: list[Post] = []
        self._people: list[Person] = []
        self._shifts: list[Shift] = []

    def add_township(self, number: int, villages: int) -> None:
        code = f"990000{number:04d}00"
        unit = f"t{number}"
        self._regions.append(Region(code=code, name=f"{number}号镇", level=Level.TOWNSHIP, parent=CODE))
        self._units.append(Unit(id=unit, name=f"{number}号镇政府", region=code, parent="county"))
        self.add(f"bench-{unit}", Level.TOWNSHIP, code, unit, DUTY_OFFICER)
        for village in range(1, villages + 1):
            inside = f"990000{number:04d}{village:02d}"
            self._regions.append(Region(code=inside, name=f"{village}号村", level=Level.VILLAGE, parent=code))
            self.add(f"bench-{unit}-{village}", Level.VILLAGE, inside, unit, VILLAGE_HEAD)

    def add(self, post: str, level: Level, region: str, unit: str, kind: str) -> None:
        on_shift = kind == DUTY_OFFICER
        self._people.append(Person(id=post, name=post, phones=(Phone(number=f"sim:{post}"),)))
        holders = () if on_shift else (post,)
        self._posts.append(
            Post(
                id=post,
                unit=unit,
                name=post,
                kind=kind,
                level=level,
                region=region,
                on_shift=on_shift,
                holders=holders,
            )
        )
        if on_shift:
            day = timedelta(days=1)
            self._shifts.append(
                Shift(id=f"{post}@1", post=post, person=post, starts_at=self._at - day, ends_at=self._at + 30 * day)
            )

    def county(self) -> County:
        zone = ZoneInfo("Asia/Shanghai")
        return County(
            CODE, "测试县", zone, self._regions, self._units, self._posts, self._people, self._shifts, version="bench"
        )
