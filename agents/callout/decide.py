"""How one callout goes on after a message or when time is up. Pure: no clock, no ledger, no Faust."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_never

from agents.callout.by_hand import SPOKEN, decide_spoken, decide_unspoken, is_beside
from agents.callout.course import ATTEMPT_MAX_S, SOON_S, TEXT_WITHIN_S, CalloutReason, Course
from agents.callout.outcomes import CONSEQUENCES, Next
from agents.callout.state import ANSWERED, UNANSWERED, Callout, CalloutState, Receipt
from agents.callout.village import note_phone
from agents.facts import Facts
from streams.letters import (
    AttemptEnded,
    Mode,
    NobodyHeld,
    OpenCallouts,
    Opening,
    Replied,
    Stopped,
    Vouched,
)
from streams.rooms import Decision, trouble
from streams.words import Channel, Outcome

FETCHES_MAX = 2
TEXTS_MAX = 5
VACANT = "nobody_on_duty"
STOP_STATES = {
    "cancelled": CalloutState.CANCELLED,
    "corrected": CalloutState.CORRECTED,
    "superseded": CalloutState.SUPERSEDED,
    "expired": CalloutState.EXPIRED,
}


def decide_opening(
    callout: Callout | None, page: OpenCallouts, opening: Opening, now: datetime, facts: Facts, stopped: str = ""
) -> Decision[Callout]:
    """Open a callout: freeze its ladder and words, and want a first call, a message, or the digest.

    `stopped` says why its round was stopped before the page was read; then it is only written down.
    """
    if callout is not None:
        return Decision(CalloutReason.KNOWN)
    post = facts.county.posts.get(opening.post_id)
    if post is None:
        text = f"岗位 {opening.post_id} 已不在值班表中，无法叫应"
        return Decision(CalloutReason.UNKNOWN_CALLOUT, troubles=(trouble("post_gone", opening.callout_id, text, now),))
    course = Course(
        Callout(
            id=opening.callout_id,
            realm=page.realm,
            chain_id=page.chain_id,
            round_id=page.round_id,
            post_id=post.id,
            unit_id=post.unit,
            region=post.region,
            township=facts.county.township_of(post.region),
            level=post.level,
            place=facts.county.place(post),
            hazard=page.hazard,
            colour=page.colour,
            severity=page.colour.severity,
            priority=opening.priority,
            mode=opening.mode,
            ladder=page.ladders[opening.ladder],
            ladder_name=opening.ladder,
            rules_hash=page.rules_hash,
            voice=opening.voice,
            text=opening.text,
            visit_id=opening.visit_id,
            person_id=opening.person_id,
            number_key=opening.number_key,
            hold_reason=opening.hold_reason,
            state=CalloutState.CALLING,
            opened_at=now,
            target_post=post.id,
        ),
        now,
        facts,
    )
    if stopped:
        course.close(STOP_STATES[stopped], CalloutReason.STOPPED)
        course.note("stopped", CalloutReason.STOPPED, by="plan", why_stopped=stopped)
        return course.end(CalloutReason.STOPPED)
    words = {"voice": opening.voice, "text": opening.text, "rules": page.rules_hash, "ladder": opening.ladder}
    match opening.mode:
        case Mode.HOLD:
            course.set(state=CalloutState.HELD, due_at=opening.hold_until)
            course.note("held", CalloutReason.HELD_QUIET, reason=opening.hold_reason, **words)
            return course.end(CalloutReason.HELD_QUIET)
        case Mode.MESSAGE:
            course.set(text_at=now, due_at=now + timedelta(seconds=TEXT_WITHIN_S))
            course.note("opened", CalloutReason.OPENED_TO_TELL, **words)
            return course.end(CalloutReason.OPENED_TO_TELL)
        case Mode.CALL:
            course.note("opened", CalloutReason.OPENED, **words)
            return course.end(course.enter(0, CalloutReason.OPENED))
        case _:
            assert_never(opening.mode)


def decide(callout: Callout | None, message: Any, now: datetime, facts: Facts) -> Decision[Callout]:
    """Decide what a message about one callout does."""
    if callout is None:
        text = f"收到一条关于未知叫应任务的消息（{type(message).__name__}），已记录"
        key = getattr(message, "callout_id", "?")
        return Decision(CalloutReason.UNKNOWN_CALLOUT, troubles=(trouble("unknown_callout", key, text, now),))
    course = Course(callout, now, facts)
    match message:
        case AttemptEnded():
            return _attempt_ended(course, message)
        case NobodyHeld():
            return _nobody(course, message)
        case Vouched():
            return _vouched(course, message)
        case Replied():
            return _replied(course, message)
        case Stopped():
            return _stopped(course, message)
        case _:
            raise TypeError(f"callout was handed a {type(message).__name__}")


def decide_answered_later(earlier: Callout, later: Callout, now: datetime, facts: Facts) -> Decision[Callout]:
    """Take an earlier round's callout off its visit list: its post answered a later round of the same chain.

    Its state stays what it was, for that round it was not answered; but nobody has to go to that door any more.
    """
    if not earlier.listed_on or earlier.state not in UNANSWERED:
        return Decision(CalloutReason.ALREADY_CLOSED)
    course = Course(earlier, now, facts)
    course.settle_for(later)
    return course.end(CalloutReason.ANSWERED_LATER_ROUND)


def decide_due(
    callout: Callout, now: datetime, facts: Facts, *, paused_until: datetime | None = None, stopped: str = ""
) -> Decision[Callout]:
    """Take the step that time brings. A paused round only waits until its pause ends; a stopped one ends here."""
    course = Course(callout, now, facts)
    if callout.due_at is None or callout.due_at > now:
        return Decision(CalloutReason.NOT_DUE)
    if stopped:
        # Also where nobody held the post: in a stopped round it is not looked up again.
        course.close(STOP_STATES[stopped], CalloutReason.STOPPED)
        course.note("stopped", CalloutReason.STOPPED, by="plan", why_stopped=stopped)
        return course.end(CalloutReason.STOPPED)
    if paused_until is not None and paused_until > now and callout.is_open:
        course.set(due_at=paused_until + timedelta(seconds=callout.ladder.dial_within_s))
        return course.end(CalloutReason.NOT_DUE)
    match callout.state:
        case CalloutState.HELD:
            course.set(
                state=CalloutState.CALLING,
                mode=Mode.MESSAGE,
                text_at=now,
                due_at=now + timedelta(seconds=TEXT_WITHIN_S),
            )
            course.note("digest_due", CalloutReason.DIGEST_DUE)
            return course.end(CalloutReason.DIGEST_DUE)
        case CalloutState.FETCHING:
            course.set(state=CalloutState.CALLING, last_dial_at=None)
            reason = course.ring_again(0, CalloutReason.FETCH_OVER)
            course.note("fetch_over", reason)
            return course.end(reason)
        case CalloutState.CALLING | CalloutState.HEARD_NO_KEY:
            return _overdue(course)
        case CalloutState.UNREACHED | CalloutState.LOST:
            return _look_again(course)
        case _:
            course.set(due_at=None)
            return course.end(CalloutReason.ALREADY_CLOSED)


def _overdue(course: Course) -> Decision[Callout]:
    """Nothing came: no news of a call, no dialling within the time, or a message that was never sent."""
    callout = course.callout
    if callout.mode is not Mode.CALL:
        course.note("text_unsent", CalloutReason.TEXT_FAILED)
        course.shout("text_unsent", f"{callout.place}的短信未能发出，请人工告知")
        course.close(CalloutState.UNREACHED, CalloutReason.TEXT_FAILED)
        return course.end(CalloutReason.TEXT_FAILED)
    if callout.attempt_id and callout.attempt_id in callout.hand_ids:
        # Whoever calls by radio may still write it down: the page keeps it, and the ladder goes on.
        course.note("nothing_logged", CalloutReason.NOTHING_LOGGED, attempt=callout.attempt_id)
        course.set(attempt_id="")
        return course.end(course.next_phone())
    if callout.attempt_id:
        course.note("no_news", CalloutReason.NO_NEWS, attempt=callout.attempt_id)
        course.remember(Outcome.NO_NEWS)
        return course.end(course.ring_again(SOON_S, CalloutReason.NO_NEWS))
    if not callout.late_noted:
        course.set(late_noted=True, due_at=course.now + timedelta(seconds=callout.ladder.dial_within_s))
        course.note("dial_late", CalloutReason.DIAL_LATE)
        course.shout("dial_late", f"{callout.place}超过 {callout.ladder.dial_within_s} 秒仍未拨出，请查看线路")
        return course.end(CalloutReason.DIAL_LATE)
    course.note("dial_given_up", CalloutReason.DIAL_GIVEN_UP)
    return course.end(course.advance(CalloutReason.DIAL_GIVEN_UP))


def _look_again(course: Course) -> Decision[Callout]:
    """Look up a post again that nobody held; ring from the start when somebody does now."""
    callout = course.callout
    if course.facts.county.who(callout.post_id, course.now) is None:
        course.set(due_at=course.now + timedelta(seconds=300))
        return course.end(CalloutReason.NOBODY_HOLDS)
    course.set(vacant=False, closed_at=None)
    course.note("vacancy_filled", CalloutReason.VACANCY_FILLED)
    return course.end(course.enter(0, CalloutReason.VACANCY_FILLED))


def _attempt_ended(course: Course, ended: AttemptEnded) -> Decision[Callout]:
    callout = course.callout
    course.note(
        "attempt_ended",
        CalloutReason.OLD_ATTEMPT if ended.attempt_id != callout.attempt_id else CalloutReason.ENDED,
        by="dial",
        attempt=ended.attempt_id,
        channel=ended.channel,
        outcome=ended.outcome,
        number=ended.masked,
        person=ended.person_id,
        heard_s=round(ended.heard_s, 1),
        key=ended.key,
        answered_at=_iso(ended.answered_at),
        played_at=_iso(ended.played_at),
        key_at=_iso(ended.key_at),
    )
    if ended.channel is Channel.TEXT:
        return _text_ended(course, ended)
    if ended.outcome in SPOKEN:
        return decide_spoken(course, ended)
    if is_beside(course, ended):
        return decide_unspoken(course, ended)
    cut_off = CONSEQUENCES[ended.outcome].cut_off
    course.set(
        unreachable=note_phone(callout.unreachable, ended.person_id, ended.masked, ended.ended_at, cut_off=cut_off)
    )
    if ended.outcome is Outcome.CONFIRMED:
        return _confirmed(course, ended)
    if not callout.is_open or ended.attempt_id != callout.attempt_id:
        return course.end(CalloutReason.OLD_ATTEMPT if callout.is_open else CalloutReason.ALREADY_CLOSED)
    course.remember(ended.outcome)
    course.set(heard=callout.heard or ended.outcome is Outcome.HEARD_NO_KEY)
    return course.end(_after(course, ended))


def _after(course: Course, ended: AttemptEnded) -> CalloutReason:
    """Take the step that `outcomes.py` gives for how the call ended."""
    consequence = CONSEQUENCES[ended.outcome]
    step = course.callout.ladder.steps[course.callout.step]
    if consequence.text:
        course.set(text_at=course.now)
    if consequence.correct_number:
        course.number_wrong(ended)
    one_more = course.callout.state is CalloutState.HEARD_NO_KEY
    if one_more and consequence.counts and consequence.next not in (Next.NOTHING, Next.FETCH):
        # The one more call that hearing without a key earns is used up: the next person now.
        return course.advance(CalloutReason.CALLS_USED_UP)
    match consequence.next:
        case Next.FETCH:
            return _fetching(course)
        case Next.HEARD:
            return _heard(course)
        case Next.AGAIN:
            return course.ring_again(step.gap_s, CalloutReason.RING_AGAIN)
        case Next.AGAIN_SOON:
            return course.ring_again(SOON_S, CalloutReason.RING_SOON, counted=consequence.counts)
        case Next.NEXT_PHONE:
            return course.next_phone()
        case Next.NEXT_PERSON:
            return course.advance(CalloutReason.CANNOT_COME)
        case Next.NOTHING | Next.CLOSE:
            return CalloutReason.ENDED
        case _:
            assert_never(consequence.next)


def _fetching(course: Course) -> CalloutReason:
    """Key 2: somebody else took the call and goes to wake the one who is meant; ring again when that took too long."""
    if course.callout.outcomes.count(Outcome.FETCHING) >= FETCHES_MAX:
        return course.advance(CalloutReason.CALLS_USED_UP)
    until = course.now + timedelta(seconds=course.callout.ladder.fetch_s)
    course.set(state=CalloutState.FETCHING, due_at=until, attempt_id="")
    return CalloutReason.FETCHING


def _heard(course: Course) -> CalloutReason:
    """Heard to the end and no key: the county may count it; else one more call is owed, whatever the step's count."""
    callout = course.callout
    if callout.ladder.heard_counts:
        course.close(CalloutState.HEARD, CalloutReason.HEARD_COUNTS)
        return CalloutReason.HEARD_COUNTS
    step = callout.ladder.steps[callout.step]
    course.set(calls_in_step=min(callout.calls_in_step, step.calls - 1), step_started_at=course.now)
    reason = course.ring_again(step.gap_s, CalloutReason.HEARD_NO_KEY)
    if reason is CalloutReason.HEARD_NO_KEY:
        course.set(state=CalloutState.HEARD_NO_KEY)
    return reason


def _confirmed(course: Course, ended: AttemptEnded) -> Decision[Callout]:
    """The one way to CONFIRMED: this number answered, the message played to the end, key 1 pressed."""
    callout = course.callout
    if ended.played_at is None or ended.key_at is None:
        raise ValueError(f"attempt {ended.attempt_id} is called confirmed but was not played to the end or has no key")
    receipt = Receipt(
        attempt_id=ended.attempt_id,
        masked=ended.masked,
        person_id=ended.person_id,
        answered_at=ended.answered_at,
        played_at=ended.played_at,
        key=ended.key,
        key_at=ended.key_at,
    )
    if callout.state is CalloutState.CONFIRMED:
        return course.end(CalloutReason.ALREADY_CLOSED)
    if not callout.is_open and callout.state not in (*UNANSWERED, *ANSWERED):
        # It was superseded, cancelled or ran out: the answer is kept, the state stays what it was.
        course.set(receipt=receipt)
        course.note("receipt", CalloutReason.RECEIPT_AFTER_END, attempt=ended.attempt_id)
        return course.end(CalloutReason.RECEIPT_AFTER_END)
    reason = CalloutReason.CONFIRMED if callout.is_open else CalloutReason.CONFIRMED_LATE
    course.set(receipt=receipt, answered_at=ended.key_at)
    course.remember(Outcome.CONFIRMED)
    course.close(CalloutState.CONFIRMED, reason)
    course.take_list(receipt.masked)
    after_s = (ended.key_at - callout.opened_at).total_seconds()
    course.note("confirmed", reason, attempt=ended.attempt_id, number=receipt.masked, after_s=round(after_s, 3))
    return course.end(reason)


def _text_ended(course: Course, ended: AttemptEnded) -> Decision[Callout]:
    callout = course.callout
    if ended.outcome is Outcome.VENDOR_BUSY and callout.is_open and callout.texts < TEXTS_MAX:
        course.set(text_at=course.now + timedelta(seconds=SOON_S))
        return course.end(CalloutReason.TEXT_AGAIN)
    failed = ended.outcome not in (Outcome.TEXT_SENT, Outcome.TEXT_DELIVERED)
    # A carrier may say that it has a message, and later that it could not deliver it: then nobody was told.
    taken_back = failed and callout.state is CalloutState.TOLD
    if callout.mode is not Mode.MESSAGE or not (callout.is_open or taken_back):
        return course.end(CalloutReason.TEXT_NOTED)
    if failed:
        course.shout("text_failed", f"发给{callout.place}的短信失败，请人工告知")
        course.close(CalloutState.UNREACHED, CalloutReason.TEXT_FAILED)
        return course.end(CalloutReason.TEXT_FAILED)
    course.close(CalloutState.TOLD, CalloutReason.TEXT_HANDED_OVER)
    course.note("told", CalloutReason.TEXT_HANDED_OVER, attempt=ended.attempt_id)
    return course.end(CalloutReason.TEXT_HANDED_OVER)


def _nobody(course: Course, message: NobodyHeld) -> Decision[Callout]:
    """Nobody on duty is an answer, and it is loud: the next step at once."""
    callout = course.callout
    if not callout.is_open or not _still_waits(callout, message):
        return Decision(CalloutReason.STALE)
    own = message.post_id == callout.post_id and callout.target_role == "holder"
    reason = CalloutReason.NOBODY_HOLDS if own else CalloutReason.NO_DEPUTY
    course.note("nobody_held", reason, by="dial", held=message.post_id, because=message.why)
    if callout.target_role == "holder":
        course.shout("nobody_on_duty", f"{callout.place}：岗位 {message.post_id} 无人可叫（{message.why}），已转下一步")
    if own and message.why == VACANT:
        # Only an empty post fills by itself; a number that may not be dialled would be met again every five minutes.
        course.set(vacant=True)
    if callout.mode is not Mode.CALL:
        course.close(CalloutState.UNREACHED, reason)
        return course.end(reason)
    return course.end(course.advance(reason))


def _still_waits(callout: Callout, message: NobodyHeld) -> bool:
    """Tell whether a callout still stands where DIAL found nobody: same target, nothing asked for or under way since.

    Its version alone would not do: in the same instant DIAL also notes that no message can be sent beside the call.
    """
    if callout.target_post != message.post_id or callout.state is CalloutState.FETCHING:
        return False
    if callout.mode is Mode.CALL:
        return callout.call_at is None and not callout.attempt_id
    return callout.text_at is None and callout.texts == 0


def _vouched(course: Course, message: Vouched) -> Decision[Callout]:
    callout = course.callout
    reason = CalloutReason.KNOCKED if message.at_the_door else CalloutReason.VOUCHED
    noted = {"heard_by": message.heard_by, "how": message.how, "order": message.order_id}
    if not callout.may_be_answered:
        course.note("vouched_after_end", reason, by=message.by, **noted)
        return course.end(CalloutReason.ALREADY_CLOSED)
    course.set(answered_at=message.at)
    state = CalloutState.KNOCKED if message.at_the_door else CalloutState.VOUCHED
    course.close(state, reason)
    course.take_list(message.by)
    course.note(str(state), reason, by=message.by, **noted)
    return course.end(reason)


def _replied(course: Course, message: Replied) -> Decision[Callout]:
    callout = course.callout
    if not callout.is_open and callout.state not in UNANSWERED:
        course.note("reply_after_end", CalloutReason.REPLIED, by="dial", number=message.masked, text=message.text)
        return course.end(CalloutReason.ALREADY_CLOSED)
    course.set(answered_at=message.at)
    course.close(CalloutState.REPLIED, CalloutReason.REPLIED)
    course.take_list(message.masked)
    course.note("replied", CalloutReason.REPLIED, by="dial", number=message.masked, text=message.text)
    return course.end(CalloutReason.REPLIED)


def _stopped(course: Course, message: Stopped) -> Decision[Callout]:
    callout = course.callout
    if not callout.is_open and callout.state not in UNANSWERED:
        return Decision(CalloutReason.ALREADY_CLOSED)
    if not callout.is_open and message.why == "expired":
        # What nobody answered stays on the visit list after the warning ran out: only looking again ends.
        course.let_go()
        course.set(due_at=None)
        return course.end(CalloutReason.STOPPED)
    course.close(STOP_STATES[message.why], CalloutReason.STOPPED)
    course.note("stopped", CalloutReason.STOPPED, by=message.by or "plan", why_stopped=message.why)
    return course.end(CalloutReason.STOPPED)


def attempt_limit(now: datetime) -> datetime:
    """Return when CALLOUT gives up waiting for news of a call that begins now."""
    return now + timedelta(seconds=ATTEMPT_MAX_S)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
