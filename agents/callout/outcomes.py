"""What each outcome of an attempt leads to, as data: the whole table in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streams.words import Outcome


class Next(StrEnum):
    """The next step after an attempt."""

    CLOSE = "close"
    FETCH = "fetch"
    HEARD = "heard"
    AGAIN = "again"
    AGAIN_SOON = "again_soon"
    NEXT_PHONE = "next_phone"
    NEXT_PERSON = "next_person"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Consequence:
    """What follows an outcome.

    Args:
        next: The next step.
        text: Send the message by SMS as well.
        correct_number: The number is wrong or dead: a trouble asks for it to be corrected.
        counts: Whether it uses up one of the step's calls; a vendor's fault does not.
        cut_off: The phone could not be reached at all: where nothing else ever happens, the place may be cut off.
    """

    next: Next
    text: bool = False
    correct_number: bool = False
    counts: bool = True
    cut_off: bool = False


CONSEQUENCES: dict[Outcome, Consequence] = {
    Outcome.CONFIRMED: Consequence(Next.CLOSE),
    Outcome.FETCHING: Consequence(Next.FETCH),
    Outcome.CANNOT: Consequence(Next.NEXT_PERSON),
    Outcome.HEARD_NO_KEY: Consequence(Next.HEARD, text=True),
    Outcome.HUNG_UP_EARLY: Consequence(Next.AGAIN),
    Outcome.NO_ANSWER: Consequence(Next.AGAIN),
    Outcome.BUSY: Consequence(Next.AGAIN_SOON),
    Outcome.REJECTED: Consequence(Next.AGAIN),
    Outcome.VOICEMAIL: Consequence(Next.AGAIN, text=True),
    Outcome.SWITCHED_OFF: Consequence(Next.NEXT_PHONE, cut_off=True),
    Outcome.NO_COVERAGE: Consequence(Next.NEXT_PHONE, cut_off=True),
    Outcome.OUT_OF_SERVICE: Consequence(Next.NEXT_PHONE, correct_number=True),
    Outcome.WRONG_NUMBER: Consequence(Next.NEXT_PHONE, correct_number=True),
    Outcome.BARRED: Consequence(Next.NEXT_PHONE, correct_number=True),
    Outcome.VENDOR_BUSY: Consequence(Next.AGAIN_SOON, counts=False),
    Outcome.VENDOR_FAILED: Consequence(Next.AGAIN_SOON, counts=False),
    Outcome.NO_NEWS: Consequence(Next.AGAIN),
    Outcome.STOPPED: Consequence(Next.NOTHING),
    Outcome.TEXT_SENT: Consequence(Next.NOTHING),
    Outcome.TEXT_DELIVERED: Consequence(Next.NOTHING),
    Outcome.TEXT_FAILED: Consequence(Next.NOTHING),
    Outcome.SPOKEN: Consequence(Next.CLOSE),
    Outcome.PROXY: Consequence(Next.CLOSE),
}
