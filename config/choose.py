"""Which rule, and which quiet rule, answers a warning: the first in file order that matches. Pure.

It must never decide who holds a post or whether a call is made; it only says what the county wrote down.
"""

from __future__ import annotations

from datetime import time

from config.rules import Quiet, Rule, RuleBook, Source
from streams.words import Colour, Level

ANY = "any"


def choose(book: RuleBook, hazard: str, colour: Colour, source: Source, local_time: time) -> Rule | None:
    """Return the first rule in file order for this hazard, colour, source and hour, or None.

    Args:
        book: The county's rules.
        hazard: A key of hazards.yaml; one that is not there is matched by rules for `any` hazard only.
        colour: The colour of the warning, alarm or order.
        source: Whether a warning, a person's order or a monitor asks.
        local_time: Time of day in the county's zone.
    """
    for rule in book.rules:
        if (
            names(rule.hazards, hazard)
            and colour in rule.colours
            and source in rule.sources
            and in_hours(rule, local_time)
        ):
            return rule
    return None


def quiet_for(book: RuleBook, hazard: str, colour: Colour, level: Level, source: Source = "warning") -> Quiet | None:
    """Return the first quiet rule for posts of this level, or None: they ring.

    A person who orders a call wants it made, so an order is never quiet. Orange and red never are either: whatever
    a book built by hand may say, the answer for them is None.
    """
    if source == "order" or colour.severity >= Colour.ORANGE.severity:
        return None
    for quiet in book.quiet:
        if names(quiet.hazards, hazard) and colour in quiet.colours and level in quiet.levels:
            return quiet
    return None


def names(hazards: tuple[str, ...], hazard: str) -> bool:
    """Tell whether a list of hazards means this one."""
    return hazard in hazards or ANY in hazards


def in_hours(rule: Rule, local_time: time) -> bool:
    """Tell whether a rule holds at a time of day: from `from_time` until just before `to_time`, past midnight too."""
    starts, ends = time.fromisoformat(rule.from_time), time.fromisoformat(rule.to_time)
    if starts == ends:
        return True
    if starts < ends:
        return starts <= local_time < ends
    return local_time >= starts or local_time < ends
