"""`jiaoying roster spot-check`: plan spot checks of the duty posts at drawn times, and show what was found."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

import typer
from rich.table import Column
from rich.table import Table as Sheet

from agents.duty.checks import draw_times, tally
from agents.duty.decide import posts_on_shift
from agents.duty.record import plan_spot_checks
from agents.duty.state import SPOT_CHECKS, CheckResult
from rosters.county import DUTY_OFFICER
from streams.cli.roster_office import By, office
from streams.cli.screen import console
from streams.ledger.contract import Where

checks_app = typer.Typer(no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.add_typer(checks_app, name="spot-check", help="抽查值班 / spot checks of the duty posts")


@checks_app.command()
def plan(
    by: By,
    seed: Annotated[str, typer.Option(help="种子，记入台账 / the seed; it is logged")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="起始日 / first day")],
    days: Annotated[int, typer.Option(min=1, max=92, help="几天 / how many days")] = 30,
    each: Annotated[int, typer.Option(min=1, max=31, help="每岗几次 / checks of each post")] = 1,
    window: Annotated[str, typer.Option(help="时段 / window of the day")] = "22:00-06:00",
    post: Annotated[list[str] | None, typer.Option(help="岗位，缺省为全部值班岗 / posts; all duty posts")] = None,
) -> None:
    """安排抽查：时间由种子抽出 / plan spot checks at times drawn from a seed."""
    begins, _, ends = window.partition("-")
    try:
        span = (time.fromisoformat(begins), time.fromisoformat(ends))
    except ValueError as error:
        raise typer.BadParameter("时段应如 22:00-06:00 / should read 22:00-06:00") from error
    with office() as desk:
        posts = post or [one.id for one in posts_on_shift(desk.county, (DUTY_OFFICER,))]
        unknown = [one for one in posts if one not in desk.county.posts]
        if unknown:
            raise typer.BadParameter(f"没有岗位 {unknown[0]} / no such post")
        calendar: list[date] = [first.date() + timedelta(days=n) for n in range(days)]
        times = draw_times(posts, calendar, span, each, seed, desk.county)
        rows = desk.do(lambda step: plan_spot_checks(step, times, desk.county, seed=seed, by=by, now=desk.now))
    console().print(f"已安排 {len(rows)} 次抽查（已过的时间不排） / {len(rows)} checks planned", highlight=False)


@checks_app.command()
def show(month: Annotated[str, typer.Option(help="月份，如 2026-11 / month")] = "") -> None:
    """抽查结果：按单位和月份 / results by unit and month."""
    where = [Where("month", "=", month)] if month else []
    with office() as desk:
        tallies = tally(desk.do(lambda step: step.find(SPOT_CHECKS, *where, limit=100_000)))
        units = desk.county.units
    sheet = Sheet(
        "月份",
        Column("单位", no_wrap=True),
        "已查",
        *(Column(result.chinese, overflow="fold") for result in CheckResult),
        "未查",
        "待查",
    )
    for one in tallies:
        name = units[one.unit_id].name if one.unit_id in units else one.unit_id
        found = (str(one.results.get(result, 0)) for result in CheckResult)
        sheet.add_row(one.month, name, str(one.made), *found, str(one.skipped), str(one.planned))
    console().print(sheet)
    console().print(
        "按1 = 本人在岗，按2 = 他人接听，按0 = 不能到岗；未查 = 当时有预警，没有打 / skipped: a warning was in force"
    )
