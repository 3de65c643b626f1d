"""Numbers verified over HTTP: asked for, the code told, taken back, shown; within one's region, and never in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.phones.codes import phone_code
from agents.phones.record import with_verified
from agents.phones.state import VERIFICATIONS, Verification
from tests.wire.gateway_house import CUT_OFF_TOWNSHIP, NUMBER_KEY, TOWNSHIP, Gate, open_gate

PHONES = "/v1/roster/phones"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Return a gate on the next morning: nobody is woken for this."""
    made = open_gate(tmp_path)
    made.live_through(hours=11)
    return made


def somebody(gate: Gate, township: str = TOWNSHIP) -> str:
    """Return somebody who stands in a township, and nowhere else, and answers when called."""
    county = gate.house.facts.county
    return next(
        person.id
        for person in county.people.values()
        if (posts := county.posts_of_person(person.id)) and person.phones and person.phones[0].kind == "mobile"
        if all(county.posts[post].region.startswith(township[:9]) for post in posts)
    )


def verify(gate: Gate, person: str, who: str = "township", **more):
    return gate.api(who).post(f"{PHONES}/verify", json={"person": person, **more})


def line(gate: Gate, person: str, who: str = "township") -> dict:
    listed = gate.api(who).get(PHONES).json()["phones"]
    return next(row for row in listed if row["person"] == person)


def latest(gate: Gate) -> Verification:
    return gate.house.ledger.step(lambda step: step.find(VERIFICATIONS, order=("asked_at",)))[-1]


def test_a_number_that_was_rung_and_confirmed_is_shown_as_verified(gate: Gate):
    person = somebody(gate)
    assert line(gate, person)["verified"] is False
    asked = verify(gate, person)
    assert asked.status_code == 202, asked.text
    assert asked.json()["state"] == "waiting"
    gate.live_through(minutes=3)
    row = line(gate, person)
    assert (row["verified"], row["how"], row["by"]) == (True, "key", "township")


def test_the_code_that_was_heard_and_told_verifies_and_another_does_not(gate: Gate):
    person = somebody(gate)
    assert verify(gate, person, by_text=True).status_code == 202
    gate.live_through(minutes=3)
    right = phone_code(latest(gate).callout_id, NUMBER_KEY)
    wrong = "0000" if right != "0000" else "1111"

    refused = gate.api("township").post(f"{PHONES}/code", json={"person": person, "code": wrong})
    assert refused.status_code == 400
    assert "核实码不对" in refused.text
    assert latest(gate).wrong_codes == 1

    taken = gate.api("township").post(f"{PHONES}/code", json={"person": person, "code": right})
    assert taken.status_code == 200, taken.text
    assert taken.json()["state"] == "verified"
    county = gate.house.ledger.step(lambda step: with_verified(step, gate.house.facts.county, NUMBER_KEY))
    assert county.people[person].phones[0].verified


def test_what_was_verified_is_taken_back_with_a_reason(gate: Gate):
    person = somebody(gate)
    verify(gate, person)
    gate.live_through(minutes=3)
    taken = gate.api("township").post(f"{PHONES}/withdraw", json={"person": person, "why": "号码停用"})
    assert taken.status_code == 200, taken.text
    assert line(gate, person)["verified"] is False
    again = gate.api("township").post(f"{PHONES}/withdraw", json={"person": person, "why": "号码停用"})
    assert again.status_code == 400


def test_nobody_is_woken_for_it_unless_it_is_said(gate: Gate):
    person = somebody(gate)
    gate.live_through(hours=15)
    refused = verify(gate, person)
    assert refused.status_code == 400
    assert "夜里" in refused.text
    assert verify(gate, person, at_night=True).status_code == 202


def test_a_township_sees_and_asks_its_own_people_only(gate: Gate):
    other = somebody(gate, CUT_OFF_TOWNSHIP)
    assert verify(gate, other).status_code == 403
    people = {row["person"] for row in gate.api("township").get(PHONES).json()["phones"]}
    assert other not in people
    assert other in {row["person"] for row in gate.api("operator").get(PHONES).json()["phones"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("verify", {"person": "没有这个人"}),
        ("verify", {"person": "p0100", "nth": 9}),
        ("code", {"person": "p0100", "code": "1234"}),
    ],
)
def test_what_cannot_be_is_refused_in_words(gate: Gate, path: str, body: dict):
    answer = gate.api("operator").post(f"{PHONES}/{path}", json=body)
    assert answer.status_code == 400, answer.text


def test_who_may_only_look_cannot_ask(gate: Gate):
    assert verify(gate, somebody(gate), "watcher").status_code == 403
    assert gate.api("watcher").get(PHONES).status_code == 200
    assert gate.api().get(PHONES).status_code == 401


def test_the_same_number_is_asked_once_while_it_is_being_asked(gate: Gate):
    person = somebody(gate)
    first, second = verify(gate, person).json(), verify(gate, person).json()
    assert first["id"] == second["id"]
