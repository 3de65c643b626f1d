"""What an import hands back: the shifts it is sure of, and for everything else the sheet, the cell and the reason.

A cell that could mean two things is refused, never guessed: a wrong name in a roster is a call to a wrong person. It
must never print a whole phone number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rosters.model import Shift

Language = Literal["zh", "en"]


class RosterFileError(ValueError):
    """A file that cannot be read as a roster at all; the message says why and what to do."""


class UnclearError(ValueError):
    """A piece of a sheet that nobody but a person can read; carries the reason in both languages."""

    def __init__(self, reason: str, english: str) -> None:
        self.reason, self.english = reason, english
        super().__init__(f"{reason} / {english}")


@dataclass(frozen=True)
class Remark:
    """Something told about one place of a file. An empty `cell` means the sheet as a whole."""

    sheet: str
    cell: str
    reason: str
    english: str

    def said(self, language: Language = "zh") -> str:
        """Return the remark as one line."""
        place = f"{self.sheet} {self.cell}".strip()
        return f"{place}：{self.reason}" if language == "zh" else f"{place}: {self.english}"

    def __str__(self) -> str:
        return f"{self.said('zh')}\n    {self.said('en')}"


@dataclass(frozen=True)
class Imported:
    """The result of reading one file.

    Args:
        shifts: What is sure, in order of start and post.
        refused: What was not taken, each with its place and reason. Nothing here is in `shifts`.
        notes: How something was read that a person should know of; nothing was left out for it.
    """

    shifts: tuple[Shift, ...] = ()
    refused: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A shift, and the place in a file it was read from."""

    shift: Shift
    sheet: str
    cell: str


def settle(placed: Iterable[Placed], refused: Iterable[Remark], notes: Iterable[Remark]) -> Imported:
    """Put shifts together; of two that start together at one post and differ, the later one in the file is refused."""
    first: dict[str, Placed] = {}
    turned_away = list(refused)
    for item in placed:
        before = first.setdefault(item.shift.id, item)
        if before.shift != item.shift:
            where = f"{before.sheet} {before.cell}"
            reason = f"同一岗位同一时间在 {where} 已排了别人"
            turned_away.append(
                Remark(item.sheet, item.cell, reason, f"{where} already puts somebody else there at that time")
            )
    shifts = sorted((item.shift for item in first.values()), key=lambda shift: (shift.starts_at, shift.post))
    return Imported(tuple(shifts), tuple(dict.fromkeys(turned_away)), tuple(dict.fromkeys(notes)))
