"""What copies say: the county's sentences (`copies` in `config/speech.yaml`), filled in. Pure.

What is not real says so first, numbers that people wrote into texts are masked, and every copy says that it counts for
nothing. It never tells anybody to go home.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.copies.decide import Notice, Tally
from agents.copies.state import Event
from agents.facts import Facts
from agents.intake.state import Chain
from agents.plan.spoken import write_time
from agents.plan.wording import fields_of
from config.faults import Language
from config.speech import CopyForms
from rosters.county import County
from rosters.numbers import mask_within
from streams.ids import REAL
from streams.letters import ChainMoved, Move
from streams.rooms import Trouble

TEXT_CHARS_MAX = 600
"""A WeCom robot takes 2048 bytes of text; a Chinese character is three."""
BODY_CHARS_MAX, PLACES_MAX, LINES_MAX, LINE_CHARS_MAX = 200, 3, 6, 60


@dataclass(frozen=True)
class Voice:
    """In which language copies are written, and whether this installation only rehearses."""

    language: Language
    rehearsal: bool

    def forms(self, facts: Facts) -> CopyForms:
        """Return the sentences."""
        return facts.book.speech.tongue(self.language).copies

    def mark(self, facts: Facts, realm: str, *, exercise: bool = False) -> str:
        """Return what is said first where it is not the real thing."""
        tongue = facts.book.speech.tongue(self.language)
        own = tongue.mark("drill:" if exercise and not realm.startswith("drill:") else realm)
        return own or (tongue.copies.rehearsal if self.rehearsal and realm == REAL else "")


def say_notice(
    notice: Notice, chain: Chain, tally: Tally, facts: Facts, voice: Voice, now: datetime
) -> tuple[str, str]:
    """Return title and text of a copy about a chain."""
    forms, zone = voice.forms(facts), facts.county.zone
    moved = _moved(notice, chain, now)
    mark = voice.mark(facts, chain.realm, exercise=moved.exercise)
    fields = fields_of(moved, _places(chain.regions, facts.county, voice.language), facts, voice.language)
    fields |= {
        "mark": mark,
        "at": write_time(moved.at, now, zone, voice.language),
        "body": _short(fields["body"], BODY_CHARS_MAX),
        "move": forms.moves[notice.cause if notice.event is Event.ENDED else moved.move],
        "count": str(notice.round.posts if notice.round else tally.called),
        "called": str(tally.called),
        "answered": str(tally.answered),
        "calling": str(tally.calling),
        "unreached": str(tally.unreached),
        "lost": str(tally.lost),
        "townships": _townships(tally, facts, voice),
    }
    return forms.title.format_map(fields), _whole(getattr(forms, notice.event).format_map(fields), forms)


def say_troubles(troubles: Sequence[Trouble], facts: Facts, voice: Voice, now: datetime) -> tuple[str, str]:
    """Return title and text of a copy about troubles of one realm, gathered."""
    forms = voice.forms(facts)
    lines = [_short(each.text, LINE_CHARS_MAX) for each in troubles[:LINES_MAX]]
    more = ["…"] if len(troubles) > LINES_MAX else []
    what = {"zh": f"待处理{len(troubles)}项", "en": f"{len(troubles)} things need a person"}[voice.language]
    fields = {
        "mark": voice.mark(facts, troubles[0].realm),
        "county": facts.county.name,
        "what": what,
        "count": str(len(troubles)),
        "at": write_time(now, now, facts.county.zone, voice.language),
        "lines": " ".join(f"{n}. {line}" for n, line in enumerate([*lines, *more], 1)),
    }
    return forms.title.format_map(fields), _whole(forms.troubles.format_map(fields), forms)


def say_test(facts: Facts, voice: Voice, receiver: str) -> tuple[str, str]:
    """Return title and text by which a receiver is tried."""
    forms = voice.forms(facts)
    mark = voice.mark(facts, "check:copies")
    what = {"zh": f"抄送试发，接收方「{receiver}」", "en": f"a trial of copies to {receiver!r}"}[voice.language]
    title = forms.title.format_map({"mark": mark, "county": facts.county.name, "what": what})
    return title, _whole(title, forms)


def _moved(notice: Notice, chain: Chain, now: datetime) -> ChainMoved:
    return ChainMoved(
        realm=chain.realm,
        chain_id=chain.id,
        move=notice.round.move if notice.round else Move.OPENED,
        cause_id=notice.cause,
        hazard=chain.hazard,
        colour=notice.round.colour if notice.round else chain.colour,
        regions=chain.regions,
        issuer=chain.issuer or chain.by,
        text=chain.text,
        headline=notice.round.headline if notice.round else chain.headline,
        until=chain.until,
        source=chain.source,
        exercise=chain.exercise or (notice.round is not None and notice.round.exercise),
        at=notice.round.opened_at if notice.round else now,
    )


def _places(regions: Sequence[str], county: County, language: Language) -> str:
    if county.code in regions:
        return county.name
    names = [county.regions[code].name for code in regions if code in county.regions]
    between, more = {"zh": ("、", f"等{len(names)}处"), "en": (", ", f" and others, {len(names)} in all")}[language]
    return between.join(names[:PLACES_MAX]) + (more if len(names) > PLACES_MAX else "") or county.name


def _townships(tally: Tally, facts: Facts, voice: Voice) -> str:
    """Name the townships with most unanswered first."""
    forms, regions = voice.forms(facts), facts.county.regions
    worst = sorted((tally.silent or {}).items(), key=lambda item: (-item[1], item[0]))
    named = [
        forms.silent.format(place=regions[code].name if code in regions else facts.county.name, count=count)
        for code, count in worst[:LINES_MAX]
    ]
    between, end = {"zh": ("，", "。"), "en": (", ", ".")}[voice.language]
    return between.join([*named, *(["…"] if len(worst) > LINES_MAX else [])]) + end if named else ""


def _short(words: str, chars_max: int) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= chars_max else flat[: chars_max - 1] + "…"


def _whole(words: str, forms: CopyForms) -> str:
    return mask_within(words)[: TEXT_CHARS_MAX - len(forms.foot)].rstrip() + forms.foot
