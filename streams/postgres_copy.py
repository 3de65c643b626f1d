"""Copies of a ledger on PostgreSQL, by its own pg_dump and pg_restore. A password never stands in a command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

T = TypeVar("T")
POSTGRES_FILE = "ledger.pgdump"
SCRATCH = "jiaoying_backup_check"
WITHIN_S = 3600


class PostgresCopyError(RuntimeError):
    """A program of PostgreSQL is not here or failed; the message says which and why."""


def dump(url: sa.URL, target: Path) -> None:
    """Write everything of a database into one file, as of one moment, while it is used.

    Raises:
        PostgresCopyError: pg_dump is not here or failed.
    """
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-acl", f"--file={target}")
    target.chmod(0o600)


def restore_into(url: sa.URL, file: Path) -> None:
    """Put a dump into an empty database: all of it or nothing.

    Raises:
        PostgresCopyError: pg_restore is not here or failed.
    """
    _run("pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", "--no-acl", str(file))


def verified_dump(url: sa.URL, file: Path, check: Callable[[str], T]) -> T | None:
    """Put a dump into a database of its own, check that, and remove it; None where no database may be made here."""
    admin = sa.create_engine(_driver(url), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {SCRATCH}")
            connection.exec_driver_sql(f"CREATE DATABASE {SCRATCH}")
    except sa.exc.ProgrammingError:
        return None
    scratch = url.set(database=SCRATCH)
    try:
        restore_into(scratch, file)
        return check(scratch.render_as_string(hide_password=False))
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {SCRATCH}")


def is_empty(url: sa.URL) -> bool:
    """Tell whether a database has no tables at all."""
    engine = sa.create_engine(_driver(url), poolclass=sa.NullPool)
    return not sa.inspect(engine).get_table_names()


def _driver(url: sa.URL) -> sa.URL:
    return url.set(drivername="postgresql+psycopg")


def _run(program: str, url: sa.URL, *options: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise PostgresCopyError(f"这里没有 {program}，请安装 PostgreSQL 客户端程序 / {program} is not here, install it")
    variables = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command: Sequence[str] = (path, f"--dbname={_without_password(url)}", *options)
    ended = subprocess.run(  # noqa: S603 - PostgreSQL's own program with our own arguments.
        command, env=variables, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    if ended.returncode:
        raise PostgresCopyError(f"{program} 失败 / failed: {ended.stderr.strip()[-300:]}")


def _without_password(url: sa.URL) -> str:
    bare = url.set(drivername="postgresql", password=None)
    return bare.render_as_string(hide_password=False)
