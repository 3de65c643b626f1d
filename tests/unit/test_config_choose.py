"""Which rule answers, and who is not rung."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.choose import choose, quiet_for
from config.load import load_rules
from config.rules import Quiet, Rule, RuleBook, Selector
from streams.words import Colour, Level

BOOKS = {preset: load_rules(preset=preset) for preset in ("mianxian", "simple")}
NOON = time(12)
SLOW = ("heat", "drought", "haze")


def rule(name: str, **fields: object) -> Rule:
    """Make a rule that rings village heads."""
    posts = (Selector(level=Level.VILLAGE, kinds=("village_head",), ladder="village"),)
    return Rule.model_validate({"id": name, "hazards": ("any",), "colours": tuple(Colour), "posts": posts} | fields)


def book(*rules: Rule, quiet: tuple[Quiet, ...] = ()) -> RuleBook:
    """Make a book that holds nothing but these."""
    return RuleBook(preset="test", hazards=(), ladders={}, rules=rules, quiet=quiet)


@pytest.mark.parametrize("preset", BOOKS)
@settings(deadline=None)
@given(at=st.times())
def test_every_hazard_colour_and_source_has_a_rule_at_any_time(preset: str, at: time) -> None:
    chosen = BOOKS[preset]
    for hazard in chosen.hazards:
        for colour in Colour:
            for source in ("warning", "order", "monitor"):
                assert choose(chosen, hazard.key, colour, source, at) is not None


@pytest.mark.parametrize("preset", BOOKS)
def test_a_hazard_that_nobody_knows_is_answered_by_a_rule_for_any(preset: str) -> None:
    assert choose(BOOKS[preset], "locusts", Colour.RED, "warning", NOON) is not None


def test_the_first_rule_in_file_order_answers() -> None:
    chosen = choose(book(rule("first"), rule("second")), "flood", Colour.RED, "warning", NOON)
    assert chosen is not None
    assert chosen.id == "first"


def test_a_rule_of_another_hazard_colour_or_source_does_not_answer() -> None:
    rules = book(rule("a", hazards=("heat",)), rule("b", colours=("blue",)), rule("c", sources=("order",)))
    assert choose(rules, "flood", Colour.RED, "warning", NOON) is None


@pytest.mark.parametrize(
    ("at", "answers"),
    [("21:59:59", False), ("22:00", True), ("00:00", True), ("05:59:59.999999", True), ("06:00", False)],
)
def test_a_rule_over_midnight_begins_on_its_hour_and_ends_just_before_the_other(at: str, answers: bool) -> None:
    night = book(rule("night", from_time="22:00", to_time="06:00"))
    assert (choose(night, "flood", Colour.RED, "warning", time.fromisoformat(at)) is not None) is answers


@pytest.mark.parametrize("at", ["08:00", "19:59:59"])
def test_a_rule_of_the_day_answers_by_day(at: str) -> None:
    day = book(rule("day", from_time="08:00", to_time="20:00"))
    assert choose(day, "flood", Colour.RED, "warning", time.fromisoformat(at)) is not None


def levels_rung(hazard: str, colour: Colour, source: str = "warning") -> set[Level]:
    """Return the levels where the default preset rings somebody who is not on the danger list."""
    chosen = choose(BOOKS["mianxian"], hazard, colour, source, NOON)
    assert chosen is not None
    rung = {selector.level for selector in chosen.posts if selector.mode == "call"}
    return {level for level in rung if quiet_for(BOOKS["mianxian"], hazard, colour, level, source) is None}


@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("hazard", SLOW)
def test_heat_and_drought_never_ring_a_village(hazard: str, colour: Colour) -> None:
    assert levels_rung(hazard, colour) == {Level.COUNTY, Level.TOWNSHIP}


@pytest.mark.parametrize("colour", [Colour.BLUE, Colour.YELLOW])
def test_blue_and_yellow_ring_duty_posts_only(colour: Colour) -> None:
    assert levels_rung("rainstorm", colour) == {Level.COUNTY, Level.TOWNSHIP}


@pytest.mark.parametrize("colour", [Colour.ORANGE, Colour.RED])
def test_orange_and_red_ring_every_level(colour: Colour) -> None:
    assert levels_rung("rainstorm", colour) == set(Level)


@pytest.mark.parametrize("colour", list(Colour))
def test_an_order_rings_every_level_at_any_colour(colour: Colour) -> None:
    assert levels_rung("heat", colour, "order") == set(Level)


def test_main_leaders_are_called_at_red_and_not_at_orange() -> None:
    kinds = {}
    for colour in (Colour.ORANGE, Colour.RED):
        chosen = choose(BOOKS["mianxian"], "rainstorm", colour, "warning", NOON)
        assert chosen is not None
        kinds[colour] = {kind for selector in chosen.posts for kind in selector.kinds}
    assert kinds[Colour.RED] - kinds[Colour.ORANGE] == {"main_leader"}


def test_villages_on_the_danger_list_ring_at_blue_rain_and_not_at_blue_heat() -> None:
    rain = quiet_for(BOOKS["mianxian"], "rainstorm", Colour.BLUE, Level.VILLAGE)
    heat = quiet_for(BOOKS["mianxian"], "heat", Colour.BLUE, Level.VILLAGE)
    assert (rain and rain.unless_danger, heat and heat.unless_danger) == (True, False)


def test_a_hold_of_the_default_preset_ends_with_the_digest_of_half_past_six() -> None:
    assert {quiet.digest_at for quiet in BOOKS["mianxian"].quiet} == {"06:30"}


def test_red_is_never_quiet_whatever_a_book_says() -> None:
    silent = Quiet(id="x", hazards=("any",), colours=tuple(Colour), levels=tuple(Level), reason="无")
    assert quiet_for(book(quiet=(silent,)), "flood", Colour.RED, Level.VILLAGE) is None
