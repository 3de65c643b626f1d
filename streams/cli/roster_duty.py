"""`jiaoying roster handover`, `sign`, `measure`, `lift` and `zero-report`: what a shift hands over and reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import typer
from rich.table import Table as Sheet

from agents.duty import zero
from agents.duty.measures import lift_measure, note_measure
from agents.duty.record import record_signature
from agents.duty.state import HANDOVERS, ZERO_REPORTS, Equipment, Handover
from rosters import arrange
from streams.cli.roster_office import By, Post, office
from streams.cli.screen import console
from streams.ledger.contract import Where

OnWordOf = Annotated[str, typer.Option("--on-word-of", help="依据谁的指令 / on whose word")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command()(handover)
    app.command()(sign)
    app.command()(measure)
    app.command()(lift)
    app.command(name="zero-report")(zero_report)


def handover(days: Annotated[int, typer.Option(min=1, max=60, help="最近几天 / how many days back")] = 2) -> None:
    """交接班记录 / the handovers."""
    with office() as desk:
        since = desk.now - timedelta(days=days)
        rows = desk.do(lambda step: step.find(HANDOVERS, Where("starts_at", ">", since), order=("starts_at",)))
        zone, people = desk.county.zone, desk.county.people
    sheet = Sheet("岗位", "接班时间", "交", "接", "状态", "未应", "预警", "在办措施", "故障设备", "编号")
    for row in rows:
        names = [people[one].name if one in people else "—" for one in (row.outgoing, row.incoming)]
        marks = [
            name + (" ✓" if sign else "") for name, sign in zip(names, (row.signed_out, row.signed_in), strict=True)
        ]
        open_ones = str(sum(row.carried.callouts.values()))
        when = f"{row.starts_at.astimezone(zone):%m-%d %H:%M}"
        chains = str(len(row.carried.chains))
        sheet.add_row(row.post_id, when, *marks, row.state.chinese, open_ones, chains, *_kept(row), row.id)
    console().print(sheet)


def sign(
    handover_id: Annotated[str, typer.Argument(help="交接班编号 / id of the handover")],
    side: Annotated[str, typer.Argument(help="out 交班，in 接班 / out: leaves, in: takes over")],
    person: Annotated[str, typer.Argument(help="签字人 / who signs")],
    notes: Annotated[str, typer.Option(help="注意事项 / what to know")] = "",
    works: Annotated[
        list[str] | None, typer.Option(help="正常的设备，可多次 / equipment that works, repeatable")
    ] = None,
    fails: Annotated[
        list[str] | None, typer.Option(help="故障的设备，如 发电机:缺柴油 / equipment that does not, with a note")
    ] = None,
) -> None:
    """交接班签字；交班时逐项登记设备 / sign for a handover; whoever leaves says of the equipment."""
    if side not in ("out", "in"):
        raise typer.BadParameter("应为 out 或 in / should be out or in")
    faulty = [each.replace("：", ":").partition(":") for each in fails or ()]
    seen = [Equipment(name=name, works=True) for name in works or ()]
    seen += [Equipment(name=name, works=False, note=note) for name, _, note in faulty]
    which: Literal["out", "in"] = "out" if side == "out" else "in"
    with office() as desk:
        facts = desk.facts()
        who = arrange.find_person(desk.county, person).id
        row = desk.do(
            lambda step: record_signature(
                step,
                handover_id,
                which,
                who,
                by=f"cli:{person}",
                now=desk.now,
                facts=facts,
                notes=notes,
                equipment=seen,
            )
        )
    console().print(f"{row.post_id}：{row.state}", highlight=False)


def measure(
    post: Post,
    text: Annotated[str, typer.Argument(help="措施内容，如 砂石厂停工 / what the measure is")],
    on_word_of: OnWordOf,
    by: By,
) -> None:
    """登记在办的刚性措施，逐班移交，直到解除 / note a measure in force; it goes on until lifted."""
    with office() as desk:
        row = desk.do(lambda step: note_measure(step, post, text, on_word_of=on_word_of, by=by, now=desk.now))
    console().print(f"已登记：{text}（{row.post_id}） / noted", highlight=False)


def lift(
    post: Post,
    text: Annotated[str, typer.Argument(help="登记时的措施内容 / the measure, in the words it was noted with")],
    on_word_of: OnWordOf,
    by: By,
) -> None:
    """登记措施已解除 / note that a measure was lifted."""
    with office() as desk:
        desk.do(lambda step: lift_measure(step, post, text, on_word_of=on_word_of, by=by, now=desk.now))
    console().print(f"已解除：{text} / lifted", highlight=False)


def zero_report(
    post: Annotated[
        str, typer.Argument(help="值班岗编号，不写 = 看今天谁报了 / the duty post; none = who has reported")
    ] = "",
    person: Annotated[str, typer.Argument(help="当班报告人 / who is on duty and reports")] = "",
    text: Annotated[str, typer.Option(help="情况；不写 = 无情况 / what there is; none = nothing")] = "",
) -> None:
    """零报告：报今天的，或看今天谁报了谁没报 / report for today, or show who has and who has not."""
    with office() as desk:
        facts = desk.facts()
        if post:
            who = arrange.find_person(desk.county, person).id
            desk.do(lambda step: zero.report(step, post, who, text, by=f"cli:{person}", now=desk.now, facts=facts))
        day = zero.day_of(desk.now, facts)
        filed = desk.do(lambda step: step.find(ZERO_REPORTS, Where("day", "=", day), order=("at",)))
        silent = desk.do(lambda step: zero.missing(step, day, facts))
        posts = desk.county.posts
        for row in filed:
            said = "无情况 / nothing" if row.nothing else row.text
            console().print(f"{posts[row.post_id].name}：{said}（{row.name} {desk.told(row.at)}）", highlight=False)
    for one in silent:
        console().print(f"· 未报：{posts[one].name}（{one}） / not reported", highlight=False)


def _kept(row: Handover) -> tuple[str, str]:
    measures = [each.text for each in row.measures if each.lifted_at is None]
    return "；".join(measures) or "—", "；".join(each.name for each in row.equipment if not each.works) or "—"
