"""The simulated telephones of the sample county at the fake vendors: the same habits, over a vendor's wire.

`sim:` numbers ring inside the worker, by agents/dial/carriers/simulated.py. Here each has a number that a vendor dials,
and does what its habit says when either vendor rings it. What a network has no word for it tells as the nearest it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from agents.dial.carriers.simulated import Habit, Kind
from tests.wire import fake_mainland, fake_phones

REPLY_S, REPLY = 40.0, "收到"
_KEYS = {Kind.ANSWERS: "1", Kind.SLOW: "1", Kind.FETCHES: "2", Kind.CANNOT: "0"}
_AT_TWILIO = {
    Kind.HANGS_UP_EARLY: fake_phones.Handset(hangs_up_at_s=4),
    Kind.SLEEPS: fake_phones.Handset(answers="no-answer", ring_s=35),
    Kind.REPLIES_BY_SMS: fake_phones.Handset(answers="no-answer", ring_s=35),
    Kind.VOICEMAIL: fake_phones.Handset(answers="machine"),
    Kind.SWITCHED_OFF: fake_phones.Handset(answers="failed", sip_code="480"),
    Kind.NO_COVERAGE: fake_phones.Handset(answers="failed", sip_code="480"),
    Kind.OUT_OF_SERVICE: fake_phones.Handset(answers="failed", sip_code="404"),
    Kind.CHILD: fake_phones.Handset(keys=["9"] * 9),
}
_AT_ALIYUN = {
    Kind.HANGS_UP_EARLY: fake_mainland.Handset(hangs_up_at_s=4),
    Kind.SLEEPS: fake_mainland.Handset(status="200003"),
    Kind.REPLIES_BY_SMS: fake_mainland.Handset(status="200003"),
    # This vendor does not know a machine from a person: it speaks to its end, and no key comes.
    Kind.VOICEMAIL: fake_mainland.Handset(),
    Kind.SWITCHED_OFF: fake_mainland.Handset(status="200010"),
    Kind.NO_COVERAGE: fake_mainland.Handset(status="200007"),
    Kind.OUT_OF_SERVICE: fake_mainland.Handset(status="200011"),
    Kind.CHILD: fake_mainland.Handset(),
}


class SamplePhones:
    """Telephones with habits, by the numbers that vendors dial; both vendors ring the same ones."""

    def __init__(self, habits: Mapping[str, Habit]) -> None:
        self._habits = {_plain(number): habit for number, habit in habits.items()}
        self._rung: Counter[str] = Counter()

    def rings(self, number: str) -> None:
        """Note that a telephone is called: what it does the next time may be another thing."""
        self._rung[_plain(number)] += 1

    def at_twilio(self, number: str) -> fake_phones.Handset | None:
        """Return what a telephone does; None for one that is none of these."""
        kind = self._kind(number)
        if kind is None:
            return None
        ring_s = 25.0 if kind is Kind.SLOW else 6.0
        return _AT_TWILIO.get(kind) or fake_phones.Handset(keys=[_KEYS[kind]], ring_s=ring_s)

    def at_aliyun(self, number: str) -> fake_mainland.Handset | None:
        """Return what a telephone does; None for one that is none of these."""
        kind = self._kind(number)
        return None if kind is None else _AT_ALIYUN.get(kind) or fake_mainland.Handset(key=_KEYS[kind])

    def answers_texts(self, number: str) -> bool:
        """Return whether whoever has this telephone answers a text."""
        return self._kind(number) is Kind.REPLIES_BY_SMS

    def _kind(self, number: str) -> Kind | None:
        habit = self._habits.get(_plain(number))
        return None if habit is None else habit.on(max(0, self._rung[_plain(number)] - 1))


def _plain(number: str) -> str:
    """Return a number as either vendor writes it: Aliyun leaves the country away."""
    return number.removeprefix("+86")
