"""The verbs of a SQL step about letters: taken, written, on their way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from streams.ledger.contract import AHEAD_MAX_S, RESENDS_COUNTED_MAX
from streams.ledger.schema import LETTERS
from streams.ledger.sql_rows import SqlVerbs, chunks
from streams.letters import MESSAGE, SCHEMA_VERSION, UNREAD, DeadLetter, Letter, write_letter
from streams.topics import DEAD_LETTERS

_IS_OPEN = LETTERS.c.handled_at.is_(None)
_IS_READABLE = LETTERS.c.schema_version <= SCHEMA_VERSION
"""What a newer program wrote is left for it: open, as it is, however long that takes."""
_PARTS = sa.select(
    *(LETTERS.c[name] for name in ("id", "topic", "key", "body", "at", "not_before", "tries", "schema_version"))
)


@lru_cache(maxsize=8)
def _parts(unread: tuple[str, ...]) -> sa.Select[Any]:
    """Select letters, those of some topics without their bodies: the pages of a large warning are megabytes."""
    if not unread:
        return _PARTS
    body = sa.case((LETTERS.c.topic.in_(unread), sa.null()), else_=LETTERS.c.body).label("body")
    return sa.select(*(body if column.name == "body" else column for column in _PARTS.selected_columns))


class LetterVerbs(SqlVerbs):
    """take, put_back, write; open_letters, mark_published, letter, count_open_letters, next_letter_at."""

    def take(self, letter_ids: Sequence[str], at: datetime) -> list[Letter]:
        """Mark letters handled and return those that were open and due."""
        taken: list[Letter] = []
        for chunk in chunks(letter_ids):
            # Locked in one order before they are changed: two steps that share letters then wait, and do not deadlock.
            question = (
                _PARTS.where(LETTERS.c.id.in_(chunk), _IS_OPEN, _IS_READABLE, LETTERS.c.not_before <= at)
                .order_by(LETTERS.c.id)
                .with_for_update()
            )
            letters = list(self._read(question, at))
            self._close([letter.id for letter in letters], at)
            taken.extend(letters)
        return sorted(taken, key=lambda letter: (letter.at, letter.id))

    def put_back(self, letter: Letter, not_before: datetime) -> None:
        """Open a letter of this step again, as one never published."""
        self._connection.execute(
            LETTERS.update()
            .where(LETTERS.c.id == letter.id)
            .values(handled_at=None, published_at=None, resends=0, tries=letter.tries + 1, not_before=not_before)
        )

    def write(self, letters: Iterable[Letter]) -> None:
        """Write letters that are not known yet."""
        self._insert_new(LETTERS, [_values(letter) for letter in letters])

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
        """Return open letters that are due: those never published first, then those whose pause is over."""
        due = _parts(tuple(unread)).where(_IS_OPEN, _IS_READABLE, LETTERS.c.not_before <= now)
        due = due.order_by(LETTERS.c.not_before, LETTERS.c.at, LETTERS.c.id)
        if topics:
            due = due.where(LETTERS.c.topic.in_(topics))
        found = list(self._read(due.where(LETTERS.c.published_at.is_(None)).limit(limit), now))
        if len(found) < limit:
            pauses = {resends: timedelta(seconds=resend_after_s * 2**resends) for resends in range(RESENDS_COUNTED_MAX)}
            longest = timedelta(seconds=resend_after_s * 2**RESENDS_COUNTED_MAX)
            silent_since = sa.case(
                *((LETTERS.c.resends == resends, _moment(wall - pause)) for resends, pause in pauses.items()),
                else_=_moment(wall - longest),
            )
            # A clock that was stepped in the middle of a step wrote a later one: the letter would lie until then.
            unbelieved = LETTERS.c.published_at > wall + timedelta(seconds=AHEAD_MAX_S)
            silent = sa.or_(LETTERS.c.published_at <= silent_since, unbelieved)
            rest = due.where(silent).limit(limit - len(found))
            found.extend(self._read(rest, now))
        return found

    def mark_published(self, letter_ids: Sequence[str], wall: datetime, *, close: bool = False) -> None:
        """Note when open letters were published; `close` ends them."""
        resends = sa.case((LETTERS.c.published_at.is_(None), 0), else_=LETTERS.c.resends + 1)
        values: dict[str, Any] = {"published_at": wall, "resends": resends}
        if close:
            values["handled_at"] = wall
        for chunk in chunks(sorted(letter_ids)):
            self._connection.execute(LETTERS.update().where(LETTERS.c.id.in_(chunk), _IS_OPEN).values(values))

    def letter(self, letter_id: str) -> Letter | None:
        """Return one letter, handled or not; where its message cannot be read, that is `UNREAD`."""
        row = self._connection.execute(_PARTS.where(LETTERS.c.id == letter_id)).one_or_none()
        if row is None:
            return None
        try:
            return _letter(row)
        except ValidationError:
            # Who asks for one letter must not stumble over it: whether it is known at all is what doors ask.
            return _unread(row)

    def count_open_letters(self) -> dict[str, int]:
        """Return how many letters are open, by topic."""
        question = sa.select(LETTERS.c.topic, sa.func.count()).where(_IS_OPEN)
        question = question.group_by(LETTERS.c.topic).order_by(LETTERS.c.topic)
        return {row.topic: row[1] for row in self._connection.execute(question)}

    def next_letter_at(self) -> datetime | None:
        """Return the earliest `not_before` of an open letter."""
        earliest: datetime | None = self._connection.scalar(
            sa.select(sa.func.min(LETTERS.c.not_before)).where(_IS_OPEN)
        )
        return earliest

    def _close(self, letter_ids: Sequence[str], at: datetime) -> None:
        for chunk in chunks(letter_ids):
            self._connection.execute(LETTERS.update().where(LETTERS.c.id.in_(chunk)).values(handled_at=at))

    def _read(self, question: sa.Select[Any], at: datetime) -> Iterator[Letter]:
        """Yield letters; one whose message cannot be read ends as a dead letter instead of stopping the others."""
        for row in self._connection.execute(question).all():
            try:
                yield _letter(row)
            except ValidationError as error:
                if self._reads_only:
                    # The next step that comes by buries it; a look must not stumble over it either.
                    continue
                self._bury(row, at, str(error.errors(include_url=False, include_input=False)[0]["msg"]))

    def _bury(self, row: sa.Row[Any], at: datetime, reason: str) -> None:
        reason = f"the message of a letter on {row.topic} cannot be read by this version: {reason}"
        dead = DeadLetter(door="ledger", reason=reason, letter_id=row.id, at=at)
        self._close([row.id], at)
        self.write([write_letter(DEAD_LETTERS, row.topic, dead, at, cause=row.id)])


def _moment(at: datetime) -> Any:
    return sa.bindparam(None, at, LETTERS.c.published_at.type)


def _values(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "topic": letter.topic,
        "key": letter.key,
        "kind": letter.message.kind,
        "body": letter.message.model_dump_json(),
        "at": letter.at,
        "not_before": letter.not_before,
        "tries": letter.tries,
        "schema_version": letter.schema_version,
    }


def _letter(row: sa.Row[Any]) -> Letter:
    """Build a letter of what is stored.

    Raises:
        ValidationError: The message is not one this version knows.
    """
    # Only the message is JSON that may be of another version; the rest is typed by the columns.
    if row.body is None:
        return _unread(row)
    return _made(row, MESSAGE.validate_json(row.body))


def _unread(row: sa.Row[Any]) -> Letter:
    return _made(row, UNREAD)


def _made(row: sa.Row[Any], message: Any) -> Letter:
    parts = {name: value for name, value in row._mapping.items() if name != "body"}
    return Letter.trusted({**parts, "message": message})
