"""The doors, as what comes in meets them: the same code that is behind HTTP, the drop folder, the command line, Kafka.

A door answers `accepted` or `refused`; a refusal has words for a person. Whatever else it raises is a crash, and what
was handed in and can be found nowhere afterwards is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from agents.dial.carriers.simulated import SimulatedCarrier
from agents.facts import Facts
from config.faults import ConfigError
from config.load import OWN_FOLDER, load_rules
from rosters.holidays import duty_year_of
from rosters.io.csv_ import read_csv
from rosters.io.ical import shifts_of
from rosters.io.occurrences import Window, occurrences
from rosters.io.office import Expected
from rosters.io.report import RosterFileError
from rosters.io.xlsx import read_xlsx
from rosters.io.yaml_ import read_yaml
from rosters.load import load_county
from rosters.sheets import CountyError
from streams.clock import VirtualClock
from streams.codec import Page, read_page
from streams.doors.reception import KEEP_BYTES_MAX, Reception
from streams.doors.refusal import RefusedError
from streams.ids import make_id
from streams.ledger.memory import MemoryLedger
from streams.replay.runner import Runner
from streams.rules_in_force import Who, in_force, publish
from streams.wiring import TABLES, build
from streams.worker import Worker
from tests.fuzz import seeds
from tests.fuzz.seeds import NIGHT, Seed
from tests.fuzz.spoil import BY_BYTES, Spoiler
from tests.fuzz.spoil_shapes import CALENDAR, JSON, WORKBOOK, XML, YAML
from tests.small_county import small_county

ACCEPTED, REFUSED = "accepted", "refused"


class LostError(AssertionError):
    """What was handed in can be found nowhere."""


class Door:
    """One door, with the documents it is for and how they are spoiled."""

    name: ClassVar[str]
    share: ClassVar[float] = 1.0
    """How many documents of a run it is handed: a door that reads a whole folder each time takes its time."""

    def seeds(self) -> tuple[Seed, ...]:
        """Sound documents."""
        raise NotImplementedError

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        """How documents of a kind are spoiled."""
        raise NotImplementedError

    def hand_in(self, content: bytes, hint: str) -> str:
        """Hand a document in; return how it ended."""
        raise NotImplementedError

    def look_round(self) -> None:
        """See that the house behind the door still works."""


class House:
    """A small county's rooms over dictionaries and virtual time."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NIGHT)
        self.ledger = MemoryLedger(TABLES)
        facts = Facts(small_county(), load_rules())
        carrier = SimulatedCarrier({})
        self.house = build(
            ledger=self.ledger, clock=self.clock, facts=facts, carriers=[carrier], number_key=b"k" * 16, owner="fuzz"
        )
        self.runner = Runner(self.house, self.clock)
        self.reception = Reception(self.ledger, facts, self.clock, "real")

    def letters_died(self) -> int:
        """How many letters no room could handle."""
        return sum(
            entry.what == "letter_dead" for subject, _, _ in self.ledger.heads() for entry in self.entries(subject)
        )

    def entries(self, subject: str) -> list:
        return self.ledger.step(lambda step: step.entries(subject))


class Documents(Door):
    """A door of the gateway; behind it the rooms go on with what was accepted."""

    def __init__(self) -> None:
        self.behind = House()

    def take(self, content: bytes, hint: str) -> tuple[str, ...]:
        raise NotImplementedError

    def hand_in(self, content: bytes, hint: str) -> str:
        try:
            ids = self.take(content, hint)
        except RefusedError as refused:
            if not (refused.element and refused.reason and refused.reason_en):
                raise LostError("a refusal without words") from refused
            self.find_raw(content[:KEEP_BYTES_MAX])
            return REFUSED
        if not ids:
            raise LostError("accepted, and nothing of it has an id")
        return ACCEPTED

    def find_raw(self, content: bytes, realms: tuple[str, ...] = ("real",)) -> None:
        """See that the bytes are kept as they came."""
        digest = hashlib.sha256(content).hexdigest()
        kept = [self.behind.ledger.step(lambda step, r=realm: step.raw(make_id(r, "raw", digest))) for realm in realms]
        if content not in kept:
            raise LostError("the bytes are not kept")

    def look_round(self) -> None:
        # As long as five tries of a letter that no room can handle take.
        self.behind.runner.run_until(self.behind.runner.now + timedelta(minutes=4))
        died = self.behind.letters_died()
        # A night of its own for the next lot: thousands of open callouts would only slow everything down.
        self.behind = House()
        if died:
            raise LostError(f"{died} letters could be handled by no room")


class Warnings(Documents):
    name = "warnings"

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.warnings()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + {"json": JSON * 2, "xml": XML * 2}.get(hint.rpartition("/")[2].rpartition("+")[2], ())

    def take(self, content: bytes, hint: str) -> tuple[str, ...]:
        taken = asyncio.run(self.behind.reception.take_warnings(content, hint, door="http", by="fuzz"))
        self.find_raw(content, ("real", "drill:cap", "check:cap"))
        return taken.ids


class Readings(Documents):
    name = "readings"

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.readings()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + JSON * 2

    def take(self, content: bytes, hint: str) -> tuple[str, ...]:
        return asyncio.run(self.behind.reception.take_readings(content, hint or None, by="fuzz")).ids


class Rosters(Door):
    """`jiaoying roster import`: files in the formats that offices use."""

    name = "rosters"
    share = 0.2

    def __init__(self) -> None:
        self.county = small_county()
        self.window = Window(*seeds.window_of(NIGHT), self.county.zone)

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.rosters()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + {".xlsx": WORKBOOK * 2, ".yaml": YAML * 3, ".ics": CALENDAR * 2}.get(hint, ())

    def hand_in(self, content: bytes, hint: str) -> str:
        county, expected = self.county, Expected(NIGHT.date())
        try:
            match hint:
                case ".xlsx":
                    found = read_xlsx(content, county, expected)
                case ".csv":
                    found = read_csv(content, county, expected)
                case ".yaml":
                    found = read_yaml(content, county)
                case _:
                    # In this process: one of its own for each of thousands would measure how processes start.
                    found = shifts_of(
                        *occurrences(content, "x.ics", self.window), county, post="t100-duty", name="x.ics"
                    )
        except RosterFileError as error:
            if not str(error):
                raise LostError("a refusal without words") from error
            return REFUSED
        if any(not remark.reason or not remark.english for remark in (*found.refused, *found.notes)):
            raise LostError("a cell was refused without words")
        return REFUSED if found.refused else ACCEPTED


class Folder(Door):
    """A folder of files of which one is spoiled."""

    source: ClassVar[Path]

    @cached_property
    def folder(self) -> Path:
        """A copy of its own, which is put right again after each document."""
        folder = Path(tempfile.mkdtemp(prefix="fuzz")) / "files"
        shutil.copytree(
            self.source, folder, ignore=shutil.ignore_patterns("sample", "grafana", "prometheus", "__pycache__")
        )
        return folder

    def hand_in(self, content: bytes, hint: str) -> str:
        file = self.folder / hint
        sound = (self.source / hint).read_bytes()
        file.write_bytes(content)
        try:
            return self.load()
        finally:
            file.write_bytes(sound)

    def load(self) -> str:
        raise NotImplementedError


class CountyFolder(Folder):
    """The county's sheets: a folder with faults is refused whole, with file and line."""

    name = "county"
    share = 0.1
    source = OWN_FOLDER / "sample"

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.county_files()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + (YAML * 3 if hint.endswith(".yaml") else ())

    def load(self) -> str:
        try:
            load_county(self.folder, around=NIGHT)
            duty_year_of(self.folder)
        except CountyError as error:
            if not error.faults or any(not (fault.file and fault.reason and fault.english) for fault in error.faults):
                raise LostError("a fault without place or words") from error
            return REFUSED
        return ACCEPTED


class Rules(Folder):
    """The rules: faulty ones are refused with path and line, and what is in force stays in force."""

    name = "rules"
    share = 0.05
    source = OWN_FOLDER

    def __init__(self) -> None:
        self.ledger = MemoryLedger(TABLES)
        self.who = Who("fuzz", NIGHT, NIGHT)
        self.ledger.step(lambda step: publish(step, load_rules(), self.who))

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.rule_files()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + YAML * 3

    def load(self) -> str:
        before = self.ledger.step(in_force)
        try:
            book = load_rules(self.folder)
        except ConfigError as error:
            if not error.faults or any(not (fault.file and fault.reason) for fault in error.faults):
                raise LostError("a fault without place or words") from error
            if self.ledger.step(in_force) != before:
                raise LostError("the rules in force were touched") from error
            return REFUSED
        if self.ledger.step(lambda step: publish(step, book, self.who)) != self.ledger.step(in_force):
            raise LostError("accepted rules are not those in force")
        return ACCEPTED

    def look_round(self) -> None:
        self.__init__()


class Topics(Door):
    """Kafka's topics, as a worker reads them: garbage is kept, the worker goes on."""

    name = "topics"

    def __init__(self) -> None:
        self.behind = House()
        self.worker = Worker(self.behind.house, servers=(), embedded=False, see=lambda entries: None)

    def seeds(self) -> tuple[Seed, ...]:
        return seeds.pages()

    def spoilers(self, hint: str) -> tuple[Spoiler, ...]:
        return BY_BYTES + JSON * 2

    def hand_in(self, content: bytes, hint: str) -> str:
        page = read_page(content)
        if isinstance(page, Page):
            asyncio.run(self.worker.take_page(page.model_copy(update={"topic": hint})))
            return ACCEPTED
        before = self.behind.ledger.step(lambda step: step.count_open_letters()).get("dead.letters", 0)
        asyncio.run(self.worker.take_unreadable(hint, page))
        kept = self.behind.ledger.step(lambda step: step.count_open_letters()).get("dead.letters", 0)
        if kept <= before and not self._is_known(page.raw, hint):
            raise LostError("the bytes are not kept")
        return REFUSED

    def _is_known(self, raw: bytes, topic: str) -> bool:
        from streams.ids import digest

        raw_id = make_id("real", "raw", topic, digest(topic, raw.hex()))
        return self.behind.ledger.step(lambda step: step.raw(raw_id)) == raw

    def look_round(self) -> None:
        """A sound page still reaches its room."""
        door = Warnings()
        door.behind = self.behind
        before = self.behind.runner.now
        self.behind.clock.set(before + timedelta(seconds=1))
        (ident, *_) = door.take(
            seeds.warnings()[0].content.replace(b"x.1", str(before.timestamp()).encode()), "application/xml"
        )
        self.behind.runner.settle()
        if not self.behind.entries(ident) or self.behind.letters_died():
            raise LostError("after garbage on a topic a warning was not handled")


DOORS: dict[str, type[Door]] = {door.name: door for door in (Warnings, Readings, Rosters, CountyFolder, Rules, Topics)}
