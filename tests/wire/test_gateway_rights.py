"""Who gets in, and how far: tokens, scopes, regions, and what an answer, an address or a log must never show."""

from __future__ import annotations

import logging

import pytest

from streams.doors.http.tokens import TOKENS, Scope, find_token, issue, revoke, secret_id
from tests.wire.gateway_house import NIGHT, OTHER_TOWNSHIP, SECRETS, TOWNSHIP, Gate, Wire, cap

XML = {"Content-Type": "application/cap+xml"}
ORDER = {"villages": [TOWNSHIP], "hazard": "rainstorm", "text": "请转移", "by": "王五", "on_word_of": "县防指"}


def test_without_a_token_nobody_gets_in(gate: Gate):
    for method, path in (
        ("POST", "/v1/warnings"),
        ("POST", "/v1/readings"),
        ("POST", "/v1/orders/call"),
        ("GET", "/v1/chains"),
        ("GET", "/v1/unreached"),
        ("GET", "/v1/callouts/real|callout|00"),
    ):
        answer = gate.api().ask(method, path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_order_without_a_token_is_not_even_judged(gate: Gate):
    assert gate.api().post("/v1/orders/call", json={"nonsense": 1}).status_code == 401


@pytest.mark.parametrize(
    ("who", "warnings", "orders", "chains"),
    [("sender", 202, 403, 403), ("operator", 403, 202, 200), ("reader", 403, 403, 200)],
)
def test_each_scope_opens_its_own_doors_only(gate: Gate, who: str, warnings: int, orders: int, chains: int):
    api = gate.api(who)
    assert api.post("/v1/warnings", content=cap(), headers=XML).status_code == warnings
    assert api.post("/v1/orders/call", json=ORDER).status_code == orders
    assert api.get("/v1/chains").status_code == chains


def test_a_revoked_token_is_shut_out_at_once_and_so_is_its_session(gate: Gate):
    browser, api = gate.browser("operator"), gate.api("operator")
    assert api.get("/v1/chains").status_code == 200
    gate.house.ledger.step(lambda step: revoke(step, "operator", NIGHT))
    assert api.get("/v1/chains").status_code == 401
    assert browser.client.get("/board").headers["location"] == "/"


def test_a_secret_is_kept_as_a_digest_only(gate: Gate):
    kept = gate.house.ledger.step(lambda step: step.find(TOKENS))
    assert {row.id for row in kept} == {secret_id(secret) for secret in SECRETS.values()}
    assert not any(secret in row.model_dump_json() for row in kept for secret in SECRETS.values())


def test_a_token_is_found_by_its_secret_and_knows_its_name(gate: Gate):
    token = gate.house.ledger.step(lambda step: find_token(step, SECRETS["township"]))
    assert (token.name, token.scopes, token.region) == ("township", (Scope.OPERATOR,), TOWNSHIP)


@pytest.mark.parametrize(
    ("scopes", "region", "secret"),
    [
        ([], "", "a-new-secret-that-is-long-enough-00001"),
        (["owner"], "", "a-new-secret-that-is-long-enough-00001"),
        (["reader"], "4199", "a-new-secret-that-is-long-enough-00001"),
        (["sender"], TOWNSHIP, "a-new-secret-that-is-long-enough-00001"),
        (["reader"], "", "short"),
        (["reader"], "", SECRETS["reader"]),
    ],
)
def test_a_token_that_makes_no_sense_is_not_issued(gate: Gate, scopes, region, secret):
    with pytest.raises(ValueError, match=r"token|scope|Scope|region|secret"):
        gate.house.ledger.step(lambda step: issue(step, "new", scopes, region, NIGHT, secret))


def test_a_guesser_is_told_to_wait_and_those_inside_are_not_shut_out(gate: Gate):
    inside = gate.api("reader")
    assert inside.get("/v1/chains").status_code == 200
    guesses = [
        Wire(gate.app, {"Authorization": f"Bearer guess-number-{number}"}).get("/v1/chains").status_code
        for number in range(12)
    ]
    assert guesses == [401] * 10 + [429] * 2
    assert inside.get("/v1/chains").status_code == 200
    gate.runner.clock.advance(61)
    assert gate.api("operator").get("/v1/chains").status_code == 200


# Regions


def test_a_townships_operator_may_not_order_calls_elsewhere(gate: Gate):
    answer = gate.api("township").post("/v1/orders/call", json={**ORDER, "villages": [TOWNSHIP, OTHER_TOWNSHIP]})
    assert answer.status_code == 403
    assert "柳林镇" in answer.json()["detail"]
    assert gate.api("township").post("/v1/orders/call", json=ORDER).status_code == 202


def test_a_townships_operator_may_not_cancel_a_warning_of_the_whole_county(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    gate.live_through(minutes=1)
    (chain,) = gate.api("township").get("/v1/chains").json()["chains"]
    body = {"chain_id": chain["id"], "by": "王五"}
    assert gate.api("township").post("/v1/orders/cancel", json=body).status_code == 403


def test_a_townships_reader_sees_its_own_unanswered_only(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    gate.live_through(minutes=20)
    own = gate.api("watcher").get("/v1/unreached").json()
    everything = gate.api("reader").get("/v1/unreached").json()
    assert {each["code"] for each in own["townships"]} == {TOWNSHIP}
    assert len(everything["townships"]) > 1
    assert gate.api("watcher").get(f"/v1/unreached?township={OTHER_TOWNSHIP}").status_code == 403


def test_a_townships_reader_may_not_read_anothers_callout(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    gate.live_through(minutes=1)
    own, other = gate.callouts(township=TOWNSHIP)[0], gate.callouts(township=OTHER_TOWNSHIP)[0]
    assert gate.api("watcher").get(f"/v1/callouts/{own.id}").status_code == 200
    assert gate.api("watcher").get(f"/v1/callouts/{other.id}").status_code == 403


def test_a_round_counts_only_what_its_reader_may_see(gate: Gate):
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    gate.live_through(minutes=1)
    round_id = gate.callouts()[0].round_id
    own, everything = (gate.api(who).get(f"/v1/rounds/{round_id}").json() for who in ("watcher", "reader"))
    assert "county" not in own["levels"]
    assert own["levels"]["village"]["called"] < everything["levels"]["village"]["called"]


# Metrics, health, unknown ids


def test_metrics_are_told_on_this_machine_or_to_a_reader(gate: Gate):
    away = Wire(gate.app, address="192.0.2.7")
    through_proxy = Wire(gate.app, {"X-Forwarded-For": "192.0.2.7"})
    reader = Wire(gate.app, {"Authorization": f"Bearer {SECRETS['reader']}"}, address="192.0.2.7")
    assert "jiaoying_http_requests_total" in gate.api().get("/metrics").text
    assert away.get("/metrics").status_code == 401
    assert through_proxy.get("/metrics").status_code == 401
    assert reader.get("/metrics").status_code == 200


@pytest.mark.parametrize("kind", ["warning", "chain", "round", "callout"])
def test_an_unknown_id_is_a_404_problem(gate: Gate, kind: str):
    answer = gate.api("reader").get(f"/v1/{kind}s/real|{kind}|0123456789abcdef0123")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_longer_than_any_of_ours_is_413(gate: Gate):
    answer = gate.api("operator").post("/v1/orders/call", json={**ORDER, "text": "x" * 300_000})
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_no_secret_stands_in_a_log(gate: Gate, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    browser = gate.browser("operator")
    browser.get("/board")
    gate.api("sender").post("/v1/warnings", content=cap(), headers=XML)
    Wire(gate.app, {"Authorization": "Bearer a-guess-that-fails"}).get("/v1/chains")
    cookies = [cookie.value for cookie in browser.client.cookies.jar]
    written = caplog.text
    assert "/v1/warnings 202" in written
    assert cookies
    assert not [
        secret for secret in (*SECRETS.values(), *cookies, "a-guess-that-fails") if secret and secret in written
    ]
