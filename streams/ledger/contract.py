"""What a ledger can do: about ten verbs inside one transaction, the same for SQL and for dictionaries.

A *step* is one transaction. Everything a room does to the world it does through a step: letters taken and written,
rows saved with their version checked, entries appended. Either all of it happens or nothing. Steps are synchronous;
a live shell runs them on the ledger's own thread (`Ledger.run`), the virtual-time runner calls them in place.

Never put here: what a row means. Rows belong to rooms (`agents/*/state.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from pydantic import Field

from streams.letters import Letter
from streams.words import Model


class Row(Model):
    """Something a room remembers. `version` counts its saves; 0 means it was never saved."""

    id: str
    version: int = Field(default=0, ge=0)


R = TypeVar("R", bound=Row)
T = TypeVar("T")


@dataclass(frozen=True)
class Table(Generic[R]):
    """Where rows of one kind live, and which of their fields can be asked for.

    Args:
        name: SQL name, plural.
        model: The row's class.
        columns: Fields of the model that `find` may filter and order by. Each holds str, int, bool, float, a StrEnum,
            an aware datetime, or None.
        indexes: Tuples of columns to index together in SQL. A one-column index over datetimes is also what the
            dictionary ledger keeps sorted, so that asking for due rows costs only the due ones.
    """

    name: str
    model: type[R]
    columns: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()


Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "is null", "not null"]


@dataclass(frozen=True)
class Where:
    """One condition on a column; `value` is ignored by the null tests, and a sequence for `in`."""

    column: str
    op: Op
    value: Any = None


class Draft(Model):
    """An entry before it has a number and a hash.

    Args:
        subject: The id of what the entry is about; entries are numbered and chained per subject.
        what: What happened, one word.
        why: The named reason of the decision.
        by: The room, or the person, that did it.
        at: Story time of the step.
        facts: Everything else that must be provable later, as JSON. Never a telephone number in clear.
    """

    subject: str
    what: str
    why: str = ""
    by: str
    at: datetime
    facts: Mapping[str, Any] = Field(default_factory=dict)


class Entry(Draft):
    """An entry as it stands in the ledger: number within its subject, hash of the one before, own hash."""

    n: int
    previous: str
    hash: str


class LedgerError(Exception):
    """The root of what a ledger raises.

    LedgerError
    ├── StaleRowError       somebody saved the row in between; run the step again
    ├── LedgerAwayError     the database is away, locked or full; wait and try again, drop nothing
    └── OutdatedError       something newer is in force; end this process, do not try again
    """


class StaleRowError(LedgerError):
    """A row was saved by somebody else since it was loaded; the step is rolled back and may be run again."""


class LedgerAwayError(LedgerError):
    """The database cannot be reached or written; nothing was changed."""


class OutdatedError(LedgerError):
    """Newer records or rules are in force than this process writes by: nothing was changed, and it should end."""


class EditionKind(StrEnum):
    """What is numbered as it comes into force: the shape of letters and rows, and the rules."""

    RECORDS = "records"
    RULES = "rules"


class Edition(Model):
    """One edition (版次): number `n` of its kind, from 1 without gaps; the last one is in force.

    Args:
        kind: What it is an edition of.
        n: Its number.
        mark: A digest of its content: the same content, the same mark.
        at: Real time when it came into force.
        by: The process or the person that put it into force.
        body: Its content, as JSON.
    """

    kind: EditionKind
    n: int
    mark: str
    at: datetime
    by: str
    body: str


class Step(Protocol):
    """One transaction. Not to be kept after it ends."""

    def take(self, letter_ids: Sequence[str], at: datetime) -> list[Letter]:
        """Mark letters handled at `at` and return those that were still open and due, ordered by (at, id).

        Unknown ids, letters handled before and letters whose `not_before` is after `at` are left out, and so are
        letters of a newer schema version: they stay open for a newer program.
        """
        ...

    def put_back(self, letter: Letter, not_before: datetime) -> None:
        """Open a letter of this step again, not before a time; its `tries` grows by one."""
        ...

    def write(self, letters: Iterable[Letter]) -> None:
        """Write letters; one whose id is known already is left as it is."""
        ...

    def load(self, table: Table[R], ids: Iterable[str]) -> dict[str, R]:
        """Return the rows that exist, by id."""
        ...

    def save(self, table: Table[R], rows: Iterable[R]) -> None:
        """Insert rows of version 0, update the others where their version is still what was loaded.

        Raises:
            StaleRowError: A row of version 0 exists already, or another's version has moved on.
        """
        ...

    def find(
        self, table: Table[R], *where: Where, order: tuple[str, ...] = (), limit: int = 1000, lock: bool = False
    ) -> list[R]:
        """Return rows that meet all conditions, ordered by the columns (a leading `-` turns one), then by id.

        Null sorts last. With `lock`, rows that another open step holds are passed over where the database can do so.
        """
        ...

    def count(self, table: Table[R], by: tuple[str, ...], *where: Where) -> dict[tuple[Any, ...], int]:
        """Count rows that meet all conditions, grouped by columns, as they are stored (enums as their words)."""
        ...

    def append(self, drafts: Iterable[Draft]) -> list[Entry]:
        """Number, chain and append entries; an audit letter for them is written in the same step."""
        ...

    def entries(self, subject: str) -> list[Entry]:
        """Return the entries of a subject in order."""
        ...

    def keep_raw(self, raw_id: str, content: bytes, *, at: datetime, door: str, media_type: str) -> bool:
        """Keep bytes as they came; return False where the id was known (then nothing is changed)."""
        ...

    def raw(self, raw_id: str) -> bytes | None:
        """Return kept bytes."""
        ...

    def lease(self, name: str, owner: str, wall: datetime, lease_s: float) -> bool:
        """Take or renew a named lease until `wall + lease_s`; False while another owner holds it.

        An end that lies further ahead than `LEASE_AHEAD_MAX_S` is not believed: it is brought back to
        `wall + lease_s`. An owner that is alive renews it before then; one that is gone is replaced.
        """
        ...


AHEAD_MAX_S = 10.0
"""How far ahead of a clock a time may lie that another process wrote, and be believed (law 7: two seconds each)."""
LEASE_AHEAD_MAX_S = 60.0
"""How far behind its own end a lease may be renewed, and be believed by who asked for it meanwhile.

More than two clocks may part: who asks has read its clock before it waited for a step, perhaps for one that hung."""
RESENDS_COUNTED_MAX = 6
"""The pause before an open letter is published again doubles this many times and then stays."""


class Post(Protocol):
    """What the pump needs of a step: the letters on their way. Part of every `Step` of both ledgers."""

    def open_letters(
        self,
        now: datetime,
        wall: datetime,
        *,
        resend_after_s: float,
        limit: int,
        topics: Sequence[str] = (),
        unread: Sequence[str] = (),
    ) -> list[Letter]:
        """Return open letters that are due and were not published within the back-off of their tries, oldest first.

        Letters of a newer schema version are left out: they stay open for a newer program.

        Args:
            now: Story time; a letter with a later `not_before` is not due.
            wall: Real time, by which the back-off of published letters is counted.
            resend_after_s: The first pause of a published letter; it doubles with every time it is published.
            limit: At most so many.
            topics: Only letters of these; all where none are named.
            unread: Topics whose letters are passed on by id only: their message may be `UNREAD`.
        """
        ...

    def mark_published(self, letter_ids: Sequence[str], wall: datetime, *, close: bool = False) -> None:
        """Note when letters were published (wall time); `close` ends those that no room of ours reads."""
        ...

    def letter(self, letter_id: str) -> Letter | None:
        """Return one letter, handled or not; where its message cannot be read, that is `UNREAD`."""
        ...

    def count_open_letters(self) -> dict[str, int]:
        """Return how many letters are open, by topic."""
        ...

    def next_letter_at(self) -> datetime | None:
        """Return the earliest `not_before` of an open letter: when the next thing happens by itself."""
        ...


class Covered(NamedTuple):
    """An entry as a seal covers it: its place, and the hash that stands for all it says."""

    subject: str
    n: int
    hash: str


class Span(Model):
    """Entries `first` to `last` of one subject, as one seal covers them."""

    subject: str
    first: int
    last: int


class Seal(Model):
    """A hash over the seal before and over entries of many subjects: with it a removed tail is found out.

    Args:
        n: Number of the seal, from 1 without gaps.
        at: Story time of the step that sealed.
        spans: Which entries it covers, ordered by subject.
        previous: Hash of the seal before.
        hash: See `streams/ledger/seal.py` for the recipe.
    """

    n: int
    at: datetime
    spans: tuple[Span, ...]
    previous: str
    hash: str


class Archive(Protocol):
    """What the sealer, the verifier and the export need of a step. Part of every step of both ledgers."""

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered, as the ledger noted them when appending."""
        ...

    def unsealed(self, limit: int) -> list[Covered]:
        """Return entries that no seal covers yet, ordered by (subject, n)."""
        ...

    def write_seal(self, seal: Seal) -> None:
        """Keep a seal and mark the entries of its spans as covered by it.

        Raises:
            StaleRowError: A seal of that number exists already.
        """
        ...

    def seals(self, after_n: int = 0, limit: int = 1000) -> list[Seal]:
        """Return seals with a number above `after_n`, in order."""
        ...

    def last_seal(self) -> Seal | None:
        """Return the latest seal."""
        ...

    def sealed_by(self, seal_n: int) -> list[Covered]:
        """Return the entries marked as covered by a seal, ordered by (subject, n)."""
        ...

    def page(self, after: Entry | None, limit: int, *, by_time: bool = False) -> list[Entry]:
        """Return the entries that follow `after`, ordered by (subject, n), or by (at, subject, n) with `by_time`."""
        ...


class Editions(Protocol):
    """What is in force. Part of every step of both ledgers."""

    def editions(self, kind: EditionKind) -> list[Edition]:
        """Return the editions of a kind, oldest first; the last is in force."""
        ...

    def publish_edition(self, edition: Edition) -> None:
        """Put an edition into force: from its commit on, steps of processes that write by an older one are refused.

        Raises:
            StaleRowError: Another one of that number was put into force meanwhile.
        """
        ...


class FullStep(Step, Post, Archive, Editions, Protocol):
    """A step with the verbs of the pump and of those who look after the history, and of what is in force."""


class Ledger(Protocol):
    """A place that runs steps."""

    def step(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in one transaction in this thread; any exception rolls it back and is raised on.

        Raises:
            StaleRowError: The caller may run it again.
            LedgerAwayError: The database is away.
        """
        ...

    async def run(self, work: Callable[[FullStep], T]) -> T:
        """Run `work` in one transaction off the event loop; a stale row is tried again a few times."""
        ...

    async def look(self, work: Callable[[FullStep], T]) -> T:
        """Run `work`, which only reads, off the event loop and beside the steps: a page shown keeps nobody waiting.

        Raises:
            LedgerAwayError: The database is away, or `work` tried to write.
        """
        ...

    async def database_at(self) -> datetime | None:
        """Return the real time by the database's own clock; None where it has none but this machine's.

        Raises:
            LedgerAwayError: The database is away.
        """
        ...

    def heads(self) -> list[tuple[str, int, str]]:
        """Return (subject, last n, last hash) of every subject, ordered: the fingerprint of a history."""
        ...

    def close(self) -> None:
        """Let go of files, threads and connections."""
        ...
