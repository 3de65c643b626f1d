"""Whom a callout rings at one moment, and what a claim reads of a channel."""

from __future__ import annotations

from dataclasses import dataclass

from agents.callout.state import Callout
from agents.dial.carriers.protocol import Carrier
from rosters.model import Person, Phone
from streams.words import Channel


@dataclass(frozen=True)
class Target:
    """Whom a callout rings at this moment; `able` are the carriers that may dial the number, the best first."""

    person: Person
    phone_no: int
    phone: Phone
    able: tuple[Carrier, ...]
    number_key: str

    @property
    def carrier(self) -> Carrier:
        """The first of the carriers."""
        return self.able[0]


Members = list[tuple[Callout, Target]]
Groups = dict[tuple[str, str, str], Members]
"""What wants a call or message, by number, carrier and realm."""


def column_of(channel: Channel) -> str:
    """Return the field of a callout that says from when it wants this channel."""
    return "call_at" if channel is Channel.VOICE else "text_at"


def per_s(carrier: Carrier, channel: Channel) -> float:
    """Return how many calls, or messages, a carrier takes in a second."""
    return carrier.pace_per_s if channel is Channel.VOICE else carrier.texts_per_s
