"""What a chain is made of and how long it lasts: the small questions that every decision of INTAKE asks. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from agents.facts import Facts
from agents.intake.areas import within
from agents.intake.state import Chain, ChainState
from streams.ids import make_id
from streams.letters import IssuedWarning
from streams.words import Colour, Status

IDENTIFIERS_MAX = 200
UNCLEAR_VALID_H = 12
SHIFT_SEVERITY_MIN = Colour.ORANGE.severity
UNKNOWN = "unknown"


def is_open(chain: Chain | None) -> bool:
    """Tell whether a chain still takes warnings in."""
    return chain is not None and chain.state in (ChainState.OPEN, ChainState.GATED)


def chain_id_of(warning: IssuedWarning) -> str:
    """Return the id of the chain a warning would open: its sender and the first document it points to, or itself."""
    first = warning.references[0] if warning.references else warning.identifier
    return make_id(warning.realm, "chain", warning.sender, first)


def start_chain(warning: IssuedWarning, chain_id: str, now: datetime, until: datetime) -> Chain:
    """Start a chain from its first warning, areas still to be filled in."""
    return Chain(
        id=chain_id,
        realm=warning.realm,
        source="warning",
        issuer=warning.sender,
        hazard=warning.hazard or UNKNOWN,
        colour=warning.colour or Colour.ORANGE,
        state=ChainState.OPEN,
        regions=(),
        identifiers=(warning.identifier,),
        latest_sent=warning.sent,
        headline=warning.headline,
        text=warning.text,
        by=warning.issuer or warning.sender,
        exercise=warning.status is Status.EXERCISE,
        opened_at=now,
        until=until,
    )


def next_due_at(chain: Chain, now: datetime, facts: Facts) -> datetime | None:
    """Return when the chain next needs a step: gate, change of shift under orange or red, end of validity."""
    if not is_open(chain):
        return None
    if chain.gate_until is not None:
        return chain.gate_until
    due = chain.until
    if chain.colour.severity >= SHIFT_SEVERITY_MIN:
        on_shift = [post.id for post in facts.county.posts.values() if post.on_shift]
        change = facts.county.next_change(on_shift, now)
        due = min(due, change) if change else due
    return due


def valid_until(warning: IssuedWarning, facts: Facts) -> datetime:
    """Return the end of validity; an empty `expires` means the default of the hazard, counted from when it was sent."""
    if warning.expires_at is not None:
        return warning.expires_at
    start = max(warning.sent, warning.effective_at or warning.sent, warning.onset_at or warning.sent)
    return start + timedelta(hours=valid_h(warning.hazard or UNKNOWN, facts))


def valid_h(hazard: str, facts: Facts) -> float:
    """Return how long a warning of a hazard holds where it names no end, in hours."""
    known = {item.key: item.valid_h for item in facts.book.hazards}
    return known.get(hazard, UNCLEAR_VALID_H)


def seen(chain: Chain, identifier: str, latest_sent: datetime) -> Chain:
    """Note that a document of the chain was seen, and when the latest one was sent."""
    identifiers = (*chain.identifiers, identifier)[-IDENTIFIERS_MAX:]
    return chain.model_copy(update={"identifiers": identifiers, "latest_sent": latest_sent})


def union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is in either, in order and without repeats."""
    return tuple(dict.fromkeys((*first, *second)))


def with_named(chain: Chain, more: tuple[str, ...]) -> tuple[str, ...]:
    """Add named areas; a chain that named none covered all of its regions, and goes on doing so."""
    if not chain.named:
        return ()
    return union(chain.named, more) if more else ()


def outside(areas: tuple[str, ...], known: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """Return the areas that are not yet covered by the known ones."""
    return tuple(code for code in areas if not within(facts.county, code, known))
