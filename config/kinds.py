"""The kinds of posts and sites that rules may name, and how they are spoken of.

A kind that is misspelt in a rule would silently call nobody; that is why the list is closed. It must never hold a
person's title: posts are chosen by function (分管), never by title.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.faults import Word
from config.rules import Source
from streams.words import Level


@dataclass(frozen=True)
class PostKind:
    """What a kind of post is called, and the levels where such posts stand."""

    word: Word
    levels: tuple[Level, ...]


_OFFICES = (Level.COUNTY, Level.TOWNSHIP)

POST_KINDS: dict[str, PostKind] = {
    "duty_officer": PostKind(Word("值班员", "duty officer"), _OFFICES),
    "duty_leader": PostKind(Word("带班领导", "leader on duty"), _OFFICES),
    "flood_chief": PostKind(Word("防汛分管负责人", "chief for floods"), _OFFICES),
    "main_leader": PostKind(Word("主要负责人", "main leader"), _OFFICES),
    "rescue_team": PostKind(Word("抢险救援队", "rescue team"), _OFFICES),
    "line_check": PostKind(Word("线路自检电话", "line check phone"), (Level.COUNTY,)),
    "village_head": PostKind(Word("防汛责任人", "village head"), (Level.VILLAGE,)),
    "safety_officer": PostKind(Word("安全员", "safety officer"), (Level.VILLAGE,)),
    "site_keeper": PostKind(Word("责任人", "keeper"), (Level.SITE,)),
}

SITE_KINDS: dict[str, Word] = {
    "reservoir": Word("水库", "reservoir"),
    "hazard_point": Word("地质灾害隐患点", "hazard point"),
    "school": Word("学校", "school"),
    "tailings_dam": Word("尾矿库", "tailings dam"),
    "building_site": Word("在建工地", "building site"),
    "enterprise": Word("企业", "enterprise"),
}

LEVELS: dict[Level, Word] = {
    Level.COUNTY: Word("县级", "county"),
    Level.TOWNSHIP: Word("乡镇", "township"),
    Level.VILLAGE: Word("村级", "village"),
    Level.SITE: Word("点位", "site"),
}

SOURCES: dict[Source, Word] = {
    "warning": Word("预警", "warning"),
    "order": Word("人工指令", "order"),
    "monitor": Word("监测告警", "monitor alarm"),
}
