"""Reads one YAML file of the rules and holds it to its model, knowing the line of every field.

YAML is read in its 1.2 sense (22:00 is text, `no` is text, numbers are decimal), without anchors, without tags that
build objects, and with doubled keys refused. It must never guess: a number in quotes is not a number.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.faults import ConfigError, Fault, Language, Path, say, spell
from streams.words import Model

M = TypeVar("M", bound=Model)


class Finding(NamedTuple):
    """Something wrong at a path: a sentence of `config/faults.py` and its values, not yet in any language."""

    path: Path
    text: str
    values: dict[str, object]


class PlainLoader(yaml.SafeLoader):
    """The safe loader with the few plain types of YAML 1.2; the 1.1 ones turn 22:00 into 1320 and `no` into false."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape.

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse aliases: one line of a rule must say what it says where it stands."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's stubs lack it.
            raise yaml.MarkedYAMLError(problem="alias", problem_mark=mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-0123456789")),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


@dataclass(frozen=True)
class Sheet:
    """One YAML file as it was read: its name for people, its data, and the line of each path in it."""

    file: str
    data: Any
    lines: dict[Path, int]
    language: Language

    def fault(self, path: Path, text: str, **values: object) -> Fault:
        """Return a fault at `path`, on the line of the nearest part of it that stands in the file."""
        known = path
        while known not in self.lines:
            known = known[:-1]
        return Fault(self.file, self.lines[known], spell(path), say(text, self.language, **values))

    def faults(self, findings: Iterable[Finding]) -> list[Fault]:
        """Put findings into words."""
        return [self.fault(found.path, found.text, **found.values) for found in findings]


def nearest(word: object, known: Iterable[str]) -> str:
    """Return the known word that `word` was probably meant to be, or nothing."""
    return next(iter(difflib.get_close_matches(str(word), list(known), n=1)), "")


def read_sheet(file: File, name: str, language: Language) -> Sheet:
    """Read a YAML file.

    Args:
        file: Where it is.
        name: What faults call it.
        language: In what language faults speak.

    Raises:
        ConfigError: It is not UTF-8, not plain YAML, empty, or a key stands in it twice.
    """

    def refuse(line: int, path: Path, text: str, **values: object) -> ConfigError:
        return ConfigError((Fault(name, line, spell(path), say(text, language, **values)),), language)

    try:
        loader = PlainLoader(file.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(1, (), "unreadable", why=error) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if error.problem == "alias":
            raise refuse(line, (), "alias") from error
        raise refuse(line, (), "yaml", why=error.problem or error) from error
    except yaml.YAMLError as error:
        raise refuse(1, (), "yaml", why=error) from error
    except RecursionError as error:
        raise refuse(1, (), "too_deep") from error
    if node is None or data is None:
        raise refuse(1, (), "empty")
    lines: dict[Path, int] = {(): 1}
    doubled: list[Fault] = []
    for path, line in _walk(node, ()):
        if path in lines:
            doubled.append(Fault(name, line, spell(path), say("same_key", language, key=path[-1])))
        lines[path] = line
    if doubled:
        raise ConfigError(tuple(doubled), language)
    return Sheet(name, data, lines, language)


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    """Yield every path below a node with its line; a key that stands twice comes twice."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _walk(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _walk(value, (*path, index))


def shaped(sheet: Sheet, model: type[M]) -> tuple[M | None, list[Fault]]:
    """Hold a sheet to its model: the value, or None and every field that is not as the model wants it."""
    # Strict JSON is what YAML's plain types are: lists become tuples and words colours, but "3" is no number.
    content = json.dumps(sheet.data, ensure_ascii=False, default=str)
    try:
        return model.model_validate_json(content, strict=True), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, sheet.faults(_finding(detail, model) for detail in details if not _follows(detail, details))


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Tell whether a list is called too short only because pydantic did not count its faulty items."""
    path = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in details
    )


# The error types of pydantic, the sentence for each, and the name of the limit it carries.
SHAPES: dict[str, tuple[str, str]] = {
    "missing": ("missing", ""),
    "literal_error": ("choice", ""),
    "enum": ("choice", ""),
    "int_type": ("whole", ""),
    "int_from_float": ("whole", ""),
    "int_parsing": ("whole", ""),
    "float_parsing": ("number", ""),
    "bool_parsing": ("truth", ""),
    "float_type": ("number", ""),
    "bool_type": ("truth", ""),
    "string_type": ("words", ""),
    "tuple_type": ("list", ""),
    "dict_type": ("map", ""),
    "model_type": ("map", ""),
    "greater_than_equal": ("too_small", "ge"),
    "less_than_equal": ("too_large", "le"),
    "greater_than": ("not_above", "gt"),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
    "string_too_long": ("too_long", "max_length"),
}


def _finding(detail: ErrorDetails, model: type[Model]) -> Finding:
    """Translate one error of pydantic."""
    path, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return Finding(path, "extra", {"near": nearest(path[-1], _fields(model, path))})
    if kind == "string_pattern_mismatch":
        return Finding(
            path, "id" if path[-1] == "id" else "time", {"value": json.dumps(detail["input"], ensure_ascii=False)}
        )
    return misfit(detail)


def misfit(detail: ErrorDetails) -> Finding:
    """Say what is wrong with one value, by the kind of pydantic's error."""
    path, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    if kind not in SHAPES:
        return Finding(path, "shape", {"why": detail["msg"]})
    text, limit = SHAPES[kind]
    value = json.dumps(detail["input"], ensure_ascii=False, default=str)
    expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return Finding(path, text, {"value": value, "expected": expected, "limit": context.get(limit, "")})


def _fields(model: type[Model], path: Path) -> set[str]:
    """Return the names that could stand at a path: all field names of the model and of those inside it."""
    schema = model.model_json_schema()
    shapes = [schema, *schema.get("$defs", {}).values()]
    return {name for shape in shapes for name in shape.get("properties", {}) if name != path[-1]}
