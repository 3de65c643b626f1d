"""From a claim through Aliyun to what the callout is told: the dialler, the vendor, the gateway and DIAL together."""

from __future__ import annotations

import pytest

from agents.callout.state import CALLOUTS
from agents.dial.agent import DialRoom
from agents.dial.dialler import Dialler
from agents.dial.state import AttemptState
from streams import topics
from streams.doors.http.hearing import Hearing
from streams.words import Outcome
from tests.unit.dial_samples import Desk
from tests.wire.aliyun_house import House
from tests.wire.fake_mainland import Handset
from tests.wire.twilio_house import NUMBER

pytestmark = pytest.mark.anyio


async def ring(mainland: House, handset: Handset) -> Desk:
    """Dial one village head through Aliyun, and let DIAL read what is told of it."""
    carrier = mainland.carrier()
    desk = Desk(carrier, numbers={"v201-head": NUMBER}, clock=mainland.clock)
    mainland.hearing = Hearing(desk, "real")
    desk.clock.set(max(desk.clock.now(), mainland.fake.now))
    mainland.fake.now = desk.clock.now()
    desk.want("v201-head", realm="drill:night", voice="演练，暴雨红色预警，请立即转移。")
    desk.change_round("drill:night", opened_at=desk.clock.now())
    await Dialler(desk.ledger, desk.desk, desk.clock).run_once()
    mainland.fake.pushes = "together"
    mainland.play(handset)
    letters = [letter for letter in desk.letters("call_news") if letter.topic == topics.CALLS]
    desk.ledger.step(lambda step: DialRoom().handle(letters, step, desk.clock.now()))
    await carrier.close()
    return desk


@pytest.mark.parametrize(
    ("handset", "outcome"),
    [
        (Handset(key="1"), Outcome.CONFIRMED),
        (Handset(key="2"), Outcome.FETCHING),
        (Handset(key="0"), Outcome.CANNOT),
        (Handset(key="1", key_at_s=1), Outcome.HUNG_UP_EARLY),
        (Handset(), Outcome.HEARD_NO_KEY),
        (Handset(hangs_up_at_s=2), Outcome.HUNG_UP_EARLY),
        (Handset(status="200004"), Outcome.WRONG_NUMBER),
        (Handset(status="200011"), Outcome.OUT_OF_SERVICE),
        (Handset(status="200010"), Outcome.SWITCHED_OFF),
        (Handset(status="200003"), Outcome.NO_ANSWER),
        (Handset(status="200105"), Outcome.BARRED),
        (Handset(status="200999"), Outcome.NO_ANSWER),
    ],
)
async def test_what_happens_at_the_telephone_is_what_the_callout_is_told(
    mainland: House, handset: Handset, outcome: Outcome
):
    desk = await ring(mainland, handset)
    (attempt,) = desk.attempts()
    assert (attempt.outcome, attempt.state, attempt.carrier) == (outcome, AttemptState.ENDED, "aliyun")
    assert outcome in {letter.message.outcome for letter in desk.letters("attempt_ended")}


async def test_a_whole_call_counts_against_the_vendors_budget_of_its_number(mainland: House):
    desk = await ring(mainland, Handset(status="200003"))
    (callout,) = desk.ledger.step(lambda step: step.find(CALLOUTS))
    assert callout.calls == 1
