"""Real workers at an update: the older one ends with a sentence that says why, and does not come back as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from streams.ends import FOLLOWED_STATUS, OUTDATED_STATUS
from streams.installation import deploy, environment
from streams.ledger.contract import Edition, EditionKind, FullStep
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES
from tests.e2e.ports import free_port
from tests.e2e.waiting import read_log

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
CONFIG = Path(__file__).parents[2] / "config"
WITHIN_S = 240.0


class Machine:
    """An installation without Kafka, whose workers are started by hand."""

    def __init__(self, folder: Path) -> None:
        rules = folder / "rules"
        (rules / "presets").mkdir(parents=True)
        for name in ("hazards.yaml", "thresholds.yaml", "presets/mianxian.yaml"):
            shutil.copy(CONFIG / name, rules / name)
        self.settings: Settings = read_settings(
            data_dir=folder / "data", rules_folder=rules, ledger_url="", port=free_port(), metrics_port=free_port()
        )
        self.said = folder / "said"
        self.said.mkdir()
        deploy(self.settings)
        self.ledger = SqlLedger(self.settings.ledger, TABLES)
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command of the house; what it says goes to a file, for a pipe that nobody empties would stop it."""
        variables = {**os.environ, **environment(self.settings), "JIAOYING_METRICS_PORT": str(free_port())}
        command = [sys.executable, "-m", "streams.cli", *words]
        with (self.said / str(len(self.running))).open("wb") as said:
            self.running.append(subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=said))
        return self.running[-1]

    def words_of(self, process: subprocess.Popen[bytes]) -> str:
        """What a process said so far."""
        return read_log(self.said / str(self.running.index(process)))

    def ended(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """The status of a process that ends by itself, and what it said, however its lines were broken."""
        status = process.wait(WITHIN_S)
        return status, self.words_of(process).replace("\n", "")

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it has written something: its lease as the sealer."""
        self.ledger.step(lambda step: step._connection.exec_driver_sql("DELETE FROM leases"))
        started = self.run("worker")
        deadline = time.monotonic() + WITHIN_S
        while not self.ledger.step(lambda step: step._connection.exec_driver_sql("SELECT 1 FROM leases").fetchall()):
            assert started.poll() is None, self.words_of(started)
            assert time.monotonic() < deadline, "the worker took no lease"
            time.sleep(0.1)
        return started

    def close(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.ledger.close()


@pytest.fixture
def machine(tmp_path: Path):
    made = Machine(tmp_path)
    yield made
    made.close()


def test_a_worker_ends_when_rules_are_published_and_started_again_goes_by_them(machine: Machine) -> None:
    worker = machine.worker()
    file = machine.settings.rules_folder / "presets" / "mianxian.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("gate_s: 90", "gate_s: 80"), encoding="utf-8")
    assert machine.ended(machine.run("config", "publish", "--by", "王某"))[0] == 0
    status, told = machine.ended(worker)
    assert status == FOLLOWED_STATUS
    assert "叫应规则第 1 版已被第 2 版取代" in told
    again = machine.worker()
    again.terminate()
    assert machine.ended(again)[0] == 0


def test_a_worker_of_an_older_program_ends_and_is_refused_when_it_is_started_again(machine: Machine) -> None:
    old = machine.worker()
    now = datetime.now(UTC)

    def newer_program(step: FullStep) -> None:
        step.publish_edition(
            Edition(kind=EditionKind.RECORDS, n=2, mark="newer", at=now, by="newer", body='{"letters": 2}')
        )

    machine.ledger.step(newer_program)
    status, told = machine.ended(old)
    assert status == FOLLOWED_STATUS
    assert "程序第 1 版已被第 2 版取代，本进程不再写台账；请改用新版程序启动" in told
    status, told = machine.ended(machine.run("worker"))
    assert status == OUTDATED_STATUS
    assert "请改用新版程序启动" in told
