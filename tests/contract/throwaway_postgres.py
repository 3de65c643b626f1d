"""A PostgreSQL cluster that lives as long as the tests do, on a socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


class NoPostgresError(Exception):
    """There is no PostgreSQL here, or it cannot be run; the text says which."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a fresh cluster's maintenance database."""
    programs = _find_programs()
    user = _pick_user()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if user:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        _run(user, programs / "initdb", "-D", data, "-U", "jiaoying", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c deadlock_timeout=100ms"
        _run(user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://jiaoying@/postgres?host={folder}"
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(maintenance_url: str, name: str) -> str:
    """Make an empty database and return its URL."""
    engine = sa.create_engine(maintenance_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return str(sa.make_url(maintenance_url).set(database=name, drivername="postgresql"))


def _find_programs() -> Path:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise NoPostgresError("PostgreSQL's initdb is neither on PATH nor under /usr/lib/postgresql")
    return found[-1].parent


def _pick_user() -> pwd.struct_passwd | None:
    """Return whom to run as: PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("PostgreSQL refuses to be run by root, and there is no user postgres or nobody")


def _run(user: pwd.struct_passwd | None, *command: str | Path) -> None:
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    # pg_ctl leaves the server behind with our pipes open, so its words go to a file instead.
    with tempfile.TemporaryFile() as words:
        ended = subprocess.run(
            list(map(str, command)), stdout=words, stderr=words, timeout=120, check=False, cwd="/", **as_user
        )
        words.seek(0)
        if ended.returncode:
            raise NoPostgresError(f"{Path(command[0]).name} failed: {words.read().decode(errors='replace')[-400:]}")
