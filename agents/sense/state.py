"""What SENSE remembers of a station: its last three days in buckets, which readings it has seen, what it has raised.

The buckets live in the ledger and nowhere else: a sum of 24 hours does not heal after a lost one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from streams.ids import make_id
from streams.ledger.contract import Row, Table
from streams.words import Colour, Model

KEEP_S = 72 * 3600
SEEN_MAX = 4320


class Verdict(StrEnum):
    """What became of one reading. Every reading of every page is counted under exactly one of these."""

    TAKEN = "taken"
    CORRECTED = "corrected"
    REPEATED = "repeated"
    ABSURD = "absurd"
    FUTURE = "future"
    TOO_LATE = "too_late"
    WRONG_QUANTITY = "wrong_quantity"
    UNDATED = "undated"


class Told(Model):
    """A crossing that was spoken of: by an alarm, or (`late`) by putting it to a person. `window_h` is 0 for levels.

    `until_s` moves on with the crossing, so that a river over its limit for a week, whose rise lies beyond the hours
    kept, is still known as the one that was told.
    """

    hazard: str
    window_h: int
    colour: Colour
    at_s: int
    until_s: int
    late: bool = False


class StationState(Row):
    """One station of one realm. Numbers are thousandths: µm of rain, mm of level.

    Args:
        realm: Readings of a drill never fill the buckets of the real station.
        station: The station's id in the county.
        township: Code of its township, or of the county where it lies in none; for finding its company.
        series: End of a five-minute bucket in seconds since 1970 → rain in it, or the highest level in it.
        seen: Time of a reading in milliseconds since 1970 → its value; what makes a repeated reading harmless.
        forgotten_ms: Readings at or before this time were dropped from `seen`, and are taken no more.
        last_at: Event time of the newest live reading (never of a historical one), with its value in mm or m.
        crossed: Threshold that is crossed at `last_at` → since when, in event time.
        crossed_at: The last time it rained, or the level was read, while a threshold of yellow or above was crossed.
        crossed_hazards: The hazards of those thresholds, in order, with commas.
        told: Crossings spoken of, by themselves or by a worse one, as long as they last and for the hours kept.
        absurd_hour: The last hour (since 1970) in which an entry about absurd values was written.
        counts: How many readings met which verdict, since ever.
    """

    realm: str
    station: str
    township: str
    series: dict[int, int] = Field(default_factory=dict)
    seen: dict[int, int] = Field(default_factory=dict)
    forgotten_ms: int = 0
    last_at: datetime | None = None
    last_value: float | None = None
    crossed: dict[str, datetime] = Field(default_factory=dict)
    crossed_at: datetime | None = None
    crossed_hazards: str = ""
    told: tuple[Told, ...] = ()
    absurd_hour: int = 0
    counts: dict[Verdict, int] = Field(default_factory=dict)


STATIONS: Table[StationState] = Table(
    "stations",
    StationState,
    ("realm", "station", "township", "last_at", "crossed_at", "crossed_hazards"),
    (("realm", "crossed_at"), ("last_at",)),
)


def state_id(realm: str, station: str) -> str:
    """Return the id of a station's state: content of realm and station."""
    return make_id(realm, "station", station)
