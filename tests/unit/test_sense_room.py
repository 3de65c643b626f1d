from __future__ import annotations

from datetime import timedelta

import pytest
from sense_county import COUNTY, NIGHT, level, page, rain, rule_book

from agents.facts import Facts
from agents.sense.agent import SenseRoom
from agents.sense.state import STATIONS, StationState, Verdict, state_id
from streams import topics
from streams.ledger.memory import MemoryLedger
from streams.ledger.sql import SqlLedger
from streams.letters import Stopped, write_letter
from streams.rooms import TROUBLES


class Desk:
    """A SENSE room over a ledger."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.room = SenseRoom(Facts(COUNTY, rule_book()))
        self.posted = 0

    def hand_in(self, *pages, now=None):
        now = now or max(one.received_at for one in pages)
        self.posted += 1
        letters = [
            write_letter(topics.READINGS, state_id(one.realm, one.station), one, now, cause=f"{self.posted}.{place}")
            for place, one in enumerate(pages)
        ]
        self.ledger.step(lambda step: step.write(letters))
        ids = [letter.id for letter in letters]
        self.ledger.step(lambda step: self.room.handle(step.take(ids, now), step, now))

    def state(self, station="R1", realm="real"):
        name = state_id(realm, station)
        return self.ledger.step(lambda step: step.load(STATIONS, [name]))[name]

    def alarms(self):
        now = NIGHT + timedelta(days=9)
        found = self.ledger.step(
            lambda step: step.open_letters(now, now, resend_after_s=1, limit=99, topics=[topics.WARNINGS_RAW])
        )
        return [letter.message for letter in found]


@pytest.fixture(params=["dictionaries", "sqlite"])
def desk(request, tmp_path):
    tables = [STATIONS, TROUBLES]
    if request.param == "sqlite":
        ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}", tables, create=True)
    else:
        ledger = MemoryLedger(tables)
    yield Desk(ledger)
    ledger.close()


def test_a_crossing_leaves_state_letter_and_entry_in_one_step(desk):
    desk.hand_in(page(rain(5, 61)))
    assert [alarm.text for alarm in desk.alarms()] == [
        "监测告警(内部): 石门村雨量站1小时降雨61.0毫米, 达到橙色阈值(60毫米)"
    ]
    subject = desk.state().id
    entries = desk.ledger.step(lambda step: step.entries(subject))
    assert [entry.what for entry in entries] == ["alarm_raised"]


def test_the_buckets_survive_from_one_page_to_the_next(desk):
    desk.hand_in(page(rain(5, 31)))
    desk.hand_in(page(rain(10, 31)))
    assert len(desk.alarms()) == 1


def test_two_pages_of_one_station_in_one_handling_are_added_up(desk):
    desk.hand_in(page(rain(5, 31)), page(rain(10, 31)))
    assert len(desk.alarms()) == 1


def test_the_same_page_handed_in_twice_is_counted_once(desk):
    desk.hand_in(page(rain(5, 61)))
    desk.hand_in(page(rain(5, 61)))
    assert desk.state().counts == {Verdict.TAKEN: 1, Verdict.REPEATED: 1}
    assert len(desk.alarms()) == 1


def test_the_first_gauge_is_lone_and_its_neighbour_a_little_later_is_not(desk):
    desk.hand_in(page(rain(5, 61)))
    desk.hand_in(page(rain(20, 61, "R2")))
    assert {alarm.stations: alarm.lone for alarm in desk.alarms()} == {("R1",): True, ("R2",): False}


def test_a_neighbour_in_the_same_handling_is_company(desk):
    desk.hand_in(page(rain(5, 61)), page(rain(5, 61, "R2")))
    assert [alarm.lone for alarm in desk.alarms()].count(True) == 1


def test_a_neighbour_that_crossed_more_than_three_hours_ago_is_no_company(desk):
    desk.hand_in(page(rain(0, 61)))
    desk.hand_in(page(rain(185, 61, "R2")))
    assert [alarm.lone for alarm in desk.alarms()] == [True, True]


def test_a_drill_neither_fills_real_buckets_nor_keeps_a_real_gauge_company(desk):
    desk.hand_in(page(rain(5, 61, "R2"), realm="drill:jul"))
    desk.hand_in(page(rain(5, 61)))
    assert {alarm.realm: alarm.lone for alarm in desk.alarms()} == {"drill:jul": True, "real": True}
    assert desk.state("R2", "drill:jul").series


def test_a_station_that_is_not_registered_is_one_trouble_however_often_it_speaks(desk):
    desk.hand_in(page(rain(5, 1, "R9")))
    desk.hand_in(page(rain(6, 1, "R9")), page(rain(7, 1)))
    troubles = desk.ledger.step(lambda step: step.find(TROUBLES))
    assert [one.kind for one in troubles] == ["unknown_station"]


def test_river_and_gauge_of_one_township_keep_each_other_company(desk):
    desk.hand_in(page(level(5, 102.1)))
    desk.hand_in(page(rain(20, 61)))
    assert {alarm.hazard: alarm.lone for alarm in desk.alarms()} == {"flood": True, "flash_flood": False}


def test_a_state_comes_back_from_json_as_it_was(desk):
    desk.hand_in(page(rain(5, 61), rain(6, -1)))
    state = desk.state()
    assert StationState.model_validate_json(state.model_dump_json()) == state


def test_a_letter_that_carries_no_readings_is_named(desk):
    stopped = Stopped.model_construct(kind="stopped", callout_ids=(), why="expired", at=NIGHT)
    letter = write_letter(topics.READINGS, "real|station|x", stopped, NIGHT, cause="x")
    with pytest.raises(TypeError, match=letter.id.replace("|", r"\|")):
        desk.ledger.step(lambda step: desk.room.handle([letter], step, NIGHT))
