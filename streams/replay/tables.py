"""A night's summary on a terminal, Chinese by default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from streams.replay.moments import TROUBLE_WORDS
from streams.replay.summary import LevelRow, Rate, Summary, VisitRow

Language = Literal["zh", "en"]
ROWS_MAX = 40

WORDS: dict[str, tuple[str, str]] = {
    "by_level": ("各级岗位", "Posts by level"),
    "level": ("级别", "level"),
    "posts": ("岗位", "posts"),
    "callouts": ("叫应任务", "callouts"),
    "first_call": ("首次拨出 中位/最迟", "first call p50/max"),
    "answered": ("应答 中位/九成", "answered p50/p90"),
    "confirmed": ("按键确认", "confirmed"),
    "otherwise": ("短信/代确认/上门", "SMS/vouched/door"),
    "unreached": ("未应", "unreached"),
    "lost": ("失联", "cut off"),
    "ended": ("被替代/解除", "superseded/cancelled"),
    "open": ("进行中", "under way"),
    "escalated": ("转B角/带班/上级", "to deputy/leader/superior"),
    "county": ("县", "county"),
    "township": ("乡镇", "township"),
    "village": ("村", "village"),
    "site": ("点位", "site"),
    "dialled_rate": ("叫出率（3分钟内拨出）", "dialled within 3 min"),
    "answered_rate": ("叫应率（5分钟内听完并按键）", "heard and confirmed within 5 min"),
    "excluded": ("不计入", "left out"),
    "none": ("无", "none"),
    "calls": ("电话", "calls"),
    "texts": ("短信", "messages"),
    "told": ("只告知", "told only"),
    "held": ("静默留到汇总", "held for the digest"),
    "most": ("同一号码一小时内最多", "most calls to one number in an hour"),
    "visits": ("上门名单", "Visit lists"),
    "handed": ("交出", "handed over"),
    "taken": ("接单", "taken"),
    "places": ("处", "places"),
    "settled": ("已了结", "settled"),
    "overdue": ("超时", "overdue"),
    "hazard": ("灾种", "hazard"),
    "unreached_list": ("未应名单", "Unreached"),
    "place": ("地点", "place"),
    "post": ("岗位", "post"),
    "since": ("自", "since"),
    "mark": ("情况", "what is known"),
    "cut_off": ("失联", "cut off"),
    "heard": ("听完未按键", "heard, no key"),
    "silent": ("无应答", "silent"),
    "cannot_come": ("有人按0不能到岗", "pressed 0, cannot come"),
    "more": ("其余见报告", "the rest is in the report"),
    "troubles": ("待人处理", "For people to look at"),
    "kind": ("种类", "kind"),
    "count": ("数量", "count"),
    "fingerprint": ("指纹（同样的输入，同样的指纹）", "fingerprint (same input, same fingerprint)"),
    "no_answer": ("无人接", "no answer"),
    "voicemail": ("语音信箱", "voicemail"),
    "fetching": ("代接去叫人", "gone to fetch"),
    "switched_off": ("关机", "switched off"),
    "cannot": ("不能到岗", "cannot come"),
    "heard_no_key": ("听完未按键", "heard, no key"),
    "hung_up_early": ("没听完就挂", "hung up early"),
    "no_coverage": ("无信号", "no coverage"),
    "out_of_service": ("停机", "out of service"),
    "no_news": ("无回音", "no news"),
    "text_delivered": ("送达", "delivered"),
    "text_sent": ("发出未送达", "sent, not delivered"),
    "text_failed": ("失败", "failed"),
    "under_way": ("进行中", "under way"),
    "replied": ("先回短信", "answered by SMS first"),
    "vouched": ("代确认", "vouched for"),
    "knocked": ("上门", "at the door"),
    "stopped": ("中止", "stopped"),
    "superseded": ("被新一轮替代", "superseded"),
    "cancelled": ("解除", "cancelled"),
    "corrected": ("更正", "corrected"),
    "expired": ("到期", "expired"),
    "took": ("运行", "took"),
    "steps": ("步", "steps"),
}


def say(word: str, language: Language) -> str:
    """Return a word of the tables in a language; one that is not known stays as it is."""
    zh, en = WORDS.get(word, (word, word))
    return zh if language == "zh" else en


def trouble_word(kind: str, language: Language) -> str:
    """Return what a kind of trouble is called."""
    zh, en = TROUBLE_WORDS.get(kind, (kind, kind))
    return zh if language == "zh" else en


def print_summary(
    console: Console, summary: Summary, *, title: str, about: str = "", language: Language = "zh"
) -> None:
    """Print a summary as tables."""
    console.print(f"[bold]{title}[/bold]")
    if about:
        console.print(about, style="dim")
    console.print(_levels(summary, language))
    console.print(_rates(summary, language))
    if summary.visits:
        console.print(_visits(summary, language))
    console.print(_unreached(summary, language))
    if summary.troubles:
        console.print(_troubles(summary, language))


def print_run(console: Console, fingerprint: str, took_s: float, steps: int, *, language: Language = "zh") -> None:
    """Print how long a run took and the fingerprint of its history."""
    console.print(f"{say('took', language)}: {took_s:.1f} s, {steps} {say('steps', language)}")
    console.print(f"{say('fingerprint', language)}: {fingerprint}", soft_wrap=True)


def _levels(summary: Summary, language: Language) -> Table:
    table = _table("by_level", language, "level", "posts", "callouts", "first_call", "answered", "confirmed")
    for word in ("otherwise", "unreached", "lost", "ended", "open", "escalated"):
        table.add_column(say(word, language), justify="right")
    for row in summary.levels:
        if row.callouts:
            table.add_row(*_level_cells(row, language))
    return table


def _level_cells(row: LevelRow, language: Language) -> tuple[str, ...]:
    def count(*states: str) -> str:
        return str(sum(row.states.get(state, 0) for state in states))

    return (
        say(row.level.value, language),
        str(row.posts),
        str(row.callouts),
        f"{seconds(row.first_call_p50_s)} / {seconds(row.first_call_max_s)}",
        f"{seconds(row.answered_p50_s)} / {seconds(row.answered_p90_s)}",
        count("confirmed"),
        count("replied", "vouched", "knocked", "heard"),
        count("unreached"),
        count("lost"),
        count("superseded", "cancelled", "corrected", "expired"),
        count("calling", "fetching", "heard_no_key", "held"),
        f"{row.to_deputies} / {row.to_leaders} / {row.to_superiors}",
    )


def _rates(summary: Summary, language: Language) -> Table:
    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column()
    table.add_row(say("dialled_rate", language), rate_line(summary.dialled_in_3_min, language))
    table.add_row(say("answered_rate", language), rate_line(summary.answered_in_5_min, language))
    table.add_row(say("calls", language), counts_line(summary.calls, language))
    table.add_row(say("texts", language), counts_line(summary.texts, language))
    table.add_row(f"{say('told', language)} / {say('held', language)}", f"{summary.told} / {summary.held}")
    table.add_row(say("most", language), str(summary.most_calls_to_one_number_in_an_hour))
    return table


def _visits(summary: Summary, language: Language) -> Table:
    zone = ZoneInfo(summary.timezone)
    table = _table("visits", language, "township", "hazard", "handed", "taken", "places", "settled", "overdue")
    for row in summary.visits[:ROWS_MAX]:
        taken = clock(row.taken_at, zone) if row.taken_at else "—"
        figures = (str(row.places), str(row.settled), str(row.overdue))
        table.add_row(row.township, warning_name(row, language), clock(row.opened_at, zone), taken, *figures)
    _say_more(table, len(summary.visits), language)
    return table


def _unreached(summary: Summary, language: Language) -> Table:
    zone = ZoneInfo(summary.timezone)
    table = _table("unreached_list", language, "township", "place", "post", "mark", "calls", "since")
    for row in summary.unreached[:ROWS_MAX]:
        mark = say(row.mark, language)
        table.add_row(row.township, row.place, row.post_name, mark, str(row.calls), clock(row.since, zone))
    if not summary.unreached:
        table.add_row(say("none", language))
    _say_more(table, len(summary.unreached), language)
    return table


def _troubles(summary: Summary, language: Language) -> Table:
    table = _table("troubles", language, "kind", "count")
    for kind, count in sorted(summary.troubles.items(), key=lambda item: -item[1]):
        table.add_row(trouble_word(kind, language), str(count))
    return table


def _table(title: str, language: Language, *columns: str) -> Table:
    table = Table(title=say(title, language), title_justify="left")
    for column in columns:
        table.add_column(say(column, language))
    return table


def _say_more(table: Table, count: int, language: Language) -> None:
    if count > ROWS_MAX:
        table.add_row(f"… +{count - ROWS_MAX}", say("more", language))


def seconds(value: float | None) -> str:
    """Show seconds, or a dash."""
    return "—" if value is None else f"{value:.0f} s"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Show a time of the county's clock with its day."""
    return f"{at.astimezone(zone):%m-%d %H:%M:%S}"


def counts_line(counts: Mapping[str, int], language: Language) -> str:
    """Show counts, the largest first, after their sum."""
    parts = [f"{say(name, language)} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return f"{sum(counts.values())} ({', '.join(parts)})" if parts else "0"


def warning_name(visit: VisitRow, language: Language) -> str:
    """Return 暴雨红色, or red rainstorm."""
    if language == "zh":
        return f"{visit.hazard_name}{visit.colour.chinese}"
    return f"{visit.colour.value} {visit.hazard.replace('_', ' ')}"


def rate_line(rate: Rate, language: Language) -> str:
    """Show a share with numerator, denominator and what was left out."""
    share = "—" if rate.share is None else f"{rate.share:.1%}"
    excluded = counts_line(rate.excluded, language) if rate.excluded else say("none", language)
    return f"{share} = {rate.numerator} / {rate.denominator}; {say('excluded', language)}: {excluded}"
