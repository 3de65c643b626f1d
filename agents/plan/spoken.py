"""How figures, times and codes are said by people who speak Chinese. Pure.

One way each, chosen once: a time in a call is 六点三十分, in a text 6时30分; a code is said figure by figure, with 幺
for one; a quantity is said as a number. It changes no word that holds no figure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from config.faults import Language

FIGURES = "零一二三四五六七八九"
CODE_FIGURES = "零幺二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿")
_MEASURED = "处个人户次名小场座条台所栋辆艘天万亿千米吨公毫厘周年道"
"""Before these, two is 两."""
_COUNTED = "人户米元吨亩公方立毫千万亿小平"
"""What may follow a quantity of five figures and more; any other figures as long as that are a code."""
_UNITS: Mapping[str, str] = {
    "mm/h": "毫米每小时",
    "m³/s": "立方米每秒",
    "m3/s": "立方米每秒",
    "m/s": "米每秒",
    "km/h": "公里每小时",
    "km²": "平方公里",
    "km2": "平方公里",
    "m²": "平方米",
    "㎡": "平方米",
    "㎜": "毫米",
    "㎞": "公里",
    "hPa": "百帕",
    "mm": "毫米",
    "cm": "厘米",
    "km": "公里",
    "m": "米",
    "℃": "摄氏度",
    "°C": "摄氏度",
}
_PARTS = re.compile("([，。；])")
_FIGURE = re.compile(r"[\dⅠ-Ⅻ]")
_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)


def say_number(figures: str) -> str:
    """Say a decimal number as a quantity: 201.9 → 二百零一点九.

    Args:
        figures: ASCII digits, with a point or without; at most 16 before the point.
    """
    whole, _, fraction = figures.partition(".")
    said = _say_whole(whole.lstrip("0") or "0")
    return f"{said}点{''.join(FIGURES[int(each)] for each in fraction)}" if fraction else said


def say_code(code: str) -> str:
    """Say a code figure by figure: 12379 → 幺二三七九. What is no figure stays as it is."""
    return "".join(CODE_FIGURES[int(each)] if each in "0123456789" else each for each in code)


def say_clock(hour: int, minute: int = 0) -> str:
    """Say a time of day: 6, 30 → 六点三十分; 14, 5 → 十四点零五分; 2, 0 → 两点."""
    hours = "两" if hour == 2 else say_number(str(hour))
    if not minute:
        return f"{hours}点"
    return f"{hours}点{'零' if minute < 10 else ''}{say_number(str(minute))}分"


def speak(text: str) -> str:
    """Return a Chinese text with every figure as it is spoken: 06:30 → 六点三十分, 201.9mm → 二百零一点九毫米."""
    # What is said of a figure never hangs on what stands behind a comma or a stop, and ten thousand callouts of one
    # warning say all but one part alike.
    return "".join(map(_speak_part, _PARTS.split(text)))


@lru_cache(maxsize=1024)
def _speak_part(text: str) -> str:
    if _FIGURE.search(text) is None:
        return text
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return text


def readings_of(pronounce: Mapping[str, str]) -> Callable[[str], str]:
    """Return what puts into a text, for words that a voice would read wrongly, what it is to read.

    Args:
        pronounce: What is read for each of them. Of words inside each other the longest counts, and what is put in is
            not looked at again.
    """
    if not pronounce:
        return str
    words = re.compile("|".join(re.escape(word) for word in sorted(pronounce, key=len, reverse=True)))
    return lambda text: words.sub(lambda found: pronounce[found[0]], text)


def write_time(at: datetime, now: datetime, zone: ZoneInfo, language: Language = "zh") -> str:
    """Write a time as people do, seen from `now`: 22时, 明天6时30分, 21日8时; 06:30 tomorrow, 08:00 on 21 July."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if language == "en":
        day = {0: "", 1: " tomorrow"}.get(days, f" on {local.day} {local:%B}")
        return f"{local:%H:%M}{day}"
    clock = f"{local.hour}时" + (f"{local.minute}分" if local.minute else "")
    return {0: clock, 1: f"明天{clock}"}.get(days, f"{local.day}日{clock}")


def _say_whole(figures: str) -> str:
    """Say a whole number without leading zeros, in groups of four as Chinese counts."""
    if len(figures) > 16:
        return say_code(figures)
    groups = [figures[max(0, end - 4) : end] for end in range(len(figures), 0, -4)]
    said = ""
    gap = False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if int(group) == 0:
            gap = True
            continue
        if said and (gap or group[0] == "0"):
            said += "零"
        said += _say_group(group.lstrip("0")) + _MYRIADS[place]
        gap = False
    # 十二 and not 一十二, but only where nothing stands before it.
    return (said.removeprefix("一") if said.startswith("一十") else said) or "零"


def _say_group(figures: str) -> str:
    said, gap = "", False
    for place, figure in enumerate(figures):
        if figure == "0":
            gap = True
            continue
        said += ("零" if gap else "") + FIGURES[int(figure)] + _PLACES[len(figures) - 1 - place]
        gap = False
    return said


def _clock(found: re.Match[str]) -> str:
    return say_clock(int(found[1]), int(found[2] or 0))


def _date(found: re.Match[str]) -> str:
    year = "".join(FIGURES[int(each)] for each in found[1])
    return f"{year}年{say_number(found[2])}月{say_number(found[3])}日"


def _quantity(found: re.Match[str]) -> str:
    figures, after = found[0], found.string[found.end() : found.end() + 1]
    long = len(figures) >= 5 and "." not in figures and not (after and after in _COUNTED)
    if long or (figures.startswith("0") and len(figures) > 1 and "." not in figures):
        return say_code(figures)
    if figures == "2" and after and after in _MEASURED:
        return "两"
    return say_number(figures)


_ROMAN = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ"
_SIGNS: Mapping[str, str] = {
    **dict.fromkeys("≥≧", "达到或超过"),
    **dict.fromkeys(">＞", "超过"),
    **dict.fromkeys("≤≦", "不超过"),
    **dict.fromkeys("<＜", "低于"),
}

_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    # What people dial is said figure by figure: a landline with its area code, 119, 12345.
    (re.compile(r"(?<!\d)(0\d{2,3})[-－ ]?(\d{7,8})(?!\d)"), lambda found: say_code(found[1] + found[2])),
    (re.compile(r"(?<=拨打|致电|电话|热线)([：:]?)\s*(\d{3,})"), lambda found: found[1] + say_code(found[2])),
    (re.compile(rf"[{_ROMAN}]"), lambda found: say_number(str(_ROMAN.index(found[0]) + 1))),
    (re.compile(r"[≥≧>＞≤≦<＜](?=\s*\d)"), lambda found: _SIGNS[found[0]]),
    # From one time to another: 20:00-22:00, 19日20时—20日8时.
    (re.compile(r"(?<=[时分日月年])\s*[-~～—–－]+\s*(?=\d)"), lambda _: "到"),
    (re.compile(r"(?<=[:：]\d\d)\s*[-~～—–－]+\s*(?=\d{1,2}[:：]\d\d)"), lambda _: "到"),
    (re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"), _date),
    (re.compile(r"(?<![\d:：.])([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:：])"), _clock),
    (re.compile(r"(?<!\d)([01]?\d|2[0-4])时(?:([0-5]?\d)分)?"), _clock),
    (re.compile(r"(?<!\d)(\d{4})年"), lambda found: "".join(FIGURES[int(each)] for each in found[1]) + "年"),
    # Codes have letters or more signs in them: G310, K12+300.
    (re.compile(r"[A-Za-z]+\d[\dA-Za-z]*(?:[-+]\d+)*"), lambda found: say_code(found[0])),
    (re.compile(rf"({_NUMBER})\s*[-~～—–]\s*(?=\d)"), lambda found: f"{_quantity_of(found[1])}到"),
    (re.compile(rf"[-－]({_NUMBER})\s*(?:℃|°C)"), lambda found: f"零下{say_number(found[1])}摄氏度"),
    (re.compile(rf"(?<=[至到为])[-－]({_NUMBER})\s*度"), lambda found: f"零下{say_number(found[1])}度"),
    (re.compile(rf"({_NUMBER})\s*[%％]"), lambda found: f"百分之{say_number(found[1])}"),
    (
        re.compile(rf"({_NUMBER})\s*({_UNIT})(?![A-Za-z])"),
        lambda found: say_number(found[1]) + _UNITS[found[2]],
    ),
    (re.compile(_NUMBER), _quantity),
)


def _quantity_of(figures: str) -> str:
    return say_code(figures) if len(figures) >= 5 else say_number(figures)
