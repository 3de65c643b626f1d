"""Entries as a table that a county's office can open and file: CSV with Chinese headers, read rightly by Excel.

Never put here: anything that is not in the entries. Numbers are masked there already.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import tzinfo
from functools import partial
from pathlib import Path

from streams.ledger.chain import canonical
from streams.ledger.contract import Archive, Entry, Ledger

HEADERS = ("时间", "对象", "序号", "事项", "原因", "经手", "内容", "上一条哈希", "本条哈希")
_PAGE = 2000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_csv(ledger: Ledger, target: Path, zone: tzinfo) -> int:
    """Write all entries in the order of their times, and return how many there were.

    Args:
        ledger: Any ledger; it is read page by page and goes on working.
        target: The file to write; one that is there is replaced.
        zone: The county's zone, in which times are written.

    Raises:
        OSError: The file cannot be written.
        LedgerAwayError: The database is away; the file is then incomplete.
    """
    count = 0
    # Without the mark at the front Excel takes UTF-8 for the local code page.
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADERS)
        for entry in _read_by_time(ledger):
            rows.writerow([_cell(value) for value in _row(entry, zone)])
            count += 1
    return count


def _read_by_time(ledger: Ledger) -> Iterator[Entry]:
    after: Entry | None = None
    while entries := ledger.step(partial(_read_page, after=after)):
        yield from entries
        after = entries[-1]


def _read_page(step: Archive, after: Entry | None) -> list[Entry]:
    return step.page(after, _PAGE, by_time=True)


def _row(entry: Entry, zone: tzinfo) -> tuple[str, ...]:
    at = entry.at.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
    facts = canonical(entry.model_dump(mode="json", include={"facts"})["facts"])
    return at, entry.subject, str(entry.n), entry.what, entry.why, entry.by, facts, entry.previous, entry.hash


def _cell(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula: what people typed ends up here."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
