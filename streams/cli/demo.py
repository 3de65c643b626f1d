"""`jiaoying demo`: the whole live stack, the first hour of the Zhengzhou night, sixty times as fast.

Everything is real but the telephones: broker, Faust worker, HTTP gateway, ledger. It makes a data folder of its own
and leaves it there, so that the ledger can be looked at afterwards.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as Grid

from agents.callout.state import CALLOUTS, OPEN
from config.settings import Settings, read_settings
from streams.broker import free_port
from streams.cli.screen import console
from streams.cli.tokens import own_token
from streams.clock import SystemClock
from streams.installation import load_facts
from streams.ledger.contract import Entry, FullStep
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify
from streams.replay import report, tables
from streams.replay.live import Handed, play_live, record
from streams.replay.night import fingerprint
from streams.replay.scenario import Scenario, load_scenario
from streams.replay.summary import Summary, summarise
from streams.replay.times import read_local
from streams.supervisor import Stack
from streams.wiring import TABLES

SCENARIO = "zhengzhou-2021-07-20"
SAMPLE_ZONE = ZoneInfo("Asia/Shanghai")
SPEED = 60.0
LEAD_S = 12.0
PLAYED = timedelta(hours=1)
LOOK_S = 0.5
LINES_MAX = 14
FIRST_ANSWER_WITHIN_S = 20.0


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(demo)


def demo(
    json: Annotated[Path | None, typer.Option("--json", help="数字写入 JSON / figures as JSON")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="数据目录 / data folder")] = None,
) -> None:
    """一分钟看完那一夜的第一小时 / the first hour of the Zhengzhou night in a minute, on the live stack."""
    logging.basicConfig(level=logging.ERROR)
    result = asyncio.run(_demo(console(), data_dir))
    if json is not None:
        json.write_text(jsonlib.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
        console().print(f"JSON: {json}")


async def _demo(screen: Console, data_dir: Path | None) -> dict[str, object]:
    scenario = load_scenario(SCENARIO)
    start_at = read_local(scenario.start, SAMPLE_ZONE)
    chosen = _settings(data_dir, start_at)
    clock = chosen.clock()
    handed = record(scenario, start_at + PLAYED)
    stack = Stack(chosen, lambda text: screen.print(f"· {text}"))
    ledger: SqlLedger | None = None
    watching: asyncio.Task[None] | None = None
    try:
        await stack.start()
        watching = asyncio.create_task(stack.watch())
        ledger = SqlLedger(chosen.ledger, TABLES)
        token = await asyncio.to_thread(own_token, chosen)
        show = Show(screen, ledger, clock, start_at, chosen)
        screen.print(f"· 值班页 http://{chosen.host}:{chosen.port}/ 令牌 {token}", highlight=False)
        async with httpx.AsyncClient(timeout=20) as client:
            door = Door(client, chosen, token)
            playing = asyncio.create_task(play_live(handed, clock, door.post, show.say))
            await show.run(start_at + PLAYED)
            await playing
        return await asyncio.to_thread(_finish, screen, scenario, chosen, ledger, start_at, show)
    finally:
        if watching is not None:
            watching.cancel()
        screen.print("· 停止各进程 / stopping")
        await stack.stop()
        if ledger is not None:
            ledger.close()


@dataclass
class Door:
    """Posts documents to the gateway."""

    client: httpx.AsyncClient
    settings: Settings
    token: str

    async def post(self, item: Handed) -> int:
        """Hand one document over; return the status."""
        answer = await self.client.post(
            f"http://{self.settings.host}:{self.settings.port}{item.path}",
            content=item.content,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": item.media_type},
        )
        return answer.status_code


@dataclass
class Show:
    """What is seen while the night is played: the callouts by level, and the last things that happened."""

    screen: Console
    ledger: SqlLedger
    clock: SystemClock
    start_at: datetime
    settings: Settings
    lines: list[str] = field(default_factory=list)
    first_answer_s: float | None = None
    _after: Entry | None = None
    _last_told_s: float = -10.0

    def __post_init__(self) -> None:
        self.facts = load_facts(self.settings, self.start_at)
        self.zone = self.facts.county.zone

    def say(self, line: str) -> None:
        """Add a line of what happened."""
        self.lines.append(f"{self.clock.now().astimezone(self.zone):%H:%M:%S} {line}")
        if not self.screen.is_terminal:
            self.screen.print(self.lines[-1], highlight=False)

    async def run(self, until: datetime) -> None:
        """Show until the story comes to `until`."""
        with Live(console=self.screen, refresh_per_second=4, transient=True) as live:
            while self.clock.now() < until:
                counts = await self.ledger.look(self._look)
                if self.screen.is_terminal:
                    live.update(self._picture(counts))
                else:
                    self._tell_now_and_then(counts)
                await asyncio.sleep(LOOK_S)

    def _look(self, step: FullStep) -> dict[tuple[str, str], int]:
        for entry in step.page(self._after, 2000, by_time=True):
            self._after = entry
            line = _line(entry, self)
            if line:
                self.lines.append(f"{entry.at.astimezone(self.zone):%H:%M:%S} {line}")
        counted = step.count(CALLOUTS, ("level", "state"))
        return {(str(level), str(state)): count for (level, state), count in counted.items()}

    def note_answer(self, at: datetime) -> None:
        """Remember how long after the start of play the first answer came, in real seconds."""
        if self.first_answer_s is None:
            self.first_answer_s = (at - self.start_at).total_seconds() / self.clock.speed

    def _picture(self, counts: dict[tuple[str, str], int]) -> Group:
        now = self.clock.now().astimezone(self.zone)
        grid = Grid(title=f"{now:%m月%d日 %H:%M:%S}（{SPEED:.0f}倍速）", expand=False)
        for name in ("级别", "叫应中", "已应", "未应/失联", "其他"):
            grid.add_column(name)
        for level, name in (("county", "县"), ("township", "乡镇"), ("village", "村"), ("site", "点位")):
            mine = {state: count for (each, state), count in counts.items() if each == level}
            opened = sum(mine.get(state, 0) for state in OPEN)
            answered = sum(mine.get(state, 0) for state in ("confirmed", "vouched", "knocked", "replied", "heard"))
            silent = mine.get("unreached", 0) + mine.get("lost", 0)
            grid.add_row(
                name, str(opened), str(answered), str(silent), str(sum(mine.values()) - opened - answered - silent)
            )
        return Group(grid, *self.lines[-LINES_MAX:])

    def _tell_now_and_then(self, counts: dict[tuple[str, str], int]) -> None:
        """Without a terminal: a line every five seconds."""
        at_s = (self.clock.wall() - (self.clock.wall_origin or self.clock.wall())).total_seconds()
        if at_s - self._last_told_s < 5:
            return
        self._last_told_s = at_s
        states: dict[str, int] = {}
        for (_, state), count in counts.items():
            states[state] = states.get(state, 0) + count
        now = self.clock.now().astimezone(self.zone)
        said = "，".join(f"{state} {count}" for state, count in sorted(states.items()))
        self.screen.print(f"{now:%H:%M:%S} {said or f'等待开演（{self.start_at.astimezone(self.zone):%H:%M}）'}")
        for line in self.lines[-3:]:
            self.screen.print(f"    {line}", highlight=False)


def _line(entry: Entry, show: Show) -> str:
    """Say what an entry says, where it is worth a line."""
    facts, county = entry.facts, show.facts.county
    post = county.posts.get(str(facts.get("post", "")))
    who = post.name if post else ""
    match entry.what:
        case "confirmed":
            show.note_answer(entry.at)
            return f"[green]应答[/] {who} {facts.get('number')} 听完按1（{facts.get('after_s'):.0f}秒）"
        case "step_begun" if entry.why in ("calls_used_up", "next_person", "cannot_come", "no_deputy", "nobody_holds"):
            target = county.posts.get(str(facts.get("target", "")))
            return f"[yellow]升级[/] {who} 未应，改叫 {target.name if target else ''}（{facts.get('role')}）"
        case "gave_up":
            return f"[red]未应[/] {who}" + ("（失联）" if facts.get("lost_contact") else "")
        case "handed_over":
            return f"[red]转上门[/] {'、'.join(list(facts.get('places', []))[:6])}"
        case "taken":
            return "[green]上门名单已有人接下[/]"
        case "chain_opened" | "chain_raised" | "chain_widened" | "chain_continued":
            return f"[bold]预警[/] {facts.get('headline')}"
        case "plan_round_opened":
            return f"[bold]轮次[/] 叫应 {facts.get('call')} 个岗位"
        case _:
            return ""


def _finish(
    screen: Console, scenario: Scenario, chosen: Settings, ledger: SqlLedger, start_at: datetime, show: Show
) -> dict[str, object]:
    """Sum up, verify, write the report."""
    summary: Summary = ledger.step(
        lambda step: summarise(step, show.facts, from_at=start_at, until_at=start_at + PLAYED, realm=chosen.realm)
    )
    title = f"{scenario.title.zh}：第一小时（实时全栈，{SPEED:.0f}倍速）"
    tables.print_summary(screen, summary, title=title, about=scenario.about.zh, language=chosen.language)
    verdict = verify(ledger)
    mark = fingerprint(ledger.heads())
    path = chosen.data_dir.absolute() / "report.html"
    html = report.render(
        summary,
        title=title,
        about=scenario.about.zh,
        sources=scenario.sources,
        fingerprint=mark,
        language=chosen.language,
    )
    path.write_text(html, encoding="utf-8")
    first = f"{show.first_answer_s:.1f} 秒" if show.first_answer_s is not None else "无"
    screen.print(f"首个应答：开演后 {first}（真实时间） / first answer, real seconds after the start of play")
    screen.print(
        f"台账核验 / ledger: {verdict.entries} 条记录、{verdict.seals} 个封印，问题 {len(verdict.faults)} 处",
        highlight=False,
    )
    screen.print(f"台账 / ledger: {chosen.ledger}", soft_wrap=True, highlight=False)
    screen.print(f"报告 / report: {path}", soft_wrap=True, highlight=False)
    if verdict.faults:
        raise typer.Exit(1)
    return {
        "scenario": scenario.id,
        "speed": SPEED,
        "first_answer_s": show.first_answer_s,
        "entries": verdict.entries,
        "fingerprint": mark,
        "summary": summary.model_dump(mode="json"),
    }


def _settings(data_dir: Path | None, start_at: datetime) -> Settings:
    """Make settings for one demo: a folder, free ports, and a clock that shows `start_at` when the stack is up."""
    wall = SystemClock().wall()
    folder = data_dir or Path("data") / f"demo-{wall:%Y%m%d-%H%M%S}"
    return read_settings(
        data_dir=folder,
        port=free_port(),
        metrics_port=free_port(),
        speed=SPEED,
        wall_origin=wall,
        story_origin=start_at - timedelta(seconds=LEAD_S * SPEED),
        call_pace_per_s=5.0,
        text_pace_per_s=50.0,
    )
