"""Seeded nights in which everything goes wrong keep the laws of calling, and the same seed is the same night."""

from __future__ import annotations

import logging
import os

import pytest

from streams.replay.seen import fingerprint
from streams.sim.faults import Fault, faults_of
from streams.sim.nights import run_night, run_nights, shorten
from streams.sim.script import script_of
from streams.sim.world import World

NIGHTS = int(os.environ.get("SIM_NIGHTS", "400"))


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def history_of(seed):
    faults = faults_of(seed)
    return fingerprint(World(seed, faults, script_of(seed, faults)).run().ledger.heads())


def test_every_night_keeps_the_laws():
    broken = [night for night in run_nights(range(NIGHTS), jobs=2) if night.broken]
    assert broken == [], shorten(min(broken, key=lambda night: night.seed)).told()


def test_the_same_seed_is_the_same_night():
    assert history_of(2) == history_of(2)


def test_another_seed_is_another_night():
    assert history_of(2) != history_of(3)


def test_nights_have_few_and_many_kinds_of_faults():
    kinds = [len(faults_of(seed)) for seed in range(200)]
    assert min(kinds) == 0
    assert max(kinds) > len(Fault) // 2
    assert {fault for seed in range(200) for fault in faults_of(seed)} == set(Fault)


def test_a_night_without_faults_calls_and_rests():
    seed = next(seed for seed in range(200) if not faults_of(seed))
    night = run_night(seed)
    assert night.broken == ()
    assert night.calls > 0
    assert night.crashes == 0
