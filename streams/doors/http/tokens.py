"""Who may come in: tokens for machines and people, and the sessions of people at the pages. Kept as digests only.

A secret is seen once, where it is made, and stands in no row, entry, log or address. Making one is the business of
the command line; nothing here draws chance or reads a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from streams.ids import REAL, make_id
from streams.ledger.contract import Draft, Row, Step, Table, Where

SECRET_CHARS_MIN = 32
SESSION = timedelta(hours=12)


class Scope(StrEnum):
    """What a token may do: SENDER hands in warnings and readings, READER looks, OPERATOR looks and acts."""

    SENDER = "sender"
    OPERATOR = "operator"
    READER = "reader"


class Token(Row):
    """A right to come in. The id is the SHA-256 of its secret; `region` is "" or the code of all that it may see."""

    name: str
    scopes: tuple[Scope, ...]
    region: str = ""
    created_at: datetime
    revoked_at: datetime | None = None

    def may(self, *scopes: Scope) -> bool:
        """Tell whether it has one of these scopes; who may act may also look."""
        held = set(self.scopes) | ({Scope.READER} if Scope.OPERATOR in self.scopes else set())
        return not held.isdisjoint(scopes)


class Session(Row):
    """Somebody at the pages. The id is the SHA-256 of the cookie's secret; `opened_at` and `ends_at` are real time."""

    token_id: str
    opened_at: datetime
    ends_at: datetime


TOKENS: Table[Token] = Table("tokens", Token, ("name", "created_at", "revoked_at"))
SESSIONS: Table[Session] = Table("sessions", Session, ("token_id", "ends_at"))


def secret_id(secret: str) -> str:
    """Return the digest under which a secret is kept. Secrets are long and random, so a bare hash tells nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(step: Step, name: str, scopes: Iterable[Scope | str], region: str, now: datetime, secret: str) -> None:
    """Keep a new token and write down that it was issued.

    Args:
        step: The transaction.
        name: Who or what holds it; shown beside what is done with it.
        scopes: One or more.
        region: "" for the whole county, or the 12-digit code it is limited to.
        now: Story time.
        secret: What its holder shows; from `secrets.token_urlsafe(32)`.

    Raises:
        ValueError: A name is missing, a scope unknown, the region no code, the secret short or known, or a sender is
            limited to a region, which no warning could be held to.
    """
    held = tuple(dict.fromkeys(Scope(scope) for scope in scopes))
    if not name.strip() or not held:
        raise ValueError("a token needs a name and at least one scope: sender, operator, reader")
    if region and not (region.isdecimal() and region.isascii() and len(region) == 12):
        raise ValueError(f"region {region!r} is no 12-digit code; leave it empty for the whole county")
    if region and Scope.SENDER in held:
        raise ValueError("a sender's warnings cannot be limited to a region; issue it without one")
    if len(secret) < SECRET_CHARS_MIN:
        raise ValueError(f"the secret is shorter than {SECRET_CHARS_MIN} characters; make it by secrets.token_urlsafe")
    token_id = secret_id(secret)
    if step.load(TOKENS, [token_id]):
        raise ValueError("this secret is in use already; make another")
    step.save(TOKENS, [Token(id=token_id, name=name.strip(), scopes=held, region=region, created_at=now)])
    noted = {"name": name.strip(), "scopes": [scope.value for scope in held], "region": region}
    step.append([Draft(subject=_subject(token_id), what="token_issued", by="owner", at=now, facts=noted)])


def revoke(step: Step, name: str, now: datetime) -> int:
    """End every token of a name, and with them their sessions; return how many there were."""
    rows = step.find(TOKENS, Where("name", "=", name), Where("revoked_at", "is null"))
    step.save(TOKENS, [row.model_copy(update={"revoked_at": now}) for row in rows])
    step.append(
        Draft(subject=_subject(row.id), what="token_revoked", by="owner", at=now, facts={"name": row.name})
        for row in rows
    )
    return len(rows)


def find_token(step: Step, secret: str) -> Token | None:
    """Return the token of a secret, unless it is unknown or revoked."""
    token_id = secret_id(secret)
    token = step.load(TOKENS, [token_id]).get(token_id)
    return token if token is not None and token.revoked_at is None else None


def open_session(step: Step, token: Token, secret: str, wall: datetime) -> None:
    """Let the holder of a token in for twelve hours of real time, by a cookie that carries `secret`."""
    step.save(SESSIONS, [Session(id=secret_id(secret), token_id=token.id, opened_at=wall, ends_at=wall + SESSION)])


def find_session(step: Step, secret: str, wall: datetime) -> Token | None:
    """Return the token behind a session, unless either ended."""
    session_id = secret_id(secret)
    session = step.load(SESSIONS, [session_id]).get(session_id)
    if session is None or session.ends_at <= wall:
        return None
    token = step.load(TOKENS, [session.token_id]).get(session.token_id)
    return token if token is not None and token.revoked_at is None else None


def end_session(step: Step, secret: str, wall: datetime) -> None:
    """End a session now."""
    session = step.load(SESSIONS, [secret_id(secret)]).get(secret_id(secret))
    if session is not None and session.ends_at > wall:
        step.save(SESSIONS, [session.model_copy(update={"ends_at": wall})])


def _subject(token_id: str) -> str:
    return make_id(REAL, "token", token_id)
