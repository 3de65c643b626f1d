"""How figures, times and codes are said."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.plan.lengths import sms_parts, speech_s, voice_chars_max
from agents.plan.spoken import _RULES, readings_of, say_clock, say_number, speak, write_time

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ("0", "零"),
        ("10", "十"),
        ("12", "十二"),
        ("110", "一百一十"),
        ("201.9", "二百零一点九"),
        ("1005", "一千零五"),
        ("10000", "一万"),
        ("10005", "一万零五"),
        ("140000", "十四万"),
        ("100200300", "一亿零二十万零三百"),
        ("61.0", "六十一点零"),
    ],
)
def test_a_quantity_is_said_as_a_number(figures: str, said: str) -> None:
    assert say_number(figures) == said


@given(st.integers(min_value=0, max_value=10**12))
def test_no_figure_and_no_doubled_zero_is_left_in_a_number_that_is_said(number: int) -> None:
    said = say_number(str(number))
    assert not any(each.isdecimal() and each.isascii() for each in said)
    assert "零零" not in said


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [(6, 30, "六点三十分"), (14, 5, "十四点零五分"), (2, 0, "两点"), (0, 0, "零点"), (22, 0, "二十二点")],
)
def test_a_time_of_day_is_said_one_way(hour: int, minute: int, said: str) -> None:
    assert say_clock(hour, minute) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("06:30", "六点三十分"),
        ("明天6时30分前", "明天六点三十分前"),
        ("1小时雨量61.0毫米", "一小时雨量六十一点零毫米"),
        ("201.9mm", "二百零一点九毫米"),
        ("1.07m³/s", "一点零七立方米每秒"),
        ("12处", "十二处"),
        ("2处", "两处"),
        ("12379", "幺二三七九"),
        ("10005人", "一万零五人"),
        ("007", "零零七"),
        ("G310国道", "G三幺零国道"),
        ("K12+300", "K幺二+三零零"),
        ("8至10级", "八至十级"),
        ("8-10级", "八到十级"),
        ("-5℃", "零下五摄氏度"),
        ("60%", "百分之六十"),
        ("2021-07-19", "二零二一年七月十九日"),
        ("2021年7月", "二零二一年七月"),
        ("七里坪村", "七里坪村"),
        ("04:03", "四点零三分"),
        ("00:05前", "零点零五分前"),
        ("20:00-22:00", "二十点到二十二点"),
        ("19日20时—20日8时", "十九日二十点到二十日八点"),
        ("2021/7/20", "二零二一年七月二十日"),
        ("2月2日2时", "二月二日两点"),
        ("2小时2万人2米", "两小时两万人两米"),
        ("2级", "二级"),
        ("Ⅲ级响应", "三级响应"),
        ("雨量≥50mm", "雨量达到或超过五十毫米"),
        ("50km²", "五十平方公里"),
        ("降至-5度", "降至零下五度"),
        ("请拨打119", "请拨打幺幺九"),
        ("电话0916-5512345", "电话零九幺六五五幺二三四五"),
        ("3.5小时", "三点五小时"),
    ],
)
def test_a_text_is_said_as_people_say_it(written: str, said: str) -> None:
    assert speak(written) == said


@given(st.text(alphabet="0123456789.:-时分日月年处毫米%KGmh ", max_size=30))
def test_whatever_figures_stand_in_a_text_none_is_left_when_it_is_said(written: str) -> None:
    assert not any(each in "0123456789" for each in speak(written))


@pytest.mark.parametrize(
    ("at", "chinese", "english"),
    [
        ("2021-07-19T22:00", "22时", "22:00"),
        ("2021-07-20T06:30", "明天6时30分", "06:30 tomorrow"),
        ("2021-07-21T08:00", "21日8时", "08:00 on 21 July"),
    ],
)
def test_a_time_is_written_as_seen_from_now(at: str, chinese: str, english: str) -> None:
    now = datetime(2021, 7, 19, 21, 59, tzinfo=ZONE)
    moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    assert write_time(moment, now, ZONE) == chinese
    assert write_time(moment, now, ZONE, "en") == english


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("雨" * 70, 1),
        ("雨" * 71, 2),
        ("雨" * 134, 2),
        ("雨" * 135, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
    ],
)
def test_the_parts_of_an_sms_are_counted_as_they_are_sent(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


def test_a_sign_outside_the_basic_plane_takes_the_room_of_two() -> None:
    assert sms_parts("𠮷" * 36) == 2


def test_eighty_chinese_characters_take_not_quite_twenty_seconds() -> None:
    assert 18 < speech_s("雨" * 80, "zh") < 20


def test_a_call_in_english_may_take_as_long_as_one_in_chinese() -> None:
    assert speech_s("a" * voice_chars_max(80, "en"), "en") == pytest.approx(speech_s("雨" * 80, "zh"), abs=0.1)


@given(st.lists(st.text("0123456789.:：-%米毫mG年月日时分人村", max_size=12), min_size=2, max_size=4))
def test_what_is_said_of_a_part_does_not_hang_on_what_stands_behind_a_comma(parts: list[str]) -> None:
    assert speak("，".join(parts)) == "，".join(speak(part) for part in parts)
    assert speak("，".join(parts)) == _speak_whole("，".join(parts))


def _speak_whole(text: str) -> str:
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return text


def test_a_word_that_a_voice_would_read_wrongly_is_read_as_the_county_says() -> None:
    read = readings_of({"单家坪": "善家坪", "单家坪村委会": "善家坪村委会", "善家": "不再看"})

    assert read("涉及单家坪、单家坪村委会") == "涉及善家坪、善家坪村委会"
    assert readings_of({})("涉及单家坪") == "涉及单家坪"
