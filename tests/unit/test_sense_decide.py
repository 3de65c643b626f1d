from __future__ import annotations

import csv
import io
import math
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sense_county import COUNTY, GAUGES, LIMITS_MM, NIGHT, RAIN, SHIMEN, YUNLING, level, page, rain, rule_book

from agents.sense.crossings import find_crossings, find_due
from agents.sense.decide import Neighbour, Reason, SenseFacts, decide
from agents.sense.series import BUCKET_S, bucket_of, sum_at
from agents.sense.state import SEEN_MAX, Verdict
from streams import topics
from streams.ids import realm_of
from streams.words import Colour

DWD = Path(__file__).parents[2] / ".." / "shared" / "data" / "sensors" / "dwd" / "observations_recent_RR_akt.zip"

FACTS = SenseFacts(COUNTY, rule_book())
GAUGE = GAUGES[0]


def after(*pages, now=None, facts=FACTS):
    """Hand pages to `decide` one after the other; return every decision."""
    state, decisions = None, []
    for one in pages:
        decisions.append(decide(state, one, now or one.received_at, facts))
        state = decisions[-1].state or state
    return decisions


def alarms(decisions):
    return [letter.message for decision in decisions for letter in decision.letters]


# Alarms


def test_an_hour_of_rain_over_the_orange_limit_raises_an_orange_alarm():
    (alarm,) = alarms(after(page(rain(30, 32.5), rain(60, 30))))
    assert (alarm.colour, alarm.hazard, alarm.regions) == (Colour.ORANGE, "flash_flood", (GAUGE.region,))


def test_an_alarm_says_station_sum_and_limit_and_calls_itself_internal():
    (alarm,) = alarms(after(page(rain(30, 32.5), rain(60, 30))))
    assert alarm.text == "监测告警(内部): 石门村雨量站1小时降雨62.5毫米, 达到橙色阈值(60毫米)"


def test_an_alarm_goes_to_intake_under_hazard_and_township():
    (first,) = after(page(rain(5, 61)))[0].letters
    (beside,) = after(page(rain(5, 61, "R2")))[0].letters
    (elsewhere,) = after(page(rain(5, 61, "R3")))[0].letters
    assert first.topic == topics.WARNINGS_RAW
    assert (first.key == beside.key, first.key == elsewhere.key) == (True, False)


def test_rain_just_below_the_lowest_limit_raises_nothing():
    (decision,) = after(page(rain(5, 34.999)))
    assert (decision.reason, decision.letters) == (Reason.BELOW_ALL, ())


def test_rain_exactly_at_the_limit_crosses_it():
    assert alarms(after(page(rain(5, 35))))[0].colour is Colour.BLUE


def test_only_the_worst_of_what_one_page_crosses_is_raised():
    assert [alarm.colour for alarm in alarms(after(page(rain(5, 85))))] == [Colour.RED]


def test_more_rain_over_the_same_limit_raises_nothing_again():
    decisions = after(page(rain(5, 61)), page(rain(10, 5)), page(rain(15, 0)))
    assert [decision.reason for decision in decisions[1:]] == [Reason.STILL_CROSSED, Reason.STILL_CROSSED]
    assert len(alarms(decisions)) == 1


def test_a_higher_colour_is_raised_on_top():
    colours = [alarm.colour for alarm in alarms(after(page(rain(5, 61)), page(rain(10, 25))))]
    assert colours == [Colour.ORANGE, Colour.RED]


def test_a_limit_crossed_anew_after_the_rain_had_left_its_window_is_raised_again():
    again = alarms(after(page(rain(5, 36)), page(rain(120, 0)), page(rain(130, 36))))
    assert len({alarm.alarm_id for alarm in again if alarm.text.startswith("监测告警(内部): 石门村雨量站1小时")}) == 2


def test_a_longer_window_crossed_within_the_same_hour_is_no_second_alarm():
    hour_then_three = after(page(rain(5, 15)), page(rain(70, 36)), page(rain(80, 5)))
    assert "flash_flood 3h blue" in hour_then_three[-1].state.crossed
    assert len(alarms(hour_then_three)) == 1


def test_steady_rain_that_no_single_hour_tells_is_told_by_the_day():
    (alarm, *_) = alarms(after(*(page(rain(60 * hour, 8)) for hour in range(1, 15))))
    assert "24小时降雨" in alarm.text


def test_every_alarm_is_an_entry_with_its_sums_and_its_reason():
    (entry,) = after(page(rain(30, 32.5), rain(60, 30)))[0].entries
    assert (entry.what, entry.why, entry.by) == ("alarm_raised", "rain_crossed", "sense")
    assert entry.facts["sums_mm"] == {"1h": 62.5, "3h": 62.5, "6h": 62.5, "24h": 62.5}


def test_the_same_page_twice_raises_the_same_alarm_id():
    once, twice = after(page(rain(5, 61))), after(page(rain(5, 61)))
    assert alarms(once)[0].alarm_id == alarms(twice)[0].alarm_id


def test_an_alarm_of_a_drill_stays_in_its_realm():
    (letter,) = after(page(rain(5, 61), realm="drill:jul"))[0].letters
    assert {realm_of(letter.id), realm_of(letter.key), realm_of(letter.message.alarm_id)} == {"drill:jul"}


# Levels


def test_a_level_over_the_guarantee_level_raises_an_alarm_that_says_by_how_much():
    (alarm,) = alarms(after(page(level(5, 102.31))))
    assert alarm.text == "监测告警(内部): 石门水位站水位102.31米, 超过保证水位0.31米, 达到橙色阈值(102.00米)"


def test_a_level_below_the_guarantee_level_may_still_reach_a_lower_limit():
    (alarm,) = alarms(after(page(level(5, 101.6))))
    assert (alarm.colour, "低于保证水位0.40米" in alarm.text) == (Colour.YELLOW, True)


def test_a_station_without_a_guarantee_level_is_measured_by_its_alarm_level():
    (alarm,) = alarms(after(page(level(5, 50.2, "L2"))))
    assert "超过警戒水位0.20米" in alarm.text


def test_a_station_without_any_limit_raises_nothing():
    assert after(page(level(5, 999.0, "L3")))[0].reason is Reason.BELOW_ALL


def test_a_level_that_fell_and_rose_again_in_a_later_hour_is_raised_again():
    decisions = after(page(level(5, 102.1)), page(level(50, 101.0)), page(level(90, 102.2)))
    assert [alarm.colour for alarm in alarms(decisions)] == [Colour.ORANGE, Colour.ORANGE]


def test_an_older_level_does_not_overwrite_the_live_one():
    state = after(page(level(30, 101.2)), page(level(20, 100.0), received=NIGHT + timedelta(minutes=31)))[-1].state
    assert (state.last_at, state.last_value) == (NIGHT + timedelta(minutes=30), 101.2)


def test_a_river_over_its_limit_for_a_week_is_one_alarm():
    assert len(alarms(after(*(page(level(60 * hour, 102.2)) for hour in range(7 * 24))))) == 1


def test_rain_that_keeps_a_sum_over_its_limit_for_a_week_is_one_alarm():
    week = after(*(page(rain(60 * hour, 5)) for hour in range(7 * 24)))
    assert [alarm.colour for alarm in alarms(week)] == [Colour.BLUE]


def test_a_flood_that_fell_from_red_to_orange_and_stays_there_is_not_raised_again():
    week = [103.2] * 5 + [102.2] * 24 * 6
    assert len(alarms(after(*(page(level(60 * hour, height)) for hour, height in enumerate(week))))) == 1


def test_a_flood_that_rises_to_red_again_out_of_orange_is_raised_again():
    heights = [103.2, 102.2, 102.2, 103.2]
    decisions = after(*(page(level(60 * hour, height)) for hour, height in enumerate(heights)))
    assert [alarm.colour for alarm in alarms(decisions)] == [Colour.RED, Colour.RED]


# Company


def near(station="R2", township=SHIMEN, hazards=("flash_flood",)):
    return SenseFacts(COUNTY, FACTS.book, (Neighbour(station, township, frozenset(hazards)),))


@pytest.mark.parametrize(
    ("facts", "lone"),
    [
        pytest.param(FACTS, True, id="nobody else"),
        pytest.param(near(), False, id="a gauge of the same township"),
        pytest.param(near("L1", SHIMEN, ("flood",)), False, id="the river of the same township"),
        pytest.param(near("R3", YUNLING), False, id="the same hazard elsewhere in the county"),
        pytest.param(near("L2", YUNLING, ("flood",)), True, id="another hazard elsewhere"),
        pytest.param(near("R1"), True, id="only itself"),
    ],
)
def test_an_alarm_is_lone_without_company(facts, lone):
    assert alarms(after(page(rain(5, 61)), facts=facts))[0].lone is lone


def test_a_station_remembers_when_it_last_rained_at_yellow_or_above():
    state = after(page(rain(5, 46)), page(rain(65, 0)), page(rain(70, 0.1)))[-1].state
    assert (state.crossed_at, state.crossed_hazards) == (NIGHT + timedelta(minutes=5), "flash_flood")


def test_blue_makes_no_company():
    assert after(page(rain(5, 36)))[0].state.crossed_at is None


# Late, historical


def test_a_late_reading_that_completes_a_window_of_now_raises_it():
    now = NIGHT + timedelta(minutes=70)
    decisions = after(page(rain(60, 31)), page(rain(30, 31), received=now))
    assert [alarm.colour for alarm in alarms(decisions)] == [Colour.ORANGE]


def test_a_late_hour_is_raised_while_its_end_is_less_than_half_an_hour_ago():
    now = NIGHT + timedelta(minutes=5 + 60 + 29)
    assert len(alarms(after(page(rain(5, 50), received=now)))) == 1


def test_a_late_hour_of_long_ago_dials_nobody_and_is_put_to_a_person():
    now = NIGHT + timedelta(minutes=5 + 60 + 30)
    (decision,) = after(page(rain(5, 50), received=now))
    assert (decision.reason, decision.letters) == (Reason.CROSSED_LONG_AGO, ())
    assert [(entry.what, entry.why) for entry in decision.entries] == [("crossing_late", "crossed_long_ago")]
    assert [one.kind for one in decision.troubles] == ["crossing_late"]


def test_what_was_put_to_a_person_is_put_once():
    now = NIGHT + timedelta(hours=4)
    decisions = after(page(rain(5, 50), received=now), page(rain(6, 1), received=now))
    assert [len(decision.troubles) for decision in decisions] == [1, 0]


def test_a_past_crossing_does_not_silence_the_one_that_rain_of_now_makes_of_it():
    (past, live) = after(
        page(rain(5, 50), received=NIGHT + timedelta(hours=4)), page(rain(62, 50), received=NIGHT + timedelta(hours=2))
    )
    assert (past.reason, live.reason) == (Reason.CROSSED_LONG_AGO, Reason.RAIN_CROSSED)


def test_historical_readings_never_alarm():
    (decision,) = after(page(rain(5, 90, historical=True)))
    assert (decision.reason, decision.letters, decision.state.last_at) == (Reason.HISTORICAL_ONLY, (), None)


def test_historical_readings_count_in_the_sums_of_the_next_live_one():
    decisions = after(page(rain(5, 61, historical=True)), page(rain(10, 0)))
    assert [alarm.colour for alarm in alarms(decisions)] == [Colour.ORANGE]


# What is not taken


@pytest.mark.parametrize(
    ("reading", "verdict"),
    [
        pytest.param(rain(5, -999), Verdict.ABSURD, id="a code for a missing value"),
        pytest.param(rain(5, 300.1), Verdict.ABSURD, id="more than can fall"),
        pytest.param(rain(5, math.nan), Verdict.ABSURD, id="not a number"),
        pytest.param(rain(5, math.inf), Verdict.ABSURD, id="infinite"),
        pytest.param(rain(11, 1), Verdict.FUTURE, id="more than ten minutes ahead"),
        pytest.param(rain(10, 1), Verdict.TAKEN, id="ten minutes ahead"),
        pytest.param(rain(-24 * 60 - 1, 1), Verdict.TOO_LATE, id="more than a day old"),
        pytest.param(level(-1, 3.0, "R1"), Verdict.WRONG_QUANTITY, id="a level from a rain gauge"),
        pytest.param(rain(0, 1).model_copy(update={"at": NIGHT.replace(tzinfo=None)}), Verdict.UNDATED, id="no zone"),
    ],
)
def test_every_reading_has_a_verdict_and_none_an_exception(reading, verdict):
    (decision,) = after(page(reading, received=NIGHT), now=NIGHT)
    assert decision.state.counts == {verdict: 1}


def test_absurd_values_are_written_down_once_in_an_hour():
    first = page(rain(1, -1), rain(2, math.nan))
    decisions = after(first, page(rain(3, -1)), page(rain(61, -1)))
    written = [[entry.facts["count"] for entry in decision.entries] for decision in decisions]
    assert written == [[2], [], [1]]


def test_absurd_values_are_shown_to_a_person_once_a_day():
    decisions = after(page(rain(1, -1)), page(rain(61, -1)))
    assert len({one.id for decision in decisions for one in decision.troubles}) == 1


def test_absurd_values_do_not_spoil_the_good_ones_beside_them():
    (decision,) = after(page(rain(5, 61), rain(6, -999)))
    assert decision.reason is Reason.RAIN_CROSSED


def test_a_page_of_nothing_but_repeats_is_nothing_new():
    assert after(page(rain(5, 3)), page(rain(5, 3)))[-1].reason is Reason.NOTHING_NEW


def test_of_two_values_for_one_time_the_higher_counts_whichever_came_first():
    states = [after(page(rain(5, a)), page(rain(5, b)))[-1].state for a, b in ((3, 7), (7, 3))]
    assert [sum(state.series.values()) for state in states] == [7000, 7000]


def test_readings_of_a_station_that_is_not_registered_are_left_out_and_shown():
    (decision,) = after(page(rain(5, 90, "R9")))
    assert (decision.reason, decision.state) == (Reason.UNKNOWN_STATION, None)
    assert "R9" in decision.troubles[0].text


def test_what_is_remembered_of_a_chatty_gauge_has_a_limit_and_the_forgotten_is_not_counted_twice():
    chatty = [rain(second / 60, 0.001) for second in range(SEEN_MAX + 500)]
    pages = [page(*chatty[start : start + 500], received=chatty[-1].at) for start in range(0, len(chatty), 500)]
    state = after(*pages, pages[0])[-1].state
    assert len(state.seen) == SEEN_MAX
    assert sum(state.series.values()) == len(chatty)


def test_after_three_days_nothing_is_left_of_a_rain():
    state = after(page(rain(5, 61)), page(rain(73 * 60, 0)))[-1].state
    assert (state.series, state.told, len(state.seen)) == ({}, (), 1)


# Any order, any repetition

SPAN_MIN = 20 * 60
readings_of_a_day = st.lists(
    st.tuples(st.integers(0, SPAN_MIN), st.integers(0, 400)), min_size=1, max_size=30, unique_by=lambda pair: pair[0]
).map(lambda pairs: [rain(minutes, tenths / 10) for minutes, tenths in pairs])


@st.composite
def nights(draw):
    """Draw readings, and pages of the same readings shuffled, cut anywhere, some of them repeated."""
    readings = draw(readings_of_a_day)
    told = draw(st.permutations(readings + draw(st.lists(st.sampled_from(readings), max_size=8))))
    cuts = sorted({0, len(told), *draw(st.lists(st.integers(0, len(told)), max_size=5))})
    now = NIGHT + timedelta(minutes=SPAN_MIN)
    return readings, [page(*told[start:end], received=now) for start, end in pairwise(cuts)], now


@settings(max_examples=150, deadline=None)
@given(nights())
def test_order_and_repetition_change_neither_sums_nor_crossings(night):
    readings, pages, now = night
    in_order = after(*(page(one, received=now) for one in sorted(readings, key=lambda one: one.at)), now=now)
    state, other = in_order[-1].state, after(*pages, now=now)[-1].state
    assert (state.series, state.crossed, state.crossed_at) == (other.series, other.crossed, other.crossed_at)
    assert (state.last_at, state.last_value) == (other.last_at, other.last_value)


@settings(max_examples=150, deadline=None)
@given(nights())
def test_no_rain_is_lost_or_counted_twice(night):
    readings, pages, now = night
    state = after(*pages, now=now)[-1].state
    assert sum(state.series.values()) == sum(round(one.value * 1000) for one in readings)


@settings(max_examples=150, deadline=None)
@given(nights())
def test_in_whatever_order_every_crossing_that_matters_now_has_been_spoken_of(night):
    readings, pages, now = night
    state = after(*pages, now=now)[-1].state
    found = find_crossings(state, GAUGE, RAIN)
    every_s = [bucket_of(one.at.timestamp()) for one in readings]
    assert find_due(found, state.told, every_s, now)[0] == ()


@settings(max_examples=150, deadline=None)
@given(nights())
def test_nothing_is_spoken_of_that_did_not_happen(night):
    readings, pages, now = night
    for told in after(*pages, now=now)[-1].state.told:
        limit = LIMITS_MM[told.window_h][told.colour.severity - 1] * 1000
        inside = (
            round(one.value * 1000)
            for one in readings
            if told.at_s - told.window_h * 3600 < bucket_of(one.at.timestamp()) <= told.at_s
        )
        assert sum(inside) >= limit


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.sampled_from([1, 3, 6, 24]))
def test_for_a_gauge_on_the_five_minutes_the_sum_is_exact(tenths, window_h):
    readings = [rain(5 * n, value / 10) for n, value in enumerate(tenths)]
    state = after(page(*readings))[-1].state
    end_s = int(readings[-1].at.timestamp())
    inside = [one for one in readings if end_s - window_h * 3600 < one.at.timestamp() <= end_s]
    assert end_s % BUCKET_S == 0
    assert sum_at(state.series, end_s, window_h) == sum(round(one.value * 1000) for one in inside)


@pytest.mark.skipif(not DWD.is_file(), reason="the hourly rain of ../shared/data is not here")
def test_the_sums_of_a_real_hourly_gauge_are_those_of_its_file():
    with zipfile.ZipFile(DWD) as bundle:
        name = next(name for name in bundle.namelist() if name.startswith("produkt_rr_stunde"))
        rows = list(csv.DictReader(io.StringIO(bundle.read(name).decode()), delimiter=";", skipinitialspace=True))
    readings = [
        rain(0, float(row["R1"])).model_copy(
            update={"at": datetime.strptime(row["MESS_DATUM"].strip(), "%Y%m%d%H").replace(tzinfo=UTC)}
        )
        for row in rows
    ]
    state = after(page(*readings))[-1].state
    midnight_s = int(datetime(2020, 2, 11, tzinfo=UTC).timestamp())
    sums = [sum_at(state.series, midnight_s, window_h) / 1000 for window_h in (1, 3, 6, 24)]
    assert sums == [5.7, 11.7, 12.4, 12.4]
    assert sum_at(state.series, midnight_s + 2 * 3600, 24) / 1000 == 13.6
