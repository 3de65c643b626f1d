"""The list of hazards: complete, short enough to speak, and without words that mean two things."""

import pytest

from config.hazards import HazardsError, load_hazards

CODES = {f"11B{number:02}" for number in (1, 3, 4, 5, 6, 7, 9, 14, 15, 16, 17, 19, 20, 21, 22, 25, 29, 37)}
CODES |= {"11A01", "11A02", "11A51", "11C02", "11D01", "11D02", "11D99", "11E02", "11E06", "11G01", "11G05"}


def test_every_event_code_of_the_field_has_a_hazard():
    assert {code for hazard in load_hazards() for code in hazard.codes} == CODES


def test_every_action_can_be_said_in_fifteen_characters():
    assert [hazard.key for hazard in load_hazards() if not 0 < len(hazard.action) <= 15] == []


def test_no_action_orders_or_starts_a_response():
    assert not [hazard for hazard in load_hazards() if "下令" in hazard.action or "启动响应" in hazard.action]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- {key: a, name: 甲, valid_h: 0, action: x}", "0.valid_h"),
        ("- {key: a, name: 甲, valid_h: 1, action: x}\n- {key: a, name: 乙, valid_h: 1, action: x}", "'a'"),
        ("- &a {key: a, name: 甲, words: [雨], valid_h: 1, action: x}\n- {<<: *a, key: b}", "雨"),
        ("- [", "YAML"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, content, told):
    path = tmp_path / "hazards.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(HazardsError, match=told):
        load_hazards(path)


def test_a_missing_file_is_told_by_its_path(tmp_path):
    with pytest.raises(HazardsError, match=r"nowhere\.yaml"):
        load_hazards(tmp_path / "nowhere.yaml")
