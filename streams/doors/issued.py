"""What all parsers of warnings share: cleaning words, the closed sets of CAP, ids, and what an identifier tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from streams.doors.reading_time import CHINA_ZONE, read_time
from streams.doors.refusal import RefusedError, unreadable
from streams.ids import make_id
from streams.words import MsgType, Status

MAX_WARNINGS = 1000
"""More warnings than this in one document are a mistake, or an attack."""

MAX_ITEMS = 5000
"""The same for the areas, codes and references of one warning: a county has a few hundred of each."""

_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_IDENTIFIER = re.compile(r"(?P<region>[1-8]\d{5})\d{8}_(?P<time>\d{14})(?!\d)")
_TRIPLE = re.compile(r"[^,\s][^,]*,\s*(?P<identifier>[^,]+?)\s*,\s*\d{4}-\d\d-\d\d[T ]\S+")
_KINDS = {kind.value.lower(): kind for kind in MsgType}
_KINDS |= {"cancle": MsgType.CANCEL, "canceled": MsgType.CANCEL, "cancelled": MsgType.CANCEL}
_STATUSES = {status.value.lower(): status for status in Status}


def clean(value: str) -> str:
    """Return a value without surrounding white space (also 全角) and without what no database keeps as text."""
    return _UNSAFE.sub("", value).strip()


def one_line(value: str) -> str:
    """Return a cleaned value with every run of white space as one space."""
    return " ".join(clean(value).split())


def too_many(element: str, limit: int) -> RefusedError:
    """Return the refusal of a document that holds more of an element than `limit`."""
    return RefusedError(
        400,
        element,
        f"{element} 超过上限 {limit} 个，请分开发送。",
        f"There are more than {limit} of {element}; send them apart.",
    )


def read_status(value: str) -> Status:
    """Read a CAP status.

    Raises:
        RefusedError: It is none; a drill must never be taken for the real thing, nor the other way round.
    """
    status = _STATUSES.get(value.lower())
    if status is None:
        raise unreadable("status", value)
    return status


def read_kind(value: str) -> MsgType:
    """Read a CAP msgType, also `Cancle` as some systems spell it.

    Raises:
        RefusedError: It is none.
    """
    kind = _KINDS.get(value.lower())
    if kind is None:
        raise unreadable("msgType", value)
    return kind


def warning_id(realm: str, sender: str, identifier: str, sent: datetime, *more: str) -> str:
    """Return the id of a warning: (sender, identifier, sent), the recipe of design law 6."""
    return make_id(realm, "warning", sender, identifier, sent.isoformat(), *more)


def read_references(value: str, own: str = "") -> tuple[str, ...]:
    """Return the identifiers a warning refers to, without itself.

    CAP writes `sender,identifier,sent` triples apart by white space; the 12379 dialect writes bare identifiers.
    """
    found = [match["identifier"] for match in _TRIPLE.finditer(value)]
    return unique((item for item in found or re.split(r"[\s,，;；]+", value) if item != own), "references")


def read_identifier(identifier: str) -> tuple[str, datetime | None]:
    """Return the GB/T 2260 code of the issuer's region and the time that an identifier of the 12379 kind tells.

    `53058141600000_20260919110753` is 530581 and 2026-09-19 11:07:53 China time; any other gives "" and None.
    """
    found = _IDENTIFIER.match(identifier)
    return (found["region"], read_time(found["time"], CHINA_ZONE)) if found else ("", None)


def split_list(value: str) -> list[str]:
    """Split a comma-joined field as the 12379 dialect repeats it."""
    return [item.strip() for item in re.split(r"[,，;；、]", value)]


def unique(items: Iterable[str], element: str) -> tuple[str, ...]:
    """Return the items that are not empty, each once, in order.

    Raises:
        RefusedError: There are more than MAX_ITEMS: to cut them off would leave people out.
    """
    kept = tuple(dict.fromkeys(item for item in items if item))
    if len(kept) > MAX_ITEMS:
        raise too_many(element, MAX_ITEMS)
    return kept
