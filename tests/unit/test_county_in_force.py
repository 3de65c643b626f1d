"""A process that is started again at night goes by the county that was taken in before, whatever its folder says."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.duty.publishing import faults_of, publish
from config.settings import Settings
from rosters.holidays import DutyYear
from rosters.sheets import CountyError
from streams.county_in_force import KEPT_MAX, PLACE
from streams.installation import Installation, load_facts, open_installation, prepare
from streams.rooms import TROUBLES
from streams.roster_watch import RosterWatch

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
STORY = datetime(2021, 7, 19, 13, tzinfo=UTC)
Start = Callable[[], Installation]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    origins = {"wall_origin": datetime.now(UTC), "story_origin": STORY}
    chosen = Settings(data_dir=tmp_path / "data", county_folder=folder, carrier="simulated", **origins)
    prepare(chosen)
    return chosen


@contextmanager
def started(settings: Settings) -> Iterator[Installation]:
    made = open_installation(settings)
    try:
        yield made
    finally:
        made.ledger.close()


def name_of(installation: Installation) -> str:
    return installation.house.facts.county.people["p0001"].name


def troubles(installation: Installation) -> list[str]:
    return [row.kind for row in installation.ledger.step(lambda step: step.find(TROUBLES))]


def edit(settings: Settings, old: str, new: str) -> None:
    file = settings.county_folder / "people.csv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    later_ns = file.stat().st_mtime_ns + 1_000_000_000
    os.utime(file, ns=(later_ns, later_ns))


def publish_now(settings: Settings, installation: Installation) -> None:
    now = installation.clock.now()
    county = load_facts(settings, now).county
    faults = installation.ledger.step(lambda step: faults_of(step, county, DutyYear(), now))
    installation.ledger.step(lambda step: publish(step, county, faults, by="周主任", now=now, despite="样例有意留空"))


def test_started_on_a_folder_with_faults_it_goes_by_what_was_taken_in_before_and_tells(settings: Settings):
    with started(settings):
        pass
    edit(settings, "p0001,", "p0001,,,,,")
    with started(settings) as again:
        assert name_of(again) == "顾月娥"
        assert troubles(again) == ["roster_faulty"]


def test_started_without_its_folder_it_goes_by_what_was_taken_in_before(settings: Settings):
    with started(settings):
        pass
    shutil.rmtree(settings.county_folder)
    with started(settings) as again:
        assert name_of(again) == "顾月娥"


def test_a_folder_in_which_others_lie_is_kept_all_the_same(settings: Settings):
    (settings.county_folder / ".git").mkdir()
    with started(settings):
        pass
    shutil.rmtree(settings.county_folder)
    with started(settings) as again:
        assert name_of(again) == "顾月娥"


def test_what_a_running_process_took_in_is_what_the_next_one_goes_by(settings: Settings):
    with started(settings) as running:
        watch = RosterWatch(running)
        asyncio.run(watch.look())
        edit(settings, "顾月娥", "顾新人")
        asyncio.run(watch.look())
    edit(settings, "p0001,", "p0001,,,,,")
    with started(settings) as again:
        assert name_of(again) == "顾新人"


def test_a_folder_with_faults_is_refused_where_nothing_was_ever_taken_in(settings: Settings):
    edit(settings, "p0001,", "p0001,,,,,")
    with pytest.raises(CountyError, match=r"people\.csv"):
        open_installation(settings)


def test_what_nobody_published_yet_is_not_taken_in_by_a_start_either(settings: Settings):
    with started(settings) as running:
        publish_now(settings, running)
    edit(settings, "顾月娥", "顾新人")
    with started(settings) as again:
        assert name_of(again) == "顾月娥"
        assert troubles(again) == ["roster_unpublished"]

        publish_now(settings, again)
    with started(settings) as later:
        assert name_of(later) == "顾新人"


def test_of_what_was_taken_in_only_the_last_few_are_kept(settings: Settings):
    name = "顾月娥"
    for number in range(KEPT_MAX + 2):
        with started(settings):
            edit(settings, name, f"顾{number}号")
        name = f"顾{number}号"
    assert len(list((settings.data_dir / PLACE).iterdir())) == KEPT_MAX


def test_where_nothing_can_be_kept_it_starts_all_the_same(settings: Settings):
    (settings.data_dir / PLACE).write_text("a file where the folder should be", encoding="utf-8")
    with started(settings) as installation:
        assert name_of(installation) == "顾月娥"
