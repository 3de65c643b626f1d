"""What a carrier of calls and texts is, whoever it is: a vendor, or the simulated network.

A carrier places one attempt, tells what became of it, and hangs up. It never decides whom to call, never tries again
by itself, never reads or writes the ledger, and never dials a number that `may_dial` refuses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Protocol, runtime_checkable

from pydantic import Field

from streams.letters import CallNews, TextReplied
from streams.words import Channel, Model, Outcome

News = Annotated[CallNews | TextReplied, Field(discriminator="kind")]


LANGUAGE_TAGS: dict[Literal["zh", "en"], str] = {"zh": "zh-CN", "en": "en-US"}
"""BCP 47 tags of the languages that are spoken."""


OPTED_OUT: frozenset[tuple[str, str]] = frozenset({("twilio", "21610")})
"""With which code which carrier refuses a text because its reader once answered STOP, be it years ago and to somebody
else (twilio.com/docs/api/errors/21610). Calls to the number go on."""


class Script(Model):
    """What is said.

    Args:
        voice: Spoken in a call, whole, before any key is asked for; at most about 80 characters.
        text: The full text, sent by SMS.
        prompt: Spoken after `voice`: which key means what.
        language: BCP 47 tag of all three.
        exercise: True in a drill; carriers then make sure that 演练 is said.
    """

    voice: str
    text: str
    prompt: str
    language: str = "zh-CN"
    exercise: bool = False


class Dial(Model):
    """One claimed attempt, ready to be placed.

    Args:
        attempt_id: Content id of the attempt; the realm stands in front.
        channel: A call or a text.
        number: `sim:…` or E.164. Never to be logged, nor put into a URL.
        script: What is said.
        dial_no: Which dialling of this number in this round it is, from 1.
        at: Story time of the claim.
        carrier: Name of the carrier that it was claimed for.
    """

    attempt_id: str
    channel: Channel
    number: str
    script: Script
    dial_no: int = Field(default=1, ge=1)
    at: datetime
    carrier: str = ""


class Placed(Model):
    """A carrier has the attempt.

    Args:
        vendor_id: The vendor's own id of it, by which it is looked up and hung up.
        to_come: News that are known already, each with its `at` (story time): all that will happen in the simulated
            network, and what a look-up at a vendor found. Empty where callbacks will tell.
    """

    vendor_id: str
    to_come: tuple[News, ...] = ()


class CarrierError(Exception):
    """The root of what a carrier raises. No message carries a number.

    CarrierError
    ├── VendorBusyError         certainly not placed; too much was asked, the same may be asked again later
    ├── VendorDownError         may or may not have been placed; look it up before dialling again
    └── RefusedByVendorError    certainly not placed, and the same will never be
    """


class VendorBusyError(CarrierError):
    """The vendor takes no more at the moment (HTTP 429, full queue). `retry_after_s` where it said how long."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class VendorDownError(CarrierError):
    """No clear answer (5xx, timeout, connection lost): the attempt may or may not have been placed."""


class RefusedByVendorError(CarrierError):
    """Refused for good: this number, this message, or this account as it is set up.

    Args:
        message: What is wrong and what to do, for a person.
        outcome: How the attempt ended: WRONG_NUMBER, BARRED, TEXT_FAILED …; VENDOR_FAILED where the account and not
            the number is at fault (then the next number would be refused too: tell a person).
        vendor_code: The vendor's own code, or "".
    """

    def __init__(self, message: str, *, outcome: Outcome, vendor_code: str = "") -> None:
        super().__init__(message)
        self.outcome = outcome
        self.vendor_code = vendor_code


class Carrier(Protocol):
    """A way to phones.

    `pace_per_s` calls and `texts_per_s` texts may be placed per real second.
    """

    name: str
    pace_per_s: float
    texts_per_s: float

    def may_dial(self, number: str) -> bool:
        """Return whether this carrier serves the number and is allowed to."""
        ...

    async def place(self, dial: Dial) -> Placed:
        """Place a call or send a text, once.

        Raises:
            VendorBusyError: Certainly not placed; may be asked again later.
            VendorDownError: May or may not have been placed.
            RefusedByVendorError: Certainly not placed, and will never be.
        """
        ...

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Return what became of an attempt, or None where the carrier cannot tell.

        Args:
            dial: The attempt as it was to be placed, `at` included.
            vendor_id: Its id, or "" where none was ever stored; then it is searched for.

        Returns:
            The id with what is known so far (`to_come` empty: placed, nothing to tell yet), so that a call found this
            way can be hung up.

        Raises:
            VendorBusyError, VendorDownError: The vendor did not answer; ask again later.
            RefusedByVendorError: The account may not ask.
        """
        ...

    async def hang_up(self, vendor_id: str) -> None:
        """End a call, whether queued, ringing or answered. One that is over already, or a text, is left as it is.

        Raises:
            VendorBusyError, VendorDownError: The vendor did not answer; ask again later.
            RefusedByVendorError: The account may not ask.
        """
        ...


class Reply(Model):
    """A text that somebody sent to our number. The number is not to be logged, nor kept in clear."""

    number: str
    text: str
    vendor_id: str
    at: datetime


@runtime_checkable
class Polled(Protocol):
    """A carrier that calls nothing back: what becomes of an attempt is looked up again and again until it has ended."""

    name: str
    asked_every_s: float

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Return all that is known of an attempt, from its beginning, as `Carrier.look_up` does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

    async def replies_since(self, at: datetime) -> list[Reply]:
        """Return what was written to our number from a time on, oldest first.

        Raises:
            VendorBusyError, VendorDownError, RefusedByVendorError: It could not be asked.
        """
        ...


@runtime_checkable
class TwoWay(Protocol):
    """A carrier whose texts can be answered, at least from some countries."""

    def takes_replies(self, number: str) -> bool:
        """Return whether an answer from this number comes back to us; only then is it asked for one."""
        ...
