"""The county of the load run: one village, one number a person, and telephones with habits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.callout.state import CALLOUTS, Callout, CalloutState
from agents.dial.budget import Budget
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from agents.facts import Facts
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from config.rules import Ladder, LadderStep
from config.settings import Settings
from rosters.county import County
from rosters.model import Person, Phone, Post, Region, Unit
from streams.clock import SystemClock
from streams.ledger.sql import SqlLedger
from streams.letters import Mode, Move
from streams.wiring import TABLES, House, build
from streams.words import Colour, Level
from tests.wire.fake_phones import Handset
from tests.wire.fake_twilio import FakeTwilio

NUMBER_KEY = "a key for the digests of numbers"
TOKEN = "the-token"
BURST_S = 0.2
ROUND_ID = "real|round|load"
PAGE = 500
LADDER = Ladder(title="load", steps=(LadderStep(to="holder", calls=3, gap_s=100, window_s=300),), then="none")
HABITS: tuple[tuple[int, Handset], ...] = (
    (60, Handset(keys=["1"])),
    (15, Handset(answers="no-answer", ring_s=30)),
    (10, Handset(hangs_up_at_s=4)),
    (10, Handset(answers="busy")),
    (5, Handset(answers="machine")),
)
"""Of a hundred telephones so many do this: four in ten have to be called three times."""


def county(people: int) -> County:
    """Return a county of one village whose posts have one person with one number each."""
    code, township, village = "419926000000", "419926100000", "419926100201"
    regions = (
        Region(code=township, name="溪口镇", level=Level.TOWNSHIP, parent=code),
        Region(code=village, name="上湾村", level=Level.VILLAGE, parent=township),
    )
    return County(
        code,
        "禾溪县",
        ZoneInfo("Asia/Shanghai"),
        regions,
        (Unit(id="v", name="上湾村村委会", region=village),),
        tuple(
            Post(
                id=f"p{no}", unit="v", name=f"p{no}", kind="village_head", level=Level.VILLAGE, region=village,
                holders=(f"p{no}",),
            )
            for no in range(people)
        ),
        tuple(Person(id=f"p{no}", name=f"p{no}", phones=(Phone(number=number_of(no)),)) for no in range(people)),
        (),
    )  # fmt: skip


def number_of(person: int) -> str:
    """Return the number of a person."""
    return f"+1500{person:07d}"


def handsets(people: int) -> dict[str, Handset]:
    """Return everybody's telephone; the habits are spread evenly over the county."""
    hundred = [handset for share, handset in HABITS for _ in range(share)]
    return {number_of(no): hundred[(no * 37) % 100] for no in range(people)}


def open_house(ledger_url: str, people: int, per_s: float, owner: str, ours: str = "", theirs: str = "") -> House:
    """Wire a house on the shared ledger; its carrier is Twilio at the fake's address."""
    account = TwilioAccount.model_validate(
        {
            "account_sid": FakeTwilio.account_sid,
            "auth_token": TOKEN,
            "from_number": "+15005550006",
            "public_url": ours or "http://127.0.0.1:1",
            "api_base": theirs or "http://127.0.0.1:1",
            "pace_per_s": per_s,
        }
    )
    return build(
        ledger=SqlLedger(ledger_url, TABLES),
        clock=SystemClock(),
        facts=Facts(county(people), load_rules()),
        carriers=[TwilioCarrier(account, approved=lambda _: True)],
        number_key=NUMBER_KEY.encode(),
        owner=owner,
        burst_s=BURST_S,
        budget=Budget(),
    )


def settings_of(folder: Path, ours: str) -> Settings:
    """Return what the gateway is told."""
    return Settings.model_validate(
        {
            "data_dir": folder,
            "carrier": "twilio",
            "number_key": NUMBER_KEY,
            "twilio_account_sid": FakeTwilio.account_sid,
            "twilio_auth_token": TOKEN,
            "twilio_from_number": "+15005550006",
            "twilio_public_url": ours,
        }
    )


def open_callouts(house: House, people: int) -> None:
    """Open one red callout per person, as PLAN would."""
    now = house.clock.now()
    row = Round(
        id=ROUND_ID, realm="real", chain_id="real|chain|load", cause_id="w", move=Move.OPENED, hazard="rainstorm",
        colour=Colour.RED, opened_at=now,
    )  # fmt: skip
    house.ledger.step(lambda step: step.save(ROUNDS, [row]))
    for first in range(0, people, PAGE):
        rows = [
            Callout(
                id=f"real|callout|{no:05d}", realm="real", chain_id="real|chain|load", round_id=ROUND_ID,
                post_id=f"p{no}", unit_id="v", region="419926100201", township="419926100000", level=Level.VILLAGE,
                place="上湾村", hazard="rainstorm", colour=Colour.RED, severity=4, priority=0, mode=Mode.CALL,
                ladder=LADDER, ladder_name="load", rules_hash="", voice="禾溪县叫应：暴雨红色预警，涉及上湾村。",
                text="暴雨红色预警。", state=CalloutState.CALLING, opened_at=now, target_post=f"p{no}", call_at=now,
                due_at=now + timedelta(seconds=180),
            )
            for no in range(first, min(first + PAGE, people))
        ]  # fmt: skip
        house.ledger.step(lambda step, page=rows: step.save(CALLOUTS, page))
