"""A county as it is called: its tree of regions, its offices and posts, and who holds each post at a time.

Built once from the models of `rosters/model.py` and never changed after; a new roster is a new County with a new
`version`. It answers questions only: it reads no file and no clock, and it never puts a stand-in where nobody is on
duty.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from functools import partial
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from rosters.model import (
    Absence,
    Held,
    Knocker,
    Override,
    OverrideWhy,
    Person,
    Phone,
    Post,
    Region,
    Shift,
    Site,
    Station,
    Unit,
)
from rosters.overlay import Overlay, gaps_between
from rosters.resolve import Timeline
from streams.ids import digest
from streams.words import Level, Model

K = TypeVar("K")
V = TypeVar("V")

DUTY_OFFICER = "duty_officer"
DUTY_LEADER = "duty_leader"
DANGER_SITES = frozenset({"hazard_point", "reservoir", "tailings_dam"})


class County:
    """One county and its roster.

    Args:
        code: 12-digit code of the county, as are all region codes here.
        name: As it is spoken, 禾溪县.
        timezone: The zone that times are shown and shifts are written in.
        regions: The county itself may be left out.
        shifts: Of two that start together at one post, the later in this list is in force.
        version: Names this very roster; by default a digest of everything above.
        handover: Local time at which a day of duty changes, where a sheet gives no hours.
    """

    def __init__(  # noqa: PLR0913 - its arguments are the sheets a county keeps
        self,
        code: str,
        name: str,
        timezone: ZoneInfo,
        regions: Iterable[Region],
        units: Iterable[Unit],
        posts: Iterable[Post],
        people: Iterable[Person],
        shifts: Iterable[Shift],
        sites: Iterable[Site] = (),
        knockers: Iterable[Knocker] = (),
        stations: Iterable[Station] = (),
        version: str = "",
        handover: time = time(8, 0),
    ) -> None:
        self.code, self.name, self.zone, self.handover = code, name, timezone, handover
        itself = Region(code=code, name=name, level=Level.COUNTY)
        self.regions: Mapping[str, Region] = {code: itself} | {region.code: region for region in regions}
        self.units: Mapping[str, Unit] = {unit.id: unit for unit in units}
        self.posts: Mapping[str, Post] = {post.id: post for post in sorted(posts, key=lambda post: post.id)}
        self.people: Mapping[str, Person] = {person.id: person for person in people}
        self.sites: Mapping[str, Site] = {site.id: site for site in sites}
        self.stations: Mapping[str, Station] = {station.id: station for station in stations}
        all_shifts, all_knockers = tuple(shifts), tuple(knockers)
        self.shifts: tuple[Shift, ...] = all_shifts
        sheets = (self.regions, self.units, self.posts, self.people, self.sites, self.stations)
        rows = [*(row for sheet in sheets for row in sheet.values()), *all_shifts, *all_knockers]
        self.version = version or _digest_of(code, name, timezone.key, rows)
        self._lineage = {region: tuple(self._walk_up(region)) for region in self.regions}
        self._knockers = _grouped((knocker.region, knocker) for knocker in all_knockers)
        self._unit_posts = _grouped(((post.unit, post.kind), post) for post in self.posts.values())
        self._level_posts = _grouped((post.level, post) for post in self.posts.values())
        by_post = _grouped((shift.post, shift) for shift in all_shifts)
        self._timelines: Mapping[str, Timeline[Shift]] = {post: Timeline(rows) for post, rows in by_post.items()}
        self.overlay = Overlay()
        self._posts_of_person = self._index_people(all_shifts)
        self._people_of_number = _grouped(
            (phone.number, person.id) for person in self.people.values() for phone in person.phones
        )

    # Who

    def who(self, post_id: str, at: datetime, role: Literal["holder", "deputy"] = "holder") -> Held | None:
        """Return who holds a post at `at` (aware), or who stands beside it.

        An override that is in force comes before everything else, and says why. Else the holder of a post on shift is
        whoever is on shift, and nobody else: None where nobody is, or who should be is away. Its deputy is the shift's
        B角, else the first of its others who is there, else the post's stand-in of last resort (the last of its
        `holders`). A standing post is held by the first of its `holders` who is not away; the next one is its deputy.
        A post that is no longer in the roster is held by nobody.
        """
        post = self.posts.get(post_id)
        if post is None:
            return None
        override = self.overlay.override(post_id, at)
        if override and role == "holder":
            return self._held(override.person, override.why, override.id)
        if override and override.deputy:
            return self._held(override.deputy, "deputy", override.id)
        if not post.on_shift:
            return self._standing(post, at, role, override)
        shift = self.shift(post_id, at)
        if role == "holder":
            here = shift is not None and not self.overlay.is_away(shift.person, at)
            return self._held(shift.person, "shift", shift.id) if shift and here else None
        holder = override.person if override else shift.person if shift else ""
        for person in shift.people[1:] if shift else ():
            if person != holder and shift and not self.overlay.is_away(person, at):
                return self._held(person, "deputy", shift.id)
        beside = [person for person in post.holders if person != holder and not self.overlay.is_away(person, at)]
        return self._held(beside[-1], "deputy") if beside else None

    def shift(self, post_id: str, at: datetime) -> Shift | None:
        """Return the published shift in force at a post at `at`, whatever was changed on top of it."""
        timeline = self._timelines.get(post_id)
        return timeline.at(at) if timeline else None

    def changed(self, overrides: Iterable[Override], absences: Iterable[Absence], version: str) -> County:
        """Return this county with overrides and absences on top, the later in the list before the earlier.

        It shares everything else with this one, so that a change costs nothing in a county of any size.
        """
        new = copy.copy(self)
        new.version = version
        new.overlay = Overlay((*self.overlay.overrides, *overrides), (*self.overlay.absences, *absences))
        new._posts_of_person = new.overlay.posts_of_person(self._posts_of_person)
        return new

    def verified_by(self, is_verified: Callable[[Person, Phone], bool]) -> County:
        """Return this county with the phones marked as verified that are; nothing else is different in it."""
        new = copy.copy(self)
        new.people = {
            person.id: person.model_copy(
                update={
                    "phones": tuple(
                        phone.model_copy(update={"verified": is_verified(person, phone)}) for phone in person.phones
                    )
                }
            )
            for person in self.people.values()
        }
        return new

    def posts_of_number(self, number: str, at: datetime) -> tuple[str, ...]:
        """Return the ids of the posts that whoever has this number holds or deputises at `at`, in order."""
        people = self._people_of_number.get(number, ())
        candidates = sorted({post for person in people for post in self._posts_of_person.get(person, ())})
        return tuple(post for post in candidates if self._stands_at(post, people, at))

    def next_change(self, post_ids: Iterable[str], after: datetime) -> datetime | None:
        """Return the next time strictly after `after` at which one of these posts may change hands."""
        wanted = frozenset(post_ids)
        changes = [self._timelines[post].next_change(after) for post in wanted if post in self._timelines]
        changes += self.overlay.next_changes(wanted, self._posts_of_person, after)
        return min((change for change in changes if change is not None), default=None)

    def gaps(self, post_id: str, starts_at: datetime, ends_at: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return when, between two times, nobody is on shift at a post on shift; a standing post has no gaps."""
        post = self.posts[post_id]
        if not post.on_shift:
            return ()
        if self.overlay.overrides or self.overlay.absences:
            return gaps_between(
                starts_at, ends_at, lambda at: self.who(post_id, at) is not None, partial(self.next_change, (post_id,))
            )
        timeline = self._timelines.get(post_id)
        return timeline.gaps(starts_at, ends_at) if timeline else ((starts_at, ends_at),)

    def stands(self, person_id: str) -> bool:
        """Return whether a person holds or deputises a post, now or on any shift of this roster."""
        return person_id in self._posts_of_person

    def posts_of_person(self, person_id: str) -> tuple[str, ...]:
        """Return the ids of the posts that a person holds or deputises, now or on any shift of this roster."""
        return tuple(post for post in self._posts_of_person.get(person_id, ()) if post in self.posts)

    # Which posts

    def posts_where(
        self,
        *,
        level: Level,
        kinds: Collection[str],
        regions: Collection[str] | None = None,
        site_kinds: Collection[str] = (),
    ) -> tuple[Post, ...]:
        """Return the posts of a level and of some kinds, by id.

        Args:
            level: Where the post stands.
            kinds: Functions: duty_officer, village_head …
            regions: Region codes; a post matches in one of them or anywhere below it. None = the whole county.
            site_kinds: Where any are given, only posts of sites of these kinds.
        """
        wanted = None if regions is None else frozenset(regions)
        return tuple(
            post
            for post in self._level_posts.get(level, ())
            if post.kind in kinds
            and (wanted is None or not wanted.isdisjoint(self._lineage.get(post.region, (post.region,))))
            and (not site_kinds or (post.site in self.sites and self.sites[post.site].kind in site_kinds))
        )

    def leader_post(self, post: Post) -> Post | None:
        """Return the leader on duty of the post's unit, or of the nearest superior unit that has one; never itself."""
        return self._nearest(post, DUTY_LEADER, include_own=True)

    def superior_post(self, post: Post) -> Post | None:
        """Return the duty officer one level up: of the township for a village or site, of the county for a township.

        None for the county itself, and never the post itself.
        """
        return self._nearest(post, DUTY_OFFICER, include_own=post.level in {Level.VILLAGE, Level.SITE})

    def duty_post(self, unit_id: str) -> Post | None:
        """Return the duty officer's post of a unit, if it has one."""
        return next(iter(self._unit_posts.get((unit_id, DUTY_OFFICER), ())), None)

    def unit_region(self, unit_id: str) -> str:
        """Return the code of the region a unit stands for.

        Raises:
            KeyError: There is no such unit.
        """
        return self.units[unit_id].region

    def danger(self, post: Post) -> bool:
        """Return whether a post is on the danger list: by its region, or by what its site is."""
        region = self.regions.get(post.region)
        site = self.sites.get(post.site)
        flagged = region is not None and region.danger
        return flagged or (site is not None and site.kind in DANGER_SITES)

    def place(self, post: Post) -> str:
        """Return the short name of the place a post answers for, as it is spoken: 村, 点位, 镇 or 县."""
        if post.site in self.sites:
            return self.sites[post.site].name
        return self.regions[post.region].name if post.region in self.regions else self.name

    # Where

    def covers(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Return the regions of this county that issued geocodes mean, in order and without repeats.

        Codes have 2 to 12 digits, with or without trailing zeros. A province or prefecture that contains the county
        means the county; a code inside the county that is not in the tree (codes change each year) means the nearest
        region above it, for calling too widely is the safer mistake; a code outside means nothing.
        """
        return tuple(dict.fromkeys(region for code in codes if (region := self._region_of_code(code.strip()))))

    def township_of(self, region_code: str) -> str:
        """Return the township a region is or lies in; "" for the county, and for a code that is not in the tree."""
        for code in self._lineage.get(region_code, ()):
            if self.regions[code].level is Level.TOWNSHIP:
                return code
        return ""

    def ancestors(self, region_code: str) -> tuple[str, ...]:
        """Return the regions above one, nearest first; empty for the county, and for a code not in the tree."""
        return self._lineage.get(region_code, ())[1:]

    def below(self, region_code: str, level: Level) -> tuple[Region, ...]:
        """Return the regions of a level inside one, by code; the region itself where it is of that level."""
        inside = (code for code, lineage in self._lineage.items() if region_code in lineage)
        return tuple(self.regions[code] for code in sorted(inside) if self.regions[code].level is level)

    def knockers(self, region_code: str) -> tuple[Knocker, ...]:
        """Return who goes to the door in a village, in the order they are listed."""
        return self._knockers.get(region_code, ())

    def names(self) -> dict[str, str]:
        """Return township and village names, and villages with their township in front, each with its region code.

        A name that two regions share is left out: with its township in front it is still there.
        """
        below = [region for region in self.regions.values() if region.level is not Level.COUNTY]
        named = [(region.name, region.code) for region in below]
        named += [
            (self.regions[region.parent].name + region.name, region.code)
            for region in below
            if region.level is Level.VILLAGE and region.parent in self.regions
        ]
        often = Counter(name for name, _ in named)
        return {name: code for name, code in named if often[name] == 1}

    # Indexes

    def _walk_up(self, code: str) -> Iterator[str]:
        seen: set[str] = set()
        while code in self.regions and code not in seen:
            seen.add(code)
            yield code
            code = self.regions[code].parent or ("" if code == self.code else self.code)

    def _index_people(self, shifts: Sequence[Shift]) -> Mapping[str, tuple[str, ...]]:
        standing = ((person, post.id) for post in self.posts.values() for person in post.holders)
        on_shift = ((person, shift.post) for shift in shifts for person in shift.people)
        return _grouped({*standing, *on_shift})

    def _held(self, person: str, why: Literal["shift", "standing", "deputy"] | OverrideWhy, shift: str = "") -> Held:
        return Held(person=self.people[person], why=why, shift=shift)

    def _standing(
        self, post: Post, at: datetime, role: Literal["holder", "deputy"], override: Override | None
    ) -> Held | None:
        first = override.person if override else ""
        here = [person for person in post.holders if person != first and not self.overlay.is_away(person, at)]
        if role == "holder":
            return self._held(here[0], "standing" if here[0] == post.holders[0] else "deputy") if here else None
        # Without an override the first who is there holds it, and the next one stands beside.
        beside = here[:1] if override else here[1:2]
        return self._held(beside[0], "deputy") if beside else None

    def _stands_at(self, post: str, people: Collection[str], at: datetime) -> bool:
        standing = (self.who(post, at), self.who(post, at, "deputy"))
        return any(held is not None and held.person.id in people for held in standing)

    def _nearest(self, post: Post, kind: str, *, include_own: bool) -> Post | None:
        seen: set[str] = set()
        unit = self.units.get(post.unit)
        while unit is not None and unit.id not in seen:
            seen.add(unit.id)
            found = self._unit_posts.get((unit.id, kind), ())
            if found and (unit.id != post.unit or (include_own and post.kind != kind)):
                return found[0]
            unit = self.units.get(unit.parent)
        return None

    def _region_of_code(self, code: str) -> str | None:
        if not code.isdecimal() or not 2 <= len(code) <= 12:
            return None
        full = code.ljust(12, "0")
        if full in self.regions:
            return full
        for width in (2, 4):
            if full[width:].strip("0") == "" and self.code.startswith(full[:width]):
                return self.code
        if not full.startswith(self.code[:6]):
            return None
        township = full[:9].ljust(12, "0")
        return township if township in self.regions else self.code


def _grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}


def _digest_of(code: str, name: str, zone: str, rows: Sequence[Model]) -> str:
    return digest(code, name, zone, *(f"{type(row).__name__}{row.model_dump_json()}" for row in rows))
