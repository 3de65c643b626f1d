"""The rules in plain sentences."""

from __future__ import annotations

import pytest

from config.explain import explain
from config.load import load_rules
from config.rules import Quiet, RuleBook, Uncovered

PRESETS = ("mianxian", "simple")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_rule_quiet_rule_ladder_and_threshold_is_one_sentence(preset: str, language: str) -> None:
    book = load_rules(preset=preset)
    sentences = explain(book, language)
    assert len(sentences) == len(book.rules) + len(book.quiet) + len(book.ladders) + len(book.thresholds)
    assert all(sentence.endswith("。" if language == "zh" else ".") for sentence in sentences)
    assert all(sentence.count("。") <= 1 and "\n" not in sentence for sentence in sentences)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_of_a_hazard_or_kind_is_left_in_a_chinese_sentence(preset: str) -> None:
    book = load_rules(preset=preset)
    keys = {"duty_officer", "village_head", "site_keeper", "hazard_point", *(hazard.key for hazard in book.hazards)}
    rules = explain(book)[: len(book.rules)]
    assert [(key, rule) for key in keys for rule in rules if key in rule.split(":", 1)[1]] == []


def test_the_ladder_of_a_village_says_every_figure_that_decides_a_call() -> None:
    (ladder,) = (sentence for sentence in explain(load_rules()) if "(village)" in sentence)
    assert "180秒内拨出;第1步叫当班人或责任人(A角),最多3次,每100秒一次,300秒为限,同时发全文短信" in ladder
    assert ladder.endswith("都未应则列入上级单位的上门名单;听完还要按键才算应答;代接去叫人最多等180秒。")


def test_a_rule_after_others_speaks_of_the_other_hazards() -> None:
    red = explain(load_rules())[3]
    assert red.startswith("规则4(red):红色预警、监测告警,其余灾种,不论何时:按“县级”梯次打电话给县级值班员、带班领导;")


def test_limits_of_rain_and_level_are_said_with_window_and_reference() -> None:
    sentences = explain(load_rules())
    assert "阈值:1小时雨量达到60毫米,即山洪橙色监测告警(内部)。" in sentences
    assert "阈值:水位低于保证水位0.5米,即洪水黄色监测告警(内部)。" in sentences
    assert "阈值:水位达到保证水位,即洪水橙色监测告警(内部)。" in sentences


def spoken(language: str, **fields: object) -> str:
    """Return the one sentence that is added to the simple book by these fields."""
    book = load_rules(preset="simple")
    before, after = explain(book, language), explain(RuleBook.model_validate(dict(book) | fields), language)
    (added,) = set(after) - set(before)
    return added


def test_a_quiet_rule_without_a_digest_says_that_posts_are_told_by_text() -> None:
    quiet = Quiet(
        id="q", hazards=("haze",), colours=("blue",), levels=("village",), digest_at=None, reason="无需叫醒"
    )  # fmt: skip
    assert spoken("zh", quiet=(quiet,)) == (
        "静默(q):蓝色,霾,不打电话给村级岗位,只发短信告知,但危险名单上的照常打电话;理由:无需叫醒。"
    )


def test_a_warning_that_calls_nobody_is_said_with_its_reason() -> None:
    entry = Uncovered(hazards=("haze",), colours=("blue",), reason="too slow")
    assert spoken("en", uncovered=(entry,)) == "Nobody is called: blue warning; haze; too slow."


def test_hours_are_said_where_a_rule_has_them() -> None:
    book = load_rules(preset="simple")
    night = book.rules[0].model_copy(update={"from_time": "22:00", "to_time": "06:00"})
    assert "每天22:00至06:00" in spoken("zh", rules=(night, *book.rules[1:]))
