"""A night is under way in a ledger of the first release; it is brought to this one, and goes on as if nothing were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from first_revision import FIRST, copy_into_first_revision, revision_of

from config.rules import RuleBook
from streams.ledger import migrations
from streams.ledger.contract import FullStep
from streams.ledger.migrate import migrate
from streams.ledger.seal import write_next_seal
from streams.ledger.sql import SqlLedger
from streams.ledger.verify import verify
from streams.replay.night import Night
from streams.replay.runner import Runner
from streams.wiring import TABLES, build
from tests.small_county import small_county

T = TypeVar("T")


class InPlace:
    """A SQL ledger in virtual time, where nothing waits: each step runs while the caller stands still."""

    def __init__(self, url: str) -> None:
        self.sql = SqlLedger(url, TABLES)
        self.step, self.heads, self.close = self.sql.step, self.sql.heads, self.sql.close

    async def run(self, work: Callable[[FullStep], T]) -> T:
        return self.step(work)

    async def look(self, work: Callable[[FullStep], T]) -> T:
        return self.step(work)

    async def database_at(self) -> None:
        return None


class NightIn(Night):
    """A night whose ledger is a database."""

    def __init__(self, ledger: Any, start: Any, rules: RuleBook) -> None:
        super().__init__(county=small_county(), rules=rules, start=start)
        self.ledger = ledger
        house = self.house
        self.house = build(
            ledger=ledger,
            clock=self.clock,
            facts=house.facts,
            carriers=house.carriers,
            number_key=house.number_key,
            owner="night",
        )
        self.runner = Runner(self.house, self.clock)
        self.phone("v201-head").habit("sleeps")
        self.phone("v202-head").habit("switched_off")
        self.phone("v208-head").habit("sleeps")


@pytest.fixture
def open_ledger() -> Iterator[Callable[[str], InPlace]]:
    opened: list[InPlace] = []

    def open_one(url: str) -> InPlace:
        opened.append(InPlace(url))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def two_urls(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> tuple[str, str]:
    if database_url.startswith("sqlite"):
        return database_url, f"sqlite:///{tmp_path / 'first.db'}"
    return database_url, request.getfixturevalue("postgres_databases")()


def newest_revision() -> str:
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    return str(ScriptDirectory.from_config(config).get_current_head())


def test_a_night_under_way_is_migrated_from_the_first_revision_and_goes_on_hash_for_hash(
    two_urls: tuple[str, str], open_ledger: Callable[[str], InPlace], rules: RuleBook
) -> None:
    url, first_url = two_urls
    migrate(url, TABLES)
    undisturbed = NightIn(open_ledger(url), "2021-07-19 21:59", rules)
    undisturbed.warning(townships=["溪口镇"]).advance(minutes=4)
    undisturbed.ledger.step(lambda step: write_next_seal(step, undisturbed.now))

    counts = copy_into_first_revision(url, first_url, TABLES)
    assert counts["callouts"] >= 10
    assert min(counts[name] for name in ("letters", "entries", "heads", "seals", "raws", "attempts", "chains")) > 0
    assert revision_of(first_url) == FIRST
    migrate(first_url, TABLES)
    assert revision_of(first_url) == newest_revision()
    ledger = open_ledger(first_url)
    assert verify(ledger).faults == ()
    assert ledger.heads() == undisturbed.ledger.heads()
    migrated = NightIn(ledger, undisturbed.now, rules)
    assert any(callout.is_open for callout in migrated.callouts()), "the night was over before it was migrated"

    for night in (undisturbed, migrated):
        night.warning(kind="Update", references=undisturbed.identifiers[:1], townships=["溪口镇", "柳林镇"])
        night.advance(hours=2)
    assert not any(callout.is_open for callout in migrated.callouts())
    assert {str(callout.state) for callout in migrated.callouts()} >= {"confirmed", "told"}
    assert ledger.heads() == undisturbed.ledger.heads()
    assert verify(ledger).faults == ()
