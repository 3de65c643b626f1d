from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator

import pytest
import yaml
from exposed import ROOT, exposed, find_faults

GRAFANA = ROOT / "config" / "grafana"
COMMITTED = (GRAFANA / "dashboards" / "jiaoying.json").read_text(encoding="utf-8")
BOARD = json.loads(COMMITTED)


def rows() -> Iterator[tuple[str, list[dict]]]:
    title, panels = "", []
    for panel in BOARD["panels"]:
        if panel["type"] == "row":
            if panels:
                yield title, panels
            title, panels = panel["title"], []
        else:
            panels.append(panel)
    yield title, panels


def queries() -> list[str]:
    return [target["expr"] for _, panels in rows() for panel in panels for target in panel["targets"]]


def test_the_committed_dashboard_is_what_the_code_builds():
    with warnings.catch_warnings():
        # The library recommends dashboards of version 2; the classic ones are what every Grafana reads from files.
        warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
        from config.grafana.build import build

        assert build() == COMMITTED, "run: python -m config.grafana.build"


def test_the_first_row_asks_whether_it_can_call_now():
    title, panels = next(rows())
    assert title.startswith("现在能叫应吗？")
    asked = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    for name in (
        "jiaoying_last_good_call_seconds",
        "jiaoying_calls_per_second_available",
        "jiaoying_calls_per_second_needed",
        "jiaoying_posts_nobody_on_duty",
        "jiaoying_overdue_seconds",
        "jiaoying_ledger_up",
    ):
        assert name in asked


def test_no_data_is_red_in_every_panel_of_the_first_row():
    for panel in next(rows())[1]:
        assert all(target["expr"].endswith("or vector(-1)") for target in panel["targets"]), panel["title"]
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0] == {"color": "red", "value": None}
        assert all(step["value"] >= 0 for step in steps[1:]), "-1 must stay below every other colour"
        told = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]["-1"]
        assert told["text"] == "无数据 no data"


def test_the_second_row_shows_the_unreached_by_township():
    title, panels = list(rows())[1]
    assert title.startswith("未应，按乡镇")
    assert "max by (township) (jiaoying_unreached" in panels[0]["targets"][0]["expr"]


def test_titles_are_chinese_with_english_behind():
    titles = [panel["title"] for panel in BOARD["panels"]]
    assert all(re.match(r"[一-鿿].* [A-Z]", title) for title in titles), titles


@pytest.mark.parametrize("expr", queries())
def test_every_query_asks_for_what_a_worker_shows(expr):
    assert list(find_faults(expr)) == []


def test_how_things_stand_is_never_added_up_over_processes():
    counted = {name for name in exposed() if name.endswith(("_total", "_bucket", "_count", "_sum"))}
    for expr in queries():
        for name in re.findall(r"jiaoying_[a-z_]+", expr):
            if name not in counted:
                assert re.search(rf"(max|min)( by \([a-z, ]+\))? ?\({name}", expr), expr


def test_every_panel_asks_the_provisioned_data_source():
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    uid = source["datasources"][0]["uid"]
    assert {panel["datasource"]["uid"] for _, panels in rows() for panel in panels} == {uid}


def test_the_data_source_samples_as_often_as_prometheus_scrapes():
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    scrape = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    assert source["datasources"][0]["jsonData"]["timeInterval"] == scrape["global"]["scrape_interval"]
