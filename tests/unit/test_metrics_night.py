"""A virtual night is played and counted: what Prometheus would see is what the ledger's rows say."""

from __future__ import annotations

from collections import Counter

import pytest
from metrics_night import begin_night, find_numbers, total, values_of
from prometheus_client import CollectorRegistry

from agents.callout.state import ANSWERED, CALLOUTS, UNANSWERED, CalloutState
from agents.dial.state import ATTEMPTS
from agents.visit.state import VISITS
from streams.ledger.contract import Entry
from streams.metrics import Metrics
from streams.metrics_ledger import LedgerCollector
from streams.replay.runner import run_now
from streams.rooms import TROUBLES
from streams.words import Channel, Colour, Outcome


@pytest.fixture(scope="module")
def night():
    night = begin_night()
    night.warn("drill-1", Colour.ORANGE, realm="drill:spring")
    night.warn("real-1", Colour.RED)
    night.play(minutes=45)
    return night


@pytest.fixture(scope="module")
def counted(night):
    registry = CollectorRegistry()
    Metrics(registry).see(night.entries())
    return values_of(registry)


@pytest.fixture(scope="module")
def standing(night):
    registry = CollectorRegistry()
    collector = LedgerCollector(night.house.ledger, night.clock, night.house.facts, night.house.carriers)
    registry.register(collector)
    run_now(collector.refresh())
    return values_of(registry)


def test_the_night_has_every_kind_of_end(night):
    states = {callout.state for callout in night.rows(CALLOUTS)}
    assert {CalloutState.CONFIRMED, CalloutState.UNREACHED, CalloutState.LOST, CalloutState.REPLIED} <= states


def test_confirmed_callouts_are_as_many_as_confirmed_rows(night, counted):
    confirmed = [row for row in night.rows(CALLOUTS) if row.state is CalloutState.CONFIRMED]
    assert total(counted, "jiaoying_callouts_total", what="confirmed") == len(confirmed) > 100
    assert total(counted, "jiaoying_seconds_to_confirm_count") == len(confirmed)


def test_opened_and_held_callouts_are_as_many_as_rows(night, counted):
    opened = total(counted, "jiaoying_callouts_total", what="opened")
    held = total(counted, "jiaoying_callouts_total", what="held")
    assert opened + held == len(night.rows(CALLOUTS))


def test_calls_by_outcome_are_as_many_as_attempts_by_outcome(night, counted):
    ended = Counter(row.outcome for row in night.rows(ATTEMPTS) if row.channel is Channel.VOICE and row.outcome)
    seen = {outcome: total(counted, "jiaoying_attempts_total", channel="voice", outcome=outcome) for outcome in ended}
    assert seen == ended
    assert total(counted, "jiaoying_attempts_total", channel="voice") == ended.total()


def test_messages_count_when_they_are_handed_over_delivered_or_not(night, counted):
    ended = Counter(row.outcome for row in night.rows(ATTEMPTS) if row.channel is Channel.TEXT)
    handed_over = total(counted, "jiaoying_attempts_total", outcome="text_sent")
    assert handed_over == ended[Outcome.TEXT_SENT] + ended[Outcome.TEXT_DELIVERED] > 0
    assert total(counted, "jiaoying_attempts_total", outcome="text_failed") == ended[Outcome.TEXT_FAILED]


def test_first_diallings_are_as_many_as_callouts_that_were_called(night, counted):
    called = [row for row in night.rows(CALLOUTS) if row.first_dial_at is not None]
    assert total(counted, "jiaoying_seconds_to_dial_count") == len(called)
    waited_s = sum((row.first_dial_at - row.opened_at).total_seconds() for row in called)
    assert total(counted, "jiaoying_seconds_to_dial_sum") == pytest.approx(waited_s, abs=0.001 * len(called))


def test_every_entry_is_a_step_of_a_known_room_and_reason(night, counted):
    assert total(counted, "jiaoying_steps_total") == len(night.entries())
    assert total(counted, "jiaoying_steps_total", room="other") == 0
    assert total(counted, "jiaoying_steps_total", reason="other") == 0


def test_nothing_of_a_night_without_surprises_falls_under_other(counted):
    assert [key for key, value in counted.items() if value and "other" in dict(key[1]).values()] == []


def test_a_drill_is_counted_apart_from_the_real_thing(night, counted):
    for realm, realm_kind in (("drill:spring", "drill"), ("real", "real")):
        rows = [row for row in night.rows(CALLOUTS) if row.realm == realm]
        begun = total(counted, "jiaoying_callouts_total", realm_kind=realm_kind, what="opened")
        begun += total(counted, "jiaoying_callouts_total", realm_kind=realm_kind, what="held")
        assert begun == len(rows) > 0
        assert total(counted, "jiaoying_warnings_total", realm_kind=realm_kind, source="warning", reason="opened") == 1


def test_an_entry_shown_twice_is_counted_once(night):
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    entries = night.entries()
    metrics.see(entries)
    metrics.see(entries)
    assert total(values_of(registry), "jiaoying_steps_total") == len(entries)


def test_entries_are_counted_the_same_as_objects_and_as_json(night, counted):
    registry = CollectorRegistry()
    Metrics(registry).see([Entry.model_validate(entry) for entry in night.entries()])
    assert values_of(registry) == counted


def test_callouts_by_state_are_the_rows(night, standing):
    for state, count in Counter(row.state for row in night.rows(CALLOUTS)).items():
        assert total(standing, "jiaoying_callouts_by_state", state=state) == count


def test_the_unreached_stand_under_the_name_of_their_township(night, standing):
    county = night.house.facts.county
    rows = [row for row in night.rows(CALLOUTS) if row.state in UNANSWERED]
    by_name = Counter(county.regions[row.township].name if row.township else county.name for row in rows)
    assert by_name.total() > 0
    for name, count in by_name.items():
        assert total(standing, "jiaoying_unreached", township=name) == count


def test_open_troubles_and_places_to_visit_are_the_rows(night, standing):
    shown = [item for item in night.rows(TROUBLES) if item.closed_at is None]
    assert total(standing, "jiaoying_open_troubles") == len(shown) > 0
    places = sum(len(visit.items) for visit in night.rows(VISITS) if visit.open_items)
    assert total(standing, "jiaoying_visit_places") == places > 0


def test_a_night_in_which_every_step_was_taken_in_time_is_not_overdue(standing):
    assert total(standing, "jiaoying_overdue_seconds") == 0
    assert total(standing, "jiaoying_oldest_letter_seconds") == 0


def test_the_last_good_call_is_the_last_key_that_was_pressed(night, standing):
    last_at = max(row.key_at for row in night.rows(ATTEMPTS) if row.outcome is Outcome.CONFIRMED)
    age_s = (night.clock.now() - last_at).total_seconds()
    assert total(standing, "jiaoying_last_good_call_seconds", carrier="simulated") == pytest.approx(age_s)


def test_no_telephone_number_stands_in_any_label(night, counted, standing):
    assert any(row.state in ANSWERED for row in night.rows(CALLOUTS))
    for name, labels in [*counted, *standing]:
        if not name.endswith("_bucket"):
            assert find_numbers(" ".join(value for _, value in labels)) == [], name
