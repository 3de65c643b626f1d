"""Fake telephones at the gateway: they ring, speak, take keys and texts, and exist only where no telephone is real."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agents.callout.state import Callout, CalloutState
from agents.dial.carriers.simulated import OVER_S
from agents.dial.manned import HELD_S
from agents.dial.state import ATTEMPTS, Attempt
from config.settings import Settings
from rosters.numbers import number_digest
from streams.doors.http.phones import KEYS
from streams.fake_phones import phones_are_fake
from streams.ledger.contract import Where
from streams.words import Channel, Outcome
from tests.wire.gateway_house import NUMBER_KEY, TOWNSHIP, Browser, Gate, Wire, cap, open_gate

XML = {"Content-Type": "application/cap+xml"}
ALIYUN = {
    "carrier": "aliyun",
    "number_key": "a key for the digests of numbers",
    "aliyun_access_key_id": "id",
    "aliyun_access_key_secret": "secret",
    "aliyun_show_number": "05711234567",
    "aliyun_ivr_template": "TTS_1",
    "aliyun_sign_name": "禾溪县应急局",
    "aliyun_text_template": "SMS_1",
    "aliyun_receipt_secret": "r" * 30,
}
TWILIO = {
    "carrier": "twilio",
    "number_key": "a key for the digests of numbers",
    "twilio_account_sid": "AC" + "1" * 32,
    "twilio_auth_token": "token",
    "twilio_from_number": "+15005550006",
    "twilio_public_url": "https://example.com",
}


class Held:
    """A telephone that somebody at a page holds, while a red warning is under way."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        county = gate.house.facts.county
        self.post = next(
            post
            for post in county.posts.values()
            if post.id.endswith("-head") and county.township_of(post.region) == TOWNSHIP
        )
        holder = county.who(self.post.id, gate.runner.now, "holder")
        assert holder is not None
        self.number = holder.person.phones[0].number
        self.key = number_digest(self.number, NUMBER_KEY)
        self.browser = gate.browser()
        self.path = f"/fake-phones/{self.key}"
        self.hold()

    def hold(self, held: str = "yes") -> None:
        self.browser.send(f"{self.path}/hold", self.page, held=held)

    def warned(self) -> Held:
        """A red warning for its township comes in, and the telephone is rung."""
        document = cap(areas=(TOWNSHIP,))
        answer = self.gate.api("sender").post("/v1/warnings", content=document, headers=XML)
        assert answer.status_code == 202
        return self.passed(seconds=3)

    def passed(self, *, seconds: float) -> Held:
        """Let time pass; the page keeps the telephone in hand."""
        self.gate.live_through(seconds=seconds)
        self.hold()
        return self

    @property
    def page(self) -> str:
        return self.browser.get(self.path)

    @property
    def state(self) -> str:
        return re.search(r'data-state="(\w+)"', self.page)[1]

    @property
    def call(self) -> Attempt:
        found = self.gate.house.ledger.step(
            lambda step: step.find(
                ATTEMPTS,
                Where("number_key", "=", self.key),
                Where("channel", "=", Channel.VOICE),
                order=("-dialled_at",),
            )
        )
        return found[0]

    @property
    def callout(self) -> Callout:
        return self.gate.callouts(post_id=self.post.id)[0]

    def does(self, act: str, key: str = "") -> Held:
        answer = self.browser.send(f"{self.path}/calls/{self.call.id}/{act}", self.page, key=key)
        assert answer.status_code == 303, answer.text
        return self.passed(seconds=2)

    def hears_it_all(self) -> Held:
        return self.does("answer").passed(seconds=25)


@pytest.fixture
def held(gate: Gate) -> Held:
    return Held(gate)


def test_a_telephone_in_hand_rings_and_goes_on_ringing_until_somebody_answers(held):
    held.warned()

    assert held.state == "ringing"
    assert held.callout.state is CalloutState.CALLING


def test_a_telephone_left_alone_answers_by_its_habit(held):
    held.hold("")
    held.gate.live_through(seconds=HELD_S)

    answer = held.gate.api("sender").post("/v1/warnings", content=cap(areas=(TOWNSHIP,)), headers=XML)
    held.gate.live_through(seconds=3)

    assert answer.status_code == 202
    assert not held.call.vendor_id.startswith("manned-")


def test_whoever_answers_is_shown_what_is_spoken_and_may_press_only_after_it(held):
    held.warned().does("answer")

    assert held.state == "talking"
    assert held.call.voice in held.page
    assert 'data-may-press=""' in held.page
    held.does("press", "1")
    assert held.call.key == ""
    assert 'data-may-press="yes"' in held.passed(seconds=25).page


@pytest.mark.parametrize(
    ("key", "outcome", "state"),
    [
        ("1", Outcome.CONFIRMED, CalloutState.CONFIRMED),
        ("2", Outcome.FETCHING, CalloutState.FETCHING),
        ("0", Outcome.CANNOT, CalloutState.CALLING),
    ],
)
def test_each_key_does_what_it_says_after_the_whole_message(held, key, outcome, state):
    held.warned().hears_it_all().does("press", key)

    assert held.call.outcome is outcome
    assert held.callout.state is state
    assert held.state == "idle"


def test_a_confirmation_by_hand_proves_that_the_message_was_played_before_the_key(held):
    held.warned().hears_it_all().does("press", "1")

    receipt = held.callout.receipt
    assert receipt is not None
    assert receipt.answered_at < receipt.played_at < receipt.key_at


def test_an_unknown_key_means_nothing(held):
    held.warned().hears_it_all().does("press", "7")

    assert held.call.outcome is None
    assert held.state == "talking"


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        (("hang_up",), Outcome.REJECTED),
        (("missed",), Outcome.NO_ANSWER),
        (("answer", "hang_up"), Outcome.HUNG_UP_EARLY),
    ],
)
def test_whoever_hangs_up_before_the_end_confirmed_nothing(held, acts, outcome):
    held.warned()
    for act in acts:
        held.does(act)

    assert held.call.outcome is outcome or held.callout.calls > 1
    assert held.callout.receipt is None


def test_whoever_heard_it_all_and_presses_nothing_has_heard_it_and_not_confirmed_it(held):
    held.warned().hears_it_all().does("listened").does("hang_up")

    assert Outcome.HEARD_NO_KEY in held.callout.outcomes
    assert held.callout.receipt is None


def test_a_page_that_was_closed_in_the_middle_leaves_no_call_open_for_ever(held):
    call = held.warned().does("answer").call

    held.gate.live_through(minutes=6)

    ended = held.gate.house.ledger.step(lambda step: step.load(ATTEMPTS, [call.id])[call.id])
    assert ended.outcome is Outcome.HUNG_UP_EARLY


def test_a_page_that_was_closed_while_it_rang_leaves_a_call_that_nobody_answered(held):
    call = held.warned().call

    held.gate.live_through(seconds=OVER_S)

    ended = held.gate.house.ledger.step(lambda step: step.load(ATTEMPTS, [call.id])[call.id])
    assert ended.outcome is Outcome.NO_ANSWER


def test_a_call_that_was_confirmed_is_not_ended_once_more(held):
    call = held.warned().hears_it_all().does("press", "1").call

    held.gate.live_through(seconds=2 * OVER_S)

    entries = held.gate.house.ledger.step(lambda step: step.entries(call.id))
    assert [entry.facts["outcome"] for entry in entries if entry.what == "attempt_ended"] == ["confirmed"]


def test_a_text_that_came_is_shown_and_answered_with_its_code(held):
    held.warned()
    code = re.search(r"回复(\d{4})收到", held.page)[1]

    held.browser.send(f"{held.path}/texts", held.page, text=f"{code}收到")
    held.passed(seconds=3)

    assert held.callout.state is CalloutState.REPLIED


def test_the_list_names_every_telephone_by_its_holder_and_finds_one_by_post(held):
    listed = held.browser.get("/fake-phones")
    found = held.browser.get(f"/fake-phones?find={held.post.name}")

    assert len(re.findall(r'href="/fake-phones/[0-9a-f]{24}"', listed)) > 500
    assert held.path in found
    assert "由你接听" in found
    assert len(re.findall(r'href="/fake-phones/[0-9a-f]{24}"', found)) < 20


def test_a_telephone_that_rings_stands_first_in_the_list(held):
    listed = held.warned().browser.get("/fake-phones")

    assert held.path in listed.split("<form", 2)[1] or held.path in listed[: listed.index('id="find"')]


def test_every_button_has_a_name_and_every_field_a_label(held):
    page = held.warned().hears_it_all().page

    assert re.findall(r"<button[^>]*>\s*</button>", page) == []
    assert {key for key in KEYS if f"{key} " in page} == set(KEYS)
    assert '<label for="reply">' in page
    assert 'role="status"' in page or 'aria-live="polite"' in page


def test_a_reader_sees_a_telephone_and_cannot_act(gate):
    held = Held(gate)
    watcher: Browser = gate.browser("reader")
    page = held.warned().browser.get(held.path)

    assert "disabled" in watcher.get(held.path)
    mark = watcher.mark(watcher.get(held.path))
    refused = watcher.client.post(f"{held.path}/calls/{held.call.id}/answer", data={"csrf": mark})
    assert refused.status_code == 403
    assert "接听" in page


def test_nobody_acts_without_the_mark_of_the_session_or_without_logging_in(held):
    held.warned()

    assert held.browser.client.post(f"{held.path}/calls/{held.call.id}/answer", data={"csrf": "x"}).status_code == 403
    stranger = Wire(held.gate.app, {"Accept": "text/html"})
    assert stranger.get(held.path).status_code == 303
    assert stranger.get(f"{held.path}/screen").status_code == 401
    assert stranger.post(f"{held.path}/texts", data={"text": "x"}).status_code == 401


def test_no_number_stands_in_an_address(held):
    assert held.number not in re.findall(r'(?:href|action)="([^"]*)"', held.page)


@pytest.mark.parametrize("account", [ALIYUN, TWILIO], ids=["aliyun", "twilio"])
def test_in_a_county_with_a_real_carrier_there_are_no_fake_telephones_even_in_rehearsal(
    tmp_path: Path, account: dict[str, Any]
):
    gate = open_gate(tmp_path, **account)

    page = gate.browser().client.get("/fake-phones", headers={"Accept": "text/html"})

    assert page.status_code == 404
    assert "/fake-phones" not in gate.browser().get("/board")


@pytest.mark.parametrize(
    ("more", "fake"),
    [
        ({"twilio_api_base": "http://127.0.0.1:9001"}, True),
        ({"twilio_api_base": "http://localhost:9001"}, True),
        ({"twilio_api_base": "https://127.0.0.1.example.com"}, False),
        ({"twilio_api_base": "https://api.twilio.com"}, False),
        ({}, False),
    ],
)
def test_a_vendor_is_fake_only_at_an_address_of_this_machine(more, fake):
    assert phones_are_fake(Settings(**TWILIO, **more)) is fake


def test_of_two_carriers_one_real_is_enough_for_there_to_be_none():
    both = Settings(
        **{**TWILIO, **ALIYUN, "carrier": "twilio", "carrier_fallback": "aliyun"}, twilio_api_base="http://127.0.0.1:1"
    )

    assert not phones_are_fake(both)
