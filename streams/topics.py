"""Every topic of the house in one table: who writes it, who reads it, what its key is.

Kafka carries pages of letter ids between our own rooms (the ledger holds the letters), and whole bodies where others
read along. No partition is a matter of correctness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PARTITIONS = 4
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Topic:
    """One topic: `carries` ids for our rooms or bodies for others; `reader` is the room, or "" where others read."""

    name: str
    key: str
    carries: Literal["ids", "bodies", "nothing"]
    writer: str
    reader: str
    retention_h: int = 24
    partitions: int = PARTITIONS


WARNINGS_RAW = "warnings.raw"
WARNINGS = "warnings"
PAGES = "pages"
CALLOUTS = "callouts"
CALLS = "calls"
VISITS = "visits"
READINGS = "readings"
BELL = "bell"
AUDIT = "audit"
DEAD_LETTERS = "dead.letters"

TOPICS: tuple[Topic, ...] = (
    Topic(WARNINGS_RAW, "chain hint: issuer and hazard", "ids", "doors, sense", "intake"),
    Topic(READINGS, "station", "ids", "doors", "sense"),
    Topic(WARNINGS, "chain", "ids", "intake", "plan"),
    Topic(PAGES, "round", "ids", "plan, visit", "callout"),
    Topic(CALLOUTS, "callout", "ids", "dial, doors, plan", "callout"),
    Topic(CALLS, "attempt", "ids", "doors, dial", "dial"),
    Topic(VISITS, "visit list", "ids", "callout", "visit"),
    Topic(BELL, "none", "nothing", "pump", "dial", retention_h=1),
    Topic(AUDIT, "subject", "bodies", "every room", "", retention_h=24 * 7),
    Topic(DEAD_LETTERS, "door or topic", "bodies", "every door and room", "", retention_h=24 * 7),
)
BY_NAME = {topic.name: topic for topic in TOPICS}
