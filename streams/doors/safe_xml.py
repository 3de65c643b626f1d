"""Parse XML of strangers. It must never resolve an entity, load a DTD, open a file or a connection."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from streams.doors.refusal import RefusedError, unreadable

_PROLOG = re.compile(rb"(?:\s++|<\?(?s:.*?)\?>|<!--(?s:.*?)-->)*+<!DOCTYPE", re.IGNORECASE)
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODINGS = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"gb2312", b"gbk", b"gb18030", b"big5", b"iso-8859-1"}
_ENCODINGS |= {b"windows-1252", b"utf-16"}


def parse_xml(content: bytes) -> etree._Element:
    """Parse a document and return its root.

    Encodings are those that warnings really come in; where none is declared and it is not UTF-8, GB 18030.

    Raises:
        RefusedError: 400: it is not well-formed, declares a DOCTYPE, or an encoding we do not take.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        # UTF-16 would hide a DOCTYPE from the search below.
        content = content.decode("utf-16", errors="replace").encode()
        encoding: str | None = "utf-8"
    else:
        encoding = _encoding(content)
    if _PROLOG.match(content.removeprefix(b"\xef\xbb\xbf")):
        raise _doctype()
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        line = getattr(error, "lineno", None) or 1
        raise RefusedError(
            400,
            f"line {line}",
            f"不是完整的 XML，第 {line} 行附近有错，请检查文件是否被截断。",
            f"This is no well-formed XML, see near line {line}; check whether it was cut off.",
        ) from error
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise _doctype()
    return root


def _encoding(content: bytes) -> str | None:
    """Return the encoding to force: GB 18030 where none is declared and it is not UTF-8; None as declared."""
    declared = _ENCODING.search(content[:300])
    if declared:
        if declared[1].lower() not in _ENCODINGS:
            raise unreadable("encoding", declared[1].decode("ascii"))
        return "utf-8" if declared[1].lower() == b"utf-16" else None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return None


def _doctype() -> RefusedError:
    return RefusedError(
        400,
        "DOCTYPE",
        "文件带有 DOCTYPE 或实体声明，出于安全不予接收，请去掉后重新发送。",
        "The document declares a DOCTYPE or entities, which is not taken for safety; remove it and send again.",
    )
