"""What people order over the API: calls, ends, corrections, pauses, and their word that somebody was woken."""

from __future__ import annotations

import pytest

from agents.callout.state import CalloutState
from agents.intake.state import CHAINS, Chain
from agents.plan.state import ROUNDS
from streams import topics
from streams.ids import make_id
from tests.wire.gateway_house import ORDER, TOWNSHIP, Gate, cap


def warned(gate: Gate, **after: float) -> Chain:
    """A red warning has come and the night has gone on."""
    content, headers = cap(), {"Content-Type": "application/cap+xml"}
    assert gate.api("sender").post("/v1/warnings", content=content, headers=headers).status_code == 202
    gate.live_through(**after)
    (chain,) = gate.house.ledger.step(lambda step: step.find(CHAINS))
    return chain


def order(gate: Gate, kind: str, chain: Chain, **more: object):
    return gate.api("operator").post(f"/v1/orders/{kind}", json={"chain_id": chain.id, "by": "王某", **more})


def test_an_ordered_call_rings_the_posts_of_its_places(gate: Gate):
    answer = gate.api("operator").post("/v1/orders/call", json=ORDER)
    gate.live_through(minutes=3)
    callouts = gate.callouts(chain_id=answer.json()["chain_id"])
    assert answer.status_code == 202
    assert any(callout.contacted for callout in callouts)
    assert {callout.township for callout in callouts if callout.level == "village"} == {TOWNSHIP}


def test_the_same_order_again_is_200_and_the_same_id(gate: Gate):
    first, again = (gate.api("operator").post("/v1/orders/call", json=ORDER) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(gate.letters(topics.WARNINGS_RAW)) == 1


def test_an_order_says_with_whose_token_it_was_given(gate: Gate):
    order_id = gate.api("operator").post("/v1/orders/call", json=ORDER).json()["id"]
    (entry,) = gate.house.ledger.step(lambda step: step.entries(order_id))
    assert (entry.by, entry.facts["with_token"]) == ("王某", "operator")


def test_a_village_that_is_not_known_is_refused_with_near_names(gate: Gate):
    answer = gate.api("operator").post("/v1/orders/call", json={**ORDER, "villages": ["青石岭乡"]})
    assert answer.status_code == 400
    assert answer.json()["element"] == "villages"
    assert "青石岭镇" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({key: value for key, value in ORDER.items() if key != "on_word_of"}, "on_word_of"),
        ({**ORDER, "colour": "purple"}, "colour"),
        ({**ORDER, "pleasantries": "x"}, "pleasantries"),
    ],
)
def test_an_order_that_lacks_something_is_400_and_names_it(gate: Gate, body: dict[str, object], element: str):
    answer = gate.api("operator").post("/v1/orders/call", json=body)
    assert answer.status_code == 400
    assert answer.json()["element"] == element


def test_what_is_no_json_is_400(gate: Gate):
    answer = gate.api("operator").post("/v1/orders/call", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["element"]) == (400, "body")


def test_a_pause_stops_the_dialling_and_a_resume_lets_it_go_on(gate: Gate):
    chain = warned(gate, seconds=30)
    assert order(gate, "pause", chain).status_code == 202
    gate.runner.settle()
    (paused,) = gate.house.ledger.step(lambda step: step.find(ROUNDS))
    gate.live_through(seconds=20)
    assert order(gate, "resume", chain).status_code == 202
    gate.runner.settle()
    (resumed,) = gate.house.ledger.step(lambda step: step.find(ROUNDS))
    assert paused.paused_until is not None
    assert resumed.paused_until is None


def test_a_cancellation_ends_the_chain(gate: Gate):
    chain = warned(gate, minutes=2)
    assert order(gate, "cancel", chain, text="雨停").status_code == 202
    gate.live_through(minutes=1)
    told = gate.api("reader").get(f"/v1/chains/{chain.id}").json()
    assert told["state"] == "cancelled"
    assert not [each for each in gate.callouts(chain_id=chain.id) if each.is_open and each.mode == "call"]


def test_a_correction_without_a_reason_is_refused(gate: Gate):
    chain = warned(gate, seconds=10)
    answer = order(gate, "correct", chain)
    assert (answer.status_code, answer.json()["element"]) == (400, "text")


def test_an_order_about_no_chain_is_404(gate: Gate):
    chain_id = make_id("real", "chain", "nothing")
    answer = gate.api("operator").post("/v1/orders/cancel", json={"chain_id": chain_id, "by": "王某"})
    assert answer.status_code == 404


def test_what_is_no_id_of_a_chain_is_400(gate: Gate):
    answer = gate.api("operator").post("/v1/orders/cancel", json={"chain_id": "chain 7", "by": "王某"})
    assert (answer.status_code, answer.json()["element"]) == (400, "chain_id")


def test_somebodys_word_closes_a_callout(gate: Gate):
    warned(gate, minutes=20)
    callout = next(each for each in gate.callouts(state=("unreached", "lost")) if each.township == TOWNSHIP)
    body = {"by": "李某", "heard_by": "村主任本人", "how": "对讲机应答"}
    first = gate.api("township").post(f"/v1/callouts/{callout.id}/vouch", json=body)
    again = gate.api("township").post(f"/v1/callouts/{callout.id}/vouch", json=body)
    gate.runner.settle()
    told = gate.api("reader").get(f"/v1/callouts/{callout.id}").json()
    assert (first.status_code, again.status_code) == (202, 200)
    assert told["state"] == CalloutState.VOUCHED
    assert told["receipt"] is None
    assert told["entries"][-1]["facts"]["heard_by"] == "村主任本人"


def test_a_number_somebody_wrote_into_their_words_is_masked_in_answers(gate: Gate):
    warned(gate, minutes=20)
    callout = gate.callouts(state=("unreached", "lost"))[0]
    body = {"by": "李某", "heard_by": "本人", "how": "用 13812345678 打通了"}
    gate.api("operator").post(f"/v1/callouts/{callout.id}/vouch", json=body)
    gate.runner.settle()
    told = gate.api("reader").get(f"/v1/callouts/{callout.id}").text
    assert "13812345678" not in told
    assert "138****5678" in told
