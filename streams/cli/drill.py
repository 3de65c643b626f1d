"""`jiaoying drill`: a 【演练】 warning for one township, through the same door as any warning, watched to its end.

The document is an exercise (CAP status Exercise), so that it gets the realm of drills whatever else is under way; every
call says 【演练】 first. It rings nobody while something real rings, and says at the end that the drill is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

import httpx
import typer

from agents.callout.state import ANSWERED, CALLOUTS, OPEN, UNANSWERED, CalloutState
from agents.facts import Facts
from agents.intake.state import ALIASES, CHAINS, ChainState
from agents.plan.rehearse import rehearse
from config.rules import Hazard
from config.settings import Settings
from rosters.county import County
from streams.cli.county import parse_warning, township_code
from streams.cli.orders import post
from streams.cli.screen import console, error_console, settings
from streams.cli.watching import look_until
from streams.doors.reception import EXERCISE_REALM
from streams.ids import REAL, make_id
from streams.installation import load_facts, prepare
from streams.ledger.contract import FullStep, Where
from streams.ledger.sql import SqlLedger
from streams.letters import Mode
from streams.replay import tables
from streams.replay.cap_writer import Document, write_cap
from streams.replay.summary import summarise
from streams.wiring import TABLES
from streams.words import Colour, Status

VALID_FOR = timedelta(hours=2)
TELL_EVERY_S = 10.0
RINGING = (CalloutState.CALLING, CalloutState.FETCHING, CalloutState.HEARD_NO_KEY)


@dataclass(frozen=True)
class Progress:
    """How far a drill is: posts to be called, and what became of them. `chain_id` is "" until it was read."""

    chain_id: str = ""
    posts: int = 0
    dialled: int = 0
    ringing: int = 0
    answered: int = 0
    unanswered: int = 0

    @property
    def is_over(self) -> bool:
        """Tell whether nobody is being rung any more."""
        return self.posts > 0 and self.ringing == 0

    def said(self) -> str:
        """Say it in one line."""
        if not self.posts:
            return "等待服务接手 / waiting for the service"
        return (
            f"要叫 {self.posts}，已拨 {self.dialled}，应答 {self.answered}，"
            f"未应 {self.unanswered}，叫应中 {self.ringing} / to call, dialled, answered, unanswered, ringing"
        )


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(drill)


def drill(
    warning: Annotated[str, typer.Argument(help="灾种和颜色，如 暴雨红 / hazard and colour")],
    township: Annotated[str, typer.Option(help="只演练这一个乡镇 / the one township")],
    by: Annotated[str, typer.Option("--by", help="谁组织 / who holds it")],
    minutes: Annotated[int, typer.Option(min=1, max=120, help="最多看几分钟 / minutes to watch")] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
    leave_open: Annotated[bool, typer.Option("--leave-open", help="结束时不发演练结束 / do not end it")] = False,
) -> None:
    """一个乡镇的演练：每个电话先说【演练】，看到结束，给出小结 / a drill of one township, with a summary."""
    chosen = settings()
    clock = chosen.clock()
    now = clock.now()
    facts = load_facts(chosen, now)
    hazard_key, colour = parse_warning(warning, facts.book)
    code = township_code(township, facts.county)
    name = facts.county.regions[code].name
    told = rehearse(facts, hazard_key, colour, now, chosen.call_pace_per_s, (code,))
    console().print(
        f"【演练】{name} {facts.book.hazard(hazard_key).name}{colour.chinese}：电话 {told.calls_least} 至 "
        f"{told.calls_most} 个，第一轮约 {told.first_round_s / 60:.1f} 分钟 / calls, minutes",
        highlight=False,
    )
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        _check_quiet(ledger)
        if not yes and not typer.confirm("真的电话会响（试运行时只响模拟的）。开始？ / begin?"):
            raise typer.Abort
        document = exercise(facts.county, facts.book.hazard(hazard_key), colour, code, clock.now())
        _hand_in(chosen, document)
        seen = look_until(
            ledger,
            lambda step: progress(step, document.identifier),
            _is_over,
            minutes * 60 / clock.speed,
            _tell,
            tell_every_s=TELL_EVERY_S,
        )
        if not seen.posts:
            _fail("没有开始：服务在运行吗？（jiaoying up） / it did not begin: is the service up?")
        if not leave_open:
            _end(chosen, seen.chain_id, by)
        _sum_up(ledger, facts, chosen, document.sent, clock.now(), name)
    finally:
        ledger.close()


def exercise(county: County, hazard: Hazard, colour: Colour, township: str, at: datetime) -> Document:
    """Return the warning of a drill: an exercise of the county's own, for one township, valid for two hours."""
    name = county.regions[township].name
    return Document(
        identifier=f"{county.code}00_{at.astimezone(county.zone):%Y%m%d%H%M%S}",
        issuer=f"{county.name}应急演练",
        sent=at.replace(microsecond=0),
        hazard=hazard,
        colour=colour,
        text=f"{name}{hazard.name}{colour.chinese}预警叫应演练，不是真实预警。",
        geocodes=(township,),
        area_names=(name,),
        expires_at=at.replace(microsecond=0) + VALID_FOR,
        status=Status.EXERCISE,
    )


def progress(step: FullStep, identifier: str) -> Progress:
    """Look how far the drill of a document is."""
    alias = make_id(EXERCISE_REALM, "alias", identifier)
    known = step.load(ALIASES, [alias]).get(alias)
    if known is None:
        return Progress()
    rows = step.find(CALLOUTS, Where("chain_id", "=", known.chain_id), limit=100_000)
    called = [row for row in rows if row.mode is Mode.CALL]
    return Progress(
        chain_id=known.chain_id,
        posts=len(called),
        dialled=sum(row.contacted for row in called),
        ringing=sum(row.state in OPEN for row in called),
        answered=sum(row.state in ANSWERED for row in called),
        unanswered=sum(row.state in UNANSWERED for row in called),
    )


def _check_quiet(ledger: SqlLedger) -> None:
    """Refuse a drill while somebody is rung for something real, or another drill is not over."""

    def look(step: FullStep) -> tuple[bool, str]:
        ringing = step.find(CALLOUTS, Where("state", "in", RINGING), Where("realm", "=", REAL), limit=1)
        in_force = Where("state", "in", (ChainState.OPEN, ChainState.GATED))
        drills = step.find(CHAINS, Where("realm", "=", EXERCISE_REALM), in_force, limit=1)
        return bool(ringing), drills[0].id if drills else ""

    real, other = ledger.step(look)
    if real:
        _fail("正在真的叫应，不能演练 / something real is being called for: no drill now")
    if other:
        _fail(f"还有一次演练没有结束：jiaoying cancel '{other}' --by 谁 / another drill is not over")


def _hand_in(chosen: Settings, document: Document) -> None:
    answer = post(chosen, "/v1/warnings", content=write_cap(document), media_type="application/cap+xml")
    if not answer.is_success:
        _fail(f"网关没有收下：{_detail(answer)} / the gateway refused it")


def _end(chosen: Settings, chain_id: str, by: str) -> None:
    """Say that it is over to everybody who was reached, and stop what still waits."""
    answer = post(chosen, "/v1/orders/cancel", body={"chain_id": chain_id, "by": by, "text": "演练结束"})
    if not answer.is_success:
        console().print(f"· 演练结束没有发出：{_detail(answer)} / the end was not told", highlight=False)


def _sum_up(ledger: SqlLedger, facts: Facts, chosen: Settings, from_at: datetime, until: datetime, name: str) -> None:
    summary = ledger.step(lambda step: summarise(step, facts, from_at=from_at, until_at=until, realm=EXERCISE_REALM))
    tables.print_summary(console(), summary, title=f"【演练】{name}", about="", language=chosen.language)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail"))
    except ValueError:
        return answer.text[:200]


def _is_over(seen: Progress) -> bool:
    return seen.is_over


def _tell(seen: Progress) -> None:
    console().print(f"· {seen.said()}", highlight=False)


def _fail(sentence: str) -> NoReturn:
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(1)
