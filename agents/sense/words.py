"""What SENSE says to people, in Chinese: pure."""

from __future__ import annotations

from agents.sense.crossings import Crossing
from agents.sense.take import Taken
from rosters.model import Station
from streams.letters import ReadingsArrived


def alarm_text(crossing: Crossing, station: Station) -> str:
    """Say an alarm: which station, how much, over which limit. It calls itself internal, for it is no 预警信号."""
    colour, peak, limit = crossing.threshold.colour.chinese, crossing.spell.peak, crossing.limit
    if crossing.window_h:
        return (
            f"监测告警(内部): {station.name}{crossing.window_h}小时降雨{peak / 1000:.1f}毫米, "
            f"达到{colour}阈值({limit / 1000:g}毫米)"
        )
    return (
        f"监测告警(内部): {station.name}水位{peak / 1000:.2f}米, {_over(peak, station)}, "
        f"达到{colour}阈值({limit / 1000:.2f}米)"
    )


def late_text(crossing: Crossing, station: Station, since: str, until: str) -> str:
    """Put a crossing that is past to a person; nobody is dialled about it."""
    return f"迟到的监测数据: {alarm_text(crossing, station)}, 发生在{since}至{until}, 已过时, 未自动叫应, 请人工研判"


def absurd_text(taken: Taken, station: Station) -> str:
    """Tell a person that a sensor sends values that cannot be."""
    first = taken.absurd[0]
    return f"{station.name}报来不合理的数值({first.value:g}), 未计入, 请检查该站; 如确属实情, 请调高规则中的上限"


def unknown_text(message: ReadingsArrived) -> str:
    """Tell a person that readings come from a station that is not in the county's list."""
    return f"收到未登记测站 {message.station} 的数据, 未计入; 请在测站表中登记该站, 或停止其上报"


def _over(level: int, station: Station) -> str:
    base_m, name = station.guarantee_m, "保证水位"
    if base_m is None:
        base_m, name = station.alarm_level_m or 0.0, "警戒水位"
    above_m = level / 1000 - base_m
    return f"{'超过' if above_m >= 0 else '低于'}{name}{abs(above_m):.2f}米"
