"""The carrier whose calls people make: radio, satellite phone, and numbers that the machine may not ring now.

To place a call is to put it before people (我来打, at the duty room's page); what came of it they write down, and that
is the only news there ever is. It opens no connection, is never told a number in clear, and knows nothing by itself.
"""

from __future__ import annotations

from agents.dial.carriers.protocol import Dial, Placed
from rosters.numbers import BY_HAND_SCHEME
from streams.ids import digest

NAME = "by_hand"


class ByHand:
    """The carrier of `hand:` numbers, such as `hand:radio-3`: names of things that a person calls by."""

    name = NAME
    pace_per_s = 20.0
    """A duty room that gets more at once than it can read is shown the worst first all the same."""
    texts_per_s = 0.0

    def may_dial(self, number: str) -> bool:
        """Return whether it is called by hand and in no other way."""
        return number.startswith(BY_HAND_SCHEME)

    async def place(self, dial: Dial) -> Placed:
        """Put it before people; the ledger shows it from here on."""
        return _placed(dial)

    async def look_up(self, dial: Dial, vendor_id: str = "") -> Placed | None:
        """Return the same: nothing is known of it but what is written down."""
        return _placed(dial)

    async def hang_up(self, vendor_id: str) -> None:
        """Do nothing: it leaves the page when its attempt ends; who is on the telephone finishes speaking."""


def _placed(dial: Dial) -> Placed:
    return Placed(vendor_id=f"hand-{digest(dial.attempt_id)}")
