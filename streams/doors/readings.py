"""The door for sensor readings: SenML JSON (RFC 8428) and a plain JSON list become pages of one station each.

What is good is taken and what is not is told, item by item; only where nothing is usable is the whole refused. This
door knows shapes, units and stations. Whether a value is absurd, late or repeated is for SENSE to say.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field, StrictBool, StrictStr, ValidationError
from pydantic_core import from_json

from rosters.model import Station
from streams.doors.refusal import RefusedError, unreadable
from streams.doors.senml import LeftOut, is_number, resolve
from streams.letters import Reading, ReadingsArrived
from streams.words import Model

BYTES_MAX = 1_048_576
ITEMS_MAX = 10_000
PAGE_MAX = 500
TOLD_MAX = 5

SENML = "application/senml+json"
JSON = ("application/json", "text/json")
MM_OF_UNIT = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
RAIN_ONLY_UNIT = "mm rain"

_SEGMENT = re.compile(r"[:/.]")


class Delivery(Model):
    """What a sender handed in: pages to be handled, and the items that were left out, with the reasons."""

    pages: tuple[ReadingsArrived, ...]
    left_out: tuple[LeftOut, ...] = ()


class PlainReading(Model):
    """One item of a plain list. `quantity` may be left to the register of stations; `at` carries its zone."""

    station: StrictStr
    quantity: Literal["rain_mm", "level_m"] | None = None
    at: AwareDatetime
    value: float = Field(strict=True, allow_inf_nan=False)
    historical: StrictBool = False


def read_readings(
    content: bytes,
    media_type: str | None,
    stations: Mapping[str, Station],
    *,
    received_at: datetime,
    realm: str,
) -> Delivery:
    """Read what a sender handed in.

    Args:
        content: The body, UTF-8.
        media_type: `application/senml+json` or `application/json` (parameters are ignored). Where it is the latter or
            None, a list whose first item has no `station` is read as SenML.
        stations: The county's stations by id.
        received_at: Now; also what relative SenML times are counted from.
        realm: The realm of whoever sent it.

    Returns:
        Pages of at most 500 readings of one station, stations in the order in which they first appear.

    Raises:
        RefusedError: 413 too large, 415 another kind of document, 400 not readable or not one item usable.
    """
    items = _items(content)
    if _is_senml(media_type, items):
        readings, left_out = _read_senml(items, stations, received_at)
    else:
        readings, left_out = _read_plain(items, stations)
    if not readings:
        raise _nothing_usable(left_out)
    return Delivery(pages=tuple(_pages(readings, received_at, realm)), left_out=tuple(left_out))


def find_station(name: str, stations: Mapping[str, Station]) -> Station | None:
    """Return the station a SenML name means: its id, or its id followed or preceded by other parts (`urn:x:R1:rain`).

    The whole name goes first, then all but its last part, then the part before the last, then the last.
    """
    cuts = [match.start() for match in _SEGMENT.finditer(name)]
    parts = _SEGMENT.split(name)
    candidates = [name, *([name[: cuts[-1]], parts[-2], parts[-1]] if cuts else [])]
    return next((stations[candidate] for candidate in candidates if candidate in stations), None)


def _items(content: bytes) -> list[Any]:
    if len(content) > BYTES_MAX:
        raise RefusedError(
            413,
            "body",
            f"内容有 {len(content)} 字节，超过上限 {BYTES_MAX}，请分批发送。",
            f"The body has {len(content)} bytes, more than {BYTES_MAX}; send it in parts.",
        )
    try:
        # Not the json module: this one refuses half a surrogate pair, which no answer could repeat back.
        items = from_json(content.removeprefix(codecs.BOM_UTF8))
    except ValueError as error:
        raise RefusedError(
            400,
            "body",
            "内容不是有效的 UTF-8 JSON，请检查后重新发送。",
            f"The body is not valid JSON in UTF-8; correct it and send again ({error}).",
        ) from error
    if not isinstance(items, list):
        raise RefusedError(
            400,
            "body",
            "内容应是一个 JSON 列表（SenML 或读数列表）。",
            "The body has to be a JSON list: SenML, or a list of readings.",
        )
    if len(items) > ITEMS_MAX:
        raise RefusedError(
            413,
            "body",
            f"列表有 {len(items)} 条，超过上限 {ITEMS_MAX}，请分批发送。",
            f"The list has {len(items)} items, more than {ITEMS_MAX}; send it in parts.",
        )
    return items


def _is_senml(media_type: str | None, items: Sequence[Any]) -> bool:
    kind = (media_type or JSON[0]).split(";")[0].strip().lower()
    if kind == SENML:
        return True
    if kind not in JSON:
        raise RefusedError(
            415,
            "Content-Type",
            f"不接收 {kind} 类型，请用 {SENML} 或 {JSON[0]} 发送。",
            f"{kind} is not read here; send {SENML} or {JSON[0]}.",
        )
    first = items[0] if items else None
    return isinstance(first, Mapping) and "station" not in first and bool({"n", "bn"} & first.keys())


def _read_senml(
    items: Sequence[Any], stations: Mapping[str, Station], received_at: datetime
) -> tuple[list[Reading], list[LeftOut]]:
    records, left_out = resolve(items, received_at)
    readings: list[Reading] = []
    for record in records:
        element = f"[{record.place}]"
        station = find_station(record.name, stations)
        if station is None:
            left_out.append(_unknown_station(f"{element}.n", record.name))
        elif record.value is None:
            left_out.append(_left_out(f"{element}.v", "没有数值", "has no number"))
        else:
            value = _in_unit_of(station, record.value, record.unit)
            if value is None:
                left_out.append(_wrong_unit(f"{element}.u", record.unit, station))
            else:
                readings.append(Reading(station=station.id, quantity=station.quantity, at=record.at, value=value))
    return readings, left_out


def _in_unit_of(station: Station, value: float, unit: str) -> float | None:
    """Return a value in mm of rain or m of level; None where the unit is no length, or is another station's.

    Without a unit it is the station's own: RFC 8428 leaves that to the application.
    """
    if unit == "":
        return value
    if unit == RAIN_ONLY_UNIT and station.quantity == "rain_mm":
        return value
    if unit not in MM_OF_UNIT:
        return None
    # To a thousandth, which is all that SENSE counts in: 0.0025 m has to be 2.5 mm and not 2.5000000000000004.
    value_mm = round(value * MM_OF_UNIT[unit], 3)
    converted = value_mm if station.quantity == "rain_mm" else value_mm / 1000
    return converted if is_number(converted) else None


def _read_plain(items: Sequence[Any], stations: Mapping[str, Station]) -> tuple[list[Reading], list[LeftOut]]:
    readings: list[Reading] = []
    left_out: list[LeftOut] = []
    for place, item in enumerate(items):
        element = f"[{place}]"
        try:
            plain = PlainReading.model_validate(item)
        except ValidationError as error:
            left_out.append(_invalid(element, error))
            continue
        station = stations.get(plain.station)
        if station is None:
            left_out.append(_unknown_station(f"{element}.station", plain.station))
        elif plain.quantity not in (None, station.quantity):
            left_out.append(
                _left_out(
                    f"{element}.quantity",
                    f"与测站 {station.id} 登记的 {station.quantity} 不符",
                    f"is not what station {station.id} is registered for, {station.quantity}",
                )
            )
        else:
            at = plain.at.astimezone(UTC)
            reading = Reading(station=station.id, quantity=station.quantity, at=at, value=plain.value)
            readings.append(reading.model_copy(update={"historical": plain.historical}))
    return readings, left_out


def _pages(readings: Sequence[Reading], received_at: datetime, realm: str) -> Iterator[ReadingsArrived]:
    by_station: dict[str, list[Reading]] = {}
    for reading in readings:
        by_station.setdefault(reading.station, []).append(reading)
    for station, mine in by_station.items():
        for start in range(0, len(mine), PAGE_MAX):
            part = tuple(mine[start : start + PAGE_MAX])
            yield ReadingsArrived(realm=realm, station=station, readings=part, received_at=received_at)


def _nothing_usable(left_out: Sequence[LeftOut]) -> RefusedError:
    if not left_out:
        return unreadable("body", "[]")
    told = left_out[:TOLD_MAX]
    return RefusedError(
        400,
        left_out[0].element,
        f"{len(left_out)} 条中没有一条可用：{'；'.join(one.reason for one in told)}。",
        f"Not one of {len(left_out)} items is usable: {'; '.join(one.reason_en for one in told)}.",
    )


def _left_out(element: str, reason: str, reason_en: str) -> LeftOut:
    return LeftOut(element=element, reason=f"{element} {reason}", reason_en=f"{element} {reason_en}")


def _unknown_station(element: str, name: str) -> LeftOut:
    return _left_out(
        element,
        f"测站“{name[:60]}”未登记，请先在测站表中登记",
        f'names a station that is not registered, "{name[:60]}"; add it to the list of stations',
    )


def _wrong_unit(element: str, unit: str, station: Station) -> LeftOut:
    return _left_out(
        element,
        f"单位“{unit[:20]}”不能用于测站 {station.id}（{station.quantity}），请用 mm 或 m",
        f'is "{unit[:20]}", which station {station.id} ({station.quantity}) cannot have; send mm or m',
    )


def _invalid(element: str, error: ValidationError) -> LeftOut:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join([element, *(str(part) for part in first["loc"])])
    return _left_out(where, "缺失或无法识别（时间须带时区）", f"cannot be read (a time needs its zone): {first['msg']}")
