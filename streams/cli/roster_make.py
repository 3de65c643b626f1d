"""`jiaoying roster make`: make the shifts of a post by fair shares and write them as rows of shifts.csv."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Sheet

from rosters.arrange import find_person
from rosters.changes import ChangeError
from rosters.county import County
from rosters.holidays import Calendar, DayKind, UnknownYearError, duty_year_of, read_duty_year
from rosters.load import load_county
from rosters.rotation import Leave, Made, Rota, make
from streams.cli.screen import console, settings

DAY = ["%Y-%m-%d"]
KINDS = {DayKind.WORKDAY: "工作日", DayKind.WEEKEND: "周末", DayKind.HOLIDAY: "节假日"}


def add_to(app: typer.Typer) -> None:
    """Add the command to `jiaoying roster`."""
    app.command(name="make")(make_roster)


def make_roster(
    post: Annotated[str, typer.Argument(help="岗位编号 / id of the post")],
    people: Annotated[
        str, typer.Option(help="轮班的人，逗号隔开；一组用+连 / who takes turns, comma-separated; groups by +")
    ],
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="第一天 / first day")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY, help="最后一天 / last day")],
    out: Annotated[Path, typer.Option(help="写到哪个 CSV / the file to write")],
    turn_days: Annotated[int, typer.Option(min=1, max=31, help="一班几天 / days of a turn")] = 1,
    rest_h: Annotated[int, typer.Option(min=0, max=744, help="两班之间至少休息几小时 / least rest, hours")] = 24,
    handover: Annotated[str, typer.Option(help="交接班时刻 / time of handover")] = "08:00",
    leave: Annotated[
        list[str] | None, typer.Option(help="请假，如 张三:2026-10-01..2026-10-03 / leave, repeatable")
    ] = None,
    year: Annotated[
        Path | None,
        typer.Option(exists=True, help="重要时段和放假安排，缺省为县文件夹的 duty_year.yaml / periods and holidays"),
    ] = None,
    count_from: Annotated[
        datetime | None,
        typer.Option(
            "--count-from", formats=DAY, help="从哪天起的班次计入分摊，缺省为当年1月1日 / served since; 1 January"
        ),
    ] = None,
) -> None:
    """排班：公平分摊周末和节假日（连同当年已值的班），留足休息 / make a roster by fair shares over the year."""
    county = load_county(settings().county_folder, around=datetime.combine(first, time(0), UTC))
    if post not in county.posts:
        raise typer.BadParameter(f"没有岗位 {post} / there is no such post")
    try:
        own = read_duty_year(year) if year else duty_year_of(settings().county_folder)
        crews = tuple(tuple(_id(county, name) for name in crew.split("+")) for crew in people.split(","))
        rota = Rota(
            post=post,
            crews=crews,
            first=first.date(),
            last=last.date(),
            turn_days=turn_days,
            rest_h=rest_h,
            handover=time.fromisoformat(handover),
        )
        since = datetime.combine(count_from or date(first.year, 1, 1), time(0), county.zone)
        served = [shift for shift in county.shifts if shift.starts_at >= since]
        away = _leaves(county, leave or ())
        for person, days in _elsewhere(county, rota).items():
            away.setdefault(person, []).extend(days)
        made = make(rota, Calendar(own.years), county.zone, away, own.periods, served)
    except (ChangeError, UnknownYearError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    _write(out, made, county)
    _show(made, county)
    for start, end in made.open_turns:
        console().print(f"· {start}至{end} 无人可排，请人工安排 / nobody may take it", highlight=False)
    console().print(f"已写 {len(made.shifts)} 班到 {out} / {len(made.shifts)} shifts written", highlight=False)
    if made.open_turns:
        raise typer.Exit(1)


def _id(county: County, name: str) -> str:
    return find_person(county, name.strip()).id


def _leaves(county: County, told: Sequence[str]) -> dict[str, list[Leave]]:
    leaves: dict[str, list[Leave]] = {}
    for item in told:
        name, _, span = item.partition(":")
        start, _, end = span.partition("..")
        first = date.fromisoformat(start)
        leaves.setdefault(_id(county, name), []).append((first, date.fromisoformat(end) if end else first))
    return leaves


def _elsewhere(county: County, rota: Rota) -> dict[str, list[Leave]]:
    """Return the days on which somebody of the crews stands at another post: nobody is put in two places."""
    people = {person for crew in rota.crews for person in crew}
    busy: dict[str, list[Leave]] = {}
    for shift in county.shifts:
        for person in {shift.person, shift.deputy} & people if shift.post != rota.post else ():
            start, end = (bound.astimezone(county.zone) for bound in (shift.starts_at, shift.ends_at))
            # A shift that ends at the hour of handover leaves that day free for a turn that begins then.
            last = end.date() - timedelta(days=1) if end.time() <= rota.handover else end.date()
            busy.setdefault(person, []).append((start.date(), max(start.date(), last)))
    return busy


def _write(out: Path, made: Made, county: County) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["post", "person", "deputy", "starts_at", "ends_at"])
        for shift in made.shifts:
            times = [f"{at.astimezone(county.zone):%Y-%m-%d %H:%M}" for at in (shift.starts_at, shift.ends_at)]
            rows.writerow([shift.post, shift.person, shift.deputy, *times])


def _show(made: Made, county: County) -> None:
    """Show what each got: the turns of this roster, and what they have had this year with it."""
    sheet = Sheet("人员", "本次班次", "平均间隔（天）", "当年班次", *(f"当年{name}" for name in KINDS.values()))
    covered = (made.shifts[-1].ends_at - made.shifts[0].starts_at) if made.shifts else timedelta()
    turns = Counter(shift.person for shift in made.shifts)
    for person, share in made.shares.items():
        apart = f"{covered.days / turns[person]:.1f}" if turns[person] else "—"
        days = (str(share.days[kind]) for kind in KINDS)
        sheet.add_row(county.people[person].name, str(turns[person]), apart, str(share.turns), *days)
    console().print(sheet)
