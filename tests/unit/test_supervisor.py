"""The supervisor and its embedded broker: replaced elsewhere, topics first; no worker is stopped for one that fails."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from config.settings import read_settings
from streams.kafka import answers, set_up_topics
from streams.supervisor import Stack

WORKS = "import threading; threading.Event().wait(240)"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(read_settings(data_dir=tmp_path), lambda _: None, workers=1)


def test_a_dead_broker_is_replaced_at_another_port_with_its_topics(stack: Stack) -> None:
    async def story() -> tuple[tuple[str, ...], tuple[str, ...]]:
        await stack._start_broker()
        before = stack.servers
        assert stack.broker is not None
        assert stack.broker.process is not None
        stack.broker.process.kill()
        stack.broker.process.wait()
        await stack._recycle_broker()
        return before, stack.servers

    try:
        before, after = asyncio.run(story())
        assert before != after
        assert answers(after)
        assert set_up_topics(after) == ()
    finally:
        assert stack.broker is not None
        stack.broker.stop()


def test_a_broker_that_cannot_be_had_leaves_the_workers_alone(stack: Stack, tmp_path: Path) -> None:
    async def story() -> int | None:
        await stack._start_broker()
        assert stack.broker is not None
        stack.broker.stop()
        (tmp_path / "broker.log").unlink()
        (tmp_path / "broker.log").mkdir()
        worker = stack.children["worker-0"] = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKS)
        await stack._recycle_broker()
        ended = worker.returncode
        worker.kill()
        await worker.wait()
        return ended

    assert asyncio.run(story()) is None
    assert stack._broker_from_s > 0, "it would be tried again at once, for ever"
