"""What every folder of tests may use: a night in a small county, and the whole sample county once."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from config.load import load_rules
from config.rules import RuleBook
from rosters.county import County
from streams.replay.night import Night
from streams.replay.scenario import sample_county
from tests.small_county import small_county

EVENING = "2021-07-19 21:59"


def pytest_configure() -> None:
    """Try properties on fresh inputs, but where a change is judged on the same ones each time.

    What a fresh input finds is news about what was there before: it must not turn back a change without a part in it.
    """
    settings.register_profile("the same each time", derandomize=True)
    if os.environ.get("JIAOYING_TEST_REQUIRE"):
        settings.load_profile("the same each time")


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    return load_rules()


@pytest.fixture(scope="session")
def whole_county() -> County:
    return sample_county(datetime(2021, 7, 19, tzinfo=UTC))


@pytest.fixture
def make_night(rules: RuleBook) -> Callable[..., Night]:
    """Make a night of the small county; county facts as `small_county` takes them, the rest as `Night` does."""

    def make(*, start: str = EVENING, rules: RuleBook = rules, **given: Any) -> Night:
        night_facts = {key: given.pop(key) for key in ("habits", "realm", "seed", "budget") if key in given}
        return Night(county=small_county(**given), rules=rules, start=start, **night_facts)

    return make


@pytest.fixture
def night(make_night: Callable[..., Night]) -> Night:
    """The small county in the evening of 19 July 2021; every phone answers and presses 1 until told otherwise."""
    return make_night()
