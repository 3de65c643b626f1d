"""Spoiling that knows the shape of a document: XML, JSON, YAML, calendars, workbooks; bombs included."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
import zlib
from random import Random
from typing import Any

from lxml import etree

from tests.fuzz.spoil import BY_BYTES, WORDS, Spoiler, put_in

DEEP = 20_000
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    [],
    {},
    [[]],
    "",
    "\x00",
    "\ud800",
    -1,
    0.1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    [None] * 2000,
    {"": ""},
    "2021-13-45T99:99:99",
    {"$ref": "#"},
    "9" * 5000,
    "暴雨" * 3000,
)
BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">%s]><alert>&e8;</alert>""" % b"".join(
    b'<!ENTITY e%d "%s">' % (n, (b"&a;" if n == 0 else b"&e%d;" % (n - 1)) * 20) for n in range(9)
)
FOREIGN = b"""<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY %% y SYSTEM "http://127.0.0.1:9/y">]>"""


def change_elements(content: bytes, chance: Random) -> bytes:
    """Elements are gone, doubled, moved, renamed, emptied, or hold what they should not."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    except (etree.XMLSyntaxError, ValueError):
        return put_in(content, chance)
    if root is None:
        return put_in(content, chance)
    for _ in range(chance.randint(1, 4)):
        _change_element(chance.choice([one for one in root.iter() if isinstance(one.tag, str)]), root, chance)
    return etree.tostring(root, xml_declaration=chance.random() < 0.5, encoding=chance.choice(("UTF-8", "GB18030")))


def _change_element(one: Any, root: Any, chance: Random) -> None:
    parent = one.getparent()
    match chance.randrange(7):
        case 0 if parent is not None:
            parent.remove(one)
        case 1 if parent is not None:
            for _ in range(chance.choice((1, 1, 300))):
                parent.append(copy.deepcopy(one))
        case 2 if parent is not None:
            root.append(one)
        case 3:
            one.text = chance.choice(WORDS).decode(errors="ignore").translate(dict.fromkeys((*range(32), 0x2028)))
        case 4:
            one.text = None
        case 5:
            one.tag = chance.choice(("x", "{urn:oasis:names:tc:emergency:cap:1.1}info", "alert", "html"))
        case _:
            one.set("x", "y" * chance.choice((1, 70_000)))


def explode_xml(content: bytes, chance: Random) -> bytes:
    """Entities within entities, a file of ours, a server of theirs, depth without end."""
    match chance.randrange(5):
        case 0:
            return BOMB
        case 1:
            start = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
            return content[:start] + FOREIGN.replace(b"%%", b"%") + content[start:].replace(b"</", b"&x;</", 1)
        case 2:
            return b"<a>" * DEEP + content + b"</a>" * DEEP
        case 3:
            return b"<alert>" + b"<!-- " * chance.randint(1, DEEP) + content
        case _:
            return content.replace(b">", b' a="' + b"x" * 100_000 + b'">', 1)


def change_values(content: bytes, chance: Random) -> bytes:
    """Values of JSON are gone, doubled, of another kind, or nested without end."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return put_in(content, chance)
    for _ in range(chance.randint(1, 4)):
        value = _change_value(value, chance, 0)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")


def _change_value(value: Any, chance: Random, depth: int) -> Any:
    if depth > 12 or not isinstance(value, dict | list) or not value or chance.random() < 0.25:
        return chance.choice(ODD_VALUES)
    if isinstance(value, dict):
        name = chance.choice(list(value))
        match chance.randrange(3):
            case 0:
                return {key: inner for key, inner in value.items() if key != name}
            case 1:
                return {**value, name + chance.choice(("", " ", "\x00", "x")): chance.choice(ODD_VALUES)}
            case _:
                return {**value, name: _change_value(value[name], chance, depth + 1)}
    place = chance.randrange(len(value))
    match chance.randrange(3):
        case 0:
            return value[:place] + value[place + 1 :]
        case 1:
            return value[:place] + [value[place]] * chance.choice((2, 3000)) + value[place:]
        case _:
            return [*value[:place], _change_value(value[place], chance, depth + 1), *value[place + 1 :]]


def explode_json(content: bytes, chance: Random) -> bytes:
    """Depth without end, numbers without end, the same name twice."""
    match chance.randrange(5):
        case 0:
            return b"[" * DEEP + content + b"]" * chance.choice((DEEP, 0))
        case 1:
            return b'{"a":' * DEEP + content + b"}" * DEEP
        case 2:
            return content.replace(b":", b":1" + b"0" * 100_000 + b",", 1)
        case 3:
            return b'{"a":1,' + content.strip().lstrip(b"{[") + content
        case _:
            return b"[" + b",".join([content.strip() or b"0"] * 50) + b"]"


def explode_yaml(content: bytes, chance: Random) -> bytes:
    """Names of names of names, tags that would run code, depth without end, the same key twice."""
    match chance.randrange(6):
        case 0:
            bomb = b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
            for n in range(1, 9):
                bomb += b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9))
            return content + b"\n" + bomb
        case 1:
            return content + b"\nx: !!python/object/apply:os.system ['true']\n"
        case 2:
            return content + b"\nx: " + b"[" * DEEP
        case 3:
            return content + b"\n" + content
        case 4:
            return content.replace(b": ", b": &x *x ", 1)
        case _:
            return content.replace(b": ", b": !!binary ", 1)


def explode_calendar(content: bytes, chance: Random) -> bytes:
    """Rules that never end, every second, of years nobody lives in; lines folded without end."""
    rules = (
        b"RRULE:FREQ=SECONDLY",
        b"RRULE:FREQ=DAILY;COUNT=999999999999",
        b"RRULE:FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
        b"RRULE:FREQ=MINUTELY;INTERVAL=0",
        b"RRULE:FREQ=DAILY;UNTIL=99991231T235959Z",
        b"DTSTART:00000101T000000Z",
        b"DTEND:99991231T235959Z",
        b"DURATION:P999999999D",
        b"EXDATE:" + b",".join([b"20210719T120000Z"] * 3000),
        b"RDATE:" + b",".join([b"20210719T120000Z"] * 3000),
        b"DTSTART;TZID=Mars/Phobos:20210719T080000",
        b"RRULE:FREQ=NEVER",
        b"BEGIN:VEVENT",
        b"END:VCALENDAR",
        b"X-" + b"A" * 70_000 + b":1",
        b"RECURRENCE-ID:20210719T080000",
    )
    lines = content.splitlines()
    for _ in range(chance.randint(1, 3)):
        lines.insert(chance.randint(0, len(lines)), chance.choice(rules))
    return (b"\r\n " if chance.random() < 0.1 else b"\r\n").join(lines)


def change_parts(content: bytes, chance: Random) -> bytes:
    """Parts of a workbook are spoiled as XML, gone, doubled, or swapped."""
    parts = _unpacked(content)
    if not parts:
        return put_in(content, chance)
    name = chance.choice(sorted(parts))
    match chance.randrange(5):
        case 0:
            del parts[name]
        case 1:
            parts[name] = chance.choice(BY_BYTES)(parts[name], chance)
        case 2:
            parts[name] = explode_xml(parts[name], chance)
        case 3:
            other = chance.choice(sorted(parts))
            parts[name], parts[other] = parts[other], parts[name]
        case _:
            parts[name] = change_elements(parts[name], chance)
    return _packed(parts)


def explode_workbook(content: bytes, chance: Random) -> bytes:
    """A gigabyte in a small file, a sheet that says it reaches to the end of the world, thousands of rows."""
    parts = _unpacked(content)
    sheet = next((name for name in sorted(parts) if name.startswith("xl/worksheets/")), "")
    if not sheet:
        return put_in(content, chance)
    match chance.randrange(5):
        case 0:
            return _packed(parts, ("xl/media/zeros", b"\0", 300))
        case 1:
            del parts[sheet]
            return _packed(parts, (sheet, b" ", 150))
        case 2:
            cell = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
            parts[sheet] = parts[sheet].replace(b"</sheetData>", cell)
        case 3:
            rows = b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(2, 60_000))
            parts[sheet] = parts[sheet].replace(b"</sheetData>", rows + b"</sheetData>")
        case _:
            merge = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
            parts[sheet] = parts[sheet].replace(b"</worksheet>", merge)
    return _packed(parts)


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the parts of a workbook, none where it was spoiled before."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return {name: packed.read(name) for name in packed.namelist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        struct.error,
    ):
        return {}


def _packed(parts: dict[str, bytes], bomb: tuple[str, bytes, int] | None = None) -> bytes:
    """Pack parts, and beside them one of so many mebibytes of one letter: never held whole by whoever packs it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
        if bomb:
            name, letter, size_mib = bomb
            with packed.open(name, "w") as entry:
                for _ in range(size_mib):
                    entry.write(letter * 1024 * 1024)
    return target.getvalue()


XML: tuple[Spoiler, ...] = (change_elements, change_elements, change_elements, explode_xml)
JSON: tuple[Spoiler, ...] = (change_values, change_values, change_values, explode_json)
YAML: tuple[Spoiler, ...] = (explode_yaml,)
CALENDAR: tuple[Spoiler, ...] = (explode_calendar, explode_calendar)
WORKBOOK: tuple[Spoiler, ...] = (change_parts, change_parts, change_parts, change_parts, change_parts, explode_workbook)
