"""A callout's entries as a story that a person can read. Pure; it says what was written down and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rosters.county import County
from rosters.numbers import mask_within
from streams.doors.http.words import Words
from streams.ledger.contract import Entry
from streams.words import Channel

SHOWN = (
    "person",
    "post",
    "role",
    "channel",
    "number",
    "outcome",
    "heard_s",
    "key",
    "with_others",
    "first_after_s",
    "after_s",
    "calls",
    "because",
    "why_stopped",
    "heard_by",
    "how",
    "reason",
    "voice",
    "text",
)
"""Which facts are told, in this order; hashes, ids and versions are for the auditor."""

SECTIONS = {
    "role": "roles",
    "channel": "channels",
    "outcome": "outcomes",
    "because": "whys",
    "why_stopped": "whys",
}
ROOMS = frozenset({"callout", "dial", "plan", "ticker", "intake"})
OF_POST = frozenset({"dialled", "nobody_held"})
BY_CHANNEL = frozenset({"dialled", "attempt_ended"})
# Their reason is about the ladder's inner course, and would mislead a reader.
SELF_EXPLAINED = frozenset({"attempt_ended", "gave_up"})


@dataclass(frozen=True)
class Line:
    """One entry: when, what happened, why, by whom where it was a person, and the facts as label and value."""

    at: datetime
    what: str
    why: str
    by: str
    facts: tuple[tuple[str, str], ...]


def hide_numbers(value: Any) -> Any:
    """Return words, or lists and maps of them, with every mobile number in them masked."""
    if isinstance(value, str):
        return mask_within(value)
    if isinstance(value, Mapping):
        return {key: hide_numbers(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [hide_numbers(each) for each in value]
    return value


def tell(entries: Sequence[Entry], words: Words, county: County) -> list[Line]:
    """Return the story of a callout."""
    return [_line(entry, words, county) for entry in entries]


def _line(entry: Entry, words: Words, county: County) -> Line:
    facts = dict(entry.facts)
    if entry.what == "step_begun":
        facts["post"] = facts.get("target", "")
    elif entry.what not in OF_POST:
        facts.pop("post", None)
    if "held" in facts:
        facts["post"] = facts["held"]
    key = entry.what
    if facts.get("channel") == Channel.TEXT and key in BY_CHANNEL:
        key = f"{key}_text"
    if entry.what in BY_CHANNEL:
        facts.pop("channel", None)
    what, why = words.say("whats", key), "" if entry.what in SELF_EXPLAINED else words.say("whys", entry.why)
    told = tuple(
        (words.say("facts", name), _value(name, facts[name], words, county))
        for name in SHOWN
        if facts.get(name) not in (None, "", 0, 0.0)
    )
    return Line(entry.at, what, why if why != what else "", "" if entry.by in ROOMS else entry.by, told)


def _value(name: str, value: Any, words: Words, county: County) -> str:
    shown = str(hide_numbers(value))
    if name in SECTIONS:
        return words.say(SECTIONS[name], shown)
    named: Mapping[str, Any] = {"person": county.people, "post": county.posts}.get(name, {})
    return str(named[shown].name) if shown in named else shown
