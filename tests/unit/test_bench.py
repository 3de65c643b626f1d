"""What the benchmarks stand on is right; how fast they are is for `jiaoying bench` to say, never for a test."""

import asyncio
from datetime import UTC, datetime

import pytest

from agents.facts import Facts
from agents.plan.select import chosen_posts
from config.load import load_rules
from streams.bench.county import CODE, synthetic_county
from streams.bench.figures import Figure, as_json, percentile
from streams.bench.parts import deadlines, red_warning
from streams.letters import ChainMoved, Move
from streams.words import Colour

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def quiet(what: str, share: float) -> None:
    assert what


@pytest.mark.parametrize("posts", [2, 3, 101, 102, 500, 10_000])
def test_a_red_warning_calls_every_post_of_a_synthetic_county_once(posts: int) -> None:
    county = synthetic_county(posts, NOW)
    moved = ChainMoved(
        realm="check:bench",
        chain_id="check:bench|chain|1",
        move=Move.OPENED,
        cause_id="1",
        hazard="rainstorm",
        colour=Colour.RED,
        regions=(CODE,),
        at=NOW,
    )
    _, chosen = chosen_posts(moved, NOW, Facts(county, load_rules()))
    assert len(county.posts) == posts
    assert {item.post.id for item in chosen} == set(county.posts)
    holders = [county.who(post, NOW) for post in county.posts]
    assert len({held.person.phones[0].number for held in holders if held is not None}) == posts


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.99) == 3.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0


def test_an_aim_that_was_not_reached_in_time_is_not_met() -> None:
    told = as_json([Figure("p", 1, "w", None, "s", 5.0), Figure("p", 1, "w", 4.0, "s", 5.0)], "sqlite", "embedded")
    assert [figure["is_met"] for figure in told["figures"]] == [False, True]


@pytest.mark.e2e
def test_a_red_warning_is_planned_dialled_and_confirmed_on_a_stand() -> None:
    figures = {item.what: item.value for item in asyncio.run(red_warning(60, quiet, answers=True))}
    assert figures["calls placed"] == 60
    assert figures["all confirmed"] is not None


@pytest.mark.e2e
def test_deadlines_that_fall_due_on_a_stand_are_all_met() -> None:
    figures = {item.what: item.value for item in asyncio.run(deadlines(200, quiet))}
    assert figures["deadlines met"] == 40
