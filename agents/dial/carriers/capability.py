"""What a carrier can do in a country, and what of a county's rules it therefore cannot keep. Pure.

The figures are the vendors' own, or what an account was told; nothing here is measured. It never judges a call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agents.dial.budget import Budget
from agents.plan.wording import TEXT_MAX
from config.faults import Word
from config.rules import Ladder
from streams.words import Model

CALL_S = 45
"""How long a line is taken up by a call: 25 s of ringing, 20 s of message. Assumed."""
ALIYUN_CALLEE = Budget(gap_s=61, per_hour=5, per_day=20, reserve_per_hour=2, reserve_per_day=6)
"""1 a minute, 5 an hour, 20 a day (help.aliyun.com/document_detail/114036.htm). One second more than its minute: its
clock is not ours. Two of the five are kept for red: an orange step of three calls still fits."""


class Capability(Model):
    """What a carrier can do in a country.

    Args:
        carrier: Its name.
        country: ISO 3166; "*" where no real network is used.
        two_way_texts: Whether a text can be answered.
        links: Whether a text may hold a link.
        text_chars_max: The longest text that is sent whole.
        voices: BCP 47 tags of the languages it speaks.
        receipts: What it tells: answered, played, key, ended, delivered.
        hangs_up: Whether a call under way can be ended.
        calls_per_s: Calls that may be begun in one second.
        calls_at_once: Calls under way at once; None where only the account knows.
        callee: What one number may be rung; None where the vendor sets no limit.
    """

    carrier: str
    country: str
    two_way_texts: bool
    links: bool
    text_chars_max: int
    voices: tuple[str, ...]
    receipts: tuple[str, ...]
    hangs_up: bool
    calls_per_s: float
    calls_at_once: int | None = None
    callee: Budget | None = None


@dataclass(frozen=True)
class Need:
    """What a county asks of its carriers: how many numbers must ring, and the ladders that its rules call by."""

    numbers: int
    ladders: Mapping[str, Ladder]


def simulated(calls_per_s: float) -> Capability:
    """Return what the simulated network can do: everything."""
    everything = ("answered", "played", "key", "ended", "delivered")
    return Capability(
        carrier="simulated",
        country="*",
        two_way_texts=True,
        links=True,
        text_chars_max=10_000,
        voices=("zh-CN", "en"),
        receipts=everything,
        hangs_up=True,
        calls_per_s=calls_per_s,
    )


def twilio(calls_per_s: float, country: str = "CN") -> Capability:
    """Return what Twilio can do. For the mainland: no two-way SMS, no links, 500 characters (guidelines/cn/sms)."""
    china = country == "CN"
    return Capability(
        carrier="twilio",
        country=country,
        two_way_texts=not china,
        links=not china,
        text_chars_max=500 if china else 1600,
        voices=("zh-CN", "en"),
        receipts=("answered", "played", "key", "ended", "delivered"),
        hangs_up=True,
        calls_per_s=calls_per_s,
    )


def aliyun(calls_per_s: float, calls_at_once: int | None, text_chars_max: int) -> Capability:
    """Return what Aliyun can do on the mainland: replies come back (SmsUp), links are refused in variables."""
    return Capability(
        carrier="aliyun",
        country="CN",
        two_way_texts=True,
        links=False,
        text_chars_max=text_chars_max,
        voices=("zh-CN",),
        receipts=("answered", "key", "ended", "delivered"),
        hangs_up=False,
        calls_per_s=calls_per_s,
        calls_at_once=calls_at_once,
        callee=ALIYUN_CALLEE,
    )


def by_hand(country: str = "*") -> Capability:
    """Return what people can do who call by radio, satellite phone or their own telephone, and write down the answer.

    A call takes one person a minute and a half: reading out, waiting for the word, writing it down. Assumed.
    """
    return Capability(
        carrier="by_hand",
        country=country,
        two_way_texts=False,
        links=False,
        text_chars_max=0,
        voices=("zh-CN", "en"),
        receipts=("ended",),
        hangs_up=False,
        calls_per_s=round(1 / 90, 3),
        calls_at_once=1,
    )


def shortfalls(sheet: Capability, need: Need) -> list[Word]:
    """Return what of a county's rules this carrier cannot keep, worst first, in plain words."""
    return [*_pace(sheet, need), *_lines(sheet, need), *_callee(sheet, need), *_texts(sheet), *_calls(sheet)]


def needed_per_s(need: Need) -> float:
    """Return the calls per second without which not everybody is dialled in time."""
    return need.numbers / min(ladder.dial_within_s for ladder in need.ladders.values())


def _pace(sheet: Capability, need: Need) -> Iterator[Word]:
    within_s, needed = min(ladder.dial_within_s for ladder in need.ladders.values()), needed_per_s(need)
    if sheet.calls_per_s >= needed:
        return
    took_s = need.numbers / sheet.calls_per_s
    rate, has = f"{needed:.1f}", f"{sheet.calls_per_s:g}"
    yield Word(
        f"{need.numbers}个号码要在{_time_zh(within_s)}内全部拨出，需每秒{rate}个；它每秒{has}个，要{_time_zh(took_s)}",
        f"{need.numbers} numbers within {_time_en(within_s)} need {rate} calls/s; it does {has}/s: {_time_en(took_s)}",
    )


def _lines(sheet: Capability, need: Need) -> Iterator[Word]:
    rate = min(needed_per_s(need), sheet.calls_per_s)
    lines = math.ceil(rate * CALL_S)
    if sheet.calls_at_once is None and sheet.country != "*":
        yield Word(
            f"同时约占{lines}路（按每个{CALL_S}秒算）；它能同时打几路未知，请向线路商问清",
            f"about {lines} calls at once ({CALL_S} s each); how many it carries is not known: ask the vendor",
        )
    elif sheet.calls_at_once is not None and sheet.calls_at_once < lines:
        slower = sheet.calls_at_once / CALL_S
        yield Word(
            f"同时约需{lines}路；它只有{sheet.calls_at_once}路，实际每秒{slower:.1f}个，"
            f"要{_time_zh(need.numbers / slower)}",
            f"about {lines} calls at once are needed; it carries {sheet.calls_at_once}, so {slower:.1f} calls/s: "
            f"{_time_en(need.numbers / slower)}",
        )


def _callee(sheet: Capability, need: Need) -> Iterator[Word]:
    callee = sheet.callee
    if callee is None:
        return
    for ladder in need.ladders.values():
        first = ladder.steps[0]
        takes_s = (first.calls - 1) * max(first.gap_s, callee.gap_s)
        if takes_s > first.window_s:
            yield Word(
                f"“{ladder.title}”要{_time_zh(first.window_s)}内呼{first.calls}次；"
                f"它对同一号码间隔至少{callee.gap_s}秒，要{_time_zh(takes_s)}",
                f"“{ladder.title}” rings {first.calls} times within {_time_en(first.window_s)}; it leaves "
                f"{callee.gap_s} s between calls to a number: {_time_en(takes_s)}",
            )
    most = max(ladder.steps[0].calls for ladder in need.ladders.values())
    if most > callee.per_hour - callee.reserve_per_hour:
        left = callee.per_hour - callee.reserve_per_hour
        yield Word(
            f"红色以外同一号码每小时只呼{left}次，第{left + 1}次起要等满一小时",
            f"below red a number is rung {left} times an hour; call {left + 1} waits until the hour is over",
        )
    if 2 * most > callee.per_hour:
        yield Word(
            f"一小时内两轮各{most}次，同一号码第{callee.per_hour + 1}次会被拒（每小时{callee.per_hour}次、"
            f"每天{callee.per_day}次）",
            f"of two rounds of {most} calls within an hour the call {callee.per_hour + 1} to a number is refused "
            f"({callee.per_hour} an hour, {callee.per_day} a day)",
        )


def _texts(sheet: Capability) -> Iterator[Word]:
    if not sheet.text_chars_max:
        yield Word("不能发短信", "it sends no texts")
        return
    if not sheet.two_way_texts:
        yield Word("短信不能回复：短信里不放回复码", "texts cannot be answered: they carry no reply code")
    if sheet.text_chars_max < TEXT_MAX:
        yield Word(
            f"短信最长{sheet.text_chars_max}字，其余截去",
            f"texts hold {sheet.text_chars_max} characters; the rest is cut off",
        )


def _calls(sheet: Capability) -> Iterator[Word]:
    if not sheet.hangs_up:
        yield Word(
            "拨出后不能挂断：已停止的叫应，电话仍会响完",
            "a call cannot be ended: one that was stopped rings to its end",
        )
    if "played" not in sheet.receipts:
        yield Word(
            "听完与否按回执状态码和通话秒数认定，秒数不够不算",
            "whether a message was heard whole follows from its status and seconds; too few seconds do not count",
        )


def _time_zh(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    return (f"{minutes}分" + (f"{rest}秒" if rest else "钟")) if minutes else f"{rest}秒"


def _time_en(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    return (f"{minutes} min" + (f" {rest} s" if rest else "")) if minutes else f"{rest} s"
