"""Read warnings in the JSON shapes of Chinese services, and as plain text, by what a field means and not by format.

One table of aliases serves some 35 formats: whoever names a new field adds a word to it, never a parser. It must never
invent a time: a document that tells none is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from config.rules import Hazard
from streams.doors.issued import (
    MAX_WARNINGS,
    clean,
    one_line,
    read_identifier,
    read_kind,
    read_references,
    split_list,
    too_many,
    unique,
    warning_id,
)
from streams.doors.reading_hazard import (
    Naming,
    read_cma_number,
    read_colour,
    read_event_code,
    read_hazard_word,
    read_picture,
)
from streams.doors.reading_text import TextFacts, expand_issuer, read_text
from streams.doors.reading_time import CHINA_ZONE, read_time
from streams.doors.refusal import RefusedError, missing, unreadable
from streams.ids import digest
from streams.letters import IssuedWarning
from streams.words import Colour, MsgType, Status

_ALIASES = {
    "identifier": "identifier w16 alertid alarmid warnid warningid id w10",
    "headline": "headline head title w13 alerttitle warntitle name",
    "text": "issuecontent description desc content text txt info w9 detail alarmcontent warncontent summary",
    "sent": "sent sendtime issuetime issuedtime pubtime publishtime pubdate pubtimestamp publishdate w8"
    " releasetime time date starttime publishtimes",
    "effective": "effective effectivetime starttime",
    "onset": "onset onsettime",
    "expires": "expires expiretime relievetime endtime w15 expirestime ends",
    "code": "eventtype eventcode eventtype.code type",
    "cma_kind": "typecode w4",
    "cma_colour": "levelcode w6",
    "cma_both": "code",
    "type": "signaltype eventtypecn eventtype.name typename w5 alertname warntype type event",
    "level": "signallevel severitycolor color.code color w7 alertlevel levelname warnlevel level severity",
    "kind": "msgtype messagetype messagetype.code w14",
    "state": "warningstate stat state status",
    "references": "references referencesinfo supersedes messagetype.supersedes related",
    "sender": "sender sendername publisher issuer",
    "county": "county district stationname w3",
    "city": "city w2",
    "province": "province w1",
    "geocode": "geocode geocodes areacode adcode regioncode regionid",
    "instruction": "instruction defenseguideline guideline defense guide",
    "areas": "areadesc areaname",
    "language": "language",
}
"""Meaning → field names, the best first; written without case, underscores and hyphens, nested ones with a dot."""

_KEYS = {meaning: tuple(names.split()) for meaning, names in _ALIASES.items()}
_NAMES_WORDS = frozenset(_KEYS["headline"] + _KEYS["text"])
_FOLD = str.maketrans("", "", "_- ")
_DEPTH = 12
_SAYS_WARNING = re.compile(r"预警|警报|warning|\balert\b|\bsignal\b", re.IGNORECASE)
_FILE_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
_GB_CODE = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])\d{4}(?:\d{3}|\d{6})?")
_DRILL = re.compile(r"^\W{0,3}(?:(?P<exercise>[^，。：]{0,6}演练|演习)|(?P<test>[^，。：]{0,6}测试))[】\])）:：\s]")


def read_json(content: str, hazards: Sequence[Hazard], *, realm: str, received_at: datetime) -> list[IssuedWarning]:
    """Read every warning of a JSON document, however deep its envelope is.

    Raises:
        RefusedError: 400: no JSON, no warning in it, or a warning without what calling depends on.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise RefusedError(
            400,
            f"line {line}",
            f"不是完整的 JSON，第 {line} 行附近有错，请检查文件是否被截断。",
            f"This is no well-formed JSON, see near line {line}; check whether it was cut off.",
        ) from error
    rows = list(islice(_rows(document, 0), MAX_WARNINGS + 1))
    if not rows:
        raise RefusedError(
            400,
            "$",
            "JSON 里没有找到预警：需要有标题或正文，并写明“预警”。",
            "No warning was found in the JSON: a title or a text that says it is one is needed.",
        )
    if len(rows) > MAX_WARNINGS:
        raise too_many("$", MAX_WARNINGS)
    return [_RowReader(row, hazards, realm, received_at).read() for row in rows]


def read_plain(content: str, hazards: Sequence[Hazard], *, realm: str, received_at: datetime) -> list[IssuedWarning]:
    """Read one warning as plain text; its first line may be the headline.

    Raises:
        RefusedError: 400: it does not say that it is a warning, or when it was issued.
    """
    row = {"text": content}
    if not _SAYS_WARNING.search(content):
        raise unreadable("text", one_line(content))
    return [_RowReader(row, hazards, realm, received_at).read()]


def _rows(node: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the dictionaries that are warnings; one that holds warnings is their envelope."""
    if depth > _DEPTH:
        return
    if isinstance(node, list):
        for item in node:
            yield from _rows(item, depth + 1)
    elif isinstance(node, dict):
        inner = [row for value in node.values() if isinstance(value, dict | list) for row in _rows(value, depth + 1)]
        flat = _flat(node)
        if inner:
            yield from inner
        elif _is_warning(flat):
            yield flat


def _flat(node: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with their names folded, and those of nested objects under `outer.inner`."""
    flat: dict[str, Any] = {}
    for key, value in node.items():
        name = key.translate(_FOLD).lower()
        if isinstance(value, dict):
            flat |= {f"{name}.{inner.translate(_FOLD).lower()}": item for inner, item in value.items()}
        else:
            flat.setdefault(name, value)
    return flat


def _is_warning(flat: dict[str, Any]) -> bool:
    """Tell whether it says it is a warning, or has all that one has: a name, a time and a text."""
    if _NAMES_WORDS.isdisjoint(flat):
        return False
    said = f"{_first(flat, 'headline')} {_first(flat, 'text')}"
    if _SAYS_WARNING.search(said):
        return True
    return bool(_first(flat, "identifier") and _first(flat, "sent") and _first(flat, "text") and _first(flat, "type"))


def _values(flat: dict[str, Any], meaning: str) -> Iterator[str]:
    """Yield the values of a meaning that hold something, the best first."""
    for key in _KEYS[meaning]:
        value = flat.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            word = clean(str(value)) if not isinstance(value, int) or abs(value) < 10**18 else ""
            if word:
                yield word


def _first(flat: dict[str, Any], meaning: str) -> str:
    return next(_values(flat, meaning), "")


class _RowReader:
    """Reads one row; an object because headline, time and facts are each needed by several parts."""

    def __init__(self, row: dict[str, Any], hazards: Sequence[Hazard], realm: str, received_at: datetime) -> None:
        self.row = row
        self.hazards = hazards
        self.realm = realm
        self.headline, self.text = self._words()
        self.identifier = one_line(_first(row, "identifier"))[:300]
        self.region, told_at = read_identifier(self.identifier)
        sent = self._time("sent") or told_at or self._time("effective")
        self.facts: TextFacts = read_text(self.headline, self.text, hazards, reference=sent or received_at)
        self.sent = sent or self.facts.issued_at
        self.area = next((place for level in ("county", "city", "province") if (place := _first(row, level))), "")

    def _words(self) -> tuple[str, str]:
        """Return headline and text. File names are no headlines; a first line that says 预警 is one."""
        headline = next((word for word in _values(self.row, "headline") if not _FILE_NAME.fullmatch(word)), "")
        text = _first(self.row, "text")
        first, _, rest = text.partition("\n")
        if not headline and rest.strip() and len(first) <= 80 and _SAYS_WARNING.search(first):
            headline, text = first, rest
        return one_line(headline), clean(text)

    def read(self) -> IssuedWarning:
        """Return the warning; see read_json."""
        if self.sent is None:
            told = _first(self.row, "sent")
            raise unreadable("sent", told) if told else missing("sent")
        issuer = expand_issuer(self.facts.issuer, self.area) or one_line(_first(self.row, "sender"))
        sender = one_line(_first(self.row, "sender")) or issuer or self.area
        if not sender:
            raise missing("sender")
        kind = self._kind()
        identifier = self.identifier or f"text-{digest(sender, self.headline, self.text)}"
        # Services keep a warning's identifier when they lift it; the id must differ, or the Cancel is taken for the
        # same document again. It then refers to its own earlier self.
        lifted = (kind.value,) if kind is MsgType.CANCEL else ()
        references = self._references() or ((identifier,) if lifted and self.identifier else ())
        hazard, colour = self._naming()
        return IssuedWarning(
            id=warning_id(self.realm, sender, identifier, self.sent, *lifted),
            realm=self.realm,
            status=self._status(),
            kind=kind,
            identifier=identifier,
            sender=sender,
            sent=self.sent,
            references=references,
            issuer=issuer or sender,
            hazard=hazard,
            colour=colour,
            headline=self.headline,
            text=self.text,
            instruction=_first(self.row, "instruction"),
            continued=self.facts.continued,
            effective_at=self._time("effective"),
            onset_at=self._time("onset"),
            expires_at=self._time("expires"),
            geocodes=self._geocodes(),
            area_names=unique([*split_list(_first(self.row, "areas")), self.area], "areaDesc"),
            languages=unique([_first(self.row, "language")], "language"),
        )

    def _time(self, meaning: str) -> datetime | None:
        times = (read_time(word, CHINA_ZONE) for word in _values(self.row, meaning))
        return next((at for at in times if at is not None), None)

    def _kind(self) -> MsgType:
        """Return what it does: as a field says, or a state (预警解除), or the wording. 解除 in a headline decides."""
        told = _first(self.row, "kind")
        state = " ".join(_values(self.row, "state"))
        explicit = read_kind(told) if told else None
        if explicit in (MsgType.ACK, MsgType.ERROR, MsgType.CANCEL):
            return explicit
        lifts = self.facts.cancelled and (not told or "解除" in self.headline or "取消" in self.headline)
        if lifts or (not told and re.search("解除|取消|撤销|cancel|expired", state, re.IGNORECASE)):
            return MsgType.CANCEL
        if explicit:
            return explicit
        return MsgType.UPDATE if re.search("更新|变更|继续|升级|update", state, re.IGNORECASE) else MsgType.ALERT

    def _status(self) -> Status:
        """Return the CAP status where given; else a headline that begins with 演练 or 测试 is no real warning."""
        given = {status.value.lower(): status for status in Status}
        status = next((given[word.lower()] for word in _values(self.row, "state") if word.lower() in given), None)
        if status:
            return status
        drill = _DRILL.match(self.headline or self.text)
        if drill:
            return Status.EXERCISE if drill["exercise"] else Status.TEST
        return Status.ACTUAL

    def _naming(self) -> tuple[str | None, Colour | None]:
        """Return hazard and colour: event code, then the type and level fields, the words, at last numbered codes."""
        codes = [read_event_code(word, self.hazards) for word in _values(self.row, "code")]
        types = (read_hazard_word(word, self.hazards) for word in _values(self.row, "type"))
        levels = (read_colour(word) for word in _values(self.row, "level"))
        hazard = next((naming.hazard for naming in codes if naming.hazard), None)
        colour = next((level for level in levels if level), None)
        colour = colour or next((naming.colour for naming in codes if naming.colour), None) or self.facts.colour
        hazard = hazard or next((key for key in types if key), None) or self.facts.hazard
        if hazard and colour:
            return hazard, colour
        numbered = self._numbered()
        return hazard or numbered.hazard, colour or numbered.colour

    def _numbered(self) -> Naming:
        """Return what a picture's name or CMA's own numbers tell; good enough only where no word says it."""
        words = (value for value in self.row.values() if isinstance(value, str) and len(value) < 300)
        picture = next((naming for word in words if (naming := read_picture(word, self.hazards)).colour), None)
        kind = _first(self.row, "cma_kind") + _first(self.row, "cma_colour")
        return picture or read_cma_number(kind or _first(self.row, "cma_both"), self.hazards)

    def _references(self) -> tuple[str, ...]:
        told: list[str] = []
        for key in _KEYS["references"]:
            value = self.row.get(key)
            for item in value if isinstance(value, list) else [value]:
                word = item.get("identifier") if isinstance(item, dict) else item
                if isinstance(word, str | int):
                    told += read_references(clean(str(word)), self.identifier)
        return unique(told, "references")

    def _geocodes(self) -> tuple[str, ...]:
        """Return the administrative codes given, else the region of the identifier; other numbers are no codes."""
        told: list[str] = []
        for key in (*_KEYS["geocode"], *(key for key in self.row if key.startswith("geocode."))):
            value = self.row.get(key)
            for item in value if isinstance(value, list) else [value]:
                told += split_list(str(item)) if isinstance(item, str | int) else []
        return unique([code for code in told if _GB_CODE.fullmatch(code)] or [self.region], "geocode")
