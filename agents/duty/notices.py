"""What those on duty are told by message, and how such a message is opened. Pure.

A notice is a round of its own, of the lowest colour, made of messages only: it rings nobody and waits behind every
call. Never said here: that anybody was absent, late or at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.facts import Facts
from agents.plan.state import Round
from rosters.county import DUTY_LEADER, DUTY_OFFICER, County
from rosters.model import Post
from rosters.quality import DAYS_CHECKED, readiness
from streams.ids import REAL, make_id
from streams.letters import Letter, Mode, Move, OpenCallouts, Opening, write_letter
from streams.topics import PAGES
from streams.words import Colour, Level

HAZARD = "duty"
PAGE_MAX = 200
TEXT_MAX = 480


@dataclass(frozen=True)
class Notice:
    """One message: the post it is for, the person where it is meant for nobody else, and the words.

    With a `voice` it is a call of one ring, beside the text.
    """

    post_id: str
    text: str
    person_id: str = ""
    voice: str = ""


def open_notices(
    what: str,
    cause: str,
    notices: Sequence[Notice],
    now: datetime,
    facts: Facts,
    *,
    realm: str = REAL,
    colour: Colour = Colour.BLUE,
) -> tuple[Round, tuple[Letter, ...]]:
    """Return the round and the pages that send notices; the same cause gives the same ids, and nothing twice.

    Of what is under way at night the `colour` says how urgent it is to know: what is blue waits behind everything else.
    """
    book, county = facts.book, facts.county
    chain_id = make_id(realm, "duty", what, cause)
    round_id = make_id(realm, "round", chain_id, what)
    ladder = book.knobs.notice_ladder
    openings = [
        Opening(
            callout_id=make_id(realm, "callout", round_id, notice.post_id, notice.person_id),
            post_id=notice.post_id,
            person_id=notice.person_id,
            mode=Mode.CALL if notice.voice else Mode.MESSAGE,
            ladder=ladder,
            voice=notice.voice,
            text=notice.text[:TEXT_MAX],
        )
        for notice in notices
    ]
    letters = []
    for page_no, start in enumerate(range(0, len(openings), PAGE_MAX)):
        page = OpenCallouts(
            realm=realm,
            chain_id=chain_id,
            round_id=round_id,
            hazard=HAZARD,
            colour=colour,
            rules_hash=book.hash,
            ladders={ladder: book.ladders[ladder]},
            openings=tuple(openings[start : start + PAGE_MAX]),
        )
        letters.append(write_letter(PAGES, round_id, page, now, cause=f"page:{page_no}"))
    row = Round(
        id=round_id,
        realm=realm,
        chain_id=chain_id,
        cause_id=cause,
        move=Move.OPENED,
        hazard=HAZARD,
        colour=colour,
        headline=what,
        opened_at=now,
        posts=len(openings),
        rules_hash=book.hash,
        roster_version=county.version,
    )
    return row, tuple(letters)


def shift_notice(post: Post, person_id: str, starts_at: datetime, facts: Facts) -> Notice:
    """Tell a person that a shift begins soon."""
    when = f"{starts_at.astimezone(facts.county.zone):%m月%d日%H:%M}"
    text = f"【{facts.county.name}值班提醒】{when}起由您值守{post.name}，请提前10分钟到岗交接。"
    return Notice(post.id, text + "不能到岗请立即向带班领导请假并指定顶班人。", person_id)


def morning_list(at: datetime, facts: Facts) -> list[Notice]:
    """Tell every leader on duty who is on duty today in the own unit and directly below it."""
    county = facts.county
    day = f"{at.astimezone(county.zone):%m月%d日}"
    found = []
    for leader in _duty_posts(facts, DUTY_LEADER):
        below = [leader.unit, *(unit.id for unit in county.units.values() if unit.parent == leader.unit)]
        lines = [line for unit in below for line in _lines(unit, at, facts)]
        text = f"【{county.name}值班】{day}值班人员：{'；'.join(lines)}。"
        found.append(Notice(leader.id, text))
    return found


def zero_reports(at: datetime, facts: Facts) -> list[Notice]:
    """Remind every duty post of the daily zero report."""
    day = f"{at.astimezone(facts.county.zone):%m月%d日}"
    text = f"【{facts.county.name}值班】请报{day}零报告：有情况报情况，没有情况也要报。"
    return [Notice(post.id, text) for post in _duty_posts(facts, DUTY_OFFICER)]


def not_ready(county: County, at: datetime, facts: Facts) -> list[Notice]:
    """Tell the county's leaders on duty what the coming days lack; nobody is told anything when all is well.

    `county` is the roster as it is now, its verified phones marked.
    """
    lines = readiness(county, at, year=facts.year)
    if not lines:
        return []
    text = f"【{county.name}值班】今后{DAYS_CHECKED}天值班表有{len(lines)}处问题：{'；'.join(lines)}"
    posts = [post for post in _duty_posts(facts, DUTY_LEADER) if post.level is Level.COUNTY]
    return [Notice(post.id, text) for post in posts]


def handover_late(post: Post, incoming: str, held_over: str, minutes: int, facts: Facts) -> str:
    """Tell the leader that a shift was not signed for; says what was seen, and nothing about anybody's conduct."""
    who = f"{incoming}未签到接班" if incoming else "值班表无人接班"
    stays = f"，由{held_over}继续值守" if held_over else "，目前无人值守"
    return f"【{facts.county.name}值班】{post.name}换班已过{minutes}分钟，{who}{stays}，请核实。"


def _duty_posts(facts: Facts, kind: str) -> list[Post]:
    return [post for post in facts.county.posts.values() if post.kind == kind and post.on_shift]


def _lines(unit: str, at: datetime, facts: Facts) -> Iterable[str]:
    for kind in (DUTY_LEADER, DUTY_OFFICER):
        for post in facts.county.posts.values():
            if post.unit == unit and post.kind == kind and post.on_shift:
                held = facts.county.who(post.id, at)
                yield f"{post.name} {held.person.name if held else '无人'}"
