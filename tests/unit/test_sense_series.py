from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.sense.series import BUCKET_S, HOUR_S, Spell, bucket_of, level_steps, rain_steps, spells, sum_at

buckets = st.dictionaries(
    st.integers(1, 60).map(lambda n: n * BUCKET_S), st.integers(1, 50_000), min_size=1, max_size=25
)


def test_a_reading_on_the_five_minutes_ends_its_own_bucket():
    assert bucket_of(600) == 600


def test_a_reading_just_after_the_five_minutes_belongs_to_the_next_bucket():
    assert bucket_of(600.001) == 900


def test_a_window_leaves_out_the_bucket_exactly_its_length_ago():
    assert sum_at({HOUR_S: 7, 2 * HOUR_S: 5}, 2 * HOUR_S, 1) == 5


def test_a_spell_begins_with_the_bucket_that_reaches_the_limit_and_ends_when_its_rain_has_left():
    assert spells(rain_steps({300: 30, 600: 30}, 1), 60) == [Spell(600, 300 + HOUR_S, 60)]


def test_rain_below_the_limit_makes_no_spell():
    assert spells(rain_steps({300: 59}, 1), 60) == []


def test_a_level_is_believed_for_an_hour_where_nothing_follows():
    assert spells(level_steps({300: 9}), 9, HOUR_S) == [Spell(300, 300 + HOUR_S, 9)]


def test_a_level_that_falls_ends_the_spell_when_the_fall_is_read():
    assert spells(level_steps({300: 9, 600: 10, 900: 3}), 9, HOUR_S) == [Spell(300, 900, 10)]


@given(buckets, st.sampled_from([1, 3, 6]))
def test_the_sliding_sum_is_at_every_moment_what_adding_up_its_window_gives(rain, window_h):
    steps = rain_steps(rain, window_h)
    assert all(value == sum_at(rain, at_s, window_h) for at_s, value in steps)


@given(buckets, st.sampled_from([1, 3, 6]), st.integers(1, 200_000))
def test_spells_hold_exactly_the_moments_over_the_limit(rain, window_h, limit):
    found = spells(rain_steps(rain, window_h), limit)
    until_s = max(rain) + (window_h + 1) * HOUR_S
    for at_s in range(0, until_s, BUCKET_S):
        inside = any(spell.starts_s <= at_s < spell.ends_s for spell in found)
        assert inside == (sum_at(rain, at_s, window_h) >= limit)


@given(buckets, st.sampled_from([1, 3, 6]), st.integers(1, 200_000))
def test_the_peak_of_a_spell_is_the_most_that_fell_in_a_window_of_it(rain, window_h, limit):
    for spell in spells(rain_steps(rain, window_h), limit):
        sums = [sum_at(rain, at_s, window_h) for at_s in range(spell.starts_s, spell.ends_s, BUCKET_S)]
        assert spell.peak == max(sums)
