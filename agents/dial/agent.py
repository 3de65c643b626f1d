"""The thin side of DIAL that reads `calls`: what carriers say, and what callouts ask to be hung up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS, UNANSWERED, Callout
from agents.dial.hand import decide_log
from agents.dial.health import judge, unended
from agents.dial.hear import DialReason, decide
from agents.dial.replies import decide_reply
from agents.dial.state import ATTEMPTS, Attempt
from agents.phones.record import take_reply
from streams.ledger.contract import Step, Where
from streams.letters import CallNews, HandLogged, HangUpAsked, Letter, TextReplied
from streams.rooms import Decision, fold, messages_of, record_troubles
from streams.topics import CALLS

REPLY_WITHIN = timedelta(hours=24)


class DialRoom:
    """Reads `calls`."""

    name = "dial"
    topic = CALLS

    def __init__(self, number_key: bytes = b"") -> None:
        self._number_key = number_key

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Gather what is known of each call and tell callouts how their attempts ended."""
        messages = messages_of(letters, CallNews, HandLogged, HangUpAsked, TextReplied)
        pairs = [(item.attempt_id, item) for item in messages if not isinstance(item, TextReplied)]
        if pairs:
            ending = unended(step, (message for _, message in pairs if isinstance(message, CallNews)))
            fold(step, ATTEMPTS, pairs, _decide, now)
            if ending:
                record_troubles(step, judge(step, ending, now))
        for message in messages:
            if isinstance(message, TextReplied):
                reason, out, entries, troubles = decide_reply(message, self._open_for(message, step, now), now)
                if reason is DialReason.REPLY_UNCLEAR and self._is_phone_code(message, step, now):
                    continue
                step.write(out)
                step.append(entries)
                record_troubles(step, troubles)

    def _is_phone_code(self, message: TextReplied, step: Step, now: datetime) -> bool:
        """Take an answer that is no receipt as the code by which its number is verified, if it is one."""
        return bool(self._number_key) and take_reply(step, message, now, self._number_key)

    def _open_for(self, message: TextReplied, step: Step, now: datetime) -> list[Callout]:
        attempts = step.find(
            ATTEMPTS,
            Where("number_key", "=", message.number_key),
            Where("dialled_at", ">", now - REPLY_WITHIN),
            limit=200,
        )
        ids = {callout_id for attempt in attempts for callout_id in attempt.callouts}
        rows = [row for _, row in sorted(step.load(CALLOUTS, ids).items()) if row.realm == message.realm]
        # Where none is open any more, what nobody answered is meant: somebody may be on the way to the door.
        return [row for row in rows if row.is_open] or [row for row in rows if row.state in UNANSWERED]


def _decide(attempt: Attempt | None, message: CallNews | HandLogged | HangUpAsked, now: datetime) -> Decision[Attempt]:
    if isinstance(message, HandLogged):
        return decide_log(attempt, message, now)
    return decide(attempt, message, now)
