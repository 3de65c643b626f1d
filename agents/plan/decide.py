"""What a move of a chain means for the posts: whom to call, whom to tell, what to stop. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from agents.callout.state import ANSWERED, UNANSWERED, Callout, CalloutState
from agents.facts import Facts
from agents.plan import wording
from agents.plan.select import Chosen, chosen_posts, county_ladder
from agents.plan.state import Round
from config.rules import RuleBook
from streams.ids import make_id
from streams.ledger.contract import Draft
from streams.letters import ChainMoved, Letter, Mode, Move, OpenCallouts, Opening, Stopped, write_letter
from streams.rooms import Trouble, trouble
from streams.topics import CALLOUTS, PAGES

T = TypeVar("T")
PAGE_MAX = 200


class PlanReason(StrEnum):
    """Why PLAN did what it did."""

    ROUND_OPENED = "round_opened"
    NOBODY_NEW = "nobody_new"
    NO_RULE = "no_rule"
    NO_POSTS = "no_posts"
    TOLD_WOKEN = "told_woken"
    STOPPED = "stopped"
    PAUSED = "paused"
    RESUMED = "resumed"
    SUMMARY_SENT = "summary_sent"
    SUMMARY_ENDED = "summary_ended"
    KNOWN = "known"


@dataclass
class Plan:
    """What is to be written: rounds new and changed, letters, entries, troubles, and why; and how many are called."""

    reason: PlanReason
    calls: int = 0
    rounds: list[Round] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    entries: list[Draft] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def decide(
    moved: ChainMoved, rounds: Sequence[Round], callouts: Sequence[Callout], now: datetime, facts: Facts
) -> Plan:
    """Decide what to do about a move.

    Args:
        moved: What INTAKE says happened.
        rounds: All rounds of the chain so far.
        callouts: All callouts of the chain so far, oldest first.
        now: Story time.
        facts: The county and its rules.
    """
    latest = _latest(callouts)
    match moved.move:
        case Move.OPENED | Move.RAISED:
            return _fresh(moved, rounds, callouts, now, facts)
        case Move.WIDENED | Move.CONTINUED:
            return _go_on(moved, rounds, latest, now, facts)
        case Move.SHIFT_CHANGED:
            return _new_shift(moved, rounds, latest, now, facts)
        case Move.LOWERED:
            return _tell(moved, rounds, latest, now, facts)
        case Move.GATED | Move.UNCLEAR:
            return _ask_duty_room(moved, rounds, now, facts)
        case Move.CANCELLED | Move.CORRECTED:
            return _end(moved, rounds, callouts, now, facts)
        case Move.EXPIRED:
            return _stop_all(Plan(PlanReason.STOPPED), moved, callouts, now, "expired")
        case Move.PAUSED | Move.RESUMED:
            return _pause(moved, rounds, now)


def _latest(callouts: Sequence[Callout]) -> dict[str, Callout]:
    """Return each post's latest callout of the warning itself.

    A message beside or after a call tells nothing about who is awake: where a post was called, its latest call counts.
    """
    latest: dict[str, Callout] = {}
    for callout in callouts:
        before = latest.get(callout.post_id)
        only_told = callout.mode is not Mode.CALL and before is not None and before.mode is Mode.CALL
        if not callout.visit_id and not only_told:
            latest[callout.post_id] = callout
    return latest


def _fresh(
    moved: ChainMoved, rounds: Sequence[Round], callouts: Sequence[Callout], now: datetime, facts: Facts
) -> Plan:
    """Call everybody whom the rules give, whoever confirmed an earlier round; earlier calls to them are superseded."""
    rule, chosen = chosen_posts(moved, now, facts)
    if rule is None or not chosen:
        return _nobody(moved, rule is None, now, facts)
    plan = _open(moved, rounds, chosen, now, facts, rule_id=rule.id)
    again = {item.post.id for item in chosen}
    old = [item for item in callouts if item.is_open and item.post_id in again and not item.visit_id]
    return _stop(plan, moved, old, now, "superseded")


def _go_on(moved: ChainMoved, rounds: Sequence[Round], latest: dict[str, Callout], now: datetime, facts: Facts) -> Plan:
    """Call the unreached, the newly named and new holders; those awake get a message only (继续发布)."""
    rule, chosen = chosen_posts(moved, now, facts)
    if rule is None or not chosen:
        return _nobody(moved, rule is None, now, facts)
    awake_since = now - timedelta(hours=facts.book.knobs.awake_h)
    opened: list[Chosen] = []
    for item in chosen:
        mode = _mode_again(item, latest.get(item.post.id), awake_since, now, facts)
        if mode is not None:
            opened.append(_as(item, mode))
    if not opened:
        return Plan(PlanReason.NOBODY_NEW, entries=[_entry(moved, PlanReason.NOBODY_NEW, now, {"posts": len(chosen)})])
    return _open(moved, rounds, opened, now, facts, rule_id=rule.id)


def _mode_again(
    item: Chosen, before: Callout | None, awake_since: datetime, now: datetime, facts: Facts
) -> Mode | None:
    """Say how a post is approached when its warning goes on: as new, by message, by call, or not at all."""
    if before is None or (before.mode is not Mode.CALL and item.mode is Mode.CALL):
        return item.mode
    if before.is_open or item.mode is Mode.HOLD:
        return None
    if before.state in UNANSWERED or item.mode is Mode.MESSAGE:
        return item.mode
    if before.state in ANSWERED and before.answered_at is not None and before.answered_at >= awake_since:
        return Mode.MESSAGE if _same_holder(before.post_id, before.answered_at, now, facts) else Mode.CALL
    return item.mode


def _new_shift(
    moved: ChainMoved, rounds: Sequence[Round], latest: dict[str, Callout], now: datetime, facts: Facts
) -> Plan:
    """Call those who just took over a post that was called under orange or red (接班叫应)."""
    opened = []
    for before in latest.values():
        post = facts.county.posts.get(before.post_id)
        called = before.mode is Mode.CALL and before.state in (*ANSWERED, *UNANSWERED)
        if post is None or not post.on_shift or not called:
            continue
        since = before.answered_at or before.closed_at or before.opened_at
        if not _same_holder(post.id, since, now, facts) and facts.county.who(post.id, now) is not None:
            opened.append(Chosen(post, Mode.CALL, _known(before.ladder_name, facts), before.priority))
    if not opened:
        return Plan(PlanReason.NOBODY_NEW, entries=[_entry(moved, PlanReason.NOBODY_NEW, now, {})])
    return _open(moved, rounds, opened, now, facts)


def _tell(moved: ChainMoved, rounds: Sequence[Round], latest: dict[str, Callout], now: datetime, facts: Facts) -> Plan:
    """Tell those who were woken that the colour fell; nobody is rung for it, and calls under way go on."""
    told = [
        Chosen(post, Mode.MESSAGE, _notice(facts), 0)
        for before in latest.values()
        if _woken(before) and (post := facts.county.posts.get(before.post_id)) is not None
    ]
    if not told:
        return Plan(PlanReason.NOBODY_NEW, entries=[_entry(moved, PlanReason.NOBODY_NEW, now, {})])
    plan = _open(moved, rounds, told, now, facts)
    plan.reason = PlanReason.TOLD_WOKEN
    return plan


def _ask_duty_room(moved: ChainMoved, rounds: Sequence[Round], now: datetime, facts: Facts) -> Plan:
    """Ring the county's duty officer about a lone gauge, or about a warning that the machine cannot place."""
    unit = next((unit.id for unit in facts.county.units.values() if unit.region == facts.county.code), "")
    post = facts.county.duty_post(unit)
    if post is None:
        return _nobody(moved, False, now, facts)
    say = wording.gate_voice if moved.move is Move.GATED else wording.unclear_voice
    chosen = [Chosen(post, Mode.CALL, county_ladder(facts.book), 9)]
    return _open(moved, rounds, chosen, now, facts, voice=lambda _: say(moved, facts))


def _end(moved: ChainMoved, rounds: Sequence[Round], callouts: Sequence[Callout], now: datetime, facts: Facts) -> Plan:
    """Stop everything of a chain and tell those who were woken; a correction also calls those who answered."""
    why = "cancelled" if moved.move is Move.CANCELLED else "corrected"
    woken: dict[str, bool] = {}
    for item in callouts:
        if _woken(item):
            woken[item.post_id] = woken.get(item.post_id, False) or item.state in ANSWERED
    told = []
    for post_id, answered in woken.items():
        post = facts.county.posts.get(post_id)
        if post is not None:
            mode = Mode.CALL if answered and moved.move is Move.CORRECTED else Mode.MESSAGE
            told.append(Chosen(post, mode, _notice(facts), 0))
    plan = Plan(PlanReason.STOPPED)
    if told:
        plan = _open(
            moved,
            rounds,
            told,
            now,
            facts,
            voice=lambda _: wording.ending_voice(moved, facts),
            text=lambda place: wording.ending_text(moved, place, facts),
        )
        plan.reason = PlanReason.TOLD_WOKEN
    plan.rounds += [
        item.model_copy(update={"stopped_at": now, "stop_why": why, "paused_until": None})
        for item in rounds
        if item.stopped_at is None
    ]
    return _stop_all(plan, moved, callouts, now, why)


def _pause(moved: ChainMoved, rounds: Sequence[Round], now: datetime) -> Plan:
    """Pause or resume every running round of a chain; a pause ends by itself and is loud while it lasts."""
    reason = PlanReason.PAUSED if moved.move is Move.PAUSED else PlanReason.RESUMED
    until = moved.until if moved.move is Move.PAUSED else None
    running = [item for item in rounds if item.stopped_at is None]
    plan = Plan(reason)
    plan.rounds = [item.model_copy(update={"paused_until": until, "paused_by": moved.by}) for item in running]
    plan.entries = [_entry(moved, reason, now, {"until": until.isoformat() if until else "", "rounds": len(running)})]
    if until is not None:
        text = f"叫应已被{moved.by}暂停，将自动恢复"
        plan.troubles = [trouble("paused", f"{moved.chain_id}|{moved.cause_id}", text, now)]
    return plan


def _open(  # noqa: PLR0913 - the two last are how a gate and an ending differ from a warning
    moved: ChainMoved,
    rounds: Sequence[Round],
    chosen: Sequence[Chosen],
    now: datetime,
    facts: Facts,
    *,
    rule_id: str = "",
    voice: Callable[[str], str] | None = None,
    text: Callable[[str], str] | None = None,
) -> Plan:
    """Make a round and the pages that open its callouts."""
    round_id = make_id(moved.realm, "round", moved.chain_id, moved.cause_id, moved.move)
    if any(item.id == round_id for item in rounds):
        return Plan(PlanReason.KNOWN)
    county, book = facts.county, facts.book
    say = voice or wording.WarningWords(moved, facts).voice
    write = text or wording.WarningWords(moved, facts).text
    openings = []
    for item in chosen:
        place = county.place(item.post)
        openings.append(
            Opening(
                callout_id=callout_id(moved.realm, round_id, item.post.id),
                post_id=item.post.id,
                mode=item.mode,
                ladder=item.ladder,
                voice=say(place) if item.mode is not Mode.MESSAGE else "",
                text=write(place),
                priority=item.priority,
                hold_until=item.hold_until,
                hold_reason=item.hold_reason,
            )
        )
    plan = Plan(PlanReason.ROUND_OPENED)
    plan.rounds = [
        Round(
            id=round_id,
            realm=moved.realm,
            chain_id=moved.chain_id,
            cause_id=moved.cause_id,
            move=moved.move,
            hazard=moved.hazard,
            colour=moved.colour,
            headline=moved.headline,
            exercise=moved.exercise,
            opened_at=now,
            posts=len(openings),
            rules_hash=book.hash,
            roster_version=county.version,
            rule_id=rule_id,
        )
    ]
    plan.letters = _opening_pages(moved, round_id, openings, now, book)
    plan.calls = sum(item.mode is Mode.CALL for item in openings)
    counts = {mode.value: sum(item.mode is mode for item in openings) for mode in Mode}
    noted: dict[str, object] = {"round": round_id, "move": moved.move, "rule": rule_id}
    noted |= {"roster": county.version, "rules": book.hash, **counts}
    plan.entries = [_entry(moved, PlanReason.ROUND_OPENED, now, noted)]
    return plan


def _opening_pages(
    moved: ChainMoved, round_id: str, openings: Sequence[Opening], now: datetime, book: RuleBook
) -> list[Letter]:
    """Return the letters that open callouts, each with the ladders it names, frozen as they are now."""
    letters = []
    for page_no, page in enumerate(_pages(openings)):
        message = OpenCallouts(
            realm=moved.realm,
            chain_id=moved.chain_id,
            round_id=round_id,
            hazard=moved.hazard,
            colour=moved.colour,
            rules_hash=book.hash,
            ladders={name: book.ladders[name] for name in sorted({item.ladder for item in page})},
            openings=page,
        )
        letters.append(write_letter(PAGES, round_id, message, now, cause=f"page:{page_no}"))
    return letters


def _stop_all(plan: Plan, moved: ChainMoved, callouts: Sequence[Callout], now: datetime, why: str) -> Plan:
    """Stop everything that is open, and take what nobody answered off being looked at."""
    return _stop(plan, moved, [item for item in callouts if item.is_open or item.state in UNANSWERED], now, why)


def _stop(plan: Plan, moved: ChainMoved, callouts: Sequence[Callout], now: datetime, why: str) -> Plan:
    for page_no, page in enumerate(_pages([item.id for item in callouts])):
        message = Stopped.model_validate({"callout_ids": page, "why": why, "by": moved.by or "plan", "at": now})
        cause = f"stop:{moved.move}:{moved.cause_id}:{page_no}"
        plan.letters.append(write_letter(CALLOUTS, moved.chain_id, message, now, cause=cause))
    if callouts:
        plan.entries.append(_entry(moved, PlanReason.STOPPED, now, {"stopped": len(callouts), "why_stopped": why}))
    return plan


def _nobody(moved: ChainMoved, no_rule: bool, now: datetime, facts: Facts) -> Plan:
    """Nobody is to be called for this: said aloud where it is orange or red, written down in any case."""
    reason = PlanReason.NO_RULE if no_rule else PlanReason.NO_POSTS
    plan = Plan(reason, entries=[_entry(moved, reason, now, {"regions": list(moved.regions)})])
    text = f"{moved.headline or moved.hazard}：按现行规则没有任何岗位需要叫应，请值班员核对"
    plan.troubles = [trouble(reason, moved.chain_id, text, now, facts.county.code)]
    return plan


def _woken(callout: Callout) -> bool:
    """Tell whether a post was disturbed: dialled, or sent a message."""
    return callout.contacted or callout.texts > 0 or callout.state is CalloutState.TOLD


def _same_holder(post_id: str, before: datetime, now: datetime, facts: Facts) -> bool:
    then, today = facts.county.who(post_id, before), facts.county.who(post_id, now)
    return then is not None and today is not None and then.person.id == today.person.id


def _as(item: Chosen, mode: Mode) -> Chosen:
    return Chosen(item.post, mode, item.ladder, item.priority, item.hold_until, item.hold_reason)


def _known(ladder: str, facts: Facts) -> str:
    """Return a ladder's name, or another's where the county took it out of its rules under way."""
    return ladder if ladder in facts.book.ladders else facts.book.knobs.order_ladder


def _notice(facts: Facts) -> str:
    return facts.book.knobs.notice_ladder


def _pages(items: Sequence[T]) -> list[tuple[T, ...]]:
    return [tuple(items[start : start + PAGE_MAX]) for start in range(0, len(items), PAGE_MAX)]


def callout_id(realm: str, round_id: str, post_id: str) -> str:
    """Return the id of the callout of a post in a round."""
    return make_id(realm, "callout", round_id, post_id)


def _entry(moved: ChainMoved, reason: PlanReason, now: datetime, facts: dict[str, object]) -> Draft:
    return Draft(subject=moved.chain_id, what=f"plan_{reason}", why=reason, by="plan", at=now, facts=facts)
