"""A short virtual night over the sample county, and what a pump would have shown to the metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import config
from agents.dial.carriers.simulated import SimulatedCarrier, load_habits
from agents.facts import Facts
from config.load import load_rules
from rosters.load import load_county
from streams.clock import VirtualClock
from streams.ids import make_id
from streams.ledger.memory import MemoryLedger
from streams.letters import IssuedWarning, Received, write_letter
from streams.replay.runner import Runner
from streams.topics import WARNINGS_RAW
from streams.wiring import TABLES, House, build
from streams.words import Colour, MsgType, Status

CONFIG = Path(config.__file__).parent
NUMBER_KEY = b"a key for the digests of numbers"
START = datetime(2021, 7, 19, 13, 59, tzinfo=UTC)
COUNTY_CODE = "419926000000"


@cache
def sample_facts() -> Facts:
    return Facts(load_county(CONFIG / "sample", around=START), load_rules(preset="mianxian"))


@dataclass
class Night:
    """A house in virtual time, with the helpers that read its history and its metrics."""

    house: House
    runner: Runner
    clock: VirtualClock

    def warn(self, name: str, colour: Colour = Colour.RED, realm: str = "real", kind: MsgType = MsgType.ALERT) -> None:
        warning = IssuedWarning(
            id=make_id(realm, "warning", name),
            realm=realm,
            status=Status.ACTUAL,
            kind=kind,
            identifier=name,
            sender="met@example.org",
            sent=self.clock.now(),
            issuer="禾溪县气象台",
            hazard="rainstorm",
            colour=colour,
            headline=f"禾溪县气象台发布暴雨{colour.chinese}预警",
            text="预计未来三小时我县部分乡镇将出现强降雨。",
            geocodes=(COUNTY_CODE,),
        )
        message = Received(warning=warning, raw_id="", source="test", received_at=self.clock.now())
        key = make_id(realm, "chainhint", "met@example.org", "rainstorm")
        self.runner.post(write_letter(WARNINGS_RAW, key, message, self.clock.now(), cause=warning.id))

    def play(self, minutes: float) -> None:
        self.runner.run_until(self.clock.now() + timedelta(minutes=minutes))

    def entries(self) -> list[dict]:
        """All entries, as the pump shows them."""
        subjects = [subject for subject, _, _ in self.house.ledger.heads()]
        return [
            entry.model_dump(mode="json")
            for subject in subjects
            for entry in self.house.ledger.step(lambda step, subject=subject: step.entries(subject))
        ]

    def rows(self, table) -> list:
        return self.house.ledger.step(lambda step: step.find(table, limit=1_000_000))


def begin_night() -> Night:
    clock = VirtualClock(START)
    carrier = SimulatedCarrier(load_habits(CONFIG / "sample" / "habits.csv"), number_key=NUMBER_KEY)
    house = build(
        ledger=MemoryLedger(TABLES),
        clock=clock,
        facts=sample_facts(),
        carriers=[carrier],
        number_key=NUMBER_KEY,
        owner="test",
    )
    return Night(house, Runner(house, clock), clock)


def values_of(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample that a scrape would see, but for times of creation: by name and sorted labels, the value."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def total(values, name: str, **labels: str) -> float:
    """Add up the samples of a name whose labels agree."""
    wanted = set(labels.items())
    return sum(value for (sample, has), value in values.items() if sample == name and wanted <= set(has))


def find_numbers(text: str) -> list[str]:
    """Return what could be a telephone number in a text: simulated, E.164, or seven digits and more in a row."""
    return re.findall(r"sim:[a-z0-9-]+|\+\d{7,}|(?<![.\d])\d{7,}", text)
