"""What the rooms may look up while they decide: the county as it is now, and the rules it set."""

from __future__ import annotations

from config.rules import RuleBook
from rosters.county import County
from rosters.holidays import DutyYear

NOTHING_SET = DutyYear()


class Facts:
    """The county and its rule book, replaced together when either is published anew or the roster is changed.

    Rooms ask it anew at each decision and keep nothing of it. Who replaces it does so inside a step of the ledger
    (`agents/duty/living.py`), so that no decision sees half of the old and half of the new.
    """

    def __init__(self, county: County, book: RuleBook, *, year: DutyYear = NOTHING_SET) -> None:
        self._both = (county, book)
        self.year = year
        """What the county decided about its duty: by it the roster is checked; nobody is called by it."""

    @property
    def county(self) -> County:
        """Return the county with its roster, changes on top of it included."""
        return self._both[0]

    @property
    def book(self) -> RuleBook:
        """Return the rules."""
        return self._both[1]

    def replace(self, county: County, book: RuleBook) -> None:
        """Put another county and other rules in place of both, at once."""
        self._both = (county, book)
