"""Running a scenario from its first event to its summary: what the command line and the demo call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from streams.clock import SystemClock
from streams.replay import report, tables
from streams.replay.moments import Moment
from streams.replay.night import Night
from streams.replay.scenario import Fact, Scenario, load_scenario, night_of, play
from streams.replay.summary import Summary, summarise
from streams.replay.times import read_local

Progress = Callable[[float, str], None]
Language = tables.Language


@dataclass(frozen=True)
class RunResult:
    """A scenario that was run: its summary, the fingerprint of its history, how long it took, and the night itself."""

    scenario: Scenario
    summary: Summary
    fingerprint: str
    took_s: float
    steps: int
    night: Night

    def as_json(self) -> dict[str, Any]:
        """Return everything but the night as JSON."""
        figures = {"scenario": self.scenario.id, "fingerprint": self.fingerprint, "took_s": round(self.took_s, 2)}
        return figures | {"steps": self.steps, "summary": self.summary.model_dump(mode="json")}


def run_scenario(name: str, *, progress: Progress | None = None, preset: str = "mianxian", seed: str = "") -> RunResult:
    """Run a scenario in virtual time.

    Args:
        name: One of `scenario_names()`, or a path that ends in `.yaml`.
        progress: Told the share that is over (0 to 1) and the county's time.
        preset: Which rules.
        seed: Another seed, other seconds of ringing.

    Raises:
        ScenarioError: It cannot be read.
    """
    clock = SystemClock()
    began_s = clock.monotonic_s()
    scenario = load_scenario(name)
    night = play(scenario, night_of(scenario, preset=preset, seed=seed), progress)
    return RunResult(
        scenario=scenario,
        summary=summary_of(night, scenario),
        fingerprint=night.history(),
        took_s=clock.monotonic_s() - began_s,
        steps=night.runner.steps,
        night=night,
    )


def summary_of(night: Night, scenario: Scenario | None = None) -> Summary:
    """Sum a night up; facts of a scenario stand in its timeline beside what the machine did."""
    summary = night.ledger.step(
        lambda step: summarise(step, night.house.facts, from_at=night.started_at, until_at=night.now, realm=night.realm)
    )
    facts = [
        Moment(at=read_local(event.at, night.county.zone), kind="fact", zh=event.what.zh, en=event.what.en)
        for event in (scenario.events if scenario else ())
        if isinstance(event, Fact)
    ]
    timeline = tuple(sorted((*summary.timeline, *facts), key=lambda moment: moment.at))
    return summary.model_copy(update={"timeline": timeline})


def print_summary(console: Console, result: RunResult, *, language: Language = "zh") -> None:
    """Print the tables of a run."""
    title = result.scenario.title.zh if language == "zh" else result.scenario.title.en
    about = result.scenario.about.zh if language == "zh" else result.scenario.about.en
    tables.print_summary(console, result.summary, title=title, about=about, language=language)
    tables.print_run(console, result.fingerprint, result.took_s, result.steps, language=language)


def write_report(result: RunResult, path: Path, *, language: Language = "zh") -> Path:
    """Write the report of a run as one HTML file and return its path."""
    scenario = result.scenario
    html = report.render(
        result.summary,
        title=scenario.title.zh if language == "zh" else scenario.title.en,
        about=scenario.about.zh if language == "zh" else scenario.about.en,
        sources=scenario.sources,
        fingerprint=result.fingerprint,
        language=language,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
    return path


def write_json(result: RunResult, path: Path) -> Path:
    """Write the figures of a run as JSON and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    return path
