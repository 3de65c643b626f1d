"""A backup is taken while steps go on, verified, and put back only where nothing is overwritten."""

import json
import shutil
import sqlite3
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from streams.backup import BackupError, back_up, restore
from streams.broker import free_port
from streams.installation import prepare
from streams.ledger.contract import Draft
from streams.ledger.seal import write_next_seal
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify
from streams.wiring import TABLES

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


def tell(what: str, share: float) -> None:
    assert what
    assert 0 <= share <= 1


def installation(folder: Path) -> Settings:
    settings = read_settings(data_dir=folder, ledger_url="", port=free_port())
    prepare(settings)
    return settings


def write_some(settings: Settings, count: int = 40) -> None:
    ledger = SqlLedger(settings.ledger, TABLES)
    drafts = [Draft(subject=f"real|callout|{n % 7}", what="w", by="b", at=NOW, facts={"n": n}) for n in range(count)]
    ledger.step(lambda step: step.append(drafts))
    ledger.step(lambda step: write_next_seal(step, NOW))
    ledger.close()


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    settings = installation(tmp_path / "here")
    write_some(settings)
    return settings


def test_what_was_backed_up_comes_back_whole_in_another_place(here: Settings, tmp_path: Path) -> None:
    copied = back_up(here, tmp_path / "backup", NOW, tell)
    there = read_settings(data_dir=tmp_path / "there", ledger_url="", port=free_port())
    verdict = restore(there, tmp_path / "backup", tell)
    assert verdict == copied.verdict
    assert (verdict.entries, verdict.seals, verdict.faults) == (40, 1, ())
    assert (there.data_dir / "secrets.json").read_bytes() == (here.data_dir / "secrets.json").read_bytes()
    ledger = SqlLedger(there.ledger, TABLES)
    assert verify(ledger) == verdict
    ledger.close()


def test_a_backup_is_of_one_moment_while_steps_go_on(here: Settings, tmp_path: Path) -> None:
    ended = threading.Event()

    def go_on() -> None:
        ledger = SqlLedger(here.ledger, TABLES)
        n = 0
        while not ended.is_set():
            n += 1
            draft = Draft(subject=f"real|callout|{n % 5}", what="w", by="b", at=NOW, facts={"n": "x" * 3000})
            ledger.step(lambda step, draft=draft: step.append([draft]))
        ledger.close()

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        copied = back_up(here, tmp_path / "backup", NOW, tell)
    finally:
        ended.set()
        writer.join()
    assert copied.verdict is not None
    assert copied.verdict.faults == ()
    assert copied.verdict.entries >= 40
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "backup.json",
        "ledger.sqlite3",
        "secrets.json",
    ]


def test_only_its_owner_may_read_a_backup(here: Settings, tmp_path: Path) -> None:
    back_up(here, tmp_path / "backup", NOW, tell)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backup").iterdir()}
    assert modes["secrets.json"] == 0o600
    assert modes["ledger.sqlite3"] == 0o600
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700


def test_a_ledger_that_holds_something_is_never_overwritten(here: Settings, tmp_path: Path) -> None:
    back_up(here, tmp_path / "backup", NOW, tell)
    before = sqlite3.connect(here.data_dir / "ledger.sqlite3").execute("SELECT count(*) FROM entries").fetchone()
    with pytest.raises(BackupError, match="不覆盖"):
        restore(here, tmp_path / "backup", tell)
    after = sqlite3.connect(here.data_dir / "ledger.sqlite3").execute("SELECT count(*) FROM entries").fetchone()
    assert before == after


def test_an_empty_installation_takes_a_backup_but_not_over_another_key(here: Settings, tmp_path: Path) -> None:
    back_up(here, tmp_path / "backup", NOW, tell)
    there = installation(tmp_path / "there")
    with pytest.raises(BackupError, match="密钥不同"):
        restore(there, tmp_path / "backup", tell)
    (there.data_dir / "secrets.json").unlink()
    assert restore(there, tmp_path / "backup", tell).entries == 40


def test_a_damaged_backup_is_refused(here: Settings, tmp_path: Path) -> None:
    back_up(here, tmp_path / "backup", NOW, tell)
    with (tmp_path / "backup" / "ledger.sqlite3").open("r+b") as file:
        file.seek(5000)
        file.write(b"damaged")
    there = read_settings(data_dir=tmp_path / "there", ledger_url="", port=free_port())
    with pytest.raises(BackupError, match="已损坏"):
        restore(there, tmp_path / "backup", tell)
    assert not (there.data_dir / "ledger.sqlite3").exists()


def test_a_ledger_that_was_changed_by_hand_makes_no_backup_that_counts(here: Settings, tmp_path: Path) -> None:
    with sqlite3.connect(here.data_dir / "ledger.sqlite3") as connection:
        connection.execute("UPDATE entries SET facts = '{}' WHERE n = 2 AND subject = 'real|callout|3'")
    connection.close()
    with pytest.raises(BackupError, match="核验不过"):
        back_up(here, tmp_path / "backup", NOW, tell)
    assert not (tmp_path / "backup" / "backup.json").exists()
    with pytest.raises(BackupError, match="不是一份完整的备份"):
        restore(here, tmp_path / "backup", tell)


def test_a_backup_goes_into_an_empty_folder_only(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine").write_text("x")
    with pytest.raises(BackupError, match="不是空目录"):
        back_up(here, tmp_path / "backup", NOW, tell)


def test_a_backup_says_what_it_is(here: Settings, tmp_path: Path) -> None:
    back_up(here, tmp_path / "backup", NOW, tell)
    told = json.loads((tmp_path / "backup" / "backup.json").read_text())
    assert told["verified"] == {"subjects": 7, "entries": 40, "seals": 1}
    assert told["at"] == NOW.isoformat()


def test_without_the_programs_of_postgresql_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.postgres_copy import PostgresCopyError

    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pg_dump") is None
    settings = read_settings(data_dir=tmp_path, ledger_url="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(PostgresCopyError, match="没有 pg_dump"):
        back_up(settings, tmp_path / "backup", NOW, tell)
