"""Which hazard and which colour a headline or a code names; pure. It must never guess: None is an answer.

A text often names more hazards than it warns of (发布雷电黄色预警信号：…可能伴有短时强降水、冰雹). What counts is the
hazard beside the colour, beside 预警; a hazard merely mentioned counts only where nothing else is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from config.rules import Hazard
from streams.words import Colour

_COLOURS = {"红": Colour.RED, "橙": Colour.ORANGE, "黄": Colour.YELLOW, "蓝": Colour.BLUE, "藍": Colour.BLUE}
_COLOURS |= {"紅": Colour.RED, "黃": Colour.YELLOW}
_ENGLISH_COLOURS = {colour.value: colour for colour in Colour}
_LEVELS = {
    **dict.fromkeys(("I", "Ⅰ", "一"), Colour.RED),
    **dict.fromkeys(("II", "Ⅱ", "二"), Colour.ORANGE),
    **dict.fromkeys(("III", "Ⅲ", "三"), Colour.YELLOW),
    **dict.fromkeys(("IV", "Ⅳ", "四"), Colour.BLUE),
}
"""突发事件应对法 §63: 一级 to 四级 are shown as 红, 橙, 黄, 蓝."""

_EVENT_CODE = re.compile(r"\s*(1[1-4][A-Z]\d{2})(0[1-4])?(?!\d)", re.IGNORECASE)
_CODE_COLOURS = {"01": Colour.BLUE, "02": Colour.YELLOW, "03": Colour.ORANGE, "04": Colour.RED}

_C = "(?:[红橙黄蓝紅黃藍]色|[红橙黄蓝紅黃藍](?=预警|警|預警))"
_LEVEL = "(?:IV|I{1,3}|[Ⅰ-Ⅳ]|[一二三四])级"
_WARNING = "(?:预警|警报|預警|警報)"
_BETWEEN = r"(?:气象|灾害|风险|等级|事件|天气|[“\"「][^”\"」，。]{1,8}[”\"」]|\([^()]{1,30}\)|[()（）\[\]【】]){0,6}"
_LOST = re.compile(r"(?:解除|取消|撤销|撤消|终止|(?<![\u4e00-\u9fff])原|由|从|将)$")
_CHANGED_TO = re.compile(
    r"(?:升级|升格|提升|变更|更新|调整|降级|降低|转换|改发|升|降|转|改)(?:发布)?(?:为|至|到|成)"
    rf"[^，。；：,;:]{{0,12}}?(?P<colour>{_C})"
)
_COMES_ALONG = re.compile(r"伴(?:有|随)[^，。；,;]*")
_BRACKET_LEVEL = re.compile(
    r"[\[［【(（]\s*(?:level\s+)?(IV|I{1,3}|[Ⅰ-Ⅳ]|[一二三四])\s*(?:级|/|\]|）|\))", re.IGNORECASE
)

_CMA_KINDS = (
    "台风",
    "暴雨",
    "暴雪",
    "寒潮",
    "大风",
    "沙尘暴",
    "高温",
    "干旱",
    "雷电",
    "冰雹",
    "霜冻",
    "大雾",
    "霾",
    "道路结冰",
)
"""中国气象局令第16号 (2007), annex: the kinds 01 to 14 in their order."""

_CMA_NUMBER = re.compile(r"(\d\d)(0[1-4])")
_PICTURE = re.compile(r"(?<![a-z0-9])p(\d{4})00([1-4])(?!\d)", re.IGNORECASE)
_PICTURE_COLOURS = {"1": Colour.RED, "2": Colour.ORANGE, "3": Colour.YELLOW, "4": Colour.BLUE}


@dataclass(frozen=True)
class Lexicon:
    """The words of the hazards, ready to search with. Chinese words are found anywhere, English ones as words."""

    keys: dict[str, str]
    codes: dict[str, str]
    any_word: re.Pattern[str]
    beside_colour: tuple[re.Pattern[str], ...]
    beside_warning: re.Pattern[str]
    english_beside: tuple[re.Pattern[str], ...]


@dataclass(frozen=True)
class Naming:
    """A hazard, a colour or both, as one place of a text names them."""

    hazard: str | None
    colour: Colour | None


def lexicon(hazards: Sequence[Hazard]) -> Lexicon:
    """Return the words of these hazards, ready to search with."""
    return _lexicon(tuple(hazards))


@lru_cache(maxsize=8)
def _lexicon(hazards: tuple[Hazard, ...]) -> Lexicon:
    keys = {word.lower(): hazard.key for hazard in hazards for word in (hazard.name, *hazard.words)}
    ordered = sorted(keys, key=lambda word: (-len(word), word))
    chinese = "|".join(re.escape(word) for word in ordered if not word.isascii()) or "(?!)"
    english = "|".join(re.escape(word) for word in ordered if word.isascii()) or "(?!)"
    english = rf"(?<![a-z])(?P<hazard>{english})(?![a-z])"
    colour = rf"\b(?P<colour>{'|'.join(_ENGLISH_COLOURS)})\b"
    hazard = f"(?P<hazard>{chinese})"
    return Lexicon(
        keys=keys,
        codes={code: item.key for item in hazards for code in item.codes},
        any_word=re.compile(f"{chinese}|{english.replace('?P<hazard>', '?:')}", re.IGNORECASE),
        beside_colour=(
            re.compile(f"{hazard}{_BETWEEN}(?P<colour>{_C})"),
            re.compile(f"(?P<colour>{_C}){hazard}(?={_BETWEEN}{_WARNING})"),
            re.compile(f"{hazard}{_BETWEEN}(?P<colour>{_LEVEL})(?={_BETWEEN}(?:{_C})?{_BETWEEN}{_WARNING})"),
        ),
        beside_warning=re.compile(f"{hazard}[^，。；：,;:、]{{0,8}}?{_WARNING}"),
        english_beside=(
            re.compile(rf"{english}\W+{colour}\W+(?:early\W+)?(?:warning|alert|signal)", re.IGNORECASE),
            re.compile(rf"{colour}\W+{english}\W+(?:early\W+)?(?:warning|alert|signal)", re.IGNORECASE),
        ),
    )


def read_event_code(code: str, hazards: Sequence[Hazard]) -> Naming:
    """Read an event code of the 国突 table (11B03), with its colour suffix where it has one (01 蓝 … 04 红)."""
    found = _EVENT_CODE.match(code)
    if not found:
        return Naming(None, None)
    return Naming(lexicon(hazards).codes.get(found[1].upper()), _CODE_COLOURS.get(found[2] or ""))


def read_picture(name: str, hazards: Sequence[Hazard]) -> Naming:
    """Read a picture's name, p0002004.png: the kind of CMA, then the colour, which counts down from red = 1."""
    found = _PICTURE.search(name)
    return Naming(_cma_kind(found[1], hazards), _PICTURE_COLOURS[found[2]]) if found else Naming(None, None)


def read_cma_number(number: str, hazards: Sequence[Hazard]) -> Naming:
    """Read kind and colour as CMA numbers them, 0203: 02 暴雨, 03 橙色 (the colours count up from blue = 01)."""
    found = _CMA_NUMBER.fullmatch(number)
    return Naming(_cma_kind(found[1], hazards), _CODE_COLOURS[found[2]]) if found else Naming(None, None)


def _cma_kind(number: str, hazards: Sequence[Hazard]) -> str | None:
    index = int(number)
    return read_hazard_word(_CMA_KINDS[index - 1], hazards) if 1 <= index <= len(_CMA_KINDS) else None


def read_colour(word: str) -> Colour | None:
    """Read a field that holds a colour: `Blue`, `ORANGE`, `黄色预警`, `II级`. Severe or Extreme are no colours."""
    text = word.strip()
    if text[:1] in _COLOURS:
        return _COLOURS[text[0]]
    english = re.match(rf"({'|'.join(_ENGLISH_COLOURS)})\b", text, re.IGNORECASE)
    if english:
        return _ENGLISH_COLOURS[english[1].lower()]
    level = re.match(_LEVEL, text, re.IGNORECASE)
    return _LEVELS[level[0][:-1].upper()] if level else None


def read_hazard_word(text: str, hazards: Sequence[Hazard]) -> str | None:
    """Return the key of the first hazard that a short field (a type, an event) names, the longest word winning."""
    words = lexicon(hazards)
    found = words.any_word.search(text)
    return words.keys[found[0].lower()] if found else None


def read_naming(text: str, hazards: Sequence[Hazard]) -> Naming:
    """Return the hazard and colour that a headline or the opening of a text warns of.

    Of several named together the most severe counts. What is lifted or replaced (解除…, 由…升级为…) does not count
    unless nothing else is named.
    """
    words = lexicon(hazards)
    beside = _beside_colour(text, words)
    changed = next((found for found in _CHANGED_TO.finditer(text) if is_told_as_done(text, found.start())), None)
    colour = read_colour(changed["colour"]) if changed else None
    if beside:
        return Naming(beside.hazard, colour or beside.colour)
    colour = colour or _lone_colour(text)
    near = words.beside_warning.search(text)
    return Naming(words.keys[near["hazard"].lower()] if near else None, colour)


def is_told_as_done(text: str, at: int) -> bool:
    """Tell whether what stands at `at` has happened: 后期可能升级为红色 is only a forecast."""
    return not re.search(r"(?:可能|或将|或者|视情|适时|随时|预计)[^，。；：,;:]{0,6}$", text[max(0, at - 10) : at])


def read_mention(text: str, hazards: Sequence[Hazard]) -> str | None:
    """Return the first hazard a Chinese text mentions, passing over what merely comes along with it (伴有…)."""
    return read_hazard_word(_COMES_ALONG.sub("", text), hazards)


def _beside_colour(text: str, words: Lexicon) -> Naming | None:
    """Return the hazard that stands beside a colour: of those not lifted or replaced, the most severe, the first."""
    counting: list[tuple[int, int, Naming]] = []
    lost: list[tuple[int, int, Naming]] = []
    for pattern in (*words.beside_colour, *words.english_beside):
        for found in pattern.finditer(text):
            colour = read_colour(found["colour"])
            naming = Naming(words.keys[found["hazard"].lower()], colour)
            rank = (-(colour.severity if colour else 0), found.start(), naming)
            (lost if _LOST.search(text, max(0, found.start() - 3), found.start()) else counting).append(rank)
    best = min(counting or lost, key=lambda rank: rank[:2], default=None)
    return best[2] if best else None


def _lone_colour(text: str) -> Colour | None:
    """Return a colour that stands beside 预警 or "warning" without a hazard, or as a level in brackets."""
    chinese = re.search(rf"({_C})[^，。；：,;:]{{0,8}}?{_WARNING}", text) or re.search(
        rf"{_WARNING}[^，。；：,;:]{{0,4}}?({_C})", text
    )
    if chinese:
        return read_colour(chinese[1])
    level = re.search(rf"({_LEVEL}){_WARNING}", text)
    if level:
        return read_colour(level[1])
    bracket = _BRACKET_LEVEL.search(text)
    if bracket:
        return _LEVELS[bracket[1].upper()]
    english = re.search(
        rf"\b({'|'.join(_ENGLISH_COLOURS)})\b(?:[\s-]+[a-z]+){{0,3}}?[\s-]+(?:warning|alert)", text, re.IGNORECASE
    )
    return read_colour(english[1]) if english else None
