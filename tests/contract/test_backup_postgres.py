"""A ledger on PostgreSQL is dumped while it is used, checked in a database of its own, and put into an empty one."""

import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import read_settings
from streams.backup import BackupError, back_up, restore
from streams.broker import free_port
from streams.installation import prepare
from streams.ledger.contract import Draft
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify
from streams.wiring import TABLES

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    shutil.which("pg_dump") is None or shutil.which("pg_restore") is None, reason="pg_dump or pg_restore is not here"
)


def tell(what: str, share: float) -> None:
    assert what


def test_a_dump_is_verified_and_comes_back_whole(postgres_databases: Callable[[], str], tmp_path: Path) -> None:
    here = read_settings(data_dir=tmp_path / "here", ledger_url=postgres_databases(), port=free_port())
    prepare(here)
    ledger = SqlLedger(here.ledger, TABLES)
    drafts = [Draft(subject=f"real|callout|{n % 7}", what="w", by="b", at=NOW, facts={"n": n}) for n in range(40)]
    ledger.step(lambda step: step.append(drafts))
    ledger.close()
    copied = back_up(here, tmp_path / "backup", NOW, tell)
    assert copied.verdict is not None
    assert copied.verdict.entries == 40
    there = read_settings(data_dir=tmp_path / "there", ledger_url=postgres_databases(), port=free_port())
    assert restore(there, tmp_path / "backup", tell) == copied.verdict
    with pytest.raises(BackupError, match="不覆盖"):
        restore(there, tmp_path / "backup", tell)


def test_a_dump_is_of_one_moment_while_steps_go_on(postgres_databases: Callable[[], str], tmp_path: Path) -> None:
    here = read_settings(data_dir=tmp_path / "here", ledger_url=postgres_databases(), port=free_port())
    prepare(here)
    ended, begun = threading.Event(), threading.Event()

    def go_on() -> None:
        ledger = SqlLedger(here.ledger, TABLES)
        n = 0
        while not ended.is_set():
            n += 1
            # Two subjects in one step: a copy that tore a step apart would hold one of them only.
            pair = [Draft(subject=f"real|callout|{n}|{half}", what="w", by="b", at=NOW, facts={}) for half in "ab"]
            ledger.step(lambda step, pair=pair: step.append(pair))
            begun.set()
        ledger.close()

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        assert begun.wait(240)
        copied = back_up(here, tmp_path / "backup", NOW, tell)
    finally:
        ended.set()
        writer.join()
    assert copied.verdict is not None
    assert copied.verdict.entries % 2 == 0
    there = read_settings(data_dir=tmp_path / "there", ledger_url=postgres_databases(), port=free_port())
    assert restore(there, tmp_path / "backup", tell) == copied.verdict
    ledger = SqlLedger(there.ledger, TABLES)
    ledger.step(lambda step: step.append([Draft(subject="real|callout|1|a", what="w", by="b", at=NOW, facts={})]))
    seen = verify(ledger)
    ledger.close()
    assert (seen.entries, seen.faults) == (copied.verdict.entries + 1, ())
