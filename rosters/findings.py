"""What can be wrong with a roster, how grave it is, what it costs, and how it is said. Pure words and sums.

Nothing here looks at a roster: `quality.py` does. It must never print a phone number or call anybody absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from rosters.county import County

Language = Literal["zh", "en"]


class Severity(StrEnum):
    """How grave: BLOCKS keeps a roster from being published, WARNS is told, NOTE is only for information."""

    BLOCKS = "blocks"
    WARNS = "warns"
    NOTE = "note"

    @property
    def chinese(self) -> str:
        """Return its Chinese name."""
        return {"blocks": "不予发布", "warns": "请核对", "note": "提示"}[self.value]


class Flaw(StrEnum):
    """What can be wrong with a roster."""

    GAP = "gap"
    ON_LEAVE = "on_leave"
    VACANT = "vacant"
    NO_PHONE = "no_phone"
    NOT_ENTITLED = "not_entitled"
    UNDERSTAFFED = "understaffed"
    TWO_PLACES = "two_places"
    OVERLAP = "overlap"
    TOO_LONG = "too_long"
    NOT_IN_ROOM = "not_in_room"
    LANDLINE_ONLY = "landline_only"
    UNVERIFIED = "unverified"
    SHARED_PHONE = "shared_phone"
    LEADERS_UNKNOWN = "leaders_unknown"

    @property
    def severity(self) -> Severity:
        """Return how grave it is."""
        return COSTS[self].severity


@dataclass(frozen=True)
class Cost:
    """How grave a flaw is, what one of a kind takes off the score, and what all of that kind take off at most."""

    severity: Severity
    each: int
    at_most: int
    chinese: str
    english: str


# A figure for each kind, not a share of the county: one hole is one night nobody is called, however large the county.
# The figures are ours, a proposal; no rule of the field sets them. What blocks is what would leave a post without
# anybody who can be called, without anybody entitled to it, or below the staffing that the county itself ordered.
COSTS: dict[Flaw, Cost] = {
    Flaw.GAP: Cost(Severity.BLOCKS, 10, 60, "无人值班", "nobody on duty"),
    Flaw.ON_LEAVE: Cost(Severity.BLOCKS, 10, 60, "请假期间排了班，无人顶班", "on leave, and nobody stands in"),
    Flaw.VACANT: Cost(Severity.BLOCKS, 5, 40, "没有责任人", "no holder"),
    Flaw.NO_PHONE: Cost(Severity.BLOCKS, 5, 40, "没有电话", "no phone"),
    Flaw.NOT_ENTITLED: Cost(
        Severity.BLOCKS, 5, 20, "不在本单位或上级单位带班人员名单中", "not among the unit's leaders"
    ),
    Flaw.UNDERSTAFFED: Cost(Severity.BLOCKS, 3, 20, "重要时段值班人数不足", "too few people in a special period"),
    Flaw.TWO_PLACES: Cost(Severity.WARNS, 4, 20, "同时在两处值班", "in two places at once"),
    Flaw.OVERLAP: Cost(Severity.WARNS, 2, 10, "班次重叠", "overlapping shifts"),
    Flaw.TOO_LONG: Cost(Severity.WARNS, 2, 10, "连续值班过长", "on duty too long"),
    Flaw.NOT_IN_ROOM: Cost(
        Severity.WARNS, 1, 10, "重要时段带班领导没有登记值班室座机", "the leader has no phone of the duty room"
    ),
    Flaw.LANDLINE_ONLY: Cost(Severity.WARNS, 1, 10, "只有座机，收不到短信", "a landline only, where texts are sent"),
    Flaw.UNVERIFIED: Cost(Severity.WARNS, 1, 10, "电话未核实", "an unverified phone"),
    Flaw.SHARED_PHONE: Cost(Severity.NOTE, 0, 0, "几人共用一部手机", "a mobile shared"),
    Flaw.LEADERS_UNKNOWN: Cost(
        Severity.NOTE,
        0,
        0,
        "没有带班人员名单，未核对带班资格",
        "no list of leaders, so nobody's entitlement was checked",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One flaw: of which posts and people, and from when to when (aware), where it has a time; `about` names why."""

    flaw: Flaw
    posts: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    about: str = ""


@dataclass(frozen=True)
class Score:
    """0 to 100, and what cost how many points: (flaw, how often it was found, points taken)."""

    points: int
    costs: tuple[tuple[Flaw, int, int], ...]

    def explained(self, language: Language = "zh") -> tuple[str, ...]:
        """Return the score and each cost as one line."""
        chinese = language == "zh"
        lines = [f"得分 {self.points}/100" if chinese else f"score {self.points} of 100"]
        for flaw, count, points in self.costs:
            cost = COSTS[flaw]
            if chinese:
                most = "（已到上限）" if points == cost.at_most and count * cost.each > points else ""
                lines.append(f"{cost.chinese} {count} 处，每处 {cost.each} 分：−{points}{most}")
            else:
                most = " (the most it can cost)" if points == cost.at_most and count * cost.each > points else ""
                lines.append(f"{cost.english}: {count} at {cost.each} each: -{points}{most}")
        return tuple(lines)


def score(findings: Iterable[Finding]) -> Score:
    """Return the score that findings make: 100 less what each kind costs, never below 0."""
    counts = dict.fromkeys(Flaw, 0)
    for finding in findings:
        counts[finding.flaw] += 1
    costs = tuple(
        (flaw, count, min(count * COSTS[flaw].each, COSTS[flaw].at_most)) for flaw, count in counts.items() if count
    )
    return Score(max(0, 100 - sum(points for _, _, points in costs)), costs)


def told(finding: Finding, county: County, language: Language = "zh") -> str:
    """Return a finding as one line in the county's local time, to the minute."""
    chinese = language == "zh"
    cost = COSTS[finding.flaw]
    if chinese:
        posts = "、".join(f"{county.posts[post].name}（{post}）" for post in finding.posts)
        people = "、".join(f"{county.people[person].name}（{person}）" for person in finding.people)
    else:
        posts, people = ", ".join(finding.posts), ", ".join(finding.people)
    bounds = [bound.astimezone(county.zone) for bound in (finding.starts_at, finding.ends_at) if bound]
    span = " – ".join(f"{bound:%Y-%m-%d %H:%M}" for bound in bounds)
    parts = [part for part in (people, posts, span, finding.about) if part]
    name = cost.chinese if chinese else cost.english
    return f"{name}：{'，'.join(parts)}" if chinese else f"{name}: {', '.join(parts)}"


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what keeps a roster from being published."""
    return tuple(one for one in findings if one.flaw.severity is Severity.BLOCKS)
