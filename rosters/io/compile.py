"""From the filled-in workbook to a county folder: the very sheets `rosters/load.py` reads, or every cell to correct.

Ids are made from what a row says, so that the same workbook gives the same folder, whatever the order of its rows. No
half-read county is ever written: one refused cell, and there is none.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import yaml

from rosters.county import County
from rosters.io.cells import COLUMNS, Book, Compiled, FilledRow, is_example
from rosters.io.csv_ import write_csv
from rosters.io.days import Hours, plain
from rosters.io.grid import Grid, grids_of_xlsx
from rosters.io.mapping import SheetMapping
from rosters.io.names import Directory, mentions
from rosters.io.office import Expected, Found, SheetReader
from rosters.io.report import Remark, RosterFileError, UnclearError, settle
from rosters.io.workbook import (
    CARD,
    DUTY,
    HEADER_ROW,
    KIND_WORDS,
    KNOCKERS,
    LEVEL_WORDS,
    PEOPLE,
    SITE_WORDS,
    SITES,
    UNITS,
)
from rosters.load import load_county
from rosters.model import Person, Phone, Post, Region, Unit
from rosters.sheets import CountyError
from streams.ids import digest
from streams.words import Level

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_SHORT = {
    "duty_officer": "duty",
    "duty_leader": "leader",
    "flood_chief": "flood",
    "main_leader": "main",
    "rescue_team": "rescue",
    "village_head": "head",
    "safety_officer": "safety",
    "line_check": "line",
}


def compile_workbook(content: bytes, near: date) -> Compiled:
    """Turn a county's workbook into the files of its folder, checked as `rosters/load.py` checks them.

    Args:
        content: Of the .xlsx file.
        near: The day near which its duty lies; chooses the year of days written without one.

    Raises:
        RosterFileError: It is no workbook, or one of its sheets is missing.
    """
    made = _Maker({grid.name: grid for grid in grids_of_xlsx(content)}, near)
    made.make()
    if not made.out.refused:
        _check_whole(made)
    return made.out


def write_folder(files: Mapping[str, str], folder: Path) -> None:
    """Write a county folder; never over files that are already there.

    Raises:
        RosterFileError: The folder holds something, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RosterFileError(f"{folder} 不是空文件夹，请另选一个 / {folder} is not empty: name another")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RosterFileError(f"写不了 {folder}：{error.strerror} / cannot write {folder}") from error


def _check_whole(made: _Maker) -> None:
    """Hold the folder to the strict reader, and blame the rows of the workbook that its lines came from."""
    with tempfile.TemporaryDirectory() as place:
        write_folder(made.out.files, Path(place) / "county")
        try:
            made.out.county = load_county(Path(place) / "county")
        except CountyError as error:
            for fault in error.faults:
                origin = made.origins.get((fault.file, fault.line))
                sheet, cell = (origin.grid.name, f"第 {origin.number + 1} 行") if origin else (fault.file, "")
                made.out.refused.append(Remark(sheet, cell, fault.reason, fault.english))


class _Maker(Book):
    """Reads the sheets one after another, each with what the ones before it said."""

    def __init__(self, grids: Mapping[str, Grid], near: date) -> None:
        super().__init__(grids)
        self._near = near
        self._people: list[Person] = []
        self._units: dict[str, dict[str, str]] = {}
        self._regions: dict[str, str] = {}
        self._card: dict[str, str] = {}

    def make(self) -> None:
        """Fill `out`."""
        self._read_card()
        self._read_people()
        directory = Directory(self._county(()))
        self._read_units(directory)
        self._read_sites(directory)
        self._read_knockers()
        for file, rows in self.tables.items():
            self.out.files[file] = _csv(COLUMNS[file], rows)
        self._read_duty()

    def _read_card(self) -> None:
        grid = self.grids[CARD]
        said = {plain(row[0]): plain(row[1]) for row in grid.rows if len(row) > 1 and plain(row[1])}
        code = re.sub(r"\D", "", said.get("县代码", "")).ljust(12, "0")
        handover = re.sub(r"^(\d):", r"0\1:", said.get("交接班时间", "08:00"))[:5]
        self._card = {"code": code, "name": said.get("县名", ""), "timezone": said.get("时区", "Asia/Shanghai")}
        self._card["handover"] = handover
        for row, label in enumerate(("县代码", "县名"), start=1):
            if not said.get(label):
                self.out.refused.append(Remark(CARD, f"B{row}", f"没有填{label}", f"{label} is empty"))
        self.out.files["county.yaml"] = yaml.safe_dump(
            self._card, allow_unicode=True, sort_keys=False, default_style='"'
        )

    def _read_people(self) -> None:
        rows = self.rows(PEOPLE)
        names = [row["姓名"] for row in rows]
        for row in rows:
            phones: list[dict[str, str]] = []
            for heading, kind in (("手机", "mobile"), ("座机", "landline"), ("第二手机", "mobile")):
                if number := self.number(row, heading):
                    phones.append({"number": number, "kind": kind})
            first = phones[0]["number"] if phones and names.count(row["姓名"]) > 1 else ""
            person = row["编号"] or f"p{digest(row['姓名'], first, length=8)}"
            if not row["姓名"]:
                self.refuse(row, "姓名", "没有姓名", "no name")
                continue
            written = "|".join(f"{phone['number']}:{phone['kind']}" for phone in phones)
            self.add("people.csv", row, {"id": person, "name": row["姓名"], "phones": written})
            self._people.append(Person(id=person, name=row["姓名"], phones=tuple(Phone(**phone) for phone in phones)))

    def _read_units(self, directory: Directory) -> None:
        rows = [row for row in self.rows(UNITS) if self.has(row, "单位")]
        for row in rows:
            if row["单位"] not in self._units and (level := self.chosen(row, "级别", LEVEL_WORDS)):
                self._read_unit(row, Level(level))
        for row in rows:
            unit = self._units.get(row["单位"])
            if unit is None:
                continue
            if row["上级单位"] and row["上级单位"] not in self._units:
                self.refuse(row, "上级单位", f"本表没有单位“{row['上级单位']}”", "no such unit on this sheet")
            elif row["上级单位"]:
                unit["parent"] = self._units[row["上级单位"]]["id"]
            self._read_post(row, unit, directory)

    def _read_unit(self, row: FilledRow, level: Level) -> None:
        code = re.sub(r"\D", "", row["区划代码"]) if level is not Level.COUNTY else self._card["code"]
        if level is not Level.COUNTY and not (len(code) == 12 and row["区划名称"]):
            self.refuse(row, "区划代码", "要写 12 位区划代码和区划名称", "a 12-digit code and its name are needed")
            return
        base = {Level.TOWNSHIP: f"t{code[6:9]}", Level.VILLAGE: f"v{code[6:]}"}.get(level, "county")
        if any(unit["id"] == base for unit in self._units.values()):
            base = f"{base}-{digest(row['单位'], length=6)}"
        unit = {"id": base, "name": row["单位"], "region": code, "parent": ""}
        self._units[row["单位"]] = unit
        self.add("units.csv", row, unit)
        if level is Level.COUNTY or code in self._regions.values():
            return
        name = row["区划名称"]
        # Two villages of one name are told apart by their code alone, so neither is found by the name.
        self._regions[code if name in self._regions else name] = code
        parent = self._card["code"] if level is Level.TOWNSHIP else f"{code[:9]}000"
        danger = "yes" if row["危险区"] == "是" else ""
        self.add("regions.csv", row, {"code": code, "name": name, "level": level, "parent": parent, "danger": danger})

    def _read_post(self, row: FilledRow, unit: dict[str, str], directory: Directory) -> None:
        kind = self.chosen(row, "职能", KIND_WORDS)
        if not kind:
            return
        region = next((known for known in self.tables["regions.csv"] if known["code"] == unit["region"]), None)
        place = region["name"] if region else row["单位"]
        base = post_id = f"{unit['id']}-{_SHORT[kind]}"
        taken = {post["id"] for post in self.tables["posts.csv"]}
        n = 2
        while post_id in taken:
            post_id, n = f"{base}-{n}", n + 1
        self.add(
            "posts.csv",
            row,
            {
                "id": post_id,
                "unit": unit["id"],
                "name": row["岗位名称"] or f"{place}{row['职能']}",
                "kind": kind,
                "level": region["level"] if region else Level.COUNTY,
                "region": unit["region"],
                "on_shift": "yes" if row["轮班"] == "是" else "",
                "holders": self._holders(row, directory),
            },
        )

    def _read_sites(self, directory: Directory) -> None:
        for row in self.rows(SITES):
            kind, village = self.chosen(row, "类型", SITE_WORDS), self._village(row, "所在村")
            if not (kind and village and self.has(row, "名称")):
                continue
            site = f"s{digest(row['名称'], village, length=8)}"
            self.add("sites.csv", row, {"id": site, "name": row["名称"], "kind": kind, "region": village})
            by_region = {unit["region"]: unit["id"] for unit in reversed(self._units.values())}
            unit = by_region.get(village) or by_region.get(f"{village[:9]}000") or "county"
            post = {"id": f"{site}-keeper", "unit": unit, "name": f"{row['名称']}责任人", "kind": "site_keeper"}
            post |= {"level": Level.SITE, "region": village, "site": site, "holders": self._holders(row, directory)}
            self.add("posts.csv", row, post)

    def _read_knockers(self) -> None:
        for row in self.rows(KNOCKERS):
            village = self._village(row, "村")
            if village and self.has(row, "姓名"):
                role, phone = row["身份"] or "上门人员", self.number(row, "电话")
                self.add("knockers.csv", row, {"region": village, "name": row["姓名"], "role": role, "phone": phone})

    def _read_duty(self) -> None:
        posts = [
            Post(
                id=row["id"],
                unit=row["unit"],
                name=row["name"],
                kind=row["kind"],
                level=Level(row["level"]),
                region=row["region"],
                on_shift=bool(row.get("on_shift")),
            )
            for row in self.tables["posts.csv"]
        ]
        county, found = self._county(posts), Found()
        grid = self.grids[DUTY]
        blank = [None] * max(map(len, grid.rows), default=0)
        below = (blank if is_example(row) else row for row in grid.rows[HEADER_ROW - 1 :])
        filled = Grid(grid.name, [*[blank] * (HEADER_ROW - 1), *below], grid.formats, grid.merged, grid.epoch)
        hours = Hours.from_handover(county.handover)
        SheetReader(county, Expected(near=self._near, hours=hours), found).read(filled, SheetMapping())
        read = settle(found.placed, found.refused, found.notes)
        self.out.refused += read.refused
        self.out.notes += read.notes
        self.out.files["shifts.csv"] = write_csv(read.shifts, county)

    def _county(self, posts: Iterable[Post]) -> County:
        regions = [Region.model_validate(row | {"danger": False}) for row in self.tables["regions.csv"]]
        units = [Unit.model_validate(row) for row in self.tables["units.csv"]]
        zone, handover = self._card["timezone"], self._card["handover"]
        return County(
            self._card["code"],
            self._card["name"],
            # One that is none is refused with the whole folder; here it only has to be something.
            ZoneInfo(zone if zone in available_timezones() else "Asia/Shanghai"),
            regions,
            units,
            posts,
            self._people,
            (),
            handover=time.fromisoformat(handover) if _CLOCK.fullmatch(handover) else time(8),
        )

    def _village(self, row: FilledRow, heading: str) -> str:
        written = row[heading]
        code = written if re.fullmatch(r"\d{12}", written) else self._regions.get(written, "")
        alike = [one for one in self.tables["regions.csv"] if one["name"] == written]
        if len(alike) > 1:
            codes = "、".join(one["code"] for one in alike)
            self.refuse(row, heading, f"有几个{written}，请写区划代码：{codes}", f"several are called so: {codes}")
            return ""
        if not code:
            self.refuse(row, heading, f"单位岗位表里没有村“{written}”", f"no village {written!r} among the units")
        return code

    def _holders(self, row: FilledRow, directory: Directory) -> str:
        holders: list[str] = []
        for heading in ("A角", "B角"):
            try:
                holders += [directory.find(one) for one in mentions(row[heading])]
            except UnclearError as error:
                self.refuse(row, heading, error.reason, error.english)
        return "|".join(holders)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
