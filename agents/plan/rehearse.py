"""What a warning would set going: who would be called when, how many calls, how long at a pace, at what cost.

Nothing is dialled and nothing is written: the very selection that PLAN uses is asked, and the roster. A figure here is
a bound, never a promise: the fewest calls if everybody answers the first one, the most if nobody ever does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.facts import Facts
from agents.plan.select import Chosen, chosen_posts
from config.rules import Target
from rosters.model import Held, Person, Post
from streams.letters import ChainMoved, Mode, Move
from streams.words import Colour

REALM = "drill:rehearsal"


@dataclass(frozen=True)
class Line:
    """One post: whom its first call rings (None = nobody is on duty), and after how many seconds at the pace.

    `first_s` is None where nothing is rung at all: the post is told by text, held for the digest, or has nobody.
    """

    post: Post
    mode: Mode
    ladder: str
    person: Person | None
    first_s: float | None
    hold_until: datetime | None = None


@dataclass(frozen=True)
class Rehearsal:
    """The whole of it.

    Args:
        rule: Id of the rule that answers; "" where none does.
        lines: In the order in which they would be rung.
        calls_least: One call to each number, if everybody answers it.
        calls_most: Every try of every step, if nobody ever answers and no call is shared.
        texts: Messages by the first steps that send the full text, and to posts that are only told.
        first_round_s: Until every number was rung once at the pace.
        longest_s: Until the last ladder ends if nobody answers.
        dial_within_s: The tightest limit that the ladders set for a first call.
    """

    rule: str
    lines: tuple[Line, ...]
    calls_least: int
    calls_most: int
    texts: int
    first_round_s: float
    longest_s: float
    dial_within_s: int

    @property
    def nobody(self) -> tuple[Post, ...]:
        """Return the posts that would be called and have nobody, or nobody with a phone."""
        return tuple(line.post for line in self.lines if line.mode is Mode.CALL and line.first_s is None)


def rehearse(
    facts: Facts, hazard: str, colour: Colour, at: datetime, pace_per_s: float, townships: tuple[str, ...] = ()
) -> Rehearsal:
    """Return what a warning for the whole county would set going.

    Args:
        facts: The county and its rules.
        hazard: A key of hazards.yaml.
        colour: Of the warning.
        at: When it comes, aware; decides who is on duty and what is quiet.
        pace_per_s: Calls that the vendor begins in one second.
        townships: Region codes that the warning names; empty = it names none.
    """
    moved = ChainMoved(
        realm=REALM,
        chain_id=f"{REALM}|chain|rehearsal",
        move=Move.OPENED,
        cause_id=f"{REALM}|warning|rehearsal",
        hazard=hazard,
        colour=colour,
        regions=(facts.county.code,),
        named=townships,
        at=at,
    )
    rule, chosen = chosen_posts(moved, at, facts)
    ordered = sorted(chosen, key=lambda item: -item.priority)
    lines, numbers = _lines(ordered, facts, at, pace_per_s)
    called = [item for item in ordered if item.mode is Mode.CALL]
    ladders = [facts.book.ladders[item.ladder] for item in called]
    most = sum(_calls_most(item, facts, at) for item in called)
    windows = max((sum(step.window_s for step in ladder.steps) for ladder in ladders), default=0)
    return Rehearsal(
        rule=rule.id if rule else "",
        lines=lines,
        calls_least=numbers,
        calls_most=most,
        texts=sum(_is_texted(line, facts) for line in lines),
        first_round_s=numbers / pace_per_s,
        longest_s=max(windows, most / pace_per_s),
        dial_within_s=min((ladder.dial_within_s for ladder in ladders), default=0),
    )


def _lines(ordered: list[Chosen], facts: Facts, at: datetime, pace_per_s: float) -> tuple[tuple[Line, ...], int]:
    """Line the posts up; a number that several posts share is rung once, at its first turn."""
    turns: dict[str, int] = {}
    lines: list[Line] = []
    for item in ordered:
        held = facts.county.who(item.post.id, at)
        person = held.person if held else None
        first_s = None
        if item.mode is Mode.CALL and person and person.phones:
            first_s = turns.setdefault(person.phones[0].number, len(turns)) / pace_per_s
        lines.append(Line(item.post, item.mode, item.ladder, person, first_s, item.hold_until))
    return tuple(lines), len(turns)


def _calls_most(item: Chosen, facts: Facts, at: datetime) -> int:
    steps = facts.book.ladders[item.ladder].steps
    return sum(step.calls for step in steps if _has_phone(_target(item.post, step.to, facts, at)))


def _target(post: Post, to: Target, facts: Facts, at: datetime) -> Held | None:
    county = facts.county
    match to:
        case "holder" | "deputy":
            return county.who(post.id, at, to)
        case "leader":
            other = county.leader_post(post)
        case "superior":
            other = county.superior_post(post)
    return county.who(other.id, at) if other else None


def _has_phone(held: Held | None) -> bool:
    return held is not None and bool(held.person.phones)


def _is_texted(line: Line, facts: Facts) -> bool:
    mobile = line.person is not None and any(phone.kind == "mobile" for phone in line.person.phones)
    told = line.mode is Mode.MESSAGE or (line.mode is Mode.CALL and facts.book.ladders[line.ladder].steps[0].text)
    return mobile and told
