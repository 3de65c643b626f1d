"""`jiaoying county`: a new county's workbook, its check, its folder, and what a warning would set going in it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from agents.facts import Facts
from agents.plan.rehearse import Line, Rehearsal, rehearse
from config.kinds import LEVELS
from config.load import load_rules
from config.rules import RuleBook
from config.settings import Settings
from rosters.county import County
from rosters.findings import score
from rosters.io.cells import Compiled
from rosters.io.compile import compile_workbook, write_folder
from rosters.io.grid import read_bytes
from rosters.io.report import RosterFileError
from rosters.io.workbook import new_workbook
from rosters.load import load_county
from rosters.numbers import mask
from rosters.quality import examine, readiness
from streams.cli.county_try import add_to as add_try_call
from streams.cli.phones import verified_county
from streams.cli.screen import console, error_console, settings
from streams.letters import Mode
from streams.words import Colour, Level

app = typer.Typer(no_args_is_help=True)
add_try_call(app)
At = Annotated[datetime | None, typer.Option(help="县里的时间，如 2021-07-19T22:00 / local time")]
_COLOURS = {"蓝": Colour.BLUE, "黄": Colour.YELLOW, "橙": Colour.ORANGE, "红": Colour.RED}
_MODES = {
    Mode.CALL: ("无人", "nobody"),
    Mode.MESSAGE: ("只发短信", "text only"),
    Mode.HOLD: ("留到汇总", "held for the digest"),
}


@app.command()
def new(
    code: Annotated[str, typer.Argument(help="县的 6 或 12 位区划代码 / code of the county")],
    name: Annotated[str, typer.Option(help="县名 / its name")] = "",
    to: Annotated[Path | None, typer.Option(help="写到哪个文件 / file to write")] = None,
) -> None:
    """新县一个工作簿：单位岗位、人员、值班表、点位、上门人员 / the workbook a new county fills in."""
    if not code.isdecimal() or len(code) not in {6, 12} or code[6:].strip("0"):
        raise typer.BadParameter(f"{code} 不是县的代码：应为 6 位，或 6 位加 6 个 0 / 6 digits, or those and six zeros")
    file = to or Path(f"{code[:6]}.xlsx")
    if file.exists():
        _fail(f"{file} 已经存在，没有覆盖；换个名字用 --to / it exists and was left alone: name another with --to")
    try:
        file.write_bytes(new_workbook(code.ljust(12, "0"), name))
    except OSError as error:
        _fail(f"写不了 {file}：{error.strerror} / cannot write it")
    console().print(f"已写好 {file}。填好后：jiaoying county check {file} / fill it in, then check it", highlight=False)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="县文件夹，或填好的工作簿 / a county folder or workbook")],
    days: Annotated[int, typer.Option(min=1, max=60, help="查今后几天 / days ahead")] = 14,
    at: At = None,
) -> None:
    """检查一个县：逐格、逐行指出要改的，再看今后几天能不能叫得到人 / check a county; exit status 1 = faults."""
    chosen = settings()
    now = chosen.clock().now()
    if path.is_dir():
        county = verified_county(chosen, load_county(path, around=now))
        _tell_quality(county, _moment(at, now, county), days, chosen)
        return
    made = _compiled(path, now.date(), chosen)
    if made.county is None:
        console().print(f"{path}：{len(made.refused)} 处要改 / cells to correct", highlight=False)
        raise typer.Exit(1)
    _tell_quality(made.county, _moment(at, now, made.county), days, chosen)
    console().print(f"工作簿没有错误。生成县文件夹：jiaoying county build {path} 文件夹 / sound", highlight=False)


@app.command()
def build(
    workbook: Annotated[Path, typer.Argument(help="填好的工作簿 / the filled-in workbook")],
    folder: Annotated[Path, typer.Argument(help="写到哪个空文件夹 / an empty folder to write")],
) -> None:
    """从工作簿生成县文件夹 / make the county folder of a workbook."""
    chosen = settings()
    made = _compiled(workbook, chosen.clock().now().date(), chosen)
    if made.refused:
        _fail(f"{len(made.refused)} 处要改，没有生成 / cells to correct: nothing was written")
    try:
        write_folder(made.files, folder)
    except RosterFileError as error:
        _fail(str(error))
    console().print(f"已写好 {folder}：{'、'.join(sorted(made.files))} / written", highlight=False)


@app.command("rehearse")
def rehearse_command(
    warning: Annotated[str, typer.Argument(help="灾种和颜色，如 暴雨红 / hazard and colour")],
    township: Annotated[list[str] | None, typer.Option(help="预警点名的乡镇，可写几次 / a township it names")] = None,
    at: At = None,
    pace: Annotated[float | None, typer.Option(min=0.01, help="每秒拨出几个 / calls a second")] = None,
    price: Annotated[float, typer.Option(min=0, help="每个电话多少元 / price of a call")] = 0.0,
    text_price: Annotated[float, typer.Option(min=0, help="每条短信多少元 / price of a text")] = 0.0,
    each: Annotated[bool, typer.Option("--each", help="逐个列出 / list every post")] = False,
) -> None:
    """不拨号地预演：谁、什么时候、几个电话、几分钟、多少钱 / who would be called when, at what cost; dials nothing."""
    chosen = settings()
    now = chosen.clock().now()
    county = load_county(chosen.county_folder, around=now)
    book = load_rules(chosen.rules_folder, preset=chosen.preset, language=chosen.language)
    hazard, colour = parse_warning(warning, book)
    named = tuple(township_code(name, county) for name in township or ())
    moment = _moment(at, now, county)
    per_s = pace or chosen.call_pace_per_s
    told = rehearse(Facts(county, book), hazard, colour, moment, per_s, named)
    zh = chosen.language == "zh"
    if not told.lines:
        console().print("规则没有为它叫任何人 / the rules call nobody for it")
        return
    if each:
        _tell_each(told, county, moment, zh)
    _tell_sums(told, per_s, zh)
    for line in _money(told, price, text_price, zh):
        console().print(line, highlight=False)
    for post in told.nobody:
        console().print(f"· 叫不到人：{post.name}（{post.id}）" if zh else f"· nobody: {post.id}", highlight=False)


def parse_warning(written: str, book: RuleBook) -> tuple[str, Colour]:
    """Return the hazard's key and the colour of 暴雨红, 暴雨红色, or rainstorm red.

    Raises:
        typer.BadParameter: It names none of the book's hazards, or no colour.
    """
    text = written.replace("预警", "").replace("色", "").strip()
    words: dict[str, Colour] = _COLOURS | {colour.value: colour for colour in Colour}
    ending = next((word for word in words if text.lower().endswith(word)), None)
    name = text[: -len(ending)].strip() if ending else text
    for hazard in book.hazards:
        if ending and name and name in {hazard.key, hazard.name, *hazard.words}:
            return hazard.key, words[ending]
    known = "、".join(hazard.name for hazard in book.hazards)
    raise typer.BadParameter(f"“{written}”应写成 暴雨红：灾种（{known}）加 蓝黄橙红 / hazard and colour, rainstorm red")


def township_code(name: str, county: County) -> str:
    """Return the code of a township by its name or code.

    Raises:
        typer.BadParameter: The county has none of that name; the message lists those it has.
    """
    for region in county.regions.values():
        if region.level is Level.TOWNSHIP and name in {region.name, region.code}:
            return region.code
    known = "、".join(region.name for region in county.regions.values() if region.level is Level.TOWNSHIP)
    raise typer.BadParameter(f"没有乡镇“{name}”，有：{known} / no such township")


def _compiled(workbook: Path, near: date, chosen: Settings) -> Compiled:
    """Read a workbook and tell every remark; a file that is none ends the command."""
    try:
        made = compile_workbook(read_bytes(workbook), near)
    except RosterFileError as error:
        _fail(str(error))
    for remark in (*made.refused, *made.notes):
        console().print(f"· {remark.said(chosen.language)}", highlight=False)
    return made


def _tell_quality(county: County, start: datetime, days: int, chosen: Settings) -> None:
    zh = chosen.language == "zh"
    counts = Counter(post.level for post in county.posts.values())
    spread = "、".join(f"{LEVELS[level].said(chosen.language)} {counts[level]}" for level in Level)
    posts = f"{county.name}：岗位 {len(county.posts)}（{spread}），人员 {len(county.people)}"
    console().print(posts if zh else f"{county.name}: {len(county.posts)} posts ({spread})", highlight=False)
    if not county.posts:
        _fail("还没有岗位：先填“单位岗位”和“人员” / no posts yet: fill in the sheets of posts and people first")
    found = examine(county, start, start + timedelta(days=days))
    for line in score(found).explained(chosen.language):
        console().print(line, highlight=False)
    for line in readiness(county, start, days, chosen.language):
        console().print(f"· {line}", highlight=False)


def _tell_each(told: Rehearsal, county: County, at: datetime, zh: bool) -> None:
    table = Table("时间", "级别", "岗位", "人", "电话") if zh else Table("time", "level", "post", "person", "phone")
    for line in told.lines:
        table.add_row(
            _when(line, at, county, zh),
            LEVELS[line.post.level].said("zh" if zh else "en"),
            line.post.name if zh else line.post.id,
            line.person.name if line.person else "—",
            mask(line.person.phones[0].number) if line.person and line.person.phones else "—",
        )
    console().print(table)


def _when(line: Line, at: datetime, county: County, zh: bool) -> str:
    if line.first_s is None:
        return _MODES[line.mode][0 if zh else 1]
    return f"{(at + timedelta(seconds=line.first_s)).astimezone(county.zone):%H:%M:%S}"


def _tell_sums(told: Rehearsal, pace_per_s: float, zh: bool) -> None:
    rung = Counter(line.post.level for line in told.lines if line.mode is Mode.CALL)
    quiet = Counter(line.post.level for line in told.lines if line.mode is not Mode.CALL)
    table = Table("级别", "打电话", "不打电话") if zh else Table("level", "rung", "not rung")
    for level in Level:
        table.add_row(LEVELS[level].said("zh" if zh else "en"), str(rung[level]), str(quiet[level]))
    console().print(table)
    within = told.first_round_s <= told.dial_within_s
    if zh:
        limit = f"{'在' if within else '不在'}规定的 {told.dial_within_s} 秒之内"
        lines = (
            f"规则 {told.rule}：电话最少 {told.calls_least} 个（一叫就应），最多 {told.calls_most} 个（始终无人应）",
            f"每秒 {pace_per_s:g} 个：第一轮 {told.first_round_s / 60:.1f} 分钟，{limit}",
            f"始终无人应时走完全部梯次约 {told.longest_s / 60:.1f} 分钟",
        )
    else:
        late = "within" if within else "MORE THAN"
        lines = (
            f"rule {told.rule}: {told.calls_least} calls if all answer at once, at most {told.calls_most}",
            f"at {pace_per_s:g} a second the first round takes {told.first_round_s / 60:.1f} min, {late} "
            f"the {told.dial_within_s} s of the ladders",
            f"if nobody answers the ladders end after some {told.longest_s / 60:.1f} min",
        )
    for line in lines:
        console().print(line, highlight=False)


def _money(told: Rehearsal, price: float, text_price: float, zh: bool) -> tuple[str, ...]:
    if not price and not text_price:
        return ()
    texts = told.texts * text_price
    least, most = told.calls_least * price + texts, told.calls_most * price + texts
    if zh:
        return (f"费用：{least:.2f} 至 {most:.2f} 元（短信 {told.texts} 条）",)
    return (f"cost: {least:.2f} to {most:.2f} yuan ({told.texts} texts)",)


def _moment(at: datetime | None, now: datetime, county: County) -> datetime:
    return at.replace(tzinfo=county.zone) if at else now


def _fail(sentence: str) -> NoReturn:
    error_console().print(f"[bold red]✗[/] {sentence}", highlight=False)
    raise typer.Exit(1)
