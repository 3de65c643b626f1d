"""Telephones of the fake vendors in a person's hand: what is done at the page comes to us over the vendor's wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rosters.load import load_county
from tests.wire.fake_mainland import Accepted
from tests.wire.fake_phones import Placed
from tests.wire.fake_twilio import serving
from tests.wire.hand_phones import HandAliyun, Hands, HandTwilio
from tests.wire.live_vendors import Nature
from tests.wire.vendor_county import write_county

NUMBER = "12000000007"
QUICK = 8.0
ASKS = """<Response><Say>禾溪县叫应：暴雨红色预警。</Say>
<Gather action="{url}/key" timeout="40" actionOnEmptyResult="true"><Say>收到按1</Say></Gather></Response>"""
DONE = "<Response><Say>已记录</Say><Hangup/></Response>"


@dataclass
class Ours:
    """A gateway that notes what vendors tell it."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/twilio/{what}", self._twilio, methods=["POST"]),
                Route("/aliyun/{what}", self._aliyun, methods=["POST"]),
            ]
        )

    async def _twilio(self, request: Request) -> Response:
        what = request.path_params["what"]
        self.told.append({"what": what, **dict(await request.form())})
        if what == "status":
            return Response(status_code=204)
        words = DONE if what == "key" else ASKS.format(url=f"{self.url}/twilio")
        return Response(words, media_type="application/xml")

    async def _aliyun(self, request: Request) -> Response:
        self.told += [{"what": request.path_params["what"], **each} for each in await request.json()]
        return JSONResponse({"code": 0, "msg": "taken"})

    def said(self, name: str) -> list[str]:
        return [str(each[name]) for each in self.told if each.get(name)]


@dataclass
class Bench:
    """A vendor, the page of its telephones, and our gateway."""

    ours: Ours
    hands: Hands
    page: str

    def do(self, doing: str, **more: str) -> None:
        httpx.post(f"{self.page}/do", json={"number": NUMBER, "doing": doing, **more}).raise_for_status()

    def call(self, vendor: Any, placed: Any, acts: dict[str, tuple[str, str]]) -> None:
        """Let a vendor play a call; `acts` is what the person does when the telephone comes to a state."""

        async def play() -> None:
            call = asyncio.create_task(vendor._happen(placed))
            try:
                for state, (doing, key) in acts.items():
                    await self._reach(state, call)
                    await asyncio.to_thread(self.do, doing, key=key)
                await call
                await self._callbacks(vendor)
            finally:
                await vendor._stop()
                vendor.close()

        asyncio.run(play())

    async def _reach(self, state: str, call: asyncio.Task[None]) -> None:
        while self.hands.held(NUMBER).state != state:
            assert not call.done(), f"the call is over, and never came to {state}"
            await asyncio.sleep(0.02)

    async def _callbacks(self, vendor: Any) -> None:
        while vendor._tasks:  # noqa: ASYNC110 - tasks come and go
            await asyncio.sleep(0.02)


@pytest.fixture
def bench() -> Iterator[Bench]:
    ours, hands = Ours(), Hands(QUICK)
    with serving(ours.app) as ours.url, serving(hands.app) as page:
        bench = Bench(ours, hands, page)
        bench.do("hold")
        yield bench


def over_twilio(bench: Bench, acts: dict[str, tuple[str, str]]) -> HandTwilio:
    vendor = HandTwilio(bench.hands, Nature(speed=QUICK))
    url = f"{bench.ours.url}/twilio"
    asked = {"To": [f"+86{NUMBER}"], "From": ["+15005550006"], "Url": [f"{url}/voice"]}
    asked |= {"StatusCallback": [f"{url}/status"], "StatusCallbackEvent": ["answered", "completed"]}
    bench.call(vendor, Placed("CA" + "1" * 32, asked, datetime.now(UTC)), acts)
    assert vendor.unexpected == []
    return vendor


def over_aliyun(bench: Bench, acts: dict[str, tuple[str, str]]) -> HandAliyun:
    vendor = HandAliyun(bench.hands, Nature(speed=QUICK))
    vendor.receipts_url = f"{bench.ours.url}/aliyun"
    menu = [{"Key": key, "Code": "TTS_1002"} for key in "120"]
    asked = {"CalledNumber": NUMBER, "OutId": "out", "Timeout": "40000", "PlayTimes": "1", "MenuKeyMap": menu}
    call = Accepted("1^1", {**asked, "StartTtsParams": json.dumps({"message": "暴雨红色预警"})}, datetime.now(UTC))
    vendor.calls[call.id] = call
    bench.call(vendor, call, acts)
    assert vendor.unexpected == []
    return vendor


ANSWER = {"ringing": ("answer", "")}


@pytest.mark.parametrize("key", ["1", "2", "0"])
def test_a_key_pressed_by_hand_comes_over_twilio_s_wire(bench, key):
    over_twilio(bench, {**ANSWER, "asked": ("press", key)})

    assert bench.ours.said("Digits") == [key]
    assert bench.ours.said("CallStatus")[-1] == "completed"


@pytest.mark.parametrize("key", ["1", "2", "0"])
def test_a_key_pressed_by_hand_comes_over_aliyun_s_wire(bench, key):
    over_aliyun(bench, {**ANSWER, "asked": ("press", key)})

    assert set(bench.ours.said("dtmf")) == {key}
    assert bench.ours.said("status_code")[-1] == "200000"


def test_a_key_pressed_before_the_question_does_not_count(bench):
    over_twilio(bench, {**ANSWER, "talking": ("press", "1")})

    assert bench.ours.said("Digits") == []


@pytest.mark.parametrize(
    ("acts", "twilio", "aliyun"),
    [
        ({}, "no-answer", "200003"),
        ({"ringing": ("hang_up", "")}, "busy", "200005"),
        ({**ANSWER, "talking": ("hang_up", "")}, "completed", "200001"),
        ({**ANSWER, "asked": ("hang_up", "")}, "completed", "200008"),
    ],
    ids=["not answered", "rejected", "hung up early", "heard without a key"],
)
def test_each_way_not_to_confirm_ends_as_the_vendor_says_it(bench, acts, twilio, aliyun):
    over_twilio(bench, acts)
    assert bench.ours.said("CallStatus")[-1] == twilio

    over_aliyun(bench, acts)
    assert bench.ours.said("status_code")[-1] == aliyun
    assert bench.ours.said("Digits") + bench.ours.said("dtmf") == []


def test_a_number_that_nobody_holds_does_what_its_last_digit_says(bench):
    bench.do("leave")

    over_aliyun(bench, {})

    assert set(bench.ours.said("dtmf")) == {"1"}


def test_what_is_written_by_hand_comes_as_the_vendor_s_receipt(bench):
    vendor = HandAliyun(bench.hands, Nature(speed=QUICK))
    vendor.receipts_url = f"{bench.ours.url}/aliyun"

    async def write() -> None:
        vendor._loop = asyncio.get_running_loop()
        await asyncio.to_thread(vendor.say_up, NUMBER, "1234收到")
        await vendor._stop()
        vendor.close()

    asyncio.run(write())

    assert (bench.ours.said("what"), bench.ours.said("content")) == (["sms-up"], ["1234收到"])


def test_the_page_shows_the_state_and_the_texts_of_the_number_it_holds_and_who_was_rung(bench):
    bench.hands.texted(f"+86{NUMBER}", "禾溪县叫应")
    bench.hands.held("12000000008")

    shown = httpx.get(f"{bench.page}/now", params={"number": NUMBER}).json()

    assert (shown["state"], shown["texts"], shown["rung"]) == ("idle", ["禾溪县叫应"], ["12000000008"])


def test_the_page_loads_nothing_from_elsewhere_and_names_every_button(bench):
    page = httpx.get(f"{bench.page}/?number={NUMBER}").text

    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert all(word in page for word in ("接听", "拒接", "挂断", "收到", "代接，去叫人", "不能到岗", "重听"))


def test_the_county_of_the_fake_vendors_is_sound_and_has_no_telephone_that_could_ring(tmp_path):
    numbers = write_county(tmp_path / "county").approved.read_text(encoding="utf-8").split()

    county = load_county(tmp_path / "county", around=datetime(2026, 7, 19, tzinfo=UTC))

    dialled = {phone.number for person in county.people.values() for phone in person.phones}
    assert dialled <= set(numbers)
    assert all(number.startswith("+86120") for number in numbers)


def test_a_folder_that_holds_something_else_is_not_written_over(tmp_path):
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(FileExistsError, match="something else"):
        write_county(tmp_path)
