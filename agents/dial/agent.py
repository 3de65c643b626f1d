"""The thin side of DIAL that reads `calls`: what carriers say, and what callouts ask to be hung up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.callout.state import CALLOUTS, UNANSWERED, Callout
from agents.dial.hear import decide
from agents.dial.replies import decide_reply
from agents.dial.state import ATTEMPTS
from streams.ledger.contract import Step, Where
from streams.letters import CallNews, HangUpAsked, Letter, TextReplied
from streams.rooms import fold, messages_of, record_troubles
from streams.topics import CALLS

REPLY_WITHIN = timedelta(hours=24)


class DialRoom:
    """Reads `calls`."""

    name = "dial"
    topic = CALLS

    def handle(self, letters: Sequence[Letter], step: Step, now: datetime) -> None:
        """Gather what is known of each call and tell callouts how their attempts ended."""
        messages = messages_of(letters, CallNews, HangUpAsked, TextReplied)
        pairs = [(item.attempt_id, item) for item in messages if not isinstance(item, TextReplied)]
        if pairs:
            fold(step, ATTEMPTS, pairs, decide, now)
        for message in messages:
            if isinstance(message, TextReplied):
                _, out, entries, troubles = decide_reply(message, self._open_for(message, step, now), now)
                step.write(out)
                step.append(entries)
                record_troubles(step, troubles)

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
