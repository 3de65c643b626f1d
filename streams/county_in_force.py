"""The county a process goes by when it starts: its folder, or the copy of what was last taken in from it.

A power cut at three in the morning must not find a sheet that somebody half edited at five in the afternoon. What was
taken in once is kept beside the ledger, under the version that names its content; a folder with faults, or one that
says what nobody has published yet, is told to people and left alone. The copy holds what the folder holds, numbers of
people included: it lies where the ledger lies, and is read by nobody else.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from agents.facts import Facts
from config.load import ConfigError
from rosters.sheets import CountyError
from streams.ledger.contract import FullStep
from streams.rooms import record_troubles, trouble

log = logging.getLogger(__name__)
FAULTY, UNPUBLISHED = "roster_faulty", "roster_unpublished"
PLACE = "county-in-force"
KEPT_MAX = 3

Load = Callable[[Path], Facts]


class Taken(NamedTuple):
    """The facts a process starts with, and what people must be told: a kind and a sentence, or nothing."""

    facts: Facts
    kind: str = ""
    told: str = ""


def newest_ns(folder: Path) -> int:
    """Return when a file of a county's folder was last written."""
    return max((file.stat().st_mtime_ns for file in _files(folder)), default=0)


def take_in(folder: Path, data_dir: Path, published: str, load: Load) -> Taken:
    """Load the county for a process that starts.

    Args:
        folder: The county's own folder.
        data_dir: Where this installation keeps its data.
        published: The version that was last published, "" where none ever was.
        load: Loads a folder.

    Raises:
        CountyError, ConfigError: The folder is faulty, and nothing that was taken in before can be loaded.
        OSError: The folder cannot be read, and nothing that was taken in before can be.
    """
    read_ns = newest_ns(folder)
    try:
        facts = load(folder)
    except (CountyError, ConfigError, OSError) as error:
        kept = _load_kept(data_dir, published, load) or _load_kept(data_dir, "", load)
        if kept is None:
            raise
        text = f"值班表文件有误，已按上次采用的值班表启动；改好后自动采用：{str(error)[:200]}"
        return Taken(kept, FAULTY, text)
    if published not in ("", facts.county.version):
        kept = _load_kept(data_dir, published, load)
        if kept is not None:
            return Taken(kept, UNPUBLISHED, "值班表文件已改动但尚未发布，已按已发布的值班表启动；核对后请发布")
    keep(folder, data_dir, facts.county.version, read_ns)
    return Taken(facts)


def keep(folder: Path, data_dir: Path, version: str, read_ns: int) -> None:
    """Keep a copy of what was taken in; a disk that is full or a folder written to meanwhile is left to the next time.

    Args:
        folder: The county's own folder.
        data_dir: Where this installation keeps its data.
        version: `County.version` of what was loaded.
        read_ns: `newest_ns` of the folder before it was loaded.
    """
    place = data_dir / PLACE
    try:
        if (place / version).is_dir():
            (place / version).touch()
            return
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=place))
        try:
            for file in _files(folder):
                shutil.copy2(file, part)
            if newest_ns(folder) == read_ns:
                part.rename(place / version)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        for old in _newest_first(data_dir)[KEPT_MAX:]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if not (place / version).is_dir():
            log.warning("the county that was taken in could not be kept for the next start: %s", error)


def tell(taken: Taken, now: datetime, step: FullStep) -> None:
    """Tell people that a process did not start with what the folder says."""
    if taken.kind:
        county = taken.facts.county
        record_troubles(step, [trouble(taken.kind, county.code, taken.told, now, county.code)])


def _load_kept(data_dir: Path, version: str, load: Load) -> Facts | None:
    """Load the copy of a version, or the one taken in last; None where there is none that this program can load."""
    kept = [data_dir / PLACE / version] if version else _newest_first(data_dir)
    for folder in kept:
        if folder.is_dir():
            try:
                return load(folder)
            except (CountyError, ConfigError, OSError):
                log.warning("a county that was taken in before cannot be loaded: %s", folder.name)
    return None


def _files(folder: Path) -> list[Path]:
    """Return the sheets; what else lies there (a folder of a version control) is nobody's roster."""
    return [path for path in folder.glob("*.*") if path.is_file()]


def _newest_first(data_dir: Path) -> list[Path]:
    folders = [path for path in (data_dir / PLACE).glob("[!.]*") if path.is_dir()]
    return sorted(folders, key=lambda path: path.stat().st_mtime_ns, reverse=True)
