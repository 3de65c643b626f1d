"""A copy of an installation while it runs, and the way back: the ledger, its secrets, and what was copied.

A backup is a folder: the ledger as one file, `secrets.json` for its owner only, and `backup.json` that says what it is.
It counts only once its copy was opened and every chain and seal in it verified. Nothing here ever writes over a ledger
that holds anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from config.settings import Settings
from streams.broker import listens
from streams.installation import SECRETS
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.ledger.turns import turn_of
from streams.ledger.verify import Verdict, verify
from streams.postgres_copy import POSTGRES_FILE, dump, is_empty, restore_into, verified_dump
from streams.wiring import TABLES

SQLITE_FILE = "ledger.sqlite3"
MANIFEST = "backup.json"
PAGES = 500
PAUSE_S = 0.005
"""Between lots of pages, so that a copy never keeps a call waiting."""

Tell = Callable[[str, float], None]
"""Shown what is under way, and how far it is, 0…1."""


class BackupError(RuntimeError):
    """A backup or a restore was not done; the message says why and what to do. Nothing was overwritten."""


@dataclass(frozen=True)
class Copied:
    """What a backup holds: which file, its digest, and what the verifier saw in it."""

    file: str
    sha256: str
    at: datetime
    verdict: Verdict | None
    has_secrets: bool


def back_up(settings: Settings, target: Path, now: datetime, tell: Tell) -> Copied:
    """Copy a running installation into a new folder and verify the copy.

    Args:
        settings: Of the installation.
        target: A folder that does not exist yet, or is empty.
        now: Real time, for the record.
        tell: Shown progress.

    Raises:
        BackupError: The folder is not empty, the ledger is not there, or the copy does not verify.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(f"{target} 不是空目录，请换一个 / is not an empty folder, choose another")
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    url = sa.make_url(settings.ledger)
    if url.get_backend_name() == "sqlite":
        file = SQLITE_FILE
        _copy_sqlite(_sqlite_path(url), target / file, tell)
        verdict: Verdict | None = _verified(f"sqlite:///{target / file}", tell)
    else:
        file = POSTGRES_FILE
        tell("pg_dump", 0.2)
        dump(url, target / file)
        verdict = verified_dump(url, target / file, lambda scratch: _verified(scratch, tell))
    has_secrets = _copy_secret(settings.data_dir / SECRETS, target / SECRETS)
    copied = Copied(file, _sha256(target / file), now, verdict, has_secrets)
    _write_manifest(target / MANIFEST, copied)
    return copied


def restore(settings: Settings, source: Path, tell: Tell) -> Verdict:
    """Put a backup in the place of an empty installation, once it is verified.

    Raises:
        BackupError: The backup is damaged or of another kind, or the ledger in place holds something.
    """
    manifest = _read_manifest(source)
    file = source / str(manifest["file"])
    url = sa.make_url(settings.ledger)
    wanted = SQLITE_FILE if url.get_backend_name() == "sqlite" else POSTGRES_FILE
    if file.name != wanted:
        raise BackupError(
            f"这份备份是 {file.name}，与现在的台账类型不同，请改 JIAOYING_LEDGER_URL / is of another database"
        )
    if not file.exists() or _sha256(file) != manifest["sha256"]:
        raise BackupError(f"{file} 与备份时不同，已损坏，请用另一份 / is damaged, use another backup")
    if listens(settings.host, settings.port):
        raise BackupError("服务正在运行，请先停止再恢复 / the service is running: stop it first")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _check_secrets(settings, source)
    verdict = _restore_sqlite(_sqlite_path(url), file, tell) if wanted == SQLITE_FILE else _restore_pg(url, file, tell)
    if (source / SECRETS).exists():
        _copy_secret(source / SECRETS, settings.data_dir / SECRETS)
    return verdict


def _copy_sqlite(source: Path, target: Path, tell: Tell) -> None:
    """Copy by SQLite's own online backup: steps go on meanwhile, and the copy is of one moment."""
    if not source.exists():
        raise BackupError(f"没有台账 {source}，请检查 JIAOYING_DATA_DIR / there is no ledger")
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=10)) as running:
        # What is written meanwhile is seen again from the start; one look that stays open is of one moment.
        running.execute("BEGIN")
        running.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as copy:
            running.backup(
                copy,
                pages=PAGES,
                progress=lambda _, left, all_pages: tell("复制台账 / copying", 0.5 * (1 - left / max(1, all_pages))),
                sleep=PAUSE_S,
            )
            # As a single file, without a log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def _verified(url: str, tell: Tell) -> Verdict:
    """Open a copy and verify every chain and seal.

    Raises:
        BackupError: Something does not fit.
    """
    tell("核验副本 / verifying the copy", 0.6)
    ledger = SqlLedger(url, TABLES)
    try:
        verdict = verify(ledger)
    finally:
        ledger.close()
    if verdict.faults:
        fault = verdict.faults[0]
        raise BackupError(
            f"副本核验不过，{len(verdict.faults)} 处问题，首处：{fault.chinese} / the copy has faults: {fault.english}"
        )
    if url.startswith("sqlite"):
        _forget_log(Path(sa.make_url(url).database or ""))
    return verdict


def _forget_log(path: Path) -> None:
    """Bring a database back to one file after it was opened."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    turn_of(path).unlink(missing_ok=True)


def _restore_sqlite(place: Path, file: Path, tell: Tell) -> Verdict:
    if place.exists() and not _is_empty_sqlite(place):
        raise BackupError(
            f"{place} 里已有台账，不覆盖；要恢复请先移走它 / there is a ledger already: move it away first"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.restoring")
    tell("复制备份 / copying the backup", 0.2)
    shutil.copyfile(file, beside)
    beside.chmod(0o600)
    try:
        migrate(f"sqlite:///{beside}", TABLES)
        verdict = _verified(f"sqlite:///{beside}", tell)
        for log in ("-wal", "-shm"):
            place.with_name(place.name + log).unlink(missing_ok=True)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
    return verdict


def _restore_pg(url: sa.URL, file: Path, tell: Tell) -> Verdict:
    if not is_empty(url):
        raise BackupError("这个数据库里已有台账，不覆盖；请用一个空数据库 / the database holds a ledger already")
    tell("pg_restore", 0.2)
    restore_into(url, file)
    migrate(url.render_as_string(hide_password=False), TABLES)
    return _verified(url.render_as_string(hide_password=False), tell)


def _is_empty_sqlite(path: Path) -> bool:
    """Tell whether a ledger holds no letter, entry or document; a file that is no ledger is not empty."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            held = (name for name in ("entries", "letters", "raws", "tokens") if name in names)
            return not any(connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in held)  # noqa: S608
    except sqlite3.DatabaseError:
        return path.stat().st_size == 0


def _check_secrets(settings: Settings, source: Path) -> None:
    """Refuse to put secrets over others: what is kept under the old key could never be matched again."""
    kept, here = source / SECRETS, settings.data_dir / SECRETS
    if kept.exists() and here.exists() and kept.read_bytes() != here.read_bytes():
        raise BackupError(
            f"{here} 与备份中的密钥不同，请先移走它 / holds another key than the backup: move it away first"
        )


def _copy_secret(source: Path, target: Path) -> bool:
    """Copy a file so that only its owner ever reads it; False where there is none."""
    if not source.exists():
        return False
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(source.read_bytes())
    target.chmod(0o600)
    return True


def _write_manifest(path: Path, copied: Copied) -> None:
    seen = copied.verdict
    counts = {"subjects": seen.subjects, "entries": seen.entries, "seals": seen.seals} if seen else None
    content = {
        "file": copied.file,
        "sha256": copied.sha256,
        "at": copied.at.isoformat(timespec="seconds"),
        "verified": counts,
        "has_secrets": copied.has_secrets,
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _read_manifest(source: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(f"{source} 不是一份完整的备份（缺 {MANIFEST}） / is no complete backup") from error
    if not {"file", "sha256"} <= content.keys():
        raise BackupError(f"{source / MANIFEST} 读不懂 / cannot be understood")
    return content


def _sqlite_path(url: sa.URL) -> Path:
    return Path(url.database or "").absolute()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
