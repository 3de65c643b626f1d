"""What a person at the pages may do: vouch, say that somebody was at the door, pause, end, correct, order, close."""

from __future__ import annotations

import re

from agents.callout.state import CalloutState
from agents.intake.state import CHAINS, ChainState
from streams.rooms import TROUBLES
from tests.wire.gateway_house import CUT_OFF_TOWNSHIP, OTHER_TOWNSHIP, TOWNSHIP, Gate

XML = {"Content-Type": "application/cap+xml"}
FORBIDDEN = ("脱岗", "失职", "迟报", "瞒报", "启动响应", "下令", "100%不漏", "12379")


def test_a_vouch_from_the_township_page_closes_the_callout(night: Gate):
    callout, browser = night.unanswered(), night.browser("township")
    page = browser.get(f"/board/{TOWNSHIP}")
    answer = browser.send(f"/callouts/{callout.id}/vouch", page, by="李某", heard_by="村主任", how="对讲机")
    night.runner.settle()
    assert answer.status_code == 303
    assert "代确认" in browser.get(answer.headers["location"])
    assert night.callouts(id=callout.id)[0].state is CalloutState.VOUCHED


def test_somebody_at_the_door_is_another_state_than_a_word_for_it(night: Gate):
    callout, browser = night.unanswered(), night.browser("township")
    page = browser.get(f"/board/{TOWNSHIP}")
    fields = {"by": "冯德顺", "heard_by": "村主任本人", "how": "敲门叫醒", "at_the_door": "yes"}
    assert browser.send(f"/callouts/{callout.id}/vouch", page, **fields).status_code == 303
    night.runner.settle()
    assert night.callouts(id=callout.id)[0].state is CalloutState.KNOCKED
    assert callout.id not in browser.get(f"/board/{TOWNSHIP}")


def test_a_form_without_the_mark_of_its_page_does_nothing(night: Gate):
    callout, browser = night.unanswered(), night.browser("township")
    fields = {"by": "李某", "heard_by": "村主任", "how": "对讲机"}
    for csrf in ({}, {"csrf": "guess"}):
        answer = browser.client.post(f"/callouts/{callout.id}/vouch", data={**fields, **csrf})
        assert answer.status_code == 403
    night.runner.settle()
    assert night.callouts(id=callout.id)[0].state is callout.state


def test_one_sessions_mark_does_not_fit_anothers_form(night: Gate):
    one, other = night.browser("operator"), night.browser("township")
    page, (chain,) = one.get("/board"), night.house.ledger.step(lambda step: step.find(CHAINS))
    assert other.send(f"/chains/{chain.id}/pause", page).status_code == 403


def test_a_township_sees_and_acts_on_itself_only(night: Gate):
    browser, foreign = night.browser("township"), night.unanswered(CUT_OFF_TOWNSHIP)
    page = browser.get("/board")
    assert "云台乡" not in page
    assert 'href="/chains/' not in page
    assert browser.client.get(f"/board/{OTHER_TOWNSHIP}").status_code == 403
    assert browser.client.get(f"/callouts/{foreign.id}").status_code == 403
    fields = {"by": "李某", "heard_by": "村主任", "how": "对讲机"}
    assert browser.send(f"/callouts/{foreign.id}/vouch", page, **fields).status_code == 403


def test_a_reader_sees_no_button_and_may_press_none(night: Gate):
    browser, (chain,) = night.browser("reader"), night.house.ledger.step(lambda step: step.find(CHAINS))
    page = browser.get("/board")
    assert "暂停 5 分钟" not in page
    assert browser.send(f"/chains/{chain.id}/pause", page).status_code == 403


def test_one_touch_pauses_and_one_touch_resumes(night: Gate):
    browser, (chain,) = night.browser(), night.house.ledger.step(lambda step: step.find(CHAINS))
    answer = browser.send(f"/chains/{chain.id}/pause", browser.get("/board"))
    assert answer.status_code == 303
    night.runner.settle()
    paused = browser.get("/board")
    assert "已暂停，自动恢复时间" in paused
    browser.send(f"/chains/{chain.id}/resume", paused)
    night.runner.settle()
    assert "已暂停，自动恢复时间" not in browser.get("/board")


def test_a_cancellation_is_asked_for_twice_and_says_that_nobody_is_sent_home(night: Gate):
    browser, (chain,) = night.browser(), night.house.ledger.step(lambda step: step.find(CHAINS))
    page = browser.get(f"/chains/{chain.id}/cancel")
    assert "不会通知任何人返回" in page
    assert browser.send(f"/chains/{chain.id}/cancel", page, by="王某", text="雨停").status_code == 303
    night.live_through(minutes=1)
    (ended,) = night.house.ledger.step(lambda step: step.find(CHAINS))
    assert ended.state is ChainState.CANCELLED
    assert "现在没有进行中的预警" in browser.get("/board")


def test_a_trouble_is_closed_by_name_once(night: Gate):
    browser = night.browser()
    found = night.house.ledger.step(lambda step: step.find(TROUBLES))[0]
    page = browser.get("/board")
    assert browser.send(f"/troubles/{found.id}/close", page, by="").status_code == 400
    for by in ("王某", "李某"):
        assert browser.send(f"/troubles/{found.id}/close", page, by=by).status_code == 303
    closed = night.house.ledger.step(lambda step: step.load(TROUBLES, [found.id]))[found.id]
    assert closed.closed_by == "王某"
    (entry,) = night.house.ledger.step(lambda step: step.entries(found.id))
    assert entry.what == "trouble_closed"


def test_a_call_is_ordered_from_the_form(gate: Gate):
    browser = gate.browser("township")
    page = browser.get("/order")
    fields = {"hazard": "flash_flood", "colour": "red", "text": "请转移", "by": "王某", "on_word_of": "巡查员"}
    answer = browser.send("/order", page, villages=[TOWNSHIP], **fields)
    gate.live_through(minutes=1)
    assert answer.status_code == 303
    assert "人工叫应" in browser.get("/board")
    assert {callout.township for callout in gate.callouts() if callout.level == "village"} == {TOWNSHIP}
    assert "柳林镇" not in page


def test_an_order_that_lacks_something_keeps_what_was_filled_in(gate: Gate):
    browser = gate.browser()
    fields = {"hazard": "flash_flood", "colour": "orange", "text": "请转移", "by": "王某", "on_word_of": ""}
    answer = browser.send("/order", browser.get("/order"), villages=[TOWNSHIP], **fields)
    assert answer.status_code == 400
    assert "on_word_of" in answer.text
    assert "请转移</textarea>" in answer.text
    assert re.search(rf'value="{TOWNSHIP}"\s+checked', answer.text)
