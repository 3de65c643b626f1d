"""A night's report as one self-contained HTML page that can be printed and filed.

It loads nothing from anywhere. What it says about people is only what the ledger proves, and its last lines say what
that is.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from streams.replay import tables
from streams.replay.summary import Summary

HONEST_WORDS = {
    "zh": (
        "“按键确认”只证明：这个号码接通了，内容播放到结束，有人按了键。它不证明接听的是谁，也不证明此后做了什么。",
        "“失联”表示所有电话关机或没有信号，可能是断电断网，不等于没有履职。",
        "短信送达、已读都不算应答。“代确认”“上门”是当事人所说，以其原话和姓名记录。",
        "监测告警是内部信息，不是预警信号；预警信号只由气象主管机构所属的气象台站发布。",
        "本页由台账生成。指纹相同，说明同样的输入走出了同样的每一步。",
    ),
    "en": (
        "A confirmation proves that this number was answered, the message played to its end and a key was pressed; not "
        "who held the phone, nor what was done after.",
        "Cut off means that every phone was switched off or had no signal: power or network may be down.",
        "A message delivered or read is no answer. What people vouch for is recorded in their words and under their "
        "name.",
        "A sensor alarm is internal and is no warning signal; only met stations issue those.",
        "This page is made from the ledger. The same fingerprint means that the same input took the very same steps.",
    ),
}


def render(
    summary: Summary,
    *,
    title: str,
    about: str = "",
    sources: tuple[str, ...] = (),
    fingerprint: str = "",
    language: tables.Language = "zh",
) -> str:
    """Return the report as HTML."""
    environment = Environment(
        loader=PackageLoader("streams.replay", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    zone = ZoneInfo(summary.timezone)
    return environment.get_template("report.html").render(
        summary=summary,
        title=title,
        about=about,
        sources=sources,
        fingerprint=fingerprint,
        language=language,
        say=lambda word: tables.say(word, language),
        trouble_word=lambda kind: tables.trouble_word(kind, language),
        clock=lambda at: tables.clock(at, zone),
        seconds=tables.seconds,
        rate_line=lambda rate: tables.rate_line(rate, language),
        counts_line=lambda counts: tables.counts_line(counts, language),
        warning_name=lambda visit: tables.warning_name(visit, language),
        honest_words=HONEST_WORDS[language],
    )
