"""`jiaoying roster`: is the roster sound, and who holds a post at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from rosters.load import check_county, load_county
from rosters.numbers import mask
from streams.cli.roster_duty import add_to as add_duty
from streams.cli.roster_duty import with_changes
from streams.cli.roster_files import add_to as add_files
from streams.cli.roster_make import add_to as add_make
from streams.cli.screen import console, settings

app = typer.Typer(no_args_is_help=True)
add_files(app)
add_duty(app)
add_make(app)
At = Annotated[datetime | None, typer.Option(help="县里的时间，如 2021-07-19T22:00 / local time")]


@app.command()
def check(
    days: Annotated[int, typer.Option(min=1, max=60, help="查今后几天 / days ahead")] = 14, at: At = None
) -> None:
    """检查值班表：空岗、无电话等 / check the roster: gaps, missing phones."""
    chosen = settings()
    now = chosen.clock().now()
    county = load_county(chosen.county_folder, around=now)
    start = at.replace(tzinfo=county.zone) if at else now
    found = check_county(county, start, days, chosen.language)
    for line in found:
        console().print(f"· {line}", highlight=False)
    if not found:
        console().print("今后没有空岗 / nothing found")


@app.command()
def who(post: Annotated[str, typer.Argument(help="岗位编号 / id of the post")], at: At = None) -> None:
    """某岗位某时由谁值守 / who holds a post."""
    chosen = settings()
    now = chosen.clock().now()
    county = with_changes(chosen, load_county(chosen.county_folder, around=now), now)
    moment = at.replace(tzinfo=county.zone) if at else now
    if post not in county.posts:
        raise typer.BadParameter(f"没有岗位 {post} / no such post")
    held = county.who(post, moment)
    if held is None:
        console().print(f"{post}：无人值守 / nobody")
        raise typer.Exit(1)
    phones = "、".join(mask(phone.number) for phone in held.person.phones)
    console().print(f"{post}：{held.person.name}（{held.why} {held.shift}） {phones}", highlight=False)
