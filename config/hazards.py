"""The kinds of warnings a county knows, read from `hazards.yaml`. It must never keep what it read: the caller does."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from config.rules import Hazard

HAZARDS_FILE = Path(__file__).with_name("hazards.yaml")
_HAZARDS: TypeAdapter[tuple[Hazard, ...]] = TypeAdapter(tuple[Hazard, ...])


class HazardsError(ValueError):
    """The file of hazards cannot be used; the message says where and what to do."""


def load_hazards(path: Path | None = None) -> tuple[Hazard, ...]:
    """Read and check the hazards.

    Args:
        path: Another file than the one that comes with the project.

    Raises:
        HazardsError: The file is missing or broken, or a key, code or word stands for two hazards.
    """
    source = path or HAZARDS_FILE
    try:
        hazards = _HAZARDS.validate_python(yaml.safe_load(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise HazardsError(f"{source}: cannot be read ({error.strerror}); give the path of a hazards file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise HazardsError(f"{source}: {where}: {first['msg']}; correct this entry") from error
    # A day that is none is a ValueError to the YAML reader, and brackets without end are too deep for it.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise HazardsError(f"{source}: is not YAML in UTF-8: {str(error)[:200]}") from error
    _refuse_repeats(hazards, source)
    return hazards


def _refuse_repeats(hazards: tuple[Hazard, ...], source: Path) -> None:
    """Raise where one key, code or word would lead to two hazards: a warning has one."""
    owner: dict[tuple[str, str], str] = {}
    for hazard in hazards:
        marks = [("key", hazard.key), *(("code", code) for code in hazard.codes)]
        marks += [("word", word.lower()) for word in hazard.words]
        for mark in marks:
            if mark in owner:
                raise HazardsError(
                    f"{source}: {mark[0]} {mark[1]!r} stands in both {owner[mark]} and {hazard.key}; keep it in one"
                )
            owner[mark] = hazard.key
