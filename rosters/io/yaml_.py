"""Rosters as YAML: `shifts:` with the columns of shifts.csv, and names as comments for the eye."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from rosters.county import County
from rosters.io.csv_ import row_of, shift_of
from rosters.io.grid import text_of
from rosters.io.report import Imported, Placed, Remark, RosterFileError, UnclearError, settle
from rosters.model import Shift


def read_yaml(content: bytes, county: County, name: str = "YAML") -> Imported:
    """Read the shifts of a YAML file.

    Args:
        content: Of the file.
        county: Its posts and people are the only ones that are found.
        name: What the file is called in remarks.

    Raises:
        RosterFileError: It is no YAML, or has no list `shifts`.
    """
    try:
        read: Any = yaml.safe_load(text_of(content))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RosterFileError(f"不是合格的 YAML / not well-formed YAML: {str(error)[:200]}") from error
    rows = read.get("shifts") if isinstance(read, dict) else None
    if not isinstance(rows, list):
        raise RosterFileError("应有一个列表 shifts: / there should be a list under shifts:")
    placed: list[Placed] = []
    refused: list[Remark] = []
    for n, row in enumerate(rows):
        place = f"shifts[{n}]"
        try:
            placed.append(Placed(shift_of(_texts(row), county), name, place))
        except UnclearError as error:
            refused.append(Remark(name, place, error.reason, error.english))
    return settle(placed, refused, ())


def write_yaml(shifts: Iterable[Shift], county: County) -> str:
    """Return the shifts as YAML, each with the name of its post as a comment."""
    lines = ["# 值班表：时间为县里的当地时间。 A roster; times are the county's local time.", "shifts:"]
    for shift in sorted(shifts, key=lambda shift: (shift.post, shift.starts_at)):
        row = {column: cell for column, cell in row_of(shift, county).items() if cell}
        text = yaml.safe_dump(row, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip()
        person = county.people[shift.person].name if shift.person in county.people else ""
        comment = " ".join(f"{county.posts[shift.post].name} {person}".split())
        lines.append(f"  - {text}  # {comment}")
    if len(lines) == 2:
        lines[1] = "shifts: []"
    return "\n".join(lines) + "\n"


def _texts(row: Any) -> dict[str, str]:
    if not isinstance(row, dict) or not all(isinstance(cell, str) for cell in row.values()):
        raise UnclearError("应写成 {post: …, person: …, starts_at: '…', ends_at: '…'}", "should be a row of texts")
    unknown = sorted(set(map(str, row)) - {"post", "person", "deputy", "others", "starts_at", "ends_at"})
    if unknown:
        raise UnclearError(f"不认识的键 {', '.join(unknown)}", f"unknown key {', '.join(unknown)}")
    return {str(key): cell.strip() for key, cell in row.items()}
