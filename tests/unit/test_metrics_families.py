from __future__ import annotations

import asyncio
import urllib.request
from datetime import timedelta

import pytest
from metrics_night import START, begin_night, find_numbers, sample_facts, total, values_of
from prometheus_client import CollectorRegistry

from agents.callout.state import CALLOUTS
from rosters.model import Absence
from streams.ledger.chain import GENESIS, seal_entry
from streams.ledger.contract import Draft, LedgerAwayError
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.metrics import REALM_KINDS, Metrics
from streams.metrics_http import MetricsPortError, serve
from streams.metrics_ledger import STALE_AFTER_S, LedgerCollector, calls_per_second_needed
from streams.replay.runner import run_now
from streams.topics import CALLOUTS as CALLOUTS_TOPIC
from streams.wiring import TABLES


def entry(what: str, why: str, *, subject: str = "real|callout|1", by: str = "callout", **facts):
    return seal_entry(Draft(subject=subject, what=what, why=why, by=by, at=START, facts=facts), 1, GENESIS)


def seen(*entries) -> dict:
    registry = CollectorRegistry()
    Metrics(registry).see(entries)
    return values_of(registry)


def shown(night, clock_offset_s=lambda: None, *, refresh: bool = True):
    registry = CollectorRegistry()
    house = night.house
    collector = LedgerCollector(house.ledger, night.clock, house.facts, house.carriers, clock_offset_s)
    registry.register(collector)
    if refresh:
        run_now(collector.refresh())
    return registry, collector


def test_before_anything_happened_every_series_stands_at_zero():
    values = seen()
    assert len(values) > 500
    assert set(values.values()) == {0.0}


def test_every_counter_has_the_real_the_drill_and_the_check_realm_from_the_start():
    names: dict[str, set[str]] = {}
    for name, labels in seen():
        names.setdefault(name, set()).add(dict(labels)["realm_kind"])
    assert all(kinds == set(REALM_KINDS) for kinds in names.values())


def test_words_from_outside_the_closed_sets_are_counted_as_other():
    facts = {"outcome": "exploded", "carrier": "+8613800001234", "channel": "pigeon", "number": "138****1234"}
    values = seen(entry("attempt_ended", "ended", subject="real|attempt|1", by="dial", **facts))
    wanted = {"carrier": "other", "channel": "other", "outcome": "other", "realm_kind": "real"}
    assert total(values, "jiaoying_attempts_total", **wanted) == 1
    assert find_numbers(" ".join(value for _, labels in values for _, value in labels)) == []


def test_the_copy_of_an_outcome_in_a_callout_is_not_counted_a_second_time():
    facts = {"outcome": "confirmed", "carrier": "simulated", "channel": "voice"}
    values = seen(
        entry("attempt_ended", "ended", subject="real|attempt|1", by="dial", **facts),
        entry("attempt_ended", "ended", by="dial", **facts),
    )
    assert total(values, "jiaoying_attempts_total") == 1


def test_a_person_who_stopped_a_callout_is_not_a_label():
    values = seen(entry("stopped", "stopped", by="张三", why_stopped="cancelled"))
    assert total(values, "jiaoying_steps_total", room="callout", reason="stopped") == 1
    assert not any("张三" in value for _, labels in values for _, value in labels)


@pytest.mark.parametrize(
    ("cause", "source"),
    [
        ("real|warning|a", "warning"),
        ("real|order|a", "order"),
        ("real|alarm|a", "monitor"),
        ("real|chain|a:gate", "time"),
        ("what is this", "other"),
    ],
)
def test_what_moved_a_chain_is_told_by_the_id_of_its_cause(cause, source):
    values = seen(entry("chain_opened", "opened", subject="real|chain|1", by="intake", cause=cause))
    assert total(values, "jiaoying_warnings_total", source=source, reason="opened") == 1


def test_a_refused_document_and_a_letter_nobody_could_handle_are_dead_letters_by_door():
    values = seen(
        entry("refused", "headline", subject="real|door|warnings|2021-07-19", by="市气象台", door="warnings"),
        entry("letter_dead", "decide_raised", subject="real|chain|1", by="intake"),
    )
    assert total(values, "jiaoying_dead_letters_total", door="warnings") == 1
    assert total(values, "jiaoying_dead_letters_total", door="intake") == 1
    assert total(values, "jiaoying_dead_letters_total") == 2


def test_what_people_do_at_the_doors_is_a_step_of_the_doors():
    values = seen(entry("ordered", "", subject="drill:a|order|1", by="张三", text="转移"))
    assert total(values, "jiaoying_steps_total", room="doors", reason="ordered", realm_kind="drill") == 1


def test_a_post_that_nobody_holds_is_counted_with_what_was_the_matter():
    values = seen(entry("nobody_held", "nobody_holds", by="dial", because="nobody_on_duty", held="t01-duty"))
    assert total(values, "jiaoying_nobody_on_duty_total", because="nobody_on_duty", realm_kind="real") == 1


def test_before_the_ledger_was_read_nothing_is_shown_but_that_it_is_away():
    registry, _ = shown(begin_night(), refresh=False)
    assert values_of(registry) == {("jiaoying_ledger_up", ()): 0.0}


def test_an_old_figure_is_not_shown():
    night = begin_night()
    registry, _ = shown(night)
    assert values_of(registry)["jiaoying_ledger_up", ()] == 1
    night.clock.advance(STALE_AFTER_S + 1)
    assert values_of(registry) == {("jiaoying_ledger_up", ()): 0.0}


class LedgerThatGoesAway:
    """A database that answers until it is cut off."""

    def __init__(self, ledger):
        self.ledger, self.is_away = ledger, False

    async def look(self, work):
        if self.is_away:
            raise LedgerAwayError("connection refused")
        return await self.ledger.look(work)


def test_a_ledger_that_goes_away_takes_its_figures_along_and_brings_them_back():
    night = begin_night()
    ledger = LedgerThatGoesAway(night.house.ledger)
    registry, collector = CollectorRegistry(), LedgerCollector(ledger, night.clock, night.house.facts, ())
    registry.register(collector)
    run_now(collector.refresh())
    ledger.is_away = True
    run_now(collector.refresh())
    assert values_of(registry) == {("jiaoying_ledger_up", ()): 0.0}
    ledger.is_away = False
    run_now(collector.refresh())
    assert values_of(registry)["jiaoying_ledger_up", ()] == 1


def test_steps_that_nobody_takes_become_overdue_and_letters_old():
    night = begin_night()
    night.warn("real-1")
    night.runner.settle()
    first_due = min(row.due_at for row in night.rows(CALLOUTS) if row.due_at)
    night.clock.set(first_due + timedelta(seconds=90))
    values = values_of(shown(night)[0])
    assert total(values, "jiaoying_overdue_seconds", table="callouts") == 90
    assert total(values, "jiaoying_oldest_letter_seconds") > 60
    assert total(values, "jiaoying_open_letters", topic=CALLOUTS_TOPIC) == 0
    assert total(values, "jiaoying_open_letters", topic="calls") > 0


def test_a_database_answers_the_questions_as_a_dictionary_does(tmp_path):
    night = begin_night()
    night.warn("real-1")
    night.runner.settle()
    tables = [table for table in TABLES if night.rows(table)]
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    migrate(url, TABLES)
    ledger = SqlLedger(url, TABLES)
    try:
        for table in tables:
            fresh = [row.model_copy(update={"version": 0}) for row in night.rows(table)]
            ledger.step(lambda step, table=table, fresh=fresh: step.save(table, fresh))
        registry = CollectorRegistry()
        collector = LedgerCollector(ledger, night.clock, night.house.facts, night.house.carriers)
        registry.register(collector)
        asyncio.run(collector.refresh())
        in_database = values_of(registry)
    finally:
        ledger.close()
    letters = ("jiaoying_open_letters", "jiaoying_oldest_letter_seconds")
    in_memory = {key: value for key, value in values_of(shown(night)[0]).items() if key[0] not in letters}
    assert {key: value for key, value in in_database.items() if key[0] not in letters} == in_memory


def test_without_a_confirmed_call_there_is_no_age_of_the_last_good_one():
    values = values_of(shown(begin_night())[0])
    assert not [name for name, _ in values if name == "jiaoying_last_good_call_seconds"]


def test_red_for_the_county_needs_every_called_post_within_the_time_of_its_ladder():
    facts = sample_facts()
    needed = calls_per_second_needed(facts)
    longest_s = max(ladder.dial_within_s for ladder in facts.book.ladders.values())
    assert 100 / longest_s < needed <= len(facts.county.posts) / 60


def test_posts_that_nobody_holds_now_are_those_the_roster_says():
    night = begin_night()
    county = night.house.facts.county
    empty = [post for post in county.posts if county.who(post, night.clock.now()) is None]
    values = values_of(shown(night)[0])
    assert total(values, "jiaoying_posts_nobody_on_duty") == len(empty)
    assert total(values, "jiaoying_posts") == len(county.posts)


def test_readings_are_shown_once_every_station_was_asked():
    night = begin_night()
    registry, collector = shown(night)
    for _ in range(len(night.house.facts.county.stations)):
        run_now(collector.refresh())
    assert total(values_of(registry), "jiaoying_readings_total", verdict="taken") == 0
    assert ("jiaoying_stations", ()) in values_of(registry)


def test_the_offset_of_the_clock_is_shown_where_it_is_known():
    night = begin_night()
    assert values_of(shown(night, lambda: 2.5)[0])["jiaoying_clock_offset_seconds", ()] == 2.5


def test_the_families_of_both_projections_share_no_name():
    registry, _ = shown(begin_night())
    Metrics(registry)


def test_a_worker_answers_metrics_over_http_and_gives_its_port_back():
    registry = CollectorRegistry()
    Metrics(registry)
    server = serve(registry, 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
            assert b"jiaoying_warnings_total" in answer.read()
    finally:
        server.close()
    serve(registry, server.port).close()


def test_a_taken_port_is_told_with_the_setting_to_change():
    registry = CollectorRegistry()
    server = serve(registry, 0)
    try:
        with pytest.raises(MetricsPortError, match="JIAOYING_METRICS_PORT"):
            serve(registry, server.port)
    finally:
        server.close()


def test_everybody_on_leave_shows_with_the_next_refresh():
    night = begin_night()
    registry, collector = shown(night)
    county, now = night.house.facts.county, night.clock.now()
    away = [Absence(person=person, starts_at=now, ends_at=now + timedelta(days=1)) for person in county.people]
    night.house.facts.replace(county.changed((), away, "everybody on leave"), night.house.facts.book)
    run_now(collector.refresh())
    assert total(values_of(registry), "jiaoying_posts_nobody_on_duty") == len(county.posts)


def test_a_shift_that_ends_with_nobody_after_it_shows_within_a_minute():
    night = begin_night()
    registry, collector = shown(night)
    county, now = night.house.facts.county, night.clock.now()
    away_from = now + timedelta(seconds=30)
    away = [Absence(person=person, starts_at=away_from, ends_at=now + timedelta(days=1)) for person in county.people]
    night.house.facts.replace(county.changed((), away, "everybody leaves in half a minute"), night.house.facts.book)
    run_now(collector.refresh())
    night.clock.advance(60)
    run_now(collector.refresh())
    assert total(values_of(registry), "jiaoying_posts_nobody_on_duty") == len(county.posts)
