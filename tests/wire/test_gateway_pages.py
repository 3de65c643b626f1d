"""The pages: who has not answered, and what a person at them may do; never more than was proved, never a number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import to_json

from agents.callout.course import CalloutReason
from agents.callout.state import CALLOUTS, CalloutState
from agents.dial.hear import DialReason
from agents.intake.state import CHAINS, ChainState
from agents.plan.state import ROUNDS
from agents.visit.state import VISITS, ItemState
from rosters.model import Knocker
from streams.doors.http.showing import Need, View, chains_of, show_chains, troubles_of, unanswered_of
from streams.doors.http.words import load_words
from streams.ledger.contract import FullStep
from streams.ledger.sql import SqlLedger
from streams.letters import Move
from streams.rooms import TROUBLES
from streams.wiring import TABLES
from streams.words import Colour, Level, Outcome
from tests.wire.gateway_house import SECRETS, TOWNSHIP, Gate, Wire, cap, open_gate

XML = {"Content-Type": "application/cap+xml"}
FORBIDDEN = ("脱岗", "失职", "迟报", "瞒报", "启动响应", "下令", "100%不漏", "12379")


def test_nobody_sees_a_page_without_logging_in(gate: Gate):
    for path in ("/board", f"/board/{TOWNSHIP}", "/order", "/callouts/real|callout|00", "/chains/real|chain|00/cancel"):
        answer = Wire(gate.app, {"Accept": "text/html"}).get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), path


def test_a_wrong_token_is_told_on_a_page(gate: Gate):
    browser = Wire(gate.app, {"Accept": "text/html"})
    mark = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)[1]
    answer = browser.post("/login", data={"csrf": mark, "token": "not-a-token"})
    assert answer.status_code == 401
    assert "令牌不存在或已作废" in answer.text


def test_a_senders_token_does_not_open_the_pages(gate: Gate):
    browser = Wire(gate.app, {"Accept": "text/html"})
    mark = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)[1]
    assert browser.post("/login", data={"csrf": mark, "token": SECRETS["sender"]}).status_code == 403


def test_the_session_cookie_is_for_this_site_and_no_script(gate: Gate):
    browser = Wire(gate.app)
    mark = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)[1]
    answer = browser.post("/login", data={"csrf": mark, "token": SECRETS["reader"]})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert SECRETS["reader"] not in cookie


def test_a_session_ends_after_twelve_hours_and_at_log_out(gate: Gate):
    browser, other = gate.browser(), gate.browser("reader")
    assert other.send("/logout", other.get("/board")).headers["location"] == "/"
    assert other.client.get("/board").headers["location"] == "/"
    browser.get("/board")
    gate.runner.clock.advance(12 * 3600)
    assert browser.client.get("/board").headers["location"] == "/"


def test_the_board_shows_colour_progress_and_the_unanswered_by_township(night: Gate):
    page = night.browser().get("/board")
    assert "红色" in page
    assert "暴雨" in page
    assert "村级" in page
    assert "未应名单" in page
    assert "云台乡" in page
    assert "失联" in page


def test_the_lost_stand_before_the_silent_and_those_who_are_gone_to_last(night: Gate):
    lists = night.api("reader").get("/v1/unreached").json()["townships"]
    order = [need.name.lower() for need in Need]
    for township in lists:
        needs = [order.index(place["need"]) for place in township["places"]]
        assert needs == sorted(needs)
    assert {place["need"] for township in lists for place in township["places"]} >= {"lost", "visited"}


def test_a_place_whose_visit_is_overdue_is_silent_again(night: Gate):
    callout = night.unanswered()
    before = night.browser().get(f"/board/{TOWNSHIP}")
    night.live_through(minutes=20)
    places = night.api("reader").get(f"/v1/unreached?township={TOWNSHIP}").json()["townships"][0]["places"]
    after = {place["callout_id"]: place for place in places}[callout.id]
    assert "已转上门" in before
    assert after["visit"] == ItemState.OVERDUE
    assert after["need"] in ("lost", "silent")


def test_the_township_page_names_who_may_knock(night: Gate):
    callout = night.unanswered()
    page = night.browser().get(f"/board/{TOWNSHIP}")
    knockers = night.house.facts.county.knockers(callout.region)
    assert knockers
    assert all(knocker.name in page for knocker in knockers)


def test_a_knocker_s_real_number_is_masked(night: Gate, monkeypatch: pytest.MonkeyPatch):
    callout = night.unanswered()
    real = Knocker(region=callout.region, name="冯德顺", role="组长", phone="+8613812345678")
    roster = {**night.house.facts.county._knockers, callout.region: (real,)}
    monkeypatch.setattr(night.house.facts.county, "_knockers", roster)
    page = night.browser().get(f"/board/{TOWNSHIP}")
    assert "138****5678" in page
    assert "13812345678" not in page


def test_no_page_shows_a_number_or_a_token(night: Gate):
    browser = night.browser()
    confirmed = night.callouts(state=("confirmed",))[0]
    (chain,) = night.house.ledger.step(lambda step: step.find(CHAINS))
    pages = [
        browser.get(path)
        for path in (
            "/board",
            f"/board/{TOWNSHIP}",
            f"/callouts/{confirmed.id}",
            f"/callouts/{night.unanswered().id}",
            "/order",
            f"/chains/{chain.id}/correct",
        )
    ]
    for page in pages:
        assert not re.search(r"(?<![0-9A-Za-z])(\+86|1[3-9]\d{9})(?![0-9A-Za-z])", page)
        assert not [secret for secret in SECRETS.values() if secret in page]
        assert not [word for word in FORBIDDEN if word in page]


def test_the_callout_page_tells_what_a_key_proves_and_what_not(night: Gate):
    page = night.browser().get(f"/callouts/{night.callouts(state=('confirmed',))[0].id}")
    assert "已应（接通、听完、按键收到）" in page
    assert "不证明接听的是谁" in page
    assert "按1收到" in page


# What kind of night it is


def test_a_drill_is_loud_and_apart_from_the_real_board(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(status="Exercise"), headers=XML)
    gate.live_through(minutes=1)
    browser = gate.browser()
    real, drill = browser.get("/board"), browser.get("/board?realm=drill:cap")
    assert "现在没有进行中的预警" in real
    assert "drill%3Acap" in real
    assert "【演练】" in drill
    assert "暴雨" in drill


def test_an_installation_in_a_drill_says_so_on_every_page(tmp_path: Path):
    gate = open_gate(tmp_path, realm="drill:2021-07")
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    gate.live_through(minutes=1)
    browser = gate.browser()
    callout = gate.callouts()[0]
    assert callout.realm == "drill:2021-07"
    for path in ("/board", "/order", f"/callouts/{callout.id}", f"/board/{TOWNSHIP}"):
        assert "【演练】" in browser.get(path), path


@pytest.mark.parametrize(("rehearsal", "shown"), [(True, True), (False, False)])
def test_rehearsal_is_told(tmp_path: Path, rehearsal: bool, shown: bool):
    page = open_gate(tmp_path, rehearsal=rehearsal).browser().get("/board")
    assert ("不会拨打真实电话" in page) is shown


def test_english_is_a_setting(tmp_path: Path):
    page = open_gate(tmp_path, language="en").browser().get("/board")
    assert "Open warnings" in page
    assert "未应名单" not in page


def test_a_page_loads_nothing_from_elsewhere_and_stands_in_no_frame(gate: Gate):
    answer = gate.browser().client.get("/board")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


def test_what_an_issuer_writes_is_shown_as_text(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(text="&lt;script&gt;alert(1)&lt;/script&gt;"), headers=XML)
    gate.live_through(minutes=1)
    browser = gate.browser()
    page = browser.get("/board") + browser.get(f"/callouts/{gate.callouts()[0].id}")
    assert "<script>alert" not in page


def everything(step: FullStep, view: View) -> str:
    """All that the board is made of, as JSON without the counts of saves."""
    shown = (show_chains(step, view, chains_of(step, view)), unanswered_of(step, view), troubles_of(step, view))
    return re.sub(r'"version":\d+,', "", to_json(shown).decode())


def test_both_ledgers_answer_the_pages_alike(night: Gate, tmp_path: Path):
    on_disk = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", TABLES, create=True)
    try:
        for table in (CHAINS, ROUNDS, CALLOUTS, VISITS, TROUBLES):
            rows = night.house.ledger.step(lambda step, one=table: step.find(one, limit=10_000))
            fresh = [row.model_copy(update={"version": 0}) for row in rows]
            on_disk.step(lambda step, one=table, copied=fresh: step.save(one, copied))
        view = View("real", night.house.facts.county, night.runner.now)
        told = [ledger.step(lambda step: everything(step, view)) for ledger in (night.house.ledger, on_disk)]
    finally:
        on_disk.close()
    assert len(told[0]) > 10_000
    assert told[0] == told[1]


# Words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_and_reason_has_a_word(language):
    sections = load_words(language).sections
    wanted = {
        "states": CalloutState,
        "whys": [*CalloutReason, DialReason.CLAIMED],
        "chain_states": ChainState,
        "moves": Move,
        "items": ItemState,
        "outcomes": Outcome,
        "colours": Colour,
        "levels": Level,
        "needs": [need.name.lower() for need in Need],
    }
    for section, keys in wanted.items():
        missing = [str(key) for key in keys if str(key) not in sections[section]]
        assert not missing, section


def test_no_word_says_what_a_machine_may_not_say():
    words = [word for pairs in load_words("zh").sections.values() for word in pairs.values()]
    assert not [word for word in words for forbidden in FORBIDDEN if forbidden in word]
