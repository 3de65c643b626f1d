"""SenML (RFC 8428) as JSON: base fields resolved, relative times made absolute. Pure; knows nothing of stations.

A fault in one record leaves that record out and says so. A fault in a base field refuses the whole pack, for nobody
can tell what the records after it mean.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.doors.refusal import RefusedError, unreadable
from streams.words import Model

VERSION_MAX = 10
RELATIVE_BELOW_S = 2**28
"""A time below this is counted from now (RFC 8428 §4.5.3): as a date it would lie before 1978."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9\-:./_]*$")
_BASES = {"bn": "", "bt": 0.0, "bu": "", "bv": 0.0}
_OTHER_VALUES = ("vs", "vb", "vd", "s")


class LeftOut(Model):
    """One item of a list that was not taken: which, and why, in Chinese and English."""

    element: str
    reason: str
    reason_en: str


@dataclass(frozen=True)
class Record:
    """One resolved record. `value` is None where it carries a word, a truth, bytes or only a sum."""

    place: int
    name: str
    unit: str
    at: datetime
    value: float | None


def resolve(pack: Sequence[Any], now: datetime) -> tuple[list[Record], list[LeftOut]]:
    """Resolve a pack.

    Args:
        pack: The list as JSON gave it.
        now: What times below 2**28 are counted from.

    Returns:
        The records that carry something, in order, and those that could not be read. Records of base fields alone
        say nothing by themselves and are in neither.

    Raises:
        RefusedError: A base field has the wrong shape, or the version is one that is not known here.
    """
    records: list[Record] = []
    left_out: list[LeftOut] = []
    bases: dict[str, Any] = dict(_BASES)
    for place, fields in enumerate(pack):
        if not isinstance(fields, Mapping):
            left_out.append(_left(f"[{place}]", "不是一个 JSON 对象", "is not a JSON object"))
            continue
        bases.update(_base_fields(fields, place))
        if not any(not label.startswith("b") for label in fields):
            continue
        fault = next(_faults(fields, bases, place), None)
        at = None if fault else _time(bases["bt"] + fields.get("t", 0), now)
        if fault is None and at is None:
            fault = _left(f"[{place}].t", "时间超出范围", "is a time out of range")
        if fault is not None or at is None:
            left_out += [fault] if fault else []
            continue
        value = fields.get("v")
        total = None if value is None else float(value) + bases["bv"]
        records.append(Record(place, bases["bn"] + fields.get("n", ""), fields.get("u", bases["bu"]), at, total))
    return records, left_out


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _base_fields(fields: Mapping[str, Any], place: int) -> dict[str, Any]:
    found = {label: fields[label] for label in _BASES if label in fields}
    for label, value in found.items():
        text = isinstance(_BASES[label], str)
        if (text and not isinstance(value, str)) or (not text and not is_number(value)):
            raise unreadable(f"[{place}].{label}", str(value))
    version = fields.get("bver", VERSION_MAX)
    if not is_number(version):
        raise unreadable(f"[{place}].bver", str(version))
    if version > VERSION_MAX:
        raise RefusedError(
            400,
            f"[{place}].bver",
            f"SenML 版本 {version} 高于本系统支持的 {VERSION_MAX}，请改用 {VERSION_MAX} 或更低版本。",
            f"SenML version {version} is above {VERSION_MAX}, the highest known here; send {VERSION_MAX} or lower.",
        )
    return found


def _faults(fields: Mapping[str, Any], bases: Mapping[str, Any], place: int) -> Iterator[LeftOut]:
    for label in fields:
        if label.endswith("_"):
            # RFC 8428 §4.4: whoever does not know such a label must not use the record.
            yield _left(
                f"[{place}].{label}", "必须理解但本系统不认识的字段", "must be understood and is not known here"
            )
    name = fields.get("n", "")
    if not isinstance(name, str) or not _NAME.match(bases["bn"] + name):
        yield _left(f"[{place}].n", "名称缺失或含有不允许的字符", "is missing or has characters that are not allowed")
    if not isinstance(fields.get("u", ""), str):
        yield _left(f"[{place}].u", "单位不是文字", "is not a text")
    if not is_number(fields.get("t", 0)):
        yield _left(f"[{place}].t", "时间不是数字", "is not a number")
    if "v" in fields and not is_number(fields["v"]):
        yield _left(f"[{place}].v", "数值不是有限的数字", "is not a finite number")
    if "v" not in fields and not any(label in fields for label in _OTHER_VALUES):
        yield _left(f"[{place}].v", "没有数值", "is missing")


def _time(at_s: float, now: datetime) -> datetime | None:
    try:
        if at_s < RELATIVE_BELOW_S:
            return now + timedelta(seconds=at_s)
        return datetime.fromtimestamp(at_s, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _left(element: str, reason: str, reason_en: str) -> LeftOut:
    return LeftOut(element=element, reason=f"{element} {reason}", reason_en=f"{element} {reason_en}")
