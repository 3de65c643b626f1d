"""How numbers are shown and matched."""

from __future__ import annotations

import pytest

from rosters.numbers import mask, number_digest

KEY = b"a key for the digests of numbers"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613812341234", "138****1234"),
        ("13812341234", "138****1234"),
        ("+862912345678", "+86****5678"),
        ("+15005550006", "+15****0006"),
        ("12379", "****79"),
        ("", "****"),
        ("sim:zhang", "sim:zhang"),
    ],
)
def test_a_number_is_shown_masked(number: str, shown: str):
    assert mask(number) == shown


def test_the_same_number_and_key_give_the_same_digest_of_24_digits():
    assert number_digest("+8613812341234", KEY) == number_digest("+8613812341234", KEY)
    assert len(number_digest("+8613812341234", KEY)) == 24


def test_another_key_gives_another_digest():
    assert number_digest("+8613812341234", KEY) != number_digest("+8613812341234", KEY[::-1])


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        number_digest("+8613812341234", b"")
