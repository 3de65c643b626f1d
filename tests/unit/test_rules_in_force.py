"""Rules come into force by being published; faulty or older files on one machine change nothing at night."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.load import ConfigError, load_rules
from config.rules import RuleBook
from config.settings import Settings
from streams.installation import deploy, open_installation, prepare, publish_rules
from streams.ledger.contract import EditionKind, FullStep, LedgerError, OutdatedError, Where
from streams.ledger.memory import MemoryLedger
from streams.ledger.sql import SqlLedger
from streams.rooms import TROUBLES
from streams.rules_in_force import SUBJECT, Told, Who, bring_in, go_by, in_force, publish
from streams.wiring import TABLES

CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)
WANG = Who("王某", NOW, NOW)


@pytest.fixture(scope="module")
def first() -> RuleBook:
    return load_rules()


@pytest.fixture(scope="module")
def second() -> RuleBook:
    return load_rules(preset="simple")


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TABLES)


def history(step: FullStep) -> list[str]:
    return [edition.mark for edition in step.editions(EditionKind.RULES)]


def troubles(step: FullStep) -> list[tuple[str, str]]:
    return [(row.kind, row.text) for row in step.find(TROUBLES, Where("closed_at", "is null"))]


def test_rules_that_were_published_are_read_back_as_they_were(ledger: MemoryLedger, first: RuleBook) -> None:
    ledger.step(lambda step: publish(step, first, WANG))
    assert ledger.step(in_force) == (1, first)


def test_what_came_into_force_stands_in_the_ledger_with_who_did_it(
    ledger: MemoryLedger, first: RuleBook, second: RuleBook
) -> None:
    for book in (first, second, second, first):
        ledger.step(lambda step, book=book: publish(step, book, WANG))
    told = [(entry.why, entry.by, entry.facts["edition"], entry.facts["again_of"]) for entry in entries(ledger)]
    assert told == [("published", "王某", 1, None), ("published", "王某", 2, None), ("rolled_back", "王某", 3, 1)]


def entries(ledger: MemoryLedger) -> list:
    return ledger.step(lambda step: step.entries(SUBJECT))


def test_a_deployment_brings_in_new_files_once_and_older_ones_never(
    ledger: MemoryLedger, first: RuleBook, second: RuleBook
) -> None:
    told = [ledger.step(lambda step, book=book: bring_in(step, book, WANG)) for book in (first, first, second, first)]
    assert told == [Told.PUBLISHED, Told.IN_FORCE, Told.PUBLISHED, Told.FOLLOWED]
    assert ledger.step(history) == [first.hash, second.hash]
    ((kind, text),) = ledger.step(troubles)
    assert kind == "rules_not_in_force"
    assert "是第 1 版，现行的是第 2 版" in text
    assert "jiaoying config publish" in text


def test_a_process_goes_by_what_is_in_force_and_not_by_its_own_files(
    ledger: MemoryLedger, first: RuleBook, second: RuleBook
) -> None:
    ledger.step(lambda step: publish(step, second, WANG))
    assert ledger.step(lambda step: go_by(step, first, "", WANG)) == (1, second)
    assert [kind for kind, _ in ledger.step(troubles)] == ["rules_not_in_force"]


def test_with_nothing_in_force_the_first_process_publishes_its_own(ledger: MemoryLedger, first: RuleBook) -> None:
    assert ledger.step(lambda step: go_by(step, first, "", WANG)) == (1, first)
    assert ledger.step(lambda step: go_by(step, None, "x", Who("other", NOW, NOW))) == (1, first)


def test_with_nothing_in_force_faulty_files_are_nothing_to_go_by(ledger: MemoryLedger) -> None:
    assert ledger.step(lambda step: go_by(step, None, "x", WANG)) is None


def test_rules_in_force_that_this_program_cannot_read_are_told_with_what_to_do(
    ledger: MemoryLedger, first: RuleBook
) -> None:
    ledger.step(lambda step: publish(step, first, WANG))
    newer = ledger.step(lambda step: step.editions(EditionKind.RULES))[0].model_copy(
        update={"n": 2, "body": '{"preset": 1}'}
    )
    ledger.step(lambda step: step.publish_edition(newer))
    with pytest.raises(LedgerError, match=r"第 2 版叫应规则，本版程序读不懂.*publish"):
        ledger.step(in_force)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules = tmp_path / "rules"
    (rules / "presets").mkdir(parents=True)
    for name in ("hazards.yaml", "thresholds.yaml", "presets/mianxian.yaml"):
        shutil.copy(CONFIG / name, rules / name)
    return Settings(data_dir=tmp_path / "data", rules_folder=rules, carrier="simulated")


def rewrite(settings: Settings, old: str, new: str) -> None:
    file = settings.rules_folder / "presets" / "mianxian.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def book_of(settings: Settings) -> tuple[str, list[str]]:
    """What a process started now goes by, and what people are told."""
    installation = open_installation(settings)
    try:
        return installation.house.facts.book.hash, [kind for kind, _ in installation.ledger.step(troubles)]
    finally:
        installation.ledger.close()


def test_a_worker_started_again_at_night_beside_a_faulty_file_goes_on_by_the_rules_in_force(settings: Settings) -> None:
    assert deploy(settings) == ""
    by_day, _ = book_of(settings)
    rewrite(settings, "calls:", "cals:")
    assert book_of(settings) == (by_day, ["rules_faulty"])
    assert "叫应规则文件有误，仍按现行规则叫应" in deploy(settings)
    with pytest.raises(ConfigError, match="cals"):
        publish_rules(settings, "王某")
    assert book_of(settings)[0] == by_day


def test_a_first_start_with_a_faulty_file_says_where_it_is_and_what_to_do(settings: Settings) -> None:
    rewrite(settings, "calls:", "cals:")
    with pytest.raises(ConfigError, match=r"presets/mianxian.yaml.*cals"):
        deploy(settings)
    prepare(settings)
    with pytest.raises(ConfigError, match="cals"):
        open_installation(settings)


def test_an_edited_file_is_not_taken_in_by_a_worker_that_happens_to_be_started_again(settings: Settings) -> None:
    deploy(settings)
    by_day, _ = book_of(settings)
    rewrite(settings, "gate_s: 90", "gate_s: 80")
    assert book_of(settings) == (by_day, ["rules_not_in_force"])
    assert deploy(settings) == ""
    assert book_of(settings)[0] != by_day


def test_older_files_come_back_only_by_being_published_and_everybody_follows(settings: Settings) -> None:
    deploy(settings)
    older, _ = book_of(settings)
    rewrite(settings, "gate_s: 90", "gate_s: 80")
    deploy(settings)
    running = open_installation(settings)
    rewrite(settings, "gate_s: 80", "gate_s: 90")
    assert "旧版" in deploy(settings)
    assert running.house.facts.book.hash != older
    running.ledger.step(lambda step: None)
    assert publish_rules(settings, "王某").n == 3
    with pytest.raises(OutdatedError, match="第 2 版已被第 3 版取代"):
        running.ledger.step(lambda step: None)
    with pytest.raises(OutdatedError):
        asyncio.run(running.ledger.run(lambda step: None))
    running.ledger.close()
    assert book_of(settings)[0] == older


def test_an_installation_whose_program_was_changed_in_place_takes_over_from_those_still_running(
    settings: Settings,
) -> None:
    deploy(settings)
    running = open_installation(settings)
    ledger = SqlLedger(settings.ledger, TABLES)
    # As if what runs had been an earlier program: its mark is another one than ours.
    ledger.step(lambda step: step._connection.exec_driver_sql("UPDATE editions SET mark = 'x' WHERE kind = 'records'"))
    ledger.close()
    newer = open_installation(settings)
    newer.ledger.step(lambda step: None)
    with pytest.raises(OutdatedError, match="请改用新版程序启动"):
        running.ledger.step(lambda step: None)
    for each in (running, newer):
        each.ledger.close()
