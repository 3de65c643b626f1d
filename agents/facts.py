"""What the rooms may look up while they decide: the county as it is now, and the rules it set."""

from __future__ import annotations

from dataclasses import dataclass

from config.rules import RuleBook
from rosters.county import County


@dataclass(frozen=True)
class Facts:
    """The county and its rule book, replaced together when either is published anew."""

    county: County
    book: RuleBook
