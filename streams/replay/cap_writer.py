"""Writes a warning as the 12379 platform sends it, so that a replay goes in through the real door.

Colour as severity, a space in times, an empty `expires`, geocode and areaDesc repeated and comma-joined, references =
the first document of the chain: the traps of domain knowledge are kept on purpose. It must never be used to send a
warning to anybody; it knows no address.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lxml import etree

from config.rules import Hazard
from streams.words import Colour, Model, MsgType, Status

LEVEL_WORDS = {
    Colour.BLUE: "IV级/一般",
    Colour.YELLOW: "III级/较重",
    Colour.ORANGE: "II级/严重",
    Colour.RED: "I级/特别重大",
}
COLOUR_CODES = {Colour.BLUE: "01", Colour.YELLOW: "02", Colour.ORANGE: "03", Colour.RED: "04"}
CHINA = ZoneInfo("Asia/Shanghai")


class Document(Model):
    """What one document says.

    Args:
        identifier: `<14 digits of the sender>_<time>`; the digits are also the senderCode.
        issuer: The office, 禾溪县气象台.
        sent: Aware.
        kind: Alert, Update or Cancel.
        hazard: What it is about; None leaves code and headline without one.
        colour: Of the warning; None leaves it out.
        text: The description.
        geocodes: 12-digit codes.
        area_names: As people write them.
        references: Identifiers, the first document of the chain first.
        expires_at: None writes an empty element, as the platform does.
        status: Actual, unless it is an exercise.
        continued: 继续发布 in the headline.
    """

    identifier: str
    issuer: str
    sent: datetime
    kind: MsgType = MsgType.ALERT
    hazard: Hazard | None
    colour: Colour | None
    text: str
    geocodes: tuple[str, ...]
    area_names: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    expires_at: datetime | None = None
    status: Status = Status.ACTUAL
    continued: bool = False

    @property
    def headline(self) -> str:
        """Return 禾溪县气象台发布暴雨红色预警[I级/特别重大]."""
        verb = "解除" if self.kind is MsgType.CANCEL else "继续发布" if self.continued else "发布"
        hazard = self.hazard.name if self.hazard else "重要天气"
        if self.colour is None:
            return f"{self.issuer}{verb}{hazard}信息"
        return f"{self.issuer}{verb}{hazard}{self.colour.chinese}预警[{LEVEL_WORDS[self.colour]}]"


def write_cap(document: Document) -> bytes:
    """Return the document as XML bytes in UTF-8."""
    alert = etree.Element("alert")
    sender_code = document.identifier.partition("_")[0]
    _add(alert, "identifier", document.identifier)
    _add(alert, "sender", document.issuer)
    _add(alert, "senderCode", sender_code)
    _add(alert, "sendTime", _time(document.sent))
    _add(alert, "status", document.status.value)
    _add(alert, "msgType", document.kind.value)
    _add(alert, "scope", "Public")
    _add(alert, "secClassification", "None")
    _add(alert, "note", "")
    _add(alert, "references", ",".join(document.references))
    info = etree.SubElement(alert, "info")
    _add(info, "language", "zh-CN")
    _add(info, "eventType", _event_code(document))
    _add(info, "urgency", "Unknown")
    _add(info, "severity", document.colour.value.capitalize() if document.colour else "Unknown")
    _add(info, "certainty", "Unknown")
    _add(info, "effective", _time(document.sent))
    _add(info, "onset", "")
    _add(info, "expires", _time(document.expires_at) if document.expires_at else "")
    _add(info, "senderName", "值班员")
    _add(info, "headline", document.headline)
    _add(info, "description", document.text)
    _add(info, "instruction", "")
    area = etree.SubElement(info, "area")
    _add(area, "areaDesc", ",".join(document.area_names * 2))
    _add(area, "polygon", "")
    _add(area, "geocode", ",".join(document.geocodes * 2))
    content: bytes = etree.tostring(alert, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return content


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _time(at: datetime) -> str:
    return at.astimezone(CHINA).isoformat(sep=" ", timespec="seconds")


def _event_code(document: Document) -> str:
    """Return the code of the 国突 table, or nothing where the hazard has none: then the headline tells it."""
    return document.hazard.codes[0] if document.hazard and document.hazard.codes else ""
