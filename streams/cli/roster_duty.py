"""`jiaoying roster handover` and `sign`: what is handed over at a change of shift, and who signed for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import typer
from rich.table import Table as Sheet

from agents.duty.record import record_signature
from agents.duty.state import HANDOVERS
from rosters import arrange
from streams.cli.roster_office import office
from streams.cli.screen import console
from streams.ledger.contract import Where


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command()(handover)
    app.command()(sign)


def handover(days: Annotated[int, typer.Option(min=1, max=60, help="最近几天 / how many days back")] = 2) -> None:
    """交接班记录 / the handovers."""
    with office() as desk:
        since = desk.now - timedelta(days=days)
        rows = desk.do(lambda step: step.find(HANDOVERS, Where("starts_at", ">", since), order=("starts_at",)))
        zone, people = desk.county.zone, desk.county.people
    sheet = Sheet("岗位", "接班时间", "交", "接", "状态", "未应", "预警", "编号")
    for row in rows:
        names = [people[one].name if one in people else "—" for one in (row.outgoing, row.incoming)]
        marks = [
            name + (" ✓" if sign else "") for name, sign in zip(names, (row.signed_out, row.signed_in), strict=True)
        ]
        open_ones = str(sum(row.carried.callouts.values()))
        when = f"{row.starts_at.astimezone(zone):%m-%d %H:%M}"
        sheet.add_row(row.post_id, when, *marks, row.state, open_ones, str(len(row.carried.chains)), row.id)
    console().print(sheet)


def sign(
    handover_id: Annotated[str, typer.Argument(help="交接班编号 / id of the handover")],
    side: Annotated[str, typer.Argument(help="out 交班，in 接班 / out: leaves, in: takes over")],
    person: Annotated[str, typer.Argument(help="签字人 / who signs")],
    notes: Annotated[str, typer.Option(help="注意事项 / what to know")] = "",
) -> None:
    """交接班签字 / sign for a handover."""
    if side not in ("out", "in"):
        raise typer.BadParameter("应为 out 或 in / should be out or in")
    which: Literal["out", "in"] = "out" if side == "out" else "in"
    with office() as desk:
        facts = desk.facts()
        who = arrange.find_person(desk.county, person).id
        row = desk.do(
            lambda step: record_signature(
                step, handover_id, which, who, by=f"cli:{person}", now=desk.now, facts=facts, notes=notes
            )
        )
    console().print(f"{row.post_id}：{row.state}", highlight=False)
