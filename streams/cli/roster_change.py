"""`jiaoying roster`: changes under way. Asked for in advance, agreed or refused by the leader on duty, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table as Sheet

from agents.duty import asking
from agents.duty.record import record_change
from rosters import arrange
from rosters.changes import Change, apply, in_two_places, tell, uncovered
from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, AskRow, AskState
from streams.cli.roster_office import Office, Post, When, Why, office
from streams.cli.screen import console

AskedBy = Annotated[str, typer.Option("--asked-by", help="谁提出 / who asks")]
AgreedBy = Annotated[
    str,
    typer.Option("--agreed-by", help="当班带班领导；不写 = 只提申请，等同意 / the leader on duty; without: only asked"),
]
Leader = Annotated[str, typer.Option("--by", help="当班带班领导 / the leader on duty")]
From = Annotated[When, typer.Option("--from", help="起，县里的时间 / from, local time")]
Until = Annotated[When, typer.Option("--until", help="止，县里的时间 / until, local time")]
AskId = Annotated[str, typer.Argument(help="申请编号，见 roster changes / id of the request")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command()(swap)
    app.command(name="stand-in")(stand_in)
    app.command()(leave)
    app.command()(changes)
    app.command()(agree)
    app.command()(refuse)
    app.command()(withdraw)


def swap(
    post: Post,
    first: Annotated[datetime, typer.Argument(help="一个班次内的时间 / a time within one shift")],
    second: Annotated[datetime, typer.Argument(help="另一个班次内的时间 / a time within the other")],
    asked_by: AskedBy,
    why: Why,
    agreed_by: AgreedBy = "",
) -> None:
    """换班：提前提出，带班领导同意后生效 / swap two shifts: asked in advance, in force once agreed."""
    with office() as desk:
        times = (desk.local(first), desk.local(second))
        change = arrange.swap(
            desk.county, post, *times, asked_by=asked_by, agreed_by=agreed_by or None, why=why, at=desk.now
        )
        _write(desk, change, asked_by)


def stand_in(
    post: Post,
    person: Annotated[str, typer.Argument(help="谁顶班，姓名或编号 / who stands in")],
    asked_by: AskedBy,
    why: Why,
    agreed_by: AgreedBy = "",
    starts_at: From = None,
    ends_at: Until = None,
) -> None:
    """顶班：临时离岗或缺席时由谁代替，必须指名 / somebody stands in, by name."""
    with office() as desk:
        change = arrange.stand_in(
            desk.county,
            post,
            person,
            starts_at=desk.local(starts_at) if starts_at else None,
            ends_at=desk.local(ends_at) if ends_at else None,
            asked_by=asked_by,
            agreed_by=agreed_by or None,
            why=why,
            at=desk.now,
        )
        _write(desk, change, asked_by)


def leave(
    person: Annotated[str, typer.Argument(help="谁请假 / who is away")],
    until: Annotated[datetime, typer.Option("--until", help="止，县里的时间 / until, local time")],
    why: Why,
    agreed_by: AgreedBy = "",
    starts_at: From = None,
) -> None:
    """请假：这段时间不叫他，空出的岗要登记顶班 / note a leave; name a stand-in for what it leaves open."""
    with office() as desk:
        span = (desk.local(starts_at) if starts_at else desk.now, desk.local(until))
        _write(
            desk, arrange.leave(desk.county, person, *span, agreed_by=agreed_by or None, why=why, at=desk.now), person
        )


def changes(
    every: Annotated[bool, typer.Option("--all", help="连同已结束的 / those that are over too")] = False,
) -> None:
    """换班、顶班、请假：待同意的和已生效的 / changes: those asked for, and those in force or to come."""
    with office() as desk:
        asks = desk.do(lambda step: step.find(ROSTER_ASKS, order=("-made_at",)))
        made = desk.do(lambda step: step.find(ROSTER_CHANGES, order=("-n",)))
    sheet = Sheet("状态", "内容", "提出", "同意", "编号")
    for row in asks:
        if row.state is AskState.PENDING or (every and row.state is not AskState.AGREED):
            sheet.add_row(row.state.chinese, tell(desk.county, row.change), row.change.asked_by, "—", row.id)
    for item in made:
        if every or item.ends_at > desk.now:
            state = "已结束" if item.ends_at <= desk.now else "生效中" if item.starts_at <= desk.now else "已同意"
            words = (item.change.asked_by, item.change.agreed_by or "—")
            sheet.add_row(state, tell(desk.county, item.change), *words, item.id)
    console().print(sheet)


def agree(ask_id: AskId, by: Leader) -> None:
    """同意一项申请，立即按值班表再核对并生效 / agree to a request: checked anew, then in force."""
    with office() as desk:
        facts = desk.facts()
        row = desk.do(
            lambda step: asking.agree(
                step, facts, ask_id, agreed_by=by, by=f"cli:{by}", now=desk.now, known_at=desk.known_at
            )
        )
        _tell(desk, row.change)


def refuse(ask_id: AskId, by: Leader, why: Why) -> None:
    """不同意一项申请，值班表不变 / refuse a request; the roster stays as it is."""
    with office() as desk:
        desk.do(
            lambda step: asking.refuse(step, desk.county, ask_id, refused_by=by, why=why, by=f"cli:{by}", now=desk.now)
        )
    console().print("已记录：未同意 / refused")


def withdraw(
    row_id: Annotated[str, typer.Argument(help="申请或变更的编号，见 roster changes / id of a request or change")],
    by: Annotated[str, typer.Option("--by", help="谁撤回 / who takes it back")],
    why: Why,
    agreed_by: Annotated[
        str, typer.Option("--agreed-by", help="已生效的须当班带班领导同意 / the leader on duty, of one in force")
    ] = "",
) -> None:
    """撤回：未同意的申请直接撤回，已生效的从现在起恢复原班 / take back a request, or a change from now on."""
    with office() as desk:
        row = desk.do(
            lambda step: asking.withdraw(
                step,
                desk.county,
                row_id,
                withdrawn_by=by,
                agreed_by=agreed_by,
                why=why,
                by=f"cli:{by}",
                now=desk.now,
            )
        )
    console().print(
        "申请已撤回 / the request was taken back" if isinstance(row, AskRow) else "变更已撤回 / it has ended"
    )


def _write(desk: Office, change: Change, by: str) -> None:
    """Write a change down, agreed or only asked for, and say what it comes to."""
    if not change.agreed_by:
        facts = desk.facts()
        row = desk.do(lambda step: asking.ask(step, facts, change, by=by, now=desk.now))
        console().print(f"已提出申请，待带班领导同意：{tell(desk.county, change)}", highlight=False)
        console().print(f"jiaoying roster agree '{row.id}' --by …", highlight=False)
        return
    desk.do(lambda step: record_change(step, desk.county, change, by=by, now=desk.now, known_at=desk.known_at))
    _tell(desk, change)


def _tell(desk: Office, change: Change) -> None:
    console().print(tell(desk.county, change), highlight=False)
    for post, start, end in uncovered(apply(desk.county, [change]), change):
        span = f"{desk.told(start)}至{desk.told(end)}"
        console().print(f"· 无人顶班：{post} {span}，请再登记顶班 / nobody stands in yet", highlight=False)
    for post, start, end in in_two_places(desk.county, change):
        span = f"{desk.told(start)}至{desk.told(end)}"
        console().print(f"· 同时在两处值班：{post} {span} / also on duty there", highlight=False)
