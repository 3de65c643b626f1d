"""A running process takes in what is changed, published, or written anew into the county's folder."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.duty.publishing import faults_of, publish
from agents.duty.record import record_change
from config.settings import Settings
from rosters.arrange import stand_in
from rosters.changes import ChangeError
from rosters.holidays import DutyYear
from rosters.ledger import ROSTER_VERSIONS
from streams.installation import Installation, load_facts, open_installation, prepare
from streams.ledger.contract import Where
from streams.rooms import TROUBLES
from streams.roster_watch import RosterWatch

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
STORY = datetime(2021, 7, 19, 13, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path: Path):
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    origins = {"wall_origin": datetime.now(UTC), "story_origin": STORY}
    chosen = Settings(data_dir=tmp_path / "data", county_folder=folder, carrier="simulated", **origins)
    prepare(chosen)
    made = open_installation(chosen)
    yield made
    made.ledger.close()


def look(watch: RosterWatch) -> None:
    asyncio.run(watch.look())


def publish_now(installation: Installation, despite: str = "样例有意留空") -> None:
    now = installation.clock.now()
    county = load_facts(installation.settings, now).county
    faults = installation.ledger.step(lambda step: faults_of(step, county, DutyYear(), now))
    installation.ledger.step(lambda step: publish(step, county, faults, by="周主任", now=now, despite=despite))


def rename(installation: Installation, old: str, new: str) -> None:
    file = installation.settings.county_folder / "people.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    later = file.stat().st_mtime_ns + 1_000_000_000
    os.utime(file, ns=(later, later))


def troubles(installation: Installation) -> list[str]:
    open_ones = Where("closed_at", "is null")
    return [row.kind for row in installation.ledger.step(lambda step: step.find(TROUBLES, open_ones))]


def test_a_change_that_another_process_wrote_is_taken_in(installation: Installation):
    watch, now, county = RosterWatch(installation), installation.clock.now(), installation.house.facts.county
    look(watch)
    leader = county.who("c-leader", now).person.id
    who = {"asked_by": "值班员", "agreed_by": leader, "why": "送医"}
    until = now + timedelta(hours=1)
    change = stand_in(county, "c-duty", "p0100", starts_at=now, ends_at=until, at=now, **who)
    installation.ledger.step(lambda step: record_change(step, county, change, by="cli", now=now))
    look(watch)
    held = installation.house.facts.county.who("c-duty", now + timedelta(minutes=1))
    assert (held.person.id, held.why) == ("p0100", "stand_in")


def test_files_that_were_written_anew_are_loaded(installation: Installation):
    watch = RosterWatch(installation)
    look(watch)
    rename(installation, "顾月娥", "顾新人")
    look(watch)
    assert installation.house.facts.county.people["p0001"].name == "顾新人"


def test_files_with_faults_are_not_taken_in_and_somebody_is_told(installation: Installation):
    watch, before = RosterWatch(installation), installation.house.facts.county.version
    look(watch)
    rename(installation, "p0001,", "p0001,,,,,")
    look(watch)
    assert installation.house.facts.county.version == before
    assert troubles(installation) == ["roster_faulty"]


def test_once_a_county_publishes_only_what_is_published_is_taken_in(installation: Installation):
    publish_now(installation)
    watch = RosterWatch(installation)
    look(watch)
    rename(installation, "顾月娥", "顾新人")
    look(watch)
    assert installation.house.facts.county.people["p0001"].name == "顾月娥"
    assert troubles(installation) == ["roster_unpublished"]

    publish_now(installation)
    look(watch)
    assert installation.house.facts.county.people["p0001"].name == "顾新人"


def test_a_version_follows_the_one_before_and_says_what_is_different(installation: Installation):
    publish_now(installation)
    file = installation.settings.county_folder / "shifts.csv"
    text = file.read_text(encoding="utf-8")
    assert "c-duty,p0003,p0004,2021-07-25 08:00" not in text
    line = next(row for row in text.splitlines() if row.startswith("c-duty,") and "2021-07-25 08:00,2021-07-26" in row)
    file.write_text(text.replace(line, line.replace(line.split(",")[1], "p0100", 1)), encoding="utf-8")
    publish_now(installation)
    one, two = installation.ledger.step(lambda step: step.find(ROSTER_VERSIONS, order=("n",)))
    assert two.follows == one.id
    assert len(two.differences) == 1
    assert "07-25 08:00至07-26 08:00" in two.differences[0]


def test_a_roster_with_a_gap_is_not_published_and_the_gap_is_named(installation: Installation):
    file = installation.settings.county_folder / "shifts.csv"
    text = file.read_text(encoding="utf-8")
    kept = [row for row in text.splitlines() if not (row.startswith("t101-duty,") and ",2021-07-22 08:00,2021" in row)]
    assert len(kept) == len(text.splitlines()) - 1
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(ChangeError, match=r"无人值班：.*t101-duty），2021-07-22 08:00 – 2021-07-23 08:00"):
        publish_now(installation, despite="")
    assert installation.ledger.step(lambda step: step.find(ROSTER_VERSIONS)) == []
