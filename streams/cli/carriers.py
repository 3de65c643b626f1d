"""`jiaoying carriers`: what the telephone carriers can do, and what of the county's rules they cannot keep."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from agents.dial.carriers.capability import Capability, Need, aliyun, by_hand, shortfalls, simulated, twilio
from agents.dial.carriers.protocol import LANGUAGE_TAGS
from agents.dial.carriers.studio_flow import definition
from config.faults import Language, Word
from config.rules import RuleBook
from config.settings import Settings
from rosters.county import County
from streams.cli.screen import console, settings
from streams.installation import load_facts

app = typer.Typer(no_args_is_help=True)
YES_NO = (Word("有", "yes"), Word("无", "no"))


@app.callback()
def carriers() -> None:
    """线路 / the carriers."""


@app.command()
def check(
    carrier: Annotated[
        list[str] | None, typer.Option(help="只看：simulated、twilio、aliyun、by_hand / only these, set up or not")
    ] = None,
) -> None:
    """对照本县规模和梯次，说明每条线路做不到什么 / what each carrier cannot keep of the county's ladders and size."""
    chosen = settings()
    clock = chosen.clock()
    facts = load_facts(chosen, clock.now())
    need = need_of(facts.county, facts.book, clock.now())
    names = tuple(carrier or chosen.carriers or ("simulated",))
    unknown = sorted(set(names) - {"simulated", "twilio", "aliyun", "by_hand"})
    if unknown:
        raise typer.BadParameter(f"没有线路 {'、'.join(unknown)} / no such carrier")
    screen = console()
    fewest = min(ladder.dial_within_s for ladder in need.ladders.values())
    counted = Word(
        f"{facts.county.name}：此刻要叫的号码{need.numbers}个，最紧的梯次要{fewest}秒内拨出",
        f"{facts.county.name}: {need.numbers} numbers ring now; the tightest ladder dials within {fewest} s",
    )
    screen.print(counted.said(chosen.language), highlight=False)
    for sheet in (sheet_of(name, chosen) for name in names):
        screen.print(_table(sheet, chosen.language))
        found = [word.said(chosen.language) for word in (*shortfalls(sheet, need), *_basis(sheet, chosen))]
        for line in found or [Word("规则都能做到", "all rules can be kept").said(chosen.language)]:
            screen.print(f"· {line}", highlight=False)


@app.command()
def flow() -> None:
    """打印 Twilio Studio 流程（JSON），外网连不到本机时导入 / print the Studio flow for where nothing can reach us."""
    chosen = settings()
    facts = load_facts(chosen, chosen.clock().now())
    spoken = LANGUAGE_TAGS[facts.book.knobs.speech_language]
    typer.echo(json.dumps(definition(spoken), ensure_ascii=False, indent=2))


def need_of(county: County, book: RuleBook, at: datetime) -> Need:
    """Return how many different numbers ring if every post is called at a time, and the ladders that rules call by."""
    held = [county.who(post, at, "holder") for post in county.posts]
    numbers = {one.person.phones[0].number for one in held if one is not None and one.person.phones}
    names = {selector.ladder for rule in book.rules for selector in rule.posts if selector.mode == "call"}
    return Need(len(numbers), {name: book.ladders[name] for name in sorted(names)})


def sheet_of(name: str, chosen: Settings) -> Capability:
    """Return what a carrier can do as this installation has set it up."""
    if name == "twilio":
        return twilio(min(chosen.call_pace_per_s, chosen.twilio_calls_per_s))
    if name == "aliyun":
        chars = len(chosen.aliyun_text_variables) * chosen.aliyun_text_variable_chars
        calls_per_s = min(chosen.call_pace_per_s, chosen.aliyun_calls_per_s)
        return aliyun(calls_per_s, chosen.aliyun_calls_at_once or None, chars)
    return by_hand() if name == "by_hand" else simulated(chosen.call_pace_per_s)


def _basis(sheet: Capability, chosen: Settings) -> list[Word]:
    if sheet.carrier != "twilio" or chosen.twilio_china_basis:
        return []
    return [
        Word(
            "+86号码不经它拨打：号码出境的依据未填（JIAOYING_TWILIO_CHINA_BASIS）",
            "no +86 number is dialled through it: the basis for sending numbers abroad is not set "
            "(JIAOYING_TWILIO_CHINA_BASIS)",
        )
    ]


def _table(sheet: Capability, language: Language) -> Table:
    table = Table(title=f"{sheet.carrier} · {sheet.country}", show_header=False)
    callee = sheet.callee
    rows = [
        (Word("每秒呼叫", "calls per second"), f"{sheet.calls_per_s:g}"),
        (Word("同时呼叫", "calls at once"), str(sheet.calls_at_once) if sheet.calls_at_once else "—"),
        (
            Word("同一号码", "one number"),
            f"≥{callee.gap_s} s · {callee.per_hour}/h · {callee.per_day}/24h" if callee else "—",
        ),
        (Word("语音", "voices"), " ".join(sheet.voices)),
        (Word("回执", "receipts"), " ".join(sheet.receipts)),
        (Word("可挂断", "can hang up"), YES_NO[not sheet.hangs_up].said(language)),
        (Word("短信回复", "texts answered"), YES_NO[not sheet.two_way_texts].said(language)),
        (Word("短信链接", "links in texts"), YES_NO[not sheet.links].said(language)),
        (Word("短信最长", "longest text"), str(sheet.text_chars_max)),
    ]
    for word, value in rows:
        table.add_row(word.said(language), value)
    return table
