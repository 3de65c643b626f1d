"""Loads a county's rule book from its YAML files, or says everything that is wrong with them.

`jiaoying` starts with a whole, checked book or not at all. It must never repair, guess or fall back: what is called
at night is what stands in the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path as File

from pydantic import Field

from config.checks import check_ids, check_ladders, check_rule, check_summary, check_thresholds, found
from config.coverage import check_coverage, check_quiet
from config.faults import ConfigError, Fault, Language, say
from config.hazards import load_hazards
from config.rules import Hazard, Knobs, Ladder, Quiet, Rule, RuleBook, Threshold, Uncovered
from config.sheet import Finding, M, Sheet, nearest, read_sheet, shaped
from config.speech import SPEECH_FILE, Speech, load_speech
from streams.words import Model

__all__ = ["ConfigError", "Fault", "load_rules"]

OWN_FOLDER = File(__file__).parent


class Preset(Model):
    """What stands in `presets/<name>.yaml`: ladders by name, rules and quiet rules in order, knobs."""

    ladders: dict[str, Ladder] = Field(min_length=1)
    rules: tuple[Rule, ...] = Field(min_length=1)
    quiet: tuple[Quiet, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    knobs: Knobs = Knobs()


class Limits(Model):
    """What stands in `thresholds.yaml`."""

    thresholds: tuple[Threshold, ...]


def load_rules(
    folder: File | None = None,
    *,
    preset: str = "mianxian",
    language: Language = "zh",
    hazards: tuple[Hazard, ...] | None = None,
) -> RuleBook:
    """Load, check and hash the rule book.

    Args:
        folder: Holds hazards.yaml, thresholds.yaml and presets/; the files that come with the project if None. Where
            it holds no speech.yaml, the sentences that come with the project are used.
        preset: Which file of presets/ (without .yaml).
        language: In what language faults speak.
        hazards: Used in place of hazards.yaml.

    Raises:
        ConfigError: Something is wrong. Its faults are all those that can be told at once: first what cannot be
            read, then what fields hold, and only of whole files what they must be to each other.
    """
    folder = folder or OWN_FOLDER
    faults: list[Fault] = []
    known = _hazards(folder, language, faults) if hazards is None else hazards
    ruled = _load(folder, f"presets/{preset}.yaml", Preset, language, faults)
    limited = _load(folder, "thresholds.yaml", Limits, language, faults)
    if known is not None and ruled:
        sheet, chosen = ruled
        limits = limited[1].thresholds if limited else ()
        faults += sheet.faults(_check_preset(chosen, limits, known))
    if known is not None and limited:
        sheet, limit_rows = limited
        faults += sheet.faults(check_thresholds(limit_rows.thresholds, known))
    spoken = _speech(folder, known or (), language, faults)
    if faults or known is None or spoken is None or not ruled or not limited:
        raise ConfigError(tuple(faults), language)
    book = RuleBook(preset=preset, hazards=known, thresholds=limited[1].thresholds, speech=spoken, **dict(ruled[1]))
    return book.model_copy(update={"hash": hash_of(book)})


def hash_of(book: RuleBook) -> str:
    """Return the SHA-256 of everything a book says, whatever the layout and comments of its files."""
    content = book.model_dump(mode="json", exclude={"hash"})
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _load(folder: File, name: str, model: type[M], language: Language, faults: list[Fault]) -> tuple[Sheet, M] | None:
    """Read one file into its model, or add what is wrong to `faults`."""
    file = folder / name
    if not file.is_file():
        presets = "、".join(sorted(each.stem for each in (folder / "presets").glob("*.yaml")))
        faults.append(Fault(name, 1, "", say("no_file", language, wanted=file, known=presets or "-")))
        return None
    try:
        sheet = read_sheet(file, name, language)
    except ConfigError as error:
        faults.extend(error.faults)
        return None
    value, misshapen = shaped(sheet, model)
    faults.extend(misshapen)
    return None if value is None else (sheet, value)


def _hazards(folder: File, language: Language, faults: list[Fault]) -> tuple[Hazard, ...] | None:
    """Load hazards.yaml, or add what is wrong to `faults`."""
    try:
        return load_hazards(folder / "hazards.yaml")
    except (OSError, ValueError) as error:
        faults.append(Fault("hazards.yaml", 1, "", say("hazards_file", language, why=error)))
        return None


def _speech(folder: File, hazards: tuple[Hazard, ...], language: Language, faults: list[Fault]) -> Speech | None:
    """Load the county's sentences, or the project's where it has none, or add what is wrong to `faults`."""
    file = folder / SPEECH_FILE
    own = file.is_file()
    try:
        # Hazards of a county's own are spoken by the sentences for `any`; only its own file must know them by name.
        return load_speech(file if own else OWN_FOLDER / SPEECH_FILE, _keys(hazards) if own else (), language)
    except ConfigError as error:
        faults.extend(error.faults)
        return None


def _keys(hazards: tuple[Hazard, ...]) -> tuple[str, ...]:
    return tuple(hazard.key for hazard in hazards)


def _check_preset(preset: Preset, thresholds: tuple[Threshold, ...], hazards: tuple[Hazard, ...]) -> Iterator[Finding]:
    """Find everything that the fields of a preset are not to each other."""
    yield from check_ladders(preset.ladders)
    yield from check_ids(("rules",), preset.rules)
    for index, rule in enumerate(preset.rules):
        yield from check_rule(("rules", index), rule, preset.ladders, hazards)
    yield from check_quiet(preset.quiet, hazards)
    yield from check_coverage(preset.rules, preset.uncovered, thresholds, hazards)
    yield from check_summary(("knobs", "summary"), preset.knobs.summary)
    for field in ("order_ladder", "notice_ladder"):
        name = getattr(preset.knobs, field)
        if name not in preset.ladders:
            yield found(("knobs", field), "no_ladder", value=name, near=nearest(name, preset.ladders))
    if preset.knobs.level_m_min >= preset.knobs.level_m_max:
        yield found(("knobs", "level_m_min"), "level_range")
