"""A mapping file: what a person says about the columns of a sheet where its header does not tell.

    sheets:
      7月:                  # name of the sheet; "*" = every other sheet
        unit: t100          # whose roster it is
        year: 2021
        header_row: 3       # optional: the row of the headings, counted from 1
        columns: {A: date, C: t100-leader, D: t100-duty, E: phone}
        hours: {D: "08:00-20:00"}

A column is `date`, `weekday`, `hours`, `phone`, `unit`, `ignore`, or the id of a post.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from rosters.county import County
from rosters.io.grid import read_bytes, text_of
from rosters.io.report import RosterFileError
from streams.words import Model

ROLES = frozenset({"date", "weekday", "hours", "phone", "unit", "ignore"})


class SheetMapping(Model):
    """What is said about one sheet; whatever is left out is detected."""

    unit: str = ""
    year: int | None = Field(default=None, ge=2000, le=2100)
    month: int | None = Field(default=None, ge=1, le=12)
    header_row: int | None = Field(default=None, ge=1)
    columns: dict[str, str] = Field(default_factory=dict)
    hours: dict[str, str] = Field(default_factory=dict)


class Mapping(Model):
    """The whole file; `of` gives what is said about a sheet."""

    sheets: dict[str, SheetMapping] = Field(default_factory=dict)

    def of(self, sheet: str) -> SheetMapping:
        """Return what is said about a sheet, by its name or for all sheets."""
        return self.sheets.get(sheet) or self.sheets.get("*") or SheetMapping()


def read_mapping(path: Path, county: County) -> Mapping:
    """Read a mapping file.

    Raises:
        RosterFileError: It is not well-formed, or names a unit or post that the county does not have.
    """
    try:
        mapping = Mapping.model_validate(yaml.safe_load(text_of(read_bytes(path))) or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RosterFileError(f"{path}：{where} 不合规定 / {where}: {first['msg']}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RosterFileError(f"{path} 不是合格的 YAML / not well-formed YAML: {str(error)[:200]}") from error
    for name, sheet in mapping.sheets.items():
        if sheet.unit and sheet.unit not in county.units:
            raise RosterFileError(f"{path}：{name} 的 unit {sheet.unit} 不存在 / no such unit")
        for column, role in sheet.columns.items():
            if not column.isalpha() or (role not in ROLES and role not in county.posts):
                known = ", ".join(sorted(ROLES))
                raise RosterFileError(
                    f"{path}：{name} 的列 {column}: {role} 应为 {known} 或岗位编号 / should be one of these"
                )
    return mapping
