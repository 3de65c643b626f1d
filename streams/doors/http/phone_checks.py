"""Verifying telephone numbers over HTTP: ask for it, tell the code that came back, take it back, see where each stands.

As `jiaoying phone` does it, within the caller's region; no number is told in clear. That a code was told here proves
that somebody at that number heard it, and never who that was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, Depends

from agents.phones.record import PhoneError, ask, check_hour, enter_code, known_phones, withdraw
from agents.phones.state import VERIFICATIONS, Verification, VerificationState, VerifiedPhone
from rosters.arrange import find_person
from rosters.changes import ChangeError
from rosters.county import County
from rosters.model import Person, Phone
from rosters.numbers import mask, number_digest
from streams.doors.http.desk import check_text
from streams.doors.http.guard import Caller, Guard
from streams.doors.http.telling import hide_numbers
from streams.doors.http.tokens import Scope
from streams.doors.refusal import RefusedError
from streams.doors.roster import CodeRequest, VerifyRequest, WithdrawRequest, refused
from streams.ledger.contract import FullStep
from streams.wiring import House
from streams.words import Channel

T = TypeVar("T")
LISTED_MAX = 100_000


@dataclass(frozen=True)
class PhoneCheckDesk:
    """Does what callers ask for, within their region."""

    house: House
    guard: Guard

    async def ask(self, caller: Caller, request: VerifyRequest) -> Verification:
        """Ask for a number to be verified by a call or a text; one that is being asked already is returned as it is.

        Raises:
            RefusedError: 400; nobody is called so, there is no such number, it takes no text, or it is night.
            ProblemError: 403; the person stands outside the caller's region.
        """
        county, now = self.house.facts.county, self.house.clock.now()
        person, phone = self._phone(caller, request.person, request.nth)
        channel = Channel.TEXT if request.by_text else Channel.VOICE
        if channel is Channel.VOICE and not request.at_night:
            _told(lambda: check_hour(now.astimezone(county.zone)))
        secret, by = self.house.number_key, caller.name

        def work(step: FullStep) -> Verification:
            return _told(lambda: ask(step, county, person, phone, channel=channel, by=by, now=now, secret=secret))

        return await self.house.ledger.run(work)

    async def enter(self, caller: Caller, request: CodeRequest) -> Verification:
        """Take the code that somebody heard at their number; a wrong one is counted, and refused.

        Raises:
            RefusedError: 400; no code is waited for, it was not heard yet, or it is another.
            ProblemError: 403; the person stands outside the caller's region.
        """
        check_text("code", request.code)
        person = self._person(caller, request.person)
        now, secret, by = self.house.clock.now(), self.house.number_key, caller.name

        def work(step: FullStep) -> Verification:
            return _told(lambda: enter_code(step, person.id, request.code, by=by, now=now, secret=secret))

        row = await self.house.ledger.run(work)
        if row.state is VerificationState.ASKED:
            raise RefusedError(400, "code", "核实码不对，请核对后再报。", "That is not the code; check it.")
        if row.state is not VerificationState.VERIFIED:
            raise RefusedError(
                400, "code", "核实码不对，次数已用完，请重新核实。", "Not the code, too often: ask for a new one."
            )
        return row

    async def take_back(self, caller: Caller, request: WithdrawRequest) -> None:
        """Take back that a number is verified.

        Raises:
            RefusedError: 400; it was not verified, or there is no such number.
            ProblemError: 403; the person stands outside the caller's region.
        """
        check_text("why", request.why)
        person, phone = self._phone(caller, request.person, request.nth)
        now, secret, by = self.house.clock.now(), self.house.number_key, caller.name
        await self.house.ledger.run(
            lambda step: _told(lambda: withdraw(step, person, phone, by=by, why=request.why, now=now, secret=secret))
        )

    async def listed(self, caller: Caller) -> list[dict[str, Any]]:
        """Return every number of people who stand in the caller's region, and where each stands."""
        county, secret = self.house.facts.county, self.house.number_key
        known, asked = await self.house.ledger.look(lambda step: (known_phones(step), _asked(step)))
        return [
            _shown(person, phone, known.get((key, person.name)), asked.get(key))
            for person in county.people.values()
            if county.stands(person.id) and self._covers(caller, county, person)
            for phone in person.phones
            for key in [number_digest(phone.number, secret)]
        ]

    def _phone(self, caller: Caller, named: str, nth: int) -> tuple[Person, Phone]:
        person = self._person(caller, named)
        if nth > len(person.phones):
            raise RefusedError(400, "nth", f"{person.name}没有第 {nth} 个号码，请核对。", "There is no such number.")
        return person, person.phones[nth - 1]

    def _person(self, caller: Caller, named: str) -> Person:
        check_text("person", named)
        county = self.house.facts.county
        try:
            person = find_person(county, named)
        except ChangeError as error:
            raise refused(error) from error
        self.guard.check_covers(caller, *_regions(county, person))
        return person

    def _covers(self, caller: Caller, county: County, person: Person) -> bool:
        return all(self.guard.covers(caller, region) for region in _regions(county, person))


def phone_checks_router(desk: PhoneCheckDesk) -> APIRouter:
    """Return the API of number verification."""
    router = APIRouter(prefix="/v1/roster/phones", tags=["roster"])
    operator, reader = Depends(desk.guard.needs(Scope.OPERATOR)), Depends(desk.guard.needs(Scope.READER))

    @router.get("")
    async def listed(caller: Caller = reader) -> dict[str, Any]:
        """Which numbers are verified, when, how and by whom; numbers are masked."""
        return dict(hide_numbers({"phones": await desk.listed(caller)}))

    @router.post("/verify", status_code=202)
    async def verify(body: VerifyRequest, caller: Caller = operator) -> dict[str, Any]:
        """Ring or text a number with a code that has to come back."""
        return _told_of(await desk.ask(caller, body))

    @router.post("/code")
    async def code(body: CodeRequest, caller: Caller = operator) -> dict[str, Any]:
        """Tell the code that somebody heard or read at their number."""
        return _told_of(await desk.enter(caller, body))

    @router.post("/withdraw")
    async def withdrawn(body: WithdrawRequest, caller: Caller = operator) -> dict[str, bool]:
        """Take back that a number is verified: it was given up, or somebody else has it now."""
        await desk.take_back(caller, body)
        return {"verified": False}

    return router


def _told(work: Callable[[], T]) -> T:
    """Do something with a phone; what cannot be is refused in words."""
    try:
        return work()
    except PhoneError as error:
        raise RefusedError(400, "phone", f"{error.reason}。", f"{error.english}.") from error


def _regions(county: County, person: Person) -> list[str]:
    """Return where a person stands; who stands nowhere is the county's own."""
    posts = county.posts_of_person(person.id)
    return sorted({county.posts[post].region for post in posts}) or [county.code]


def _asked(step: FullStep) -> dict[str, Verification]:
    """Return the last asking about each number, by its keyed digest."""
    return {row.number_key: row for row in step.find(VERIFICATIONS, order=("asked_at",), limit=LISTED_MAX)}


def _shown(person: Person, phone: Phone, known: VerifiedPhone | None, asked: Verification | None) -> dict[str, Any]:
    """Return one line; what is verified is told with how, and what is not with where the last asking stands."""
    line: dict[str, Any] = {"person": person.id, "name": person.name, "number": mask(phone.number), "kind": phone.kind}
    if known is not None:
        return line | {"verified": True, "how": known.how, "by": known.by, "at": known.verified_at.isoformat()}
    return line | {"verified": False, "standing": asked.standing if asked else ""}


def _told_of(row: Verification) -> dict[str, Any]:
    body = {"id": row.id, "person": row.person_id, "number": row.masked, "state": row.state, "standing": row.standing}
    return dict(hide_numbers(body))
