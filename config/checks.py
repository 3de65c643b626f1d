"""What the fields of the rule files must be to each other: pure checks that find everything wrong at once.

They hold what would otherwise be found out at night: a rule that calls nobody, a ladder that cannot be walked in its
time, a silence where somebody must be rung. They must never judge a county's figures: those are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from config.choose import ANY
from config.faults import Path
from config.kinds import LEVELS, POST_KINDS, SITE_KINDS
from config.rules import Hazard, Ladder, Rule, Selector, SummaryKnobs, Threshold
from config.sheet import Finding, nearest
from streams.words import Colour, Level

# A digest is read, not rung: it waits for the hours when people are up (our choice, no rule of the field).
DIGEST_FROM, DIGEST_TO = "05:00", "22:00"

# Many telephones let a second call of the same number within three minutes through their do-not-disturb.
GAP_S_MAX = 180


def found(path: Path, text: str, **values: object) -> Finding:
    """Make a finding."""
    return Finding(path, text, values)


def check_hazards(path: Path, listed: Sequence[str], known: Sequence[Hazard]) -> Iterator[Finding]:
    """Find hazards that are not in hazards.yaml, twice in one list, or beside `any`."""
    keys = [hazard.key for hazard in known]
    yield from check_repeats(path, listed)
    if ANY in listed and len(listed) > 1:
        yield found(path, "any_alone")
    for index, key in enumerate(listed):
        if key != ANY and key not in keys:
            yield found((*path, index), "unknown_hazard", value=key, near=nearest(key, keys))


def check_repeats(path: Path, listed: Sequence[object]) -> Iterator[Finding]:
    """Find words that stand twice in one list."""
    for index, word in enumerate(listed):
        if word in listed[:index]:
            yield found((*path, index), "repeated", value=word)


def check_ids(path: Path, items: Sequence[Any]) -> Iterator[Finding]:
    """Find ids that an earlier item has."""
    ids = [item.id for item in items]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            yield found((*path, index, "id"), "same_id", value=name)


def check_ladders(ladders: dict[str, Ladder]) -> Iterator[Finding]:
    """Find steps that cannot be walked in their time, and steps that are the same as an earlier one."""
    for name, ladder in ladders.items():
        for index, step in enumerate(ladder.steps):
            path = ("ladders", name, "steps", index)
            needed_s = step.calls * step.gap_s
            if needed_s > step.window_s:
                yield found(
                    (*path, "window_s"), "calls_past_window",
                    calls=step.calls, gap_s=step.gap_s, needed_s=needed_s, window_s=step.window_s,
                )  # fmt: skip
            if step.calls > 1 and step.gap_s > GAP_S_MAX:
                yield found((*path, "gap_s"), "gap_too_long", value=step.gap_s)
            if step in ladder.steps[:index]:
                yield found(path, "same_step", first=ladder.steps.index(step) + 1)


def check_rule(path: Path, rule: Rule, ladders: dict[str, Ladder], hazards: Sequence[Hazard]) -> Iterator[Finding]:
    """Find what is wrong inside one rule."""
    yield from check_hazards((*path, "hazards"), rule.hazards, hazards)
    yield from check_repeats((*path, "colours"), rule.colours)
    yield from check_repeats((*path, "sources"), rule.sources)
    severe = any(colour.severity >= Colour.ORANGE.severity for colour in rule.colours)
    if severe and all(selector.mode != "call" for selector in rule.posts):
        yield found((*path, "posts"), "nobody_rung")
    for index, selector in enumerate(rule.posts):
        place = (*path, "posts", index)
        yield from _check_kinds(place, selector)
        yield from _check_ladder_of(place, selector, ladders)
        earlier = [number for number, other in enumerate(rule.posts[:index], 1) if _picks_all_of(other, selector)]
        if earlier:
            yield found(place, "same_posts", first=earlier[0])


def check_summary(path: Path, summary: SummaryKnobs) -> Iterator[Finding]:
    """Find leaders that nobody knows among those who are told of a round."""
    for index, selector in enumerate(summary.posts):
        yield from _check_kinds((*path, "posts", index), Selector(**dict(selector), ladder=""))


def _check_kinds(path: Path, selector: Selector) -> Iterator[Finding]:
    """Find kinds of posts and sites that nobody knows, or that do not stand at the selector's level."""
    yield from check_repeats((*path, "kinds"), selector.kinds)
    yield from check_repeats((*path, "site_kinds"), selector.site_kinds)
    for index, kind in enumerate(selector.kinds):
        if kind not in POST_KINDS:
            yield found((*path, "kinds", index), "unknown_kind", value=kind, near=nearest(kind, POST_KINDS))
        elif selector.level not in POST_KINDS[kind].levels:
            yield found((*path, "kinds", index), "kind_elsewhere", value=kind, level=LEVELS[selector.level])
    if selector.site_kinds and selector.level != Level.SITE:
        yield found((*path, "site_kinds"), "site_kinds_elsewhere")
    for index, kind in enumerate(selector.site_kinds):
        if kind not in SITE_KINDS:
            yield found((*path, "site_kinds", index), "unknown_site_kind", value=kind, near=nearest(kind, SITE_KINDS))


def _check_ladder_of(path: Path, selector: Selector, ladders: dict[str, Ladder]) -> Iterator[Finding]:
    """Find a ladder that does not exist, or that goes to a superior whom the county level does not have."""
    path = (*path, "ladder")
    ladder = ladders.get(selector.ladder)
    if ladder is None:
        yield found(path, "no_ladder", value=selector.ladder, near=nearest(selector.ladder, ladders))
        return
    if selector.level != Level.COUNTY or selector.mode != "call":
        return
    if any(step.to == "superior" for step in ladder.steps):
        yield found(path, "no_superior", value=selector.ladder)
    if ladder.then == "door":
        yield found(path, "no_door", value=selector.ladder)


def _picks_all_of(earlier: Selector, later: Selector) -> bool:
    """Tell whether every post of `later` is one of `earlier`, which a plan asks first."""
    return (
        earlier.level == later.level
        and set(later.kinds) <= set(earlier.kinds)
        and (not earlier.site_kinds or (bool(later.site_kinds) and set(later.site_kinds) <= set(earlier.site_kinds)))
        and (earlier.scope == "all" or later.scope == "named")
    )


def check_thresholds(thresholds: Sequence[Threshold], hazards: Sequence[Hazard]) -> Iterator[Finding]:
    """Find limits of unknown hazards, without their window, twice, or in an order that makes one of them pointless."""
    keys = [hazard.key for hazard in hazards]
    for index, row in enumerate(thresholds):
        path: Path = ("thresholds", index)
        if row.hazard not in keys:
            yield found((*path, "hazard"), "unknown_hazard", value=row.hazard, near=nearest(row.hazard, keys))
        if row.quantity == "rain_mm" and row.window_h is None:
            yield found(path, "rain_window")
        if row.quantity == "rain_mm" and row.at_least <= 0:
            yield found((*path, "at_least"), "rain_positive")
        if row.quantity == "level_m" and row.window_h is not None:
            yield found((*path, "window_h"), "level_window")
        for first, other in enumerate(thresholds[:index], 1):
            if (row.hazard, row.quantity) == (other.hazard, other.quantity):
                yield from _check_pair(path, row, other, first)


def _check_pair(path: Path, row: Threshold, other: Threshold, first: int) -> Iterator[Finding]:
    """Find two limits of one hazard and quantity that contradict each other; `first` is the number of the earlier."""
    low, high = sorted((row, other), key=lambda each: (each.colour.severity, each.window_h or 0))
    if row.colour == other.colour and row.window_h == other.window_h:
        yield found(path, "same_threshold", first=first)
    elif row.window_h == other.window_h and low.at_least >= high.at_least:
        yield found(
            (*path, "at_least"), "colours_out_of_order",
            colour=high.colour, value=high.at_least, lower=low.colour, limit=low.at_least, first=first,
        )  # fmt: skip
    elif row.colour == other.colour and row.window_h and other.window_h and low.at_least > high.at_least:
        yield found(
            (*path, "at_least"), "windows_out_of_order",
            window_h=high.window_h, value=high.at_least, shorter_h=low.window_h, limit=low.at_least, first=first,
        )  # fmt: skip
