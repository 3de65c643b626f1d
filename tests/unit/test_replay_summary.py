"""A night is summed up honestly, and shown in both languages."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from streams.replay import report, tables
from streams.replay.play import run_scenario, summary_of, write_json, write_report
from streams.replay.summary import percentile
from streams.words import Level


def silent(night):
    for number in ("sim:v201-head", "sim:v201-head-b"):
        night.phone(number).habit("sleeps")
    night.phone("v202-head").habit("no_coverage")
    night.phone("sim:v202-head-b").habit("switched_off")
    return night


def row_of(summary, level):
    return next(row for row in summary.levels if row.level is level)


def test_a_key_counts_and_an_sms_answer_does_not(night):
    night.phone("v201-head").habit("sleeps")
    night.warning().advance(minutes=1)
    night.phone("v201-head").replies("收到")
    summary = summary_of(night.advance(minutes=30))

    rate = summary.answered_in_5_min
    assert (rate.numerator, rate.denominator) == (11, 12)
    assert row_of(summary, Level.VILLAGE).states["replied"] == 1


def test_a_post_that_nobody_holds_stays_in_the_denominator(make_night):
    night = make_night(vacant=["c-duty", "c-leader"])
    summary = summary_of(night.warning().advance(minutes=30))

    rate = summary.dialled_in_3_min
    assert rate.denominator == 12
    assert rate.numerator == 10


def test_what_was_stopped_before_its_time_is_left_out_and_shown(night):
    night.phone("v201-head").habit("sleeps")
    summary = summary_of(night.warning().advance(minutes=1).cancel().advance(minutes=30))

    assert summary.answered_in_5_min.excluded == {"cancelled": 1}
    assert summary.answered_in_5_min.denominator == 11


def test_the_silent_and_the_cut_off_stand_on_the_list_of_the_unreached(night):
    summary = summary_of(silent(night).warning().advance(minutes=30))

    assert [(row.place, row.lost_contact) for row in summary.unreached] == [("上湾村", False), ("下湾村", True)]


def test_an_answer_to_a_later_round_takes_a_post_off_the_list(night):
    silent(night).warning().at("23:59")
    night.phone("sim:v201-head").habit("answers")
    summary = summary_of(night.warning(kind="Update", continued=True).advance(minutes=30))

    assert [row.place for row in summary.unreached] == ["下湾村"]


def test_escalations_are_counted_by_whom_they_came_to(night):
    for number in ("sim:v201-head", "sim:t100-duty-1"):
        night.phone(number).habit("sleeps")
    summary = summary_of(night.warning().advance(minutes=30))

    assert row_of(summary, Level.VILLAGE).to_deputies == 1
    assert row_of(summary, Level.TOWNSHIP).to_leaders == 1


def test_a_correction_is_no_callout_of_the_rates(night):
    before = summary_of(night.warning().advance(minutes=5))
    after = summary_of(night.correct().advance(minutes=5))

    assert after.answered_in_5_min.denominator == before.answered_in_5_min.denominator


def test_a_drill_is_never_counted_as_the_real_thing(make_night):
    night = make_night(realm="drill:x").warning().advance(minutes=5)

    summary = summary_of(night)
    assert summary.answered_in_5_min.denominator == 12
    night.realm = "real"
    assert summary_of(night).answered_in_5_min.denominator == 0


def test_the_timeline_tells_the_turning_points_in_order(night):
    silent(night).warning().advance(minutes=40).cancel()
    timeline = summary_of(night).timeline

    assert [moment.at for moment in timeline] == sorted(moment.at for moment in timeline)
    told = "\n".join(moment.zh for moment in timeline)
    for words in ("开始叫应：禾溪县气象台发布暴雨红色预警", "名单交值班室派人上门", "失联", "超时未回报", "解除"):
        assert words in told


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, None), ([7], 0.9, 7), ([1, 2, 3, 4], 0.5, 2), (range(1, 11), 0.9, 9)]
)
def test_a_percentile_is_a_value_that_was_really_seen(values, share, expected):
    assert percentile(values, share) == expected


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tables_speak_the_language_that_was_asked_for(night, language):
    summary = summary_of(silent(night).warning().advance(minutes=40))
    out = StringIO()
    tables.print_summary(Console(file=out, width=200), summary, title="一夜", language=language)

    assert ("未应名单" in out.getvalue()) is (language == "zh")
    assert ("Unreached" in out.getvalue()) is (language == "en")


def test_every_outcome_and_trouble_of_a_whole_night_has_a_name_in_chinese():
    summary = run_scenario("jianshi-2023-07-04").summary
    named = [tables.say(word, "zh") for word in (*summary.calls, *summary.texts)]
    named += [tables.trouble_word(kind, "zh") for kind in summary.troubles]

    assert [name for name in named if re.search("[a-z]", name)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_is_one_page_that_loads_nothing(night, language):
    summary = summary_of(silent(night).warning().advance(minutes=40))
    html = report.render(summary, title="一夜", sources=("[X] 某处",), fingerprint=night.history(), language=language)

    assert re.findall(r"(?:src|href)=|@import|url\(", html) == []
    assert night.history() in html
    assert "上湾村" in html
    for line in report.HONEST_WORDS[language]:
        assert line in html


def test_the_report_shows_what_people_wrote_as_words_and_never_as_html(night):
    night.order(villages=["上湾村"], text="<script>alert(1)</script>").advance(minutes=5)
    html = report.render(summary_of(night), title="一夜")

    assert "<script>" not in html


def test_a_run_is_written_as_a_page_and_as_figures(tmp_path):
    result = run_scenario("datong-2022-08-18")

    page = write_report(result, tmp_path / "reports" / "night.html").read_text(encoding="utf-8")
    figures = json.loads(write_json(result, tmp_path / "night.json").read_text(encoding="utf-8"))
    assert "大通" in page
    assert figures["fingerprint"] == result.fingerprint
    assert figures["summary"]["answered_in_5_min"]["denominator"] > 0


def test_progress_is_told_up_to_the_end():
    told = []
    run_scenario("datong-2022-08-18", progress=lambda share, local: told.append((share, local)))

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[-1] == (1.0, "08-18 08:30:00")


def test_facts_of_the_real_night_stand_in_the_timeline_beside_the_replay():
    result = run_scenario("datong-2022-08-18")
    facts = [moment for moment in result.summary.timeline if moment.kind == "fact"]

    assert len(facts) == 3
    assert facts[1].at - facts[0].at == timedelta(hours=6, minutes=10)
