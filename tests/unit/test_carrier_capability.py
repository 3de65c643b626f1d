"""What of a county's rules a carrier cannot keep, said plainly."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from agents.dial.carriers.capability import (
    ALIYUN_CALLEE,
    Need,
    aliyun,
    by_hand,
    needed_per_s,
    shortfalls,
    simulated,
    twilio,
)
from config.load import load_rules
from config.rules import Ladder, LadderStep
from streams.cli.root import app


def need(numbers: int = 506, **step: object) -> Need:
    first = LadderStep.model_validate({"to": "holder", "calls": 3, "gap_s": 100, "window_s": 300, **step})
    return Need(numbers, {"village": Ladder(title="村级", dial_within_s=180, steps=(first,))})


def said(sheet, wanted: Need, language: str = "zh") -> str:
    return "\n".join(word.said(language) for word in shortfalls(sheet, wanted))


def test_506_people_within_three_minutes_need_2_8_calls_a_second():
    assert round(needed_per_s(need()), 1) == 2.8


def test_a_default_twilio_account_takes_8_minutes_26_for_them():
    assert "506个号码要在3分钟内全部拨出，需每秒2.8个；它每秒1个，要8分26秒" in said(twilio(1.0), need())
    assert "506 numbers within 3 min need 2.8 calls/s; it does 1/s: 8 min 26 s" in said(twilio(1.0), need(), "en")


def test_a_carrier_that_is_fast_enough_is_not_blamed_for_its_pace():
    assert "要8分26秒" not in said(twilio(3.0), need())


def test_the_simulated_network_keeps_every_rule():
    assert shortfalls(simulated(50.0), need()) == []


def test_too_few_lines_are_told_with_the_time_they_take():
    assert "它只有45路，实际每秒1.0个，要8分26秒" in said(aliyun(3.0, 45, 500), need())


def test_a_step_that_rings_faster_than_the_vendor_allows_is_told():
    assert "间隔至少61秒" in said(aliyun(3.0, 200, 500), need(gap_s=60, window_s=120))


def test_the_sixth_call_within_an_hour_is_told():
    assert "第6次会被拒" in said(aliyun(3.0, 200, 500), need())


@pytest.mark.parametrize("ladder", ["village", "duty", "county"])
def test_what_is_left_below_red_suffices_for_one_step_of_the_default_ladders(ladder: str):
    calls = load_rules().ladders[ladder].steps[0].calls
    assert calls <= ALIYUN_CALLEE.per_hour - ALIYUN_CALLEE.reserve_per_hour


def test_twilio_gives_no_replies_and_no_links_in_the_mainland_but_elsewhere_it_does():
    assert (twilio(1.0).two_way_texts, twilio(1.0).links) == (False, False)
    assert (twilio(1.0, "US").two_way_texts, twilio(1.0, "US").links) == (True, True)


def test_the_command_says_it_in_both_languages(monkeypatch: pytest.MonkeyPatch):
    chinese = CliRunner().invoke(app, ["carriers", "check", "--carrier", "twilio"])
    monkeypatch.setenv("JIAOYING_LANGUAGE", "en")
    english = CliRunner().invoke(app, ["carriers", "check", "--carrier", "twilio"])
    assert "它每秒1个" in chinese.output
    assert "it does 1/s" in english.output
    assert "JIAOYING_TWILIO_CHINA_BASIS" in chinese.output


def test_a_carrier_that_does_not_exist_is_a_plain_sentence():
    answer = CliRunner().invoke(app, ["carriers", "check", "--carrier", "pigeon"])
    assert (answer.exit_code, "没有线路 pigeon" in answer.output) == (2, True)


def test_people_who_call_by_hand_are_told_to_be_slow_and_to_send_no_texts():
    told = said(by_hand(), need(numbers=10))
    assert "10个号码要在3分钟内全部拨出" in told
    assert "不能发短信" in told
    assert "by_hand" in CliRunner().invoke(app, ["carriers", "check", "--carrier", "by_hand"]).output
