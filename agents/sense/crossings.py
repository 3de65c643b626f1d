"""Which stretches of event time stand over a threshold, and which of them have still to be spoken of: pure.

A *crossing* is a stretch in which a window's sum (or the level) stands at a threshold or above. Each is spoken of once:
again only after the value has fallen below and crossed anew, or has reached a higher colour. Crossings are worked out
from the buckets each time, so the order in which readings came does not matter.

A late reading may complete a window that is past. It is alarmed about while the last moment over the limit is younger
than half the window, and three hours at the most (levels: three hours); an older one is put to a person and dials
nobody, as all things of yesterday.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agents.sense.series import BUCKET_S, HOUR_S, LEVEL_HOLDS_S, Spell, bucket_of, level_steps, rain_steps, spells
from agents.sense.state import StationState, Told
from config.rules import Threshold
from rosters.model import Station
from streams.words import Colour

LATE_S_MAX = 3 * HOUR_S
COMPANY_S = 3 * HOUR_S


@dataclass(frozen=True)
class Crossing:
    """A threshold and a stretch over it. `limit` in thousandths; `late`: it ended too long ago to be dialled about."""

    threshold: Threshold
    limit: int
    spell: Spell
    late: bool = False

    @property
    def window_h(self) -> int:
        """Return the hours of the window, 0 for a level."""
        return self.threshold.window_h or 0

    @property
    def name(self) -> str:
        """Return the threshold in one phrase: `flash_flood 1h orange`, `flood level red`."""
        window = f"{self.window_h}h" if self.window_h else "level"
        return f"{self.threshold.hazard} {window} {self.threshold.colour.value}"

    @property
    def at(self) -> datetime:
        """Return the event time of the crossing."""
        return datetime.fromtimestamp(self.spell.starts_s, UTC)

    def holds(self, at_s: int) -> bool:
        """Return whether a time lies in the stretch."""
        return self.spell.starts_s <= at_s < self.spell.ends_s

    def touched_by(self, reading_s: int) -> bool:
        """Return whether some window that holds a reading, and ends with it or later, lies in this stretch."""
        reaches_s = self.window_h * HOUR_S or BUCKET_S
        return self.spell.starts_s < reading_s + reaches_s and reading_s < self.spell.ends_s

    def late_at(self, now: datetime) -> bool:
        """Return whether the last moment over the limit is too long ago at `now` to be dialled about."""
        younger_s = min(self.window_h * HOUR_S // 2 or LATE_S_MAX, LATE_S_MAX)
        return self.spell.ends_s <= now.timestamp() - younger_s

    def told(self) -> Told:
        """Return what is remembered once this crossing has been spoken of."""
        threshold = self.threshold
        return Told(
            hazard=threshold.hazard,
            window_h=self.window_h,
            colour=threshold.colour,
            at_s=self.spell.starts_s,
            until_s=self.spell.starts_s,
            late=self.late,
        )


def limit_of(threshold: Threshold, station: Station) -> int | None:
    """Return a threshold in thousandths for a station; None for a level with neither guarantee nor alarm level known.

    A level is counted from the station's 保证水位, or from its 警戒水位 where it has no other.
    """
    if threshold.quantity == "rain_mm":
        return round(threshold.at_least * 1000)
    base_m = station.guarantee_m if station.guarantee_m is not None else station.alarm_level_m
    return None if base_m is None else round((base_m + threshold.at_least) * 1000)


def find_crossings(state: StationState, station: Station, thresholds: Iterable[Threshold]) -> list[Crossing]:
    """Return every stretch over a threshold in the hours kept: worst first, then the shorter window, then the older."""
    mine = [threshold for threshold in thresholds if threshold.quantity == station.quantity]
    level = station.quantity == "level_m"
    windows = {threshold.window_h or 0 for threshold in mine}
    steps = {window: level_steps(state.series) if level else rain_steps(state.series, window) for window in windows}
    found: list[Crossing] = []
    for threshold in mine:
        limit = limit_of(threshold, station)
        if limit is not None:
            stretches = spells(steps[threshold.window_h or 0], limit, LEVEL_HOLDS_S if level else None)
            found += [Crossing(threshold, limit, stretch) for stretch in stretches]
    return sorted(found, key=lambda one: (-one.threshold.colour.severity, one.window_h, one.spell.starts_s, one.name))


def find_due(
    found: Sequence[Crossing], told: Sequence[Told], live_s: Sequence[int], now: datetime
) -> tuple[tuple[Crossing, ...], tuple[Told, ...]]:
    """Return the crossings that have still to be spoken of, and all that is told once they have been.

    Args:
        found: As `find_crossings` orders them: what is worse is spoken of first, and covers what is less.
        told: What was spoken of before.
        live_s: Ends of the buckets of the readings that came; a crossing that none of them touches is left alone.
        now: Story time of the step.
    """
    due: list[Crossing] = []
    heard = list(told)
    for one in found:
        if not any(one.touched_by(reading_s) for reading_s in live_s):
            continue
        crossing = replace(one, late=one.late_at(now))
        words = [word for word in heard if _may_speak_for(word, crossing)]
        if any(_is_of(word, crossing) and word.colour == crossing.threshold.colour for word in words):
            continue
        if not any(_is_of(word, crossing) or _same_hour(word, crossing) for word in words):
            due.append(crossing)
        heard.append(crossing.told())
    return tuple(due), tuple(heard)


def move_on(told: Iterable[Told], found: Sequence[Crossing], state: StationState, oldest_s: float) -> tuple[Told, ...]:
    """Return what was told, each moved on with its crossing; what ended before `oldest_s` is let go."""
    moved: list[Told] = []
    for word in told:
        mine = (one for one in found if _is_of(word, one) and one.threshold.colour == word.colour)
        crossing = next(mine, None)
        last_s = word.until_s if crossing is None else max(end for end in state.series if crossing.holds(end))
        if max(last_s, word.until_s) > oldest_s:
            moved.append(word.model_copy(update={"until_s": max(last_s, word.until_s)}))
    return tuple(moved)


def standing_at(found: Iterable[Crossing], at: datetime | None) -> dict[str, datetime]:
    """Return the thresholds that are crossed at a time, each with the event time since when."""
    if at is None:
        return {}
    at_s = bucket_of(at.timestamp())
    return {one.name: one.at for one in found if one.holds(at_s)}


def last_over(found: Iterable[Crossing], state: StationState) -> tuple[datetime | None, tuple[str, ...]]:
    """Return when it last rained (or the level was read) at yellow or above, and for which hazards in the 3 h before.

    It is the rain that counts and not the stretch: a sum of 24 hours stays high long after the sky has cleared, and
    such a station vouches for nobody.
    """
    last_s: dict[str, int] = {}
    for one in found:
        if one.threshold.colour.severity >= Colour.YELLOW.severity:
            hazard = one.threshold.hazard
            inside_s = max((end for end in state.series if one.holds(end)), default=0)
            last_s[hazard] = max(inside_s, last_s.get(hazard, 0))
    if not last_s:
        return None, ()
    newest_s = max(last_s.values())
    hazards = sorted(hazard for hazard, at_s in last_s.items() if at_s > newest_s - COMPANY_S)
    return datetime.fromtimestamp(newest_s, UTC), tuple(hazards)


def _may_speak_for(told: Told, crossing: Crossing) -> bool:
    """Say whether what was told is of the same hazard and no lower colour; what dialled nobody covers no live one."""
    threshold = crossing.threshold
    worse_or_same = told.colour.severity >= threshold.colour.severity
    return told.hazard == threshold.hazard and worse_or_same and (crossing.late or not told.late)


def _is_of(told: Told, crossing: Crossing) -> bool:
    """Say whether what was told lies in this very stretch of this window."""
    same = told.hazard == crossing.threshold.hazard and told.window_h == crossing.window_h
    return same and (crossing.holds(told.at_s) or crossing.holds(told.until_s))


def _same_hour(told: Told, crossing: Crossing) -> bool:
    """Say whether two crossings began within one hour: two windows that tell of one burst are one piece of news."""
    return told.at_s // HOUR_S == crossing.spell.starts_s // HOUR_S
