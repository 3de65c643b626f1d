"""The words of the pages, read from words.yaml once, when a gateway is first made. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from config.faults import Language

FILE = Path(__file__).with_name("words.yaml")
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class Words:
    """Words in one language, by section and key."""

    language: Language
    sections: Mapping[str, Mapping[str, str]]

    def say(self, section: str, key: str) -> str:
        """Return the word of a key; the key itself where the file has none, for a page must come whatever happens."""
        return self.sections.get(section, {}).get(key, key)

    def page(self, key: str) -> str:
        """Return a label of the pages."""
        return self.sections["page"][key]


@cache
def load_words(language: Language) -> Words:
    """Read the words in one language.

    Raises:
        ValueError: A key has not exactly a Chinese and an English word.
    """
    place = LANGUAGES.index(language)
    sections: dict[str, dict[str, str]] = {}
    for section, pairs in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        for key, pair in pairs.items():
            if len(pair) != len(LANGUAGES):
                raise ValueError(f"words.yaml: {section}.{key} needs a Chinese and an English word, in this order")
            sections.setdefault(section, {})[str(key)] = str(pair[place])
    return Words(language, sections)
