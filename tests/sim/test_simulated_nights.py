"""Seeded nights in which everything goes wrong keep the laws of calling, and the same seed is the same night."""

from __future__ import annotations

import logging
import os

import pytest
import typer
from typer.testing import CliRunner

from streams.cli.sim import add_to
from streams.replay.seen import fingerprint
from streams.sim.faults import Fault, faults_of
from streams.sim.nights import run_night, run_nights, shorten
from streams.sim.script import script_of
from streams.sim.world import World
from tests.sim.mutations import two_calls_at_once

NIGHTS = int(os.environ.get("SIM_NIGHTS", "2000"))
ENOUGH_NIGHTS = 1000
"""So many nights have a death in every gap; fewer may lack one."""
GAPS = {
    "between picking letters and sending them": ("pump, before sending",),
    "between sending letters and closing them": ("pump, after sending",),
    "between the commit of new letters and their publishing": ("room of pages, after a step",),
    "between claim and dial": ("dial, before placing",),
    "between dial and record": ("dial, after placing",),
    "between record and what follows it": ("dial, after a step",),
    "before a lost claim is asked about": ("recover, before asking",),
    "around a due step of a callout": ("tick callout, before a step", "tick callout, after a step"),
    "around a due step of a chain": ("tick intake, before a step", "tick intake, after a step"),
    "around a due step of a visit list": ("tick visit, before a step", "tick visit, after a step"),
    "around intake": ("room of warnings.raw, before a step", "room of warnings.raw, after a step"),
    "around plan": ("room of warnings, before a step", "room of warnings, after a step"),
    "around callout": ("room of callouts, before a step", "room of callouts, after a step"),
    "around dial": ("room of calls, before a step", "room of calls, after a step"),
    "around visit": ("room of visits, before a step", "room of visits, after a step"),
    "in the sweep": ("sweep, after sending",),
    "in the sealer": ("seal, after a step",),
}
"""Where a worker must have died, in the simulator's own words."""


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def history_of(seed):
    faults = faults_of(seed)
    return fingerprint(World(seed, faults, script_of(seed, faults)).run().ledger.heads())


@pytest.fixture(scope="module")
def nights():
    return list(run_nights(range(NIGHTS), jobs=min(2, os.cpu_count() or 1)))


@pytest.mark.timeout(3600)
def test_every_night_keeps_the_laws(nights):
    broken = [night for night in nights if night.broken]
    assert broken == [], shorten(min(broken, key=lambda night: night.seed)).told()


@pytest.mark.timeout(3600)
@pytest.mark.skipif(NIGHTS < ENOUGH_NIGHTS, reason=f"a death in every gap takes {ENOUGH_NIGHTS} nights")
@pytest.mark.parametrize("gap", GAPS)
def test_workers_died_in_every_gap(nights, gap):
    assert any(place in night.died_at for night in nights for place in GAPS[gap])


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


def test_the_command_says_how_many_nights_kept_the_laws():
    app = typer.Typer()
    app.callback()(lambda: None)
    add_to(app)
    ended = CliRunner().invoke(app, ["sim", "--seed", "5", "--nights", "1", "--jobs", "1"])
    assert (ended.exit_code, "违反规则 0 夜" in ended.stdout) == (0, True), ended.output


def test_a_night_that_breaks_a_law_is_shortened_and_told(monkeypatch):
    two_calls_at_once(monkeypatch)
    night = next(night for night in run_nights(range(30)) if night.broken)
    short = shorten(night)
    assert len(short.events) <= len(night.events)
    assert len(short.faults) < len(night.faults) or not night.faults
    assert short.broken[0].law == night.broken[0].law
    assert f"--seed {night.seed}" in short.told()
