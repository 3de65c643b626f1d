"""Faults between the sheets of a county: ids used twice or not there, places that do not fit, impossible shifts.

Each check looks at rows that are sound by themselves and blames the row a person would correct. Whether a county is
ready to call (nobody on duty next week) is no fault of its sheets: see `rosters/load.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rosters.model import Knocker, Person, Phone, Post, Region, Shift, Site, Station, Unit
from rosters.pattern import Turn
from rosters.sheets import Folder, Row
from streams.words import Level

SITE_KINDS = ("reservoir", "hazard_point", "school", "tailings_dam", "building_site", "enterprise")


@dataclass(frozen=True)
class Sheets:
    """All sheets of one county, as read."""

    regions: list[Row[Region]]
    units: list[Row[Unit]]
    sites: list[Row[Site]]
    posts: list[Row[Post]]
    people: list[Row[Person]]
    shifts: list[Row[Shift]]
    turns: list[Row[Turn]]
    knockers: list[Row[Knocker]]
    stations: list[Row[Station]]


def cross_check(folder: Folder, sheets: Sheets, county: str) -> None:
    """Note every fault between sheets in `folder.faults`; `county` is the county's 12-digit code."""
    regions = {row.item.code: row.item for row in sheets.regions}
    _check_repeats(folder, sheets)
    _check_regions(folder, sheets.regions, regions, county)
    regions[county] = Region(code=county, name="", level=Level.COUNTY)
    _check_units(folder, sheets.units, regions)
    _check_sites(folder, sheets.sites, regions)
    _check_posts(folder, sheets, regions)
    _check_people(folder, sheets.people)
    _check_duty(folder, sheets)
    _check_turns(folder, sheets.turns)
    _check_field(folder, sheets, regions)


def _check_repeats(folder: Folder, sheets: Sheets) -> None:
    keys: tuple[tuple[Iterable[Row[Any]], Callable[[Any], Any]], ...] = (
        (sheets.regions, lambda item: item.code),
        *((rows, lambda item: item.id) for rows in (sheets.units, sheets.sites, sheets.posts, sheets.people)),
        (sheets.stations, lambda item: item.id),
        (sheets.shifts, lambda item: item.id),
        (sheets.turns, lambda item: (item.post, item.turn)),
    )
    for rows, key_of in keys:
        first: dict[Any, int] = {}
        for row in rows:
            key = key_of(row.item)
            if key in first:
                shown = key if isinstance(key, str) else " ".join(str(part) for part in key)
                reason = f"{shown} 重复：第 {first[key]} 行已有"
                folder.blame(row, reason, f"{shown} is already on line {first[key]}")
            first.setdefault(key, row.line)


def _known(folder: Folder, row: Row[Any], column: str, value: str, known: Collection[str]) -> bool:
    """Blame a row whose `column` names something that no sheet has; an empty value names nothing."""
    if value and value not in known:
        folder.blame(row, f"{column} {value} 不存在", f"{column} {value} is in no sheet")
        return False
    return True


def _check_regions(folder: Folder, rows: Iterable[Row[Region]], regions: dict[str, Region], county: str) -> None:
    for row in rows:
        region = row.item
        if region.level is Level.COUNTY:
            folder.blame(row, "县本身写在 county.yaml 里", "the county itself is written in county.yaml")
        elif region.level is Level.TOWNSHIP:
            if region.parent != county:
                folder.blame(row, f"乡镇的 parent 应为 {county}", f"the parent of a township is {county}")
            if region.code[:6] != county[:6] or region.code[9:] != "000":
                reason = f"乡镇代码应以 {county[:6]} 开头、以 000 结尾"
                folder.blame(row, reason, f"a township's code begins with {county[:6]} and ends with 000")
        else:
            parent = regions.get(region.parent)
            if parent is None or parent.level is not Level.TOWNSHIP:
                reason = f"村的 parent {region.parent or '（空）'} 不是本表里的乡镇"
                folder.blame(row, reason, f"the parent {region.parent!r} of a village is no township of this sheet")
            elif region.code[:9] != parent.code[:9]:
                reason = f"村代码 {region.code} 不在 {parent.name} {parent.code} 之内"
                folder.blame(row, reason, f"the code {region.code} lies outside its township {parent.code}")


def _check_units(folder: Folder, rows: Iterable[Row[Unit]], regions: Collection[str]) -> None:
    parents = {row.item.id: row.item.parent for row in rows}
    for row in rows:
        _known(folder, row, "region", row.item.region, regions)
        _known(folder, row, "parent", row.item.parent, parents)
        seen: set[str] = set()
        unit = row.item.parent
        while unit and unit != row.item.id and unit not in seen:
            seen.add(unit)
            unit = parents.get(unit, "")
        if unit == row.item.id:
            reason = f"上级单位绕成了圈：{unit} 是自己的上级"
            folder.blame(row, reason, f"its superiors run in a circle: {unit} is above itself")


def _check_sites(folder: Folder, rows: Iterable[Row[Site]], regions: dict[str, Region]) -> None:
    for row in rows:
        if _known(folder, row, "region", row.item.region, regions):
            _must_be(folder, row, "region", regions[row.item.region], Level.VILLAGE)
        if row.item.kind not in SITE_KINDS:
            shown = ", ".join(SITE_KINDS)
            folder.blame(row, f"kind {row.item.kind} 应为 {shown} 之一", f"kind {row.item.kind} is none of {shown}")


def _must_be(folder: Folder, row: Row[Any], column: str, region: Region, level: Level) -> None:
    if region.level is not level:
        shown = f"{column} {region.code}"
        folder.blame(
            row, f"{shown} 的级别是 {region.level}，应为 {level}", f"{shown} is a {region.level}, not a {level}"
        )


def _check_posts(folder: Folder, sheets: Sheets, regions: dict[str, Region]) -> None:
    units = {row.item.id for row in sheets.units}
    sites = {row.item.id: row.item for row in sheets.sites}
    people = {row.item.id for row in sheets.people}
    for row in sheets.posts:
        post = row.item
        _known(folder, row, "unit", post.unit, units)
        if not re.fullmatch(r"[a-z][a-z_]*", post.kind):
            reason = f"kind {post.kind} 应为小写英文词"
            folder.blame(row, reason, f"kind {post.kind} should be lower-case words joined by _")
        if _known(folder, row, "region", post.region, regions):
            at_site = post.level is Level.SITE
            _must_be(folder, row, "region", regions[post.region], Level.VILLAGE if at_site else post.level)
        if (post.level is Level.SITE) != bool(post.site):
            folder.blame(row, "site 级岗位要写 site，其他级不写", "posts of level site name a site, others do not")
        elif _known(folder, row, "site", post.site, sites) and post.site and sites[post.site].region != post.region:
            reason = f"点位 {post.site} 不在 {post.region}"
            folder.blame(row, reason, f"the site {post.site} lies in {sites[post.site].region}, not {post.region}")
        for person in post.holders:
            _known(folder, row, "holders", person, people)
        if len(set(post.holders)) < len(post.holders):
            folder.blame(row, "同一人不能既是 A 角又是 B 角", "one person cannot stand beside themselves")


def _check_people(folder: Folder, rows: Iterable[Row[Person]]) -> None:
    for row in rows:
        numbers = [phone.number for phone in row.item.phones]
        if len(set(numbers)) < len(numbers):
            folder.blame(row, "同一个号码写了两次", "one number is written twice")


def _check_duty(folder: Folder, sheets: Sheets) -> None:
    posts = {row.item.id: row.item for row in sheets.posts}
    people = {row.item.id for row in sheets.people}
    on_duty: list[Row[Any]] = [*sheets.shifts, *sheets.turns]
    for row in on_duty:
        if _known(folder, row, "post", row.item.post, posts) and not posts[row.item.post].on_shift:
            reason = f"岗位 {row.item.post} 不轮班（posts.csv 的 on_shift）"
            folder.blame(row, reason, f"the post {row.item.post} is not on shift (on_shift in posts.csv)")
        _known(folder, row, "person", row.item.person, people)
        _known(folder, row, "deputy", row.item.deputy, people)
        _check_others(folder, row, people)
        if row.item.person == row.item.deputy:
            folder.blame(row, "同一人不能既值班又作 B 角", "one person cannot stand beside themselves")
    for row in sheets.shifts:
        if row.item.ends_at <= row.item.starts_at:
            folder.blame(row, "班次的结束不晚于开始", "the shift ends no later than it starts")


def _check_others(folder: Folder, row: Row[Any], people: Collection[str]) -> None:
    others = getattr(row.item, "others", ())
    for person in others:
        _known(folder, row, "others", person, people)
    if others and len({row.item.person, row.item.deputy, *others}) < len(others) + 2:
        folder.blame(row, "others 有重复的人，或没有 deputy", "others name somebody twice, or there is no deputy")


def _check_turns(folder: Folder, rows: Iterable[Row[Turn]]) -> None:
    of_post: dict[str, list[Row[Turn]]] = {}
    for row in rows:
        of_post.setdefault(row.item.post, []).append(row)
    for post, turns in of_post.items():
        last = max(turns, key=lambda row: row.item.turn)
        if last.item.turn > len({row.item.turn for row in turns}):
            reason = f"岗位 {post} 的 turn 应从 1 连续编号"
            folder.blame(last, reason, f"the turns of {post} should count from 1 without holes")


def _check_field(folder: Folder, sheets: Sheets, regions: dict[str, Region]) -> None:
    for knocker in sheets.knockers:
        _known(folder, knocker, "region", knocker.item.region, regions)
        if knocker.item.phone and not _is_number(knocker.item.phone):
            reason = "电话应为 +86 开头的完整号码或 sim: 号码"
            folder.blame(knocker, reason, "a phone should be a +country number or a sim: number")
    for row in sheets.stations:
        _known(folder, row, "region", row.item.region, regions)
        if row.item.quantity == "level_m" and row.item.guarantee_m is None:
            folder.blame(row, "水位站要写保证水位 guarantee_m", "a river level needs its guarantee_m")


def _is_number(written: str) -> bool:
    try:
        Phone(number=written)
    except ValidationError:
        return False
    return True
