from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sense_county import COUNTY, NIGHT

from streams.doors.readings import BYTES_MAX, ITEMS_MAX, JSON, SENML, find_station, read_readings
from streams.doors.refusal import RefusedError
from streams.doors.senml import resolve

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "sensors" / "senml"
NOON_S = NIGHT.timestamp()


def hand_in(items, media_type=None, *, stations=COUNTY.stations):
    content = items if isinstance(items, bytes) else json.dumps(items).encode()
    return read_readings(content, media_type, stations, received_at=NIGHT, realm="real")


def readings(items, media_type=None):
    return [reading for page in hand_in(items, media_type).pages for reading in page.readings]


def values(items, media_type=None):
    return [(reading.station, reading.value) for reading in readings(items, media_type)]


def refused(items, media_type=None):
    with pytest.raises(RefusedError) as caught:
        hand_in(items, media_type)
    return caught.value


# SenML


def test_base_name_and_record_name_make_the_station():
    assert values([{"bn": "urn:heqi:", "n": "R1", "u": "mm", "v": 2.5, "t": NOON_S}], SENML) == [("R1", 2.5)]


@pytest.mark.parametrize(
    "name", ["R1", "urn:heqi:R1", "R1:rain", "urn:heqi:R1:rain", "heqi/R1/rain", "urn:dev:R1.rain"]
)
def test_a_station_is_found_whichever_way_its_id_is_wrapped(name):
    assert find_station(name, COUNTY.stations).id == "R1"


def test_a_name_that_only_looks_like_a_station_is_none():
    assert find_station("urn:heqi:R11:rain", COUNTY.stations) is None


def test_base_time_and_relative_time_add_up():
    (reading,) = readings([{"n": "R1", "bt": NOON_S - 600, "t": -60, "v": 1}], SENML)
    assert reading.at == NIGHT - timedelta(seconds=660)


def test_a_time_before_1978_is_counted_from_now():
    (reading,) = readings([{"n": "R1", "t": -90, "v": 1}], SENML)
    assert reading.at == NIGHT - timedelta(seconds=90)


def test_a_record_without_any_time_is_of_now():
    assert readings([{"n": "R1", "v": 1}], SENML)[0].at == NIGHT


def test_a_base_value_is_added():
    assert values([{"n": "L1", "bv": 100, "bu": "m", "v": 1.5}, {"v": 2.5, "n": "L1", "t": -60}], SENML) == [
        ("L1", 101.5),
        ("L1", 102.5),
    ]


@pytest.mark.parametrize(
    ("station", "unit", "value", "expected"),
    [
        ("R1", "mm", 2.5, 2.5),
        ("R1", "mm rain", 2.5, 2.5),
        ("R1", "m", 0.0025, 2.5),
        ("R1", "cm", 0.25, 2.5),
        ("R1", "", 2.5, 2.5),
        ("L1", "m", 101.25, 101.25),
        ("L1", "cm", 10125, 101.25),
        ("L1", "mm", 101250, 101.25),
    ],
)
def test_lengths_are_turned_into_the_unit_of_the_station(station, unit, value, expected):
    assert values([{"n": station, "u": unit, "v": value}], SENML) == [(station, expected)]


@pytest.mark.parametrize(("station", "unit"), [("R1", "Cel"), ("R1", "MM"), ("L1", "mm rain"), ("L1", "m3/s")])
def test_a_unit_that_the_station_cannot_have_is_refused_and_named(station, unit):
    refusal = refused([{"n": station, "u": unit, "v": 1}], SENML)
    assert (refusal.status, refusal.element) == (400, "[0].u")
    assert unit in refusal.reason


@pytest.mark.parametrize(
    ("record", "element"),
    [
        pytest.param({"n": "R9", "v": 1}, "[1].n", id="unknown station"),
        pytest.param({"n": "雨量", "v": 1}, "[1].n", id="a name with other characters"),
        pytest.param({"v": 1}, "[1].n", id="no name"),
        pytest.param({"n": "R1"}, "[1].v", id="no value"),
        pytest.param({"n": "R1", "vs": "wet"}, "[1].v", id="a word"),
        pytest.param({"n": "R1", "v": "2.5"}, "[1].v", id="a number as a word"),
        pytest.param({"n": "R1", "v": True}, "[1].v", id="true"),
        pytest.param({"n": "R1", "v": float("nan")}, "[1].v", id="not a number"),
        pytest.param({"n": "R1", "v": 10**400}, "[1].v", id="too large for a number"),
        pytest.param({"n": "R1", "v": 1, "t": "now"}, "[1].t", id="a time that is a word"),
        pytest.param({"n": "R1", "v": 1, "t": 1e300}, "[1].t", id="a time beyond the calendar"),
        pytest.param({"n": "R1", "v": 1, "t": -1e300}, "[1].t", id="a time before the calendar"),
        pytest.param({"n": "R1", "v": 1, "u": 5}, "[1].u", id="a unit that is a number"),
        pytest.param({"n": "R1", "v": 1, "new_": 1}, "[1].new_", id="a label that must be understood"),
        pytest.param("R1", "[1]", id="no object"),
    ],
)
def test_one_bad_record_is_told_and_the_good_one_taken(record, element):
    delivery = hand_in([{"n": "R2", "v": 1}, record], SENML)
    assert [page.station for page in delivery.pages] == ["R2"]
    assert [one.element for one in delivery.left_out] == [element]


def test_a_record_of_base_fields_alone_says_nothing_and_is_not_told():
    delivery = hand_in([{"bn": "urn:heqi:"}, {"n": "R1", "v": 1}], SENML)
    assert (len(delivery.pages), delivery.left_out) == (1, ())


@pytest.mark.parametrize("base", [{"bt": "x"}, {"bn": 5}, {"bv": True}, {"bver": 11}, {"bver": "5"}])
def test_a_faulty_base_field_refuses_the_whole_pack(base):
    refusal = refused([{"n": "R1", "v": 1}, {"n": "R1", "v": 2, **base}], SENML)
    assert (refusal.status, refusal.element) == (400, f"[1].{next(iter(base))}")


PAIRS = [
    ("ex1.gen.resolved.json", "ex1.gen.resolved.json", 1498780179),
    ("ex2.gen.json", "ex2.gen.resolved.json", 1498780179),
    ("ex5.gen.wrap.json", "ex5.gen.resolved.json", 0),
    ("ex5.gen.wrap.json", "ex5.gen.resolved.wrap.json", 0),
    ("ex10.gen.json", "ex10.gen.wrap.json", 0),
    ("ex11.gen.json", "ex10.gen.json", 0),
    ("ex12.gen.json", "ex12.gen.resolved.json", 0),
]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the SenML samples of ../shared/data are not here")
@pytest.mark.parametrize(("short", "resolved", "now_s"), PAIRS)
def test_the_examples_of_the_standard_resolve_to_their_resolved_form(short, resolved, now_s):
    now = datetime.fromtimestamp(now_s, UTC)
    packs = [resolve(json.loads((SAMPLES / name).read_bytes()), now) for name in (short, resolved)]
    assert packs[0] == packs[1]
    assert packs[0][0]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the SenML samples of ../shared/data are not here")
def test_every_example_of_the_standard_is_read_without_a_fault():
    for path in sorted(SAMPLES.glob("*.json")):
        records, left_out = resolve(json.loads(path.read_bytes()), NIGHT)
        assert (bool(records), left_out) == (True, []), path.name


# A plain list


def item(**changes):
    return {"station": "R1", "at": "2021-07-19T20:00:00+08:00", "value": 1.5} | changes


def test_a_plain_list_is_read_with_its_zone():
    (reading,) = readings([item()])
    assert (reading.station, reading.quantity, reading.at, reading.value) == ("R1", "rain_mm", NIGHT, 1.5)


def test_a_logger_that_was_cut_off_marks_its_readings_as_historical():
    assert readings([item(historical=True)])[0].historical is True


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"station": "R9"}, "[1].station"),
        ({"station": 5}, "[1].station"),
        ({"quantity": "level_m"}, "[1].quantity"),
        ({"quantity": "wind"}, "[1].quantity"),
        ({"at": "2021-07-19T20:00:00"}, "[1].at"),
        ({"at": "昨晚"}, "[1].at"),
        ({"value": "1.5"}, "[1].value"),
        ({"value": None}, "[1].value"),
        ({"value": float("inf")}, "[1].value"),
        ({"value": True}, "[1].value"),
        ({"depth": 1}, "[1].depth"),
    ],
)
def test_one_bad_item_of_a_plain_list_is_told_and_the_good_one_taken(changes, element):
    delivery = hand_in([item(station="R2"), item(**changes)])
    assert [page.station for page in delivery.pages] == ["R2"]
    assert [one.element for one in delivery.left_out] == [element]


def test_a_list_without_one_usable_item_is_refused_with_the_reasons():
    refusal = refused([item(station="R9"), item(value="x")])
    assert (refusal.status, refusal.element) == (400, "[0].station")
    assert "R9" in refusal.reason
    assert "[1].value" in refusal.reason


# Both


@pytest.mark.parametrize("media_type", [None, "", *JSON, "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_is_read_as_what_it_looks_like(media_type):
    assert values([item()], media_type) == [("R1", 1.5)]
    assert values([{"n": "R1", "v": 1.5}], media_type) == [("R1", 1.5)]


@pytest.mark.parametrize("media_type", ["application/senml+cbor", "text/csv", "application/xml"])
def test_another_kind_of_document_is_refused_by_name(media_type):
    refusal = refused([item()], media_type)
    assert (refusal.status, refusal.element) == (415, "Content-Type")
    assert media_type in refusal.reason


@pytest.mark.parametrize(
    "content", [b"", b"[", b"\xff\xfe", b"{}", b"5", b"[]", b'["\\ud800"]', b"[" * 100_000, b"NaN", b"[NaN]"]
)
def test_what_is_no_list_of_readings_is_refused_as_400(content):
    assert refused(content).status == 400


def test_a_body_that_is_too_large_is_refused_as_413():
    assert refused(b" " * (BYTES_MAX + 1)).status == 413


def test_a_list_that_is_too_long_is_refused_as_413():
    assert refused([0] * (ITEMS_MAX + 1)).status == 413


def test_a_byte_order_mark_does_no_harm():
    assert hand_in(b"\xef\xbb\xbf" + json.dumps([item()]).encode()).pages


def test_each_page_holds_one_station_and_at_most_500_readings():
    items = [item(station=station, at=NOON_S + second) for second in range(600) for station in ("R1", "R2")]
    pages = hand_in(items).pages
    assert [(page.station, len(page.readings)) for page in pages] == [
        ("R1", 500),
        ("R1", 100),
        ("R2", 500),
        ("R2", 100),
    ]


def test_a_future_or_absurd_value_is_left_to_the_room():
    assert values([item(at="2031-01-01T00:00:00Z", value=-999)]) == [("R1", -999)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["R1", "L1", "mm"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["n", "bn", "t", "bt", "u", "bu", "v", "bv", "vs", "bver", "station", "at", "value", "x_"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=4), st.sampled_from([None, SENML, JSON[0]]))
def test_whatever_json_comes_in_it_is_read_or_refused_in_words(items, media_type):
    try:
        outcome = hand_in(items, media_type).pages
    except RefusedError as refusal:
        outcome = refusal.reason.encode()
    assert outcome
