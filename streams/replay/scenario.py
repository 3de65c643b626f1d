"""Past nights as data: what came in when, with the source of every fact, on the invented sample county.

A scenario is strictly checked: a key that is not known or a time outside the night refuses it whole. What is not
known of the real night is marked 假设 (assumed) in its `source`; habits of phones always are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from agents.dial.carriers.simulated import Kind, load_habits
from config.load import load_rules
from rosters.county import County
from rosters.load import load_county
from streams.replay.night import Night
from streams.replay.times import read_local
from streams.words import Colour, Model, MsgType

FOLDER = Path(__file__).parent / "scenarios"
SAMPLE = Path(__file__).parents[2] / "config" / "sample"
READING_EVERY = timedelta(minutes=10)
Words = Annotated[str, Field(min_length=1)]
When = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d$")]


class ScenarioError(ValueError):
    """A scenario cannot be read; says where and why."""


class Said(Model):
    """Words for people, in both languages."""

    zh: Words
    en: Words


class Happening(Model):
    """Anything that happens at a county time; `source` says where it is known from, or that it is assumed."""

    at: When
    source: Words


class WarningSent(Happening):
    """A warning document; fields as of `Night.warning`. `townships` are named in its text."""

    kind: Literal["warning"]
    msg: MsgType = MsgType.ALERT
    colour: Colour
    hazard: Words
    text: str = ""
    townships: tuple[str, ...] = ()
    references: tuple[str, ...] | None = None
    identifier: str = ""
    geocodes: tuple[str, ...] | None = None
    continued: bool = False


class RainFell(Happening):
    """So much rain in the hour from `at`, handed in as six equal readings; gauges as shares of it."""

    kind: Literal["rain"]
    mm: float = Field(ge=0)
    stations: dict[str, float] = Field(min_length=1)


class LevelRead(Happening):
    """A river level in metres."""

    kind: Literal["level"]
    station: Words
    metres: float


class CallOrdered(Happening):
    """A person orders a call."""

    kind: Literal["order"]
    villages: tuple[Words, ...] = Field(min_length=1)
    hazard: Words
    text: Words
    by: Words
    on_word_of: Words


class ChainTouched(Happening):
    """A person pauses, resumes, corrects or calls off the open chain of a hazard."""

    kind: Literal["pause", "resume", "correct", "call_off"]
    hazard: str = ""
    by: Words
    text: str = ""


class Fact(Happening):
    """What happened in the real night. It is shown beside the replay and changes nothing."""

    kind: Literal["fact"]
    what: Said


Event = Annotated[WarningSent | RainFell | LevelRead | CallOrdered | ChainTouched | Fact, Field(discriminator="kind")]


class HabitGiven(Model):
    """A habit for phones by number, or for the phones of posts' holders at the start. Always an assumption."""

    phones: tuple[Words, ...] = Field(min_length=1)
    habit: Kind
    after: int = Field(default=0, ge=0)


class Scenario(Model):
    """One past night.

    Args:
        id: File name without `.yaml`.
        title: As it is shown.
        about: What is real in it and what is invented.
        sources: Where the facts are from, each with its mark.
        start: County time.
        end: County time.
        county: Which county; the sample one is invented.
        habits: Beyond those of the sample county; assumptions all.
        events: In any order.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    title: Said
    about: Said
    sources: tuple[Words, ...] = Field(min_length=1)
    start: When
    end: When
    county: Literal["sample"] = "sample"
    habits: tuple[HabitGiven, ...] = ()
    events: tuple[Event, ...] = Field(min_length=1)


_SCENARIO = TypeAdapter(Scenario)


def scenario_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the project."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_scenario(name: str) -> Scenario:
    """Load a scenario by name, or from a file where the name ends in `.yaml`.

    Raises:
        ScenarioError: There is no such scenario, or it does not hold what it must; all faults are told.
    """
    path = Path(name) if name.endswith(".yaml") else FOLDER / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        scenario = _SCENARIO.validate_python(content)
    except FileNotFoundError:
        raise ScenarioError(f"没有名为“{name}”的场景；现有：{'、'.join(scenario_names())}") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name} 不是合格的 YAML：{error}") from None
    except ValidationError as error:
        faults = "；".join(f"{'.'.join(map(str, item['loc']))}：{item['msg']}" for item in error.errors())
        raise ScenarioError(f"{path.name}：{faults}") from None
    _check_times(scenario, path.name)
    return scenario


def sample_county(around: datetime) -> County:
    """Return the invented county, with its shifts around a time.

    Args:
        around: Aware.
    """
    return load_county(SAMPLE, around)


def night_of(scenario: Scenario, *, preset: str = "mianxian", seed: str = "") -> Night:
    """Return the night at its start, nothing having come in yet."""
    zone = load_county(SAMPLE).zone
    start = read_local(scenario.start, zone)
    county = sample_county(start)
    habits = load_habits(SAMPLE / "habits.csv")
    night = Night(county=county, rules=load_rules(preset=preset), start=start, habits=habits, seed=seed)
    for given in scenario.habits:
        for whose in given.phones:
            night.phone(whose).habit(given.habit, after=given.after)
    return night


def play(scenario: Scenario, night: Night, progress: Callable[[float, str], None] | None = None) -> Night:
    """Let a night take its course to its end.

    Args:
        scenario: What comes in.
        night: Fresh, from `night_of`.
        progress: Told the share that is over (0 to 1) and the county's time, again and again.
    """
    end = read_local(scenario.end, night.county.zone)
    whole_s = (end - night.started_at).total_seconds()
    for at, act in _acts(scenario, night):
        night.at(at)
        act(night)
        if progress is not None:
            progress((at - night.started_at).total_seconds() / whole_s, night.local)
    night.at(end)
    if progress is not None:
        progress(1.0, night.local)
    return night


Act = Callable[[Night], object]


def _acts(scenario: Scenario, night: Night) -> list[tuple[datetime, Act]]:
    """Return what is to be done when, in order: readings of one moment together, and before a warning of it."""
    zone = night.county.zone
    fell: dict[datetime, list[tuple[str, str, datetime, float]]] = defaultdict(list)
    acts: list[tuple[datetime, int, Act]] = []
    for place, event in enumerate(scenario.events, start=1):
        at = read_local(event.at, zone)
        match event:
            case RainFell():
                for reading in _six_readings(event, at):
                    fell[reading[2]].append(reading)
            case LevelRead():
                fell[at].append((event.station, "level_m", at, event.metres))
            case Fact():
                pass
            case _:
                acts.append((at, place, _act_of(event)))
    acts += [(at, 0, _readings_act(rows)) for at, rows in fell.items()]
    return [(at, act) for at, _, act in sorted(acts, key=lambda item: item[:2])]


def _act_of(event: WarningSent | CallOrdered | ChainTouched) -> Act:
    match event:
        case WarningSent():
            fields: dict[str, Any] = event.model_dump(exclude={"at", "source", "kind", "msg"})
            return lambda night: night.warning(kind=event.msg, **fields)
        case CallOrdered():
            ordered: dict[str, Any] = event.model_dump(exclude={"at", "source", "kind"})
            return lambda night: night.order(**ordered)
        case ChainTouched():
            touched = {"by": event.by, "hazard": event.hazard}
            touched |= {"text": event.text} if event.kind in ("correct", "call_off") and event.text else {}
            return lambda night: getattr(night, event.kind)(**touched)


def _readings_act(rows: list[tuple[str, str, datetime, float]]) -> Act:
    return lambda night: night.readings(rows)


def _six_readings(event: RainFell, at: datetime) -> Iterator[tuple[str, str, datetime, float]]:
    """Spread an hour's rain evenly: how it fell within the hour is not known."""
    for tenth in range(1, 7):
        for station, share in event.stations.items():
            yield station, "rain_mm", at + tenth * READING_EVERY, round(event.mm * share / 6, 2)


def _check_times(scenario: Scenario, file: str) -> None:
    if scenario.end <= scenario.start:
        raise ScenarioError(f"{file}：end {scenario.end} 不晚于 start {scenario.start}")
    for event in scenario.events:
        if not scenario.start <= event.at <= scenario.end:
            raise ScenarioError(f"{file}：{event.at}（{event.kind}）不在 {scenario.start} 至 {scenario.end} 之间")
