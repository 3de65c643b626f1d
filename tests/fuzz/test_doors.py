"""Spoiled documents at every door: some hundreds here, as many as one likes by `make fuzz`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.doors import DOORS, Topics, Warnings
from tests.fuzz.run import Figures, document, fuzz

INPUTS = 400
PEAK_MAX_MIB = 512


def nobody(door: str, done: int) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("name", DOORS)
def test_whatever_comes_in_is_accepted_or_refused_and_nothing_is_lost(name: str):
    inputs = round(INPUTS * DOORS[name].share)
    figures = fuzz(DOORS[name], inputs, 1, nobody)
    assert figures.told == []
    assert figures.is_sound
    assert figures.accepted + figures.refused == figures.inputs == inputs
    assert 0 < figures.accepted < figures.refused
    assert figures.peak_mib < PEAK_MAX_MIB


def test_what_is_accepted_and_kept_nowhere_is_noticed():
    class Forgetful(Warnings):
        def take(self, content: bytes, hint: str) -> tuple[str, ...]:
            super().take(content, hint)
            return ()

    figures = fuzz(Forgetful, 30, 1, nobody)
    assert figures.lost
    assert "nothing of it has an id" in figures.told[0]


def test_a_reader_that_stumbles_is_noticed_with_the_document_it_stumbled_over():
    class Stumbling(Topics):
        def hand_in(self, content: bytes, hint: str) -> str:
            return super().hand_in(content, hint) if len(content) > 100 else str(content[101])

    figures = fuzz(Stumbling, 60, 1, nobody)
    assert figures.crashes
    assert "IndexError" in figures.told[0]


def test_a_process_that_dies_is_noticed():
    class Dying(Topics):
        def look_round(self) -> None:
            os.kill(os.getpid(), 9)

    figures = fuzz(Dying, 5, 1, nobody)
    assert not figures.is_sound
    assert "died with status -9" in figures.told[0]


def test_a_seed_and_a_number_are_the_same_document_every_time():
    door = Topics()
    once = [document(door, 7, n) for n in range(20)]
    assert [document(door, 7, n) for n in range(20)] == once
    assert [document(door, 8, n) for n in range(20)] != once


def test_the_figures_are_written_as_json(tmp_path: Path):
    target = tmp_path / "figures.json"
    assert main(["--door", "topics", "--inputs", "9", "--json", str(target)]) == 0
    (figures,) = json.loads(target.read_text())["doors"]
    assert Figures(**figures).is_sound
