"""What /metrics of a worker shows: each sample's name, its labels, and their values that stand there from the start."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import Metrics
from streams.metrics_questions import GAUGES, readings_family

ROOT = Path(__file__).parents[2]
_METRIC = re.compile(r"(jiaoying_[a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby\s*\(([^)]*)\)")


def exposed() -> dict[str, dict[str, set[str]]]:
    """Return label values by label by sample name; no values where none stand there before something happens."""
    registry = CollectorRegistry()
    Metrics(registry)
    names: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = names.setdefault(sample.name, defaultdict(set))
            for label, value in sample.labels.items():
                labels[label].add(value)
    for gauge in GAUGES:
        names[f"jiaoying_{gauge.name}"] = {label: set() for label in gauge.labels}
    names[f"{readings_family({}).name}_total"] = {"realm_kind": set(), "verdict": set()}
    return names


def find_faults(expr: str) -> Iterator[str]:
    """Yield what an expression asks for that no worker shows: a name, a label, or a value of a label."""
    known = exposed()
    grouped = {label.strip() for labels in _GROUPING.findall(expr) for label in labels.split(",") if label.strip()}
    offered: set[str] = {"job", "instance"}
    for name, matchers in _METRIC.findall(expr):
        if name not in known:
            yield f"{name} is shown by nothing"
            continue
        offered |= set(known[name])
        for label, operator, value in _MATCHER.findall(matchers):
            if label not in known[name]:
                yield f"{name} has no label {label}"
                continue
            values = value.split("|") if "~" in operator else [value]
            unknown = {one for one in values if not one.startswith("$")} - known[name][label]
            if known[name][label] and unknown:
                yield f"{name} never has {label} {', '.join(sorted(unknown))}"
    if "jiaoying_" in expr:
        yield from (f"nothing in it has the label {label}" for label in sorted(grouped - offered))
