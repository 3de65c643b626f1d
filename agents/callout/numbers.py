"""Numbers that calls found to be dead: marked once for each person's number, until the roster has another one."""

from __future__ import annotations

from collections.abc import Mapping

from rosters.county import County
from rosters.numbers import mask
from streams.ids import REAL, make_id
from streams.ledger.contract import Step, Where
from streams.rooms import TROUBLES, Trouble
from streams.words import Outcome

NUMBER_WRONG = "number_wrong"
WHY_WRONG: Mapping[Outcome, str] = {
    Outcome.OUT_OF_SERVICE: "停机",
    Outcome.WRONG_NUMBER: "空号",
    Outcome.BARRED: "呼入限制或不许拨打",
}
"""Why a number is to be corrected, as the board says it."""


def number_subject(realm: str, person_id: str, masked: str) -> str:
    """Return what a trouble about a person's number is about; one number of two people is corrected twice."""
    return make_id(realm, "number", person_id, masked)


def wrong_numbers(step: Step, county: County, realm: str = REAL) -> list[Trouble]:
    """Return the troubles about numbers that still stand in the roster; a number that was replaced is corrected."""
    standing = {
        number_subject(realm, person.id, mask(phone.number))
        for person in county.people.values()
        for phone in person.phones
    }
    found = step.find(
        TROUBLES, Where("kind", "=", NUMBER_WRONG), Where("realm", "=", realm), order=("at",), limit=10_000
    )
    return [item for item in found if item.subject in standing]
