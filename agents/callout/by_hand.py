"""What a call made by a person does to its callout: spoken to, or not. Pure.

It has a receipt of its own kind, which says who called, who was spoken to and when, and proves that somebody wrote so.
"""

from __future__ import annotations

from datetime import timedelta

from agents.callout.course import SOON_S, CalloutReason, Course
from agents.callout.outcomes import CONSEQUENCES, Next
from agents.callout.state import Callout, CalloutState, HandReceipt
from streams.letters import AttemptEnded
from streams.rooms import Decision
from streams.words import Outcome

SPOKEN = (Outcome.SPOKEN, Outcome.PROXY)
NOTHING_LOGGED = (Outcome.NO_NEWS, Outcome.STOPPED)


def is_beside(course: Course, ended: AttemptEnded) -> bool:
    """Tell whether an attempt is a call by hand beside the machine's ladder, and not the call the ladder waits for."""
    return ended.attempt_id in course.callout.hand_ids and ended.attempt_id != course.callout.attempt_id


def decide_spoken(course: Course, ended: AttemptEnded) -> Decision[Callout]:
    """Close a callout on the word of whoever called; one that was answered or stopped before keeps its state."""
    callout, proxy = course.callout, ended.outcome is Outcome.PROXY
    reason = CalloutReason.VOUCHED if proxy else CalloutReason.SPOKEN
    noted = {"attempt": ended.attempt_id, "heard_by": ended.spoken_to, "how": ended.note, "proxy": proxy}
    if not callout.may_be_answered:
        course.note("spoken_after_end", reason, by=ended.by, **noted)
        return course.end(CalloutReason.ALREADY_CLOSED)
    receipt = HandReceipt(
        attempt_id=ended.attempt_id,
        by=ended.by,
        spoken_to=ended.spoken_to,
        proxy=proxy,
        note=ended.note,
        at=ended.ended_at,
    )
    state = CalloutState.VOUCHED if proxy else CalloutState.SPOKEN
    course.set(answered_at=ended.ended_at, hand_receipt=receipt)
    course.close(state, reason)
    course.take_list(ended.by)
    course.note(str(state), reason, by=ended.by, **noted)
    return course.end(reason)


def decide_unspoken(course: Course, ended: AttemptEnded) -> Decision[Callout]:
    """Go on after somebody called by hand in vain: the machine's own next call comes soon, or the next phone or person.

    Only where the machine waits for nothing else; that nobody wrote anything down moves nothing, its clock runs anyway.
    """
    callout = course.callout
    waits = callout.is_open and callout.state is not CalloutState.FETCHING and not callout.attempt_id
    if not waits or ended.outcome in NOTHING_LOGGED:
        return course.end(CalloutReason.OLD_ATTEMPT if callout.is_open else CalloutReason.ALREADY_CLOSED)
    course.remember(ended.outcome)
    consequence = CONSEQUENCES[ended.outcome]
    if consequence.correct_number:
        course.number_wrong(ended)
    match consequence.next:
        case Next.NEXT_PERSON:
            return course.end(course.advance(CalloutReason.CANNOT_COME))
        case Next.NEXT_PHONE:
            return course.end(course.next_phone())
        case _:
            soon = course.now + timedelta(seconds=SOON_S)
            course.set(call_at=min(callout.call_at or soon, soon))
            return course.end(CalloutReason.RING_SOON)
