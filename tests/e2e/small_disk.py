"""A disk that a test may fill: a small file system in memory, where mounting one is allowed."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = "filler"
CHUNK = bytes(1 << 16)


class NoDiskError(Exception):
    """No file system can be mounted here; the text says why."""


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """Mount a file system of so many MiB for as long as the block lasts.

    Raises:
        NoDiskError: It is not allowed.
    """
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0777", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError as error:
        raise NoDiskError("there is no mount here") from error
    if mounted.returncode:
        raise NoDiskError(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: somebody may still have a file open, and the mount must not outlive the tests.
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, timeout=20, check=False)


def fill(folder: Path) -> None:
    """Take all the room there is."""
    with contextlib.suppress(OSError), (folder / FILLER).open("ab", buffering=0) as filler:
        while True:
            filler.write(CHUNK)
    with contextlib.suppress(OSError), (folder / FILLER).open("ab", buffering=0) as filler:
        while True:
            filler.write(b"\0")


def make_room(folder: Path) -> None:
    """Give the room back."""
    (folder / FILLER).unlink(missing_ok=True)
