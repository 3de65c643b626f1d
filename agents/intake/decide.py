"""What a warning, an alarm, an order or the time does to a chain. Pure: no clock, no ledger, no Faust."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from agents.facts import Facts
from agents.intake.areas import coverage
from agents.intake.chains import (
    UNCLEAR_VALID_H,
    UNKNOWN,
    is_open,
    next_due_at,
    outside,
    seen,
    start_chain,
    union,
    valid_h,
    valid_until,
    with_named,
)
from agents.intake.state import Chain, ChainState
from streams.ledger.contract import Draft
from streams.letters import (
    AlarmRaised,
    ChainMoved,
    ChainOrdered,
    DocumentRefused,
    IssuedWarning,
    Move,
    Ordered,
    OrderKind,
    write_letter,
)
from streams.rooms import Decision, trouble
from streams.topics import WARNINGS
from streams.words import Colour, MsgType, Status

LINE_CHECK = "line_check"
"""The one test that is called, on its own phone. What else is read as one was read wrongly, and wakes somebody."""


class IntakeReason(StrEnum):
    """Why INTAKE did what it did."""

    OPENED = "opened"
    RAISED = "raised"
    WIDENED = "widened"
    CONTINUED = "continued"
    LOWERED = "lowered"
    GATED = "gated"
    CORROBORATED = "corroborated"
    GATE_PASSED = "gate_passed"
    JOINED = "joined"
    CANCELLED = "cancelled"
    CANCELLED_BEFORE_ARRIVAL = "cancelled_before_arrival"
    CORRECTED = "corrected"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXPIRED = "expired"
    SHIFT_CHANGED = "shift_changed"
    DUPLICATE = "duplicate"
    OLDER = "older"
    NOT_ACTUAL = "not_actual"
    NO_CALL_TYPE = "no_call_type"
    OUTSIDE = "outside"
    UNCLEAR = "unclear"
    UNREADABLE = "unreadable"
    TOO_OLD = "too_old"
    CLOSED = "closed"
    UNKNOWN_CHAIN = "unknown_chain"
    NOT_DUE = "not_due"


def decide_warning(
    chain: Chain | None, warning: IssuedWarning, chain_id: str, now: datetime, facts: Facts
) -> Decision[Chain]:
    """Decide what a warning does; `chain` is the one it belongs to, or None for a new one under `chain_id`."""
    is_line_check = warning.hazard == LINE_CHECK and warning.status is Status.TEST
    if warning.status not in (Status.ACTUAL, Status.EXERCISE) and not is_line_check:
        return _note(chain_id, IntakeReason.NOT_ACTUAL, warning, now)
    if warning.hazard == LINE_CHECK and not is_line_check:
        warning = warning.model_copy(update={"hazard": None})
    if warning.kind in (MsgType.ACK, MsgType.ERROR):
        return _note(chain_id, IntakeReason.NO_CALL_TYPE, warning, now)
    if chain is not None and warning.identifier in chain.identifiers:
        return _note(chain.id, IntakeReason.DUPLICATE, warning, now)
    if warning.kind is MsgType.CANCEL:
        return _cancel(chain, warning, chain_id, now)
    if chain is not None and (warning.sent < chain.latest_sent or not is_open(chain)):
        reason = IntakeReason.OLDER if is_open(chain) else IntakeReason.CANCELLED_BEFORE_ARRIVAL
        return _note(chain.id, reason, warning, now, seen(chain, warning.identifier, chain.latest_sent))
    area = coverage(warning, facts.county)
    if area.outside:
        return _note(chain_id, IntakeReason.OUTSIDE, warning, now)
    until = valid_until(warning, facts)
    if area.unclear or warning.hazard is None or warning.colour is None or until <= now:
        if is_line_check:
            # Nobody is woken because a test came late; that it did not come back is found out by who sent it.
            return _note(chain_id, IntakeReason.TOO_OLD, warning, now)
        reason = IntakeReason.TOO_OLD if until <= now else IntakeReason.UNCLEAR
        return _unclear(chain, warning, chain_id, reason, now, facts)
    fresh = start_chain(warning, chain_id, now, until).model_copy(update={"regions": area.regions, "named": area.named})
    if chain is None or chain.hazard == UNKNOWN:
        # A chain that nobody could place so far is placed now: nothing before it was called for.
        known = {} if chain is None else {"version": chain.version, "opened_at": chain.opened_at}
        known |= {} if chain is None else {"identifiers": seen(chain, warning.identifier, warning.sent).identifiers}
        opened = fresh.model_copy(update=known)
        return _move(opened, None, IntakeReason.OPENED, Move.OPENED, warning.id, now, facts)
    joined = seen(chain, warning.identifier, warning.sent).model_copy(
        update={
            "colour": fresh.colour,
            "regions": union(chain.regions, area.regions),
            "named": with_named(chain, area.named),
            "headline": warning.headline,
            "text": warning.text,
            "until": until,
            "state": ChainState.OPEN,
        }
    )
    reason, move = _compare(chain, joined, area.named or area.regions, facts)
    return _move(joined, chain, reason, move, warning.id, now, facts)


def decide_order(chain: Chain | None, order: Ordered, chain_id: str, now: datetime, facts: Facts) -> Decision[Chain]:
    """Open a chain on a person's word; the same order twice is one."""
    if chain is not None:
        return Decision(IntakeReason.DUPLICATE)
    fresh = Chain(
        id=chain_id,
        realm=order.realm,
        source="order",
        issuer=order.by,
        hazard=order.hazard,
        colour=order.colour,
        state=ChainState.OPEN,
        regions=order.regions,
        named=order.regions,
        latest_sent=order.ordered_at,
        text=order.text,
        headline=order.text,
        by=f"{order.by}（{order.on_word_of}）",
        opened_at=now,
        until=order.until or now + timedelta(hours=valid_h(order.hazard, facts)),
    )
    return _move(fresh, None, IntakeReason.OPENED, Move.OPENED, order.order_id, now, facts)


def decide_alarm(
    chain: Chain | None, alarm: AlarmRaised, chain_id: str, now: datetime, facts: Facts
) -> Decision[Chain]:
    """Let an internal alarm join the open chain of its hazard and area, or open one; a lone gauge asks first."""
    if chain is None or not is_open(chain):
        gated = alarm.lone and facts.book.knobs.gate_s > 0
        gate_until = now + timedelta(seconds=facts.book.knobs.gate_s) if gated else None
        fresh = Chain(
            id=chain_id,
            realm=alarm.realm,
            source="monitor",
            issuer="monitor",
            hazard=alarm.hazard,
            colour=alarm.colour,
            state=ChainState.GATED if gated else ChainState.OPEN,
            regions=alarm.regions,
            identifiers=(alarm.alarm_id,),
            latest_sent=alarm.at,
            headline="监测告警",
            text=alarm.text,
            opened_at=now,
            until=now + timedelta(hours=valid_h(alarm.hazard, facts)),
            gate_until=gate_until,
        )
        reason, move = (IntakeReason.GATED, Move.GATED) if gated else (IntakeReason.OPENED, Move.OPENED)
        return _move(fresh, None, reason, move, alarm.alarm_id, now, facts)
    if alarm.alarm_id in chain.identifiers:
        return Decision(IntakeReason.DUPLICATE)
    joined = seen(chain, alarm.alarm_id, chain.latest_sent).model_copy(
        update={
            "colour": max(chain.colour, alarm.colour, key=lambda colour: colour.severity),
            "regions": union(chain.regions, outside(alarm.regions, chain.regions, facts)),
            "named": with_named(chain, alarm.regions) if chain.named else (),
            "text": alarm.text if chain.source == "monitor" else chain.text,
        }
    )
    if chain.state is ChainState.GATED:
        # A second gauge says the same, or the same gauge says worse: nobody has to be asked any more.
        opened = joined.model_copy(update={"state": ChainState.OPEN, "gate_until": None})
        return _move(opened, chain, IntakeReason.CORROBORATED, Move.OPENED, alarm.alarm_id, now, facts)
    reason, move = _compare(chain, joined, alarm.regions, facts)
    if move is Move.CONTINUED:
        return Decision(
            IntakeReason.JOINED,
            joined,
            entries=(
                _entry(
                    chain.id, "alarm_joined", IntakeReason.JOINED, now, {"alarm": alarm.alarm_id, "text": alarm.text}
                ),
            ),
        )
    return _move(joined, chain, reason, move, alarm.alarm_id, now, facts)


def decide_refused(
    chain: Chain | None, refused: DocumentRefused, chain_id: str, now: datetime, facts: Facts
) -> Decision[Chain]:
    """Put a document that no door could read to the duty officer, once an hour and door: it may have been a red one."""
    noted = {"door": refused.door, "by": refused.by, "reason": refused.reason, "raw": refused.raw_id}
    entry = _entry(chain_id, "document_unreadable", IntakeReason.UNREADABLE, now, noted)
    if chain is not None:
        return Decision(IntakeReason.UNREADABLE, entries=(entry,))
    until = now + timedelta(hours=UNCLEAR_VALID_H)
    fresh = Chain(
        id=chain_id,
        realm=refused.realm,
        source="warning",
        issuer=refused.by,
        hazard=UNKNOWN,
        colour=Colour.ORANGE,
        state=ChainState.OPEN,
        regions=(facts.county.code,),
        latest_sent=refused.at,
        headline=f"{refused.by}送来的预警文件无法读取",
        text=f"{refused.by}送来一份预警文件，系统读不懂（{refused.reason}），原文已留存，请人工查看。",
        by=refused.by,
        opened_at=now,
        until=until,
        due_at=until,
    )
    moved = _moved(fresh, Move.UNCLEAR, refused.raw_id, now, by=IntakeReason.UNREADABLE)
    letter = write_letter(WARNINGS, chain_id, moved, now, cause=refused.raw_id)
    return Decision(IntakeReason.UNREADABLE, fresh, (letter,), (entry,))


def decide_chain_order(chain: Chain | None, order: ChainOrdered, now: datetime, facts: Facts) -> Decision[Chain]:
    """Cancel, correct, pause or resume on a person's word."""
    if chain is None:
        return Decision(
            IntakeReason.UNKNOWN_CHAIN,
            troubles=(trouble("unknown_chain", order.order_id, f"指令指向不存在的预警链 {order.chain_id}", now),),
        )
    if not is_open(chain):
        facts_noted = {"order": order.order, "by": order.by}
        return Decision(
            IntakeReason.CLOSED, entries=(_entry(chain.id, "order_ignored", IntakeReason.CLOSED, now, facts_noted),)
        )
    match order.order:
        case OrderKind.CANCEL:
            closed = chain.model_copy(update={"state": ChainState.CANCELLED, "due_at": None})
            reason, move = IntakeReason.CANCELLED, Move.CANCELLED
        case OrderKind.CORRECT:
            closed = chain.model_copy(update={"state": ChainState.CORRECTED, "due_at": None})
            reason, move = IntakeReason.CORRECTED, Move.CORRECTED
        case OrderKind.PAUSE:
            closed, reason, move = chain, IntakeReason.PAUSED, Move.PAUSED
        case OrderKind.RESUME:
            closed, reason, move = chain, IntakeReason.RESUMED, Move.RESUMED
    until = now + timedelta(seconds=order.pause_s) if move is Move.PAUSED else chain.until
    moved = _moved(closed, move, order.order_id, now, by=order.by, text=order.text or chain.text, until=until)
    noted = {"order": order.order, "by": order.by, "text": order.text, "until": until.isoformat()}
    return Decision(
        reason,
        closed if closed is not chain else None,
        (write_letter(WARNINGS, chain.id, moved, now, cause=order.order_id),),
        (_entry(chain.id, f"order_{order.order}", reason, now, noted, by=order.by),),
    )


def decide_due(chain: Chain, now: datetime, facts: Facts) -> Decision[Chain]:
    """Take the step that time brings: the gate passes, a shift changes, the chain expires."""
    if chain.due_at is None or chain.due_at > now or not is_open(chain):
        return Decision(IntakeReason.NOT_DUE)
    if chain.state is ChainState.GATED and chain.gate_until is not None and chain.gate_until <= now:
        opened = chain.model_copy(update={"state": ChainState.OPEN, "gate_until": None})
        return _move(opened, chain, IntakeReason.GATE_PASSED, Move.OPENED, f"{chain.id}:gate", now, facts)
    if chain.until <= now:
        closed = chain.model_copy(update={"state": ChainState.EXPIRED, "due_at": None})
        return _move(closed, chain, IntakeReason.EXPIRED, Move.EXPIRED, f"{chain.id}:expired", now, facts)
    return _move(
        chain,
        chain,
        IntakeReason.SHIFT_CHANGED,
        Move.SHIFT_CHANGED,
        f"{chain.id}:{chain.due_at.isoformat()}",
        now,
        facts,
    )


def _cancel(chain: Chain | None, warning: IssuedWarning, chain_id: str, now: datetime) -> Decision[Chain]:
    """End a chain; a cancel that comes before its alert leaves a closed chain for the alert to find."""
    if chain is None:
        # What it points to was not seen yet: only the cancel itself was.
        ended = start_chain(warning, chain_id, now, now).model_copy(update={"state": ChainState.CANCELLED})
        return _note(chain_id, IntakeReason.CANCELLED_BEFORE_ARRIVAL, warning, now, ended)
    known = seen(chain, warning.identifier, max(warning.sent, chain.latest_sent))
    if not is_open(chain):
        return _note(chain.id, IntakeReason.CLOSED, warning, now, known)
    if warning.sent < chain.latest_sent:
        return _note(chain.id, IntakeReason.OLDER, warning, now, known)
    closed = known.model_copy(update={"state": ChainState.CANCELLED, "due_at": None})
    moved = _moved(closed, Move.CANCELLED, warning.id, now, by=warning.issuer or warning.sender, text=warning.text)
    return Decision(
        IntakeReason.CANCELLED,
        closed,
        (write_letter(WARNINGS, chain.id, moved, now, cause=warning.id),),
        (_entry(chain.id, "chain_cancelled", IntakeReason.CANCELLED, now, _facts_of(warning)),),
    )


def _unclear(
    chain: Chain | None, warning: IssuedWarning, chain_id: str, reason: IntakeReason, now: datetime, facts: Facts
) -> Decision[Chain]:
    """Put what cannot be understood, or is of yesterday, to the duty officer.

    A chain under way stays as it is. A new one is of no known hazard, so that a clear warning neither continues it nor
    is compared with its colour.
    """
    fresh = start_chain(warning, chain_id, now, now + timedelta(hours=UNCLEAR_VALID_H)).model_copy(
        update={"regions": (facts.county.code,), "hazard": UNKNOWN}
    )
    fresh = fresh.model_copy(update={"due_at": fresh.until})
    kept = fresh if chain is None else seen(chain, warning.identifier, max(warning.sent, chain.latest_sent))
    told = {"headline": warning.headline, "text": warning.text, "hazard": warning.hazard or UNKNOWN}
    moved = _moved(fresh.model_copy(update=told), Move.UNCLEAR, warning.id, now, by=reason)
    text = f"有一条预警系统看不懂或已过时，请值班员查看：{warning.headline or warning.text[:60] or warning.identifier}"
    return Decision(
        reason,
        kept,
        (write_letter(WARNINGS, chain_id, moved, now, cause=warning.id),),
        (_entry(chain_id, "warning_unclear", reason, now, _facts_of(warning)),),
        (trouble("unclear_warning", chain_id, text, now, facts.county.code),),
    )


def _compare(chain: Chain, joined: Chain, areas: tuple[str, ...], facts: Facts) -> tuple[IntakeReason, Move]:
    """Say what a later message did to an open chain: a rise beats a wider area beats a fall."""
    if joined.colour.severity > chain.colour.severity:
        return IntakeReason.RAISED, Move.RAISED
    if outside(areas, chain.named or chain.regions, facts):
        return IntakeReason.WIDENED, Move.WIDENED
    if joined.colour.severity < chain.colour.severity:
        return IntakeReason.LOWERED, Move.LOWERED
    return IntakeReason.CONTINUED, Move.CONTINUED


def _move(
    chain: Chain, before: Chain | None, reason: IntakeReason, move: Move, cause_id: str, now: datetime, facts: Facts
) -> Decision[Chain]:
    """Save a chain with its next due time and tell PLAN what happened."""
    timed = chain.model_copy(update={"due_at": next_due_at(chain, now, facts)})
    facts_noted = {
        "cause": cause_id,
        "hazard": chain.hazard,
        "colour": chain.colour,
        "colour_before": before.colour if before else None,
        "regions": list(chain.regions),
        "named": list(chain.named),
        "until": chain.until.isoformat(),
        "headline": chain.headline,
        "text": chain.text,
    }
    return Decision(
        reason,
        timed,
        (write_letter(WARNINGS, chain.id, _moved(timed, move, cause_id, now), now, cause=f"{move}:{cause_id}"),),
        (_entry(chain.id, f"chain_{move}", reason, now, facts_noted),),
    )


def _moved(
    chain: Chain,
    move: Move,
    cause_id: str,
    now: datetime,
    *,
    by: str | None = None,
    text: str | None = None,
    until: datetime | None = None,
) -> ChainMoved:
    """Write down for PLAN where a chain stands after a move."""
    return ChainMoved(
        realm=chain.realm,
        chain_id=chain.id,
        move=move,
        cause_id=cause_id,
        hazard=chain.hazard,
        colour=chain.colour,
        regions=chain.regions,
        named=chain.named,
        issuer=chain.by or chain.issuer,
        text=chain.text if text is None else text,
        headline=chain.headline,
        until=until or chain.until,
        source=chain.source,
        by=by or chain.by,
        exercise=chain.exercise,
        at=now,
    )


def _facts_of(warning: IssuedWarning) -> Mapping[str, object]:
    return {
        "warning": warning.id,
        "identifier": warning.identifier,
        "sender": warning.sender,
        "sent": warning.sent.isoformat(),
        "kind": warning.kind,
        "status": warning.status,
        "headline": warning.headline,
        "text": warning.text,
    }


def _entry(
    subject: str, what: str, why: IntakeReason, now: datetime, facts: Mapping[str, object], by: str = "intake"
) -> Draft:
    return Draft(subject=subject, what=what, why=why, by=by, at=now, facts=facts)


def _note(
    chain_id: str, reason: IntakeReason, warning: IssuedWarning, now: datetime, chain: Chain | None = None
) -> Decision[Chain]:
    """Write a warning down that moves nothing."""
    entry = _entry(chain_id, "warning_noted", reason, now, _facts_of(warning))
    return Decision(reason, chain, entries=(entry,))
