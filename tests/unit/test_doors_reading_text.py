"""What a headline and a text say: hazard, colour, issuer, time, 继续, 解除, places."""

from datetime import UTC, datetime

import pytest

from config.hazards import load_hazards
from streams.doors.reading_hazard import read_colour, read_event_code
from streams.doors.reading_text import expand_issuer, places_in, read_text
from streams.doors.reading_time import CHINA_ZONE, read_time
from streams.words import Colour

HAZARDS = load_hazards()
REFERENCE = datetime(2026, 1, 10, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def said(headline: str = "", text: str = ""):
    return read_text(headline, text, HAZARDS, reference=REFERENCE)


@pytest.mark.parametrize(
    ("headline", "hazard", "colour"),
    [
        ("甲县气象台发布暴雨橙色预警信号", "rainstorm", "orange"),
        ("甲省乙市气象台发布蓝色雷暴大风预警", "thunderstorm_gale", "blue"),
        ("甲省发布气象灾害(台风)二级预警", "typhoon", "orange"),
        ("甲县气象局发布大风蓝色预警[IV级/一般]", "gale", "blue"),
        ("甲县气象局发布霜冻预警[Ⅲ级/较重]", "frost", "yellow"),
        ("甲县发布山洪灾害气象风险红色预警", "flash_flood", "red"),
        ("甲县发布地质灾害气象风险黄色预警", "geohazard", "yellow"),
        ("甲市气象台发布台风“海葵”红色预警信号", "typhoon", "red"),
        ("甲市发布暴雨黄色、雷电橙色预警信号", "lightning", "orange"),
        ("甲县气象台将暴雨黄色预警信号升级为暴雨橙色预警信号", "rainstorm", "orange"),
        ("甲县气象台将暴雨黄色预警信号升级为橙色预警信号", "rainstorm", "orange"),
        ("甲县气象台解除暴雨红色预警信号，发布暴雨黄色预警信号", "rainstorm", "yellow"),
        ("甲县暴雨橙色预警降级为黄色预警", "rainstorm", "yellow"),
        ("甲县气象台发布暴雨橙色预警，后期可能升级为红色", "rainstorm", "orange"),
        ("太原市气象台发布霾 黄色 预警信号", "haze", "yellow"),
        ("甲县气象局暴雨红警", "rainstorm", "red"),
        ("四区发布红色预警", None, "red"),
        ("甲县防汛指挥部启动防汛Ⅳ级应急响应", None, None),
        ("Somewhere observatory issued a yellow typhoon warning [level III / heavy]", "typhoon", "yellow"),
    ],
)
def test_a_headline_tells_hazard_and_colour(headline, hazard, colour):
    facts = said(headline)
    assert (facts.hazard, facts.colour and facts.colour.value) == (hazard, colour)


def test_what_may_come_along_is_not_what_is_warned_of():
    facts = said(text="甲县气象台2026年1月6日21时29分发布雷电黄色预警信号：期间可能伴有短时强降水、雷暴大风、冰雹。")
    assert (facts.hazard, facts.colour) == ("lightning", Colour.YELLOW)


def test_a_colour_of_another_hazard_in_the_text_is_not_lent_to_the_headline():
    facts = said("甲县发布暴雨预警", "原雷电黄色预警信号继续有效。")
    assert (facts.hazard, facts.colour) == ("rainstorm", None)


@pytest.mark.parametrize(
    ("text", "issued_at"),
    [
        ("甲省气象台13年12月4日21时57分发布大雾橙色预警信号", utc(2013, 12, 4, 13, 57)),
        ("甲省气象台于11月11日06时00分继续发布霾黄色 预警信号", utc(2025, 11, 10, 22, 0)),
        ("甲县气象台2025年8月19日9时1分发布高温橙色预警信号", utc(2025, 8, 19, 1, 1)),
        ("甲市气象台2018年4月16日15:20发布大风蓝色预警信号", utc(2018, 4, 16, 7, 20)),
        ("平乐县气象台26日08时30分发布暴雨黄色预警信号", utc(2025, 12, 26, 0, 30)),
        ("甲局、乙局8月18日20时联合发布地质灾害气象风险蓝色预警", utc(2025, 8, 18, 12, 0)),
        ("甲市气象台18时继续发布暴雨黄色预警", utc(2026, 1, 9, 10, 0)),
    ],
)
def test_the_time_of_issue_is_read_and_what_it_leaves_out_is_the_latest_past(text, issued_at):
    assert said(text=text).issued_at == issued_at


def test_a_time_without_a_year_stays_unknown_without_a_reference():
    assert read_text("", "甲县气象台7月15日13时30分发布冰雹橙色预警", HAZARDS).issued_at is None


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2020-02-05 10:45:00+08:00", utc(2020, 2, 5, 2, 45)),
        ("2026-08-23 17:08:00.0", utc(2026, 8, 23, 9, 8)),
        ("2026/09/19 11:42", utc(2026, 9, 19, 3, 42)),
        ("20180715133000", utc(2018, 7, 15, 5, 30)),
        ("20220606 09:26:00", utc(2022, 6, 6, 1, 26)),
        ("2020-06-06 09:05 更新", utc(2020, 6, 6, 1, 5)),
        ("2025-6-10 4:30:00", utc(2025, 6, 9, 20, 30)),
        ("2025-07-16T08:46:32.531Z", utc(2025, 7, 16, 8, 46, 32)),
        (1502265600, utc(2017, 8, 9, 8, 0)),
        ("1502265600000", utc(2017, 8, 9, 8, 0)),
        ("2026-08-23 24:00", utc(2026, 8, 23, 16, 0)),
    ],
)
def test_a_time_is_read_however_it_is_written(value, at):
    assert read_time(value, CHINA_ZONE) == at


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01 00:00", "2020-01-01T00:00:00+99:99", "0001-01-01T00:00:00Z"])
def test_what_is_no_time_is_none(value):
    assert read_time(value, CHINA_ZONE) is None


@pytest.mark.parametrize(
    ("headline", "text", "issuer"),
    [
        ("甲省乙市气象台发布大风蓝色预警", "乙市气象台2018年4月16日15:20发布大风蓝色预警信号", "乙市气象台"),
        ("北京市气象台2021年07月11日17时50分发布雷电黄色预警信号", "市气象台2021年7月11日17时50分发布", "北京市气象台"),
        ("", "#甲省防汛#【气象预警】甲中心气象台7月13日10时40分发布暴雨红色预警信号", "甲中心气象台"),
        (
            "",
            "甲市自然资源局、甲市气象局8月18日20时联合发布地质灾害气象风险蓝色预警",
            "甲市自然资源局、甲市气象局",
        ),
        ("", "继续发布霾黄色预警信号:目前，有霾。为此，甲省气象台于11月11日06时00分继续发布霾黄色预警", "甲省气象台"),
    ],
)
def test_the_issuer_is_who_stands_before_the_time_and_the_verb(headline, text, issuer):
    assert said(headline, text).issuer == issuer


def test_an_issuer_without_its_city_is_completed_by_the_area():
    assert expand_issuer("市气象台", "北京市") == "北京市气象台"


@pytest.mark.parametrize("headline", ["甲县气象台继续发布暴雨橙色预警信号", "甲县气象台更新大风蓝色预警信号"])
def test_a_warning_issued_on_is_continued(headline):
    assert said(headline).continued


@pytest.mark.parametrize("headline", ["甲县解除暴雨橙色预警信号", "甲县暴雨红色预警信号已解除", "甲县取消台风黄色预警"])
def test_a_warning_lifted_is_cancelled(headline):
    assert said(headline).cancelled


@pytest.mark.parametrize(
    "headline", ["甲县气象台解除暴雨红色预警信号，发布暴雨黄色预警信号", "甲县发布暴雨橙色预警", "请勿解除警戒"]
)
def test_a_warning_replaced_is_not_cancelled(headline):
    assert not said(headline).cancelled


def test_a_rise_is_upgraded_and_a_forecast_of_one_is_not():
    assert said("甲县将暴雨黄色预警信号升级为橙色").upgraded
    assert not said("甲县发布暴雨橙色预警，后期可能升级为红色").upgraded


def test_places_are_townships_streets_and_villages_without_what_leads_in():
    facts = said(
        text="昭苏县气象台发布雷电黄色预警信号：我县昭苏镇已出现雷电，上述区域及种马场、乌尊布拉克镇等地将出现。"
    )
    assert facts.places == ("乌尊布拉克镇", "昭苏镇")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("预计我县柏城街道、芦庙乡等全部乡镇和街道有雨", {"柏城街道", "芦庙乡"}),
        ("预计和平镇、将军镇、沙子镇和二塘镇有雨，请各乡镇注意防范", {"和平镇", "将军镇", "沙子镇", "二塘镇"}),
        ("宝力根苏木、巴彦嘎查有雪", {"宝力根苏木", "巴彦嘎查"}),
        ("全县大部乡镇有雨", set()),
    ],
)
def test_lists_of_places_are_taken_apart(text, places):
    assert set(said(text=text).places) == places


TOWNS = ["东河镇", "东河口镇", "西河镇", "大雪山镇", "平乐镇", "和平村"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("预计东河口镇有雨", ("东河口镇",)),
        ("预计东河、西河等地有雨", ("东河镇", "西河镇")),
        ("平乐县气象台发布暴雨预警", ()),
        ("平乐县平乐镇有雨", ("平乐镇",)),
        ("除大雪山镇外的各乡镇", ("大雪山镇",)),
        ("东 河镇有雨", ("东河镇",)),
        ("全县有雨", ()),
    ],
)
def test_known_places_are_found_the_longest_first(text, named):
    assert places_in(text, TOWNS) == named


def test_a_short_name_does_not_match_inside_a_longer_one_the_county_does_not_know():
    assert places_in("东河口镇有雨", ["东河镇"]) == ()


def test_a_short_name_that_two_places_share_names_neither():
    assert places_in("东河有雨", ["东河镇", "东河村"]) == ()


@pytest.mark.parametrize(
    ("code", "hazard", "colour"),
    [("11B03", "rainstorm", None), ("11b0304", "rainstorm", Colour.RED), ("11B99", None, None), ("FFA", None, None)],
)
def test_an_event_code_tells_hazard_and_perhaps_colour(code, hazard, colour):
    naming = read_event_code(code, HAZARDS)
    assert (naming.hazard, naming.colour) == (hazard, colour)


@pytest.mark.parametrize("word", ["Severe", "Extreme", "Unknown", "", "minor", "redundant"])
def test_a_word_of_severity_is_no_colour(word):
    assert read_colour(word) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "暴雨" + "(风险)" * 600,
        "气象台" + "1" * 4000,
        "1年" * 2000,
        "解除" * 2000,
        "局，" * 2000,
        "升级为" * 1300,
        "“暴雨" * 1300,
    ],
)
def test_a_text_made_to_hold_up_the_reader_does_not(text):
    assert said(text, text).colour is None
