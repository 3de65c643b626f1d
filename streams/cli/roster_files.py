"""`jiaoying roster import` and `export`: sheets and calendars in and out, with the reason for every cell refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from rosters.county import County
from rosters.io.csv_ import read_csv, write_csv
from rosters.io.days import Hours
from rosters.io.grid import read_bytes
from rosters.io.ical import read_ical, write_ical
from rosters.io.mapping import Mapping, read_mapping
from rosters.io.occurrences import Window
from rosters.io.office import Expected
from rosters.io.report import Imported, RosterFileError
from rosters.io.xlsx import read_xlsx, write_xlsx
from rosters.io.yaml_ import read_yaml, write_yaml
from rosters.load import load_county
from rosters.model import Shift
from streams.cli.screen import console, error_console, settings

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="第一天 / first day")]
LastDay = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="最后一天 / last day")]
KINDS = ".xlsx .csv .yaml .yml .ics"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_roster)
    app.command("export")(export_roster)


def import_roster(
    file: Annotated[Path, typer.Argument(help=f"值班表 / roster: {KINDS}")],
    unit: Annotated[str, typer.Option(help="单位编号，表里没写时 / whose roster, where it does not say")] = "",
    post: Annotated[str, typer.Option(help="岗位编号，日历用 / whose calendar")] = "",
    mapping: Annotated[Path | None, typer.Option(help="说明各列的 YAML / what the columns are")] = None,
    first: Day = None,
    last: LastDay = None,
    to: Annotated[Path | None, typer.Option(help="把读到的班次写成 .csv 或 .yaml / where to write them")] = None,
    partly: Annotated[bool, typer.Option("--partly", help="有被拒的也写 / write even if some were refused")] = False,
) -> None:
    """读入值班表，逐格说出读不懂的和原因 / read a roster; every refused cell with its reason; exit 1 = some refused."""
    chosen = settings()
    now = chosen.clock().now()
    county = load_county(chosen.county_folder, around=now)
    if unit and unit not in county.units:
        raise typer.BadParameter(f"没有单位 {unit} / no such unit")
    try:
        said = read_mapping(mapping, county) if mapping else Mapping()
        window = _window(county, first, last, now)
        near = first.date() if first else now.astimezone(county.zone).date()
        found = _read(file, county, said, Expected(near, unit, Hours.from_handover(county.handover)), window, post)
    except RosterFileError as error:
        _fail(str(error))
    for remark in (*found.refused, *found.notes):
        console().print(f"· {remark.said(chosen.language)}", highlight=False)
    _tell_sum(found, county)
    if not found.shifts:
        # An empty roster in the place of a full one would be a hole from end to end.
        _fail("没有可写的班次 / nothing to write")
    if to is not None and (partly or not found.refused):
        _write(to, found.shifts, county, now, with_names=True)
    elif to is not None:
        console().print("有被拒的，没有写；改好再来，或加 --partly / refused cells: nothing was written")
    if found.refused:
        raise typer.Exit(1)


def export_roster(
    file: Annotated[Path, typer.Argument(help=f"写到 / file to write: {KINDS}")],
    first: Day = None,
    last: LastDay = None,
    unit: Annotated[list[str] | None, typer.Option(help="只要这些单位 / only these units")] = None,
    calendar: Annotated[bool, typer.Option("--calendar", help="允许写日历 / allow a calendar")] = False,
    names: Annotated[bool, typer.Option("--names", help="日历里写姓名 / name people in the calendar")] = False,
) -> None:
    """写出值班表；日历默认不写，写也不带姓名 / write the roster; a calendar only when asked, without names."""
    chosen = settings()
    now = chosen.clock().now()
    county = load_county(chosen.county_folder, around=now)
    if file.suffix == ".ics" and not calendar:
        _fail("日历会留在手机和服务商那里，默认不写；确要请加 --calendar / calendars are off: add --calendar")
    if file.exists():
        _fail(f"{file} 已经存在，没有覆盖 / it exists and was left alone")
    window = _window(county, first, last, now)
    shifts = [
        shift
        for shift in county.shifts
        if window.starts_at <= shift.starts_at < window.ends_at and (not unit or county.posts[shift.post].unit in unit)
    ]
    _write(file, shifts, county, now, with_names=names)


def _read(file: Path, county: County, said: Mapping, expected: Expected, window: Window, post: str) -> Imported:
    content = read_bytes(file)
    match file.suffix.lower():
        case ".xlsx" | ".xlsm":
            return read_xlsx(content, county, expected, said)
        case ".csv":
            return read_csv(content, county, expected, said, file.name)
        case ".yaml" | ".yml":
            return read_yaml(content, county, file.name)
        case ".ics":
            return read_ical(content, county, window, post=post, name=file.name)
    raise RosterFileError(f"{file} 不是 {KINDS} / none of these kinds")


def _write(file: Path, shifts: Sequence[Shift], county: County, now: datetime, *, with_names: bool) -> None:
    match file.suffix.lower():
        case ".xlsx":
            content = write_xlsx(shifts, county, Hours.from_handover(county.handover))
        case ".csv":
            content = write_csv(shifts, county).encode()
        case ".yaml" | ".yml":
            content = write_yaml(shifts, county).encode()
        case ".ics":
            content = write_ical(shifts, county, at=now, with_names=with_names)
        case _:
            _fail(f"{file} 不是 {KINDS} / none of these kinds")
    try:
        file.write_bytes(content)
    except OSError as error:
        _fail(f"写不了 {file}：{error.strerror} / cannot write it")
    console().print(f"已写好 {file}：{len(shifts)} 个班次 / shifts written", highlight=False)


def _window(county: County, first: datetime | None, last: datetime | None, now: datetime) -> Window:
    """Return the days asked for, by default from yesterday to 100 days on."""
    today = now.astimezone(county.zone).date()
    begins = first.date() if first else today - timedelta(days=1)
    ends = last.date() if last else begins + timedelta(days=100)
    until = _midnight(ends + timedelta(days=1), county)
    return Window(_midnight(begins, county), until, county.zone, county.handover)


def _midnight(day: date, county: County) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=county.zone)


def _tell_sum(found: Imported, county: County) -> None:
    if not found.shifts:
        console().print(f"没有读到班次，{len(found.refused)} 处被拒 / no shifts, refused cells as above")
        return
    first, last = (
        f"{shift.starts_at.astimezone(county.zone):%Y-%m-%d}" for shift in (found.shifts[0], found.shifts[-1])
    )
    posts = len({shift.post for shift in found.shifts})
    console().print(
        f"读到 {len(found.shifts)} 个班次，{posts} 个岗位，{first} 至 {last}；{len(found.refused)} 处被拒 / read",
        highlight=False,
    )


def _fail(sentence: str) -> NoReturn:
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(1)
