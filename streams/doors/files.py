"""The drop folder: a document copied into it is taken in exactly like an upload, and its file is moved away.

Other systems write here over shares and FTP, so a file counts as whole only when it did not change for one look, and
`*.part` never does. A file whose document could not be kept, because the ledger is away, stays and is looked at again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from streams.clock import Clock
from streams.doors.refusal import RefusedError
from streams.ledger.contract import LedgerError

ACCEPTED, REFUSED = "accepted", "refused"
POLL_S = 1.0
FILES_MAX = 200
"""How many files are taken at one look; more wait for the next."""
BYTES_MAX = 1024 * 1024 + 1
"""Of a larger file this much is read: enough for the door to say that it is too large."""

Take = Callable[[bytes, str], Awaitable[Any]]
Seen = Mapping[str, tuple[int, int]]
log = logging.getLogger(__name__)


async def watch(folder: Path, take: Take, clock: Clock) -> None:
    """Look into the folder every second until cancelled.

    Args:
        folder: The inbox; made with its `accepted/` and `refused/` where they are missing.
        take: Takes the bytes and the name of one document in. A `RefusedError` moves the file to `refused/` with its
            reason beside it, a `LedgerError` leaves it where it is, anything else leaves it and is logged.
        clock: Whose real seconds are waited between looks.
    """
    seen: Seen = {}
    while True:
        try:
            seen = await look(folder, take, seen)
        except OSError:
            log.exception("the drop folder %s cannot be read; looking again", folder.name)
        await clock.sleep(POLL_S)


async def look(folder: Path, take: Take, seen: Seen) -> Seen:
    """Look once: take every file that is as it was `seen` last time, oldest first; return what is seen now.

    Raises:
        OSError: The folder cannot be made or listed.
    """
    found = await asyncio.to_thread(_list, folder)
    whole = [name for name, mark in found.items() if seen.get(name) == mark]
    for name in sorted(whole, key=lambda one: (found[one][1], one))[:FILES_MAX]:
        await _take_file(folder, name, take)
    return found


def _list(folder: Path) -> Seen:
    """Return size and time of every file that may be a document."""
    for each in (folder, folder / ACCEPTED, folder / REFUSED):
        each.mkdir(parents=True, exist_ok=True)
    found: dict[str, tuple[int, int]] = {}
    for file in folder.iterdir():
        if file.name.startswith(".") or file.name.endswith(".part"):
            continue
        try:
            told = file.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(told.st_mode):
            found[file.name] = (told.st_size, told.st_mtime_ns)
    return found


async def _take_file(folder: Path, name: str, take: Take) -> None:
    try:
        content = await asyncio.to_thread(_read, folder / name)
        await take(content, name)
    except RefusedError as refused:
        reason = f"{refused.element}: {refused.reason}\n{refused.element}: {refused.reason_en}\n"
        await asyncio.to_thread(_move, folder / name, folder / REFUSED, content, reason)
    except LedgerError as error:
        log.warning("the file %s stays in the drop folder: %s", name, error)
    except Exception:
        log.exception("the file %s stays in the drop folder", name)
    else:
        await asyncio.to_thread(_move, folder / name, folder / ACCEPTED, content, "")


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(BYTES_MAX)


def _move(file: Path, folder: Path, content: bytes, reason: str) -> None:
    """Move a file, beside one of the same name if there is one, and write down why."""
    target = folder / file.name
    if target.exists():
        target = folder / f"{file.stem}-{hashlib.sha256(content).hexdigest()[:8]}{file.suffix}"
    file.replace(target)
    if reason:
        target.with_name(target.name + ".reason.txt").write_text(reason, encoding="utf-8")
