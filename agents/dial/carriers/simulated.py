"""The simulated network: telephones with habits, for the demo, drills, replay and tests.

Pure and deterministic: what a telephone does follows from its habit, its number and the attempt, by digest. All that
will happen is told when the call is placed, each piece with its story time; the ledger holds those letters back until
then, so nothing is lost with a worker, and a look-up tells the same again.
It serves `sim:` numbers only and opens no connection.
"""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from agents.dial.carriers.protocol import Dial, News, Placed, RefusedByVendorError
from rosters.numbers import mask, number_digest
from streams.ids import digest, realm_of
from streams.letters import CallNews, TextReplied
from streams.words import Channel, Model, Outcome

CHARS_PER_S = 4.3
"""How fast Mandarin is read out: a full message of 80 characters takes some 19 s."""
RING_S = 35
"""How long an unanswered telephone rings."""
MANNED = "manned-"
"""How the vendor ids of calls to a telephone that a person holds begin: nothing of them was told at the placing."""
OVER_S, OVER_SEQ = 120, 9
"""No call lasts longer; that it is over is told last."""


class Kind(StrEnum):
    """What a telephone, or whoever holds it, does."""

    ANSWERS = "answers"
    SLEEPS = "sleeps"
    HANGS_UP_EARLY = "hangs_up_early"
    SWITCHED_OFF = "switched_off"
    OUT_OF_SERVICE = "out_of_service"
    NO_COVERAGE = "no_coverage"
    VOICEMAIL = "voicemail"
    CHILD = "child"
    REPLIES_BY_SMS = "replies_by_sms"
    FETCHES = "fetches"
    CANNOT = "cannot"
    SLOW = "slow"


class Habit(Model):
    """A telephone's habit.

    Args:
        kind: What it does.
        after: After how many calls of a round it answers with 1 instead; 0 = never, but `fetches` after the first.
    """

    kind: Kind = Kind.ANSWERS
    after: int = Field(default=0, ge=0)

    def on(self, nth_call: int) -> Kind:
        """Return what the telephone does when it had `nth_call` calls before in this round."""
        after = 1 if self.kind is Kind.FETCHES and self.after == 0 else self.after
        return Kind.ANSWERS if 0 < after <= nth_call else self.kind


# Nobody comes to the phone: seconds until the network says why, from and to.
_UNREACHED: dict[Kind, tuple[Outcome, int, int]] = {
    Kind.SLEEPS: (Outcome.NO_ANSWER, RING_S, RING_S),
    Kind.REPLIES_BY_SMS: (Outcome.NO_ANSWER, RING_S, RING_S),
    Kind.SWITCHED_OFF: (Outcome.SWITCHED_OFF, 4, 7),
    Kind.OUT_OF_SERVICE: (Outcome.OUT_OF_SERVICE, 3, 6),
    Kind.NO_COVERAGE: (Outcome.NO_COVERAGE, 8, 14),
}
_KEYS: dict[Kind, str] = {Kind.ANSWERS: "1", Kind.SLOW: "1", Kind.FETCHES: "2", Kind.CANNOT: "0"}
_NO_SIGNAL = (Kind.SWITCHED_OFF, Kind.NO_COVERAGE)


@dataclass
class _Call:
    """News of one attempt as they are told one after the other."""

    dial: Dial
    seed: str
    told: list[CallNews] = field(default_factory=list)

    def between(self, what: str, low_s: int, high_s: int) -> int:
        """Return whole seconds from `low_s` to `high_s`, always the same for this attempt."""
        drawn = int(digest(self.seed, self.dial.number, self.dial.attempt_id, what, length=8), 16)
        return low_s + drawn % (high_s - low_s + 1)

    def tell(
        self, progress: str, after_s: float, *, heard_s: float = 0.0, outcome: Outcome | None = None, key: str = ""
    ) -> float:
        """Tell that something happens `after_s` from the dialling, and return `after_s`."""
        self.told.append(
            CallNews.model_validate(
                {
                    "attempt_id": self.dial.attempt_id,
                    "seq": len(self.told) + 1,
                    "progress": progress,
                    "key": key,
                    "heard_s": round(heard_s, 1),
                    "outcome": outcome,
                    "at": self.dial.at + timedelta(seconds=after_s),
                }
            )
        )
        return after_s


def ring(habit: Habit, dial: Dial, nth_call: int, seed: str = "") -> tuple[CallNews, ...]:
    """Return all that a call to this telephone will bring, in order, with story times and rising `seq`.

    Facts only: an outcome stands in the last news where the network's own word decides it, and nowhere else.

    Args:
        habit: The telephone's.
        dial: The call.
        nth_call: How many calls the number had before in this round.
        seed: Another seed gives other seconds, never other outcomes.
    """
    call = _Call(dial, seed)
    kind = habit.on(nth_call)
    if kind in _UNREACHED:
        outcome, low_s, high_s = _UNREACHED[kind]
        if outcome is Outcome.NO_ANSWER:
            call.tell("ringing", 2)
        call.tell("ended", call.between("unreached", low_s, high_s), outcome=outcome)
        return tuple(call.told)
    call.tell("ringing", 2)
    answered = call.tell("answered", call.between("ring", 22, 32) if kind is Kind.SLOW else call.between("ring", 5, 16))
    message_s = len(dial.script.voice) / CHARS_PER_S
    if kind is Kind.VOICEMAIL:
        call.tell("ended", answered + 5, heard_s=5, outcome=Outcome.VOICEMAIL)
    elif kind is Kind.HANGS_UP_EARLY:
        heard_s = min(call.between("heard", 3, 8), message_s * 0.8)
        call.tell("ended", answered + heard_s, heard_s=heard_s)
    else:
        played = call.tell("played", answered + message_s, heard_s=message_s)
        # Without a key it is asked for three times, 8 s each, before the call is ended.
        ended = played + 24 if kind is Kind.CHILD else _press(call, played, kind)
        call.tell("ended", ended, heard_s=ended - answered)
    return tuple(call.told)


def _press(call: _Call, played: float, kind: Kind) -> float:
    thinks_s = call.between("press", 10, 20) if kind is Kind.SLOW else call.between("press", 2, 6)
    return call.tell("key", played + thinks_s, key=_KEYS[kind]) + 3


def deliver(habit: Habit, dial: Dial, nth_call: int, seed: str = "") -> tuple[CallNews, ...]:
    """Return all that a text to this telephone will bring; without a signal it is sent and never delivered."""
    text = _Call(dial, seed)
    kind = habit.on(nth_call)
    if kind is Kind.OUT_OF_SERVICE:
        text.tell("failed", 2, outcome=Outcome.TEXT_FAILED)
        return tuple(text.told)
    text.tell("sent", 1, outcome=Outcome.TEXT_SENT)
    if kind not in _NO_SIGNAL:
        text.tell("delivered", text.between("deliver", 3, 8), outcome=Outcome.TEXT_DELIVERED)
    return tuple(text.told)


class SimulatedCarrier:
    """The carrier of `sim:` numbers."""

    name = "simulated"

    def __init__(
        self,
        habits: Mapping[str, Habit],
        *,
        number_key: bytes = b"simulated numbers are nobody's",
        seed: str = "",
        pace_per_s: float = 5000.0,
        texts_per_s: float = 5000.0,
        is_manned: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """Take the habits by number (an unknown number answers), and the key that makes digests of numbers.

        `is_manned` tells whether a person holds a telephone at the moment (`agents/dial/manned.py`): of a call to one
        nothing is known beforehand but that it ends, and the page tells what becomes of it.
        """
        self.pace_per_s = pace_per_s
        self.texts_per_s = texts_per_s
        self._habits = habits
        self._number_key = number_key
        self._seed = seed
        self._is_manned = is_manned

    def habit_of(self, number: str) -> Habit:
        """Return what a telephone does by itself."""
        return self._habits.get(number, Habit())

    def may_dial(self, number: str) -> bool:
        """Return whether it is a simulated number."""
        return number.startswith("sim:")

    def takes_replies(self, number: str) -> bool:
        """Return whether its texts are answered: in the simulated network always."""
        return self.may_dial(number)

    async def place(self, dial: Dial) -> Placed:
        """Return everything that will happen."""
        if not self.may_dial(dial.number):
            raise RefusedByVendorError(
                "this number is a real one and the simulated network has only sim: numbers; check the carrier settings",
                outcome=Outcome.BARRED,
                vendor_code="not-simulated",
            )
        if self._is_manned is not None and await self._is_manned(dial.number):
            vendor_id = f"{MANNED}{digest(dial.attempt_id)}"
            if dial.channel is Channel.VOICE:
                return _over(dial, vendor_id)
            # A text simply arrives; it is answered at the page, or not.
            return Placed(vendor_id=vendor_id, to_come=deliver(Habit(), dial, 0, self._seed))
        return Placed(vendor_id=f"sim-{digest(dial.attempt_id)}", to_come=tuple(self._news(dial)))

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Return the same again: the simulated network always knows.

        Of a call to a telephone that a person held it knows that it is over by now, whatever the page told or not.
        """
        if vendor_id.startswith(MANNED) and dial.channel is Channel.VOICE:
            return _over(dial, vendor_id)
        return await self.place(dial)

    async def hang_up(self, vendor_id: str) -> None:
        """Do nothing: the news are letters in the ledger already, and whoever stopped the attempt passes them over."""

    def _news(self, dial: Dial) -> Iterator[News]:
        habit = self.habit_of(dial.number)
        nth_call = dial.dial_no - 1
        if dial.channel is Channel.VOICE:
            yield from ring(habit, dial, nth_call, self._seed)
            return
        told = deliver(habit, dial, nth_call, self._seed)
        yield from told
        if habit.on(nth_call) is Kind.REPLIES_BY_SMS:
            yield self._reply(dial, told[-1].at + timedelta(seconds=40 + 7 * dial.dial_no))

    def _reply(self, dial: Dial, at: datetime) -> TextReplied:
        return TextReplied(
            realm=realm_of(dial.attempt_id),
            number_key=number_digest(dial.number, self._number_key),
            masked=mask(dial.number),
            text="收到",
            vendor_id=f"sim-{digest(dial.attempt_id, 'reply')}",
            at=at,
        )


def _over(dial: Dial, vendor_id: str) -> Placed:
    """Return a call to a telephone that a person holds: whoever closes its page leaves it to end by itself."""
    over = CallNews(attempt_id=dial.attempt_id, seq=OVER_SEQ, progress="ended", at=dial.at + timedelta(seconds=OVER_S))
    return Placed(vendor_id=vendor_id, to_come=(over,))


def load_habits(path: Path) -> dict[str, Habit]:
    """Read habits from a CSV file with the columns number, habit and after (may be empty).

    Raises:
        ValueError: A column is missing, or a line cannot be understood; says which.
    """
    habits: dict[str, Habit] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"number", "habit"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path.name}: the first line must name the columns number,habit,after")
        for row in rows:
            number = (row["number"] or "").strip()
            if not number.startswith("sim:"):
                raise ValueError(f"{path.name}, line {rows.line_num}: only sim: numbers have habits")
            if number in habits:
                raise ValueError(f"{path.name}, line {rows.line_num}: {number} stands there twice")
            try:
                habits[number] = Habit.model_validate({"kind": row["habit"], "after": row.get("after") or 0})
            except ValidationError as error:
                wrong = error.errors()[0]
                raise ValueError(f"{path.name}, line {rows.line_num}: {wrong['loc'][0]}: {wrong['msg']}") from None
    return habits
