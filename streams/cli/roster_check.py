"""`jiaoying roster`: is the roster sound, what does it say, and who held a post at a time as it was known then."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table as Sheet

from agents.callout.numbers import wrong_numbers
from agents.duty.publishing import who_was
from config.settings import Settings
from rosters.county import County
from rosters.findings import Finding, Severity, blocking, score, told
from rosters.load import load_county
from rosters.numbers import mask
from rosters.past import Answer, Because
from rosters.quality import examine, readiness
from streams.cli.roster_office import (
    At,
    Days,
    Json,
    Office,
    Post,
    When,
    duty_year,
    fail,
    has_ledger,
    local,
    office,
    with_changes,
)
from streams.cli.screen import console, settings


def add_to(app: typer.Typer) -> None:
    """Add the commands to `jiaoying roster`."""
    app.command()(check)
    app.command()(ready)
    app.command()(show)
    app.command()(who)


def check(
    days: Days = 14,
    at: At = None,
    strict: Annotated[bool, typer.Option("--strict", help="有“请核对”的也退出 1 / exit 1 on warnings too")] = False,
    as_json: Json = False,
) -> None:
    """检查值班表（含变更），逐条说明并打分；退出 0 = 可以发布，1 = 有不予发布的问题 / check it; exit 1 = it blocks."""
    chosen = settings()
    year = duty_year(chosen)
    now = chosen.clock().now()
    county = with_changes(chosen, load_county(chosen.county_folder, around=now), now)
    start = local(at, county) if at else now
    found = examine(county, start, start + timedelta(days=days), year=year)
    blocked = blocking(found)
    warned = any(one.flaw.severity.value == "warns" for one in found)
    wrong = _numbers_to_correct(chosen, county)
    if as_json:
        typer.echo(_json(county, start, days, found, wrong))
    else:
        for line in wrong:
            console().print(f"· [{Severity.WARNS.chinese}] {line}", highlight=False, markup=False)
        for one in found:
            console().print(
                f"· [{one.flaw.severity.chinese}] {told(one, county, chosen.language)}", highlight=False, markup=False
            )
        for line in score(found).explained(chosen.language):
            console().print(line, highlight=False)
        if not (found or wrong):
            console().print(f"今后 {days} 天没有问题 / nothing found")
    if blocked or (strict and (warned or wrong)):
        raise typer.Exit(1)


def ready(days: Days = 14, at: At = None) -> None:
    """今后两周就绪摘要：一切正常则什么也不说 / readiness of the coming days; says nothing when all is well."""
    chosen = settings()
    year = duty_year(chosen)
    now = chosen.clock().now()
    county = with_changes(chosen, load_county(chosen.county_folder, around=now), now)
    lines = readiness(county, local(at, county) if at else now, days, chosen.language, year)
    for line in lines:
        console().print(f"· {line}", highlight=False)
    if lines:
        raise typer.Exit(1)


def show(
    days: Days = 7,
    at: At = None,
    unit: Annotated[list[str] | None, typer.Option(help="只看这些单位 / only these units")] = None,
) -> None:
    """看值班表：谁在什么时候值守，连同变更 / show the roster with its changes."""
    chosen = settings()
    now = chosen.clock().now()
    county = with_changes(chosen, load_county(chosen.county_folder, around=now), now)
    unknown = [one for one in unit or () if one not in county.units]
    if unknown:
        raise typer.BadParameter(f"没有单位 {unknown[0]} / no such unit")
    start = local(at, county) if at else now
    sheet = Sheet("岗位", "起", "止", "值守", "B角", "依据")
    for post in county.posts.values():
        if post.on_shift and (not unit or post.unit in unit):
            for row in _rows(county, post.id, start, start + timedelta(days=days)):
                sheet.add_row(post.name, *row)
    console().print(sheet)


def who(
    post: Post,
    at: At = None,
    known_at: Annotated[
        When, typer.Option("--as-known-at", help="按当时已发布、已登记的回答 / as it was published and known then")
    ] = None,
    as_json: Json = False,
) -> None:
    """某岗某时由谁值守和依据；过去按当时发布的回答；退出 1 = 无人 / who holds a post, and why; exit 1 = nobody."""
    chosen = settings()
    if has_ledger(chosen):
        with office() as desk:
            answer, county = _asked(desk, post, at, known_at), desk.county
    else:
        if known_at is not None:
            fail("还没有发布过值班表，不知道当时的情况 / nothing was published yet, so nothing is known of then")
        now = chosen.clock().now()
        county = load_county(chosen.county_folder, around=now)
        answer = _now(county, post, local(at, county) if at else now)
    if answer.because is Because.NO_SUCH_POST:
        raise typer.BadParameter(f"没有岗位 {post} / no such post")
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        console().print(_said(answer, county), highlight=False)
    if not answer.person:
        raise typer.Exit(1)


def _asked(desk: Office, post: str, at: datetime | None, known_at: datetime | None) -> Answer:
    """Answer from what was published; from the files as they are only where nothing published speaks of that time."""
    moment = desk.local(at) if at else desk.now
    known = desk.local(known_at) if known_at else desk.now
    answer = desk.do(lambda step: who_was(step, post, moment, known))
    if answer is not None:
        return answer
    if known_at is not None:
        fail("那时还没有发布过说到这个时间的值班表 / no roster published by then speaks of that time")
    return _now(desk.county, post, moment)


def _now(county: County, post: str, at: datetime) -> Answer:
    if post not in county.posts:
        return Answer(post=post, at=at, because=Because.NO_SUCH_POST)
    held, shift = county.who(post, at), county.shift(post, at)
    if held is not None:
        return Answer(post=post, at=at, because=Because(held.why), person=held.person.id, name=held.person.name)
    away = shift.person if shift else ""
    return Answer(post=post, at=at, because=Because.ON_LEAVE if away else Because.NOBODY, away=away)


def _said(answer: Answer, county: County) -> str:
    person = county.people.get(answer.person)
    phones = "、".join(mask(phone.number) for phone in person.phones) if person else ""
    source = f"第{answer.version}版" if answer.version else "未发布，按现有文件"
    who_said = f"{answer.name}（{answer.person}）" if answer.person else "无人值守 / nobody"
    away = f" {county.people[answer.away].name}" if answer.away in county.people else ""
    when = f"{answer.at.astimezone(county.zone):%Y-%m-%d %H:%M}"
    return f"{answer.post} {when}：{who_said} · {answer.because.chinese} {answer.because}{away} · {source} {phones}"


def _rows(county: County, post: str, starts_at: datetime, ends_at: datetime) -> list[tuple[str, str, str, str, str]]:
    rows: list[tuple[str, str, str, str, str]] = []
    moment = starts_at
    while moment < ends_at:
        until = min(county.next_change((post,), moment) or ends_at, ends_at)
        held, beside = county.who(post, moment), county.who(post, moment, "deputy")
        names = (held.person.name if held else "无人", beside.person.name if beside else "—")
        why = Because(held.why).chinese if held else Because.NOBODY.chinese
        span = [f"{bound.astimezone(county.zone):%m-%d %H:%M}" for bound in (moment, until)]
        if rows and rows[-1][2:] == (*names, why):
            rows[-1] = (rows[-1][0], span[1], *names, why)
        else:
            rows.append((span[0], span[1], *names, why))
        moment = until
    return rows


def _numbers_to_correct(chosen: Settings, county: County) -> list[str]:
    """Return what calls found out about numbers that still stand in the roster: 空号, 停机, not to be dialled."""
    if not has_ledger(chosen):
        return []
    with office() as desk:
        return [item.text for item in desk.do(lambda step: wrong_numbers(step, county))]


def _json(county: County, start: datetime, days: int, found: tuple[Finding, ...], wrong: list[str]) -> str:
    whole = score(found)
    body = {
        "county": county.code,
        "version": county.version,
        "from": start.isoformat(),
        "until": (start + timedelta(days=days)).isoformat(),
        "publishable": not blocking(found),
        "score": whole.points,
        "costs": [{"flaw": flaw, "count": count, "points": points} for flaw, count, points in whole.costs],
        "numbers_to_correct": wrong,
        "findings": [
            {
                "flaw": one.flaw,
                "severity": one.flaw.severity,
                "posts": one.posts,
                "people": one.people,
                "from": one.starts_at.astimezone(county.zone).isoformat() if one.starts_at else None,
                "until": one.ends_at.astimezone(county.zone).isoformat() if one.ends_at else None,
                "said": told(one, county),
            }
            for one in found
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=2)
