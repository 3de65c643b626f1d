"""What an SMS answer means: which callout it is for, if that can be told. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from agents.callout.state import Callout
from agents.dial.hear import DialReason
from streams.ids import digest
from streams.ledger.contract import Draft
from streams.letters import Letter, Replied, TextReplied, write_letter
from streams.rooms import Trouble, trouble
from streams.topics import CALLOUTS

_YES = re.compile(r"收到|知道了|明白|确认|\bok\b|\byes\b", re.IGNORECASE)
_NO = re.compile(r"不|没|未|无法|别|\bno\b|\bnot\b|can't", re.IGNORECASE)
"""没收到 is no 收到, and who cannot come has not said yes: such an answer is read by a person."""
_CODES = re.compile(r"(?<!\d)\d{4}(?!\d)")
_STOP = re.compile(r"^\s*(stop|退订|TD|T|取消)\s*$", re.IGNORECASE)


def code_of(callout_id: str) -> str:
    """Return the four digits by which an SMS answer names a callout."""
    return f"{int(digest(callout_id, length=8), 16) % 10_000:04d}"


def decide_reply(
    message: TextReplied, candidates: Sequence[Callout], now: datetime
) -> tuple[DialReason, list[Letter], list[Draft], list[Trouble]]:
    """Tie an SMS answer to a callout.

    With codes, to the callouts of those codes; without, only where exactly one is open for the number. An answer that
    denies something is left to people. STOP never silences anything: it is shown to people.

    Args:
        message: What was sent, by the keyed digest of its number.
        candidates: Callouts that were dialled or written to on this number: the open ones, or where none is, those that
            nobody answered.
        now: Story time.
    """
    key = f"{message.realm}|number|{message.number_key}"
    said = {"number": message.masked, "text": message.text[:200], "open": len(candidates)}
    if _STOP.match(message.text):
        text = f"{message.masked} 短信回复“{message.text[:10]}”，叫应不会因此停止，请联系本人"
        return _unclear(DialReason.STOP_ASKED, key, "stop_asked", text, said, now)
    codes = set(_CODES.findall(message.text))
    denied = _NO.search(message.text) is not None
    coded = [callout for callout in candidates if code_of(callout.id) in codes]
    alone = list(candidates) if len(candidates) == 1 and not codes and _YES.search(message.text) else []
    chosen = [] if denied else coded or alone
    if not chosen:
        said_what = f"{message.masked} 短信回复“{message.text[:20]}”"
        text = f"{said_what}，无法判断对应哪项叫应（{len(candidates)}项未结），请人工核实"
        return _unclear(DialReason.REPLY_UNCLEAR, key, "reply_unclear", text, said, now)
    cause = message.vendor_id or message.at.isoformat()
    letters = []
    for callout in chosen:
        replied = Replied(callout_id=callout.id, masked=message.masked, text=message.text[:200], at=message.at)
        letters.append(write_letter(CALLOUTS, callout.id, replied, now, cause=cause))
    return DialReason.REPLIED, letters, [], []


def _unclear(
    reason: DialReason, key: str, kind: str, text: str, said: dict[str, object], now: datetime
) -> tuple[DialReason, list[Letter], list[Draft], list[Trouble]]:
    entry = Draft(subject=key, what=kind, why=reason, by="dial", at=now, facts=said)
    return reason, [], [entry], [trouble(kind, key, text, now)]
