"""What leaders are told of a round under way: how many are called, have answered, have not, township by township. Pure.

A leader who is rung for every village that stays silent stops listening; one line for each township says where help is
needed. It is told by the ordinary way, is an entry, and ends with the round. Never said here: why somebody is silent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.callout.state import ANSWERED, OPEN, UNANSWERED, CalloutState
from agents.duty.notices import Notice
from agents.facts import Facts
from agents.plan.decide import PlanReason
from agents.plan.spoken import speak
from agents.plan.state import Round, Summary
from config.rules import SummaryKnobs
from rosters.model import Post
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import ChainMoved, Move
from streams.rooms import Decision
from streams.words import Level

TOLD_OF = (Move.OPENED, Move.RAISED, Move.WIDENED, Move.CONTINUED)
WAITING = tuple(state for state in OPEN if state is not CalloutState.HELD)


@dataclass(frozen=True)
class Tally:
    """How a round stands in one township, or in the posts of the county itself (`code` is empty)."""

    code: str
    name: str
    answered: int
    unanswered: int
    lost: int

    @property
    def called(self) -> int:
        """应叫: all that were to be woken and were not stopped meanwhile."""
        return self.answered + self.unanswered


def open_summary(moved: ChainMoved, row: Round, calls: int, now: datetime, facts: Facts) -> Summary | None:
    """Return the summary of a round that was just opened; None where leaders are not told of it."""
    knobs = facts.book.knobs.summary
    if not knobs.posts or not calls or moved.move not in TOLD_OF or moved.colour not in knobs.colours:
        return None
    return Summary(
        id=make_id(row.realm, "summary", row.id),
        realm=row.realm,
        chain_id=row.chain_id,
        round_id=row.id,
        opened_at=now,
        due_at=_next_at(now, now, knobs),
    )


def tallies(counts: Mapping[tuple[str, str], int], facts: Facts) -> list[Tally]:
    """Return how a round stands from its callouts counted by township and state: who has most unanswered first."""
    found = []
    for code in sorted({township for township, _ in counts}):
        of = {CalloutState(state): count for (township, state), count in counts.items() if township == code}
        region = facts.county.regions.get(code)
        found.append(
            Tally(
                code=code,
                name=region.name if region else facts.county.name,
                answered=sum(of.get(state, 0) for state in ANSWERED),
                unanswered=sum(of.get(state, 0) for state in (*WAITING, *UNANSWERED)),
                lost=of.get(CalloutState.LOST, 0),
            )
        )
    return sorted((item for item in found if item.called), key=lambda item: (-item.unanswered, item.code))


def why_over(row: Round, later: Sequence[Round], chain_is_open: bool) -> str:
    """Return why nothing more is to be told of a round, or "": it was stopped, its chain ended, a rise followed it."""
    if row.stopped_at is not None:
        return "stopped"
    if any(item.move in (Move.OPENED, Move.RAISED) and item.opened_at > row.opened_at for item in later):
        return "followed"
    return "" if chain_is_open else "chain_ended"


def decide_summary(
    summary: Summary, row: Round, counted: Sequence[Tally], over: str, now: datetime, facts: Facts
) -> tuple[Decision[Summary], list[Notice]]:
    """Decide what is told of a round now, and when next. Where all have answered it is told once more, and ends.

    Args:
        summary: What is due.
        row: Its round.
        counted: How it stands.
        over: Why nothing more is to be told, or "".
        now: Story time.
        facts: The county and its rules.
    """
    knobs = facts.book.knobs.summary
    if over or not knobs.posts:
        ended = summary.model_copy(update={"due_at": None, "ended_why": over or "switched_off"})
        return Decision(PlanReason.SUMMARY_ENDED, ended), []
    all_answered = all(item.unanswered == 0 for item in counted)
    next_at = None if all_answered else _next_at(summary.opened_at, now, knobs)
    why = "all_answered" if all_answered else "" if next_at else "time_is_up"
    changed = summary.model_copy(update={"sent": summary.sent + 1, "due_at": next_at, "ended_why": why, "errors": 0})
    notices = [_notice(post, counted, row, now, facts) for post in _posts(knobs, now, facts)]
    totals = {item.name: [item.called, item.answered, item.unanswered] for item in counted}
    noted = {"round": row.id, "nth": changed.sent, "told": [item.post_id for item in notices], "townships": totals}
    entry = Draft(
        subject=summary.chain_id,
        what="summary_sent",
        why=PlanReason.SUMMARY_SENT,
        by="plan",
        at=now,
        facts=noted | {"next_at": next_at.isoformat() if next_at else ""},
    )
    return Decision(PlanReason.SUMMARY_SENT, changed, entries=(entry,)), notices


def _next_at(opened_at: datetime, now: datetime, knobs: SummaryKnobs) -> datetime | None:
    """Return when a round is told of next after `now`; what was missed meanwhile is not caught up with."""
    last = opened_at + timedelta(hours=knobs.until_h)
    times = [opened_at + timedelta(minutes=minutes) for minutes in sorted(knobs.at_min)]
    while times[-1] <= now:
        times.append(times[-1] + timedelta(minutes=knobs.every_min))
    at = next(time for time in times if time > now)
    return at if at <= last else None


def _posts(knobs: SummaryKnobs, now: datetime, facts: Facts) -> list[Post]:
    """Return who is told: only posts that somebody holds, for an empty one is loud enough by its own calls."""
    found = [
        post
        for item in knobs.posts
        for post in facts.county.posts_where(level=item.level, kinds=item.kinds)
        if facts.county.who(post.id, now) is not None
    ]
    return list({post.id: post for post in found}.values())


def _notice(post: Post, counted: Sequence[Tally], row: Round, now: datetime, facts: Facts) -> Notice:
    own = [item for item in counted if post.level is Level.COUNTY or item.code == facts.county.township_of(post.region)]
    voice = ""
    if facts.book.knobs.summary.by == "call":
        voice = speak(f"{_mark(row, facts)}{_what(row, facts)}叫应进度：{_figures(own)}。")
    return Notice(post.id, _text(own, row, now, facts), voice=voice)


def _text(counted: Sequence[Tally], row: Round, now: datetime, facts: Facts) -> str:
    minutes = round((now - row.opened_at).total_seconds() / 60)
    clock = f"{now.astimezone(facts.county.zone):%H:%M}"
    behind = [item for item in counted if item.unanswered]
    lines = [f"{item.name} 应叫{item.called}已应{item.answered}未应{item.unanswered}" for item in behind]
    rest = "" if not counted else "全部已应。" if not behind else f"其余{len(counted) - len(behind)}处全部已应。"
    listed = "；".join(lines) + ("；" if lines and rest else "")
    when = f"{_what(row, facts)}，{clock}（第{minutes}分钟）"
    return f"{_mark(row, facts)}【{facts.county.name}叫应进度】{when}：{_figures(counted)}。{listed}{rest}"


def _figures(counted: Sequence[Tally]) -> str:
    called, answered = sum(item.called for item in counted), sum(item.answered for item in counted)
    lost = sum(item.lost for item in counted)
    return f"应叫{called}，已应{answered}，未应{called - answered}" + (f"，其中失联{lost}" if lost else "")


def _mark(row: Round, facts: Facts) -> str:
    return facts.book.speech.zh.mark("drill:" if row.exercise else row.realm)


def _what(row: Round, facts: Facts) -> str:
    tongue = facts.book.speech.zh
    name = next((item.name for item in facts.book.hazards if item.key == row.hazard), tongue.unknown_hazard)
    return f"{name}{tongue.colours[row.colour]}"
