"""What a duty room does over HTTP: change the roster, sign for a handover, read the spot checks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agents.duty.record import plan_spot_checks
from agents.duty.state import CALENDARS, HANDOVERS
from config.rules import DutyKnobs
from rosters.ledger import ROSTER_CHANGES
from tests.wire.gateway_house import CUT_OFF_TOWNSHIP, TOWNSHIP, Gate, open_gate

POST = "t101-duty"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    gate = open_gate(tmp_path)
    book = gate.house.facts.book
    knobs = book.knobs.model_copy(update={"duty": DutyKnobs(handovers=True, equipment=("卫星电话",))})
    gate.house.roster.publish(gate.house.facts.county, book.model_copy(update={"knobs": knobs}))
    gate.runner.settle()
    return gate


def leader(gate: Gate, post: str = POST) -> str:
    county = gate.house.facts.county
    return county.who(county.leader_post(county.posts[post]).id, gate.runner.now).person.name


def stand_in(gate: Gate, **changed) -> dict:
    return {
        "kind": "stand_in",
        "post": POST,
        "person": "p0100",
        "asked_by": "值班员",
        "agreed_by": leader(gate),
        "why": "送医",
        **changed,
    }


def holder(gate: Gate, post: str = POST) -> tuple[str, str]:
    held = gate.house.facts.county.who(post, gate.runner.now)
    return held.person.id, held.why


def handover(gate: Gate, post: str = POST):
    rows = gate.house.ledger.step(lambda step: step.find(HANDOVERS))
    return next(row for row in rows if row.post_id == post)


def name(gate: Gate, person: str) -> str:
    return gate.house.facts.county.people[person].name


def test_a_stand_in_by_the_api_holds_the_post_at_once(gate: Gate):
    answer = gate.api("township").post("/v1/roster/changes", json=stand_in(gate))
    assert answer.status_code == 201, answer.text
    assert "顶班" in answer.json()["said"]
    assert holder(gate) == ("p0100", "stand_in")


def test_a_change_that_the_leader_did_not_agree_to_is_refused_with_who_it_is(gate: Gate):
    answer = gate.api("operator").post("/v1/roster/changes", json=stand_in(gate, agreed_by="路人"))
    assert answer.status_code == 400
    assert answer.json()["element"] == "agreed_by"
    assert leader(gate) in answer.json()["detail"]
    assert gate.house.ledger.step(lambda step: step.find(ROSTER_CHANGES)) == []


def test_a_township_changes_its_own_roster_only_and_a_reader_none(gate: Gate):
    other = next(
        post.id for post in gate.house.facts.county.posts.values() if post.region == CUT_OFF_TOWNSHIP and post.on_shift
    )
    body = stand_in(gate, post=other, agreed_by=leader(gate, other))
    assert gate.api("township").post("/v1/roster/changes", json=body).status_code == 403
    assert gate.api("reader").post("/v1/roster/changes", json=body).status_code == 403
    assert gate.house.ledger.step(lambda step: step.find(ROSTER_CHANGES)) == []


def test_a_leave_without_its_end_says_what_is_missing(gate: Gate):
    body = {"kind": "leave", "person": "p0100", "asked_by": "a", "agreed_by": "b", "why": "c"}
    answer = gate.api("operator").post("/v1/roster/changes", json=body)
    assert (answer.status_code, answer.json()["element"]) == (400, "ends_at")


def test_both_sign_at_the_page_and_the_shift_is_taken_over(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    row, browser = handover(gate), gate.browser("township")
    page = browser.get("/handovers")
    assert "待交接" in page
    for side, person in (("out", row.outgoing), ("in", row.incoming)):
        fields = {"side": side, "person": name(gate, person), "notes": "卫星电话已充电"}
        fields |= {"works:卫星电话": "no", "note:卫星电话": "天线损坏"} if side == "out" else {}
        answer = browser.send(f"/handovers/{row.id}/sign", page, **fields)
        assert answer.status_code == 303, answer.text
    shown = browser.get("/handovers?said=signed")
    assert "已接班" in shown
    assert "卫星电话已充电" in shown
    assert "卫星电话 故障 天线损坏" in shown
    assert handover(gate).signed_in.person_id == row.incoming


def test_a_handover_of_another_township_is_neither_shown_nor_signed(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    rows = gate.api("township").get("/v1/handovers").json()["handovers"]
    assert {row["region"] for row in rows} == {TOWNSHIP}
    county = handover(gate, "c-duty")
    body = {"side": "in", "person": name(gate, county.incoming)}
    assert gate.api("township").post(f"/v1/handovers/{county.id}/sign", json=body).status_code == 403


def test_a_name_that_is_not_on_the_roster_for_it_cannot_sign(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    answer = gate.api("operator").post(
        f"/v1/handovers/{handover(gate).id}/sign", json={"side": "in", "person": "p0001"}
    )
    assert answer.status_code == 400
    assert "登记顶班" in answer.json()["detail"]


def test_spot_checks_are_told_by_unit_and_month(gate: Gate):
    moment = gate.runner.now + timedelta(minutes=10)
    county, now = gate.house.facts.county, gate.runner.now
    gate.house.ledger.step(lambda step: plan_spot_checks(step, [(POST, moment)], county, seed="s", by="督查", now=now))
    gate.live_through(hours=1)
    body = gate.api("reader").get("/v1/spotchecks", params={"month": "2021-07"}).json()
    (one,) = body["tallies"]
    assert (one["unit"], one["made"], one["month"]) == ("t101", 1, "2021-07")
    assert sum(one["results"].values()) == 1


def test_the_calendar_is_one_row_however_long_it_goes_on(gate: Gate):
    gate.live_through(hours=40)
    assert len(gate.house.ledger.step(lambda step: step.find(CALENDARS))) == 1


def test_whoever_leaves_and_says_nothing_of_the_equipment_cannot_sign(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    row = handover(gate)
    body = {"side": "out", "person": row.outgoing}
    answer = gate.api("township").post(f"/v1/handovers/{row.id}/sign", json=body)
    assert (answer.status_code, answer.json()["element"]) == (400, "equipment")
    body["equipment"] = [{"name": "卫星电话", "works": True}]
    assert gate.api("township").post(f"/v1/handovers/{row.id}/sign", json=body).status_code == 200


def test_a_measure_is_noted_and_lifted_at_the_page_and_by_the_api(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    browser = gate.browser("township")
    fields = {"post": POST, "text": "砂石厂停工", "on_word_of": "县防指"}
    assert browser.send("/measures", browser.get("/handovers"), **fields).status_code == 303
    assert "砂石厂停工" in browser.get("/handovers")
    assert gate.api("reader").post("/v1/measures", json=fields).status_code == 403
    lifted = gate.api("township").post("/v1/measures/lift", json=fields)
    assert lifted.status_code == 200, lifted.text
    assert lifted.json()["measures"][0]["lifted_by"] == "县防指"
    assert gate.api("township").post("/v1/measures/lift", json=fields).status_code == 400


def test_a_measure_of_another_township_is_none_of_theirs(gate: Gate):
    gate.live_through(hours=9, minutes=50)
    body = {"post": "c-duty", "text": "停工", "on_word_of": "县防指"}
    assert gate.api("township").post("/v1/measures", json=body).status_code == 403
    assert gate.api("operator").post("/v1/measures", json=body | {"post": "nowhere"}).status_code == 404


def test_the_zero_report_is_filed_by_whoever_is_on_duty_and_who_has_not_is_listed(gate: Gate):
    person = gate.house.facts.county.who(POST, gate.runner.now).person
    assert POST in gate.api("reader").get("/v1/zero-reports").json()["missing"]
    answer = gate.api("township").post("/v1/zero-reports", json={"post": POST, "person": "p0001"})
    assert answer.status_code == 400
    assert person.name in answer.json()["detail"]
    filed = gate.api("township").post("/v1/zero-reports", json={"post": POST, "person": person.id})
    assert (filed.status_code, filed.json()["nothing"]) == (201, True)
    body = gate.api("watcher").get("/v1/zero-reports").json()
    assert [row["post_id"] for row in body["reports"]] == [POST]
    assert body["missing"] == []
    assert "无情况" in gate.browser("township").get("/handovers")
