"""Reading the CSV sheets of a county folder, row by row, into models; every fault is collected, with its line.

Sheets are what people keep by hand in a spreadsheet: UTF-8 with or without a byte order mark, empty trailing rows
tolerated, unknown columns refused. It never prints a phone number: faults end up in logs.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)
Converter = Callable[[str], Any]
Derive = Callable[[Mapping[str, Any]], Any]

# What a cell must look like, where its column's name does not tell.
HINTS: Mapping[str, tuple[str, str]] = {
    "code": ("应为 12 位数字", "should be 12 digits"),
    "level": ("应为 county、township、village 或 site", "should be county, township, village or site"),
    "danger": ("应为 yes、no 或留空", "should be yes, no or empty"),
    "on_shift": ("应为 yes、no 或留空", "should be yes, no or empty"),
    "phones": (
        "电话应为 +86 开头的完整号码、sim: 号码或 hand: 名称，后接 :mobile 或 :landline，多个用 | 隔开",
        "phones should be +country numbers, sim: numbers, hand: names, then :mobile or :landline, several joined by |",
    ),
    "phone": ("电话应为 +86 开头的完整号码或 sim: 号码", "a phone should be a +country number or a sim: number"),
    "starts_at": ("时间应写作 2021-07-19 08:00", "a time should be written 2021-07-19 08:00"),
    "ends_at": ("时间应写作 2021-07-19 08:00", "a time should be written 2021-07-19 08:00"),
    "quantity": ("应为 rain_mm 或 level_m", "should be rain_mm or level_m"),
    "kind": ("应为小写英文词，如 duty_officer", "should be a lower-case word such as duty_officer"),
    "turn": ("应为从 1 起的整数", "should be a whole number from 1"),
    "timezone": ("应为时区名，如 Asia/Shanghai", "should be a zone name such as Asia/Shanghai"),
    "handover": ("应写作 08:00（带引号）", "should be written '08:00', in quotes"),
}
_SECRET = frozenset({"phones", "phone"})


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a county folder: where, and why, in Chinese and English. Line 0 is the file as a whole."""

    file: str
    line: int
    reason: str
    english: str

    def __str__(self) -> str:
        where = f"{self.file} 第 {self.line} 行" if self.line else self.file
        place = f"{self.file} line {self.line}" if self.line else self.file
        return f"{where}：{self.reason}\n    {place}: {self.english}"


class CountyError(ValueError):
    """A county folder that cannot be used, with all its faults."""

    def __init__(self, folder: Path, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(
            f"县名册 {folder} 有 {len(faults)} 处错误，请改正后再装载\n"
            f"  ({len(faults)} faults in the county folder; correct them and load it again)\n{lines}"
        )


class Row(NamedTuple, Generic[M]):
    """One row of a sheet, as a model, and where it stood."""

    file: str
    line: int
    item: M


@dataclass
class Folder:
    """The files of one county while they are read: the bytes that were used, and the faults found."""

    path: Path
    faults: list[Fault] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)

    def blame(self, where: Row[Any], reason: str, english: str) -> None:
        """Note a fault in a row."""
        self.faults.append(Fault(where.file, where.line, reason, english))

    def text_of(self, file: str, *, must_exist: bool) -> str:
        """Return the text of a file, "" where it is absent or unreadable; the latter is a fault."""
        path = self.path / file
        if not path.is_file():
            if must_exist:
                self.faults.append(Fault(file, 0, "缺少这个文件", "this file is missing"))
            return ""
        try:
            self.contents[file] = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            reason = "不是 UTF-8 编码：请在表格软件里另存为“CSV UTF-8”"
            self.faults.append(Fault(file, 0, reason, "not UTF-8: save it again as CSV UTF-8"))
        return self.contents.get(file, "")

    def rows(
        self,
        file: str,
        model: type[M],
        converters: Mapping[str, Converter] | None = None,
        derived: Mapping[str, Derive] | None = None,
        *,
        must_exist: bool = False,
    ) -> list[Row[M]]:
        """Read a sheet.

        Args:
            file: Name of the CSV file.
            model: Its columns are the model's fields; columns of fields with a default may be left out.
            converters: Column → what to make of a cell before the model checks it; a ValueError is a fault.
            derived: Field that is no column → what it follows from: the other fields of the row.
            must_exist: Whether its absence is a fault.
        """
        text = self.text_of(file, must_exist=must_exist)
        if not text:
            return []
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            columns = [name.strip() for name in next(reader, [])]
            if not self._columns_fit(file, set(model.model_fields) - set(derived or ()), model, columns):
                return []
            read = [(reader.line_num, cells) for cells in reader if cells]
        except csv.Error as error:
            self.faults.append(Fault(file, reader.line_num, f"CSV 格式有误：{error}", f"not well-formed CSV: {error}"))
            return []
        rows: list[Row[M]] = []
        said: dict[frozenset[str], set[str]] = {}
        for line, cells in read:
            if len(cells) != len(columns):
                reason, english = "格数与表头不符", "its number of cells differs from the header's"
                self.faults.append(Fault(file, line, reason, english))
                continue
            filled = {column: written for column, cell in zip(columns, cells, strict=True) if (written := cell.strip())}
            item = self._item(file, line, filled, model, converters or {}, derived or {}) if filled else None
            if item is not None:
                # Which fields were given is noted in every row, 700 bytes each: rows that give the same ones share it.
                given = item.model_fields_set
                object.__setattr__(item, "__pydantic_fields_set__", said.setdefault(frozenset(given), given))
                rows.append(Row(file, line, item))
        return rows

    def _columns_fit(self, file: str, known: set[str], model: type[BaseModel], columns: Sequence[str]) -> bool:
        unknown = sorted(set(columns) - known)
        required = [name for name, info in model.model_fields.items() if info.is_required() and name in known]
        missing = [name for name in required if name not in columns]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        for names, reason, english in (
            (unknown, "不认识的列", "unknown column"),
            (missing, "缺少列", "missing column"),
            (twice, "重复的列", "repeated column"),
        ):
            if names:
                shown = ", ".join(name or '""' for name in names)
                self.faults.append(Fault(file, 1, f"{reason} {shown}", f"{english} {shown}"))
        return not (unknown or missing or twice)

    def _item(
        self,
        file: str,
        line: int,
        filled: Mapping[str, str],
        model: type[M],
        converters: Mapping[str, Converter],
        derived: Mapping[str, Derive],
    ) -> M | None:
        values: dict[str, Any] = dict(filled)
        wrong: dict[str, str] = {}
        for column, convert in converters.items():
            if column in filled:
                try:
                    values[column] = convert(filled[column])
                except ValueError:
                    wrong[column] = "bad"
                    values[column] = None
        for name, derive in derived.items():
            # Of a row with a fault nothing follows; the empty text only keeps it from being called missing too.
            values[name] = "" if wrong else derive(values)
        try:
            item = model.model_validate(values)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]): problem["type"] for problem in error.errors()} | wrong
        else:
            if not wrong:
                return item
        for column, problem in wrong.items():
            self._blame_cell(file, line, column, filled.get(column, ""), missing=problem == "missing")
        return None

    def _blame_cell(self, file: str, line: int, column: str, cell: str, *, missing: bool) -> None:
        if missing:
            self.faults.append(Fault(file, line, f"{column} 不能为空", f"{column} must not be empty"))
            return
        hint, english = HINTS.get(column, ("值不合规定", "is not an accepted value"))
        shown = "" if column in _SECRET else f" {cell!r}"
        self.faults.append(Fault(file, line, f"{column}{shown}：{hint}", f"{column}{shown}: {english}"))


def line_of_key(text: str, key: str) -> int:
    """Return the line on which a top-level key of a small YAML file stands; 0 where it is missing."""
    found = re.search(rf"^{re.escape(key)}\s*:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 0
