"""One call, or one text, to one person and nobody else: how it is opened, and what it says. Pure.

A round of its own, of the lowest colour, in a realm of its own: it never counts as a warning, stands behind every call
that does, and its ladder rings once. Used to verify a number and to try the telephone before anything real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.facts import Facts
from agents.phones.codes import PLACE
from agents.plan.state import Round
from config.faults import Word
from config.rules import Ladder, LadderStep
from rosters.county import County
from streams.ids import make_id
from streams.letters import Letter, Mode, Move, OpenCallouts, Opening, write_letter
from streams.topics import PAGES
from streams.words import Channel, Colour

LADDER = Ladder(
    title="单次",
    dial_within_s=600,
    steps=(LadderStep(to="holder", calls=1, gap_s=60, window_s=600),),
    then="none",
)
"""One call. What a busy vendor did not take is asked of it again for ten minutes; it never rang."""
VERIFYING, TRYING = "phone_check", "try_call"
TRY_REALM = "check:try"


@dataclass(frozen=True)
class OneCall:
    """What one call is for: `what` is its kind; `cause` makes it different from every other of that kind.

    `number_key` pins it to one number, by its keyed digest; "" = the person's phones in their order.
    """

    realm: str
    what: str
    cause: str
    person_id: str
    post_id: str
    words: str
    channel: Channel = Channel.VOICE
    number_key: str = ""


def open_call(one: OneCall, now: datetime, facts: Facts) -> tuple[Round, Letter, str]:
    """Return the round, the page that opens it, and the id of its callout; the same cause gives the same ids."""
    round_id = make_id(one.realm, "round", one.cause, one.what)
    callout_id = make_id(one.realm, "callout", round_id, one.post_id, one.person_id)
    spoken = one.channel is Channel.VOICE
    opening = Opening(
        callout_id=callout_id,
        post_id=one.post_id,
        person_id=one.person_id,
        number_key=one.number_key,
        mode=Mode.CALL if spoken else Mode.MESSAGE,
        ladder=one.what,
        voice=one.words if spoken else "",
        text="" if spoken else one.words,
    )
    page = OpenCallouts(
        realm=one.realm,
        chain_id=one.cause,
        round_id=round_id,
        hazard=one.what,
        colour=Colour.BLUE,
        rules_hash=facts.book.hash,
        ladders={one.what: LADDER},
        openings=(opening,),
    )
    row = Round(
        id=round_id,
        realm=one.realm,
        chain_id=one.cause,
        cause_id=one.cause,
        move=Move.OPENED,
        hazard=one.what,
        colour=Colour.BLUE,
        headline=one.what,
        opened_at=now,
        posts=1,
        rules_hash=facts.book.hash,
        roster_version=facts.county.version,
    )
    return row, write_letter(PAGES, round_id, page, now, cause="page:0"), callout_id


def post_for(county: County, person_id: str) -> str:
    """Return a post under which a person can be rung: one of theirs, or else any, for the call names the person.

    Raises:
        KeyError: The county has no posts at all.
    """
    posts = county.posts_of_person(person_id) or tuple(county.posts)
    if not posts:
        raise KeyError(county.code)
    return posts[0]


def verifying_words(name: str, channel: Channel, facts: Facts) -> str:
    """Return what a number is told to be verified; the code is put in when it is dialled."""
    county = facts.county.name
    if channel is Channel.VOICE:
        told = Word(
            f"【号码核实】{county}值班登记核实，不是预警。登记人{name}，核实码{PLACE}，再报一遍，{PLACE}。",
            f"[Number check] {county} duty room, no warning. On file for {name}. Code {PLACE}, again {PLACE}. ",
        )
    else:
        told = Word(
            f"【号码核实】{county}值班登记核实，不是预警。此号码登记人：{name}，核实码{PLACE}。"
            "是本人请回复核实码，或报给值班室；不是请告知值班室。",
            f"[Number check] {county} duty room, no warning. On file for {name}, code {PLACE}. "
            "If that is you, answer with the code or tell the duty room; if not, tell them so.",
        )
    return told.said(facts.book.knobs.speech_language)


def trying_words(name: str, facts: Facts) -> str:
    """Return what the one call before anything real says."""
    told = Word(
        f"【测试】{facts.county.name}叫应测试电话，打给{name}，不是预警。",
        f"[Test] {facts.county.name}: a test call to {name}, no warning. ",
    )
    return told.said(facts.book.knobs.speech_language)
