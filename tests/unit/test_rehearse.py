"""What a warning would set going, against the small county and against a night in which nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import typer

from agents.facts import Facts
from agents.plan.rehearse import rehearse
from config.rules import RuleBook
from rosters.county import County
from streams.cli.county import parse_warning
from streams.letters import Mode
from streams.replay.night import Night
from streams.words import Colour
from tests.small_county import XIKOU, ZONE, small_county

NIGHT = datetime(2021, 7, 19, 22, tzinfo=ZONE)


def test_a_red_warning_lists_every_post_of_the_county_with_whom_it_rings(rules: RuleBook) -> None:
    told = rehearse(Facts(small_county(), rules), "rainstorm", Colour.RED, NIGHT, 2.0)
    assert told.rule == "red"
    assert {line.mode for line in told.lines} == {Mode.CALL}
    assert told.calls_least == len({line.person.phones[0].number for line in told.lines if line.person})
    assert told.first_round_s == told.calls_least / 2.0
    assert told.nobody == ()


def test_a_blue_warning_holds_villages_for_the_digest(rules: RuleBook) -> None:
    told = rehearse(Facts(small_county(), rules), "rainstorm", Colour.BLUE, NIGHT, 2.0)
    held = [line for line in told.lines if line.mode is Mode.HOLD]
    assert held
    assert all(line.first_s is None for line in held)


def test_a_named_township_is_rung_before_the_others(rules: RuleBook) -> None:
    told = rehearse(Facts(small_county(), rules), "rainstorm", Colour.RED, NIGHT, 1.0, (XIKOU,))
    regions = [line.post.region for line in told.lines if line.post.level != "county"]
    first_other = next(n for n, region in enumerate(regions) if not region.startswith(XIKOU[:9]))
    assert all(not region.startswith(XIKOU[:9]) for region in regions[first_other:])


def test_a_phone_that_two_posts_share_is_one_call(rules: RuleBook) -> None:
    apart = rehearse(Facts(small_county(), rules), "rainstorm", Colour.RED, NIGHT, 1.0)
    shared = small_county(numbers={"v202-head": "sim:one", "v202-safety": "sim:one"})
    together = rehearse(Facts(shared, rules), "rainstorm", Colour.RED, NIGHT, 1.0)
    assert together.calls_least == apart.calls_least - 1


def test_a_post_with_nobody_on_duty_is_named(rules: RuleBook) -> None:
    told = rehearse(Facts(small_county(vacant=["t100-duty"]), rules), "rainstorm", Colour.RED, NIGHT, 1.0)
    assert [post.id for post in told.nobody] == ["t100-duty"]


def test_a_warning_that_no_rule_answers_calls_nobody(rules: RuleBook) -> None:
    none = rules.model_copy(update={"rules": ()})
    told = rehearse(Facts(small_county(), none), "rainstorm", Colour.RED, NIGHT, 1.0)
    assert (told.rule, told.lines, told.calls_most, told.longest_s) == ("", (), 0, 0.0)


def test_the_posts_rehearsed_are_those_a_night_really_opens(rules: RuleBook, make_night: Callable[..., Night]) -> None:
    night = make_night()
    told = rehearse(Facts(small_county(), rules), "rainstorm", Colour.RED, night.now, 1.0)
    night.warning(hazard="rainstorm", colour="red")
    night.advance(minutes=1)
    assert {line.post.id for line in told.lines} == {callout.post_id for callout in night.callouts()}


def test_the_sample_county_is_rehearsed_without_touching_it(whole_county: County, rules: RuleBook) -> None:
    told = rehearse(Facts(whole_county, rules), "rainstorm", Colour.RED, NIGHT, 50.0)
    assert len(told.lines) > 400
    assert told.calls_least <= len(told.lines) <= told.calls_most
    assert told.first_round_s < told.dial_within_s


@pytest.mark.parametrize(
    ("written", "hazard", "colour"),
    [
        ("暴雨红", "rainstorm", Colour.RED),
        ("暴雨红色预警", "rainstorm", Colour.RED),
        ("暴雨 橙色", "rainstorm", Colour.ORANGE),
        ("山洪蓝", "flash_flood", Colour.BLUE),
        ("rainstorm red", "rainstorm", Colour.RED),
    ],
)
def test_a_warning_is_named_in_the_words_of_the_duty_room(
    rules: RuleBook, written: str, hazard: str, colour: Colour
) -> None:
    assert parse_warning(written, rules) == (hazard, colour)


@pytest.mark.parametrize("written", ["暴雨", "红", "坏天气红", ""])
def test_a_warning_without_hazard_or_colour_is_refused_with_what_there_is(rules: RuleBook, written: str) -> None:
    with pytest.raises(typer.BadParameter, match="暴雨红"):
        parse_warning(written, rules)
