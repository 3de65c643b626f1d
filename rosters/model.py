"""The people side of a county: regions, units, posts, people, phones, shifts, sites, stations, knockers.

Posts are chosen by function, never by title. Facts only; who holds a post at a time is answered in `resolve.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from rosters.numbers import NO_NUMBERS
from streams.words import Level, Model


class Region(Model):
    """A node of the 12-digit administrative tree. `parent` is empty for the county itself."""

    code: str = Field(pattern=r"^\d{12}$")
    name: str
    level: Literal[Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE]
    parent: str = ""
    danger: bool = False


class Unit(Model):
    """An office: a town government, a village committee, a reservoir's keeper. `parent` is the superior unit."""

    id: str
    name: str
    region: str
    parent: str = ""


class Phone(Model):
    """One number. `sim:` numbers exist only in the simulated network; others are E.164.

    `hand:` is no number but a name, such as `hand:radio-3`: a radio or satellite phone that a person calls by.
    `verified` says that a code came back from it (`agents/phones/`); no sheet can say so.
    """

    number: str = Field(pattern=r"^((sim|hand):[a-z0-9-]+|\+[1-9]\d{6,14})$")
    kind: Literal["mobile", "landline"] = "mobile"
    verified: bool = False

    @property
    def is_verified(self) -> bool:
        """Return whether it is known to be theirs; a simulated number, or a name to call by hand, needs no proof."""
        return self.verified or self.number.startswith(NO_NUMBERS)


class Person(Model):
    """A human with phones, the one to ring first in front."""

    id: str
    name: str
    phones: tuple[Phone, ...] = ()


class Site(Model):
    """A registered object inside a village.

    `kind` is reservoir, hazard_point, school, tailings_dam, building_site or enterprise.
    """

    id: str
    name: str
    kind: str
    region: str


class Post(Model):
    """A function of a unit that can be called.

    Args:
        kind: duty_officer, duty_leader, flood_chief (分管), main_leader, village_head, site_keeper, rescue_team.
        level: Where the post stands; SITE posts belong to a site inside `region`.
        region: 12-digit code of the region it answers for.
        on_shift: True where shifts say who holds it; else `holders` do.
        holders: Person ids of the A角, then the B角 (standing posts; for posts on shift the stand-in of last resort).
    """

    id: str
    unit: str
    name: str
    kind: str
    level: Level
    region: str
    site: str = ""
    on_shift: bool = False
    holders: tuple[str, ...] = ()


class Shift(Model):
    """A person holds a post from `starts_at` until just before `ends_at`; `deputy` stands beside (B角).

    `others` are further people of the shift, in the order of the sheet: whoever of them is first there stands beside
    where the deputy is away.
    """

    id: str
    post: str
    person: str
    deputy: str = ""
    others: tuple[str, ...] = ()
    starts_at: datetime
    ends_at: datetime

    @property
    def people(self) -> tuple[str, ...]:
        """Return the ids of everybody on this shift: the holder, the deputy, the others."""
        return tuple(filter(None, (self.person, self.deputy, *self.others)))


OverrideWhy = Literal["swap", "stand_in", "held_over"]


class Override(Shift):
    """A stretch in which somebody else holds a post than the published shifts say; see `changes.py`.

    Where overrides of one post overlap, the one made last is in force. A `deputy` of its own goes before the shift's.
    """

    why: OverrideWhy


class Absence(Model):
    """A person is away from `starts_at` until just before `ends_at` (leave, illness): nothing is held meanwhile."""

    person: str
    starts_at: datetime
    ends_at: datetime


class Knocker(Model):
    """Somebody who goes to the door in a village: 组长, 网格员, or of the next village (邻村)."""

    region: str
    name: str
    role: str
    phone: str = ""


class Station(Model):
    """A rain gauge or a river level, and the region it speaks for. `alarm_level_m` only for levels."""

    id: str
    name: str
    quantity: Literal["rain_mm", "level_m"]
    region: str
    guarantee_m: float | None = None
    alarm_level_m: float | None = None


class Held(Model):
    """Who holds a post, why, and by which shift or override."""

    person: Person
    why: Literal["shift", "standing", "deputy"] | OverrideWhy
    shift: str = ""
