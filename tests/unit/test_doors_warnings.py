"""The entrance of warnings: media types, limits, ids, and that nothing but a refusal ever comes out of bad input."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warning_samples import CAP, DIALECT

from config.hazards import load_hazards
from streams.doors.refusal import RefusedError
from streams.doors.warnings import LIMIT_BYTES, read_warning

HAZARDS = load_hazards()
RECEIVED_AT = datetime(2026, 7, 20, 3, 0, tzinfo=UTC)
ROW = json.dumps(
    {
        "alertid": "53058141600000_20260720110753",
        "title": "腾冲市气象台发布暴雨蓝色预警信号",
        "issuetime": "2026/07/20 10:06",
    },
    ensure_ascii=False,
)
PLAIN = "平乐县气象台2026年7月20日08时30分发布暴雨黄色预警信号：预计未来6小时内平乐镇将出现暴雨。"
SEEDS = [document.encode() for document in (CAP, DIALECT, ROW, PLAIN)]
TYPES = ["application/cap+xml", "application/json", "text/plain", None]


def read(content: bytes, media_type: str | None, **more):
    return read_warning(content, media_type, HAZARDS, received_at=more.pop("received_at", RECEIVED_AT), **more)


def read_or_refusal(content: bytes, media_type: str | None):
    try:
        return read(content, media_type)
    except RefusedError as error:
        return error


@pytest.mark.parametrize(
    ("media_type", "document"),
    [
        ("application/cap+xml", CAP),
        ("Application/XML; charset=utf-8", CAP),
        ("text/xml", DIALECT),
        ("application/json", ROW),
        ("text/plain; charset=utf-8", PLAIN),
        (None, CAP),
        (None, ROW),
        (None, PLAIN),
    ],
)
def test_each_media_type_finds_its_parser(media_type, document):
    assert len(read(document.encode(), media_type)) == 1


@pytest.mark.parametrize("media_type", ["text/html", "application/pdf", "application/x-www-form-urlencoded", "xml"])
def test_another_media_type_is_refused_with_415(media_type):
    with pytest.raises(RefusedError) as caught:
        read(CAP.encode(), media_type)
    assert (caught.value.status, caught.value.element) == (415, "Content-Type")


def test_one_byte_over_the_limit_is_refused_with_413():
    with pytest.raises(RefusedError) as caught:
        read(b" " * (LIMIT_BYTES + 1), "application/xml")
    assert caught.value.status == 413


def test_a_document_of_exactly_the_limit_is_read():
    content = CAP.encode()
    assert len(read(content, "application/xml", limit_bytes=len(content))) == 1


@pytest.mark.parametrize("media_type", TYPES)
def test_an_empty_document_is_refused(media_type):
    with pytest.raises(RefusedError, match="400 document"):
        read(b" \n", media_type)


@pytest.mark.parametrize(("document", "media_type"), list(zip((CAP, ROW, PLAIN), TYPES, strict=False)))
def test_the_same_document_received_later_has_the_same_id(document, media_type):
    first = read(document.encode(), media_type)
    again = read(document.encode(), media_type, received_at=RECEIVED_AT + timedelta(hours=5))
    assert first == again


def test_the_realm_is_the_beginning_of_the_id():
    (warning,) = read(CAP.encode(), "text/xml", realm="drill:night")
    assert warning.id.startswith("drill:night|warning|")
    assert warning.realm == "drill:night"


def test_more_warnings_than_the_limit_are_refused():
    rows = json.dumps([json.loads(ROW)] * 1001).encode()
    with pytest.raises(RefusedError):
        read(rows, "application/json")


@st.composite
def mutated(draw):
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        width = draw(st.integers(0, 60))
        content[at : at + width] = draw(
            st.binary(max_size=40) | st.sampled_from([b"<", b"]]>", b"&a;", b'"', b"\\ud800"])
        )
    return bytes(content)


@settings(max_examples=400, deadline=None)
@given(content=mutated(), media_type=st.sampled_from(TYPES))
def test_a_mutated_document_is_read_or_refused_and_nothing_else(content, media_type):
    outcome = read_or_refusal(content, media_type)
    if isinstance(outcome, RefusedError):
        assert outcome.status in (400, 413)
        assert outcome.element
        assert outcome.reason
    else:
        assert outcome
        for warning in outcome:
            written = warning.model_dump_json()
            written.encode()
            assert "\\u0000" not in written


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("发布暴雨红色预警"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["title", "text", "id", "issueTime", "level", "type", "msgType", "references", "geocode"]),
            inner,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(document=json_values)
def test_any_json_is_read_or_refused_and_nothing_else(document):
    outcome = read_or_refusal(json.dumps(document).encode(), "application/json")
    assert outcome
    assert not isinstance(outcome, RefusedError) or outcome.status == 400


@settings(max_examples=50, deadline=None)
@given(content=st.binary(min_size=101, max_size=400), media_type=st.sampled_from(TYPES))
def test_nothing_over_the_limit_is_ever_taken(content, media_type):
    with pytest.raises(RefusedError) as caught:
        read(content, media_type, limit_bytes=100)
    assert caught.value.status == 413
