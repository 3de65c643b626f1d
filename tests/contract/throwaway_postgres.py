"""A PostgreSQL cluster that lives as long as the tests do, on a socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

CONTROL_WITHIN_S, ANY_WITHIN_S = 240, 300


class NoPostgresError(Exception):
    """There is no PostgreSQL here, or it cannot be run; the text says which."""


class PostgresServer:
    """A cluster in a folder of its own, `within` another or among the temporary ones.

    It may be stopped as a power cut does, and started again.
    """

    def __init__(self, within: Path | None = None) -> None:
        self._programs, self._user = _find_programs(), _pick_user()
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=within))
        if self._user:
            shutil.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._data = self._folder / "data"
        initdb = (self._programs / "initdb", "-D", self._data, "-U", "jiaoying", "-A", "trust", "-E", "UTF8")
        _run(self._user, *initdb, "--no-sync")

    @property
    def url(self) -> str:
        """The maintenance database."""
        return f"postgresql+psycopg://jiaoying@/postgres?host={self._folder}"

    @property
    def socket(self) -> Path:
        """The socket that it answers at."""
        return self._folder / ".s.PGSQL.5432"

    def start(self) -> None:
        where = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}'"
        self._control("-l", self._folder / "log", "-o", f"{where} -c fsync=off -c deadlock_timeout=100ms", "start")

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, connect_args={"connect_timeout": 3})
        try:
            with engine.connect():
                return True
        except sa.exc.OperationalError:
            return False

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it, where a test did not do so and fail before it was up again, and take its folder away."""
        try:
            # It may have ended by itself and left its note behind: there is nothing to stop then.
            with suppress(NoPostgresError):
                if (self._data / "postmaster.pid").exists():
                    self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *arguments: str | Path) -> None:
        _run(self._user, self._programs / "pg_ctl", "-D", self._data, "-w", "-t", str(CONTROL_WITHIN_S), *arguments)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a fresh cluster's maintenance database."""
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.remove()


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
            list(map(str, command)), stdout=words, stderr=words, timeout=ANY_WITHIN_S, check=False, cwd="/", **as_user
        )
        words.seek(0)
        if ended.returncode:
            raise NoPostgresError(f"{Path(command[0]).name} failed: {words.read().decode(errors='replace')[-400:]}")
