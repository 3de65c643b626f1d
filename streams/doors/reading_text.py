"""Read a Chinese warning as a person would: what, which colour, from whom, since when, and which places it names.

Pure: no clock, no network, no state. Only the opening of a text counts for hazard and colour, since the rest tells of
forecasts and of what may come along. It must never guess: what is not written is None or empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.rules import Hazard
from streams.doors.reading_hazard import Naming, is_told_as_done, read_mention, read_naming
from streams.doors.reading_time import SPOKEN, read_spoken_time
from streams.words import Colour

_READ_CHARS = 4000
"""A warning says what it is well before this; a longer text is not searched further."""

_PLACES_CHARS = 20_000
"""Places are looked for further down: a list of villages may be long."""

_HAN = "\\u3400-\\u9fff"
_SPACE_IN_CHINESE = re.compile(rf"(?<=[{_HAN}，。、；：0-9])\s+(?=[{_HAN}，。、；：])|(?<=[{_HAN}])\s+(?=[{_HAN}0-9])")
_VERB = "(?:发布|解除|更新|变更|升级|降级|撤销|取消|签发|确认)"
_ADVERB = "(?:继续|联合|再次|重新|同时|首次|升级|更新|变更|今日|今天|日前|分别|紧急|第[0-9一二三四五六七八九十]+次)"
_TIME_OF_ISSUE = re.compile(rf"{SPOKEN}[^，。；：,;0-9]{{0,12}}?{_VERB}")
_ORGANISATION = (
    "(?:气象台|气象局|气象站|总站|中心|指挥部|办公室|委员会|人民政府|管理局|规划局|水利局|水务局|[局台站部厅委办])"
)
_TIME_WORDS = "(?:[于在]?(?:今[日天]|昨[日天])?[-/ 0-9年月日号时点分秒:]{0,30})?"
_ISSUER = re.compile(
    rf"(?:^|[。；：:，,#】\]\s])(?!继续|更新|解除|发布|目前|预计|受|为此|经)(?:[由经])?"
    rf"(?P<issuer>[{_HAN}()（）、·]{{1,40}}?{_ORGANISATION}){_TIME_WORDS}{_ADVERB}*(?:{_VERB}|将|对|(?:(?!发布|、)[^，。；：,;:]){{1,14}}?[红橙黄蓝]色预警)"
)
_REGION_AS_ISSUER = re.compile(
    rf"^(?!继续|更新|解除|将|请)(?P<issuer>(?:(?!预警|警报)[{_HAN}]){{2,30}}?){_TIME_WORDS}{_ADVERB}*{_VERB}"
)
_BARE_ISSUER = re.compile(r"^[省市县区州旗](?=[^县区州旗]{0,3}[台局站])")
_LIFTED = re.compile(
    r"(?:解除|取消|撤销|撤消)[^，。；：,;:]{0,30}?(?:预警|警报)|(?:预警|警报)(?:信号)?[^，。；：,;:]{0,6}?(?:解除|取消|撤销)"
)
_ISSUED_TOO = re.compile(r"(?<!日)(?:发布|变更为|升级为|更新为|调整为|转为|改为|降为|降级为)")
_RAISED = re.compile("升级|升格|提升为|升为|提高为")
_TOWN = "(?:街道办事处|街道|苏木|嘎查|社区|村镇|村乡|村街道|[镇乡村](?![区级长]))"
_TOWN_NAME = re.compile(rf"[{_HAN}]{{1,20}}?{_TOWN}")
_LEAD_IN = re.compile(
    r"^.*(?:[我本该全][省市县区州旗]|(?<=..)[省市县区州旗盟](?=.{2})|小时内?|未来|预计|目前|以及|上述|其中|影响|位于"
    r"|部分|大部分?|尤其是?|特别是|包括|局地|将在|[及在](?=.{2}))|^[等除请](?=.{2})"
)
_NO_NAME = re.compile(
    r"注意|防范|出现|可能|发生|造成|导致|做好|加强|农村|乡镇|城镇|乡村|集镇|中小|各[镇乡村街]"
    rf"|^(?:各|全|全部|所有|多个?|个别|其[他余]|周边|有关|相关|本|我|该|偏远|沿河|下|上述|以上|及|和|等|[镇乡村])*{_TOWN}$"
)
_SUFFIX = re.compile(rf"(?<=.{{2}}){_TOWN}$")
_GOES_ON = re.compile(
    r"(?![省市县区州旗河江湖路桥站山]|水库|流域|气象|[^，。；、和及与等至以将在有]{1,2}(?:镇|乡|街道|村|苏木))"
)
_COMMON_WORDS = {"中心", "新区", "城区", "市区", "郊区", "城郊", "东部", "西部", "南部", "北部", "中部", "开发", "工业"}


@dataclass(frozen=True)
class TextFacts:
    """What a headline and text say. `places` are townships, streets and villages, the longest name first."""

    hazard: str | None = None
    colour: Colour | None = None
    issuer: str = ""
    issued_at: datetime | None = None
    continued: bool = False
    cancelled: bool = False
    upgraded: bool = False
    places: tuple[str, ...] = ()


def tidy(text: str) -> str:
    """Return a text in one width (NFKC: ： is : and Ⅱ is II), without the stray spaces inside Chinese."""
    folded = unicodedata.normalize("NFKC", text[:_READ_CHARS])
    return _SPACE_IN_CHINESE.sub("", folded).strip()


def read_text(headline: str, text: str, hazards: Sequence[Hazard], *, reference: datetime | None = None) -> TextFacts:
    """Read a headline and a text.

    Args:
        headline: As issued, or empty.
        text: As issued, or empty.
        hazards: Of config/hazards.yaml.
        reference: When it came in, or was issued by other knowledge: fills the year or day the wording leaves out.

    Returns:
        `cancelled` is true for 解除 or 取消 with nothing issued in its place; `continued` for 继续发布 and 更新;
        `upgraded` for 升级. A fall in colour is neither.
    """
    title, body = tidy(headline), tidy(text)
    opening = _opening(body)
    naming = _naming([title, opening, body], hazards)
    said = f"{title}。{opening}"
    return TextFacts(
        hazard=naming.hazard,
        colour=naming.colour,
        issuer=_issuer(title, body),
        issued_at=_issued_at(f"{body}。{title}", reference),
        continued=bool(re.search(r"继续发布|延续|更新[^，。；：,;:]{0,30}?预警|维持[^，。；：,;:]{0,20}?预警", said)),
        cancelled=_is_lifted(title)
        or (not title and _is_lifted(opening))
        or (_is_lifted(opening) and "发布" not in title),
        upgraded=any(is_told_as_done(said, found.start()) for found in _RAISED.finditer(said)),
        places=_places(body or title),
    )


def places_in(text: str, names: Collection[str]) -> tuple[str, ...]:
    """Return which of a county's townships and villages a text names, in the order of the text.

    The longest name wins (东河 is not found in 东河口镇). The name without its 镇, 乡, 街道, 村 counts where it has two
    characters or more, belongs to one of the names only, and does not go on as another name (平乐 in 平乐县).
    除大雪山镇外 (all but) counts as named: to call one township in vain is better than to leave out another.
    """
    forms: dict[str, str] = {}
    short_of: dict[str, list[str]] = {}
    for name in names:
        forms[name] = name
        short_of.setdefault(_SUFFIX.sub("", name), []).append(name)
    guarded = set()
    for short, owners in short_of.items():
        if len(owners) == 1 and len(short) >= 2 and short not in forms and short not in _COMMON_WORDS:
            forms[short] = owners[0]
            guarded.add(short)
    return tuple(dict.fromkeys(forms[form] for form in _forms_in(text, forms, guarded)))


def _forms_in(text: str, forms: Collection[str], guarded: Collection[str]) -> Iterator[str]:
    """Yield the forms in the order of the text, at each place the longest; a guarded one must not go on.

    A look-up per place and length, not one expression of all names: a province has a hundred thousand of them.
    """
    said = _SPACE_IN_CHINESE.sub("", text[:_PLACES_CHARS])
    lengths = sorted({len(form) for form in forms if form}, reverse=True)
    place = 0
    while place < len(said):
        for length in lengths:
            form = said[place : place + length]
            if form in forms and (form not in guarded or _GOES_ON.match(said, place + length)):
                yield form
                place += length
                break
        else:
            place += 1


def expand_issuer(issuer: str, area: str) -> str:
    """Complete 市气象台 by the area the document gives (北京市): the same issuer is to have the same name."""
    bare = _BARE_ISSUER.match(issuer)
    if bare and area.endswith(bare[0]):
        return area + issuer[1:]
    return issuer


def _opening(body: str) -> str:
    """Return the text up to the end of the sentence that first says 预警, or its first sentence."""
    found = re.match(r"[^。：:]*?(?:预警|警报)[^。：:]*", body) or re.match(
        r".{0,200}?(?:预警|警报)[^。：:]*", body, re.DOTALL
    )
    return found[0] if found else body.split("。", 1)[0]


def _naming(sources: list[str], hazards: Sequence[Hazard]) -> Naming:
    """Return the hazard of the first source that names one, and the first colour that belongs to no other hazard."""
    hazard: str | None = None
    colour: Colour | None = None
    for source in sources:
        naming = read_naming(source, hazards)
        if colour is None and (hazard is None or naming.hazard in (None, hazard)):
            colour = naming.colour
        hazard = hazard or naming.hazard
    if hazard is None:
        # Of a foreign text only the headline is looked at: the rest speaks of wind and rain in passing.
        telling = [source for source in sources if source == sources[0] or re.search(f"[{_HAN}]", source)]
        hazard = next((key for key in (read_mention(source, hazards) for source in telling) if key), None)
    return Naming(hazard, colour)


def _issued_at(said: str, reference: datetime | None) -> datetime | None:
    """Return the time that stands before a word of issuing (发布, 更新, 解除)."""
    for found in _TIME_OF_ISSUE.finditer(said):
        at = read_spoken_time(found, reference)
        if at is not None:
            return at
    return None


def _issuer(title: str, body: str) -> str:
    """Return who issued it. 河南省郑州市气象台 in a headline and 郑州市气象台 in its text are one: the shorter name."""
    named = [match["issuer"] if (match := _ISSUER.search(source)) else "" for source in (title, body)]
    in_title, in_body = named
    if in_body and in_title.endswith(in_body) and not _BARE_ISSUER.match(in_body):
        return in_body
    if in_title or in_body:
        return in_title or in_body
    region = _REGION_AS_ISSUER.match(title)
    return region["issuer"] if region else ""


def _is_lifted(said: str) -> bool:
    """Tell whether a sentence lifts a warning and issues none in its place."""
    return bool(_LIFTED.search(said)) and not _ISSUED_TOO.search(said)


def _places(body: str) -> tuple[str, ...]:
    """Return the townships, streets and villages a text names, without its issuer."""
    issuer = _ISSUER.search(body)
    said = body[issuer.end() :] if issuer else body
    names: dict[str, None] = {}
    for segment in re.split(r"[^\u3400-\u9fff]+", said):
        for found in _TOWN_NAME.finditer(segment):
            name = _LEAD_IN.sub("", found[0]) or found[0]
            if found.start() > 0 and name[0] in "和与及等":
                # Right behind another name these join the two; at the start of a name they belong to it (和平镇).
                name = name[1:]
            if len(name) <= 10 and not _NO_NAME.search(name):
                names[name] = None
    return tuple(sorted(names, key=lambda name: -len(name)))
