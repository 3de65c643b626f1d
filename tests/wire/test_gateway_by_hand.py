"""我来打: the calls that people are asked to make, on the board, at their page and by API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.callout.state import Callout, CalloutState
from agents.dial.state import ATTEMPTS, Attempt
from streams.ledger.contract import Where
from streams.words import Channel
from tests.wire.gateway_house import NIGHT, TOWNSHIP, Gate, cap

XML = {"Content-Type": "application/cap+xml"}


@pytest.fixture
def asked(gate: Gate) -> Gate:
    """A red warning, twenty seconds old, in a county whose leaders are called by people first."""
    county, book = gate.house.facts.county, gate.house.facts.book
    ladders = book.ladders | {"county": book.ladders["county"].model_copy(update={"human_first_s": 120})}
    gate.house.facts.replace(county, book.model_copy(update={"ladders": ladders}))
    assert gate.api("sender").post("/v1/warnings", content=cap(), headers=XML).status_code == 202
    gate.live_through(seconds=20)
    return gate


def calls(gate: Gate) -> list[Attempt]:
    return gate.house.ledger.step(lambda step: step.find(ATTEMPTS, Where("channel", "=", Channel.HAND)))


def first(gate: Gate) -> Attempt:
    return next(item for item in calls(gate) if callout(gate, item).post_id.endswith("main"))


def callout(gate: Gate, call: Attempt) -> Callout:
    return gate.callouts(id=call.callouts[0])[0]


def test_the_board_shows_whom_a_person_is_to_call_and_when_the_machine_does(asked: Gate):
    page = asked.browser().get("/board")
    assert page.count("我来打") == len(calls(asked))
    assert "系统自动拨打于 22:01" in page


def test_the_page_of_a_call_says_what_to_say_and_no_number_in_clear(asked: Gate):
    call = first(asked)
    page = asked.browser().get(f"/hand/{call.id}")
    assert call.voice in page
    assert asked.house.facts.county.people[call.person_id].name in page
    assert "领导先由人工呼叫" in page


def test_who_takes_a_call_is_shown_to_the_others(asked: Gate):
    call, browser = first(asked), asked.browser()
    page = browser.get(f"/hand/{call.id}")
    assert browser.send(f"/hand/{call.id}", page, result="taken", by="李某").status_code == 303
    asked.runner.settle()
    assert "由谁呼叫 李某" in asked.browser().get("/board")


def test_what_was_written_down_answers_the_callout_with_who_called_and_who_was_spoken_to(asked: Gate):
    call, browser = first(asked), asked.browser()
    page = browser.get(f"/hand/{call.id}")
    answer = browser.send(f"/hand/{call.id}", page, result="spoken", by="李某", spoken_to="王县长", note="马上到")
    asked.runner.settle()
    assert "呼叫结果已登记" in browser.get(answer.headers["location"])
    row = callout(asked, call)
    assert row.state is CalloutState.SPOKEN
    assert (row.hand_receipt.by, row.hand_receipt.spoken_to) == ("李某", "王县长")
    story = browser.get(f"/callouts/{row.id}")
    assert "王县长" in story
    assert "人工叫到" in story


def test_without_a_name_of_who_was_spoken_to_nothing_is_written_down(asked: Gate):
    call, browser = first(asked), asked.browser()
    page = browser.get(f"/hand/{call.id}")
    assert browser.send(f"/hand/{call.id}", page, result="spoken", by="李某").status_code == 400
    asked.runner.settle()
    assert callout(asked, call).is_open


def test_a_call_that_is_over_offers_no_form(asked: Gate):
    call = first(asked)
    asked.live_through(minutes=5)
    page = asked.browser().get(f"/hand/{call.id}")
    assert "这个呼叫已了结" in page
    assert "登记结果" not in page


def test_the_same_by_api(asked: Gate):
    api = asked.api("operator")
    (listed,) = [one for one in api.get("/v1/handcalls").json()["hand_calls"] if one["id"] == first(asked).id]
    assert listed["why"] == "leader_first"
    assert listed["machine_at"] == (NIGHT + timedelta(seconds=120)).isoformat()

    body = {"by": "李某", "result": "proxy", "spoken_to": "联络员赵某"}
    path = f"/v1/handcalls/{listed['id']}/log"
    assert api.post(path, json=body).status_code == 202
    assert api.post(path, json=body).status_code == 200
    asked.runner.settle()
    assert callout(asked, first(asked)).state is CalloutState.VOUCHED


def test_who_may_only_look_sees_the_calls_and_writes_nothing_down(asked: Gate):
    call = first(asked)
    assert asked.api("reader").get("/v1/handcalls").json()["hand_calls"]
    answer = asked.api("reader").post(f"/v1/handcalls/{call.id}/log", json={"by": "x", "result": "no_answer"})
    assert answer.status_code == 403
    assert "登记结果" not in asked.browser("reader").get(f"/hand/{call.id}")


def test_a_township_is_not_asked_to_call_the_countys_leaders(asked: Gate):
    call = first(asked)
    assert asked.api("township").get("/v1/handcalls").json() == {"hand_calls": []}
    assert asked.browser("township").client.get(f"/hand/{call.id}").status_code == 403
    body = {"by": "李某", "result": "no_answer"}
    assert asked.api("township").post(f"/v1/handcalls/{call.id}/log", json=body).status_code == 403
    assert asked.browser("township").get(f"/board/{TOWNSHIP}")


def test_a_call_of_the_machine_is_nobodys_to_write_down(asked: Gate):
    asked.live_through(minutes=3)
    rung = asked.house.ledger.step(lambda step: step.find(ATTEMPTS, Where("channel", "=", Channel.VOICE), limit=1))
    body = {"by": "李某", "result": "spoken", "spoken_to": "王某"}
    assert asked.api("operator").post(f"/v1/handcalls/{rung[0].id}/log", json=body).status_code == 404
    assert asked.browser().client.get(f"/hand/{rung[0].id}").status_code == 404
