from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml
from exposed import ROOT, find_faults

ALERTS = ROOT / "config" / "prometheus" / "alerts.yml"
SCENES = ROOT / "tests" / "house" / "alerts_scenes.yml"
GROUPS = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
NEEDED = {
    "StepOverdue",
    "LettersOld",
    "LettersGrowing",
    "DeadLetters",
    "NobodyOnDuty",
    "LedgerAway",
    "WorkerAway",
    "GatewayAway",
    "VendorFails",
    "PaceBelowNeed",
    "ListNotTaken",
}

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])


def test_the_groups_have_names_and_rules_of_their_own():
    assert len({group["name"] for group in GROUPS}) == len(GROUPS)
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_what_must_raise_an_alarm_does():
    assert {rule["alert"] for rule in RULES} >= NEEDED


@each_rule
def test_a_rule_has_the_shape_that_prometheus_reads(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in {"critical", "warning"}


@each_rule
def test_a_rule_says_in_chinese_what_is_wrong_and_what_to_do(rule):
    assert set(rule["annotations"]) == {"summary", "action", "english"}
    for part in ("summary", "action"):
        assert len(re.findall(r"[一-鿿]", rule["annotations"][part])) >= 6
    assert not re.search(r"[一-鿿]", rule["annotations"]["english"])


@each_rule
def test_a_rule_asks_only_for_what_a_worker_shows(rule):
    assert list(find_faults(rule["expr"])) == []


@each_rule
def test_a_rule_counts_only_the_real_thing(rule):
    for name, matchers in re.findall(r"(jiaoying_[a-z_]+_total)(?:\{([^}]*)\})?", rule["expr"]):
        assert 'realm_kind="real"' in matchers or name == "jiaoying_steps_total", rule["expr"]


@pytest.mark.parametrize("command", [["check", "rules", str(ALERTS)], ["test", "rules", str(SCENES)]])
def test_promtool_has_nothing_to_say_against_the_rules(command):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool, which comes with Prometheus, is not installed")
    done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
