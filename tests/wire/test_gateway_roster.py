"""The roster over HTTP: asked for, agreed, refused, taken back; published behind its check; who was on duty."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from rosters.ledger import ROSTER_ASKS, ROSTER_CHANGES, ROSTER_VERSIONS
from tests.wire.gateway_house import CUT_OFF_TOWNSHIP, SAMPLE, Gate, open_gate

POST = "t101-duty"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE, folder)
    return open_gate(tmp_path, county_folder=folder)


def leader(gate: Gate, post: str = POST) -> str:
    county = gate.house.facts.county
    return county.who(county.leader_post(county.posts[post]).id, gate.runner.now).person.name


def asked(gate: Gate, who: str = "township", **changed) -> dict:
    body = {"kind": "stand_in", "post": POST, "person": "p0100", "asked_by": "值班员", "why": "送医", **changed}
    answer = gate.api(who).post("/v1/roster/changes", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def decide(gate: Gate, row_id: str, what: str, who: str = "township", **body):
    return gate.api(who).post(f"/v1/roster/changes/{row_id}/{what}", json=body)


def holder(gate: Gate, post: str = POST) -> tuple[str, str]:
    held = gate.house.facts.county.who(post, gate.runner.now)
    return held.person.id, held.why


def test_a_change_without_anybodys_word_is_only_asked_for(gate: Gate):
    before = holder(gate)
    body = asked(gate)
    assert body["state"] == "pending"
    assert holder(gate) == before
    listed = gate.api("township").get("/v1/roster/changes").json()
    assert [row["id"] for row in listed["asked"]] == [body["id"]]
    assert listed["changes"] == []


def test_the_leader_on_duty_agrees_and_it_is_in_force(gate: Gate):
    answer = decide(gate, asked(gate)["id"], "agree", by=leader(gate))
    assert answer.status_code == 200, answer.text
    assert holder(gate) == ("p0100", "stand_in")


def test_whoever_is_not_the_leader_on_duty_agrees_to_nothing(gate: Gate):
    answer = decide(gate, asked(gate)["id"], "agree", by="路人")
    assert answer.status_code == 400
    assert leader(gate) in answer.json()["detail"]
    assert gate.house.ledger.step(lambda step: step.find(ROSTER_CHANGES)) == []


def test_what_was_refused_or_taken_back_is_decided_once(gate: Gate):
    refused, withdrawn = asked(gate)["id"], asked(gate, why="另一个理由")["id"]
    assert decide(gate, refused, "refuse", by=leader(gate), why="汛期").status_code == 200
    assert decide(gate, withdrawn, "withdraw", by="值班员", why="不换了").status_code == 200
    for row_id in (refused, withdrawn):
        assert decide(gate, row_id, "agree", by=leader(gate)).status_code == 400
    states = {row.id: row.state for row in gate.house.ledger.step(lambda step: step.find(ROSTER_ASKS))}
    assert states == {refused: "refused", withdrawn: "withdrawn"}


def test_a_change_in_force_is_taken_back_with_the_leaders_word_only(gate: Gate):
    before = holder(gate)
    row_id = decide(gate, asked(gate)["id"], "agree", by=leader(gate)).json()["id"]
    gate.live_through(minutes=1)
    assert decide(gate, row_id, "withdraw", by="值班员", why="回来了").status_code == 400
    assert decide(gate, row_id, "withdraw", by="值班员", why="回来了", agreed_by=leader(gate)).status_code == 200
    gate.live_through(seconds=1)
    assert holder(gate) == before


def test_requests_of_another_township_are_neither_shown_nor_decided(gate: Gate):
    posts = gate.house.facts.county.posts.values()
    other = next(post.id for post in posts if post.region == CUT_OFF_TOWNSHIP and post.kind == "duty_officer")
    row_id = asked(gate, "operator", post=other)["id"]
    assert gate.api("township").get("/v1/roster/changes").json()["asked"] == []
    assert decide(gate, row_id, "agree", by=leader(gate, other)).status_code == 403
    assert decide(gate, row_id, "agree", "reader", by=leader(gate, other)).status_code == 403
    assert decide(gate, "real|ask|0000", "agree", by="x").status_code == 404


def test_a_swap_is_asked_for_and_agreed_at_the_page(gate: Gate):
    browser = gate.browser("township")
    page = browser.get("/roster")
    fields = {"kind": "swap", "post": POST, "starts_at": "2021-07-20T09:00", "second_at": "2021-07-22T09:00"}
    sent = browser.send("/roster/changes", page, **fields, asked_by="值班员", why="家中有事")
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"] == "/roster?said=asked"
    (row,) = gate.house.ledger.step(lambda step: step.find(ROSTER_ASKS))
    shown = browser.get("/roster")
    assert "家中有事" in shown
    assert browser.send(f"/roster/changes/{row.id}/agree", shown, by=leader(gate)).status_code == 303
    assert "没有待同意的申请" in browser.get("/roster")
    (made,) = gate.house.ledger.step(lambda step: step.find(ROSTER_CHANGES))
    assert [f"{stretch.starts_at:%m-%d %H:%M}" for stretch in made.change.stretches] == ["07-20 00:00", "07-22 00:00"]


def test_a_time_that_is_none_is_refused_at_the_page_in_words(gate: Gate):
    browser = gate.browser("township")
    fields = {"kind": "leave", "person": "p0100", "ends_at": "明天", "asked_by": "x", "why": "y"}
    answer = browser.send("/roster/changes", browser.get("/roster"), **fields)
    assert answer.status_code == 400
    assert "明天" in answer.text


def publish(gate: Gate, who: str = "operator", **body):
    return gate.api(who).post("/v1/roster/versions", json={"by": "周主任", **body})


def make_a_hole(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "county" / "shifts.csv"
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in rows if not (row.startswith("t101-duty,") and ",2021-07-22 08:00,2021" in row)]
    file.write_text("".join(kept), encoding="utf-8")


def test_a_roster_with_a_gap_is_refused_with_the_gap_named_to_the_minute(gate: Gate, tmp_path: Path):
    make_a_hole(gate, tmp_path)
    answer = publish(gate)
    assert answer.status_code == 400
    assert "t101-duty），2021-07-22 08:00 – 2021-07-23 08:00" in answer.json()["detail"]
    assert gate.house.ledger.step(lambda step: step.find(ROSTER_VERSIONS)) == []


def test_it_is_published_despite_that_by_name_and_with_a_reason(gate: Gate, tmp_path: Path):
    make_a_hole(gate, tmp_path)
    assert publish(gate, despite="县值班室代值").status_code == 201
    (row,) = gate.api("reader").get("/v1/roster/versions").json()["versions"]
    assert (row["n"], row["despite"], row["by"]) == (1, "县值班室代值", "周主任（operator）")


def test_a_township_publishes_no_roster_of_the_county(gate: Gate):
    assert publish(gate, "township").status_code == 403


def test_files_with_faults_are_not_published(gate: Gate, tmp_path: Path):
    (tmp_path / "county" / "posts.csv").write_text("id\n", encoding="utf-8")
    answer = publish(gate)
    assert (answer.status_code, answer.json()["element"]) == (400, "folder")


def test_who_was_on_duty_is_told_as_it_was_published_and_known(gate: Gate):
    asks = gate.api("township")
    assert asks.get("/v1/roster/who", params={"post": POST}).status_code == 404
    publish(gate, despite="样例")
    first = holder(gate)
    before = gate.runner.now
    gate.live_through(minutes=1)
    decide(gate, asked(gate)["id"], "agree", by=leader(gate))
    later = before + timedelta(minutes=30)
    now = asks.get("/v1/roster/who", params={"post": POST, "at": later.isoformat()}).json()
    then = asks.get(
        "/v1/roster/who", params={"post": POST, "at": later.isoformat(), "known_at": before.isoformat()}
    ).json()
    assert (now["person"], now["because"], now["version"]) == ("p0100", "stand_in", 1)
    assert (then["person"], then["because"]) == first


def test_the_check_tells_each_flaw_with_its_severity_within_the_region(gate: Gate):
    whole = gate.api("reader").get("/v1/roster/check", params={"days": 14}).json()
    mine = gate.api("watcher").get("/v1/roster/check", params={"days": 14}).json()
    assert {one["severity"] for one in whole["findings"]} <= {"blocks", "warns", "note"}
    assert len(mine["findings"]) <= len(whole["findings"])
    assert all(post.startswith(("t101", "v101", "hz")) for one in mine["findings"] for post in one["posts"])


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2021-07-20T09:00:00", "morgen"]
)
def test_a_time_that_no_roster_speaks_of_is_refused_and_breaks_nothing(gate: Gate, at: str):
    body = {"kind": "swap", "post": POST, "starts_at": at, "second_at": at, "asked_by": "x", "why": "y"}
    assert gate.api("operator").post("/v1/roster/changes", json=body).status_code == 400
    assert gate.api("reader").get("/v1/roster/who", params={"post": POST, "at": at}).status_code == 400
