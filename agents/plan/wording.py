"""What is said, in a call and by SMS: the county's sentences (`config/speech.yaml`), filled in. Pure.

A call says who is calling, colour and hazard, the callee's own place, until when, one action, and the keys, in at most
`voice_chars_max` characters, with figures as they are spoken. The fields follow §64 突发事件应对法 (类别、级别、时间、
范围、措施、发布单位), the rest of them in the SMS. It never tells anybody to go home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product

from agents.facts import Facts
from agents.plan.lengths import voice_chars_max
from agents.plan.spoken import readings_of, speak, write_time
from config.faults import ConfigError, Fault, Language, say
from config.rules import RuleBook
from config.speech import SOURCES, SPEECH_FILE, TEXT_CHARS_MAX, Medium, Source, Tongue
from streams.letters import ChainMoved, Move
from streams.words import Colour

TEXT_MAX = TEXT_CHARS_MAX
GATE_NOTE_MAX, UNCLEAR_NOTE_MAX, PLACES_SPOKEN_MAX = 24, 20, 3
_LISTED: Mapping[Language, tuple[str, str, str]] = {"zh": ("、", "等", "；"), "en": (", ", " and others", "; ")}
"""Between places in a call, after the last of those that are named, and between the lines of a list."""

_JOINT: Mapping[Language, str] = {"zh": "另有：", "en": " Also: "}


def voice_of(moved: ChainMoved, place: str, facts: Facts, language: Language | None = None) -> str:
    """Return what a call says before it asks for a key; in the county's language where none is given."""
    return WarningWords(moved, facts, language).voice(place)


def text_of(moved: ChainMoved, place: str, facts: Facts, language: Language | None = None) -> str:
    """Return the full text for an SMS; of a warning too long for it, the end of the warning's own text is left out."""
    return WarningWords(moved, facts, language).text(place)


class WarningWords:
    """What is said of one warning, place by place: all that is the same everywhere is worked out once."""

    def __init__(self, moved: ChainMoved, facts: Facts, language: Language | None = None) -> None:
        self._said = said = _Words(facts, language)
        self._fields = fields = said.of_warning(moved)
        self._limit, self._text_max = said.room(facts.book), facts.book.speech.text_chars_max
        until_known = bool(fields["until"])

        def forms_of(medium: Medium) -> list[str]:
            forms = said.tongue.forms(medium, moved.hazard, moved.colour, moved.source)
            return [form for form in forms if until_known or "{until}" not in form]

        self._voice_forms = forms_of("voice")
        self._text_form = (
            forms_of("text") or said.tongue.forms("text", moved.hazard, moved.colour, moved.source)[-1:]
        )[0]

    def voice(self, place: str) -> str:
        """Return what a call to a place says before it asks for a key: the first form that is short enough."""
        fields, spoken = self._said.at(self._fields, place), ""
        for form in self._voice_forms:
            spoken = self._said.aloud(form.format_map(fields))
            if len(spoken) <= self._limit:
                return spoken
        return spoken[: self._limit]

    def text(self, place: str) -> str:
        """Return the full text for an SMS to a place."""
        fields, body = self._said.at(self._fields, place), self._fields["body"]
        room = self._text_max - len(self._text_form.format_map({**fields, "body": ""}))
        shortened = body if len(body) <= room else body[: max(0, room - 1)] + "…"
        return self._text_form.format_map({**fields, "body": shortened})[: self._text_max]


def fields_of(moved: ChainMoved, place: str, facts: Facts, language: Language | None = None) -> dict[str, str]:
    """Return the fields by which a sentence about a warning, an order or an alarm is filled in, as they are written."""
    said = _Words(facts, language)
    return said.at(said.of_warning(moved), place)


def ending_text(moved: ChainMoved, place: str, facts: Facts) -> str:
    """Return what those who were woken are told when a chain ends. It never tells people to go home."""
    said = _Words(facts)
    corrected = moved.move is Move.CORRECTED
    note = (moved.text or said.tongue.corrected_note) if corrected else (moved.text or moved.headline)
    form = said.tongue.corrected_text if corrected else said.tongue.ended_text
    return said.fill(form, moved.realm, moved=moved, place=place, note=note)[: facts.book.speech.text_chars_max]


def ending_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what a correction says in a call."""
    said = _Words(facts)
    return said.aloud(said.fill(said.tongue.corrected_voice, moved.realm, moved=moved))


def gate_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what the duty room hears when one lone gauge crossed a threshold."""
    said = _Words(facts)
    note, gate_s = moved.text[:GATE_NOTE_MAX], str(facts.book.knobs.gate_s)
    return said.aloud(said.fill(said.tongue.gate_voice, moved.realm, moved=moved, note=note, gate_s=gate_s))


def unclear_voice(moved: ChainMoved, facts: Facts) -> str:
    """Return what the duty officer hears about a warning the machine cannot place."""
    said = _Words(facts)
    note = moved.headline[:UNCLEAR_NOTE_MAX]
    return said.aloud(said.fill(said.tongue.unclear_voice, moved.realm, moved=moved, note=note))


def visit_voice(places: Sequence[str], facts: Facts, realm: str, *, exercise: bool = False) -> str:
    """Return what a duty room hears when a list of the unreached is handed to it."""
    said = _Words(facts)
    between, more, _ = _LISTED[said.language]
    shown = between.join(places[:PLACES_SPOKEN_MAX]) + (more if len(places) > PLACES_SPOKEN_MAX else "")
    realm = _mark_realm(realm, exercise=exercise)
    return said.aloud(said.fill(said.tongue.visit_voice, realm, places=shown, count=str(len(places))))


def visit_text(lines: Sequence[str], facts: Facts, realm: str, *, exercise: bool = False) -> str:
    """Return the list of the unreached as a message."""
    said = _Words(facts)
    listed = _LISTED[said.language][2].join(lines)
    realm = _mark_realm(realm, exercise=exercise)
    text = said.fill(said.tongue.visit_text, realm, places=listed, count=str(len(lines)))
    return text[: facts.book.speech.text_chars_max * 2]


def prompt_of(book: RuleBook, language: Language | None = None) -> str:
    """Return what is said about the keys, after the message."""
    return book.speech.tongue(language or book.knobs.speech_language).keys


def joint_of(book: RuleBook) -> str:
    """Return what is said between two warnings in one call."""
    return _JOINT[book.knobs.speech_language]


def reply_of(book: RuleBook, codes: Sequence[str]) -> str:
    """Return what a text says about answering it: with which code, or codes; nothing without one."""
    tongue = book.speech.tongue(book.knobs.speech_language)
    return tongue.reply.format(code=_LISTED[book.knobs.speech_language][0].join(codes)) if codes else ""


def check_fits(facts: Facts) -> None:
    """Refuse sentences that, with the county's longest place, are too long to be heard or sent whole.

    Raises:
        ConfigError: Names the sentence, the place, and what would be said.
    """
    faults = tuple(_misfits(facts))
    if faults:
        raise ConfigError(faults, facts.book.knobs.speech_language)


class _Words:
    """The county's sentences in one language, and how its fields are filled."""

    def __init__(self, facts: Facts, language: Language | None = None) -> None:
        self.facts = facts
        self.language: Language = language or facts.book.knobs.speech_language
        self.tongue: Tongue = facts.book.speech.tongue(self.language)
        self._read_as = readings_of(self.tongue.pronounce)

    def aloud(self, words: str) -> str:
        """Return words as they are spoken."""
        read = self._read_as(words)
        return speak(read) if self.language == "zh" else read

    def room(self, book: RuleBook) -> int:
        """Return how many characters a call may have before the keys are named."""
        return voice_chars_max(book.knobs.voice_chars_max, self.language) - len(self.tongue.keys)

    def at(self, fields: Mapping[str, str], place: str) -> dict[str, str]:
        """Return the fields of a warning as they are for a place."""
        everywhere = place == self.facts.county.name
        where = self.tongue.everywhere if everywhere else self.tongue.where.format(place=place)
        return {**fields, "place": place, "where": where}

    def of_warning(self, moved: ChainMoved) -> dict[str, str]:
        """Return all fields of a warning, an order or an alarm but its place; `until` is empty where not known."""
        zone, county = self.facts.county.zone, self.facts.county.name
        return {
            **self._common(moved, _mark_realm(moved.realm, exercise=moved.exercise)),
            "source": getattr(self.tongue.source, moved.source),
            "action": self._action(moved.hazard),
            "until": write_time(moved.until, moved.at, zone, self.language) if moved.until else "",
            "at": write_time(moved.at, moved.at, zone, self.language),
            "issuer": moved.issuer or county,
            "body": _ended(moved.text or moved.headline, self.language),
        }

    def fill(self, form: str, realm: str, *, moved: ChainMoved | None = None, **fields: str) -> str:
        """Fill a sentence that is no warning's own."""
        if moved is not None:
            return form.format_map({**self._common(moved, _mark_realm(realm, exercise=moved.exercise)), **fields})
        return form.format_map({"county": self.facts.county.name, "mark": self.tongue.mark(realm), **fields})

    def _common(self, moved: ChainMoved, realm: str) -> dict[str, str]:
        named = {"hazard": self._hazard(moved.hazard), "colour": self.tongue.colours[moved.colour]}
        what = getattr(self.tongue.what, moved.source).format_map(named)
        return {**named, "what": what, "county": self.facts.county.name, "mark": self.tongue.mark(realm)}

    def _hazard(self, key: str) -> str:
        chinese = {hazard.key: hazard.name for hazard in self.facts.book.hazards} if self.language == "zh" else {}
        return self.tongue.hazards.get(key) or chinese.get(key) or self.tongue.unknown_hazard

    def _action(self, key: str) -> str:
        chinese = {hazard.key: hazard.action for hazard in self.facts.book.hazards} if self.language == "zh" else {}
        action = self.tongue.actions.get(key) or chinese.get(key) or self.tongue.unknown_action
        return action.rstrip("。").removeprefix("请")


def _ended(words: str, language: Language) -> str:
    """Return words that people wrote as a whole sentence: what is said after them must not run into them."""
    ended = not words or words[-1] in "。！？；…!?;."
    return words if ended else words + {"zh": "。", "en": "."}[language]


def _mark_realm(realm: str, *, exercise: bool) -> str:
    """Return the realm by which it is marked: an exercise is marked as a drill wherever it comes in."""
    return realm if not exercise or realm.startswith("drill:") else "drill:"


def _misfits(facts: Facts) -> Iterator[Fault]:
    """Find forms that are said where nothing shorter is left, and are too long with the county's longest place."""
    # In both languages: which one is spoken is a knob that may be turned any day.
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        yield from _misfits_in(language, facts)


def _misfits_in(language: Language, facts: Facts) -> Iterator[Fault]:
    book, county = facts.book, facts.county
    said = _Words(facts, language)
    place = max(
        {county.place(post) for post in county.posts.values()} or {county.name}, key=lambda name: len(speak(name))
    )
    checks: tuple[tuple[Medium, int, Callable[[str], str], str], ...] = (
        ("voice", said.room(book), said.aloud, "voice_too_long"),
        ("text", book.speech.text_chars_max // 2, str, "text_too_long"),
    )
    told: set[str] = set()
    for hazard, colour, source in product((item.key for item in book.hazards), Colour, SOURCES):
        fields = said.at(said.of_warning(_longest(hazard, colour, source)), place)
        for medium, limit, aloud, fault in checks:
            words = aloud(said.tongue.forms(medium, hazard, colour, source)[-1].format_map({**fields, "body": ""}))
            where = f"{said.language}.{medium}"
            if len(words) > limit and where not in told:
                told.add(where)
                reason = say(fault, said.language, chars=len(words), limit=limit, place=place, said=words)
                yield Fault(SPEECH_FILE, 1, where, reason)


def _longest(hazard: str, colour: Colour, source: Source) -> ChainMoved:
    """Return the longest thing there is to say of it: in a drill, with an end on another day."""
    at = datetime.fromisoformat("2021-12-20T22:59:00+08:00")
    return ChainMoved(
        realm="drill:",
        chain_id="",
        move=Move.OPENED,
        cause_id="",
        hazard=hazard,
        colour=colour,
        regions=(),
        source=source,
        until=at + timedelta(days=2),
        at=at,
    )
