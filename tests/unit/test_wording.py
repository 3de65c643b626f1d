"""What is said: the county's sentences, filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.facts import Facts
from agents.plan import wording
from agents.plan.lengths import speech_s
from config.faults import ConfigError
from config.load import OWN_FOLDER, load_rules
from config.rules import RuleBook
from config.speech import load_speech, own_speech
from rosters.county import County
from streams.letters import ChainMoved, Move
from streams.words import Colour
from tests.small_county import small_county

AT = datetime(2021, 7, 19, 13, 59, tzinfo=UTC)
KEYS = tuple(hazard.key for hazard in load_rules().hazards)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts(small_county(), load_rules())


def moved(**more: Any) -> ChainMoved:
    given = {
        "text": "预计6小时内降雨100毫米。",
        "realm": "real",
        "hazard": "rainstorm",
        "colour": Colour.RED,
        "until": AT + timedelta(hours=8, minutes=31),
    }
    return ChainMoved(chain_id="c", move=Move.OPENED, cause_id="w", regions=(), at=AT, **given | more)


def with_speech(facts: Facts, **changes: Any) -> Facts:
    """Return facts whose Chinese sentences are others."""
    speech = facts.book.speech
    other = speech.model_copy(update={"zh": speech.zh.model_copy(update=changes)})
    return Facts(facts.county, facts.book.model_copy(update={"speech": other}))


def test_a_call_says_who_what_where_until_when_and_one_action(facts: Facts) -> None:
    said = wording.voice_of(moved(), "上湾村", facts)
    assert said == "禾溪县叫应：暴雨红色预警，涉及上湾村，明天六点三十分前。请查看低洼处和山边住户。"


def test_a_call_without_an_end_names_none(facts: Facts) -> None:
    assert "前。" not in wording.voice_of(moved(until=None), "上湾村", facts)


def test_an_order_says_in_the_call_what_the_person_wrote(facts: Facts) -> None:
    ordered = moved(source="order", hazard="flash_flood", text="后山有落石，请立即转移")
    said = wording.voice_of(ordered, "上湾村", facts)
    assert said == "禾溪县叫应：山洪紧急叫应，涉及上湾村。后山有落石，请立即转移。请让沟边人员马上往高处走。"


def test_an_order_too_long_to_be_heard_is_said_without_the_person_s_words(facts: Facts) -> None:
    said = wording.voice_of(moved(source="order", text="很长。" * 40), "上湾村", facts)
    assert said == "禾溪县叫应：暴雨紧急叫应，涉及上湾村。请查看低洼处和山边住户。"


def test_what_a_person_wrote_without_an_end_does_not_run_into_what_follows(facts: Facts) -> None:
    assert "请立即转移。 有效至" in wording.text_of(moved(source="order", text="请立即转移"), "上湾村", facts)


def test_a_name_with_two_sounds_is_spoken_as_the_county_says_and_written_as_it_is(facts: Facts) -> None:
    ours = with_speech(facts, pronounce={"单家坪": "善家坪"})
    assert "涉及善家坪" in wording.voice_of(moved(), "单家坪", ours)
    assert "涉及单家坪" in wording.text_of(moved(), "单家坪", ours)


def test_a_text_holds_all_that_the_law_asks_for(facts: Facts) -> None:
    text = wording.text_of(moved(issuer="禾溪县气象台"), "上湾村", facts)
    assert text == (
        "【禾溪县叫应】暴雨红色预警，涉及上湾村。预计6小时内降雨100毫米。 有效至明天6时30分。"
        "发布：禾溪县气象台，21时59分。请查看低洼处和山边住户。"
    )


def test_of_a_text_that_is_too_long_the_warning_s_own_words_are_cut_and_the_action_stays(facts: Facts) -> None:
    text = wording.text_of(moved(text="雨" * 1000), "上湾村", facts)
    assert len(text) == 480
    assert text.endswith("请查看低洼处和山边住户。")


@pytest.mark.parametrize(
    ("realm", "mark"),
    [("real", ""), ("drill:x", "【演练】"), ("check:cap", "【测试】"), ("check:spot-1", "【抽查】")],
)
def test_what_is_not_the_real_thing_says_so_first(facts: Facts, realm: str, mark: str) -> None:
    heard = [
        wording.voice_of(moved(realm=realm), "上湾村", facts),
        wording.gate_voice(moved(realm=realm), facts),
        wording.unclear_voice(moved(realm=realm), facts),
        wording.ending_voice(moved(realm=realm), facts),
        wording.visit_voice(["上湾村"], facts, realm),
    ]
    assert all(each.startswith(f"{mark}禾溪县") for each in heard)
    assert all(mark in each for each in (wording.text_of(moved(realm=realm), "上湾村", facts),))


def test_an_exercise_of_the_real_realm_is_marked_to_the_end(facts: Facts) -> None:
    assert wording.voice_of(moved(exercise=True), "上湾村", facts).startswith("【演练】")
    assert wording.visit_voice(["上湾村"], facts, "real", exercise=True).startswith("【演练】")


def test_an_alarm_is_never_called_a_warning(facts: Facts) -> None:
    alarm = moved(source="monitor")
    assert "预警" not in wording.voice_of(alarm, "上湾村", facts)
    assert "非预警信号" in wording.text_of(alarm, "上湾村", facts)


def test_an_order_says_that_a_person_gave_it(facts: Facts) -> None:
    assert "人工叫应" in wording.text_of(moved(source="order"), "上湾村", facts)


def test_a_lone_gauge_is_said_with_its_figures_in_words(facts: Facts) -> None:
    said = wording.gate_voice(moved(source="monitor", text="溪口雨量站1小时61.0毫米"), facts)
    assert "一小时六十一点零毫米" in said
    assert "九十秒后" in said


def test_the_whole_county_is_named_as_such(facts: Facts) -> None:
    assert "涉及全县" in wording.voice_of(moved(), facts.county.name, facts)


def test_a_county_may_say_it_in_english(facts: Facts) -> None:
    said = wording.voice_of(moved(), "Shangwan", facts, "en")
    assert said == (
        "禾溪县 calling: red rainstorm warning, for Shangwan, until 06:30 tomorrow. "
        "Please check low-lying houses and homes on slopes."
    )


@pytest.mark.parametrize("hazard", KEYS)
@pytest.mark.parametrize("source", ["warning", "monitor", "order"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_call_is_heard_within_twenty_seconds(
    whole_county: County, hazard: str, source: str, language: str
) -> None:
    facts = Facts(whole_county, load_rules())
    place = max((whole_county.place(post) for post in whole_county.posts.values()), key=len)
    warning = moved(hazard=hazard, source=source, realm="drill:x")
    words = wording.voice_of(warning, place, facts, language) + wording.prompt_of(facts.book, language)
    assert speech_s(words, language) <= 20


def test_a_hazard_nobody_knows_is_said_to_be_unclear(facts: Facts) -> None:
    assert "未明确灾种" in wording.voice_of(moved(hazard="unknown"), "上湾村", facts)


def test_sentences_that_do_not_fit_the_longest_place_are_refused_with_what_would_be_said(facts: Facts) -> None:
    long = facts.book.speech.zh.voice[-1].model_copy(
        update={"says": ("{mark}{county}叫应：{what}，{where}" + "啊" * 40,)}
    )
    with pytest.raises(ConfigError, match="鹰嘴岩滑坡点"):
        wording.check_fits(with_speech(facts, voice=(long,)))


def test_the_sentences_of_the_project_fit_the_sample_county(whole_county: County) -> None:
    wording.check_fits(Facts(whole_county, load_rules()))


def spoilt(tmp_path: Path, old: str, new: str) -> str:
    """Return why a speech.yaml in which something was replaced is refused."""
    text = (OWN_FOLDER / "speech.yaml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "speech.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_speech(file, KEYS, "zh")
    (fault,) = caught.value.faults
    assert fault.line > 1
    return fault.reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("{until}前。请", "{untill}前。请", "没有可填的项 untill,是不是 until"),
        ('叫应：{what}，{where}。"', '叫应：{what}。"', "必须有 where"),
        ('{mark}{county}叫应：{what}，{where}。"', '{county}{mark}叫应：{what}，{where}。"', "mark 开头"),
        ("{count}处未叫醒，请立即", "{count处未叫醒，请立即", "花括号"),
        ("red: 红色", "blue : 红色", "写了两次"),
        (", red: 红色", "", "缺少 red"),
        ('"drill:": 【演练】, ', "", "缺少 drill:"),
        ("    rainstorm: rainstorm\n", "", "缺少 rainstorm"),
        (
            "colours: [blue, yellow, orange, red]\n      says:",
            "colours: [yellow, orange, red]\n      says:",
            "蓝色没有说法",
        ),
        ("pronounce: {}", "pronounce: {单家坪: ''}", "缺少 单家坪"),
        ("{mark}{county}叫应：{what}，{where}。{at}起", "{county}叫应：{what}，{where}。{at}起{mark}", "mark 开头"),
        ("      expired: 已到期\n", "", "缺少 expired"),
        ("hazards: [any]", "hazards: [any, rainstrom]", "是不是 rainstorm"),
    ],
)
def test_a_faulty_sentence_is_refused_with_its_line_and_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert reason in spoilt(tmp_path, old, new)


def test_a_sentence_of_one_hazard_goes_before_that_for_any(facts: Facts) -> None:
    special = facts.book.speech.zh.voice[-1].model_copy(
        update={"hazards": ("flash_flood",), "says": ("{mark}{county}：{what}！{where}，往高处走！",)}
    )
    ours = with_speech(facts, voice=(special, *facts.book.speech.zh.voice))
    assert (
        wording.voice_of(moved(hazard="flash_flood"), "上湾村", ours) == "禾溪县：山洪红色预警！涉及上湾村，往高处走！"
    )
    assert "叫应" in wording.voice_of(moved(), "上湾村", ours)


def test_a_county_s_own_sentences_stand_in_the_hash_of_its_rules(facts: Facts, tmp_path: Path) -> None:
    for name in ("hazards.yaml", "thresholds.yaml", "presets/mianxian.yaml", "speech.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        text = (OWN_FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("往高处走", "向高处走").replace("系误发", "是误发"), encoding="utf-8")
    assert load_rules(tmp_path).hash != facts.book.hash


def test_a_folder_without_sentences_uses_those_of_the_project() -> None:
    assert RuleBook(preset="x", hazards=(), ladders={}, rules=()).speech == own_speech()
