"""What a county answers: who holds a post, which posts, and what a geocode means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rosters.county import County
from rosters.model import Absence, Knocker, Person, Phone, Post, Region, Shift, Site, Unit
from streams.words import Level
from tests.unit.duty_county import a_shift, duty_county

COUNTY = "419926000000"
EAST, WEST = "419926101000", "419926102000"
BEND, HILL, WEST_BEND = "419926101201", "419926101202", "419926102201"
EIGHT = datetime(2021, 7, 20, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)

REGIONS = (
    Region(code=EAST, name="东镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=WEST, name="西镇", level=Level.TOWNSHIP, parent=COUNTY),
    Region(code=BEND, name="柳湾村", level=Level.VILLAGE, parent=EAST),
    Region(code=HILL, name="高坎村", level=Level.VILLAGE, parent=EAST, danger=True),
    Region(code=WEST_BEND, name="柳湾村", level=Level.VILLAGE, parent=WEST),
)
UNITS = (
    Unit(id="county", name="县政府", region=COUNTY),
    Unit(id="east", name="东镇政府", region=EAST, parent="county"),
    Unit(id="west", name="西镇政府", region=WEST, parent="county"),
    Unit(id="bend", name="柳湾村委会", region=BEND, parent="east"),
    Unit(id="hill", name="高坎村委会", region=HILL, parent="east"),
    Unit(id="dam", name="水库管理所", region=BEND, parent="east"),
)


def post(post_id: str, unit: str, kind: str, level: Level, region: str, **more: Any) -> Post:
    return Post(id=post_id, unit=unit, name=post_id, kind=kind, level=level, region=region, **more)


POSTS = (
    post("county-duty", "county", "duty_officer", Level.COUNTY, COUNTY, on_shift=True),
    post("county-leader", "county", "duty_leader", Level.COUNTY, COUNTY, on_shift=True),
    post("east-duty", "east", "duty_officer", Level.TOWNSHIP, EAST, on_shift=True, holders=("spare",)),
    post("east-leader", "east", "duty_leader", Level.TOWNSHIP, EAST, on_shift=True),
    post("east-flood", "east", "flood_chief", Level.TOWNSHIP, EAST, holders=("chief",)),
    post("west-duty", "west", "duty_officer", Level.TOWNSHIP, WEST, on_shift=True),
    post("bend-head", "bend", "village_head", Level.VILLAGE, BEND, holders=("head", "second")),
    post("hill-head", "hill", "village_head", Level.VILLAGE, HILL, holders=("second",)),
    post("dam-keeper", "dam", "site_keeper", Level.SITE, BEND, site="dam", holders=("head", "keeper")),
    post("school-keeper", "east", "site_keeper", Level.SITE, BEND, site="school", holders=("keeper",)),
)
SITES = (
    Site(id="dam", name="龙潭水库", kind="reservoir", region=BEND),
    Site(id="school", name="中心小学", kind="school", region=BEND),
)
PEOPLE = (
    *(
        Person(id=name, name=name, phones=(Phone(number="sim:room", kind="landline"), Phone(number=f"sim:{name}")))
        for name in ("ann", "ben", "spare")
    ),
    *(Person(id=name, name=name, phones=(Phone(number=f"sim:{name}"),)) for name in ("chief", "head", "second")),
    Person(id="keeper", name="keeper", phones=(Phone(number="sim:head"),)),
)
SHIFTS = (
    Shift(id="s1", post="east-duty", person="ann", deputy="ben", starts_at=EIGHT - DAY, ends_at=EIGHT),
    Shift(id="s2", post="east-duty", person="ben", starts_at=EIGHT, ends_at=EIGHT + DAY),
)


def build(**more: Any) -> County:
    sheets: dict[str, Any] = {
        "regions": REGIONS,
        "units": UNITS,
        "posts": POSTS,
        "people": PEOPLE,
        "shifts": SHIFTS,
        "sites": SITES,
        "knockers": (Knocker(region=BEND, name="组长", role="组长"),),
    }
    return County(COUNTY, "禾溪县", ZoneInfo("Asia/Shanghai"), **(sheets | more))


@pytest.fixture(scope="module")
def county() -> County:
    return build()


def held_by(county: County, post_id: str, at: datetime, role: Any = "holder") -> tuple[str, str] | None:
    held = county.who(post_id, at, role)
    return (held.person.id, held.why) if held else None


def test_until_the_last_instant_before_eight_the_old_shift_holds_the_post(county: County) -> None:
    assert held_by(county, "east-duty", EIGHT - INSTANT) == ("ann", "shift")


def test_at_eight_the_new_shift_holds_the_post_and_is_named(county: County) -> None:
    held = county.who("east-duty", EIGHT.astimezone(UTC))
    assert held is not None
    assert (held.person.id, held.shift) == ("ben", "s2")


def test_nobody_on_shift_is_held_by_nobody_although_there_is_a_stand_in(county: County) -> None:
    assert county.who("east-duty", EIGHT + DAY) is None


def test_nobody_on_shift_leaves_the_stand_in_as_deputy(county: County) -> None:
    assert held_by(county, "east-duty", EIGHT + DAY, "deputy") == ("spare", "deputy")


def test_the_shifts_own_deputy_comes_before_the_stand_in(county: County) -> None:
    assert held_by(county, "east-duty", EIGHT - DAY, "deputy") == ("ben", "deputy")


def test_nobody_is_deputy_to_themselves() -> None:
    shift = SHIFTS[1].model_copy(update={"person": "spare"})
    assert build(shifts=[shift]).who("east-duty", EIGHT, "deputy") is None


def test_a_post_on_shift_without_any_shift_is_held_by_nobody(county: County) -> None:
    assert county.who("west-duty", EIGHT) is None


def test_a_standing_post_is_held_by_its_a_and_deputised_by_its_b(county: County) -> None:
    assert held_by(county, "bend-head", EIGHT) == ("head", "standing")
    assert held_by(county, "bend-head", EIGHT, "deputy") == ("second", "deputy")


def test_a_standing_post_with_one_holder_has_no_deputy(county: County) -> None:
    assert county.who("hill-head", EIGHT, "deputy") is None


def test_a_post_that_left_the_roster_is_held_by_nobody(county: County) -> None:
    assert county.who("gone", EIGHT) is None


def test_a_number_shared_by_two_people_answers_for_the_posts_of_both(county: County) -> None:
    assert county.posts_of_number("sim:head", EIGHT) == ("bend-head", "dam-keeper", "school-keeper")


def test_the_duty_rooms_line_answers_for_the_duty_post_only_while_somebody_is_on_shift(county: County) -> None:
    assert county.posts_of_number("sim:ann", EIGHT - INSTANT) == ("east-duty",)
    assert county.posts_of_number("sim:ann", EIGHT) == ()
    assert county.posts_of_number("sim:room", EIGHT) == ("east-duty",)


def test_an_unknown_number_answers_for_nothing(county: County) -> None:
    assert county.posts_of_number("sim:nobody", EIGHT) == ()


def test_the_next_change_is_strictly_later_and_knows_standing_posts_have_none(county: County) -> None:
    assert county.next_change(["east-duty", "bend-head"], EIGHT - INSTANT) == EIGHT
    assert county.next_change(["east-duty"], EIGHT) == EIGHT + DAY
    assert county.next_change(["bend-head"], EIGHT) is None


def test_posts_are_found_below_a_region_by_level_and_kind(county: County) -> None:
    found = county.posts_where(level=Level.VILLAGE, kinds={"village_head"}, regions={EAST})
    assert [post.id for post in found] == ["bend-head", "hill-head"]


def test_posts_of_no_region_are_none_and_of_every_region_all(county: County) -> None:
    assert county.posts_where(level=Level.VILLAGE, kinds={"village_head"}, regions=()) == ()
    assert len(county.posts_where(level=Level.TOWNSHIP, kinds={"duty_officer", "flood_chief"})) == 3


def test_site_posts_are_chosen_by_the_kind_of_their_site(county: County) -> None:
    found = county.posts_where(level=Level.SITE, kinds={"site_keeper"}, regions={COUNTY}, site_kinds=("reservoir",))
    assert [post.id for post in found] == ["dam-keeper"]


@pytest.mark.parametrize(
    ("code", "regions"),
    [
        ("41", (COUNTY,)),
        ("410000", (COUNTY,)),
        ("410000000000", (COUNTY,)),
        ("419900000000", (COUNTY,)),
        ("419926", (COUNTY,)),
        ("419926000000", (COUNTY,)),
        ("419926101", (EAST,)),
        ("419926101000", (EAST,)),
        ("419926101201", (BEND,)),
        ("419926101299", (EAST,)),
        ("419926999000", (COUNTY,)),
        ("419927", ()),
        ("410100", ()),
        ("420000000000", ()),
        ("", ()),
        ("禾溪县", ()),
        ("4199261012010", ()),
    ],
)
def test_a_geocode_means_the_regions_of_this_county(county: County, code: str, regions: tuple[str, ...]) -> None:
    assert county.covers([code]) == regions


def test_geocodes_that_say_the_same_twice_mean_it_once(county: County) -> None:
    assert county.covers([WEST, "419926101", EAST, "410000000000", "419926"]) == (WEST, EAST, COUNTY)


def test_the_tree_is_walked_up_and_down(county: County) -> None:
    assert county.ancestors(BEND) == (EAST, COUNTY)
    assert [county.township_of(code) for code in (BEND, EAST, COUNTY, "999999999999")] == [EAST, EAST, "", ""]
    assert [region.code for region in county.below(EAST, Level.VILLAGE)] == [BEND, HILL]
    assert [region.code for region in county.below(BEND, Level.VILLAGE)] == [BEND]


@pytest.mark.parametrize(
    ("post_id", "superior"),
    [
        ("bend-head", "east-duty"),
        ("dam-keeper", "east-duty"),
        ("school-keeper", "east-duty"),
        ("east-flood", "county-duty"),
        ("east-duty", "county-duty"),
        ("county-duty", None),
        ("county-leader", None),
    ],
)
def test_the_superior_is_the_duty_officer_one_level_up(county: County, post_id: str, superior: str | None) -> None:
    found = county.superior_post(county.posts[post_id])
    assert (found.id if found else None) == superior


@pytest.mark.parametrize(
    ("post_id", "leader"),
    [
        ("east-duty", "east-leader"),
        ("bend-head", "east-leader"),
        ("west-duty", "county-leader"),
        ("east-leader", "county-leader"),
        ("county-leader", None),
    ],
)
def test_the_leader_is_of_the_own_unit_or_the_nearest_above(county: County, post_id: str, leader: str | None) -> None:
    found = county.leader_post(county.posts[post_id])
    assert (found.id if found else None) == leader


def test_a_unit_knows_its_duty_post_and_region(county: County) -> None:
    found = county.duty_post("east")
    assert found is not None
    assert (found.id, county.unit_region("east")) == ("east-duty", EAST)
    assert county.duty_post("bend") is None


def test_danger_is_a_flagged_village_or_a_dangerous_kind_of_site(county: County) -> None:
    dangerous = [post.id for post in county.posts.values() if county.danger(post)]
    assert dangerous == ["dam-keeper", "hill-head"]


def test_a_place_is_spoken_by_its_own_name(county: County) -> None:
    posts = ("county-duty", "east-duty", "bend-head", "dam-keeper")
    assert [county.place(county.posts[one]) for one in posts] == ["禾溪县", "东镇", "柳湾村", "龙潭水库"]


def test_a_village_name_that_occurs_twice_is_known_only_with_its_township(county: County) -> None:
    names = county.names()
    assert "柳湾村" not in names
    assert (names["东镇柳湾村"], names["西镇柳湾村"]) == (BEND, WEST_BEND)
    assert (names["高坎村"], names["东镇"]) == (HILL, EAST)


def test_knockers_are_those_of_the_village(county: County) -> None:
    assert [knocker.name for knocker in county.knockers(BEND)] == ["组长"]
    assert county.knockers(HILL) == ()


def test_the_version_is_the_content(county: County) -> None:
    assert build().version == county.version
    assert build(shifts=SHIFTS[:1]).version != county.version


def test_where_the_deputy_is_away_the_next_of_the_shift_stands_beside() -> None:
    shift = a_shift("t100-duty", "p1", "2021-07-19T08:00", deputy="p2", others=("p3", "p4"))
    at, end = shift.starts_at, shift.ends_at
    county = duty_county([shift])

    def deputy(*away: str) -> str:
        held = county.changed((), [Absence(person=one, starts_at=at, ends_at=end) for one in away], "v").who(
            "t100-duty", at, "deputy"
        )
        return held.person.id if held else ""

    assert (deputy(), deputy("p2"), deputy("p2", "p3"), deputy("p2", "p3", "p4")) == ("p2", "p3", "p4", "")


def test_everybody_on_a_shift_is_found_by_their_number() -> None:
    shift = a_shift("t100-duty", "p1", "2021-07-19T08:00", deputy="p2", others=("p3",))
    county = duty_county([shift])
    assert county.posts_of_person("p3") == ("t100-duty",)


def test_a_county_with_its_verified_phones_marked_is_otherwise_the_same() -> None:
    shift = a_shift("t100-duty", "p1", "2021-07-19T08:00")
    county = duty_county([shift])
    marked = county.verified_by(lambda person, phone: person.id == "p1" and phone.number.startswith("+86"))
    assert [person.id for person in marked.people.values() if person.phones[0].verified] == ["p1"]
    assert marked.version == county.version
    assert marked.who("t100-duty", shift.starts_at).person.id == "p1"
