"""The simulated nights find bugs: each bug put in on purpose breaks a law within a few nights."""

from __future__ import annotations

import logging
from itertools import count, islice

import pytest

from streams.sim.nights import run_night
from tests.sim.mutations import MUTATIONS, Mutation

NIGHTS_MAX = 30


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def caught(request):
    """Collect what was caught, and say at the end how many bugs and in how many nights."""
    found = {}
    yield found
    nights = sum(number for number, _ in found.values())
    request.config.get_terminal_writer().line(f"\n{len(found)} of {len(MUTATIONS)} bugs caught, in {nights} nights")


def nights_until_caught(mutation: Mutation) -> tuple[int, str]:
    """Return after how many nights a law was broken, and which; 0 where none was."""
    for number, seed in enumerate(islice(filter(mutation.nights, count()), NIGHTS_MAX), start=1):
        broken = run_night(seed).broken
        if broken:
            return number, broken[0].law
    return 0, ""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_bug_is_caught(mutation, monkeypatch, caught):
    mutation.put_in(monkeypatch)
    nights, law = nights_until_caught(mutation)
    assert nights, f"{mutation.name}: {NIGHTS_MAX} nights kept every law"
    caught[mutation.name] = nights, law


def test_there_are_enough_of_them():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 32
