"""The drop folder: files are taken like uploads, moved away, and never taken half."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from streams import topics
from streams.clock import VirtualClock
from streams.doors.files import look, watch
from streams.doors.refusal import RefusedError
from streams.ledger.contract import LedgerAwayError
from streams.letters import Received
from tests.wire.gateway_house import NIGHT, Gate, cap, open_gate


class Door:
    """Takes documents in, as the far side of the folder."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.answer: Exception | None = None

    async def __call__(self, content: bytes, name: str) -> None:
        if self.answer is not None:
            raise self.answer
        self.taken.append((content, name))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def looks(inbox: Path, door: Door, times: int = 2) -> None:
    async def run() -> None:
        seen = {}
        for _ in range(times):
            seen = await look(inbox, door, seen)

    asyncio.run(run())


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file())


def test_a_file_that_lay_still_is_taken_and_moved(inbox: Path):
    (inbox / "one.xml").write_bytes(b"<alert/>")
    door = Door()
    looks(inbox, door)
    assert door.taken == [(b"<alert/>", "one.xml")]
    assert (names(inbox), names(inbox / "accepted")) == ([], ["one.xml"])


def test_a_file_that_still_grows_is_left_alone(inbox: Path):
    file, door = inbox / "one.xml", Door()

    async def run() -> None:
        seen = {}
        for part in (b"<al", b"<alert", b"<alert/>"):
            file.write_bytes(part)
            seen = await look(inbox, door, seen)
        assert door.taken == []
        await look(inbox, door, seen)

    asyncio.run(run())
    assert door.taken == [(b"<alert/>", "one.xml")]


def test_half_written_and_hidden_files_are_none(inbox: Path):
    for name in ("one.xml.part", ".one.xml"):
        (inbox / name).write_bytes(b"<alert/>")
    door = Door()
    looks(inbox, door, 3)
    assert door.taken == []


def test_a_link_out_of_the_folder_is_not_followed(inbox: Path, tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"secret")
    (inbox / "one.xml").symlink_to(tmp_path / "secret")
    door = Door()
    looks(inbox, door)
    assert door.taken == []


def test_a_refused_file_lies_beside_its_reason(inbox: Path):
    (inbox / "one.xml").write_bytes(b"junk")
    door = Door()
    door.answer = RefusedError(400, "sent", "缺少必填项 sent。", "sent is missing.")
    looks(inbox, door)
    assert names(inbox / "refused") == ["one.xml", "one.xml.reason.txt"]
    assert "缺少必填项 sent" in (inbox / "refused" / "one.xml.reason.txt").read_text(encoding="utf-8")


def test_a_file_stays_while_the_ledger_is_away_and_is_taken_later(inbox: Path):
    (inbox / "one.xml").write_bytes(b"<alert/>")
    door = Door()
    door.answer = LedgerAwayError("away")
    looks(inbox, door, 3)
    assert names(inbox) == ["one.xml"]
    door.answer = None
    looks(inbox, door)
    assert names(inbox / "accepted") == ["one.xml"]


def test_a_second_file_of_the_same_name_replaces_nothing(inbox: Path):
    door = Door()
    for content in (b"first", b"second"):
        (inbox / "one.xml").write_bytes(content)
        looks(inbox, door)
    kept = {file.read_bytes() for file in (inbox / "accepted").iterdir()}
    assert kept == {b"first", b"second"}


def test_older_files_go_first(inbox: Path):
    for age, name in ((30, "b.xml"), (20, "a.xml"), (10, "c.xml")):
        (inbox / name).write_bytes(name.encode())
        os.utime(inbox / name, (1_000_000 - age, 1_000_000 - age))
    door = Door()
    looks(inbox, door)
    assert [name for _, name in door.taken] == ["b.xml", "a.xml", "c.xml"]


class Looks(VirtualClock):
    """A clock that stands still after so many looks into the folder."""

    def __init__(self, looks: int) -> None:
        super().__init__(NIGHT)
        self.left, self.over = looks, asyncio.Event()

    async def sleep(self, wall_s: float) -> None:
        self.left -= 1
        if self.left == 0:
            self.over.set()
            await asyncio.Event().wait()


def test_watching_goes_on_until_it_is_cancelled(inbox: Path):
    door = Door()
    (inbox / "one.xml").write_bytes(b"<alert/>")

    async def run() -> None:
        clock = Looks(2)
        watching = asyncio.create_task(watch(inbox, door, clock))
        await clock.over.wait()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(asyncio.wait_for(run(), 20))
    assert [name for _, name in door.taken] == ["one.xml"]


def test_a_running_gateway_takes_dropped_warnings_like_uploads(tmp_path: Path, inbox: Path):
    (inbox / "rain.xml").write_bytes(cap())
    (inbox / "junk.xml").write_bytes(b"<alert>")

    async def run() -> Gate:
        clock = Looks(2)
        gate = open_gate(tmp_path, clock=clock)
        async with gate.app.router.lifespan_context(gate.app):
            await clock.over.wait()
        return gate

    gate = asyncio.run(asyncio.wait_for(run(), 20))
    letters = {letter.message.kind: letter for letter in gate.letters(topics.WARNINGS_RAW)}
    assert set(letters) == {"received", "document_refused"}
    letter = letters["received"]
    assert isinstance(letter.message, Received)
    assert letter.message.source == "files"
    assert (names(inbox / "accepted"), names(inbox / "refused")) == (["rain.xml"], ["junk.xml", "junk.xml.reason.txt"])
    assert len(gate.letters(topics.DEAD_LETTERS)) == 1
