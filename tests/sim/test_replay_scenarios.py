"""Scenarios are read strictly, and each that comes with the project keeps the laws of calling."""

from __future__ import annotations

import pytest
import yaml

from streams.replay.play import run_scenario
from streams.replay.scenario import FOLDER, ScenarioError, load_scenario, scenario_names
from tests.sim import checks

SHORT = ["datong-2022-08-18", "jianshi-2023-07-04"]


@pytest.mark.parametrize("name", scenario_names())
def test_every_fact_has_its_source_and_the_county_is_called_invented(name):
    scenario = load_scenario(name)

    assert all(event.source.strip() for event in scenario.events)
    assert "虚构" in scenario.about.zh
    assert "invented" in scenario.about.en
    assert scenario.id == name


@pytest.mark.parametrize("name", SHORT)
def test_the_laws_of_calling_are_kept(name):
    night = run_scenario(name).night

    assert checks.too_soon(night) == []
    assert checks.live_together(night) == []
    assert checks.over_budget(night) == []
    assert checks.called_after_receipt(night) == []
    assert checks.never_ended(night) == []
    assert checks.confirmed_without_proof(night) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"surprise": 1}, "surprise"),
        ({"end": "2022-08-17 17:00"}, "不晚于"),
        ({"sources": []}, "sources"),
        ({"start": "17:30"}, "start"),
        ({"events": [{"at": "2022-08-17 22:25", "kind": "warning", "colour": "red", "hazard": "rainstorm"}]}, "source"),
        (
            {"events": [{"at": "2022-08-19 22:25", "kind": "fact", "source": "假设", "what": {"zh": "甲", "en": "a"}}]},
            "不在",
        ),
    ],
)
def test_a_faulty_scenario_is_refused_with_its_fault(tmp_path, change, said):
    content = yaml.safe_load((FOLDER / "datong-2022-08-18.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "night.yaml"
    file.write_text(yaml.safe_dump(content | change, allow_unicode=True), encoding="utf-8")

    with pytest.raises(ScenarioError, match=said):
        load_scenario(str(file))


def test_a_name_that_is_not_known_is_answered_with_those_that_are():
    with pytest.raises(ScenarioError, match="zhengzhou-2021-07-20"):
        load_scenario("atlantis")
