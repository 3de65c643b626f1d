"""`jiaoying roster publish`, `versions` and `diff`: a version behind the gate of its check, and what it changed."""

from __future__ import annotations

from typing import Annotated

import typer

from agents.duty.publishing import faults_of, publish
from agents.phones.record import with_verified
from rosters.findings import blocking, told
from rosters.ledger import ROSTER_VERSIONS
from rosters.versions import Snapshot, differences, snapshot_of
from streams.cli.roster_office import By, duty_year, office
from streams.cli.screen import console
from streams.installation import number_key

SHOWN_MAX = 40


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command(name="publish")(publish_roster)
    app.command()(versions)
    app.command()(diff)


def publish_roster(
    by: By,
    despite: Annotated[
        str, typer.Option(help="有不予发布的问题仍要发布的理由，记入台账 / why it is published all the same; on record")
    ] = "",
) -> None:
    """发布值班表：先检查，有空岗等问题不予发布 / check and publish the roster; refused where something blocks."""
    with office() as desk:
        year = duty_year(desk.chosen)
        known = desk.do(lambda step: with_verified(step, desk.published, number_key(desk.chosen)))
        faults = desk.do(lambda step: faults_of(step, known, year, desk.now))
        row = desk.do(lambda step: publish(step, desk.published, faults, by=by, now=desk.now, despite=despite))
    for one in faults:
        console().print(f"· \\[{one.flaw.severity.chinese}] {told(one, desk.published)}", highlight=False)
    console().print(f"已发布第 {row.n} 版 {row.content[:12]} / published as version {row.n}", highlight=False)
    if blocking(faults) and row.despite:
        console().print(
            f"仍有不予发布的问题，理由：{row.despite}（{row.by}） / published despite that", highlight=False
        )
    for line in row.differences[:SHOWN_MAX]:
        console().print(f"· {line}", highlight=False)
    if len(row.differences) > SHOWN_MAX:
        console().print(f"……还有 {len(row.differences) - SHOWN_MAX} 处，见 roster diff / and more: roster diff")


def versions() -> None:
    """发布过的各版：何时、谁、理由、改了几处 / the versions: when, by whom, why despite faults, how much changed."""
    with office() as desk:
        rows = desk.do(lambda step: step.find(ROSTER_VERSIONS, order=("-n",)))
        for row in rows:
            despite = f" 理由：{row.despite}" if row.despite else ""
            line = f"第 {row.n} 版 {desk.told(row.at)} {row.by} {row.content[:12]}，改动 {len(row.differences)} 处"
            console().print(line + despite, highlight=False)
    if not rows:
        console().print("还没有发布过 / nothing was published yet")


def diff(
    first: Annotated[int, typer.Argument(help="旧版，0 = 最近发布的 / the older version; 0 = the last one")] = 0,
    second: Annotated[int, typer.Argument(help="新版，0 = 现在的文件 / the newer one; 0 = the files as they are")] = 0,
) -> None:
    """两版值班表有何不同 / what is different between two versions."""
    with office() as desk:
        found = {row.n: row for row in desk.do(lambda step: step.find(ROSTER_VERSIONS, order=("n",)))}
        older = found.get(first or max(found, default=0))
        newer = found.get(second)
        if older is None or (second and newer is None):
            raise typer.BadParameter("没有这一版，请先发布 / there is no such version; publish one first")
        old = Snapshot.model_validate_json(desk.do(lambda step: step.raw(older.raw_id)) or b"")
        raw = desk.do(lambda step: step.raw(newer.raw_id)) if newer else None
        new = Snapshot.model_validate_json(raw) if raw else snapshot_of(desk.published, desk.now)
        lines = differences(old, new, desk.county.zone)
    for line in lines:
        console().print(f"· {line}", highlight=False)
    if not lines:
        console().print("没有不同 / no difference")
