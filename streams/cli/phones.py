"""`jiaoying phone`: verify numbers by a code, take the code that was told, show what is verified, take it back.

Written straight into the ledger; a running service dials as it dials everything. No number is ever shown in clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, NoReturn

import typer
from rich.table import Table as Sheet

from agents.phones.record import ask, check_hour, enter_code, known_phones, with_verified, withdraw
from agents.phones.state import VERIFICATIONS, Verification, VerificationState
from config.settings import Settings
from rosters.arrange import find_person
from rosters.county import County
from rosters.model import Person, Phone
from rosters.numbers import mask, number_digest
from streams.cli.roster_office import Office, has_ledger, office
from streams.cli.screen import console, error_console
from streams.cli.watching import look_until
from streams.installation import number_key, prepare
from streams.ledger.contract import FullStep
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES
from streams.words import Channel

app = typer.Typer(no_args_is_help=True)
WITHIN_S = 150
Who = Annotated[str, typer.Argument(help="姓名或编号 / name or id")]
Nth = Annotated[int, typer.Option(min=1, help="此人的第几个号码 / which of their numbers")]
By = Annotated[str, typer.Option("--by", help="谁操作 / who does it")]


@app.command()
def verify(
    by: By,
    people: Annotated[list[str] | None, typer.Argument(help="姓名或编号，可多个 / names or ids")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="这个单位在岗的人 / everybody who stands for this unit")
    ] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="全县未核实的 / all that is not verified")] = False,
    nth: Annotated[int, typer.Option(min=0, help="只要第几个号码，0 = 全部 / only the nth number; 0 = all")] = 0,
    by_text: Annotated[bool, typer.Option("--text", help="发短信，不打电话 / by text, not by call")] = False,
    at_night: Annotated[bool, typer.Option("--at-night", help="夜里也打 / also at night")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="等结果 / wait for what comes of it")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
) -> None:
    """核实号码：报一个核实码，听完按 1、短信回复或报回核实码才算 / verify numbers by a code that has to come back."""
    channel = Channel.TEXT if by_text else Channel.VOICE
    with office() as desk:
        secret = number_key(desk.chosen)
        asked = _asked(desk.county, people or (), unit or (), everyone=everyone)
        phones = _phones(desk, asked, nth, channel, secret, named=bool(people))
        if not phones:
            console().print("没有要核实的号码 / nothing to verify")
            return
        if not (at_night or by_text):
            check_hour(desk.now.astimezone(desk.county.zone))
        for person, phone in phones:
            console().print(f"· {person.name}（{person.id}） {mask(phone.number)}", highlight=False)
        way = "发短信" if by_text else "打电话"
        if not yes and not typer.confirm(f"给以上 {len(phones)} 个号码{way}核实？ / go on?"):
            raise typer.Abort
        rows = [_ask(desk, one, channel, by, secret) for one in phones]
        console().print(f"已交办 {len(rows)} 个 / asked for", highlight=False)
        if wait:
            _wait(desk, rows)


@app.command()
def enter(
    person: Who, code: Annotated[str, typer.Argument(help="本人报来的核实码 / the code they told")], by: By
) -> None:
    """登记本人报来的核实码；没有在那个号码上听完或送达的不算 / take the code that somebody heard at their number."""
    with office() as desk:
        whose = find_person(desk.county, person)
        secret, now = number_key(desk.chosen), desk.clock.now()
        row = desk.do(lambda step: enter_code(step, whose.id, code, by=by, now=now, secret=secret))
    if row.state is not VerificationState.VERIFIED:
        left = "" if row.state is VerificationState.ASKED else "，次数已用完，请重新核实"
        _fail(f"核实码不对{left} / not the code")
    console().print(f"{row.name} {row.masked}：已核实 / verified", highlight=False)


@app.command()
def show(
    unverified: Annotated[bool, typer.Option("--unverified", help="只看未核实的 / only what is not")] = False,
) -> None:
    """各号码是否核实、何时、怎样、谁办的 / which numbers are verified, when, how and by whom."""
    sheet = Sheet("人员", "号码", "核实", "怎样", "经办")
    with office() as desk:
        secret, zone = number_key(desk.chosen), desk.county.zone
        known = desk.do(known_phones)
        failed = {row.number_key: row for row in desk.do(_asked_lately) if row.state is not VerificationState.VERIFIED}
        total = done = 0
        for person, phone in _all_phones(desk.county):
            key = number_digest(phone.number, secret)
            row, last = known.get((key, person.name)), failed.get(key)
            total, done = total + 1, done + (row is not None)
            if row is not None and not unverified:
                when = f"{row.verified_at.astimezone(zone):%Y-%m-%d %H:%M}"
                sheet.add_row(f"{person.name}（{person.id}）", mask(phone.number), when, row.how.chinese, row.by)
            elif row is None:
                why = last.standing if last else ""
                sheet.add_row(f"{person.name}（{person.id}）", mask(phone.number), "未核实", why, "")
    if sheet.row_count:
        console().print(sheet)
    console().print(f"在岗人员的号码 {total} 个，已核实 {done} 个（模拟号码不计） / numbers, verified", highlight=False)


@app.command(name="withdraw")
def take_back(person: Who, by: By, why: Annotated[str, typer.Option(help="原因 / the reason")], nth: Nth = 1) -> None:
    """撤销核实：号码停用了，或换了人 / take back that a number is verified."""
    with office() as desk:
        whose = find_person(desk.county, person)
        if nth > len(whose.phones):
            _fail(f"{whose.name} 没有第 {nth} 个号码 / no such number")
        phone, secret, now = whose.phones[nth - 1], number_key(desk.chosen), desk.clock.now()
        desk.do(lambda step: withdraw(step, whose, phone, by=by, why=why, now=now, secret=secret))
    console().print(f"{whose.name} {mask(phone.number)}：已撤销 / withdrawn", highlight=False)


def _asked(county: County, people: Sequence[str], units: Sequence[str], *, everyone: bool) -> list[Person]:
    unknown = [one for one in units if one not in county.units]
    if unknown:
        raise typer.BadParameter(f"没有单位 {unknown[0]} / no such unit")
    if not (people or units or everyone):
        raise typer.BadParameter("请写姓名，或 --unit，或 --everyone / say whose: names, --unit or --everyone")
    found = [find_person(county, name) for name in people]
    for person in county.people.values():
        stands = [county.posts[post].unit for post in county.posts_of_person(person.id)]
        if (everyone and stands) or set(units) & set(stands):
            found.append(person)
    return list({person.id: person for person in found}.values())


def _phones(
    desk: Office, people: Iterable[Person], nth: int, channel: Channel, secret: bytes, *, named: bool
) -> list[tuple[Person, Phone]]:
    """Return which numbers are asked: the nth of each, or all; whoever was named is asked again, the others not."""
    known = desk.do(known_phones)
    chosen = []
    for person in people:
        for n, phone in enumerate(person.phones, start=1):
            fits = (nth in (0, n)) and (channel is Channel.VOICE or phone.kind == "mobile")
            done = (number_digest(phone.number, secret), person.name) in known or phone.number.startswith("sim:")
            if fits and (named or not done):
                chosen.append((person, phone))
    return chosen


def _ask(desk: Office, one: tuple[Person, Phone], channel: Channel, by: str, secret: bytes) -> Verification:
    person, phone = one
    work = partial(_ask_in, desk.county, person, phone, channel, by, desk.clock.now(), secret)
    return desk.do(work)


def _ask_in(
    county: County,
    person: Person,
    phone: Phone,
    channel: Channel,
    by: str,
    now: datetime,
    secret: bytes,
    step: FullStep,
) -> Verification:
    return ask(step, county, person, phone, channel=channel, by=by, now=now, secret=secret)


def _wait(desk: Office, rows: Sequence[Verification]) -> None:
    """Show what becomes of them, until nothing more comes by itself."""
    ids = [row.id for row in rows]

    def look(step: FullStep) -> dict[str, str]:
        return {row.id: row.standing for row in step.load(VERIFICATIONS, ids).values()}

    told: dict[str, str] = {}

    def tell(seen: dict[str, str]) -> None:
        for row in rows:
            if seen.get(row.id) != told.get(row.id):
                console().print(f"{row.name} {row.masked}：{seen.get(row.id)}", highlight=False)
        told.update(seen)

    def is_over(seen: dict[str, str]) -> bool:
        return not any(word in said for said in seen.values() for word in ("等待", "正在拨"))

    seen = look_until(desk.ledger, look, is_over, WITHIN_S, tell)
    if any("等待" in said for said in seen.values()):
        console().print("还在等待：服务在运行吗？（jiaoying up） / still waiting: is the service up?")
    if any("等核实码" in said for said in seen.values()):
        console().print("对方报来后：jiaoying phone enter 姓名 核实码 --by 谁 / then enter the code they tell")


def _asked_lately(step: FullStep) -> list[Verification]:
    return step.find(VERIFICATIONS, order=("asked_at",), limit=100_000)


def _all_phones(county: County) -> Iterable[tuple[Person, Phone]]:
    for person in county.people.values():
        if county.stands(person.id):
            yield from ((person, phone) for phone in person.phones if not phone.number.startswith("sim:"))


def verified_county(chosen: Settings, county: County) -> County:
    """Return a county with its verified phones marked; as it is where there is no ledger yet."""
    if not has_ledger(chosen):
        return county
    prepare(chosen)
    ledger = SqlLedger(chosen.ledger, TABLES)
    try:
        return ledger.step(lambda step: with_verified(step, county, number_key(chosen)))
    finally:
        ledger.close()


def _fail(sentence: str) -> NoReturn:
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(1)
