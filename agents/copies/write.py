"""COPIES inside a step: writes copies down, claims what is due, records what became of it. It decides nothing.

It reads rounds, chains, callouts and troubles, and saves only its own rows and the trouble that a copy failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS
from agents.copies.decide import CopyReason, Tally, after_refusal, decide, is_due, tally_of, try_next
from agents.copies.receivers import NotTakenError, Receiver
from agents.copies.state import (
    BULLETINS,
    COPIES,
    TOLD_TROUBLES,
    Bulletin,
    Copy,
    CopyState,
    Event,
    ToldTroubles,
)
from agents.copies.wording import Voice, say_notice, say_troubles
from agents.facts import Facts
from agents.intake.state import CHAINS, Chain
from agents.plan.state import ROUNDS, Round
from streams.ids import REAL, digest, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.rooms import TROUBLES, Trouble, record_troubles, trouble

WITHIN = timedelta(hours=1)
FOUND_MAX, TROUBLES_MAX, WAITING_MAX = 200, 500, 100
FAILED = "copy_failed"


@dataclass(frozen=True)
class Told:
    """What copies are written with: to whom, by which facts, in which words, and when (story and real time)."""

    receivers: tuple[Receiver, ...]
    facts: Facts
    voice: Voice
    now: datetime
    wall: datetime


def write_copies(step: Step, told: Told) -> None:
    """Write the copies that follow from the ledger as it stands; met again, they are the same copies."""
    _write_notices(step, told)
    _write_troubles(step, told)


def claim(step: Step, free: Sequence[Receiver], told: Told) -> list[tuple[Receiver, Copy]]:
    """Return one due copy for each receiver that is free and was left alone for its gap; its try is counted already.

    Copies that come too late, or whose receiver is no longer configured, are given up on the way.
    """
    due = step.find(
        COPIES,
        Where("state", "=", CopyState.WAITING),
        Where("due_at", "<=", told.wall),
        order=("due_at",),
        limit=FOUND_MAX,
        lock=True,
    )
    names, free_names = {each.name for each in told.receivers}, {each.name: each for each in free}
    tried: list[Copy] = []
    claimed: list[tuple[Receiver, Copy]] = []
    for copy in due:
        if copy.receiver not in names:
            tried.append(copy.model_copy(update={"state": CopyState.GIVEN_UP, "why": CopyReason.NO_RECEIVER}))
            continue
        receiver = free_names.get(copy.receiver)
        if receiver is None or not _is_rested(step, receiver, told.wall):
            continue
        after = try_next(copy, told.wall, told.now)
        tried.append(after)
        if after.state is CopyState.WAITING:
            del free_names[copy.receiver]
            claimed.append((receiver, after))
    step.save(COPIES, tried)
    _note(step, [copy for copy in tried if copy.state is not CopyState.WAITING], told.now)
    return claimed


def record(step: Step, copy_id: str, refused: NotTakenError | None, now: datetime, wall: datetime) -> None:
    """Write down what a receiver's server said; a copy that ended meanwhile is left as it is."""
    copy = step.load(COPIES, [copy_id])[copy_id]
    if copy.state is not CopyState.WAITING:
        return
    if refused is None:
        after = copy.model_copy(update={"state": CopyState.HANDED_OVER, "why": CopyReason.TAKEN})
    else:
        after = after_refusal(copy, wall, str(refused), refused.retry_after_s)
    step.save(COPIES, [after])
    if after.state is not CopyState.WAITING:
        _note(step, [after], now, said=str(refused or ""))


def _write_notices(step: Step, told: Told) -> None:
    rounds = step.find(ROUNDS, Where("opened_at", ">", told.now - WITHIN), order=("opened_at",), limit=FOUND_MAX)
    bulletins = {row.chain_id: row for row in step.find(BULLETINS, Where("over", "=", False), limit=FOUND_MAX)}
    # Notices of the day and spot checks have rounds and no chain: they are nobody else's matter.
    chains = step.load(CHAINS, {*bulletins, *(each.chain_id for each in rounds)})
    ids = [make_id(chain.realm, "bulletin", chain.id) for chain in chains.values() if chain.id not in bulletins]
    bulletins |= {row.chain_id: row for row in step.load(BULLETINS, ids).values()}
    for chain_id, chain in sorted(chains.items()):
        bulletin = bulletins.get(chain_id)
        seen = bulletin.rounds if bulletin else ()
        fresh = [each for each in rounds if each.chain_id == chain_id and each.id not in seen]
        if is_due(bulletin, chain, fresh, told.now):
            _write_of_chain(step, told, bulletin, chain, fresh)


def _write_of_chain(step: Step, told: Told, bulletin: Bulletin | None, chain: Chain, fresh: Sequence[Round]) -> None:
    tally = _tally(step, chain.id)
    after, notices = decide(bulletin, chain, fresh, tally, told.now)
    step.save(BULLETINS, [after])
    for notice in notices:
        if notice.event in (Event.SUMMARY, Event.ENDED):
            _overtake(step, chain.id, told.now)
        title, text = say_notice(notice, chain, tally, told.facts, told.voice, told.now)
        at = notice.round.opened_at if notice.round else told.now
        copy = Copy(
            id="",
            realm=chain.realm,
            receiver="",
            event=notice.event,
            chain_id=chain.id,
            title=title,
            text=text,
            at=at,
            due_at=told.wall,
        )
        _write(step, told, copy, notice.cause)


def _write_troubles(step: Step, told: Told) -> None:
    open_ones = (Where("closed_at", "is null"), Where("at", ">", told.now - WITHIN))
    found = step.find(TROUBLES, *open_ones, order=("at",), limit=TROUBLES_MAX)
    row_id = make_id(REAL, "copies", "troubles")
    known = step.load(TOLD_TROUBLES, [row_id]).get(row_id) or ToldTroubles(id=row_id)
    # That a copy failed is shown on the board; a copy of that would fail as well.
    fresh = [each for each in found if each.id not in known.told and each.kind != FAILED]
    if not fresh:
        return
    step.save(TOLD_TROUBLES, [known.model_copy(update={"told": tuple(each.id for each in found)})])
    by_realm: dict[str, list[Trouble]] = {}
    for each in fresh:
        by_realm.setdefault(each.realm, []).append(each)
    for realm, troubles in sorted(by_realm.items()):
        title, text = say_troubles(troubles, told.facts, told.voice, told.now)
        copy = Copy(
            id="", realm=realm, receiver="", event=Event.ALARM, title=title, text=text, at=told.now, due_at=told.wall
        )
        _write(step, told, copy, digest(*sorted(each.id for each in troubles)))


def _write(step: Step, told: Told, copy: Copy, cause: str) -> None:
    """Save a copy for each receiver that wants its event; one that has too many waiting gets no more."""
    waiting = step.count(COPIES, ("receiver",), Where("state", "=", CopyState.WAITING))
    rows = [
        copy.model_copy(
            update={
                "id": make_id(copy.realm, "copy", receiver.name, copy.event, copy.chain_id, cause),
                "receiver": receiver.name,
            }
        )
        for receiver in told.receivers
        if copy.event in receiver.events and waiting.get((receiver.name,), 0) < WAITING_MAX
    ]
    known = step.load(COPIES, [row.id for row in rows])
    step.save(COPIES, [row for row in rows if row.id not in known])


def _overtake(step: Step, chain_id: str, now: datetime) -> None:
    """A newer summary, or the end, stands for summaries that were not taken yet."""
    waiting = step.find(
        COPIES,
        Where("chain_id", "=", chain_id),
        Where("event", "=", Event.SUMMARY),
        Where("state", "=", CopyState.WAITING),
        limit=FOUND_MAX,
    )
    over = [copy.model_copy(update={"state": CopyState.OVERTAKEN, "why": CopyReason.OVERTAKEN}) for copy in waiting]
    step.save(COPIES, over)
    _note(step, over, now)


def _tally(step: Step, chain_id: str) -> Tally:
    """Count the callouts of a chain; whoever only gets a visit list was counted as what he is already."""
    counted = step.count(CALLOUTS, ("township", "state"), Where("chain_id", "=", chain_id), Where("visit_id", "=", ""))
    return tally_of({(str(township), str(state)): count for (township, state), count in counted.items()})


def _is_rested(step: Step, receiver: Receiver, wall: datetime) -> bool:
    last = step.find(
        COPIES,
        Where("receiver", "=", receiver.name),
        Where("tried_at", ">", wall - timedelta(seconds=receiver.gap_s)),
        limit=1,
    )
    return not last


def _note(step: Step, ended: Sequence[Copy], now: datetime, said: str = "") -> None:
    """Append the entry of each copy that ended, and show a trouble where a receiver could not be told."""
    step.append(
        Draft(
            subject=copy.id,
            what=f"copy_{copy.state}",
            why=copy.why,
            by="copies",
            at=now,
            facts={
                "receiver": copy.receiver,
                "event": copy.event,
                "chain": copy.chain_id,
                "tries": copy.tries,
                "told_at": copy.at.isoformat(),
                "said": said,
            },
        )
        for copy in ended
    )
    failed = sorted({copy.receiver for copy in ended if copy.why == CopyReason.REFUSED_TOO_OFTEN})
    text = "抄送「{}」多次未送出，已放弃这一条；抄送不影响叫应，请检查该群或邮箱"
    record_troubles(step, [trouble(FAILED, f"real|copies|{name}", text.format(name), now) for name in failed])
