"""`jiaoying county try-call`: one call to one named person and nobody else, marked 【测试】, before anything real.

Placed the way every call is: by a running service, through its carriers, to an approved number. It says in one sentence
what came of it, and never touches a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NoReturn

import typer

from agents.callout.state import CALLOUTS, Callout, CalloutState
from agents.dial.approvals import APPROVALS
from agents.dial.state import ATTEMPTS, Attempt
from agents.facts import Facts
from agents.phones.calls import TRY_REALM, TRYING, OneCall, open_call, post_for, trying_words
from agents.plan.state import ROUNDS
from config.load import load_rules
from rosters.arrange import find_person
from rosters.model import Person
from rosters.numbers import mask, number_digest
from streams.cli.roster_office import Office, office
from streams.cli.screen import console, error_console
from streams.cli.watching import look_until
from streams.ids import make_id
from streams.installation import number_key
from streams.ledger.contract import Draft, FullStep, Where
from streams.words import Outcome

WITHIN_S = 150
WHY_NOT = {
    "number_not_approved": "号码没有批准真打：jiaoying live approve / the number is not approved",
    "no_phone": "名册里没有电话 / no phone on file",
    "post_gone": "岗位已不在值班表中 / the post is gone",
}
ENDED = {
    Outcome.CONFIRMED: "接听，听完，按 1：通了 / answered, heard to the end, key 1",
    Outcome.FETCHING: "接听，听完，按 2（代接）/ answered, heard, key 2",
    Outcome.CANNOT: "接听，听完，按 0 / answered, heard, key 0",
    Outcome.HEARD_NO_KEY: "接听，听完，没有按键 / heard to the end, no key",
    Outcome.HUNG_UP_EARLY: "接听，没听完就挂了 / hung up before the end",
    Outcome.NO_ANSWER: "响了，没人接 / no answer",
    Outcome.BUSY: "占线 / busy",
    Outcome.VOICEMAIL: "进了语音信箱 / voicemail",
    Outcome.SWITCHED_OFF: "关机 / switched off",
    Outcome.NO_COVERAGE: "无信号 / no coverage",
    Outcome.WRONG_NUMBER: "号码不对 / wrong number",
    Outcome.BARRED: "线路不准拨这个号码 / barred",
}


@dataclass(frozen=True)
class Tried:
    """How the call stands: its callout once there is one, what was dialled, and why nobody could be."""

    callout: Callout | None
    attempts: tuple[Attempt, ...]
    because: str = ""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes by itself."""
        return self.callout is not None and not self.callout.is_open

    @property
    def got_through(self) -> bool:
        """Tell whether key 1 was pressed after the whole message."""
        return self.callout is not None and self.callout.state is CalloutState.CONFIRMED


def add_to(app: typer.Typer) -> None:
    """Add the command to `jiaoying county`."""
    app.command(name="try-call")(try_call)


def try_call(
    person: Annotated[str, typer.Argument(help="姓名或编号，先写自己 / name or id; yourself first")],
    by: Annotated[str, typer.Option("--by", help="谁操作 / who does it")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="等结果 / wait for what comes of it")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
) -> None:
    """试打一个电话：只打给这一个人，开头说【测试】/ one test call to one person; exit status 0 = key 1 was pressed."""
    with office() as desk:
        whose = find_person(desk.county, person)
        _check_may_ring(desk, whose)
        shown = "、".join(mask(phone.number) for phone in whose.phones)
        console().print(f"只打给 {whose.name}（{whose.id}） {shown}，一次 / one call", highlight=False)
        if not yes and not typer.confirm("现在打？ / call now?"):
            raise typer.Abort
        rules = load_rules(desk.chosen.rules_folder, preset=desk.chosen.preset, language=desk.chosen.language)
        callout_id = desk.do(lambda step: place(step, Facts(desk.county, rules), whose, by, desk.clock.now()))
        console().print(f"已交办 {callout_id} / asked for", highlight=False)
        if not wait:
            return
        told: list[tuple[str, ...]] = []
        seen = look_until(
            desk.ledger, lambda step: tried(step, callout_id), _is_over, WITHIN_S, lambda now: _tell(now, told)
        )
    if not seen.is_over:
        _fail("还没有结果：服务在运行吗？（jiaoying up） / nothing came of it yet: is the service up?")
    raise typer.Exit(0 if seen.got_through else 1)


def place(step: FullStep, facts: Facts, person: Person, by: str, now: datetime) -> str:
    """Ask for one call to one person; return the id of its callout."""
    cause = make_id(TRY_REALM, "trial", person.id, now.isoformat())
    one = OneCall(
        realm=TRY_REALM,
        what=TRYING,
        cause=cause,
        person_id=person.id,
        post_id=post_for(facts.county, person.id),
        words=trying_words(person.name, facts),
    )
    row, letter, callout_id = open_call(one, now, facts)
    step.save(ROUNDS, [row])
    step.write([letter])
    noted = {"person": person.id, "callout": callout_id}
    step.append([Draft(subject=cause, what="tried", why="asked", by=by, at=now, facts=noted)])
    return callout_id


def tried(step: FullStep, callout_id: str) -> Tried:
    """Look at what became of it."""
    callout = step.load(CALLOUTS, [callout_id]).get(callout_id)
    if callout is None:
        return Tried(None, ())
    rows = step.find(ATTEMPTS, Where("dialled_at", ">=", callout.opened_at), Where("realm", "=", TRY_REALM), limit=100)
    nobody = [entry.facts["because"] for entry in step.entries(callout_id) if entry.what == "nobody_held"]
    mine = tuple(row for row in rows if callout_id in row.callouts)
    return Tried(callout, mine, str(nobody[-1]) if nobody else "")


def said(seen: Tried) -> tuple[str, ...]:
    """Say how it stands, a line for each call."""
    if seen.callout is None:
        return ("等待服务接手 / waiting for the service",)
    if seen.because:
        return (WHY_NOT.get(seen.because, seen.because),)
    if not seen.attempts:
        return ("等待拨出 / waiting to be dialled",)
    return tuple(f"{one.masked}（{one.carrier}）：{_ended(one)}" for one in seen.attempts)


def _ended(one: Attempt) -> str:
    if one.outcome is None:
        return "已接通，正在播报 / answered" if one.answered_at else "正在拨 / ringing"
    return ENDED.get(one.outcome, f"没有打通（{one.outcome} {one.vendor_code}）/ not reached")


def _is_over(seen: Tried) -> bool:
    return seen.is_over


def _tell(seen: Tried, told: list[tuple[str, ...]]) -> None:
    """Print what is said, unless it was said just now."""
    lines = said(seen)
    if [lines] != told[-1:]:
        told.append(lines)
        for line in lines:
            console().print(f"· {line}", highlight=False)


def _check_may_ring(desk: Office, person: Person) -> None:
    """Say at once what would keep the call from ringing, instead of letting somebody wait for it."""
    real = [phone.number for phone in person.phones if not phone.number.startswith("sim:")]
    if not person.phones:
        _fail(f"{person.name} 没有电话 / no phone on file")
    if len(real) < len(person.phones):
        return
    if desk.chosen.rehearsal:
        _fail("还在试运行，真实号码不拨：要设 JIAOYING_REHEARSAL=false / rehearsal: real numbers are not dialled")
    keys = [number_digest(number, number_key(desk.chosen)) for number in real]
    approved = desk.do(
        lambda step: step.find(APPROVALS, Where("number_key", "in", keys), Where("revoked_at", "is null"), limit=10)
    )
    if not approved:
        _fail("号码没有批准真打，先写进文件再 jiaoying live approve / the number is not approved for real calls")


def _fail(sentence: str) -> NoReturn:
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(1)
