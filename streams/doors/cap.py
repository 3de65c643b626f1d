"""Read warnings in XML: CAP 1.0, 1.1 and 1.2, and the 12379 dialect as it really comes.

Liberal in what differs between issuers, strict where calling depends on it: a missing identifier, sender, time, status
or kind is refused by name. It must never resolve an entity, load a DTD, touch the network, or guess a colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from lxml import etree

from config.rules import Hazard
from streams.doors.issued import (
    MAX_WARNINGS,
    clean,
    one_line,
    read_identifier,
    read_kind,
    read_references,
    read_status,
    split_list,
    too_many,
    unique,
    warning_id,
)
from streams.doors.reading_hazard import Naming, read_colour, read_event_code, read_hazard_word
from streams.doors.reading_text import TextFacts, read_text
from streams.doors.reading_time import CHINA_ZONE, read_time
from streams.doors.refusal import RefusedError, missing, unreadable
from streams.doors.safe_xml import parse_xml
from streams.letters import IssuedWarning
from streams.words import Colour, MsgType

_NAMESPACES = {
    "",
    "http://www.incident.com/cap/1.0",
    "urn:oasis:names:tc:emergency:cap:1.0",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "urn:oasis:names:tc:emergency:cap:1.2",
}
_SEVERITIES = ("unknown", "minor", "moderate", "severe", "extreme")
_CHINESE = re.compile("[\u3400-\u9fff]")
_OFFICE = re.compile("[局台站部厅委办]$|中心|政府|指挥|总站")


def read_cap(content: bytes, hazards: Sequence[Hazard], *, realm: str) -> list[IssuedWarning]:
    """Read every alert of a document, be it the root or embedded (alerts, EDXL distribution, Atom, RSS).

    One bad alert refuses the whole document: a person has to look at it, and nothing of it is lost.

    Raises:
        RefusedError: 400 with the element at fault.
    """
    alerts = list(islice(_alerts(parse_xml(content)), MAX_WARNINGS + 1))
    if len(alerts) > MAX_WARNINGS:
        raise too_many("alert", MAX_WARNINGS)
    return [_AlertReader(alert, hazards, realm).read() for alert in alerts]


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _alerts(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the alerts of a document.

    Raises:
        RefusedError: There is none, or one of a namespace that is no CAP.
    """
    found = False
    for element in root.iter(etree.Element):
        name = etree.QName(element)
        if name.localname != "alert":
            continue
        if (name.namespace or "") not in _NAMESPACES:
            raise unreadable("alert@xmlns", name.namespace or "")
        found = True
        yield element
    if not found:
        raise RefusedError(
            400,
            _local(root),
            f"<{_local(root)}> 里没有 CAP 预警（alert）；目录类的 Atom、RSS 请发送其中链接的预警原文。",
            f"<{_local(root)}> holds no CAP alert; of an index in Atom or RSS, send the alerts it links to.",
        )


class _AlertReader:
    """Reads one alert; kept as an object because every part needs the dialect's zone and the hazards."""

    def __init__(self, alert: etree._Element, hazards: Sequence[Hazard], realm: str) -> None:
        self.alert = alert
        self.hazards = hazards
        self.realm = realm
        self.infos = [_Info(info) for info in alert if _local(info) == "info"]
        self.naive_zone = CHINA_ZONE if self._is_dialect() else None

    def _is_dialect(self) -> bool:
        """Tell whether times without a zone are China's: the 12379 dialect, or any alert in Chinese."""
        return (
            not etree.QName(self.alert).namespace
            or bool(_value(self.alert, "sendTime") or _value(self.alert, "senderCode"))
            or any(info.is_chinese for info in self.infos)
        )

    def read(self) -> IssuedWarning:
        """Return the warning; see read_cap."""
        identifier = self._required("identifier")
        sender = one_line(_value(self.alert, "sender")) or self._required("senderCode", "sender")
        sent = self._sent()
        status = read_status(self._required("status"))
        kind = read_kind(self._required("msgType"))
        if not self.infos and kind in (MsgType.ALERT, MsgType.UPDATE):
            raise missing("info")
        info = max(self.infos, key=_Info.rank, default=_Info(None))
        note = clean(_value(self.alert, "note"))
        text = info.value("description") or note
        facts = read_text(info.value("headline"), text, self.hazards, reference=sent)
        if facts.cancelled and _headline_lifts(info, self.hazards) and kind in (MsgType.ALERT, MsgType.UPDATE):
            # 解除 in the headline is what a person reads; some systems send it as an Update.
            kind = MsgType.CANCEL
        naming = self._naming(info, facts)
        region, _ = read_identifier(identifier)
        areas = [area for each in self.infos for area in each.areas]
        geocodes = unique((code for area in areas for code in area.geocodes), "geocode")
        return IssuedWarning(
            id=warning_id(self.realm, sender, identifier, sent),
            realm=self.realm,
            status=status,
            kind=kind,
            identifier=identifier,
            sender=sender,
            sent=sent,
            references=read_references(clean(_value(self.alert, "references")), identifier),
            issuer=_issuer(sender, one_line(info.value("senderName")), facts.issuer),
            hazard=naming.hazard,
            colour=naming.colour,
            headline=one_line(info.value("headline")),
            text=f"{text}\n{note}" if kind is MsgType.CANCEL and note and note != text else text,
            instruction=info.value("instruction"),
            continued=facts.continued,
            effective_at=self._time(info, "effective"),
            onset_at=self._time(info, "onset"),
            expires_at=self._time(info, "expires"),
            geocodes=geocodes or unique([region], "geocode"),
            area_names=unique((name for area in areas for name in area.names), "areaDesc"),
            areas_by_shape=any(area.has_shape and not area.geocodes for area in areas),
            languages=unique((each.value("language") for each in self.infos), "language"),
        )

    def _required(self, *names: str) -> str:
        """Return an element that calling depends on; the last name is the one a refusal tells."""
        value = one_line(_value(self.alert, names[0]))
        if not value:
            raise missing(names[-1])
        if len(value) > 300:
            raise unreadable(names[-1], value)
        return value

    def _sent(self) -> datetime:
        value = clean(_value(self.alert, "sent")) or clean(_value(self.alert, "sendTime"))
        if not value:
            raise missing("sent")
        sent = read_time(value, self.naive_zone)
        if sent is None:
            raise unreadable("sent", value)
        return sent

    def _time(self, info: _Info, name: str) -> datetime | None:
        """Return an optional time; one that cannot be read counts as not given, and the hazard's default applies."""
        value = info.value(name)
        return read_time(value, self.naive_zone) if value else None

    def _naming(self, info: _Info, facts: TextFacts) -> Naming:
        """Return hazard and colour: by code, else by the words; a CAP severity such as Severe is no colour."""
        codes = [read_event_code(code, self.hazards) for code in info.codes]
        hazard = next((naming.hazard for naming in codes if naming.hazard), None)
        colour = read_colour(info.value("severity")) or next((naming.colour for naming in codes if naming.colour), None)
        event = read_hazard_word(info.value("event"), self.hazards)
        if info.is_chinese:
            return Naming(hazard or facts.hazard or event, colour or facts.colour)
        # A foreign text speaks of wind and rain in passing, and a Yellow Warning elsewhere is not our 黄色: only event
        # and headline say what it is about, and the colour stays open.
        told = event or facts.hazard or read_hazard_word(info.value("headline"), self.hazards)
        return Naming(hazard or told, colour)


class _Info:
    """One info of an alert, or the lack of one (a bare Cancel)."""

    def __init__(self, element: etree._Element | None) -> None:
        self.element = element
        self.areas = [_Area(area) for area in element if _local(area) == "area"] if element is not None else []
        self.codes = unique(self._codes(), "eventCode")
        self.is_chinese = self.value("language").lower().startswith("zh") or bool(
            _CHINESE.search(self.value("headline") + self.value("event"))
        )

    def value(self, name: str) -> str:
        """Return the cleaned text of a child, or an empty word."""
        return clean(_value(self.element, name)) if self.element is not None else ""

    def rank(self) -> tuple[bool, int, bool]:
        """Order the infos of one alert: Chinese before others, then by severity, then English before others."""
        severity = self.value("severity")
        colour: Colour | None = read_colour(severity)
        level = _SEVERITIES.index(severity.lower()) if severity.lower() in _SEVERITIES else 0
        return (self.is_chinese, colour.severity if colour else level, self.value("language").lower().startswith("en"))

    def _codes(self) -> Iterator[str]:
        for child in self.element if self.element is not None else ():
            if _local(child) == "eventType":
                yield from split_list(_text(child))
            elif _local(child) == "eventCode":
                yield from (_text(value) for value in child if _local(value) == "value")
                yield clean(child.text or "")


class _Area:
    """One area: its codes, its words, and whether it has a shape."""

    def __init__(self, element: etree._Element) -> None:
        self.geocodes: list[str] = []
        self.names: list[str] = []
        self.has_shape = False
        for child in element:
            name = _local(child)
            if name == "geocode":
                values = [_text(value) for value in child if _local(value) == "value"]
                # CAP 1.0 writes FIPS6=006109; the 12379 dialect puts the codes straight in, comma-joined.
                values = values or [clean(child.text or "").rpartition("=")[2]]
                self.geocodes += [code for value in values for code in split_list(value)]
            elif name == "areaDesc":
                words = one_line(_text(child))
                self.names += split_list(words) if _CHINESE.search(words) else [words]
            elif name in ("polygon", "circle"):
                self.has_shape = self.has_shape or bool(_text(child))
        self.geocodes = [code for code in self.geocodes if code]


def _text(element: etree._Element) -> str:
    return clean("".join(str(part) for part in element.itertext()))


def _value(element: etree._Element | None, name: str) -> str:
    """Return the text of the first child of that name, whatever its prefix."""
    for child in element if element is not None else ():
        if _local(child) == name:
            return _text(child)
    return ""


def _headline_lifts(info: _Info, hazards: Sequence[Hazard]) -> bool:
    return read_text(info.value("headline"), "", hazards).cancelled


def _issuer(sender: str, sender_name: str, told: str) -> str:
    """Return the office that issued it: in the 12379 dialect senderName is the person on duty, and no office."""
    offices = [name for name in (sender, sender_name) if _OFFICE.search(name)]
    return next(iter(offices), told or sender_name or sender)
