"""What an end-to-end test needs of the machine; where it is missing the test skips with the reason.

Where JIAOYING_TEST_REQUIRE is set, as in continuous integration, what is missing is a failure.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.contract.throwaway_postgres import NoPostgresError, PostgresServer
from tests.e2e.apache_kafka import ApacheKafka, NoKafkaError
from tests.e2e.small_disk import NoDiskError, small_disk

FAKETIME = "libfaketimeMT.so.1"


def missing(error: Exception) -> NoReturn:
    """Skip, or fail where everything is required."""
    if os.environ.get("JIAOYING_TEST_REQUIRE"):
        pytest.fail(f"required here: {error}")
    pytest.skip(str(error))


@contextmanager
def a_kafka(folder: Path, machines: tuple[str, ...] = ()) -> Iterator[ApacheKafka]:
    """A running Apache Kafka."""
    try:
        broker = ApacheKafka(folder, machines)
    except NoKafkaError as error:
        missing(error)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@contextmanager
def a_postgres(within: Path | None = None) -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    try:
        server = PostgresServer(within)
    except NoPostgresError as error:
        missing(error)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def a_small_disk(stack: ExitStack, **mib: int) -> dict[str, Path]:
    """Mount small disks for as long as the stack stands; none where that is not allowed."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    # PostgreSQL is not run by root, and must get through.
    folder.chmod(0o755)
    try:
        return {name: stack.enter_context(small_disk(folder / name, size)) for name, size in mib.items()}
    except NoDiskError:
        return {}


def own_clock(folder: Path) -> tuple[Path | None, dict[str, str]]:
    """Return a file by which one process's clock is set, and the variables for that process; None without the tool."""
    found = sorted(Path("/usr/lib").glob(f"**/faketime/{FAKETIME}"))
    if not found:
        return None, {}
    file = folder / "clock"
    file.write_text("+0\n")
    return file, {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
