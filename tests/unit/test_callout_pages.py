"""What CALLOUT makes of a page that it reads only after its round was stopped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.callout.agent import CalloutRoom
from agents.callout.state import CALLOUTS, Callout
from agents.facts import Facts
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from streams import topics
from streams.ledger.memory import MemoryLedger
from streams.letters import Mode, Move, OpenCallouts, Opening, write_letter
from streams.wiring import TABLES
from streams.words import Colour
from tests.small_county import small_county

NOW = datetime(2021, 7, 19, 13, 59, tzinfo=UTC)
ROUND, CALLOUT = "real|round|1", "real|callout|1"


def read_page(stop_why: str) -> Callout:
    """Open a callout of a round that stands as told, and return it."""
    book = load_rules()
    room = CalloutRoom(Facts(small_county(), book), topics.PAGES)
    ledger = MemoryLedger(TABLES)
    row = Round(
        id=ROUND,
        realm="real",
        chain_id="real|chain|1",
        cause_id="c",
        move=Move.OPENED,
        hazard="rainstorm",
        colour=Colour.RED,
        opened_at=NOW,
        stopped_at=NOW if stop_why else None,
        stop_why=stop_why,
    )
    page = OpenCallouts(
        realm="real",
        chain_id=row.chain_id,
        round_id=ROUND,
        hazard="rainstorm",
        colour=Colour.RED,
        rules_hash=book.hash,
        ladders={"village": book.ladders["village"]},
        openings=(Opening(callout_id=CALLOUT, post_id="v201-head", mode=Mode.CALL, ladder="village", voice="v"),),
    )
    letter = write_letter(topics.PAGES, ROUND, page, NOW, cause="page:0")
    ledger.step(lambda step: step.save(ROUNDS, [row]))
    ledger.step(lambda step: room.handle([letter], step, NOW))
    return ledger.step(lambda step: step.load(CALLOUTS, [CALLOUT]))[CALLOUT]


@pytest.mark.parametrize("stop_why", ["cancelled", "corrected"])
def test_a_callout_of_a_round_stopped_before_its_page_was_read_wants_no_call(stop_why):
    callout = read_page(stop_why)

    assert callout.state == stop_why
    assert (callout.call_at, callout.text_at, callout.due_at) == (None, None, None)


def test_a_callout_of_a_running_round_wants_its_first_call_at_once():
    assert read_page("").call_at == NOW
