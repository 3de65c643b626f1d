"""The one entrance of warnings: bytes and a media type in, normalised warnings out, or a refusal that says why.

Pure: no clock, no database, no network. It must never let anything but `RefusedError` out for what a stranger sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from config.rules import Hazard
from streams.doors.cap import read_cap
from streams.doors.cn_json import read_json, read_plain
from streams.doors.refusal import RefusedError
from streams.letters import IssuedWarning

LIMIT_BYTES = 1024 * 1024
XML_TYPES = {"application/cap+xml", "application/xml", "text/xml", "application/atom+xml", "application/rss+xml"}
JSON_TYPES = {"application/json", "application/geo+json", "text/json"}
TEXT_TYPES = {"text/plain"}


def read_warning(
    content: bytes,
    media_type: str | None,
    hazards: Sequence[Hazard],
    *,
    realm: str = "real",
    received_at: datetime,
    limit_bytes: int = LIMIT_BYTES,
) -> tuple[IssuedWarning, ...]:
    """Read every warning of a document, in its order.

    Args:
        content: The bytes as they came.
        media_type: The Content-Type with its parameters; None (a dropped file) goes by the first character.
        hazards: Of config/hazards.yaml.
        realm: `real`, `drill:<id>` or `check:<id>`.
        received_at: When it came in; only fills the year or day a text leaves out, and is never part of a warning.
        limit_bytes: More is refused unread.

    Raises:
        RefusedError: 413 too large; 415 another media type; 400 anything in it, with the element at fault.
        ValueError: The realm is none (a fault of ours, not of the sender).
    """
    if len(content) > limit_bytes:
        raise RefusedError(
            413,
            "document",
            f"文件有 {len(content)} 字节，超过上限 {limit_bytes} 字节，请拆分后发送。",
            f"The document has {len(content)} bytes, more than {limit_bytes}; split it and send again.",
        )
    shape = _shape(_essence(media_type), content)
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise RefusedError(
            400, "document", "文件是空的，请检查后重新发送。", "The document is empty; check it and send again."
        )
    if shape == "xml":
        return tuple(read_cap(content, hazards, realm=realm))
    reader = read_json if shape == "json" else read_plain
    return tuple(reader(_decoded(content), hazards, realm=realm, received_at=received_at))


def _essence(media_type: str | None) -> str:
    """Return the media type without its parameters, in lower case; empty where none was given."""
    return (media_type or "").partition(";")[0].strip().lower()


def _shape(essence: str, content: bytes) -> str:
    """Return xml, json or text.

    Raises:
        RefusedError: 415.
    """
    if not essence:
        start = content.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
        return {b"<": "xml", b"\xff": "xml", b"\xfe": "xml", b"{": "json", b"[": "json"}.get(start, "text")
    for shape, types in (("xml", XML_TYPES), ("json", JSON_TYPES), ("text", TEXT_TYPES)):
        if essence in types:
            return shape
    raise RefusedError(
        415,
        "Content-Type",
        f"不接收 {essence[:80]} 类型，请用 application/cap+xml、application/xml、application/json 或 text/plain。",
        f"{essence[:80]} is not taken; use application/cap+xml, application/xml, application/json or text/plain.",
    )


def _decoded(content: bytes) -> str:
    """Decode JSON or text: UTF-8, else GB 18030, the one older Chinese systems write. Declared charsets often lie."""
    for encoding in ("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedError(
        400,
        "encoding",
        "文字编码无法识别，请用 UTF-8 编码后重新发送。",
        "The text is neither UTF-8 nor GB 18030; encode it in UTF-8 and send again.",
    )
