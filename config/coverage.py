"""Whether the rules leave anything out, say anything that is never heard, or silence what must ring: pure checks.

A rule is taken apart into cells (hazard, colour, source, part of the day); the first rule that holds a cell answers
it. It must never look at people or areas: whether a post is held is found out when it is called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import time
from itertools import pairwise, product
from typing import NamedTuple

from config.checks import DIGEST_FROM, DIGEST_TO, check_hazards, check_ids, check_repeats, found
from config.choose import ANY, in_hours, names
from config.faults import Path
from config.kinds import SOURCES
from config.rules import Hazard, Quiet, Rule, Source, Threshold, Uncovered
from config.sheet import Finding
from streams.words import Colour


class Cell(NamedTuple):
    """One thing that a rule can answer; `since` is the HH:MM where this part of the day begins."""

    hazard: str
    colour: Colour
    source: Source
    since: str


def check_coverage(
    rules: Sequence[Rule], uncovered: Sequence[Uncovered], thresholds: Sequence[Threshold], hazards: Sequence[Hazard]
) -> Iterator[Finding]:
    """Find rules that can never match, and what no rule answers.

    Every warning and every order needs a rule at every hour, and so does every alarm that a threshold can raise;
    only warnings may be listed as uncovered.
    """
    keys = [hazard.key for hazard in hazards]
    parts = sorted({"00:00", *(rule.from_time for rule in rules), *(rule.to_time for rule in rules)})
    taken: set[Cell] = set()
    for index, rule in enumerate(rules):
        cells = _cells(rule, keys, parts)
        if cells and cells <= taken:
            yield found(("rules", index), "dead_rule")
        taken |= cells
    for index, entry in enumerate(uncovered):
        path = ("uncovered", index)
        yield from check_hazards((*path, "hazards"), entry.hazards, hazards)
        yield from check_repeats((*path, "colours"), entry.colours)
        cells = set(_needed("warning", entry.colours, [key for key in keys if names(entry.hazards, key)], parts))
        if cells and cells <= taken:
            yield found(path, "covered_after_all")
        taken |= cells
    needed = [*_needed("warning", tuple(Colour), keys, parts), *_needed("order", tuple(Colour), keys, parts)]
    for row in thresholds:
        if row.hazard in keys:
            needed += _needed("monitor", (row.colour,), [row.hazard], parts)
    yield from _left_out([cell for cell in dict.fromkeys(needed) if cell not in taken], keys, parts)


def _cells(rule: Rule, keys: Sequence[str], parts: Sequence[str]) -> set[Cell]:
    """Return every cell that a rule answers."""
    answered = [key for key in keys if names(rule.hazards, key)]
    held = [part for part in parts if in_hours(rule, time.fromisoformat(part))]
    return {Cell(*cell) for cell in product(answered, rule.colours, rule.sources, held)}


def _needed(source: Source, colours: Sequence[Colour], keys: Sequence[str], parts: Sequence[str]) -> list[Cell]:
    """Return the cells of one source that must have an answer."""
    return [Cell(key, colour, source, part) for colour, key, part in product(colours, keys, parts)]


def _left_out(cells: Sequence[Cell], keys: Sequence[str], parts: Sequence[str]) -> Iterator[Finding]:
    """Find each colour of each source that has no answer, with its hazards and hours in one sentence."""
    for colour, source in dict.fromkeys((cell.colour, cell.source) for cell in cells):
        missed = [cell for cell in cells if (cell.colour, cell.source) == (colour, source)]
        unanswered = {cell.hazard for cell in missed}
        hazards = [ANY] if unanswered == set(keys) else [key for key in keys if key in unanswered]
        yield found(
            ("rules",), "uncovered", colour=colour, source=SOURCES[source],
            hours=_spans({cell.since for cell in missed}, parts), hazards="、".join(hazards),
        )  # fmt: skip


def _spans(missed: Collection[str], parts: Sequence[str]) -> str:
    """Return parts of the day as spans, those that touch made one: 00:00–06:00、22:00–24:00."""
    spans: list[tuple[str, str]] = []
    for since, until in pairwise([*parts, "24:00"]):
        if since in missed and spans and spans[-1][1] == since:
            spans[-1] = (spans[-1][0], until)
        elif since in missed:
            spans.append((since, until))
    return "、".join(f"{since}–{until}" for since, until in spans)


def check_quiet(rows: Sequence[Quiet], hazards: Sequence[Hazard]) -> Iterator[Finding]:
    """Find quiet rules that would silence orange or red, give no reason, wake people with a digest, or never match."""
    yield from check_ids(("quiet",), rows)
    taken: set[tuple[str, str, str]] = set()
    for index, quiet in enumerate(rows):
        path: Path = ("quiet", index)
        yield from check_hazards((*path, "hazards"), quiet.hazards, hazards)
        yield from check_repeats((*path, "colours"), quiet.colours)
        yield from check_repeats((*path, "levels"), quiet.levels)
        for field in ("hazards", "colours", "levels"):
            if not getattr(quiet, field):
                yield found((*path, field), "too_few", limit=1)
        for number, colour in enumerate(quiet.colours):
            if colour.severity >= Colour.ORANGE.severity:
                yield found((*path, "colours", number), "quiet_severe", value=colour)
        if not quiet.reason.strip():
            yield found((*path, "reason"), "quiet_blank")
        if quiet.digest_at and not DIGEST_FROM <= quiet.digest_at <= DIGEST_TO:
            yield found((*path, "digest_at"), "quiet_night", value=quiet.digest_at)
        held = [hazard.key for hazard in hazards if names(quiet.hazards, hazard.key)]
        cells = set(product(held, quiet.colours, quiet.levels))
        if cells and cells <= taken:
            yield found(path, "dead_rule")
        taken |= cells
