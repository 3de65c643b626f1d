"""The sentences that are said in calls and by SMS, as data: `speech.yaml`, whole and checked.

A county may put a `speech.yaml` of its own beside its rules; otherwise the one that comes with the project is used. It
must never hold a sentence with a field that nobody fills, or one that leaves out what the callee has to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path as File
from string import Formatter
from typing import Literal

from pydantic import Field

from config.faults import ConfigError, Fault, Language, Path, say
from config.sheet import Finding, nearest, read_sheet, shaped
from streams.words import Colour, Model

SPEECH_FILE = "speech.yaml"
TEXT_CHARS_MAX = 480
ANY = "any"
"""Any hazard, as in the rules."""
Medium = Literal["voice", "text"]
Source = Literal["warning", "monitor", "order"]
SOURCES: tuple[Source, ...] = ("warning", "monitor", "order")

WHAT = ("hazard", "colour")
ALWAYS = ("mark", "county", "what", "where", "hazard", "colour", "place", "action", "issuer", "at", "source", "body")
WARNING = (*ALWAYS, "until")
"""The fields of a warning's sentences; `until` is not always known, all others are."""
NEEDED: Mapping[Medium, tuple[str, ...]] = {
    "voice": ("mark", "county", "what", "where"),
    "text": ("mark", "county", "what", "where", "body", "issuer", "at"),
}
"""What every form must say: §64 突发事件应对法 asks for the rest too, where it is known."""
SINGLE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ended_text": (("mark", "county", "what", "place", "note"), ()),
    "corrected_text": (("mark", "county", "what", "note"), ()),
    "corrected_voice": (("mark", "county", "what"), ()),
    "gate_voice": (("mark", "county", "note", "gate_s"), ()),
    "unclear_voice": (("mark", "county", "note"), ()),
    "visit_voice": (("mark", "county", "places", "count"), ()),
    "visit_text": (("mark", "county", "places", "count"), ()),
    "where": (("place",), ()),
    "everywhere": ((), ()),
    "reply": (("code",), ()),
}
"""The other sentences: what each must hold, and what it may hold besides."""
_TOLD = ("mark", "county", "what", "at")
_TALLIED = ("called", "answered", "unreached", "lost")
COPIED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "title": (("mark", "county", "what"), ()),
    "opened": ((*_TOLD, "where", "count"), ("body", "issuer", "move")),
    "changed": ((*_TOLD, "where", "count", "move"), ("body", "issuer")),
    "alarm": ((*_TOLD, "where", "body"), ("move", "issuer", "count")),
    "troubles": (("mark", "county", "count", "at", "lines"), ()),
    "summary": ((*_TOLD, *_TALLIED, "calling"), ("townships", "where")),
    "ended": ((*_TOLD, *_TALLIED, "move"), ("calling", "townships", "where", "body")),
    "silent": (("place", "count"), ()),
}
"""The sentences of copies, likewise; each begins with the mark of what is not real."""
MOVES_TOLD = (
    "opened",
    "continued",
    "raised",
    "widened",
    "lowered",
    "gated",
    "unclear",
    "cancelled",
    "corrected",
    "expired",
)
"""What may have happened to a chain that a copy tells of."""


class Saying(Model):
    """What is said about hazards of some colours, wherever they come from: forms from the longest to the shortest."""

    hazards: tuple[str, ...] = Field(min_length=1)
    colours: tuple[Colour, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(default=SOURCES, min_length=1)
    says: tuple[str, ...] = Field(min_length=1)

    def fits(self, hazard: str, colour: Colour, source: Source) -> bool:
        """Return whether it is meant for a hazard, colour and source; an unknown hazard is covered by `any`."""
        return colour in self.colours and source in self.sources and (hazard in self.hazards or ANY in self.hazards)


class Sources(Model):
    """Words by where a call comes from."""

    warning: str
    monitor: str
    order: str


class CopyForms(Model):
    """What copies to chats and mailboxes say; `moves` is what happened, `foot` that a copy counts for nothing."""

    rehearsal: str = Field(min_length=1)
    title: str
    opened: str
    changed: str
    alarm: str
    troubles: str
    summary: str
    ended: str
    silent: str
    foot: str = Field(min_length=1)
    moves: dict[str, str]


class Tongue(Model):
    """Everything that is said in one language; `hazards` and `actions` stand for the Chinese ones of hazards.yaml.

    `pronounce` says what a voice is to read for words that it would read wrongly: place names with characters of two
    sounds, above all. It changes what is spoken and nothing that is written.
    """

    colours: dict[Colour, str]
    marks: dict[str, str]
    what: Sources
    source: Sources
    unknown_hazard: str
    unknown_action: str
    where: str
    everywhere: str
    voice: tuple[Saying, ...] = Field(min_length=1)
    text: tuple[Saying, ...] = Field(min_length=1)
    ended_text: str
    corrected_text: str
    corrected_voice: str
    corrected_note: str
    gate_voice: str
    unclear_voice: str
    visit_voice: str
    visit_text: str
    keys: str = Field(min_length=1)
    reply: str
    copies: CopyForms
    hazards: dict[str, str] = Field(default_factory=dict)
    actions: dict[str, str] = Field(default_factory=dict)
    pronounce: dict[str, str] = Field(default_factory=dict)

    def forms(self, medium: Medium, hazard: str, colour: Colour, source: Source = "warning") -> tuple[str, ...]:
        """Return the forms for a hazard, colour and source, the longest first; the first saying meant for them counts.

        Raises:
            LookupError: No saying covers it; `check_speech` would have said so.
        """
        sayings = self.voice if medium == "voice" else self.text
        for saying in sayings:
            if saying.fits(hazard, colour, source):
                return saying.says
        raise LookupError(f"{SPEECH_FILE}: nothing is said by {medium} about {source} {hazard} {colour}; add a line")

    def mark(self, realm: str) -> str:
        """Return what is said first in a realm that is not the real one; nothing in the real one."""
        begins = [start for start in self.marks if realm.startswith(start)]
        return self.marks[max(begins, key=len)] if begins else ""


class Speech(Model):
    """The sentences in both languages. `text_chars_max` is the length of the longest SMS, in characters."""

    text_chars_max: int = Field(default=TEXT_CHARS_MAX, ge=140, le=1000)
    zh: Tongue
    en: Tongue

    def tongue(self, language: Language) -> Tongue:
        """Return what is said in a language."""
        return self.zh if language == "zh" else self.en


@cache
def own_speech() -> Speech:
    """Return the sentences that come with the project.

    Raises:
        ConfigError: The file was damaged.
    """
    return load_speech(File(__file__).parent / SPEECH_FILE, (), "zh")


def load_speech(file: File, hazards: Sequence[str], language: Language) -> Speech:
    """Read and check a file of sentences.

    Args:
        file: The YAML file.
        hazards: Keys of the hazards that are known; none to leave out what needs them.
        language: In what language faults speak.

    Raises:
        ConfigError: It cannot be used; every fault with its line.
    """
    if not file.is_file():
        raise ConfigError((Fault(file.name, 1, "", say("unreadable", language, why=file)),), language)
    sheet = read_sheet(file, file.name, language)
    speech, faults = shaped(sheet, Speech)
    if speech is not None:
        faults = sheet.faults(check_speech(speech, hazards))
    if speech is None or faults:
        raise ConfigError(tuple(faults), language)
    return speech


def check_speech(speech: Speech, hazards: Sequence[str]) -> Iterator[Finding]:
    """Find sentences with fields that nobody fills, or without what they must say, and hazards nothing is said about.

    Args:
        speech: What was read.
        hazards: Keys of the hazards that are known; none to leave out what needs them.
    """
    languages: tuple[Language, ...] = ("zh", "en")
    media: tuple[Medium, ...] = ("voice", "text")
    for language in languages:
        tongue = speech.tongue(language)
        for name, (needed, more) in SINGLE.items():
            yield from _check_fields((language, name), getattr(tongue, name), needed, (*needed, *more))
            if "mark" in needed and not getattr(tongue, name).startswith("{mark}"):
                yield Finding((language, name), "mark_first", {})
        for source in SOURCES:
            yield from _check_fields((language, "what", source), getattr(tongue.what, source), ("hazard",), WHAT)
        yield from _check_words(language, tongue, hazards)
        yield from _check_copies((language, "copies"), tongue.copies)
        yield from _check_pronounced((language, "pronounce"), tongue.pronounce)
        for medium in media:
            yield from _check_sayings((language, medium), getattr(tongue, medium), medium, hazards)


def _check_words(language: Language, tongue: Tongue, hazards: Sequence[str]) -> Iterator[Finding]:
    """Find colours, marks and hazards that there is no word for; the Chinese words of hazards are in hazards.yaml."""
    wanted: list[tuple[str, Mapping[str, str], Sequence[str]]] = [
        ("colours", {colour.value: word for colour, word in tongue.colours.items()}, [item.value for item in Colour]),
        ("marks", tongue.marks, ("drill:", "check:")),
    ]
    if language == "en":
        wanted += [("hazards", tongue.hazards, hazards), ("actions", tongue.actions, hazards)]
    for name, words, keys in wanted:
        for key in keys:
            if not words.get(key, "").strip():
                yield Finding((language, name), "word_missing", {"value": key})


def _check_pronounced(path: Path, words: Mapping[str, str]) -> Iterator[Finding]:
    """Find words that nothing is read for; a longer word goes before a shorter one inside it."""
    for written, read in words.items():
        if not written.strip() or not read.strip():
            yield Finding((*path, written), "word_missing", {"value": written})


def _check_copies(path: Path, forms: CopyForms) -> Iterator[Finding]:
    for name, (needed, more) in COPIED.items():
        form = getattr(forms, name)
        yield from _check_fields((*path, name), form, needed, (*needed, *more))
        if "mark" in needed and not form.startswith("{mark}"):
            yield Finding((*path, name), "mark_first", {})
    for move in MOVES_TOLD:
        if move not in forms.moves:
            yield Finding((*path, "moves"), "word_missing", {"value": move})


def _check_sayings(path: Path, sayings: Sequence[Saying], medium: Medium, hazards: Sequence[str]) -> Iterator[Finding]:
    for index, saying in enumerate(sayings):
        for place, hazard in enumerate(saying.hazards):
            if hazards and hazard != ANY and hazard not in hazards:
                where = (*path, index, "hazards", place)
                yield Finding(where, "unknown_hazard", {"value": hazard, "near": nearest(hazard, hazards)})
        for place, form in enumerate(saying.says):
            last = place == len(saying.says) - 1
            yield from _check_fields((*path, index, "says", place), form, NEEDED[medium], ALWAYS if last else WARNING)
            if not form.startswith("{mark}"):
                yield Finding((*path, index, "says", place), "mark_first", {})
    for colour in Colour:
        bare = [
            hazard
            for hazard in (*hazards, ANY)
            if not all(any(each.fits(hazard, colour, source) for each in sayings) for source in SOURCES)
        ]
        if bare:
            yield Finding(path, "nothing_said", {"colour": colour, "hazards": ", ".join(bare[:5])})


def _check_fields(path: Path, form: str, needed: Sequence[str], known: Sequence[str]) -> Iterator[Finding]:
    try:
        fields = [name for _, name, _, _ in Formatter().parse(form) if name is not None]
    except ValueError as error:
        yield Finding(path, "template", {"why": error})
        return
    for name in fields:
        if name not in known:
            yield Finding(path, "unknown_field", {"value": name, "near": nearest(name, known)})
    for name in needed:
        if name not in fields:
            yield Finding(path, "field_missing", {"value": name})
