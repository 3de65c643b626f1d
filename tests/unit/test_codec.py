"""What stands in a Kafka message: whatever it is, reading it raises nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import PAGE_MAX, Page, Unreadable, read_page, write_page
from streams.letters import SCHEMA_VERSION


@given(st.binary() | st.none())
def test_no_bytes_make_it_raise(raw):
    assert isinstance(read_page(raw), Page | Unreadable)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_no_json_makes_it_raise(value):
    assert isinstance(read_page(json.dumps(value).encode()), Page | Unreadable)


@given(st.text(), st.lists(st.text(), max_size=PAGE_MAX))
def test_a_page_is_read_as_it_was_written(topic, ids):
    page = read_page(write_page(topic, tuple(ids)))
    assert isinstance(page, Page)
    assert (page.topic, page.ids) == (topic, tuple(ids))


def test_a_page_of_a_newer_version_is_passed_over_with_its_bytes():
    raw = json.dumps({"kind": "page", "schema_version": SCHEMA_VERSION + 1, "topic": "t", "ids": []}).encode()
    page = read_page(raw)
    assert isinstance(page, Unreadable)
    assert page.raw == raw
    assert "newer" in page.reason


@pytest.mark.parametrize("raw", [b"", b"[" * 100_000, b"\xff\xfe", b'{"ids": [1]}'])
def test_garbage_says_why_it_is_garbage(raw):
    page = read_page(raw)
    assert isinstance(page, Unreadable)
    assert page.reason


def test_a_page_of_too_many_letters_is_unreadable():
    raw = json.dumps({"topic": "t", "ids": ["x"] * (PAGE_MAX + 1)}).encode()
    assert isinstance(read_page(raw), Unreadable)
