"""A county small enough for a test to know everybody in it, with phones that carry the names of their posts.

溪口镇 has two villages and a hazard point, 柳林镇 one village. Whoever holds a standing post has the phone
`sim:<post>`, the B角 `sim:<post>-b`. Posts on shift change hands at 08:00: until the morning of the 20th their phone is
`sim:<post>-1`, after it `sim:<post>-2`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from rosters.county import County
from rosters.model import Knocker, Person, Phone, Post, Region, Shift, Site, Station, Unit
from streams.words import Level

ZONE = ZoneInfo("Asia/Shanghai")
COUNTY, XIKOU, LIULIN = "419926000000", "419926100000", "419926102000"
SHANGWAN, XIAWAN, JINPEN = "419926100201", "419926100202", "419926102208"
FIRST_SHIFT = datetime(2021, 7, 19, 8, tzinfo=ZONE)

REGIONS = (
    Region(code=XIKOU, name="溪口镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=SHANGWAN, name="上湾村", level=Level.VILLAGE, parent=XIKOU),
    Region(code=XIAWAN, name="下湾村", level=Level.VILLAGE, parent=XIKOU, danger=True),
    Region(code=LIULIN, name="柳林镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=JINPEN, name="金盆村", level=Level.VILLAGE, parent=LIULIN),
)
UNITS = (
    Unit(id="county", name="禾溪县人民政府", region=COUNTY),
    Unit(id="t100", name="溪口镇人民政府", region=XIKOU, parent="county"),
    Unit(id="t102", name="柳林镇人民政府", region=LIULIN, parent="county"),
    Unit(id="v201", name="上湾村村委会", region=SHANGWAN, parent="t100"),
    Unit(id="v202", name="下湾村村委会", region=XIAWAN, parent="t100"),
    Unit(id="v208", name="金盆村村委会", region=JINPEN, parent="t102"),
)
# Post id: unit, kind, level, region, site.
ON_SHIFT = {
    "c-duty": ("county", "duty_officer", Level.COUNTY, COUNTY, ""),
    "c-leader": ("county", "duty_leader", Level.COUNTY, COUNTY, ""),
    "t100-duty": ("t100", "duty_officer", Level.TOWNSHIP, XIKOU, ""),
    "t100-leader": ("t100", "duty_leader", Level.TOWNSHIP, XIKOU, ""),
    "t102-duty": ("t102", "duty_officer", Level.TOWNSHIP, LIULIN, ""),
}
STANDING = {
    "c-main": ("county", "main_leader", Level.COUNTY, COUNTY, ""),
    "t100-main": ("t100", "main_leader", Level.TOWNSHIP, XIKOU, ""),
    "v201-head": ("v201", "village_head", Level.VILLAGE, SHANGWAN, ""),
    "v202-head": ("v202", "village_head", Level.VILLAGE, XIAWAN, ""),
    "v202-safety": ("v202", "safety_officer", Level.VILLAGE, XIAWAN, ""),
    "hz1-keeper": ("v202", "site_keeper", Level.SITE, XIAWAN, "hz1"),
    "v208-head": ("v208", "village_head", Level.VILLAGE, JINPEN, ""),
}
LINE_PHONE = {"c-line": ("county", "line_check", Level.COUNTY, COUNTY, "")}


def small_county(
    *,
    vacant: Collection[str] = (),
    numbers: Mapping[str, str] | None = None,
    second_phones: Mapping[str, str] | None = None,
    landlines: Collection[str] = (),
    line_phone: bool = False,
) -> County:
    """Return the county.

    Args:
        vacant: Posts on shift that nobody holds in the first shift, and that have no stand-in.
        numbers: Another number for whoever holds a post, so that two can share a phone.
        second_phones: A second phone of a post's holder.
        landlines: Whose first phone is a landline.
        line_phone: Also the post `c-line`, which nothing but a line check rings.
    """
    standing = {**STANDING, **(LINE_PHONE if line_phone else {})}
    numbers, second_phones = numbers or {}, second_phones or {}
    names = [*(f"{post}-{turn}" for post in ON_SHIFT for turn in (1, 2))]
    names += [name for post in standing for name in (post, f"{post}-b")]
    people = []
    for name in names:
        kind: Literal["mobile", "landline"] = "landline" if name in landlines else "mobile"
        phones = [Phone(number=numbers.get(name, f"sim:{name}"), kind=kind)]
        phones += [Phone(number=second_phones[name])] if name in second_phones else []
        people.append(Person(id=name, name=name, phones=tuple(phones)))
    posts = [_post(post, *facts, on_shift=True, holders=()) for post, facts in ON_SHIFT.items()]
    posts += [_post(post, *facts, on_shift=False, holders=(post, f"{post}-b")) for post, facts in standing.items()]
    return County(
        COUNTY,
        "禾溪县",
        ZONE,
        REGIONS,
        UNITS,
        posts,
        people,
        [shift for post in ON_SHIFT for shift in _shifts(post, post in vacant)],
        sites=(Site(id="hz1", name="鹰嘴岩滑坡点", kind="hazard_point", region=XIAWAN),),
        knockers=tuple(
            Knocker(region=code, name=f"{name}组长", role="组长")
            for code, name in ((SHANGWAN, "上湾"), (XIAWAN, "下湾"), (JINPEN, "金盆"))
        ),
        stations=(
            Station(id="R1", name="溪口雨量站", quantity="rain_mm", region=XIKOU),
            Station(id="R2", name="下湾雨量站", quantity="rain_mm", region=XIAWAN),
            Station(id="L1", name="溪口水位站", quantity="level_m", region=XIKOU, guarantee_m=86.5),
        ),
    )


def _post(
    post: str,
    unit: str,
    kind: str,
    level: Level,
    region: str,
    site: str,
    *,
    on_shift: bool,
    holders: tuple[str, ...],
) -> Post:
    return Post(
        id=post,
        unit=unit,
        name=post,
        kind=kind,
        level=level,
        region=region,
        site=site,
        on_shift=on_shift,
        holders=holders,
    )


def _shifts(post: str, vacant: bool) -> list[Shift]:
    change = FIRST_SHIFT + timedelta(days=1)
    first = Shift(id=f"{post}@1", post=post, person=f"{post}-1", starts_at=FIRST_SHIFT, ends_at=change)
    second = Shift(id=f"{post}@2", post=post, person=f"{post}-2", starts_at=change, ends_at=change + timedelta(days=2))
    return [second] if vacant else [first, second]
