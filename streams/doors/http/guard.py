"""Lets in whoever shows a token: as a bearer header at the API, as a session cookie at the pages.

A secret is never logged. Failed tries are counted per address; whoever was let in before is let in all the same, for
a stranger behind the same address must not be able to shut the duty room out at night.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import FormData

from agents.facts import Facts
from agents.intake.areas import within
from config.faults import Word
from rosters.county import County
from streams.clock import Clock
from streams.doors.http.problems import ProblemError
from streams.doors.http.tokens import (
    SESSION,
    Scope,
    Token,
    end_session,
    find_session,
    find_token,
    open_session,
    secret_id,
)
from streams.ledger.contract import Ledger

COOKIE, LOGIN_COOKIE = "jiaoying", "jiaoying_login"
FAILURES_MAX = 10
FAILURES_WITHIN = timedelta(seconds=60)
ADDRESSES_MAX = 10_000
KNOWN_MAX = 1000

# For the description of the API only: it is read and judged in `Guard.bearer`.
Shown = Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))]
_BEARER = re.compile(r"^bearer +(\S{1,500})$", re.IGNORECASE)


@dataclass(frozen=True)
class Caller:
    """Who asks: the token behind it, and what a form of its page has to carry."""

    token: Token
    csrf: str = ""

    @property
    def name(self) -> str:
        """Who or what holds the token."""
        return self.token.name

    def may_act(self) -> bool:
        """Tell whether it may do more than look."""
        return self.token.may(Scope.OPERATOR)


@dataclass
class Guard:
    """Knows tokens and sessions of one house."""

    ledger: Ledger
    clock: Clock
    facts: Facts
    _failures: dict[str, list[datetime]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    @property
    def county(self) -> County:
        """Return the county as it is now."""
        return self.facts.county

    async def bearer(self, request: Request, *scopes: Scope) -> Caller:
        """Return who asks with a bearer token.

        Raises:
            ProblemError: 401 no token, or none that is known; 403 not for this; 429 too many failed tries.
        """
        match = _BEARER.match(request.headers.get("authorization", ""))
        if match is None:
            raise _unknown(
                "请在 Authorization 头中带上 Bearer 令牌。", "Send a bearer token in the Authorization header."
            )
        token = await self.token(request, match[1])
        if not token.may(*scopes):
            names = "、".join(scopes)
            raise ProblemError(
                403,
                Word(f"这个令牌没有 {names} 权限。", f"This token does not have the scope {names}."),
                "Authorization",
            )
        return Caller(token)

    def needs(self, *scopes: Scope) -> Callable[..., Awaitable[Caller]]:
        """Return the dependency of a route that asks for one of these scopes."""

        async def check(request: Request, shown: Shown) -> Caller:
            return await self.bearer(request, *scopes)

        return check

    async def token(self, request: Request, secret: str) -> Token:
        """Return the token of a secret.

        Raises:
            ProblemError: 401 unknown or revoked; 429 too many failed tries from this address.
        """
        address = request.client.host if request.client else ""
        token_id = secret_id(secret)
        if token_id not in self._known:
            self._look_at(address)
        token = await self.ledger.run(lambda step: find_token(step, secret))
        if token is None:
            self._known.discard(token_id)
            self._failures.setdefault(address, []).append(self.clock.wall())
            raise _unknown(
                "令牌不存在或已作废，请向管理员索取新的。", "The token is unknown or revoked; ask for a new one."
            )
        if len(self._known) < KNOWN_MAX:
            self._known.add(token_id)
        return token

    async def visitor(self, request: Request) -> Caller | None:
        """Return who is at a page, or None where nobody is logged in."""
        secret = request.cookies.get(COOKIE, "")
        if not secret:
            return None
        wall = self.clock.wall()
        token = await self.ledger.run(lambda step: find_session(step, secret, wall))
        return Caller(token, _csrf_of(secret)) if token is not None else None

    async def log_in(self, request: Request, response: Response, secret: str) -> None:
        """Open a session for the holder of a token and set its cookie.

        Raises:
            ProblemError: 401 or 429 as for a bearer; 403 where the token is neither to look nor to act with.
        """
        token = await self.token(request, secret)
        if not token.may(Scope.READER, Scope.OPERATOR):
            raise ProblemError(403, Word("这个令牌只能用于发送，不能登录。", "This token is for sending only."))
        session, wall = secrets.token_urlsafe(32), self.clock.wall()
        await self.ledger.run(lambda step: open_session(step, token, session, wall))
        _set_cookie(request, response, COOKIE, session, int(SESSION.total_seconds()))

    async def log_out(self, request: Request, response: Response) -> None:
        """End the session and take the cookie back."""
        secret, wall = request.cookies.get(COOKIE, ""), self.clock.wall()
        if secret:
            await self.ledger.run(lambda step: end_session(step, secret, wall))
        response.delete_cookie(COOKIE)

    def login_mark(self, request: Request) -> str:
        """Return the mark that the login form and a cookie of their own have to carry alike."""
        return request.cookies.get(LOGIN_COOKIE, "") or secrets.token_urlsafe(16)

    def set_login_mark(self, request: Request, response: Response, mark: str) -> None:
        """Give the browser the mark of its login form."""
        _set_cookie(request, response, LOGIN_COOKIE, mark, 3600)

    def check_login_mark(self, request: Request, form: FormData) -> None:
        """Refuse a login form that another site sent.

        Raises:
            ProblemError: 403.
        """
        check_mark(request.cookies.get(LOGIN_COOKIE, ""), form)

    def covers(self, caller: Caller, region: str) -> bool:
        """Tell whether a caller's region holds another; one without a region holds the whole county."""
        own = caller.token.region
        return not own or own == self.county.code or within(self.county, region, (own,))

    def check_covers(self, caller: Caller, *regions: str) -> None:
        """Refuse what lies outside the caller's region.

        Raises:
            ProblemError: 403.
        """
        outside = [code for code in regions if not self.covers(caller, code)]
        if outside:
            known = self.county.regions.get(outside[0])
            name = known.name if known else self.county.name
            raise ProblemError(
                403,
                Word(f"这个令牌只管本区划，不能操作{name}。", f"This token is limited to its own region, not {name}."),
            )

    def _look_at(self, address: str) -> None:
        """Refuse an address that failed too often; forget failures that are over.

        Raises:
            ProblemError: 429.
        """
        since = self.clock.wall() - FAILURES_WITHIN
        recent = [at for at in self._failures.get(address, ()) if at > since]
        if recent:
            self._failures[address] = recent
        else:
            self._failures.pop(address, None)
        if len(self._failures) > ADDRESSES_MAX:
            self._failures.clear()
        if len(recent) >= FAILURES_MAX:
            wait_s = int(FAILURES_WITHIN.total_seconds())
            raise ProblemError(
                429,
                Word(f"无效令牌尝试过多，请 {wait_s} 秒后再试。", f"Too many unknown tokens; try again in {wait_s} s."),
                headers={"Retry-After": str(wait_s)},
            )


def check_mark(expected: str, form: FormData) -> None:
    """Refuse a form that does not carry the mark of the page it says it comes from.

    Raises:
        ProblemError: 403.
    """
    given = form.get("csrf")
    if not expected or not isinstance(given, str) or not hmac.compare_digest(expected.encode(), given.encode()):
        raise ProblemError(
            403,
            Word("页面已过期，请返回刷新后再提交。", "The page is out of date; go back, reload it and send again."),
        )


def _unknown(zh: str, en: str) -> ProblemError:
    return ProblemError(401, Word(zh, en), "Authorization", {"WWW-Authenticate": 'Bearer realm="jiaoying"'})


def _set_cookie(request: Request, response: Response, name: str, value: str, age_s: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=age_s, httponly=True, samesite="strict", secure=secure, path="/")


def _csrf_of(session: str) -> str:
    return hmac.new(session.encode(), b"csrf", "sha256").hexdigest()
