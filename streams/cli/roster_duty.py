"""`jiaoying roster`: publish a version, change it under way, hand a shift over, spot-check the duty posts.

Written straight into the ledger, so that it works with the service down; running processes take it in within seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, TypeVar

import typer
from rich.table import Table as Sheet

from agents.duty.checks import draw_times, tally
from agents.duty.decide import posts_on_shift
from agents.duty.record import plan_spot_checks, publish, record_change, record_signature
from agents.duty.state import HANDOVERS, SPOT_CHECKS, CheckResult
from agents.facts import Facts
from config.load import load_rules
from config.settings import Settings
from rosters import arrange
from rosters.changes import Change, apply, tell, uncovered
from rosters.county import DUTY_OFFICER, County
from rosters.ledger import ROSTER_VERSIONS, changes_at
from rosters.load import load_county
from rosters.versions import Snapshot, differences, snapshot_of
from streams.cli.screen import console, settings
from streams.installation import prepare
from streams.ledger.contract import FullStep, Where
from streams.ledger.sql import SqlLedger
from streams.roster_watch import ROSTER_LOOK_S
from streams.wiring import TABLES

T = TypeVar("T")
checks_app = typer.Typer(no_args_is_help=True)
Post = Annotated[str, typer.Argument(help="岗位编号 / id of the post")]
When = datetime | None
By = Annotated[str, typer.Option("--by", help="谁操作 / who does it")]
AskedBy = Annotated[str, typer.Option("--asked-by", help="谁提出 / who asks")]
AgreedBy = Annotated[str, typer.Option("--agreed-by", help="同意的带班领导 / the leader on duty who agreed")]
Why = Annotated[str, typer.Option("--why", help="理由 / the reason")]
From = Annotated[When, typer.Option("--from", help="起，县里的时间 / from, local time")]
Until = Annotated[When, typer.Option("--until", help="止，县里的时间 / until, local time")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command(name="publish")(publish_roster)
    app.command()(diff)
    app.command()(swap)
    app.command(name="stand-in")(stand_in)
    app.command()(leave)
    app.command()(handover)
    app.command()(sign)
    app.add_typer(checks_app, name="spotcheck", help="抽查值班 / spot checks of the duty posts")


class Office:
    """What one command works with: the settings, the ledger, the roster as published and as changed."""

    def __init__(self, chosen: Settings, ledger: SqlLedger) -> None:
        self.chosen, self.ledger = chosen, ledger
        self.clock = chosen.clock()
        self.now = self.clock.now()
        self.published = load_county(chosen.county_folder, around=self.now)
        self.county = apply(self.published, ledger.step(lambda step: changes_at(step, self.now)))

    def do(self, work: Callable[[FullStep], T]) -> T:
        """Run one step."""
        return self.ledger.step(work)

    def local(self, at: When) -> When:
        """Return a time that was typed without a zone as the county's."""
        return at.replace(tzinfo=self.county.zone) if at and at.tzinfo is None else at

    def change(self, change: Change, by: str) -> None:
        """Write a change down and say what it comes to."""
        known_at = self.now + timedelta(seconds=2 * ROSTER_LOOK_S) * self.clock.speed
        self.do(lambda step: record_change(step, self.county, change, by=by, now=self.now, known_at=known_at))
        console().print(tell(self.county, change), highlight=False)
        for post, start, end in uncovered(apply(self.county, [change]), change):
            span = f"{start.astimezone(self.county.zone):%m-%d %H:%M}至{end.astimezone(self.county.zone):%m-%d %H:%M}"
            console().print(f"· 无人顶班：{post} {span}，请再登记顶班 / nobody stands in yet", highlight=False)


@contextmanager
def office() -> Iterator[Office]:
    """Open the ledger for one command.

    Raises:
        CountyError: The county's folder has faults.
        LedgerError: The ledger is away.
    """
    chosen = settings()
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        yield Office(chosen, ledger)
    finally:
        ledger.close()


def with_changes(chosen: Settings, county: County, now: datetime) -> County:
    """Return a county with the changes that the ledger knows; as it is where there is no ledger yet."""
    if not chosen.ledger_url and not (chosen.data_dir / "ledger.sqlite3").exists():
        return county
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        return apply(county, ledger.step(lambda step: changes_at(step, now)))
    finally:
        ledger.close()


def publish_roster(
    by: By,
    despite: Annotated[str, typer.Option(help="有空岗仍要发布的理由 / why it is published despite gaps")] = "",
) -> None:
    """发布值班表：有空岗不予发布 / publish the roster; refused where a post is without anybody."""
    with office() as desk:
        row = desk.do(lambda step: publish(step, desk.published, by=by, now=desk.now, despite=despite))
    console().print(f"已发布第 {row.n} 版 {row.content[:12]} / published as version {row.n}", highlight=False)
    for line in row.differences[:40]:
        console().print(f"· {line}", highlight=False)


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


def swap(
    post: Post,
    first: Annotated[datetime, typer.Argument(help="一个班次内的时间 / a time within one shift")],
    second: Annotated[datetime, typer.Argument(help="另一个班次内的时间 / a time within the other")],
    asked_by: AskedBy,
    agreed_by: AgreedBy,
    why: Why,
) -> None:
    """换班：提前提出，带班领导同意 / swap two shifts, in advance and agreed."""
    with office() as desk:
        one, other = desk.local(first) or first, desk.local(second) or second
        change = arrange.swap(
            desk.county, post, one, other, asked_by=asked_by, agreed_by=agreed_by, why=why, at=desk.now
        )
        desk.change(change, asked_by)


def stand_in(
    post: Post,
    person: Annotated[str, typer.Argument(help="谁顶班，姓名或编号 / who stands in")],
    asked_by: AskedBy,
    agreed_by: AgreedBy,
    why: Why,
    starts_at: From = None,
    ends_at: Until = None,
) -> None:
    """顶班：临时离岗或缺席时由谁代替 / somebody stands in, by name."""
    with office() as desk:
        change = arrange.stand_in(
            desk.county,
            post,
            person,
            starts_at=desk.local(starts_at),
            ends_at=desk.local(ends_at),
            asked_by=asked_by,
            agreed_by=agreed_by,
            why=why,
            at=desk.now,
        )
        desk.change(change, asked_by)


def leave(
    person: Annotated[str, typer.Argument(help="谁请假 / who is away")],
    until: Annotated[datetime, typer.Option("--until", help="止，县里的时间 / until, local time")],
    agreed_by: AgreedBy,
    why: Why,
    starts_at: From = None,
) -> None:
    """请假：这段时间不叫他，空出的岗要登记顶班 / note a leave; name a stand-in for what it leaves open."""
    with office() as desk:
        start, end = desk.local(starts_at) or desk.now, desk.local(until) or until
        desk.change(arrange.leave(desk.county, person, start, end, agreed_by=agreed_by, why=why, at=desk.now), person)


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
        facts = Facts(desk.county, load_rules(desk.chosen.rules_folder, preset=desk.chosen.preset))
        who = arrange.find_person(desk.county, person).id
        row = desk.do(
            lambda step: record_signature(
                step, handover_id, which, who, by=f"cli:{person}", now=desk.now, facts=facts, notes=notes
            )
        )
    console().print(f"{row.post_id}：{row.state}", highlight=False)


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
    sheet = Sheet("月份", "单位", "已查", *(result.chinese for result in CheckResult), "未查（有预警）", "待查")
    for one in tallies:
        name = units[one.unit_id].name if one.unit_id in units else one.unit_id
        found = (str(one.results.get(result, 0)) for result in CheckResult)
        sheet.add_row(one.month, name, str(one.made), *found, str(one.skipped), str(one.planned))
    console().print(sheet)
